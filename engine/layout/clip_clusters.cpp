#include "engine/layout/clip_clusters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/layout/clip_match.h"
#include "engine/layout/tiles.h"

namespace yieldloop::layout {
namespace {

using Nodes = std::vector<std::uint32_t>;

/// What one clip found among those behind it in the order of comparing.
struct Matches {
  Nodes of;
  std::uint64_t compared = 0;
};

struct Similarity {
  std::vector<Nodes> neighbours;
  std::uint64_t compared = 0;
  std::uint64_t matching = 0;
};

Status check(std::size_t clips, const ClusterOptions& o) {
  const bool area = o.area_match && *o.area_match > 0.0 && *o.area_match <= 1.0;
  const bool edge = o.edge_displacement && *o.edge_displacement >= 0;
  if (o.area_match.has_value() == o.edge_displacement.has_value() || !(area || edge) ||
      o.radius < 1 || o.layers < 1) {
    return Error{Errc::kInvalidOptions, "PATK-0001",
                 "Clips are grouped either by an area match above 0 and up to 1 or by an edge "
                 "displacement of at least 0; give one of the two."};
  }
  if (clips > kMostClusteredClips) {
    return Error{Errc::kInvalidOptions, "PATK-0002",
                 fmt::format("{} clips are more than the {} that can be grouped; leave out the "
                             "rarer ones.",
                             clips, kMostClusteredClips)};
  }
  return Ok{};
}

/// neighbours from the matches of each position in `order`.
Similarity joined(const Nodes& order, const std::vector<Matches>& found) {
  Similarity s;
  s.neighbours.resize(order.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    s.compared += found[i].compared;
    s.matching += found[i].of.size();
    for (const std::uint32_t other : found[i].of) {
      s.neighbours[order[i]].push_back(other);
      s.neighbours[other].push_back(order[i]);
    }
  }
  for (Nodes& n : s.neighbours) std::ranges::sort(n);
  return s;
}

Result<Similarity> by_area(std::span<const ClipWords> clips, const ClusterOptions& options,
                           Progress& progress) {
  std::vector<AreaClip> prepared;
  prepared.reserve(clips.size());
  for (const ClipWords& words : clips) prepared.emplace_back(words, options.layers, options.radius);
  const double square =
      static_cast<double>(options.layers) * std::pow(4.0 * static_cast<double>(options.radius), 2);
  // A millionth of a half unit squared, for what 1 - a loses in a double.
  const double most = (1.0 - *options.area_match) * square * (1.0 + 1e-12) + 1e-6;
  Nodes order(clips.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, {}, [&](std::uint32_t i) { return prepared[i].total(); });
  YL_ASSIGN(const auto found,
            for_all_tiles<Matches>(order.size(), "grouping", progress, [&](std::size_t i) {
              Matches m;
              const AreaClip& clip = prepared[order[i]];
              for (std::size_t k = i + 1; k < order.size(); ++k) {
                const AreaClip& other = prepared[order[k]];
                if (other.total() - clip.total() > most) break;
                if (clip.least_difference(other) > most) continue;
                ++m.compared;
                if (clip.difference(other) <= most) m.of.push_back(order[k]);
              }
              return m;
            }));
  return joined(order, found);
}

bool may_match(const CornerClip& a, const CornerClip& b, Coord most) {
  for (std::size_t i = 0; i < a.places().size(); ++i) {
    if (std::abs(Coord{a.places()[i]} - b.places()[i]) > most) return false;
  }
  return true;
}

/// Corners of one kind first: their distance from the middle decides soonest.
Coord first_place(const CornerClip& clip) {
  return clip.places().empty() ? 0 : clip.places()[clip.places().size() / 2];
}

Result<Similarity> by_displacement(std::span<const ClipWords> clips, const ClusterOptions& options,
                                   Progress& progress) {
  std::vector<CornerClip> prepared;
  prepared.reserve(clips.size());
  for (const ClipWords& words : clips) prepared.emplace_back(words, options.layers, options.radius);
  const Coord most = 2 * *options.edge_displacement;
  Nodes order(clips.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, [&](std::uint32_t i, std::uint32_t k) {
    const CornerClip &a = prepared[i], &b = prepared[k];
    if (a.signature() != b.signature()) return a.signature() < b.signature();
    return first_place(a) < first_place(b);
  });
  YL_ASSIGN(const auto found,
            for_all_tiles<Matches>(order.size(), "grouping", progress, [&](std::size_t i) {
              Matches m;
              const CornerClip& clip = prepared[order[i]];
              for (std::size_t k = i + 1; k < order.size(); ++k) {
                const CornerClip& other = prepared[order[k]];
                if (other.signature() != clip.signature() ||
                    first_place(other) - first_place(clip) > most) {
                  break;
                }
                if (!may_match(clip, other, most)) continue;
                ++m.compared;
                const auto displacement = clip.displacement(other);
                if (displacement && *displacement <= most) m.of.push_back(order[k]);
              }
              return m;
            }));
  return joined(order, found);
}

/// Every clip to the representative with most matches among those it matches, then the first.
std::vector<ClipCluster> assigned(const Nodes& representatives, const Similarity& similar) {
  std::vector<ClipCluster> clusters;
  std::vector<std::int64_t> cluster_of(similar.neighbours.size(), -1);
  for (const std::uint32_t r : representatives) {
    cluster_of[r] = static_cast<std::int64_t>(clusters.size());
    clusters.push_back({r, {}});
  }
  for (std::uint32_t i = 0; i < similar.neighbours.size(); ++i) {
    std::int64_t best = cluster_of[i];
    if (best < 0) {
      std::size_t widest = 0;
      for (const std::uint32_t n : similar.neighbours[i]) {
        const bool chosen = std::ranges::binary_search(representatives, n);
        if (!chosen || similar.neighbours[n].size() <= widest) continue;
        widest = similar.neighbours[n].size();
        best = cluster_of[n];
      }
    }
    clusters[static_cast<std::size_t>(best)].members.push_back(i);
  }
  return clusters;
}

}  // namespace

Result<ClipClusters> cluster_clips(std::span<const ClipWords> clips, const ClusterOptions& options,
                                   Progress& progress) {
  YL_TRY(check(clips.size(), options));
  // Worked on in the order of the words, so that the answer does not depend on the order given.
  Nodes order(clips.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order,
                           [&](std::uint32_t i, std::uint32_t k) { return clips[i] < clips[k]; });
  std::vector<ClipWords> sorted;
  for (const std::uint32_t i : order) sorted.push_back(clips[i]);
  YL_ASSIGN(const Similarity similar, options.area_match
                                          ? by_area(sorted, options, progress)
                                          : by_displacement(sorted, options, progress));
  const auto [representatives, exact] = cover_nodes(similar.neighbours);
  ClipClusters result;
  const std::uint64_t n = clips.size();
  result.pairs = n * (n - std::min<std::uint64_t>(n, 1)) / 2;
  result.compared = similar.compared;
  result.matching = similar.matching;
  result.exact = exact;
  result.clusters = assigned(representatives, similar);
  for (ClipCluster& c : result.clusters) {
    c.representative = order[c.representative];
    for (std::uint32_t& m : c.members) m = order[m];
    std::ranges::sort(c.members);
  }
  std::ranges::sort(result.clusters, {}, &ClipCluster::representative);
  return result;
}

double area_match(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b,
                  std::size_t layers, Coord radius) {
  const double square =
      static_cast<double>(layers) * std::pow(4.0 * static_cast<double>(radius), 2);
  return 1.0 - AreaClip(a, layers, radius).difference(AreaClip(b, layers, radius)) / square;
}

std::optional<Coord> edge_displacement(std::span<const std::uint64_t> a,
                                       std::span<const std::uint64_t> b, std::size_t layers,
                                       Coord radius) {
  return CornerClip(a, layers, radius).displacement(CornerClip(b, layers, radius));
}

}  // namespace yieldloop::layout

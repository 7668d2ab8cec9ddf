#include "engine/tracing/pattern_census.h"

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <unordered_map>

#include "engine/core/sha256.h"
#include "engine/geometry/region.h"
#include "engine/geometry/transform.h"

namespace yieldloop::tracing {
namespace {

using geometry::Box;
using geometry::Coord;
using geometry::Point;

using Hash = std::array<std::uint64_t, 2>;

/// Two independent 64-bit mixes: 128 bits, so that a chance meeting of two clips is out of reach.
struct Mixer {
  Hash state{0x9E3779B97F4A7C15ull, 0xC2B2AE3D27D4EB4Full};
  void add(Coord value) {
    auto v = static_cast<std::uint64_t>(value);
    for (std::size_t i = 0; i < 2; ++i) {
      state[i] ^= v + 0x9E3779B97F4A7C15ull * (i + 1);
      state[i] *= i == 0 ? 0xFF51AFD7ED558CCDull : 0xC4CEB9FE1A85EC53ull;
      state[i] ^= state[i] >> 33;
    }
  }
};

struct HashOf {
  std::size_t operator()(const Hash& h) const { return static_cast<std::size_t>(h[0] ^ h[1]); }
};

/// The shapes around an anchor, in half database units from it; boxes cut to the clip.
geometry::ShapeHeap shapes_around(const layout::FlatView& view, layout::LayerIndex layer,
                                  Point twice, Coord radius) {
  const Box clip{-2 * radius, -2 * radius, 2 * radius, 2 * radius};
  const Point middle{twice.x >> 1, twice.y >> 1};
  const Box window{middle.x - radius - 1, middle.y - radius - 1, middle.x + radius + 1,
                   middle.y + radius + 1};
  geometry::ShapeHeap heap;
  view.for_each_shape(layer, window, [&](const layout::FlatShape& shape) {
    if (shape.is_box) {
      const Box b{2 * shape.box.x_min - twice.x, 2 * shape.box.y_min - twice.y,
                  2 * shape.box.x_max - twice.x, 2 * shape.box.y_max - twice.y};
      if (b.overlaps(clip)) heap.add(b.intersection(clip));
      return;
    }
    geometry::Polygon points;
    for (const Point p : shape.points) points.push_back({2 * p.x - twice.x, 2 * p.y - twice.y});
    heap.add(points);
  });
  std::erase_if(heap.boxes, [&](const Box& b) { return !b.overlaps(clip); });
  for (Box& b : heap.boxes) b = b.intersection(clip);
  std::ranges::sort(heap.boxes);
  std::ranges::sort(heap.oblique);
  return heap;
}

/// Names the clip as drawn: the same shapes give the same hash, other shapes with the same union
/// may not, which only costs a second merge.
Hash drawn_hash(const geometry::ShapeHeap& heap) {
  Mixer mixer;
  for (const Box& b : heap.boxes) {
    for (const Coord v : {b.x_min, b.y_min, b.x_max, b.y_max}) mixer.add(v);
  }
  for (const auto& polygon : heap.oblique) {
    mixer.add(static_cast<Coord>(polygon.size()) + (Coord{1} << 60));
    for (const Point p : polygon) mixer.add(p.x), mixer.add(p.y);
  }
  return mixer.state;
}

using DirectedEdge = std::array<Coord, 4>;

std::vector<DirectedEdge> edges_of(const geometry::ShapeHeap& heap, Coord radius) {
  const Box clip{-2 * radius, -2 * radius, 2 * radius, 2 * radius};
  std::vector<DirectedEdge> edges;
  const auto add = [&](const geometry::Polygon& ring) {
    for (std::size_t i = 0; i < ring.size(); ++i) {
      const Point a = ring[i], b = ring[(i + 1) % ring.size()];
      edges.push_back({a.x, a.y, b.x, b.y});
    }
  };
  for (const auto& piece : geometry::merge(heap, clip)) {
    add(piece.outer);
    for (const auto& hole : piece.holes) add(hole);
  }
  return edges;
}

/// The edges seen in orientation o; a mirrored edge is reversed, so that the inside stays left.
std::vector<DirectedEdge> oriented(const std::vector<DirectedEdge>& edges,
                                   geometry::Orientation o) {
  std::vector<DirectedEdge> out;
  out.reserve(edges.size());
  for (const DirectedEdge& e : edges) {
    Point a = geometry::apply(o, {e[0], e[1]}), b = geometry::apply(o, {e[2], e[3]});
    if (geometry::mirrored(o)) std::swap(a, b);
    out.push_back({a.x, a.y, b.x, b.y});
  }
  std::ranges::sort(out);
  return out;
}

std::string canonical_text(const geometry::ShapeHeap& heap, Coord radius) {
  const auto edges = edges_of(heap, radius);
  auto best = oriented(edges, geometry::Orientation::kR0);
  for (int o = 1; o < 8; ++o) {
    auto next = oriented(edges, static_cast<geometry::Orientation>(o));
    if (next < best) best = std::move(next);
  }
  std::string text = fmt::format("{};", radius);
  for (const DirectedEdge& e : best) text += fmt::format("{},{},{},{};", e[0], e[1], e[2], e[3]);
  return text;
}

struct Scale {
  double dbu_um = 0.001;
  Coord min_space = 0;
  Coord max_space = 0;
  std::vector<Coord> radii;
  Coord of(double um) const { return std::llround(um / dbu_um); }
};

Result<Scale> scale_of(const layout::FlatView& view, layout::LayerIndex layer, const Box& window,
                       const CensusOptions& options, Progress& progress) {
  Scale s;
  s.dbu_um = view.layout().dbu_um();
  const bool radii_good = std::ranges::all_of(options.radii_um, [](double r) { return r > 0.0; });
  if (options.space_factor < 1.0 || options.search_um <= 0.0 || options.min_space_um < 0.0 ||
      !radii_good || options.min_occurrences < 1) {
    return Error{
        Errc::kInvalidOptions, "PATC-0002",
        "The pattern census needs positive radii and a space factor of at least 1; correct "
        "the options."};
  }
  s.min_space = s.of(options.min_space_um);
  if (s.min_space == 0) {
    YL_ASSIGN(s.min_space, smallest_space(view, layer, window, s.of(options.search_um), progress));
  }
  if (s.min_space == 0) {
    return Error{
        Errc::kNoData, "PATC-0001",
        fmt::format("Nothing on layer {} comes within {} um of anything else, so there are "
                    "no patterns to count.",
                    layout::to_string(view.layout().layers()[layer]), options.search_um)};
  }
  s.max_space = std::llround(options.space_factor * static_cast<double>(s.min_space));
  for (const double r : options.radii_um) s.radii.push_back(std::max<Coord>(1, s.of(r)));
  if (s.radii.empty()) s.radii = {5 * s.min_space / 2, 5 * s.min_space};
  std::ranges::sort(s.radii);
  return s;
}

void add_class(const std::string& text, double radius_um, const Scale& scale,
               std::vector<std::uint32_t> anchors, const CensusOptions& options,
               PatternCensus& census) {
  if (static_cast<std::int64_t>(anchors.size()) < options.min_occurrences) {
    ++census.rare;
    return;
  }
  const Anchor& first = census.anchors[anchors.front()];
  census.classes.push_back({"p-" + Sha256::of(text).hex().substr(0, 10), radius_um, first.kind,
                            static_cast<double>(first.space) * scale.dbu_um, std::move(anchors)});
}

void add_plain_classes(const Scale& scale, const CensusOptions& options, PatternCensus& census) {
  std::map<std::pair<GapKind, Coord>, std::vector<std::uint32_t>> members;
  for (std::uint32_t i = 0; i < census.anchors.size(); ++i) {
    members[{census.anchors[i].kind, census.anchors[i].space}].push_back(i);
  }
  for (auto& [key, anchors] : members) {
    add_class(fmt::format("kind {} space {}", static_cast<int>(key.first), key.second), 0.0, scale,
              std::move(anchors), options, census);
  }
}

void add_clip_classes(const layout::FlatView& view, layout::LayerIndex layer, Coord radius,
                      const Scale& scale, const CensusOptions& options, PatternCensus& census) {
  const std::size_t n = census.anchors.size();
  std::vector<Hash> drawn(n);
  tbb::parallel_for(std::size_t{0}, n, [&](std::size_t i) {
    drawn[i] = drawn_hash(shapes_around(view, layer, census.anchors[i].twice, radius));
  });
  std::unordered_map<Hash, std::uint32_t, HashOf> distinct;
  std::vector<std::uint32_t> first;
  for (std::uint32_t i = 0; i < n; ++i) {
    if (distinct.try_emplace(drawn[i], static_cast<std::uint32_t>(first.size())).second) {
      first.push_back(i);
    }
  }
  std::vector<std::string> texts(first.size());
  tbb::parallel_for(std::size_t{0}, first.size(), [&](std::size_t k) {
    texts[k] = canonical_clip(view, layer, census.anchors[first[k]].twice, radius);
  });
  std::map<std::string_view, std::vector<std::uint32_t>> members;
  for (std::uint32_t i = 0; i < n; ++i) members[texts[distinct.at(drawn[i])]].push_back(i);
  for (auto& [text, anchors] : members) {
    add_class(std::string(text), static_cast<double>(radius) * scale.dbu_um, scale,
              std::move(anchors), options, census);
  }
}

}  // namespace

std::string canonical_clip(const layout::FlatView& view, layout::LayerIndex layer, Point twice,
                           Coord radius) {
  return canonical_text(shapes_around(view, layer, twice, radius), radius);
}

Result<PatternCensus> census_patterns(const layout::FlatView& view, layout::LayerIndex layer,
                                      const Box& window, const CensusOptions& options,
                                      Progress& progress) {
  YL_ASSIGN(const Scale scale, scale_of(view, layer, window, options, progress));
  PatternCensus census;
  census.dbu_um = scale.dbu_um;
  census.min_space_um = static_cast<double>(scale.min_space) * scale.dbu_um;
  for (const Coord r : scale.radii) {
    census.radii_um.push_back(static_cast<double>(r) * scale.dbu_um);
  }
  YL_ASSIGN(census.anchors,
            find_anchors(view, layer, window, {scale.max_space, scale.radii.back(), 0}, progress));
  add_plain_classes(scale, options, census);
  for (const Coord radius : scale.radii) {
    add_clip_classes(view, layer, radius, scale, options, census);
    progress.report("pattern census", census.classes.size(), 0);
  }
  std::ranges::sort(census.classes, [](const PatternClass& a, const PatternClass& b) {
    return a.radius_um != b.radius_um ? a.radius_um < b.radius_um : a.id < b.id;
  });
  return census;
}

}  // namespace yieldloop::tracing

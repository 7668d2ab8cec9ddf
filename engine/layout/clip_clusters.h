/// \file
/// Clips that are nearly the same, and the smallest set of clips that stands for all.
///
/// Exact classes take two clips apart for one nanometre. Two clips match
///
///   by area          when the area where they differ is at most (1 - a) of all layers' squares, in
///                    the best of the 8 orientations: 1 - |A xor B| / (layers x (2 radius)^2) >= a;
///   by displacement  when in one of the 8 orientations every corner of the one is a corner of the
///                    other moved by at most e along x and along y, ring for ring in the same order
///                    with every edge still pointing the same way: the same topology.
///
/// Both are symmetric and independent of the order and orientation of the clips. The
/// representatives are clips of the set so that every clip matches at least one; as few as can be
/// found: each connected group of up to 24 clips is solved exactly, larger ones by the greedy rule
/// (most uncovered clips first) and then by exchanging two representatives for one and dropping
/// what is not needed.
///
/// Units: radius in database units; areas as shares. Cost: pairs that a bound on the areas in
/// nested squares (or the sorted corner coordinates) rules out are never compared.
/// Source: ICCAD-2016 contest problem C (area constraint, edge-displacement constraint, smallest
/// set of representatives; shifting of clips is not used); V. Chvatal, "A greedy heuristic for the
/// set-covering problem", Mathematics of Operations Research 4 (1979); M. Minoux, "Accelerated
/// greedy algorithms for maximizing submodular set functions", 1978 (lazy evaluation).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/layout/pattern_clip.h"

namespace yieldloop::layout {

/// Most clips that are compared with each other.
inline constexpr std::size_t kMostClusteredClips = 200'000;

struct ClusterOptions {
  std::size_t layers = 1;
  Coord radius = 0;
  std::optional<double> area_match;        ///< a in (0, 1].
  std::optional<Coord> edge_displacement;  ///< e >= 0; exactly one of the two is given.
};

struct ClipCluster {
  std::uint32_t representative = 0;
  std::vector<std::uint32_t> members;  ///< Ascending, the representative among them.
  friend bool operator==(const ClipCluster&, const ClipCluster&) = default;
};

struct ClipClusters {
  std::vector<ClipCluster> clusters;  ///< By representative; each clip is a member of one.
  std::uint64_t pairs = 0;            ///< n (n - 1) / 2.
  std::uint64_t compared = 0;         ///< Pairs whose geometry was looked at.
  std::uint64_t matching = 0;
  bool exact = true;  ///< No smaller set of representatives exists.
  friend bool operator==(const ClipClusters&, const ClipClusters&) = default;
};

/// Where a clip matches several representatives it belongs to the one with most members, then to
/// the first. Shape: clips is [n] of canonical words.
/// Errors: kInvalidOptions PATK-0001 (neither or both constraints, or out of range), PATK-0002
/// (more than kMostClusteredClips clips); kCancelled LAYO-0007.
Result<ClipClusters> cluster_clips(std::span<const ClipWords> clips, const ClusterOptions& options,
                                   Progress& progress);

/// Share of the squares where two clips agree, in the best orientation, in [0, 1].
double area_match(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b,
                  std::size_t layers, Coord radius);
/// The smallest displacement, in half database units, that makes the one clip the other; nothing
/// when their topology differs.
std::optional<Coord> edge_displacement(std::span<const std::uint64_t> a,
                                       std::span<const std::uint64_t> b, std::size_t layers,
                                       Coord radius);

/// A smallest set of nodes so that every node is chosen or next to a chosen one. `neighbours` is
/// symmetric, ascending, without the node itself. The second value: proven smallest.
std::pair<std::vector<std::uint32_t>, bool> cover_nodes(
    const std::vector<std::vector<std::uint32_t>>& neighbours);

}  // namespace yieldloop::layout

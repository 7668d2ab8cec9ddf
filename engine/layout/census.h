/// \file
/// Counts of what may fail: via cuts, narrow spaces, narrow widths.
///
/// These are the opportunities that defect rates are divided by and the places that design
/// suggestions change. The window is worked through in tiles, so that a chip is never flattened
/// as a whole; every object belongs to the one tile that holds its lower-left corner and the
/// result does not depend on the number of threads, nor, save for pieces that join far away, on
/// the tiles' size.
/// Units: database units.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/layout/connectivity.h"
#include "engine/layout/flat_view.h"

namespace yieldloop::layout {

struct ViaCensusOptions {
  /// Two cuts are redundant to each other when the gap between them is at most this and both
  /// join the same piece below with the same piece above.
  Coord redundancy_distance = 1000;
  std::optional<Box> window;  ///< The view's box when empty.
  Coord tile = 0;             ///< Side of a tile, 0: 50 um; performance only.
};

struct ViaCut {
  Box box;             ///< Of the merged cut.
  bool below = false;  ///< Metal below covers its centre.
  bool above = false;
  std::uint32_t partners = 0;  ///< Redundant cuts near it.
  bool single() const { return below && above && partners == 0; }
  friend bool operator==(const ViaCut&, const ViaCut&) = default;
};

struct ViaCensus {
  std::vector<ViaCut> cuts;       ///< Ascending by box.
  std::uint64_t singles = 0;      ///< Connected, without a partner.
  std::uint64_t redundant = 0;    ///< Connected, with at least one partner.
  std::uint64_t unconnected = 0;  ///< Metal missing below or above.
  friend bool operator==(const ViaCensus&, const ViaCensus&) = default;
};

/// Errors: kInvalidOptions LAYO-0006 (a distance or tile that is not above 0), kCancelled
/// LAYO-0007. Pieces of metal that join only farther than four distances from the cuts may count as
/// different.
Result<ViaCensus> census_vias(const FlatView& view, const ViaLayer& layers,
                              const ViaCensusOptions& options, Progress& progress);

struct EdgePairOptions {
  Coord below = 0;            ///< Pairs closer than this are reported.
  std::optional<Box> window;  ///< The view's box when empty.
  /// An edge with two outer right angles is a line end when it is no longer than this; 3 x below
  /// when 0.
  Coord line_end_length = 0;
  bool corners = false;  ///< Also the corners that point at each other.
  Coord tile = 0;        ///< Side of a tile, 0: by `below`; performance only.
  /// More pairs than this are counted but not listed.
  std::size_t listed = 1000000;
};

/// Two axis-parallel edges that face each other with nothing between them.
struct EdgePair {
  Box box;                  ///< Between the edges.
  bool horizontal = false;  ///< The distance is measured along x (the edges are vertical).
  Coord distance = 0;       ///< Space or width.
  Coord run = 0;            ///< Length along which they face each other.
  bool line_end = false;    ///< One of the edges is the end of a line.
  friend bool operator==(const EdgePair&, const EdgePair&) = default;
  friend auto operator<=>(const EdgePair&, const EdgePair&) = default;
};

/// Two outward corners of different pieces that point at each other across an empty box.
struct CornerPair {
  Box gap;                ///< From corner to corner; both sides above 0.
  double distance = 0.0;  ///< Its diagonal, at most below - 1.
  friend bool operator==(const CornerPair&, const CornerPair&) = default;
  friend auto operator<=>(const CornerPair&, const CornerPair&) = default;
};

struct EdgePairCensus {
  std::vector<EdgePair> pairs;      ///< Ascending by box.
  std::vector<CornerPair> corners;  ///< Ascending by gap; only when asked for.
  std::uint64_t count = 0;          ///< All pairs, listed or not.
  std::uint64_t line_ends = 0;      ///< Of these.
  double total_run = 0.0;           ///< Sum of run.
  friend bool operator==(const EdgePairCensus&, const EdgePairCensus&) = default;
};

/// Spaces between different pieces. Pieces that are connected only beyond 4 x below + the line
/// end length from the gap count as different. Oblique edges neither start nor end a space; a
/// gap one of them crosses is not reported.
/// Errors: as census_vias.
Result<EdgePairCensus> census_spaces(const FlatView& view, LayerIndex layer,
                                     const EdgePairOptions& options, Progress& progress);

/// Widths of pieces: facing edges with metal between them all along.
/// Errors: as census_vias.
Result<EdgePairCensus> census_widths(const FlatView& view, LayerIndex layer,
                                     const EdgePairOptions& options, Progress& progress);

}  // namespace yieldloop::layout

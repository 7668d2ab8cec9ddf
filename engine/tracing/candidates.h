/// \file
/// The places of a layer where wires come close: what a bridging pattern can be built on.
///
/// Facing edges of different pieces come from the layout's census of spaces; to these are added
/// corners: two outward corners of different pieces that point at each other across an empty
/// box. A facing stretch longer than six anchor radii gets an anchor at each of its ends
/// and one every two radii between them, so that the number of anchors grows with the length at
/// risk; a shorter one gets its centre.
///
/// Units: database units; anchors in half database units, so that a centre is exact.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/layout/census.h"

namespace yieldloop::tracing {

enum class GapKind : std::uint8_t {
  kSide,     ///< Two sides of wires.
  kLineEnd,  ///< At least one of the two is the end of a line.
  kCorner,   ///< Two outward corners, diagonally.
};

struct Anchor {
  geometry::Point twice;      ///< Position in half database units.
  geometry::Box gap;          ///< The empty stretch near the anchor, in database units.
  geometry::Coord space = 0;  ///< Between the edges; for corners the rounded distance.
  GapKind kind = GapKind::kSide;
  friend auto operator<=>(const Anchor&, const Anchor&) = default;
};

struct AnchorOptions {
  geometry::Coord max_space = 0;        ///< > 0; at most this far apart.
  geometry::Coord radius = 0;           ///< > 0; anchors along long stretches lie twice it apart.
  geometry::Coord line_end_length = 0;  ///< As in layout::EdgePairOptions; 0: its default.
};

/// Sorted by position; independent of tiles and threads.
/// REQUIRES: positive max_space and radius. Errors: those of layout::census_spaces.
Result<std::vector<Anchor>> find_anchors(const layout::FlatView& view, layout::LayerIndex layer,
                                         const geometry::Box& window, const AnchorOptions& options,
                                         Progress& progress);

/// The smallest facing space on the layer, 0 when no two edges face each other within
/// `farthest`; for layers whose rule is not given.
Result<geometry::Coord> smallest_space(const layout::FlatView& view, layout::LayerIndex layer,
                                       const geometry::Box& window, geometry::Coord farthest,
                                       Progress& progress);

}  // namespace yieldloop::tracing

/// \file
/// The outline of a wire drawn as a centre line with a width.
///
/// Sides run at half the width to the left and right of the line and meet in mitres; a turn
/// sharper than about 127 degrees is bevelled, so that no spike leaves the wire. Odd widths are
/// rounded up to the next database unit on the side of larger coordinates.
/// Source: GDSII stream format, PATH, WIDTH and PATHTYPE; the handling of sharp turns is ours.
#pragma once

#include <span>

#include "engine/geometry/point.h"

namespace yieldloop::geometry {

/// How far the outline reaches past the first and the last point.
struct PathEnds {
  double begin = 0.0;
  double end = 0.0;
  bool round = false;  ///< Half circles instead (as the polygon of 32 sides around them).
};

/// Empty when the path has no width or, with flush ends, no length.
Polygon path_outline(std::span<const Point> centre_line, double width, const PathEnds& ends);

}  // namespace yieldloop::geometry

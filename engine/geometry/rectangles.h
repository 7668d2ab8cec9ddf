/// \file
/// Unions of axis-parallel rectangles: how much they cover once, and how much twice.
///
/// A sweep over x keeps, in a segment tree over the distinct y, how often each stretch of the
/// sweep line is covered. Coordinates are doubles, so that rectangles grown by half a defect
/// size keep their exact place; integers below 2^53 stay exact.
/// Cost: O(n log n) for the measures, O(n a) for the decomposition, a being the number of
/// rectangles a horizontal line crosses.
/// Source: J. L. Bentley, "Solutions to Klee's rectangle problems", Carnegie-Mellon 1977.
#pragma once

#include <span>
#include <vector>

#include "engine/geometry/box.h"

namespace yieldloop::geometry {

/// [x_min, x_max] x [y_min, y_max]; without area when a maximum does not exceed its minimum.
struct Rect {
  double x_min = 0.0;
  double y_min = 0.0;
  double x_max = 0.0;
  double y_max = 0.0;
  friend bool operator==(const Rect&, const Rect&) = default;
  friend auto operator<=>(const Rect&, const Rect&) = default;
  bool has_area() const { return x_min < x_max && y_min < y_max; }
};

Rect to_rect(const Box& box);
Rect intersection(const Rect& a, const Rect& b);
Rect grown(const Rect& r, double by_x, double by_y);

struct Coverage {
  double once = 0.0;   ///< Area covered by at least one rectangle.
  double twice = 0.0;  ///< Area covered by at least two.
};
/// Rectangles without area are ignored.
Coverage coverage(std::span<const Rect> rects);

/// The union as rectangles that share no area: each is as wide as its row and as high as the row
/// stays the same. Ascending by (y_min, x_min) of their lower-left corners.
std::vector<Rect> disjoint(std::span<const Rect> rects);

/// The same for a Manhattan polygon (non-zero winding), appended as boxes.
/// REQUIRES: every edge is axis-parallel.
void append_boxes(std::span<const Point> polygon, std::vector<Box>& out);

/// True when every edge is axis-parallel.
bool is_manhattan(std::span<const Point> polygon);

}  // namespace yieldloop::geometry

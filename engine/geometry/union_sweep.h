/// \file
/// What heaps of rectangles cover together: area, border, corners, pieces.
///
/// A line sweeps upward over the window and keeps where the coverage begins and ends along it, so
/// that equal and overlapping rectangles cost little and everything is exact in whole numbers.
/// Shapes with oblique edges go through Boost.Polygon and come out in the same form.
/// Cost: O(n log n + n a), a being the edges a horizontal line crosses: work in windows of some
/// hundred shapes' width. Units: database units. REQUIRES of every window: sides below 2^30.
/// Source: J. L. Bentley, T. A. Ottmann, "Algorithms for reporting and counting geometric
/// intersections", IEEE Trans. Computers 1979 (the sweep).
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/geometry/box.h"
#include "engine/geometry/region.h"

namespace yieldloop::geometry {

/// How an edge of an outline ends. Pieces that meet in a corner only have an outer one each.
enum class Corner : std::uint8_t {
  kOuter,  ///< The inside fills a quarter.
  kInner,  ///< The inside fills three quarters.
  kOther,  ///< The window's border, or an oblique edge goes on.
};

/// A whole side of the union's border, parallel to an axis; `at` is its place across, [low, high]
/// its extent along.
struct UnionEdge {
  Coord at = 0;
  Coord low = 0;
  Coord high = 0;
  bool inside_after = false;  ///< The inside lies at larger `at`.
  Corner low_end = Corner::kOther;
  Corner high_end = Corner::kOther;
  std::uint32_t piece = 0;  ///< The piece of the union it belongs to.
  Coord length() const { return high - low; }
  friend bool operator==(const UnionEdge&, const UnionEdge&) = default;
};

/// The border of a union inside a window. What runs along the window's border is a cut and is left
/// out.
struct UnionOutline {
  std::vector<UnionEdge> vertical;    ///< `at` is x.
  std::vector<UnionEdge> horizontal;  ///< `at` is y.
  std::vector<std::pair<Point, Point>> oblique;
  /// The union cut into boxes that share no area, as wide as possible; empty when `oblique` is not.
  std::vector<Box> boxes;
  std::uint32_t pieces = 0;  ///< Those that meet only in a corner are two.
};

/// The outline of the union of the shapes cut to the window. Edges ascend by their upper end, then
/// along the sweep line; the same shapes in another order give the same outline.
UnionOutline union_outline(const ShapeHeap& shapes, const Box& window);

/// Area of the union of the boxes inside the window; exact while below 2^53.
double boxes_area(std::span<const Box> boxes, const Box& window);

/// Length of the segment a-b inside the window, border included.
/// Source: Y.-D. Liang, B. A. Barsky, "A new concept and method for line clipping", ACM TOG 1984.
double length_inside(Point a, Point b, const Box& window);

}  // namespace yieldloop::geometry

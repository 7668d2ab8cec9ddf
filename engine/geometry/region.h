/// \file
/// The union of a heap of shapes: merged polygons, its area, its border.
///
/// Everything is computed inside a window. Manhattan shapes are exact; where edges of other angles
/// cross, the crossing is rounded to database units (Boost.Polygon).
/// Units: database units. REQUIRES of every window: sides below 2^30.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/geometry/box.h"
#include "engine/geometry/rectangles.h"

namespace yieldloop::geometry {

/// Shapes as they come from a layout; they may overlap.
struct ShapeHeap {
  std::vector<Box> boxes;
  std::vector<Polygon> oblique;  ///< Polygons with an edge that is not axis-parallel.

  /// Sorts the polygon into boxes or oblique.
  void add(std::span<const Point> polygon);
  void add(const Box& box) { boxes.push_back(box); }
  bool empty() const { return boxes.empty() && oblique.empty(); }
};

/// One connected piece of a union. Pieces that meet only in a corner are separate.
struct MergedPolygon {
  Polygon outer;               ///< Counter-clockwise: the inside is to the left of every edge.
  std::vector<Polygon> holes;  ///< Clockwise: the inside is to the left of every edge.
  Box bbox() const;
  bool contains(Point p) const;  ///< Border included.
  double area() const;
  friend bool operator==(const MergedPolygon&, const MergedPolygon&) = default;
};

/// The union of the shapes cut to the window, ascending by the lower-left corner of the box.
std::vector<MergedPolygon> merge(const ShapeHeap& shapes, const Box& window);

/// Area of the union inside the window.
double union_area(const ShapeHeap& shapes, const Box& window);

/// Length of the union's border inside the window. What runs along the window's border counts
/// on the left and lower side only when `low_sides` says so, which makes tiles add up.
/// REQUIRES: the heap holds everything that touches window.enlarged(1).
double union_perimeter(const ShapeHeap& shapes, const Box& window, bool left_side = false,
                       bool lower_side = false);

/// The union inside the window as simple polygons, holes joined to the outside by a cut line.
std::vector<Polygon> merge_without_holes(const ShapeHeap& shapes, const Box& window);

/// The pieces' rectangles; oblique pieces as rows of height `step` that keep each row's mean
/// width, so that the area stays and the border moves by less than a step.
std::vector<Rect> to_rects(const MergedPolygon& piece, Coord step);

/// Twice the signed area; positive when counter-clockwise.
double signed_area2(std::span<const Point> polygon);
/// Even-odd, border included.
bool contains(std::span<const Point> polygon, Point p);
/// Euclidean distance from p to the polygon's border.
double distance_to_border(std::span<const Point> polygon, Point p);
/// Euclidean distance, 0 inside.
double distance(const Box& box, Point p);

}  // namespace yieldloop::geometry

/// \file
/// Squared distances from a point to shapes, 0 inside; for this folder's sources.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "engine/geometry/box.h"
#include "engine/geometry/point.h"

namespace yieldloop::layout {

/// Exact below 2^53.
inline double squared_distance(const geometry::Box& box, geometry::Point p) {
  const auto dx =
      static_cast<double>(std::max({box.x_min - p.x, geometry::Coord{0}, p.x - box.x_max}));
  const auto dy =
      static_cast<double>(std::max({box.y_min - p.y, geometry::Coord{0}, p.y - box.y_max}));
  return dx * dx + dy * dy;
}

/// To the segment a-b from the origin. Exact along the axes and where it is 0.
inline double squared_distance_to_segment(geometry::Point a, geometry::Point b) {
  if (a.x == b.x || a.y == b.y) return squared_distance(geometry::box_of(a, b), {});
  const auto ax = static_cast<double>(a.x);
  const auto ay = static_cast<double>(a.y);
  const auto ux = static_cast<double>(b.x - a.x);
  const auto uy = static_cast<double>(b.y - a.y);
  const double length2 = ux * ux + uy * uy;
  const double along = -(ax * ux + ay * uy);
  if (along <= 0.0) return ax * ax + ay * ay;
  if (along >= length2) {
    const auto bx = static_cast<double>(b.x);
    const auto by = static_cast<double>(b.y);
    return bx * bx + by * by;
  }
  const auto across = static_cast<double>(geometry::cross(a, b));
  return across * across / length2;
}

/// To the polygon (non-zero winding, border included).
template <class P>
double squared_distance(std::span<const P> points, geometry::Point p) {
  double nearest = HUGE_VAL;
  int winding = 0;
  if (points.empty()) return nearest;
  geometry::Point a = static_cast<geometry::Point>(points.back()) - p;
  for (const P& corner : points) {
    const geometry::Point b = static_cast<geometry::Point>(corner) - p;
    nearest = std::min(nearest, squared_distance_to_segment(a, b));
    if ((a.y <= 0) != (b.y <= 0)) {
      const bool up = a.y <= 0;
      const auto side = geometry::cross(a, b);
      if (up ? side > 0 : side < 0) winding += up ? 1 : -1;
    }
    a = b;
  }
  return winding != 0 ? 0.0 : nearest;
}

/// From a box to an oblique segment; 0 where they meet.
inline double distance_to_oblique(geometry::Point a, geometry::Point b, const geometry::Box& box) {
  const geometry::Point corners[] = {{box.x_min, box.y_min},
                                     {box.x_max, box.y_min},
                                     {box.x_max, box.y_max},
                                     {box.x_min, box.y_max}};
  double nearest = std::min(squared_distance(box, a), squared_distance(box, b));
  bool left = false;
  bool right = false;
  for (const geometry::Point corner : corners) {
    nearest = std::min(nearest, squared_distance_to_segment(a - corner, b - corner));
    const auto side = geometry::cross(b - a, corner - a);
    left = left || side >= 0;
    right = right || side <= 0;
  }
  const bool meet = left && right && geometry::box_of(a, b).touches(box);
  return meet ? 0.0 : std::sqrt(nearest);
}

}  // namespace yieldloop::layout

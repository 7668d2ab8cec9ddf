#include "engine/layout/net_touch.h"

#include "engine/geometry/region.h"

namespace yieldloop::layout {

using geometry::Box;
using geometry::CoordProduct;
using geometry::Point;

namespace {

/// Above, on or below the line from a to b: 1, 0, -1.
int side(Point a, Point b, Point p) {
  const CoordProduct turn = geometry::cross(b - a, p - a);
  return turn > 0 ? 1 : turn < 0 ? -1 : 0;
}

bool segments_touch(Point a, Point b, Point c, Point d) {
  if (!geometry::box_of(a, b).touches(geometry::box_of(c, d))) return false;
  return side(a, b, c) * side(a, b, d) <= 0 && side(c, d, a) * side(c, d, b) <= 0;
}

bool segment_touches(Point a, Point b, const Box& box) {
  if (!geometry::box_of(a, b).touches(box)) return false;
  if (a.x == b.x || a.y == b.y) return true;
  const int first = side(a, b, {box.x_min, box.y_min});
  const auto differs = [&](Point p) { return side(a, b, p) != first; };
  return first == 0 || differs({box.x_max, box.y_min}) || differs({box.x_max, box.y_max}) ||
         differs({box.x_min, box.y_max});
}

/// visit(from, to) for every side of the ring until it returns true.
template <class Visit>
bool any_edge(Ring ring, Visit&& visit) {
  for (std::size_t i = 0; i < ring.size(); ++i)
    if (visit(ring[i], ring[i + 1 == ring.size() ? 0 : i + 1])) return true;
  return false;
}

Box hull(Ring ring) {
  Box box;
  for (const Point p : ring) box.include(p);
  return box;
}

}  // namespace

bool touching(const Box& box, Ring ring) {
  if (ring.empty() || box.empty()) return false;
  return any_edge(ring, [&](Point a, Point b) { return segment_touches(a, b, box); }) ||
         geometry::contains(ring, {box.x_min, box.y_min});
}

bool touching(Ring a, Ring b) {
  if (a.empty() || b.empty()) return false;
  const Box of_b = hull(b);
  const bool cross = any_edge(a, [&](Point from, Point to) {
    return geometry::box_of(from, to).touches(of_b) &&
           any_edge(b, [&](Point c, Point d) { return segments_touch(from, to, c, d); });
  });
  return cross || geometry::contains(a, b.front()) || geometry::contains(b, a.front());
}

}  // namespace yieldloop::layout

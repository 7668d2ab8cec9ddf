#include "engine/geometry/region.h"

#include <algorithm>
#include <cmath>

#include "engine/geometry/union_sweep.h"

namespace yieldloop::geometry {

void ShapeHeap::add(std::span<const Point> polygon) {
  if (is_manhattan(polygon)) {
    append_boxes(polygon, boxes);
  } else {
    oblique.emplace_back(polygon.begin(), polygon.end());
  }
}

double signed_area2(std::span<const Point> polygon) {
  // Relative to the first point, so that far-away polygons do not cancel.
  double sum = 0.0;
  for (std::size_t i = 1; i + 1 < polygon.size(); ++i) {
    const Point a = polygon[i] - polygon[0];
    const Point b = polygon[i + 1] - polygon[0];
    sum += static_cast<double>(a.x) * static_cast<double>(b.y) -
           static_cast<double>(a.y) * static_cast<double>(b.x);
  }
  return sum;
}

namespace {

/// Whether p lies on the segment, exactly.
bool on_segment(Point a, Point b, Point p) {
  if (!box_of(a, b).contains(p)) return false;
  return cross(b - a, p - a) == 0;
}

double distance_to_segment(Point a, Point b, Point p) {
  const auto ux = static_cast<double>(b.x - a.x);
  const auto uy = static_cast<double>(b.y - a.y);
  const auto vx = static_cast<double>(p.x - a.x);
  const auto vy = static_cast<double>(p.y - a.y);
  const double length2 = ux * ux + uy * uy;
  const double t = length2 == 0.0 ? 0.0 : std::clamp((ux * vx + uy * vy) / length2, 0.0, 1.0);
  return std::hypot(vx - t * ux, vy - t * uy);
}

struct BorderRule {
  Box window;
  bool left_side;
  bool lower_side;
};

double border_length(const Polygon& ring, const BorderRule& rule) {
  double sum = 0.0;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const Point a = ring[i];
    const Point b = ring[(i + 1) % ring.size()];
    const Box& w = rule.window;
    if (a.x == b.x && (a.x == w.x_max || (a.x == w.x_min && !rule.left_side))) continue;
    if (a.y == b.y && (a.y == w.y_max || (a.y == w.y_min && !rule.lower_side))) continue;
    sum += length_inside(a, b, w);
  }
  return sum;
}

}  // namespace

double length_inside(Point a, Point b, const Box& window) {
  const auto dx = static_cast<double>(b.x - a.x);
  const auto dy = static_cast<double>(b.y - a.y);
  double t0 = 0.0;
  double t1 = 1.0;
  const auto clip = [&](double p, double q) {
    if (p == 0.0) return q >= 0.0;
    const double r = q / p;
    if (p < 0.0) {
      t0 = std::max(t0, r);
    } else {
      t1 = std::min(t1, r);
    }
    return t0 < t1;
  };
  const bool inside = clip(-dx, static_cast<double>(a.x - window.x_min)) &&
                      clip(dx, static_cast<double>(window.x_max - a.x)) &&
                      clip(-dy, static_cast<double>(a.y - window.y_min)) &&
                      clip(dy, static_cast<double>(window.y_max - a.y));
  return inside ? (t1 - t0) * std::hypot(dx, dy) : 0.0;
}

bool contains(std::span<const Point> polygon, Point p) {
  bool inside = false;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const Point a = polygon[i];
    const Point b = polygon[(i + 1) % polygon.size()];
    if (on_segment(a, b, p)) return true;
    if ((a.y > p.y) == (b.y > p.y)) continue;
    const Point low = a.y < b.y ? a : b;
    const Point high = a.y < b.y ? b : a;
    if (cross(high - low, p - low) > 0) inside = !inside;
  }
  return inside;
}

double distance_to_border(std::span<const Point> polygon, Point p) {
  double best = HUGE_VAL;
  for (std::size_t i = 0; i < polygon.size(); ++i)
    best = std::min(best, distance_to_segment(polygon[i], polygon[(i + 1) % polygon.size()], p));
  return best;
}

double distance(const Box& box, Point p) {
  const Coord dx = std::max({box.x_min - p.x, Coord{0}, p.x - box.x_max});
  const Coord dy = std::max({box.y_min - p.y, Coord{0}, p.y - box.y_max});
  return std::hypot(static_cast<double>(dx), static_cast<double>(dy));
}

Box MergedPolygon::bbox() const {
  Box box;
  for (const Point p : outer) box.include(p);
  return box;
}

bool MergedPolygon::contains(Point p) const {
  if (!geometry::contains(outer, p)) return false;
  return std::none_of(holes.begin(), holes.end(), [p](const Polygon& hole) {
    return geometry::contains(hole, p) && distance_to_border(hole, p) > 0.0;
  });
}

double MergedPolygon::area() const {
  double twice = signed_area2(outer);
  for (const Polygon& hole : holes) twice += signed_area2(hole);
  return twice / 2.0;
}

double union_area(const ShapeHeap& shapes, const Box& window) {
  if (!shapes.oblique.empty()) {
    double sum = 0.0;
    for (const MergedPolygon& piece : merge(shapes, window)) sum += piece.area();
    return sum;
  }
  return boxes_area(shapes.boxes, window);
}

namespace {

/// Of edges along one axis: those at `after` do not count, those at `before` only when asked.
double edges_inside(const std::vector<UnionEdge>& edges, Coord before, Coord after, bool at_before,
                    Coord low, Coord high) {
  double sum = 0.0;
  for (const UnionEdge& e : edges) {
    if (e.at < before || e.at >= after || (e.at == before && !at_before)) continue;
    sum += static_cast<double>(std::max<Coord>(std::min(e.high, high) - std::max(e.low, low), 0));
  }
  return sum;
}

}  // namespace

double union_perimeter(const ShapeHeap& shapes, const Box& window, bool left_side,
                       bool lower_side) {
  if (shapes.oblique.empty()) {
    const UnionOutline outline = union_outline(shapes, window.enlarged(1));
    return edges_inside(outline.vertical, window.x_min, window.x_max, left_side, window.y_min,
                        window.y_max) +
           edges_inside(outline.horizontal, window.y_min, window.y_max, lower_side, window.x_min,
                        window.x_max);
  }
  const BorderRule rule{window, left_side, lower_side};
  double sum = 0.0;
  for (const MergedPolygon& piece : merge(shapes, window.enlarged(1))) {
    sum += border_length(piece.outer, rule);
    for (const Polygon& hole : piece.holes) sum += border_length(hole, rule);
  }
  return sum;
}

}  // namespace yieldloop::geometry

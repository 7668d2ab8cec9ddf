// The one source that includes Boost.Polygon: it is heavy to compile.
#include <algorithm>
#include <boost/polygon/polygon.hpp>
#include <functional>
#include <map>

#include "engine/geometry/region.h"

namespace yieldloop::geometry {
namespace {

namespace bp = boost::polygon;
using BoostPoint = bp::point_data<int>;
using BoostBox = bp::rectangle_data<int>;
using ManhattanSet = bp::polygon_90_set_data<int>;
using AnySet = bp::polygon_set_data<int>;

/// Boost works in 32 bits: everything is moved to the window's corner first.
struct Frame {
  Box window;
  int local(Coord value, Coord origin) const { return static_cast<int>(value - origin); }
  BoostBox box(const Box& b) const {
    return {local(b.x_min, window.x_min), local(b.y_min, window.y_min),
            local(b.x_max, window.x_min), local(b.y_max, window.y_min)};
  }
  Point point(const BoostPoint& p) const { return {p.x() + window.x_min, p.y() + window.y_min}; }
};

/// Drops repeated points and points in the middle of straight edges.
void tidy(Polygon& ring) {
  Polygon out;
  const auto straight = [](Point a, Point b, Point c) { return cross(b - a, c - b) == 0; };
  for (const Point p : ring) {
    while (out.size() >= 2 && straight(out[out.size() - 2], out.back(), p)) out.pop_back();
    if (out.empty() || out.back() != p) out.push_back(p);
  }
  while (out.size() > 2 &&
         (out.front() == out.back() || straight(out[out.size() - 2], out.back(), out.front())))
    out.pop_back();
  while (out.size() > 2 && straight(out.back(), out[0], out[1])) out.erase(out.begin());
  ring = std::move(out);
}

template <class Ring>
Polygon ring_of(const Ring& ring, const Frame& frame, bool counter_clockwise) {
  Polygon result;
  for (auto it = ring.begin(); it != ring.end(); ++it) result.push_back(frame.point(*it));
  tidy(result);
  if ((signed_area2(result) > 0.0) != counter_clockwise) std::reverse(result.begin(), result.end());
  if (!result.empty())
    std::rotate(result.begin(), std::min_element(result.begin(), result.end()), result.end());
  return result;
}

template <class WithHoles>
MergedPolygon piece_of(const WithHoles& polygon, const Frame& frame) {
  MergedPolygon piece;
  piece.outer = ring_of(polygon, frame, true);
  for (auto hole = polygon.begin_holes(); hole != polygon.end_holes(); ++hole)
    piece.holes.push_back(ring_of(*hole, frame, false));
  std::sort(piece.holes.begin(), piece.holes.end());
  return piece;
}

ManhattanSet manhattan_set(const ShapeHeap& shapes, const Frame& frame) {
  ManhattanSet set;
  for (const Box& box : shapes.boxes) {
    const Box inside = box.intersection(frame.window);
    if (inside.width() > 0 && inside.height() > 0) set.insert(frame.box(inside));
  }
  return set;
}

/// An oblique polygon may reach far outside the window: it is cut by Sutherland-Hodgman in
/// doubles before it is rounded. The overlapping edges that leaves have no area.
Polygon cut_to(const Polygon& polygon, const Box& window) {
  struct Real {
    double x, y;
  };
  std::vector<Real> ring;
  for (const Point p : polygon)
    ring.push_back(
        {static_cast<double>(p.x - window.x_min), static_cast<double>(p.y - window.y_min)});
  const auto w = static_cast<double>(window.width());
  const auto h = static_cast<double>(window.height());
  const auto cut = [&](auto depth) {
    std::vector<Real> out;
    for (std::size_t i = 0; i < ring.size(); ++i) {
      const Real a = ring[i];
      const Real b = ring[(i + 1) % ring.size()];
      const double da = depth(a);
      const double db = depth(b);
      if (da >= 0.0) out.push_back(a);
      if ((da > 0.0 && db < 0.0) || (da < 0.0 && db > 0.0)) {
        const double t = da / (da - db);
        out.push_back({a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)});
      }
    }
    ring = std::move(out);
  };
  cut([](Real p) { return p.x; });
  cut([](Real p) { return p.y; });
  cut([w](Real p) { return w - p.x; });
  cut([h](Real p) { return h - p.y; });
  Polygon result;
  for (const Real p : ring)
    result.push_back({std::llround(p.x) + window.x_min, std::llround(p.y) + window.y_min});
  return result;
}

AnySet any_set(const ShapeHeap& shapes, const Frame& frame) {
  AnySet set;
  for (const Box& box : shapes.boxes) {
    const Box inside = box.intersection(frame.window);
    if (inside.width() > 0 && inside.height() > 0) set.insert(frame.box(inside));
  }
  for (const Polygon& polygon : shapes.oblique) {
    std::vector<BoostPoint> points;
    for (const Point p : cut_to(polygon, frame.window))
      points.emplace_back(frame.local(p.x, frame.window.x_min),
                          frame.local(p.y, frame.window.y_min));
    if (points.size() < 3) continue;
    set.insert(bp::polygon_data<int>(points.begin(), points.end()));
  }
  return set;
}

void sort_pieces(std::vector<MergedPolygon>& pieces) {
  std::erase_if(pieces, [](const MergedPolygon& p) { return p.outer.size() < 3; });
  std::sort(pieces.begin(), pieces.end(), [](const MergedPolygon& a, const MergedPolygon& b) {
    const Box left = a.bbox();
    const Box right = b.bbox();
    return left != right ? left < right : a.outer < b.outer;
  });
}

bool has_oblique(const MergedPolygon& piece) {
  return !is_manhattan(piece.outer) ||
         std::any_of(piece.holes.begin(), piece.holes.end(),
                     [](const Polygon& hole) { return !is_manhattan(hole); });
}

/// Where a horizontal line at y (not at a corner) enters and leaves the piece.
void crossings(const Polygon& ring, double y, std::vector<double>& out) {
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const Point a = ring[i];
    const Point b = ring[(i + 1) % ring.size()];
    const auto ya = static_cast<double>(a.y);
    const auto yb = static_cast<double>(b.y);
    if ((ya > y) == (yb > y)) continue;
    const double t = (y - ya) / (yb - ya);
    out.push_back(static_cast<double>(a.x) + t * static_cast<double>(b.x - a.x));
  }
}

}  // namespace

std::vector<MergedPolygon> merge(const ShapeHeap& shapes, const Box& window) {
  const Frame frame{window};
  std::vector<MergedPolygon> pieces;
  if (shapes.oblique.empty()) {
    std::vector<bp::polygon_90_with_holes_data<int>> polygons;
    manhattan_set(shapes, frame).get(polygons);
    for (const auto& polygon : polygons) pieces.push_back(piece_of(polygon, frame));
  } else {
    std::vector<bp::polygon_with_holes_data<int>> polygons;
    any_set(shapes, frame).get(polygons);
    for (const auto& polygon : polygons) pieces.push_back(piece_of(polygon, frame));
  }
  sort_pieces(pieces);
  return pieces;
}

std::vector<Polygon> merge_without_holes(const ShapeHeap& shapes, const Box& window) {
  const Frame frame{window};
  std::vector<Polygon> result;
  const auto take = [&](const auto& polygons) {
    for (const auto& polygon : polygons) {
      Polygon ring = ring_of(polygon, frame, true);
      if (ring.size() >= 3) result.push_back(std::move(ring));
    }
  };
  if (shapes.oblique.empty()) {
    std::vector<bp::polygon_90_data<int>> polygons;
    manhattan_set(shapes, frame).get(polygons);
    take(polygons);
  } else {
    std::vector<bp::polygon_data<int>> polygons;
    any_set(shapes, frame).get(polygons);
    take(polygons);
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<Rect> to_rects(const MergedPolygon& piece, Coord step) {
  std::vector<double> rows;
  const auto corners = [&](const Polygon& ring) {
    for (const Point p : ring) rows.push_back(static_cast<double>(p.y));
  };
  corners(piece.outer);
  for (const Polygon& hole : piece.holes) corners(hole);
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  const bool oblique = has_oblique(piece);
  std::vector<Rect> strips;
  std::vector<double> places;
  for (std::size_t i = 0; i + 1 < rows.size(); ++i) {
    const double height = rows[i + 1] - rows[i];
    const double parts =
        oblique ? std::ceil(height / static_cast<double>(std::max<Coord>(step, 1))) : 1.0;
    for (double k = 0.0; k < parts; k += 1.0) {
      const double low = rows[i] + height * k / parts;
      const double high = rows[i] + height * (k + 1.0) / parts;
      places.clear();
      crossings(piece.outer, (low + high) / 2.0, places);
      for (const Polygon& hole : piece.holes) crossings(hole, (low + high) / 2.0, places);
      std::sort(places.begin(), places.end());
      for (std::size_t j = 0; j + 1 < places.size(); j += 2)
        strips.push_back({places[j], low, places[j + 1], high});
    }
  }
  return disjoint(strips);
}

}  // namespace yieldloop::geometry

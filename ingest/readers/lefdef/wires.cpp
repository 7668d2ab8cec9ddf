#include "ingest/readers/lefdef/wires.h"

#include <algorithm>
#include <cmath>

namespace yieldloop::ingest::lefdef {
namespace {

/// To the nearest unit, halves down wherever they lie, so that a box of odd size keeps its size.
Coord scaled(double value, double scale) {
  return static_cast<Coord>(std::ceil(value * scale - 0.5));
}

Point scaled(RealPoint p, double scale) { return {scaled(p.x, scale), scaled(p.y, scale)}; }

bool is_manhattan(Point a, Point b) { return a.x == b.x || a.y == b.y; }

/// The box of an axis-parallel piece with what it reaches past its ends.
Box piece_box(Point a, Point b, Coord width, Coord before, Coord behind) {
  const Coord low = width / 2, high = width - low;
  if (a.y == b.y && a.x != b.x) {
    const bool right = a.x < b.x;
    return {std::min(a.x, b.x) - (right ? before : behind), a.y - low,
            std::max(a.x, b.x) + (right ? behind : before), a.y + high};
  }
  const bool up = a.y <= b.y;
  return {a.x - low, std::min(a.y, b.y) - (up ? before : behind), a.x + high,
          std::max(a.y, b.y) + (up ? behind : before)};
}

/// Andrew's monotone chain; counter-clockwise.
Polygon convex_hull(Polygon points) {
  std::ranges::sort(points);
  points.erase(std::unique(points.begin(), points.end()), points.end());
  if (points.size() < 3) return points;
  Polygon hull;
  const auto half = [&](auto first, auto last) {
    const std::size_t base = hull.size();
    for (auto it = first; it != last; ++it) {
      while (hull.size() >= base + 2 &&
             geometry::cross(hull.back() - hull[hull.size() - 2], *it - hull.back()) <= 0) {
        hull.pop_back();
      }
      hull.push_back(*it);
    }
    hull.pop_back();
  };
  half(points.begin(), points.end());
  half(points.rbegin(), points.rend());
  return hull;
}

Polygon dragged(const Polygon& style, Point a, Point b) {
  Polygon points;
  points.reserve(2 * style.size());
  for (const Point& p : style) {
    points.push_back(p + a);
    points.push_back(p + b);
  }
  return convex_hull(std::move(points));
}

/// What a diagonal piece is drawn with: as wide along the axes as across them.
Polygon octagon(Coord width) {
  const Coord near = std::llround(static_cast<double>(width) / 2.0 * (std::sqrt(2.0) - 1.0));
  const Coord low = width / 2, high = width - low;
  return {{near, -low},  {high, -near}, {high, near},  {near, high},
          {-near, high}, {-low, near},  {-low, -near}, {-near, -low}};
}

/// A point that repeats the one before says only how far the wire reaches there.
std::vector<RoutePoint> without_repeats(std::span<const RoutePoint> points) {
  std::vector<RoutePoint> result;
  for (const RoutePoint& point : points) {
    if (result.empty() || result.back().at != point.at) {
      result.push_back(point);
    } else if (point.extension >= 0) {
      result.back().extension = point.extension;
    }
  }
  return result;
}

/// Runs of a wire that are drawn with one width.
class Outline {
 public:
  Outline(std::span<const RoutePoint> points, const WireWidths& widths, bool special,
          std::uint32_t layer, FunctionRef<void(LayerShape)> put)
      : points_(points), widths_(widths), special_(special), layer_(layer), put_(put) {}

  void run() {
    for (std::size_t i = 0; i + 1 < points_.size(); ++i) {
      const Point a = points_[i].at, b = points_[i + 1].at;
      const Coord wide = widths_.of(a, b);
      if (wide <= 0) continue;
      if (!is_manhattan(a, b)) {
        put_(layer_shape(layer_, dragged(octagon(wide), a, b)));
        continue;
      }
      const Box box = piece_box(a, b, wide, reach(i, i), reach(i + 1, i));
      if (box.width() > 0 && box.height() > 0) put_({.layer = layer_, .box = box, .polygon = {}});
    }
  }

 private:
  bool is_oblique(std::size_t piece) const {
    return !is_manhattan(points_[piece].at, points_[piece + 1].at);
  }

  /// How far a piece reaches past a point: at a bend far enough to fill it, unless the octagon of a
  /// diagonal piece does that.
  Coord reach(std::size_t point, std::size_t piece) const {
    if (points_[point].extension >= 0) return points_[point].extension;
    const bool bend = point != 0 && point + 1 != points_.size();
    if (!bend) return special_ ? 0 : widths_.width / 2;
    const std::size_t other = point == piece ? piece - 1 : piece + 1;
    if (is_oblique(other)) return 0;
    return special_ ? widths_.width - widths_.width / 2 : widths_.width / 2;
  }

  std::span<const RoutePoint> points_;
  const WireWidths& widths_;
  bool special_;
  std::uint32_t layer_;
  FunctionRef<void(LayerShape)> put_;
};

}  // namespace

LayerShape layer_shape(std::uint32_t layer, Polygon polygon) {
  LayerShape shape{.layer = layer, .box = {}, .polygon = {}};
  for (const Point& p : polygon) shape.box.include(p);
  const Box& b = shape.box;
  const bool corners =
      polygon.size() == 4 && std::ranges::all_of(polygon, [&](Point p) {
        return (p.x == b.x_min || p.x == b.x_max) && (p.y == b.y_min || p.y == b.y_max);
      });
  if (!corners || !is_manhattan(polygon[0], polygon[1])) shape.polygon = std::move(polygon);
  return shape;
}

std::vector<LayerShape> resolve(const std::vector<Shape>& shapes, double scale, Names& layers) {
  std::vector<LayerShape> result;
  result.reserve(shapes.size());
  for (const Shape& shape : shapes) {
    const std::uint32_t layer = layers.id(shape.layer);
    if (shape.kind == Shape::Kind::kBox) {
      result.push_back({.layer = layer,
                        .box = geometry::box_of(scaled({shape.box.x_min, shape.box.y_min}, scale),
                                                scaled({shape.box.x_max, shape.box.y_max}, scale)),
                        .polygon = {}});
      continue;
    }
    Polygon points;
    for (const RealPoint& p : shape.points) points.push_back(scaled(p, scale));
    if (shape.kind == Shape::Kind::kPolygon) {
      result.push_back(layer_shape(layer, std::move(points)));
      continue;
    }
    WireWidths widths{.width = scaled(shape.width, scale)};
    widths.wrong_way = widths.width;
    std::vector<RoutePoint> route;
    for (const Point& p : points) route.push_back({.at = p});
    if (route.size() == 1) route.push_back(route.front());
    outline(route, widths, false, nullptr, layer,
            [&](LayerShape piece) { result.push_back(std::move(piece)); });
  }
  return result;
}

LayerShape placed(const LayerShape& shape, const geometry::Transform& transform) {
  LayerShape result{.layer = shape.layer, .box = transform(shape.box), .polygon = {}};
  result.polygon.reserve(shape.polygon.size());
  for (const Point& p : shape.polygon) result.polygon.push_back(transform(p));
  return result;
}

Coord WireWidths::of(Point a, Point b) const {
  const bool across = (direction == Direction::kHorizontal && a.x == b.x && a.y != b.y) ||
                      (direction == Direction::kVertical && a.y == b.y && a.x != b.x);
  return across ? std::max(width, wrong_way) : width;
}

void outline(std::span<const RoutePoint> points, const WireWidths& widths, bool special,
             const Polygon* style, std::uint32_t layer, FunctionRef<void(LayerShape)> put) {
  if (points.size() < 2) return;
  const std::vector<RoutePoint> distinct = without_repeats(points);
  // A wire that stays at its point is a square there.
  if (distinct.size() > 1) points = distinct;
  if (style != nullptr) {
    for (std::size_t i = 0; i + 1 < points.size(); ++i) {
      Polygon hull = dragged(*style, points[i].at, points[i + 1].at);
      if (hull.size() >= 3) put(layer_shape(layer, std::move(hull)));
    }
    return;
  }
  Outline(points, widths, special, layer, put).run();
}

}  // namespace yieldloop::ingest::lefdef

#include "ingest/readers/lefdef/wires.h"

#include <algorithm>
#include <cmath>

#include "engine/geometry/path_outline.h"

namespace yieldloop::ingest::lefdef {
namespace {

Coord scaled(double value, double scale) { return std::llround(value * scale); }

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

class Outline {
 public:
  Outline(std::span<const RoutePoint> points, const WireWidths& widths, bool special,
          std::uint32_t layer, FunctionRef<void(LayerShape)> put)
      : points_(points), widths_(widths), special_(special), layer_(layer), put_(put) {}

  /// Runs break where a point says how far the wire reaches, and where the width changes.
  void run() {
    std::size_t first = 0;
    for (std::size_t i = 1; i + 1 < points_.size(); ++i) {
      if (points_[i].extension >= 0 || width(i - 1) != width(i)) {
        piece(first, i);
        first = i;
      }
    }
    piece(first, points_.size() - 1);
  }

 private:
  Coord width(std::size_t i) const { return widths_.of(points_[i].at, points_[i + 1].at); }

  Coord reach(std::size_t i, Coord width) const {
    if (points_[i].extension >= 0) return points_[i].extension;
    if (special_) {
      // Where only the width changes the bend is filled all the same.
      return i != 0 && i + 1 != points_.size() ? width - width / 2 : 0;
    }
    return widths_.extension >= 0 ? widths_.extension : width / 2;
  }

  void piece(std::size_t first, std::size_t last) {
    const Coord wide = width(first);
    if (wide <= 0) return;
    bool manhattan = true;
    for (std::size_t i = first; i < last; ++i) {
      manhattan = manhattan && is_manhattan(points_[i].at, points_[i + 1].at);
    }
    if (!manhattan) return oblique(first, last, wide);
    for (std::size_t i = first; i < last; ++i) {
      const Coord bend = wide - wide / 2;
      const Coord before = i == first ? reach(first, wide) : bend;
      const Coord behind = i + 1 == last ? reach(last, wide) : bend;
      const Box box = piece_box(points_[i].at, points_[i + 1].at, wide, before, behind);
      if (box.width() > 0 && box.height() > 0) put_({.layer = layer_, .box = box, .polygon = {}});
    }
  }

  void oblique(std::size_t first, std::size_t last, Coord wide) {
    Polygon line;
    for (std::size_t i = first; i <= last; ++i) {
      if (line.empty() || line.back() != points_[i].at) line.push_back(points_[i].at);
    }
    Polygon outline = geometry::path_outline(line, static_cast<double>(wide),
                                             {.begin = static_cast<double>(reach(first, wide)),
                                              .end = static_cast<double>(reach(last, wide))});
    if (outline.size() >= 3) put_(layer_shape(layer_, std::move(outline)));
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

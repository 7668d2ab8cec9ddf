#include <algorithm>
#include <cmath>
#include <optional>

#include "engine/layout/collect.h"
#include "engine/layout/flat_view.h"
#include "engine/layout/line_runs.h"

namespace yieldloop::layout {

using geometry::ShapeHeap;

geometry::ShapeHeap collect(const FlatView& view, LayerIndex layer, const Box& window) {
  ShapeHeap heap;
  view.for_each_shape(layer, window, [&](const FlatShape& shape) {
    if (shape.is_box) {
      heap.add(shape.box);
    } else {
      heap.add(shape.points);
    }
  });
  return heap;
}

namespace {

/// Pieces a large window is measured in, so that memory stays bounded and sweeps are short. 66 um
/// at 1 nm.
constexpr Coord kPiece = Coord{1} << 16;

/// Where the line just above (side +1) or below (-1) y cuts the polygon; x and y may be swapped.
void cut_polygon(std::span<const Point> points, Coord y, int side, bool swapped,
                 std::vector<Interval>& out) {
  std::vector<double> places;
  const auto across = [&](Point p) { return swapped ? p.x : p.y; };
  const auto along = [&](Point p) { return static_cast<double>(swapped ? p.y : p.x); };
  const auto above = [&](Coord v) { return side > 0 ? v > y : v >= y; };
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Point a = points[i];
    const Point b = points[(i + 1) % points.size()];
    if (above(across(a)) == above(across(b))) continue;
    const double t =
        static_cast<double>(y - across(a)) / static_cast<double>(across(b) - across(a));
    places.push_back(along(a) + t * (along(b) - along(a)));
  }
  std::sort(places.begin(), places.end());
  for (std::size_t i = 0; i + 1 < places.size(); i += 2) out.emplace_back(places[i], places[i + 1]);
}

/// What the shapes cover of the horizontal (or, swapped, vertical) line through `at`.
struct Lines {
  std::vector<Interval> horizontal;
  std::vector<Interval> vertical;
};

Lines lines_through(const FlatView& view, LayerIndex layer, Point at, Coord max_distance) {
  Lines lines;
  // Twice the distance, so that the far edge of a wire under the point and the space behind it
  // are seen.
  const Coord reach = 2 * max_distance;
  view.for_each_shape(layer, {at.x - reach, at.y, at.x + reach, at.y}, [&](const FlatShape& s) {
    if (s.is_box) {
      lines.horizontal.emplace_back(static_cast<double>(s.box.x_min),
                                    static_cast<double>(s.box.x_max));
    } else {
      for (const int side : {-1, 1}) cut_polygon(s.points, at.y, side, false, lines.horizontal);
    }
  });
  view.for_each_shape(layer, {at.x, at.y - reach, at.x, at.y + reach}, [&](const FlatShape& s) {
    if (s.is_box) {
      lines.vertical.emplace_back(static_cast<double>(s.box.y_min),
                                  static_cast<double>(s.box.y_max));
    } else {
      for (const int side : {-1, 1}) cut_polygon(s.points, at.x, side, true, lines.vertical);
    }
  });
  join(lines.horizontal);
  join(lines.vertical);
  return lines;
}

/// Euclidean distance from an uncovered point to the nearest shape, when at most `limit`.
double nearest_shape(const FlatView& view, LayerIndex layer, Point at, double limit) {
  double nearest = HUGE_VAL;
  const Box window = Box{at.x, at.y, at.x, at.y}.enlarged(static_cast<Coord>(std::ceil(limit)));
  view.for_each_shape(layer, window, [&](const FlatShape& s) {
    nearest = std::min(nearest, s.is_box ? geometry::distance(s.box, at)
                                         : geometry::distance_to_border(s.points, at));
  });
  return nearest;
}

Coord within(double value, double limit) {
  return value <= limit ? static_cast<Coord>(std::llround(value)) : -1;
}

}  // namespace

double FlatView::area(LayerIndex layer, const Box& window) const {
  const Box inside = window.intersection(bbox(layer));
  double sum = 0.0;
  for_each_piece(inside, kPiece, [&](const Box& piece) {
    sum += geometry::union_area(collect(*this, layer, piece), piece);
  });
  return sum;
}

double FlatView::density(LayerIndex layer, const Box& window) const {
  return window.area() > 0.0 ? area(layer, window) / window.area() : 0.0;
}

double FlatView::perimeter(LayerIndex layer, const Box& window) const {
  // One unit more than the shapes, so that their own outer edges are inside.
  const Box inside = window.intersection(bbox(layer).enlarged(1));
  double sum = 0.0;
  for_each_piece(inside, kPiece, [&](const Box& piece) {
    sum += geometry::union_perimeter(collect(*this, layer, piece.enlarged(1)), piece,
                                     piece.x_min > inside.x_min, piece.y_min > inside.y_min);
  });
  return sum;
}

std::vector<Polygon> FlatView::clip(LayerIndex layer, const Box& window) const {
  std::vector<Polygon> polygons =
      geometry::merge_without_holes(collect(*this, layer, window), window);
  for (Polygon& polygon : polygons)
    for (Point& p : polygon) p = p - Point{window.x_min, window.y_min};
  return polygons;
}

LocalFeatures FlatView::local_features(LayerIndex layer, Point at, Coord max_distance) const {
  const Lines lines = lines_through(*this, layer, at, max_distance);
  const auto limit = static_cast<double>(max_distance);
  const auto x = static_cast<double>(at.x);
  const auto y = static_cast<double>(at.y);
  const Around row = look_around(lines.horizontal, x);
  const Around column = look_around(lines.vertical, y);
  LocalFeatures result;
  result.covered = row.covered || column.covered;
  const double along_axes = std::min({x - row.low, row.high - x, y - column.low, column.high - y});
  if (result.covered) {
    if (along_axes <= limit) result.edge_distance = along_axes;
    result.width = within(std::min(row.high - row.low, column.high - column.low), 2.0 * limit);
    result.space = within(std::min({row.before, row.after, column.before, column.after}), limit);
  } else {
    const double nearest = nearest_shape(*this, layer, at, std::min(along_axes, limit));
    if (nearest <= limit) result.edge_distance = nearest;
    result.space = within(std::min(row.high - row.low, column.high - column.low), limit);
  }
  return result;
}

}  // namespace yieldloop::layout

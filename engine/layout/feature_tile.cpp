#include "engine/layout/feature_tile.h"

#include <algorithm>
#include <cmath>

#include "engine/layout/shape_distance.h"

namespace yieldloop::layout {

using geometry::Corner;
using geometry::UnionEdge;

TileIndex::TileIndex(Point origin, std::span<const Box> boxes) : origin_(origin) {
  std::vector<geometry::Box32> local;
  local.reserve(boxes.size());
  for (const Box& box : boxes) local.push_back(geometry::narrow(box.moved(Point{} - origin)));
  constexpr std::size_t kScanned = 48;
  const bool gridded = local.size() >= kScanned && grid_.build(local, order_);
  if (!gridded) order_ = geometry::packed_order(std::span<const geometry::Box32>(local));
  boxes_.reserve(local.size());
  for (const std::uint32_t i : order_) boxes_.push_back(local[i]);
  if (!gridded) tree_ = geometry::PackedIndex(std::span<const geometry::Box32>(boxes_));
}

void FeatureTile::add(const UnionEdge& edge, bool upright, Coord line_end_length) {
  const auto at = [&](Coord along) {
    return upright ? Point{edge.at, along} : Point{along, edge.at};
  };
  edges_.push_back({at(edge.low), at(edge.high), edge.inside_after});
  const auto mark = [&](Mark kind, Point p) {
    marks_.push_back(kind);
    mark_boxes_.push_back({p.x, p.y, p.x, p.y});
  };
  if (edge.low_end == Corner::kOuter && edge.high_end == Corner::kOuter &&
      edge.length() <= line_end_length)
    mark(Mark::kLineEnd, at(edge.low + edge.length() / 2));
  if (upright) return;  // Every corner ends one edge of each direction.
  for (const auto& [end, along] :
       {std::pair{edge.low_end, edge.low}, std::pair{edge.high_end, edge.high}})
    if (end != Corner::kOther) mark(end == Corner::kOuter ? Mark::kOuter : Mark::kInner, at(along));
}

void FeatureTile::add_pieces(const geometry::ShapeHeap& shapes, const Box& window, Coord step) {
  for (const geometry::MergedPolygon& piece : geometry::merge(shapes, window)) {
    for (const geometry::Rect& r : geometry::to_rects(piece, step)) {
      const Box box{std::llround(r.x_min), std::llround(r.y_min), std::llround(r.x_max),
                    std::llround(r.y_max)};
      if (box.area() > 0.0) boxes_.push_back(box);
    }
  }
}

FeatureTile::FeatureTile(const geometry::ShapeHeap& shapes, const Box& window, Coord step,
                         Coord line_end_length)
    : box_index_({}, {}), edge_index_({}, {}), mark_index_({}, {}) {
  geometry::UnionOutline outline = geometry::union_outline(shapes, window);
  boxes_ = std::move(outline.boxes);
  if (!shapes.oblique.empty()) add_pieces(shapes, window, step);
  for (const UnionEdge& e : outline.vertical) add(e, true, line_end_length);
  for (const UnionEdge& e : outline.horizontal) add(e, false, line_end_length);
  for (const auto& [a, b] : outline.oblique) edges_.push_back({a, b, false});
  for (const Edge& e : edges_) edge_boxes_.push_back(geometry::box_of(e.from, e.to));
  const Point origin{window.x_min, window.y_min};
  box_index_ = TileIndex(origin, boxes_);
  edge_index_ = TileIndex(origin, edge_boxes_);
  mark_index_ = TileIndex(origin, mark_boxes_);
}

double FeatureTile::area(const Box& window) const {
  double sum = 0.0;
  box_index_.for_each_near(window,
                           [&](std::uint32_t i) { sum += boxes_[i].intersection(window).area(); });
  return sum;
}

double FeatureTile::border(const Box& window) const {
  double sum = 0.0;
  edge_index_.for_each_near(window, [&](std::uint32_t i) {
    const Edge& e = edges_[i];
    if (!e.axial()) {
      sum += geometry::length_inside(e.from, e.to, window);
      return;
    }
    // What runs along the window's left and lower side counts, along the others not.
    if (e.from.x == e.to.x ? e.from.x == window.x_max : e.from.y == window.y_max) return;
    const Box inside = edge_boxes_[i].intersection(window);
    sum += static_cast<double>(inside.width() + inside.height());
  });
  return sum;
}

bool FeatureTile::covers(Point at) const {
  bool found = false;
  box_index_.for_each_near({at.x, at.y, at.x, at.y}, [&](std::uint32_t) { found = true; });
  return found;
}

CornerCounts FeatureTile::corners(const Box& window) const {
  CornerCounts counts;
  mark_index_.for_each_near(window, [&](std::uint32_t i) {
    switch (marks_[i]) {
      case Mark::kLineEnd: ++counts.line_ends; break;
      case Mark::kOuter: ++counts.outer; break;
      case Mark::kInner: ++counts.inner; break;
    }
  });
  return counts;
}

std::vector<Interval> FeatureTile::runs(Point at, Coord reach, bool along_x) const {
  std::vector<Interval> runs;
  const Box line = along_x ? Box{at.x - reach, at.y, at.x + reach, at.y}
                           : Box{at.x, at.y - reach, at.x, at.y + reach};
  box_index_.for_each_near(line, [&](std::uint32_t i) {
    const Box& b = boxes_[i];
    runs.emplace_back(static_cast<double>(along_x ? b.x_min : b.y_min),
                      static_cast<double>(along_x ? b.x_max : b.y_max));
  });
  join(runs);
  return runs;
}

Interval FeatureTile::extent_at(Point at, double place, bool inside_after, bool along_x,
                                Coord reach) const {
  Interval extent{0.0, 0.0};
  const auto across = static_cast<Coord>(place);
  const Box spot = along_x ? Box{across, at.y, across, at.y} : Box{at.x, across, at.x, across};
  edge_index_.for_each_near(spot, [&](std::uint32_t i) {
    const Edge& e = edges_[i];
    if (e.inside_after != inside_after || (along_x ? e.from.x != e.to.x : e.from.y != e.to.y))
      return;
    const Coord middle = along_x ? at.y : at.x;
    extent.first = static_cast<double>(std::max(along_x ? e.from.y : e.from.x, middle - reach));
    extent.second = static_cast<double>(std::min(along_x ? e.to.y : e.to.x, middle + reach));
  });
  return extent;
}

double FeatureTile::facing(Point at, double low, double high, bool along_x, Coord reach) const {
  const Interval before = extent_at(at, low, false, along_x, reach);
  const Interval after = extent_at(at, high, true, along_x, reach);
  return std::max(std::min(before.second, after.second) - std::max(before.first, after.first), 0.0);
}

Surroundings FeatureTile::around(Point at, Coord reach) const {
  Surroundings result;
  const auto limit = static_cast<double>(reach);
  result.edge = distance_to_border({at.x, at.y, at.x, at.y}, reach);
  result.space = limit;
  for (const bool along_x : {true, false}) {
    const Around line =
        look_around(runs(at, 2 * reach, along_x), static_cast<double>(along_x ? at.x : at.y));
    const auto gap = [&](double low, double high) {
      if (!(high - low < result.space)) return;
      result.space = high - low;
      result.facing_run = facing(at, low, high, along_x, reach);
    };
    if (!line.covered) {
      gap(line.low, line.high);
      continue;
    }
    const double width = std::min(line.high - line.low, 2.0 * limit);
    result.width = result.covered ? std::min(result.width, width) : width;
    result.covered = true;
    gap(line.low - line.before, line.low);
    gap(line.high, line.high + line.after);
  }
  return result;
}

double FeatureTile::distance_to_border(const Box& box, Coord reach) const {
  double nearest = static_cast<double>(reach);
  edge_index_.for_each_near(box.enlarged(reach), [&](std::uint32_t i) {
    const Edge& e = edges_[i];
    if (e.axial()) {
      const Box& b = edge_boxes_[i];
      const auto dx =
          static_cast<double>(std::max({b.x_min - box.x_max, Coord{0}, box.x_min - b.x_max}));
      const auto dy =
          static_cast<double>(std::max({b.y_min - box.y_max, Coord{0}, box.y_min - b.y_max}));
      nearest = std::min(nearest, std::hypot(dx, dy));
    } else {
      // The corners of the box and the ends of the edge hold the shortest way, unless they cross.
      nearest = std::min(nearest, distance_to_oblique(e.from, e.to, box));
    }
  });
  return nearest;
}

bool FeatureTile::joined(Point a, Point b, const Box& window) const {
  std::vector<std::uint32_t> near;
  box_index_.for_each_near(window, [&](std::uint32_t i) { near.push_back(i); });
  std::vector<char> reached(near.size(), 0);
  std::vector<Box> open;
  const auto spread = [&](auto&& touches) {
    for (std::size_t i = 0; i < near.size(); ++i) {
      const Box box = boxes_[near[i]].intersection(window);
      if (reached[i] != 0 || !touches(box)) continue;
      reached[i] = 1;
      open.push_back(box);
    }
  };
  spread([&](const Box& box) { return box.contains(a); });
  while (!open.empty()) {
    const Box from = open.back();
    open.pop_back();
    if (from.contains(b)) return true;
    spread([&](const Box& box) {
      const Box common = box.intersection(from);
      return !common.empty() && (common.width() > 0 || common.height() > 0);
    });
  }
  return false;
}

}  // namespace yieldloop::layout

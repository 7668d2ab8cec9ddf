#include "engine/layout/pattern_tile.h"

#include <algorithm>

#include "engine/layout/collect.h"

namespace yieldloop::layout {

EdgeStrips::EdgeStrips(const std::vector<BorderEdge>& edges, std::int32_t extent, std::int32_t side)
    : side_(side), step_(2 * side) {
  const std::int32_t strips = extent / step_ + 1;
  first_.assign(static_cast<std::size_t>(strips) + 1, 0);
  const auto range = [&](const BorderEdge& e) {
    return std::pair{std::max(0, e.low / step_ - 1), std::min(strips - 1, (e.high - 1) / step_)};
  };
  for (const BorderEdge& e : edges) {
    for (auto [k, last] = range(e); k <= last; ++k) ++first_[static_cast<std::size_t>(k) + 1];
  }
  for (std::size_t k = 1; k < first_.size(); ++k) first_[k] += first_[k - 1];
  edges_.resize(first_.back());
  auto next = first_;
  for (const BorderEdge& e : edges) {
    for (auto [k, last] = range(e); k <= last; ++k) {
      edges_[next[static_cast<std::size_t>(k)]++] = e;
    }
  }
}

std::span<const BorderEdge> EdgeStrips::strip_at(std::int32_t low) const {
  if (first_.size() < 2) return {};
  const auto k = std::min(static_cast<std::size_t>(std::max(low, 0) / step_), first_.size() - 2);
  return {edges_.data() + first_[k], edges_.data() + first_[k + 1]};
}

void EdgeStrips::collect(std::int32_t across, std::int32_t along, std::uint32_t layer,
                         bool horizontal, ClipWords& out) const {
  const auto strip = strip_at(along - side_);
  const auto begin = std::upper_bound(strip.begin(), strip.end(), across - side_,
                                      [](std::int32_t v, const BorderEdge& e) { return v < e.at; });
  const std::int32_t from = along - side_, to = along + side_, end = across + side_;
  for (auto it = begin; it != strip.end() && it->at < end; ++it) {
    const std::int32_t low = std::max(it->low, from), high = std::min(it->high, to);
    if (low >= high) continue;
    out.push_back(clip_word(layer, horizontal, it->at - across, low - along, high - along,
                            it->inside_before));
  }
}

bool EdgeStrips::inside(std::int32_t across, std::int32_t along) const {
  const auto strip = strip_at(along - side_);
  // Half-unit places of odd number are never the end of an edge of a Manhattan layout.
  const std::int32_t ray = along | 1;
  auto it = std::upper_bound(strip.begin(), strip.end(), across,
                             [](std::int32_t v, const BorderEdge& e) { return v < e.at; });
  while (it != strip.begin()) {
    --it;
    if (it->low < ray && ray < it->high) return !it->inside_before;
  }
  return false;
}

PatternTile::PatternTile(const FlatView& view, const PatternSpec& spec, const Box& tile)
    : spec_(spec), seen_(tile.enlarged(spec.reach() + 1)), layers_(spec.layers.size()) {
  const auto side = static_cast<std::int32_t>(2 * spec.radius);
  for (std::size_t k = 0; k < layers_.size(); ++k) {
    Layer& layer = layers_[k];
    layer.shapes = collect(view, spec.layers[k], seen_);
    FacingLimits limits;
    if (k == 0 && spec.wants(PointKind::kNarrowSpace))
      limits.space = static_cast<std::int32_t>(2 * spec.space);
    if (k == 0 && spec.wants(PointKind::kNarrowWidth))
      limits.width = static_cast<std::int32_t>(2 * spec.width);
    layer.borders = find_borders(layer.shapes, seen_, limits);
    layer.vertical = EdgeStrips(layer.borders.vertical.edges,
                                static_cast<std::int32_t>(2 * seen_.height()), side);
    layer.horizontal = EdgeStrips(layer.borders.horizontal.edges,
                                  static_cast<std::int32_t>(2 * seen_.width()), side);
  }
}

void PatternTile::add(bool horizontal, Coord at, Coord along, PointKind kind,
                      std::vector<PatternPoint>& out) const {
  const Point local = horizontal ? Point{along, at} : Point{at, along};
  out.push_back({local + Point{2 * seen_.x_min, 2 * seen_.y_min}, set_of(kind)});
}

void PatternTile::add_border_points(const BorderSide& side, bool horizontal,
                                    std::vector<PatternPoint>& out) const {
  const bool ends = spec_.wants(PointKind::kLineEnd), jogs = spec_.wants(PointKind::kJog);
  for (const BorderEdge& e : side.edges) {
    if (e.low_turn == Turn::kSmooth || e.high_turn == Turn::kSmooth) continue;
    const Coord length = e.high - e.low, middle = (Coord{e.low} + e.high) / 2;
    if (e.low_turn != e.high_turn) {
      if (jogs && length <= 2 * spec_.jog) add(horizontal, e.at, middle, PointKind::kJog, out);
    } else if (e.low_turn == Turn::kConvex && ends && length <= 2 * spec_.line_end) {
      add(horizontal, e.at, middle, PointKind::kLineEnd, out);
    }
  }
  add_runs(side.spaces, PointKind::kNarrowSpace, horizontal, out);
  add_runs(side.widths, PointKind::kNarrowWidth, horizontal, out);
}

void PatternTile::add_runs(const std::vector<FacingRun>& runs, PointKind kind, bool horizontal,
                           std::vector<PatternPoint>& out) const {
  for (const FacingRun& run : runs) {
    const Coord at = (Coord{run.from} + run.to) / 2;
    if (run.high - run.low <= 2 * spec_.radius) {
      add(horizontal, at, (Coord{run.low} + run.high) / 2, kind, out);
    } else {
      add(horizontal, at, run.low, kind, out);
      add(horizontal, at, run.high, kind, out);
    }
  }
}

void PatternTile::add_vias(LayerIndex layer, std::vector<PatternPoint>& out) const {
  const auto k =
      static_cast<std::size_t>(std::ranges::find(spec_.layers, layer) - spec_.layers.begin());
  if (k >= layers_.size()) return;
  for (const auto& piece : geometry::merge(layers_[k].shapes, seen_)) {
    const Box box = piece.bbox();
    if (box.width() > spec_.via || box.height() > spec_.via) continue;
    out.push_back({{box.x_min + box.x_max, box.y_min + box.y_max}, set_of(PointKind::kVia)});
  }
}

std::vector<PatternPoint> PatternTile::sorted_once(const std::vector<PatternPoint>& found,
                                                   const Box& box) const {
  // One number a place: its distance from a corner in x, then y, then its kinds.
  const Point origin{2 * box.x_min - 1, 2 * box.y_min - 1};
  std::vector<std::uint64_t> keys;
  keys.reserve(found.size());
  for (const PatternPoint& p : found) {
    if (!owns_place(box, p.twice)) continue;
    const Point d = p.twice - origin;
    keys.push_back(static_cast<std::uint64_t>(d.x) << 36 | static_cast<std::uint64_t>(d.y) << 8 |
                   p.kinds);
  }
  std::ranges::sort(keys);
  std::vector<PatternPoint> points;
  points.reserve(keys.size());
  for (const std::uint64_t key : keys) {
    const Point at = origin + Point{static_cast<Coord>(key >> 36),
                                    static_cast<Coord>(key >> 8 & ((1u << 28) - 1))};
    const auto kinds = static_cast<PointKindSet>(key);
    if (!points.empty() && points.back().twice == at) {
      points.back().kinds |= kinds;
    } else {
      points.push_back({at, kinds});
    }
  }
  return points;
}

std::vector<PatternPoint> PatternTile::points(const Box& box) const {
  std::vector<PatternPoint> found;
  const Borders& borders = layers_.front().borders;
  add_border_points(borders.vertical, false, found);
  add_border_points(borders.horizontal, true, found);
  for (const BorderCorner& c : borders.corners) {
    const auto kind = c.convex ? PointKind::kOuterCorner : PointKind::kInnerCorner;
    if (spec_.wants(kind)) add(false, c.x, c.y, kind, found);
  }
  if (spec_.wants(PointKind::kVia)) {
    for (const LayerIndex layer : spec_.via_layers) add_vias(layer, found);
  }
  return sorted_once(found, box);
}

bool PatternTile::near_oblique(Point local) const {
  const Coord side = 2 * spec_.radius;
  const Box window{local.x - side, local.y - side, local.x + side, local.y + side};
  return std::ranges::any_of(layers_, [&](const Layer& layer) {
    return std::ranges::any_of(layer.borders.oblique,
                               [&](const Box& b) { return b.touches(window); });
  });
}

void PatternTile::slow_clip(Point twice, ClipWords& words) const {
  const Coord side = 2 * spec_.radius;
  const Box window{-side, -side, side, side};
  std::vector<geometry::ShapeHeap> heaps(layers_.size());
  for (std::size_t k = 0; k < layers_.size(); ++k) {
    for (const Box& b : layers_[k].shapes.boxes) {
      const Box moved{2 * b.x_min - twice.x, 2 * b.y_min - twice.y, 2 * b.x_max - twice.x,
                      2 * b.y_max - twice.y};
      if (moved.overlaps(window)) heaps[k].add(moved);
    }
    for (const Polygon& polygon : layers_[k].shapes.oblique) {
      Polygon moved;
      Box box;
      for (const Point p : polygon) {
        moved.push_back({2 * p.x - twice.x, 2 * p.y - twice.y});
        box.include(moved.back());
      }
      if (box.overlaps(window)) heaps[k].oblique.push_back(std::move(moved));
    }
  }
  words = clip_of_shapes(heaps, spec_.radius);
}

void PatternTile::add_covered(const Layer& layer, std::uint32_t k, Point local, Point twice,
                              ClipWords& words) const {
  bool covered = false;
  if (layer.borders.oblique.empty()) {
    covered = layer.vertical.inside(static_cast<std::int32_t>(local.x),
                                    static_cast<std::int32_t>(local.y));
  } else {
    const Point middle{twice.x >> 1, twice.y >> 1};
    covered =
        std::ranges::any_of(layer.shapes.boxes, [&](const Box& b) { return b.contains(middle); }) ||
        std::ranges::any_of(layer.shapes.oblique,
                            [&](const Polygon& p) { return geometry::contains(p, middle); });
  }
  if (covered) words.push_back(covered_word(k));
}

bool PatternTile::clip(Point twice, ClipWords& words) const {
  words.clear();
  const Point local = twice - Point{2 * seen_.x_min, 2 * seen_.y_min};
  if (near_oblique(local)) {
    slow_clip(twice, words);
    return true;
  }
  const auto x = static_cast<std::int32_t>(local.x), y = static_cast<std::int32_t>(local.y);
  for (std::uint32_t k = 0; k < layers_.size(); ++k) {
    const std::size_t before = words.size();
    layers_[k].vertical.collect(x, y, k, false, words);
    layers_[k].horizontal.collect(y, x, k, true, words);
    if (words.size() == before) add_covered(layers_[k], k, local, twice, words);
  }
  return false;
}

}  // namespace yieldloop::layout

#include "engine/layout/layer_pieces.h"

#include <algorithm>
#include <cmath>

#include "engine/geometry/region.h"
#include "engine/layout/disjoint_sets.h"

namespace yieldloop::layout {
namespace {

void add_rows(std::span<const Point> polygon, Coord staircase, std::vector<Box>& out) {
  geometry::ShapeHeap heap;
  heap.add(polygon);
  Box hull;
  for (const Point p : polygon) hull.include(p);
  for (const geometry::MergedPolygon& piece : geometry::merge(heap, hull))
    for (const geometry::Rect& r : geometry::to_rects(piece, staircase)) {
      const Box row{std::llround(r.x_min), std::llround(r.y_min), std::llround(r.x_max),
                    std::llround(r.y_max)};
      if (row.width() > 0 && row.height() > 0) out.push_back(row);
    }
}

void cut_out(const Box& removed, std::vector<Box>& boxes) {
  std::vector<Box> left;
  left.reserve(boxes.size() + 3);
  const auto keep = [&left](const Box& b) {
    if (b.width() > 0 && b.height() > 0) left.push_back(b);
  };
  for (const Box& b : boxes) {
    if (!b.overlaps(removed)) {
      left.push_back(b);
      continue;
    }
    const Box shared = b.intersection(removed);
    keep({b.x_min, b.y_min, b.x_max, shared.y_min});
    keep({b.x_min, shared.y_max, b.x_max, b.y_max});
    keep({b.x_min, shared.y_min, shared.x_min, shared.y_max});
    keep({shared.x_max, shared.y_min, b.x_max, shared.y_max});
  }
  boxes = std::move(left);
}

}  // namespace

Box BoxEdit::bbox() const {
  Box hull;
  for (const Box& b : removed) hull.include(b);
  for (const Box& b : added) hull.include(b);
  return hull;
}

void apply_edit(const BoxEdit& edit, std::vector<Box>& boxes) {
  for (const Box& b : edit.removed) cut_out(b, boxes);
  for (const Box& b : edit.added)
    if (b.width() > 0 && b.height() > 0) boxes.push_back(b);
}

std::vector<Box> boxes_in(const FlatView& view, LayerIndex layer, const Box& window,
                          Coord staircase, bool& oblique) {
  std::vector<Box> boxes;
  view.for_each_shape(layer, window, [&](const FlatShape& shape) {
    if (shape.is_box) {
      if (shape.box.width() > 0 && shape.box.height() > 0) boxes.push_back(shape.box);
    } else if (geometry::is_manhattan(shape.points)) {
      geometry::append_boxes(shape.points, boxes);
    } else {
      oblique = true;
      add_rows(shape.points, staircase, boxes);
    }
  });
  return boxes;
}

LayerPieces::LayerPieces(std::vector<Box> boxes) {
  const std::vector<std::uint32_t> order = geometry::packed_order(boxes);
  boxes_.reserve(boxes.size());
  for (const std::uint32_t i : order) boxes_.push_back(boxes[i]);
  index_ = geometry::PackedIndex(boxes_);
  DisjointSets sets(boxes_.size());
  for (std::uint32_t i = 0; i < boxes_.size(); ++i)
    index_.for_each_range(boxes_[i], boxes_.size(), [&](std::size_t first, std::size_t last) {
      for (std::size_t k = std::max<std::size_t>(first, i + 1); k < last; ++k)
        if (join_up(boxes_[i], boxes_[k])) sets.join(i, static_cast<std::uint32_t>(k));
    });
  count_ = sets.number(piece_);
}

LayerPieces LayerPieces::of(const FlatView& view, LayerIndex layer, const BoxEdit* edit) {
  // Rows of 8 units: only whether shapes touch matters here.
  constexpr Coord kRow = 8;
  bool oblique = false;
  std::vector<Box> boxes = boxes_in(view, layer, view.bbox(layer), kRow, oblique);
  if (edit != nullptr) apply_edit(*edit, boxes);
  return LayerPieces(std::move(boxes));
}

std::optional<std::uint32_t> LayerPieces::at(Point p) const {
  std::optional<std::uint32_t> found;
  index_.for_each_range({p.x, p.y, p.x, p.y}, boxes_.size(),
                        [&](std::size_t first, std::size_t last) {
                          for (std::size_t i = first; i < last && !found; ++i)
                            if (boxes_[i].contains(p)) found = piece_[i];
                        });
  return found;
}

std::vector<Box> merged_cuts(std::vector<Box> cuts) {
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  const LayerPieces pieces(cuts);
  if (pieces.count() == cuts.size()) return cuts;
  std::vector<Box> result(pieces.count());
  for (const Box& cut : cuts) result[pieces.at(cut.center()).value_or(0)].include(cut);
  std::sort(result.begin(), result.end());
  return result;
}

NetFinder LayerPieces::finder() const {
  return [this](LayerIndex, Point p) -> std::optional<std::uint64_t> {
    if (const auto piece = at(p)) return *piece;
    return std::nullopt;
  };
}

}  // namespace yieldloop::layout

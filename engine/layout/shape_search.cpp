#include "engine/layout/shape_search.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/layout/shape_distance.h"
#include "engine/layout/shape_walk.h"

namespace yieldloop::layout {

namespace {

/// Wide, tall or neither, then by the longer side in steps of four.
constexpr std::size_t kSizes = 17;
std::size_t size_class(const Box32& box) {
  const auto width = static_cast<std::uint64_t>(std::int64_t{box.x_max} - box.x_min);
  const auto height = static_cast<std::uint64_t>(std::int64_t{box.y_max} - box.y_min);
  const std::size_t form = width >= 4 * height ? 1 : height >= 4 * width ? 2 : 0;
  return form * kSizes + static_cast<std::size_t>(std::bit_width(std::max(width, height))) / 2;
}

/// Fewer items than this share a tree with the next size.
constexpr std::uint32_t kOwnTree = 256;

/// classes[size_class] is the tree it goes to; `counts` are the items of each tree.
std::vector<std::uint32_t> trees_of_sizes(const SearchCell& cell,
                                          std::vector<std::uint32_t>& counts) {
  std::vector<std::uint32_t> sizes(3 * kSizes, 0);
  for (const Box32& box : cell.boxes) ++sizes[size_class(box)];
  std::vector<std::uint32_t> trees(sizes.size(), 0);
  counts.assign(1, 0);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (counts.back() >= kOwnTree && sizes[i] > 0) counts.push_back(0);
    trees[i] = static_cast<std::uint32_t>(counts.size() - 1);
    counts.back() += sizes[i];
  }
  return trees;
}

/// Fewer items than this are looked at one by one.
constexpr std::size_t kScanned = 48;

/// Puts boxes and refs into the order of a grid and makes it, if one suits.
bool make_grid(SearchCell& cell) {
  std::vector<std::uint32_t> order;
  if (cell.boxes.size() < kScanned || !cell.grid.build(cell.boxes, order)) return false;
  std::vector<Box32> boxes;
  std::vector<std::uint32_t> refs;
  boxes.reserve(order.size());
  refs.reserve(order.size());
  for (const std::uint32_t i : order) {
    boxes.push_back(cell.boxes[i]);
    refs.push_back(cell.refs[i]);
  }
  cell.boxes = std::move(boxes);
  cell.refs = std::move(refs);
  return true;
}

/// Puts boxes and refs into the order of their trees and makes these.
void make_trees(SearchCell& cell) {
  std::vector<std::uint32_t> counts;
  const std::vector<std::uint32_t> trees = trees_of_sizes(cell, counts);
  std::vector<std::uint32_t> next;
  std::uint32_t first = 0;
  for (const std::uint32_t count : counts) {
    next.push_back(first);
    cell.classes.push_back({first, count, {}});
    first += count;
  }
  std::vector<Box32> boxes(cell.boxes.size());
  std::vector<std::uint32_t> refs(cell.boxes.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const std::uint32_t to = next[trees[size_class(cell.boxes[i])]]++;
    boxes[to] = cell.boxes[i];
    refs[to] = cell.refs[i];
  }
  for (SearchCell::Class& some : cell.classes) {
    const std::span<const Box32> mine = std::span(boxes).subspan(some.first, some.count);
    const std::vector<std::uint32_t> order = geometry::packed_order(mine);
    for (std::uint32_t k = 0; k < some.count; ++k) {
      cell.boxes[some.first + k] = mine[order[k]];
      cell.refs[some.first + k] = refs[some.first + order[k]];
    }
    some.tree =
        geometry::PackedIndex(std::span<const Box32>(cell.boxes).subspan(some.first, some.count));
  }
  cell.boxes.shrink_to_fit();
  cell.refs.shrink_to_fit();
}

}  // namespace

std::size_t SearchCell::memory_bytes() const {
  std::size_t bytes = boxes.capacity() * sizeof(Box32) + refs.capacity() * sizeof(refs[0]) +
                      grid.memory_bytes() + polygons.capacity() * sizeof(SearchPolygon) +
                      arrays.capacity() * sizeof(SearchArray) +
                      children.capacity() * sizeof(SearchChild);
  for (const auto& outline : outlines) bytes += outline.capacity() * sizeof(Point32);
  for (const Class& some : classes) bytes += sizeof(some) + some.tree.memory_bytes();
  return bytes;
}

SearchCells::SearchCells(const Layout& layout, std::vector<LayerIndex> layers)
    : layout_(&layout), layers_(std::move(layers)) {
  boxes_.resize(layout.cells().size());
  for (CellIndex i = 0; i < boxes_.size(); ++i)
    for (const LayerIndex layer : layers_) boxes_[i].include(layout.cell(i).layer_bbox(layer));
  cells_ = std::make_unique<Slot[]>(boxes_.size());
}

const SearchCell& SearchCells::cell(CellIndex index) const {
  Slot& slot = cells_[index];
  std::call_once(slot.once, [&] { build(index, slot.cell); });
  return slot.cell;
}

void SearchCells::add_layer(const LayerShapes& shapes, std::uint32_t slot, SearchCell& out) const {
  ExpandedShapes all = expanded(shapes);
  const auto add = [&out](const Box32& box, SearchCell::Kind kind, std::size_t value) {
    out.boxes.push_back(box);
    out.refs.push_back(static_cast<std::uint32_t>(kind) << SearchCell::kKindShift |
                       static_cast<std::uint32_t>(value));
  };
  for (const Box32& box : all.boxes) add(box, SearchCell::Kind::kBox, slot);
  // The outlines move into the index; spans into them stay good.
  out.outlines.push_back(std::move(all.outlines));
  all.outlines = {};
  const auto points_of = [&](const IndexedPolygon& p) {
    return std::span<const Point32>(p.outline ? out.outlines.back() : shapes.points)
        .subspan(p.first, p.count);
  };
  for (const IndexedPolygon& p : all.polygons) {
    add(p.box, SearchCell::Kind::kPolygon, out.polygons.size());
    out.polygons.push_back({points_of(p), p.offset, slot});
  }
  for (const SymbolicShape& s : all.symbolic) {
    const RepeatedShape& repeated = shapes.repeated[s.repeated];
    const bool is_box = repeated.kind == RepeatedShape::Kind::kBox;
    add(geometry::clamped(repeated_box(repeated.repetition, static_cast<Box>(repeated.box))),
        SearchCell::Kind::kArray, out.arrays.size());
    out.arrays.push_back(
        {&repeated, is_box ? std::span<const Point32>{} : points_of(s.polygon), slot});
  }
}

void SearchCells::add_children(const Cell& cell, SearchCell& out) const {
  std::vector<Box> hulls;
  const std::vector<ExpandedInstance> placed = expanded_instances(
      *layout_, cell, [this](const Instance& i) { return boxes_[i.cell]; }, hulls);
  for (std::size_t i = 0; i < placed.size(); ++i) {
    const Instance& instance = cell.instances[placed[i].instance];
    SearchChild child;
    child.cell = instance.cell;
    child.instance = placed[i].instance;
    child.column = instance.single() ? 0 : placed[i].column;
    child.orientation = instance.orientation;
    child.general = instance.general >= 0;
    if (child.column != kAllCopies)
      child.at = geometry::narrow(Layout::element_at(instance, child.column, 0));
    out.boxes.push_back(geometry::clamped(hulls[i]));
    out.refs.push_back(static_cast<std::uint32_t>(SearchCell::Kind::kChild)
                           << SearchCell::kKindShift |
                       static_cast<std::uint32_t>(out.children.size()));
    out.children.push_back(child);
  }
}

void SearchCells::build(CellIndex index, SearchCell& out) const {
  const Cell& cell = layout_->cell(index);
  out.outlines.reserve(layers_.size());  // Spans point into them.
  for (std::uint32_t slot = 0; slot < layers_.size(); ++slot)
    if (const LayerShapes* shapes = cell.find(layers_[slot])) add_layer(*shapes, slot, out);
  add_children(cell, out);
  if (!make_grid(out)) make_trees(out);
  out.polygons.shrink_to_fit();
  out.children.shrink_to_fit();
}

std::size_t SearchCells::memory_bytes() const {
  std::size_t bytes = boxes_.size() * (sizeof(Box) + sizeof(Slot));
  for (std::size_t i = 0; i < boxes_.size(); ++i) bytes += cells_[i].cell.memory_bytes();
  return bytes;
}

namespace {

/// Turns what the walk finds into FlatShapes.
template <class Query>
struct FlatSink {
  FunctionRef<bool(const Box&)> wanted;  ///< Of the shape's box in the view's frame.
  FunctionRef<void(const FlatShape&)> visit;
  const std::vector<LayerIndex>& layers;
  ShapeWalk<Query, FlatSink>* walk = nullptr;
  std::vector<Point> scratch;

  void box(std::uint32_t slot, const Box& box, const Query&, CellIndex cell) {
    send(slot, walk->transform()(box), {}, cell);
  }
  void polygon(std::uint32_t slot, const Box& box, std::span<const Point32> points, Point offset,
               const Query&, CellIndex cell) {
    const Box placed = walk->transform()(box);
    if (!wanted(placed)) return;
    scratch.clear();
    for (const Point32 p : points)
      scratch.push_back(walk->transform()(static_cast<Point>(p) + offset));
    send(slot, placed, scratch, cell);
  }
  void general(std::uint32_t slot, const Box& box, std::span<const Point> points, const Query&,
               CellIndex cell) {
    send(slot, box, points, cell);
  }
  void send(std::uint32_t slot, const Box& box, std::span<const Point> points, CellIndex cell) {
    if (!wanted(box)) return;
    FlatShape shape;
    shape.box = box;
    shape.is_box = points.empty();
    shape.points = points;
    shape.layer = layers[slot];
    shape.cell = cell;
    shape.path = walk->path();
    visit(shape);
  }
};

}  // namespace

ShapeSearch::ShapeSearch(const FlatView& view, std::vector<LayerIndex> layers)
    : view_(view),
      layers_(layers),
      cells_(std::make_unique<SearchCells>(view.layout(), std::move(layers))) {}
ShapeSearch::ShapeSearch(ShapeSearch&&) noexcept = default;
ShapeSearch& ShapeSearch::operator=(ShapeSearch&&) noexcept = default;
ShapeSearch::~ShapeSearch() = default;

Box ShapeSearch::bbox() const { return cells_->box_of(view_.top()); }
std::size_t ShapeSearch::memory_bytes() const { return cells_->memory_bytes(); }

void ShapeSearch::for_each_in(const Box& window, FunctionRef<void(const FlatShape&)> visit) const {
  if (window.empty()) return;
  const auto wanted = [&window](const Box& box) { return box.touches(window); };
  FlatSink<BoxQuery> sink{wanted, visit, layers_, nullptr, {}};
  ShapeWalk<BoxQuery, FlatSink<BoxQuery>>(*cells_, sink).run(view_.top(), BoxQuery{window});
}

void ShapeSearch::for_each_near(Point at, Coord radius,
                                FunctionRef<void(const FlatShape&, double)> visit) const {
  const auto limit = static_cast<double>(radius) * static_cast<double>(radius);
  const auto wanted = [&](const Box& box) { return squared_distance(box, at) <= limit; };
  const auto take = [&](const FlatShape& shape) {
    const double found =
        shape.is_box ? squared_distance(shape.box, at) : squared_distance(shape.points, at);
    if (found <= limit) visit(shape, std::sqrt(found));
  };
  FlatSink<PointQuery> sink{wanted, take, layers_, nullptr, {}};
  ShapeWalk<PointQuery, FlatSink<PointQuery>>(*cells_, sink)
      .run(view_.top(), PointQuery{at, radius});
}

}  // namespace yieldloop::layout

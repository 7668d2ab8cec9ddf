#include "engine/layout/shape_index.h"

#include <algorithm>
#include <unordered_set>

#include "engine/geometry/path_outline.h"
#include "engine/layout/path_shape.h"

namespace yieldloop::layout {

using geometry::PackedIndex;

namespace {

/// Arrays up to this size are laid out one by one, larger ones are computed with.
constexpr std::uint64_t kSmallArray = 64;
/// Copies laid out in an index: this many for nothing, and so many for each record or listed
/// displacement of the file. A list shared by very many records must not fill the memory.
constexpr std::uint64_t kFreeCopies = 65'536;
constexpr std::uint64_t kCopiesPerRecord = 8;

template <class T>
void reorder(std::vector<T>& items, const std::vector<std::uint32_t>& order) {
  std::vector<T> sorted;
  sorted.reserve(items.size());
  for (const std::uint32_t i : order) sorted.push_back(items[i]);
  items = std::move(sorted);
}

Box32 moved(const Box32& box, Point by) {
  return geometry::narrow(static_cast<Box>(box).moved(by));
}

std::vector<Box32> boxes_of(const std::vector<IndexedPolygon>& polygons) {
  std::vector<Box32> boxes;
  boxes.reserve(polygons.size());
  for (const IndexedPolygon& p : polygons) boxes.push_back(p.box);
  return boxes;
}

template <class Visit>
void for_each_copy(const Repetition& repetition, Visit&& visit) {
  for (std::uint32_t row = 0; row < repetition.rows; ++row)
    for (std::uint32_t column = 0; column < repetition.columns; ++column)
      visit(repetition.at(column, row), column);
}

/// How many copies may be laid out for these records.
template <class Repeated, class Get>
std::uint64_t copies_allowed(const Repeated& records, Get&& repetition_of_record) {
  std::uint64_t given = records.size();
  std::unordered_set<const OffsetList*> seen;
  for (const auto& record : records) {
    const Repetition& repetition = repetition_of_record(record);
    if (repetition.offsets != nullptr && seen.insert(repetition.offsets).second)
      given += repetition.offsets->size();
  }
  return kFreeCopies + kCopiesPerRecord * given;
}

}  // namespace

namespace {

IndexedPolygon outlined(const LayerShapes& shapes, const PathRange& path,
                        std::vector<Point32>& outlines) {
  IndexedPolygon polygon;
  polygon.outline = true;
  polygon.box = path.line.box;
  polygon.first = static_cast<std::uint32_t>(outlines.size());
  const std::vector<Point32> outline = path_ring(shapes.points_of(path.line), path.style);
  outlines.insert(outlines.end(), outline.begin(), outline.end());
  polygon.count = static_cast<std::uint32_t>(outline.size());
  return polygon;
}

void lay_out(const RepeatedShape& repeated, const IndexedPolygon& polygon, ExpandedShapes& out) {
  for_each_copy(repeated.repetition, [&](Point at, std::uint32_t) {
    if (repeated.kind == RepeatedShape::Kind::kBox) {
      out.boxes.push_back(moved(repeated.box, at));
      return;
    }
    IndexedPolygon copy = polygon;
    copy.box = moved(polygon.box, at);
    copy.offset = geometry::narrow(at);
    out.polygons.push_back(copy);
  });
}

void add_repeated(const LayerShapes& shapes, ExpandedShapes& out) {
  std::uint64_t room = copies_allowed(
      shapes.repeated, [](const RepeatedShape& r) -> const Repetition& { return r.repetition; });
  for (std::size_t i = 0; i < shapes.repeated.size(); ++i) {
    const RepeatedShape& repeated = shapes.repeated[i];
    IndexedPolygon polygon;
    if (repeated.kind == RepeatedShape::Kind::kPolygon) {
      const PolygonRange& p = shapes.repeated_polygons[repeated.item];
      polygon = {p.box, p.first, p.count, {}, false};
    } else if (repeated.kind == RepeatedShape::Kind::kPath) {
      polygon = outlined(shapes, shapes.repeated_paths[repeated.item], out.outlines);
    }
    const std::uint64_t copies = repeated.repetition.count();
    const bool small = copies <= kSmallArray || repeated.repetition.offsets != nullptr;
    if (small && copies <= room) {
      room -= copies;
      lay_out(repeated, polygon, out);
    } else {
      out.symbolic.push_back({static_cast<std::uint32_t>(i), polygon});
    }
  }
}

}  // namespace

ExpandedShapes expanded(const LayerShapes& shapes) {
  ExpandedShapes out;
  out.boxes = shapes.boxes;
  out.polygons.reserve(shapes.polygons.size() + shapes.paths.size());
  for (const PolygonRange& p : shapes.polygons)
    out.polygons.push_back({p.box, p.first, p.count, {}, false});
  for (const PathRange& path : shapes.paths)
    out.polygons.push_back(outlined(shapes, path, out.outlines));
  add_repeated(shapes, out);
  return out;
}

std::vector<ExpandedInstance> expanded_instances(const Layout& layout, const Cell& cell,
                                                 FunctionRef<Box(const Instance&)> child_box,
                                                 std::vector<Box>& hulls) {
  std::uint64_t room =
      copies_allowed(cell.instances, [](const Instance& i) -> const Repetition& { return i; });
  std::vector<ExpandedInstance> entries;
  for (std::uint32_t i = 0; i < cell.instances.size(); ++i) {
    const Instance& instance = cell.instances[i];
    const Box child = child_box(instance);
    if (child.empty()) continue;
    const Box box =
        layout.placed_box(instance, child).moved(static_cast<Point>(instance.displacement));
    if (instance.offsets != nullptr && instance.count() <= room) {
      room -= instance.count();
      for_each_copy(instance, [&](Point at, std::uint32_t column) {
        entries.push_back({i, column});
        hulls.push_back(box.moved(at));
      });
    } else {
      entries.push_back({i, kAllCopies});
      hulls.push_back(repeated_box(instance, box));
    }
  }
  return entries;
}

void LazyShapeIndex::for_each_near(const LayerShapes& shapes, const Box& window,
                                   FunctionRef<void(const CellShape&)> visit) const {
  std::call_once(once_, [&] { const_cast<LazyShapeIndex*>(this)->build(shapes); });
  const std::vector<Box32>& boxes = shapes_.boxes;
  const std::vector<IndexedPolygon>& polygons = shapes_.polygons;
  CellShape shape;
  box_tree_.for_each_range(window, boxes.size(), [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      shape.box = boxes[i];
      if (!shape.box.touches(window)) continue;
      shape.position = static_cast<std::uint32_t>(i);
      visit(shape);
    }
  });
  polygon_tree_.for_each_range(window, polygons.size(), [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      if (!static_cast<Box>(polygons[i].box).touches(window)) continue;
      CellShape polygon = shape_of(shapes, polygons[i]);
      polygon.position = static_cast<std::uint32_t>(boxes.size() + i);
      visit(polygon);
    }
  });
  if (!shapes_.symbolic.empty()) symbolic_near(shapes, window, visit);
}

CellShape LazyShapeIndex::shape_of(const LayerShapes& shapes, const IndexedPolygon& polygon) const {
  CellShape shape;
  shape.box = polygon.box;
  shape.is_box = false;
  shape.points = shapes_.points_of(shapes, polygon);
  shape.offset = polygon.offset;
  return shape;
}

void LazyShapeIndex::symbolic_near(const LayerShapes& shapes, const Box& window,
                                   FunctionRef<void(const CellShape&)> visit) const {
  const std::vector<SymbolicShape>& symbolic = shapes_.symbolic;
  const auto one = [&](std::size_t i) {
    const RepeatedShape& repeated = shapes.repeated[symbolic[i].repeated];
    const bool is_box = repeated.kind == RepeatedShape::Kind::kBox;
    CellShape shape = is_box ? CellShape{} : shape_of(shapes, symbolic[i].polygon);
    shape.position = static_cast<std::uint32_t>(shapes_.boxes.size() + shapes_.polygons.size() + i);
    for_each_copy_near(repeated.repetition, repeated.box, window,
                       [&](std::uint32_t column, std::uint32_t row) {
                         shape.offset = repeated.repetition.at(column, row);
                         shape.box = static_cast<Box>(repeated.box).moved(shape.offset);
                         visit(shape);
                       });
  };
  symbolic_tree_.for_each_range(window, symbolic.size(), [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) one(i);
  });
}

void LazyShapeIndex::build(const LayerShapes& shapes) {
  shapes_ = expanded(shapes);
  sort_symbolic(shapes);
  sort();
}

void LazyShapeIndex::sort_symbolic(const LayerShapes& shapes) {
  std::vector<Box> hulls;
  for (const SymbolicShape& s : shapes_.symbolic)
    hulls.push_back(repeated_box(shapes.repeated[s.repeated].repetition,
                                 static_cast<Box>(shapes.repeated[s.repeated].box)));
  const auto order = geometry::packed_order(hulls);
  reorder(shapes_.symbolic, order);
  reorder(hulls, order);
  symbolic_tree_ = PackedIndex(hulls);
}

void LazyShapeIndex::sort() {
  std::vector<Box32>& boxes = shapes_.boxes;
  if (boxes.size() >= PackedIndex::kLinear) {
    reorder(boxes, geometry::packed_order(boxes));
    box_tree_ = PackedIndex(boxes);
  }
  boxes.shrink_to_fit();
  std::vector<IndexedPolygon>& polygons = shapes_.polygons;
  if (polygons.size() >= PackedIndex::kLinear) {
    const auto order = geometry::packed_order(boxes_of(polygons));
    reorder(polygons, order);
    polygon_tree_ = PackedIndex(boxes_of(polygons));
  }
}

std::size_t LazyShapeIndex::memory_bytes() const {
  return sizeof(*this) + shapes_.boxes.capacity() * sizeof(Box32) +
         shapes_.polygons.capacity() * sizeof(IndexedPolygon) +
         shapes_.outlines.capacity() * sizeof(Point32) +
         shapes_.symbolic.capacity() * sizeof(SymbolicShape) + box_tree_.memory_bytes() +
         polygon_tree_.memory_bytes() + symbolic_tree_.memory_bytes();
}

void LazyInstanceIndex::build(const Layout& layout, const Cell& cell) {
  std::vector<Box> hulls;
  entries_ = expanded_instances(
      layout, cell, [&](const Instance& i) { return layout.cell(i.cell).extent; }, hulls);
  const auto order = geometry::packed_order(hulls);
  reorder(entries_, order);
  reorder(hulls, order);
  tree_ = PackedIndex(hulls);
}

void LazyInstanceIndex::for_each_near(const Layout& layout, const Cell& cell, const Box& window,
                                      FunctionRef<void(std::uint32_t, std::uint32_t)> visit) const {
  std::call_once(once_, [&] { const_cast<LazyInstanceIndex*>(this)->build(layout, cell); });
  tree_.for_each_range(window, entries_.size(), [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) visit(entries_[i].instance, entries_[i].column);
  });
}

LayerShapes::LayerShapes() : index_(std::make_unique<LazyShapeIndex>()) {}
LayerShapes::LayerShapes(LayerShapes&&) noexcept = default;
LayerShapes& LayerShapes::operator=(LayerShapes&&) noexcept = default;
LayerShapes::~LayerShapes() = default;

void LayerShapes::for_each_near(const Box& window,
                                FunctionRef<void(const CellShape&)> visit) const {
  index_->for_each_near(*this, window, visit);
}

Cell::Cell() : index_(std::make_unique<LazyInstanceIndex>()) {}
Cell::Cell(Cell&&) noexcept = default;
Cell& Cell::operator=(Cell&&) noexcept = default;
Cell::~Cell() = default;

void Cell::for_each_instance_near(const Layout& layout, const Box& window,
                                  FunctionRef<void(std::uint32_t, std::uint32_t)> visit) const {
  index_->for_each_near(layout, *this, window, visit);
}

}  // namespace yieldloop::layout

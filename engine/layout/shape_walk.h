/// \file
/// The indexes behind ShapeSearch and the walk through them; for this folder's sources.
///
/// The walk is a template over what is looked for, because its innermost steps take nanoseconds.
/// As long as placements are orthogonal it works in each cell's own frame, where a point's
/// distances are those of the flattened view; below the first odd angle or magnification shapes
/// are moved to the view's frame first, rounded as FlatView rounds them.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "engine/geometry/packed_index.h"
#include "engine/layout/cell_grid.h"
#include "engine/layout/placement.h"
#include "engine/layout/shape_index.h"

namespace yieldloop::layout {

/// A polygon of a cell: points + offset.
struct SearchPolygon {
  std::span<const Point32> points;
  Point32 offset;
  std::uint32_t slot = 0;  ///< Position among the layers searched.
};

/// A large array of a shape.
struct SearchArray {
  const RepeatedShape* repeated = nullptr;
  std::span<const Point32> points;  ///< Empty for boxes.
  std::uint32_t slot = 0;
};

/// A placement; all copies of an array when `column` is kAllCopies.
struct SearchChild {
  Point32 at;  ///< Unused for arrays.
  CellIndex cell = kNoCell;
  std::uint32_t instance = 0;
  std::uint32_t column = 0;
  geometry::Orientation orientation = geometry::Orientation::kR0;
  bool general = false;
};

/// Everything of one cell that is searched, in one packed order.
struct SearchCell {
  enum class Kind : std::uint8_t { kBox, kPolygon, kArray, kChild };
  static constexpr int kKindShift = 30;
  static constexpr std::uint32_t kItemMask = (std::uint32_t{1} << kKindShift) - 1;

  /// Items of about one size and shape: a long wire among small cuts would make every group of
  /// the tree long.
  struct Class {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    geometry::PackedIndex tree;
  };

  std::vector<Box32> boxes;
  std::vector<std::uint32_t> refs;  ///< Kind, and the slot of a box or the position of the rest.
  CellGrid grid;                    ///< Where it suits the items,
  std::vector<Class> classes;       ///< else these.
  std::vector<SearchPolygon> polygons;
  std::vector<SearchArray> arrays;
  std::vector<SearchChild> children;
  std::vector<std::vector<Point32>> outlines;
  std::size_t memory_bytes() const;

  /// Calls visit(position) for every item whose box may touch the window.
  template <class Visit>
  void for_each_near(const Box& window, Visit&& visit) const {
    const geometry::BoxProbe probe(geometry::clamped(window));
    if (!grid.empty()) return grid.for_each_near(probe, boxes, visit);
    for (const Class& some : classes) {
      some.tree.for_each_range(probe, some.count, [&](std::size_t first, std::size_t last) {
        for (std::size_t i = some.first + first; i < some.first + last; ++i)
          if (probe.touches(boxes[i])) visit(i);
      });
    }
  }
};

class SearchCells {
 public:
  SearchCells(const Layout& layout, std::vector<LayerIndex> layers);

  const Layout& layout() const { return *layout_; }
  const std::vector<LayerIndex>& layers() const { return layers_; }
  /// Of the layers searched, instances included.
  const Box& box_of(CellIndex cell) const { return boxes_[cell]; }
  const SearchCell& cell(CellIndex index) const;
  std::size_t memory_bytes() const;

 private:
  struct Slot {
    std::once_flag once;
    SearchCell cell;
  };
  void build(CellIndex index, SearchCell& out) const;
  void add_layer(const LayerShapes& shapes, std::uint32_t slot, SearchCell& out) const;
  void add_children(const Cell& cell, SearchCell& out) const;

  const Layout* layout_;
  std::vector<LayerIndex> layers_;
  std::vector<Box> boxes_;
  std::unique_ptr<Slot[]> cells_;
};

/// A window, as it is seen in a cell.
struct BoxQuery {
  Box window;
  const Box& box() const { return window; }
  BoxQuery below(geometry::Orientation o, Point at) const {
    return {geometry::Transform{geometry::inverse(o), {}}(window.moved(Point{} - at))};
  }
};

/// A disc, as it is seen in a cell.
struct PointQuery {
  Point at;
  Coord radius = 0;
  Box box() const { return {at.x - radius, at.y - radius, at.x + radius, at.y + radius}; }
  PointQuery below(geometry::Orientation o, Point origin) const {
    return {geometry::apply(geometry::inverse(o), at - origin), radius};
  }
};

/// Calls for every item whose box touches the query's:
///   sink.box(slot, box, query, cell)                in the cell's frame
///   sink.polygon(slot, box, points, offset, query, cell)
///   sink.general(slot, points, cell)                in the view's frame, below odd angles
/// `transform()` and `path()` tell where the walk stands. A sink needs a member
/// `ShapeWalk<Query, Sink>* walk`.
template <class Query, class Sink>
class ShapeWalk {
 public:
  ShapeWalk(const SearchCells& cells, Sink& sink) : cells_(cells), sink_(sink) { sink.walk = this; }

  /// May be called for one query after the other.
  void run(CellIndex top, const Query& query) {
    if (!cells_.box_of(top).touches(query.box())) return;
    query_ = query;
    cell(top, query);
  }

  /// From the cell the walk stands in to the view.
  const geometry::Transform& transform() const { return transform_; }
  std::span<const PathStep> path() const { return {path_.data(), depth_}; }

 private:
  using Kind = SearchCell::Kind;

  void cell(CellIndex index, const Query& query) {
    const SearchCell& cell = cells_.cell(index);
    cell.for_each_near(query.box(), [&](std::size_t i) { item(cell, i, index, query); });
  }

  void item(const SearchCell& cell, std::size_t i, CellIndex index, const Query& query) {
    const std::uint32_t value = cell.refs[i] & SearchCell::kItemMask;
    switch (static_cast<Kind>(cell.refs[i] >> SearchCell::kKindShift)) {
      case Kind::kBox: sink_.box(value, Box(cell.boxes[i]), query, index); break;
      case Kind::kPolygon: {
        const SearchPolygon& p = cell.polygons[value];
        sink_.polygon(p.slot, Box(cell.boxes[i]), p.points, Point(p.offset), query, index);
        break;
      }
      case Kind::kArray: array(cell.arrays[value], index, query); break;
      case Kind::kChild: child(cell.children[value], index, query); break;
    }
  }

  void array(const SearchArray& array, CellIndex index, const Query& query) {
    const RepeatedShape& repeated = *array.repeated;
    for_each_copy_near(repeated.repetition, repeated.box, query.box(),
                       [&](std::uint32_t column, std::uint32_t row) {
                         const Point at = repeated.repetition.at(column, row);
                         const Box box = static_cast<Box>(repeated.box).moved(at);
                         if (array.points.empty()) {
                           sink_.box(array.slot, box, query, index);
                         } else {
                           sink_.polygon(array.slot, box, array.points, at, query, index);
                         }
                       });
  }

  void child(const SearchChild& child, CellIndex parent, const Query& query) {
    if (child.column != kAllCopies && !child.general)
      return enter(child, Point(child.at), {child.instance, child.column, 0}, query);
    const Instance& instance = cells_.layout().cell(parent).instances[child.instance];
    const Box element = cells_.layout().placed_box(instance, cells_.box_of(child.cell));
    const auto copy = [&](std::uint32_t column, std::uint32_t row) {
      const Point at = Layout::element_at(instance, column, row);
      if (!element.moved(at).touches(query.box())) return;
      const PathStep step{child.instance, column, row};
      if (!child.general) return enter(child, at, step, query);
      path_[depth_++] = step;
      general(child.cell, Placement{true, transform_, {}}.below(cells_.layout(), instance, at));
      --depth_;
    };
    if (child.column != kAllCopies) return copy(child.column, 0);
    for_each_copy_near(instance, element.moved(static_cast<Point>(instance.displacement)),
                       query.box(), copy);
  }

  void enter(const SearchChild& child, Point at, const PathStep& step, const Query& query) {
    const geometry::Transform above = transform_;
    transform_ = above * geometry::Transform{child.orientation, at};
    path_[depth_++] = step;
    cell(child.cell, query.below(child.orientation, at));
    --depth_;
    transform_ = above;
  }

  /// Below an odd angle: everything in the view's frame.
  void general(CellIndex index, const Placement& placement) {
    const SearchCell& cell = cells_.cell(index);
    const Box local = placement.to_local(query_.box());
    cell.for_each_near(local,
                       [&](std::size_t i) { general_item(cell, i, index, placement, local); });
  }

  void general_item(const SearchCell& cell, std::size_t i, CellIndex index,
                    const Placement& placement, const Box& local) {
    const std::uint32_t value = cell.refs[i] & SearchCell::kItemMask;
    switch (static_cast<Kind>(cell.refs[i] >> SearchCell::kKindShift)) {
      case Kind::kBox: general_box(value, Box(cell.boxes[i]), placement, index); break;
      case Kind::kPolygon: {
        const SearchPolygon& p = cell.polygons[value];
        general_polygon(p.slot, p.points, Point(p.offset), placement, index);
        break;
      }
      case Kind::kArray: {
        const SearchArray& array = cell.arrays[value];
        const RepeatedShape& repeated = *array.repeated;
        for_each_copy_near(
            repeated.repetition, repeated.box, local, [&](std::uint32_t column, std::uint32_t row) {
              const Point at = repeated.repetition.at(column, row);
              if (array.points.empty()) {
                general_box(array.slot, static_cast<Box>(repeated.box).moved(at), placement, index);
              } else {
                general_polygon(array.slot, array.points, at, placement, index);
              }
            });
        break;
      }
      case Kind::kChild: general_child(cell.children[value], index, placement, local); break;
    }
  }

  void general_child(const SearchChild& child, CellIndex parent, const Placement& placement,
                     const Box& local) {
    const Instance& instance = cells_.layout().cell(parent).instances[child.instance];
    const Box element = cells_.layout().placed_box(instance, cells_.box_of(child.cell));
    const auto copy = [&](std::uint32_t column, std::uint32_t row) {
      const Point at = Layout::element_at(instance, column, row);
      if (!element.moved(at).touches(local)) return;
      path_[depth_++] = {child.instance, column, row};
      general(child.cell, placement.below(cells_.layout(), instance, at));
      --depth_;
    };
    if (child.column != kAllCopies) return copy(child.column, 0);
    for_each_copy_near(instance, element.moved(static_cast<Point>(instance.displacement)), local,
                       copy);
  }

  void general_box(std::uint32_t slot, const Box& b, const Placement& placement, CellIndex index) {
    scratch_.assign(
        {{b.x_min, b.y_min}, {b.x_max, b.y_min}, {b.x_max, b.y_max}, {b.x_min, b.y_max}});
    for (Point& p : scratch_) p = placement(p);
    send_general(slot, index);
  }

  void general_polygon(std::uint32_t slot, std::span<const Point32> points, Point offset,
                       const Placement& placement, CellIndex index) {
    scratch_.clear();
    for (const Point32 p : points) scratch_.push_back(placement(static_cast<Point>(p) + offset));
    send_general(slot, index);
  }

  void send_general(std::uint32_t slot, CellIndex index) {
    Box box;
    for (const Point p : scratch_) box.include(p);
    if (box.touches(query_.box())) sink_.general(slot, box, scratch_, query_, index);
  }

  const SearchCells& cells_;
  Query query_;  ///< In the view's frame.
  Sink& sink_;
  geometry::Transform transform_;
  std::array<PathStep, kMaxDepth + 1> path_;
  std::size_t depth_ = 0;
  std::vector<Point> scratch_;
};

}  // namespace yieldloop::layout

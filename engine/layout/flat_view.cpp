#include "engine/layout/flat_view.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace yieldloop::layout {

using geometry::GeneralTransform;
using geometry::Transform;

namespace {

constexpr std::uint64_t kSaturated = ~std::uint64_t{0};

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  return a > kSaturated - b ? kSaturated : a + b;
}
std::uint64_t saturating_multiply(std::uint64_t a, std::uint64_t b) {
  return a != 0 && b > kSaturated / a ? kSaturated : a * b;
}

/// Columns and rows of an array, both ends included; empty when first > last.
struct ElementRange {
  std::uint32_t first_column = 0, last_column = 0, first_row = 0, last_row = 0;
  bool empty = false;
};

/// Whole k in [0, count) with low <= k * step <= high; a step of 0 takes all or none.
void steps_within(Coord low, Coord high, Coord step, std::uint32_t count, std::uint32_t& first,
                  std::uint32_t& last, bool& empty) {
  if (step == 0) {
    if (low > 0 || high < 0) empty = true;
    return;
  }
  if (step < 0) {
    std::swap(low, high);
    low = -low;
    high = -high;
    step = -step;
  }
  const Coord begin = low <= 0 ? 0 : (low + step - 1) / step;
  const Coord end = high < 0 ? -1 : high / step;
  if (begin > end || begin >= count) {
    empty = true;
    return;
  }
  first = static_cast<std::uint32_t>(begin);
  last = static_cast<std::uint32_t>(std::min<Coord>(end, Coord{count} - 1));
}

/// Which elements of the array may touch the window; exact when the steps are axis-parallel,
/// otherwise all (the caller tests each). `element` is the child's box before displacement.
ElementRange elements_near(const Instance& instance, const Box& element, const Box& window) {
  ElementRange r{0, instance.columns - 1, 0, instance.rows - 1, false};
  const Coord x_low = window.x_min - element.x_max - instance.displacement.x;
  const Coord x_high = window.x_max - element.x_min - instance.displacement.x;
  const Coord y_low = window.y_min - element.y_max - instance.displacement.y;
  const Coord y_high = window.y_max - element.y_min - instance.displacement.y;
  const Point32 c = instance.column_step;
  const Point32 w = instance.row_step;
  if ((instance.columns == 1 || c.y == 0) && (instance.rows == 1 || w.x == 0)) {
    steps_within(x_low, x_high, instance.columns == 1 ? 0 : c.x, instance.columns, r.first_column,
                 r.last_column, r.empty);
    steps_within(y_low, y_high, instance.rows == 1 ? 0 : w.y, instance.rows, r.first_row,
                 r.last_row, r.empty);
  } else if ((instance.columns == 1 || c.x == 0) && (instance.rows == 1 || w.y == 0)) {
    steps_within(y_low, y_high, instance.columns == 1 ? 0 : c.y, instance.columns, r.first_column,
                 r.last_column, r.empty);
    steps_within(x_low, x_high, instance.rows == 1 ? 0 : w.x, instance.rows, r.first_row,
                 r.last_row, r.empty);
  }
  return r;
}

/// A placement below the view's cell, exact as long as it can be.
struct Placement {
  bool exact = true;
  Transform transform;
  GeneralTransform general;

  Point operator()(Point p) const { return exact ? transform(p) : general(p); }
  Box to_local(const Box& window) const {
    return exact ? transform.inverted()(window) : general.inverted()(window).enlarged(1);
  }
  Placement below(const Layout& layout, const Instance& instance, Point at) const {
    Placement result;
    if (exact && instance.general < 0) {
      result.transform = transform * Transform{instance.orientation, at};
      return result;
    }
    GeneralTransform inner =
        instance.general < 0
            ? GeneralTransform::of(Transform{instance.orientation, {}})
            : layout.general_transforms()[static_cast<std::size_t>(instance.general)];
    inner.dx = static_cast<double>(at.x);
    inner.dy = static_cast<double>(at.y);
    result.exact = false;
    result.general = (exact ? GeneralTransform::of(transform) : general) * inner;
    return result;
  }
};

/// Walks the hierarchy to everything that touches a window. What is looked for in a cell comes
/// from `Work`: the child's box that matters and what to do in a cell.
template <class Work>
class Walker {
 public:
  Walker(const Layout& layout, const Box& window, Work& work)
      : layout_(layout), window_(window), work_(work) {}

  void cell(CellIndex index, const Placement& placement) {
    const Cell& cell = layout_.cell(index);
    const Box local = placement.to_local(window_);
    work_.in_cell(cell, index, placement, local, window_,
                  std::span<const PathStep>(path_.data(), depth_));
    if (cell.instances.empty()) return;
    cell.instance_index.for_each_range(
        local, cell.instances.size(), [&](std::size_t first, std::size_t last) {
          for (std::size_t i = first; i < last; ++i)
            instance(cell.instances[i], static_cast<std::uint32_t>(i), placement, local);
        });
  }

 private:
  void instance(const Instance& placed, std::uint32_t position, const Placement& placement,
                const Box& local) {
    const Box child = work_.box_of(layout_.cell(placed.cell));
    if (child.empty()) return;
    const Box element =
        placed.general < 0
            ? Transform{placed.orientation, {}}(child)
            : layout_.general_transforms()[static_cast<std::size_t>(placed.general)](child);
    const ElementRange range = elements_near(placed, element, local);
    if (range.empty) return;
    for (std::uint32_t row = range.first_row; row <= range.last_row; ++row) {
      for (std::uint32_t column = range.first_column; column <= range.last_column; ++column) {
        const Point at = Layout::element_at(placed, column, row);
        if (!element.moved(at).touches(local)) continue;
        path_[depth_++] = {position, column, row};
        cell(placed.cell, placement.below(layout_, placed, at));
        --depth_;
      }
    }
  }

  const Layout& layout_;
  const Box window_;
  Work& work_;
  std::array<PathStep, kMaxDepth + 1> path_;
  std::size_t depth_ = 0;
};

struct ShapeWork {
  LayerIndex layer;
  FunctionRef<void(const FlatShape&)> visit;
  std::vector<Point> scratch;

  Box box_of(const Cell& cell) const { return cell.layer_bbox(layer); }

  void in_cell(const Cell& cell, CellIndex index, const Placement& placement, const Box& local,
               const Box& window, std::span<const PathStep> path) {
    const LayerShapes* shapes = cell.find(layer);
    if (shapes == nullptr || !shapes->bbox.touches(local)) return;
    FlatShape shape;
    shape.layer = layer;
    shape.cell = index;
    shape.path = path;
    boxes(*shapes, placement, local, window, shape);
    polygons(*shapes, placement, local, window, shape);
  }

  void boxes(const LayerShapes& shapes, const Placement& placement, const Box& local,
             const Box& window, FlatShape& shape) {
    const auto range = [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i) {
        const Box box = shapes.boxes[i];
        if (!box.touches(local)) continue;
        shape.shape = static_cast<std::uint32_t>(i);
        if (placement.exact) {
          shape.is_box = true;
          shape.box = placement.transform(box);
          shape.points = {};
          visit(shape);
        } else {
          const std::array<Point32, 4> corners{geometry::narrow(Point{box.x_min, box.y_min}),
                                               geometry::narrow(Point{box.x_max, box.y_min}),
                                               geometry::narrow(Point{box.x_max, box.y_max}),
                                               geometry::narrow(Point{box.x_min, box.y_max})};
          send(corners, placement, window, shape);
        }
      }
    };
    shapes.box_index.for_each_range(local, shapes.boxes.size(), range);
  }

  void polygons(const LayerShapes& shapes, const Placement& placement, const Box& local,
                const Box& window, FlatShape& shape) {
    const auto range = [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i) {
        const PolygonRange& polygon = shapes.polygons[i];
        if (!static_cast<Box>(polygon.box).touches(local)) continue;
        shape.shape = static_cast<std::uint32_t>(shapes.boxes.size() + i);
        send(std::span(shapes.points).subspan(polygon.first, polygon.count), placement, window,
             shape);
      }
    };
    shapes.polygon_index.for_each_range(local, shapes.polygons.size(), range);
  }

  void send(std::span<const Point32> points, const Placement& placement, const Box& window,
            FlatShape& shape) {
    scratch.clear();
    shape.box = Box{};
    for (const Point32 p : points) {
      scratch.push_back(placement(p));
      shape.box.include(scratch.back());
    }
    if (!shape.box.touches(window)) return;
    shape.is_box = false;
    shape.points = scratch;
    visit(shape);
  }
};

struct TextWork {
  FunctionRef<void(const FlatText&)> visit;

  Box box_of(const Cell& cell) const { return cell.extent; }

  void in_cell(const Cell& cell, CellIndex, const Placement& placement, const Box&,
               const Box& window, std::span<const PathStep> path) {
    for (const Text& text : cell.texts) {
      const Point at = placement(text.at);
      if (window.contains(at)) visit({text.key, at, text.string, path});
    }
  }
};

}  // namespace

void FlatView::for_each_shape(LayerIndex layer, const Box& window,
                              FunctionRef<void(const FlatShape&)> visit) const {
  if (window.empty() || !bbox(layer).touches(window)) return;
  ShapeWork work{layer, visit, {}};
  Walker<ShapeWork>(*layout_, window, work).cell(top_, {});
}

std::vector<PlacedShape> FlatView::shapes_in(LayerIndex layer, const Box& window) const {
  std::vector<PlacedShape> result;
  for_each_shape(layer, window, [&](const FlatShape& shape) {
    result.push_back({shape.box, shape.is_box, {shape.points.begin(), shape.points.end()}});
  });
  return result;
}

void FlatView::for_each_text(const Box& window, FunctionRef<void(const FlatText&)> visit) const {
  if (window.empty() || !layout_->cell(top_).extent.touches(window)) return;
  TextWork work{visit};
  Walker<TextWork>(*layout_, window, work).cell(top_, {});
}

std::uint64_t FlatView::count_shapes(LayerIndex layer) const {
  const std::vector<std::uint64_t> times = layout_->times_placed(std::span(&top_, 1));
  std::uint64_t sum = 0;
  for (CellIndex i = 0; i < times.size(); ++i) {
    const LayerShapes* shapes = times[i] > 0 ? layout_->cell(i).find(layer) : nullptr;
    if (shapes != nullptr) sum = saturating_add(sum, shapes->counts.total());
  }
  return sum;
}

std::uint64_t FlatView::count_shapes_expanded(LayerIndex layer) const {
  const std::vector<std::uint64_t> times = layout_->times_placed(std::span(&top_, 1));
  std::uint64_t sum = 0;
  for (CellIndex i = 0; i < times.size(); ++i) {
    const LayerShapes* shapes = times[i] > 0 ? layout_->cell(i).find(layer) : nullptr;
    if (shapes != nullptr)
      sum = saturating_add(sum, saturating_multiply(times[i], shapes->counts.total()));
  }
  return sum;
}

std::uint64_t FlatView::instances_expanded() const {
  const std::vector<std::uint64_t> times = layout_->times_placed(std::span(&top_, 1));
  std::uint64_t sum = 0;
  for (CellIndex i = 0; i < times.size(); ++i)
    for (const Instance& instance : layout_->cell(i).instances)
      sum = saturating_add(sum, saturating_multiply(times[i], instance.count()));
  return sum;
}

Result<FlatView> view_of(const Layout& layout) {
  if (layout.top_cells().empty())
    return Error{Errc::kNoData, "LAYO-0003", "The layout has no cell; give a file that draws one."};
  return FlatView(layout, layout.top_cells().front());
}

Result<FlatView> view_of(const Layout& layout, std::string_view top_cell) {
  const auto cell = layout.find_cell(top_cell);
  if (!cell)
    return Error{Errc::kNotFound, "LAYO-0004",
                 "The layout has no cell " + std::string(top_cell) +
                     "; name one it has, or none for the largest top cell."};
  return FlatView(layout, *cell);
}

Result<LayerIndex> require_layer(const Layout& layout, LayerKey key) {
  if (const auto layer = layout.find_layer(key)) return *layer;
  std::string some;
  for (std::size_t i = 0; i < std::min<std::size_t>(layout.layers().size(), 12); ++i)
    some += (i == 0 ? "" : ", ") + to_string(layout.layers()[i]);
  return Error{Errc::kNotFound, "LAYO-0005",
               "Nothing is drawn on layer " + to_string(key) + " of the layout; it draws on " +
                   (some.empty() ? "no layer" : some) +
                   (layout.layers().size() > 12 ? " and more" : "") + "."};
}

}  // namespace yieldloop::layout

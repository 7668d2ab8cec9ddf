#include "engine/layout/flat_view.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/layout/placement.h"

namespace yieldloop::layout {

namespace {

constexpr std::uint64_t kSaturated = ~std::uint64_t{0};

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  return a > kSaturated - b ? kSaturated : a + b;
}
std::uint64_t saturating_multiply(std::uint64_t a, std::uint64_t b) {
  return a != 0 && b > kSaturated / a ? kSaturated : a * b;
}

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
    cell.for_each_instance_near(layout_, local, [&](std::uint32_t position, std::uint32_t column) {
      instance(cell.instances[position], position, column, placement, local);
    });
  }

 private:
  void instance(const Instance& placed, std::uint32_t position, std::uint32_t one_column,
                const Placement& placement, const Box& local) {
    const Box child = work_.box_of(layout_.cell(placed.cell));
    if (child.empty()) return;
    const Box element = layout_.placed_box(placed, child);
    const auto copy = [&](std::uint32_t column, std::uint32_t row) {
      const Point at = Layout::element_at(placed, column, row);
      if (!element.moved(at).touches(local)) return;
      path_[depth_++] = {position, column, row};
      cell(placed.cell, placement.below(layout_, placed, at));
      --depth_;
    };
    if (one_column != kAllCopies) return copy(one_column, 0);
    for_each_copy_near(placed, element.moved(static_cast<Point>(placed.displacement)), local, copy);
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
    shapes->for_each_near(local, [&](const CellShape& found) {
      shape.shape = found.position;
      if (found.is_box && placement.exact) {
        shape.is_box = true;
        shape.box = placement.transform(found.box);
        shape.points = {};
        visit(shape);
      } else {
        corners(found);
        send(placement, window, shape);
      }
    });
  }

  void corners(const CellShape& found) {
    scratch.clear();
    if (found.is_box) {
      const Box& b = found.box;
      scratch.assign(
          {{b.x_min, b.y_min}, {b.x_max, b.y_min}, {b.x_max, b.y_max}, {b.x_min, b.y_max}});
    }
    for (const Point32 p : found.points) scratch.push_back(static_cast<Point>(p) + found.offset);
  }

  void send(const Placement& placement, const Box& window, FlatShape& shape) {
    shape.box = Box{};
    for (Point& p : scratch) {
      p = placement(p);
      shape.box.include(p);
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

  void in_cell(const Cell& cell, CellIndex, const Placement& placement, const Box& local,
               const Box& window, std::span<const PathStep> path) {
    for (const Text& text : cell.texts) {
      Box point;
      point.include(static_cast<Point>(text.at));
      for_each_copy_near(text.repetition, point, local, [&](std::uint32_t c, std::uint32_t r) {
        const Point at = placement(static_cast<Point>(text.at) + text.repetition.at(c, r));
        if (window.contains(at)) visit({text.key, at, *text.string, path});
      });
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
      sum = saturating_add(sum, saturating_multiply(times[i], shapes->elements));
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

#include "engine/layout/cell_surroundings.h"

#include <algorithm>
#include <cmath>

#include "engine/layout/placement.h"

namespace yieldloop::layout {
namespace {

/// From a point to the box's border, inside or outside.
double distance_to_side(const Box& box, Point at) {
  if (!box.contains(at)) {
    const Coord dx = std::max({box.x_min - at.x, Coord{0}, at.x - box.x_max});
    const Coord dy = std::max({box.y_min - at.y, Coord{0}, at.y - box.y_max});
    return std::hypot(static_cast<double>(dx), static_cast<double>(dy));
  }
  return static_cast<double>(
      std::min({at.x - box.x_min, box.x_max - at.x, at.y - box.y_min, box.y_max - at.y}));
}

class CellWalk {
 public:
  CellWalk(const FlatView& view, Point at, Coord reach, Coord smallest)
      : layout_(view.layout()),
        at_(at),
        smallest_(smallest),
        window_(Box{at.x, at.y, at.x, at.y}.enlarged(reach)) {
    found_.cell_edge = found_.macro_edge = static_cast<double>(reach);
    found_.deepest = view.top();
    found_.path = path_ = {view.top()};
    cell(view.top(), {});
  }
  const CellSurroundings& found() const { return found_; }

 private:
  void cell(CellIndex index, const Placement& placement) {
    const Cell& cell = layout_.cell(index);
    if (cell.instances.empty()) return;
    const Box local = placement.to_local(window_);
    cell.for_each_instance_near(layout_, local, [&](std::uint32_t position, std::uint32_t column) {
      const Instance& instance = cell.instances[position];
      const Box child = layout_.cell(instance.cell).bbox;
      if (child.empty()) return;
      const Box element = layout_.placed_box(instance, child);
      const auto copy = [&](std::uint32_t c, std::uint32_t r) {
        const Point origin = Layout::element_at(instance, c, r);
        if (element.moved(origin).touches(local))
          enter(instance.cell, placement.below(layout_, instance, origin));
      };
      if (column != kAllCopies) return copy(column, 0);
      for_each_copy_near(instance, element.moved(static_cast<Point>(instance.displacement)), local,
                         copy);
    });
  }

  void enter(CellIndex index, const Placement& placement) {
    const Cell& cell = layout_.cell(index);
    const Box box = placement.exact ? placement.transform(cell.bbox) : placement.general(cell.bbox);
    if (box.width() < smallest_ && box.height() < smallest_) return;
    path_.push_back(index);
    double& nearest = cell.instances.empty() ? found_.cell_edge : found_.macro_edge;
    nearest = std::min(nearest, distance_to_side(box, at_));
    const bool deeper = path_.size() > found_.path.size() ||
                        (path_.size() == found_.path.size() && box.area() < smallest_found_);
    if (deeper && box.contains(at_)) {
      found_.deepest = index;
      found_.path = path_;
      smallest_found_ = box.area();
    }
    this->cell(index, placement);
    path_.pop_back();
  }

  const Layout& layout_;
  const Point at_;
  const Coord smallest_;
  const Box window_;
  CellSurroundings found_;
  std::vector<CellIndex> path_;
  double smallest_found_ = HUGE_VAL;
};

}  // namespace

CellSurroundings cells_around(const FlatView& view, Point at, Coord reach, Coord smallest) {
  return CellWalk(view, at, reach, smallest).found();
}

}  // namespace yieldloop::layout

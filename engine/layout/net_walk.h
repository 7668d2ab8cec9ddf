/// \file
/// Walks a net hierarchy to what is drawn near a window; for this folder's sources.
#pragma once

#include <vector>

#include "engine/layout/net_hierarchy.h"
#include "engine/layout/net_touch.h"

namespace yieldloop::layout {

/// A shape of a net cell as some cell above sees it. Valid as long as its placement.
struct NetShape {
  const NetCell* cell = nullptr;
  const Placement* placement = nullptr;  ///< Null: as the cell draws it.
  unsigned slot = 0;
  std::uint32_t number = 0;  ///< Among the cell's own shapes of the slot.
  Box box;
  bool is_box = true;

  static NetShape of(const NetCell& cell, unsigned slot, const SlotShapes& shapes,
                     std::uint32_t number, const Placement* placement) {
    NetShape shape{&cell, placement, slot, number, {}, true};
    const bool box = number < shapes.boxes.size();
    shape.is_box = box && (placement == nullptr || placement->exact);
    shape.box = box ? static_cast<Box>(shapes.boxes[number])
                    : static_cast<Box>(shapes.polygons[number - shapes.boxes.size()].box);
    if (placement != nullptr) shape.box = (*placement)(shape.box);
    return shape;
  }

  /// The corners, laid out in `room`.
  Ring ring(std::vector<Point>& room) const {
    const SlotShapes& shapes = cell->shapes(slot);
    room.clear();
    if (number < shapes.boxes.size()) {
      const Box b = shapes.boxes[number];
      room.assign({{b.x_min, b.y_min}, {b.x_max, b.y_min}, {b.x_max, b.y_max}, {b.x_min, b.y_max}});
    } else {
      const NetPolygon& polygon = shapes.polygons[number - shapes.boxes.size()];
      for (std::uint32_t i = 0; i < polygon.count; ++i)
        room.push_back(static_cast<Point>(cell->points[polygon.first + i]) + polygon.offset);
    }
    if (placement != nullptr)
      for (Point& p : room) p = (*placement)(p);
    return room;
  }

  std::uint32_t net() const { return cell->net_of[cell->shapes(slot).first + number]; }
};

/// Compares shapes; keeps its working memory.
class TouchTest {
 public:
  bool operator()(const NetShape& a, const NetShape& b) {
    if (!a.box.touches(b.box)) return false;
    if (a.is_box && b.is_box) return true;
    if (a.is_box) return touching(a.box, b.ring(second_));
    if (b.is_box) return touching(b.box, a.ring(first_));
    return touching(a.ring(first_), b.ring(second_));
  }

 private:
  std::vector<Point> first_, second_;
};

/// Finds shapes below a cell and remembers on which way, so that their nets can be told.
class NetWalk {
 public:
  explicit NetWalk(const NetHierarchy& nets) : nets_(nets) {}

  /// Calls visit(shape) for the shapes of the slots at and below the cell whose box touches the
  /// window, until it returns false; tells whether it did not. `placement` places the cell in the
  /// window's frame.
  template <class Visit>
  bool near(std::uint32_t index, const Placement& placement, const Box& window, SlotMask slots,
            Visit&& visit) {
    const NetCell& cell = nets_.cells[index];
    const Box local = placement.to_local(window);
    bool on = true;
    for_each_slot(slots & cell.own_mask, [&](unsigned slot) {
      const SlotShapes& shapes = cell.shapes(slot);
      if (!on || !shapes.bbox.touches(local)) return;
      on = shapes.near(local, [&](std::uint32_t number) {
        return visit(NetShape::of(cell, slot, shapes, number, &placement));
      });
    });
    if (on && (slots & cell.child_mask) != 0)
      on = below(index, placement, local, window, slots, visit);
    return on;
  }

  /// The net, of the cell that near() began with, of a net of the cell it is in.
  std::uint64_t lifted(std::uint64_t net) const {
    for (std::size_t i = path_.size(); i-- > 0;)
      net = nets_.cells[path_[i].first].lift(path_[i].second, net);
    return net;
  }

 private:
  template <class Visit>
  bool below(std::uint32_t index, const Placement& placement, const Box& local, const Box& window,
             SlotMask slots, Visit& visit) {
    const NetCell& cell = nets_.cells[index];
    bool on = true;
    cell.child_tree.for_each_range(
        local, cell.children.size(), [&](std::size_t from, std::size_t to) {
          for (std::size_t i = from; on && i < to; ++i) {
            const NetChild& child = cell.children[i];
            if (!cell.child_boxes[i].touches(local) ||
                (slots & nets_.cells[child.cell].mask()) == 0)
              continue;
            path_.emplace_back(index, static_cast<std::uint32_t>(i));
            on = near(child.cell, nets_.below(placement, child), window, slots, visit);
            path_.pop_back();
          }
        });
    return on;
  }

  const NetHierarchy& nets_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> path_;
};

}  // namespace yieldloop::layout

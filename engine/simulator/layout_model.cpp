#include "engine/simulator/layout_model.h"

#include <algorithm>

namespace yieldloop::simulator {
namespace {

Point turned(Point p, bool mirrored, int quarters) {
  if (mirrored) p.y = -p.y;
  for (int q = 0; q < quarters; ++q) p = {-p.y, p.x};
  return p;
}

void walk(const Layout& layout, std::size_t cell, const Placement& placement,
          const std::function<void(std::size_t, const Placement&)>& visit) {
  visit(cell, placement);
  for (const CellPlacement& child : layout.cells[cell].placements) {
    for (int row = 0; row < child.rows; ++row) {
      for (int column = 0; column < child.columns; ++column) {
        Placement inner = child.placement;
        inner.at.x += column * child.pitch.x;
        inner.at.y += row * child.pitch.y;
        walk(layout, child.cell, placement.after(inner), visit);
      }
    }
  }
}

std::vector<Point> via_places(const Layout& layout, const std::vector<Point> LayoutCell::*vias) {
  std::vector<Point> places;
  walk(layout, layout.top, {}, [&](std::size_t cell, const Placement& placement) {
    for (const Point via : layout.cells[cell].*vias) places.push_back(placement.apply(via));
  });
  return places;
}

}  // namespace

Point Placement::apply(Point p) const {
  const Point t = turned(p, mirrored, quarters);
  return {t.x + at.x, t.y + at.y};
}

Box Placement::apply(Box box) const {
  const Point a = apply(box.low);
  const Point b = apply(box.high);
  return {{std::min(a.x, b.x), std::min(a.y, b.y)}, {std::max(a.x, b.x), std::max(a.y, b.y)}};
}

Placement Placement::after(const Placement& inner) const {
  // Reflecting turns the inner rotation round.
  const int inner_quarters = mirrored ? 4 - inner.quarters : inner.quarters;
  return {mirrored != inner.mirrored, (quarters + inner_quarters) % 4, apply(inner.at)};
}

void visit_instances(const Layout& layout,
                     const std::function<void(std::size_t, const Placement&)>& visit) {
  walk(layout, layout.top, {}, visit);
}

std::vector<Box> occurrences(const Layout& layout, std::size_t cell, const Box& box) {
  std::vector<Box> boxes;
  walk(layout, layout.top, {}, [&](std::size_t visited, const Placement& placement) {
    if (visited == cell) boxes.push_back(placement.apply(box));
  });
  return boxes;
}

std::vector<Point> single_via_places(const Layout& layout) {
  return via_places(layout, &LayoutCell::single_vias);
}

std::vector<Point> double_via_places(const Layout& layout) {
  return via_places(layout, &LayoutCell::double_vias);
}

std::size_t expanded_shape_count(const Layout& layout) {
  std::size_t count = 0;
  walk(layout, layout.top, {}, [&](std::size_t cell, const Placement&) {
    const LayoutCell& shapes = layout.cells[cell];
    count += shapes.rects.size() + shapes.polygons.size() + shapes.wires.size();
  });
  return count;
}

}  // namespace yieldloop::simulator

/// \file
/// Random hierarchies and the slow, certain way to flatten them.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "engine/core/random.h"
#include "engine/geometry/region.h"
#include "engine/layout/flat_view.h"
#include "engine/layout/layout_builder.h"

namespace yieldloop::layout::test {

inline Coord draw(Random& random, Coord low, Coord high) {
  return low + static_cast<Coord>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}

struct PlainInstance {
  std::size_t cell;
  geometry::Orientation orientation;
  Point at;
  Point column_step;
  Point row_step;
  std::uint32_t columns;
  std::uint32_t rows;
};

struct PlainCell {
  std::vector<Polygon> polygons;
  std::vector<PlainInstance> instances;
};

/// Cells refer to earlier ones only; the last is the top.
struct PlainLayout {
  std::vector<PlainCell> cells;

  static PlainLayout draw_one(Random& random, std::size_t cell_count, int shapes, bool arrays) {
    PlainLayout layout;
    for (std::size_t c = 0; c < cell_count; ++c) {
      PlainCell cell;
      for (int i = 0; i < shapes; ++i) cell.polygons.push_back(polygon(random));
      const std::uint64_t placed = c == 0 ? 0 : 1 + random.below(3);
      for (std::uint64_t i = 0; i < placed; ++i) {
        PlainInstance p{};
        p.cell = random.below(c);
        p.orientation = static_cast<geometry::Orientation>(random.below(8));
        p.at = {draw(random, -60, 60), draw(random, -60, 60)};
        p.columns = arrays ? 1 + static_cast<std::uint32_t>(random.below(4)) : 1;
        p.rows = arrays ? 1 + static_cast<std::uint32_t>(random.below(3)) : 1;
        const bool skewed = random.chance(0.3);
        p.column_step = {draw(random, -40, 40), skewed ? draw(random, -9, 9) : 0};
        p.row_step = {skewed ? draw(random, -9, 9) : 0, draw(random, -40, 40)};
        if (random.chance(0.3)) std::swap(p.column_step, p.row_step);
        cell.instances.push_back(p);
      }
      layout.cells.push_back(cell);
    }
    return layout;
  }

  static Polygon polygon(Random& random) {
    const Coord x = draw(random, -40, 40);
    const Coord y = draw(random, -40, 40);
    const Coord w = draw(random, 2, 12);
    const Coord h = draw(random, 2, 12);
    if (random.chance(0.7)) return {{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}};
    // An L.
    return {{x, y}, {x + w, y}, {x + w, y + 1}, {x + 1, y + 1}, {x + 1, y + h}, {x, y + h}};
  }

  Layout build() const {
    LayoutBuilder builder(0.001);
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const CellIndex index = builder.add_cell("c" + std::to_string(c));
      for (const Polygon& p : cells[c].polygons) {
        std::vector<Point32> points;
        for (const Point q : p) points.push_back(geometry::narrow(q));
        builder.add_polygon(index, {1, 0}, points);
      }
      for (const PlainInstance& p : cells[c].instances) {
        Instance instance;
        instance.cell = builder.cell("c" + std::to_string(p.cell));
        instance.orientation = p.orientation;
        instance.displacement = geometry::narrow(p.at);
        instance.columns = p.columns;
        instance.rows = p.rows;
        instance.column_step = geometry::narrow(p.column_step);
        instance.row_step = geometry::narrow(p.row_step);
        builder.add_instance(index, instance);
      }
    }
    return builder.build().value();
  }

  void flatten(std::size_t cell, const geometry::Transform& t, std::vector<Polygon>& out) const {
    for (const Polygon& p : cells[cell].polygons) {
      Polygon moved;
      for (const Point q : p) moved.push_back(t(q));
      out.push_back(moved);
    }
    for (const PlainInstance& p : cells[cell].instances)
      for (std::uint32_t c = 0; c < p.columns; ++c)
        for (std::uint32_t r = 0; r < p.rows; ++r) {
          const Point at{p.at.x + c * p.column_step.x + r * p.row_step.x,
                         p.at.y + c * p.column_step.y + r * p.row_step.y};
          flatten(p.cell, t * geometry::Transform{p.orientation, at}, out);
        }
  }
  std::vector<Polygon> flatten() const {
    std::vector<Polygon> out;
    flatten(cells.size() - 1, {}, out);
    return out;
  }
};

/// A flat layout of boxes on layer 1/0 with 1 nm units.
inline Layout layout_of(const std::vector<Box>& boxes) {
  LayoutBuilder builder(0.001);
  const CellIndex top = builder.add_cell("top");
  for (const Box& box : boxes) builder.add_box(top, {1, 0}, box);
  return builder.build().value();
}

}  // namespace yieldloop::layout::test

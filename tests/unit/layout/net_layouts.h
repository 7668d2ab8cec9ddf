/// \file
/// Random hierarchies on a small stack of layers, and the slow, certain way to find their nets.
#pragma once

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "engine/core/random.h"
#include "engine/geometry/region.h"
#include "engine/layout/chip_nets.h"
#include "engine/layout/layout_builder.h"
#include "engine/layout/placement.h"
#include "tests/unit/layout/random_layout.h"

namespace yieldloop::layout::test {

/// Metals 1/0 and 2/0, the cut 10/0 between them.
inline NetStack two_metals(const Layout& layout) {
  NetStack stack;
  for (const int metal : {1, 2})
    if (const auto layer = layout.find_layer({metal, 0})) stack.conductors.push_back(*layer);
  if (const auto cut = layout.find_layer({10, 0}); cut && stack.conductors.size() == 2)
    stack.vias.push_back({*cut, stack.conductors[0], stack.conductors[1]});
  return stack;
}

struct NetLayoutKind {
  bool arrays = false;
  double degrees = 0.0;  ///< Of some placements; 0 for none.
  Coord reach = 60;
};

inline void draw_shape(Random& random, LayoutBuilder& builder, CellIndex cell) {
  const bool cut = random.chance(0.25);
  const LayerKey key{cut ? 10 : 1 + static_cast<int>(random.below(2)), 0};
  const Coord x = draw(random, -40, 40), y = draw(random, -40, 40);
  const Coord w = draw(random, 2, cut ? 4 : 25), h = draw(random, 2, cut ? 4 : 8);
  const auto at = [](Coord px, Coord py) { return geometry::narrow(Point{px, py}); };
  if (random.chance(0.7)) {
    builder.add_box(cell, key, {x, y, x + w, y + h});
  } else if (random.chance(0.5)) {
    builder.add_polygon(cell, key,
                        std::vector<Point32>{at(x, y), at(x + w, y), at(x + w, y + 1),
                                             at(x + 1, y + 1), at(x + 1, y + h), at(x, y + h)});
  } else {
    builder.add_polygon(cell, key,
                        std::vector<Point32>{at(x, y), at(x + w, y + 2), at(x + w / 2, y + h)});
  }
}

/// Cells place earlier ones only; the last, "top", places some of all.
inline Layout draw_net_layout(Random& random, std::size_t cells, int shapes,
                              const NetLayoutKind& kind) {
  LayoutBuilder builder(0.001);
  std::vector<CellIndex> made;
  for (std::size_t c = 0; c < cells; ++c) {
    const bool top = c + 1 == cells;
    const CellIndex cell = builder.add_cell(top ? "top" : "c" + std::to_string(c));
    for (int i = 0; i < shapes; ++i) draw_shape(random, builder, cell);
    const std::uint64_t placed = c == 0 ? 0 : 1 + random.below(3);
    for (std::uint64_t i = 0; i < placed; ++i) {
      Instance instance;
      instance.cell = made[random.below(made.size())];
      instance.orientation = static_cast<geometry::Orientation>(random.below(8));
      instance.displacement = geometry::narrow(
          Point{draw(random, -kind.reach, kind.reach), draw(random, -kind.reach, kind.reach)});
      if (kind.arrays && random.chance(0.6)) {
        instance.columns = 1 + static_cast<std::uint32_t>(random.below(6));
        instance.rows = 1 + static_cast<std::uint32_t>(random.below(5));
        instance.column_step = {static_cast<std::int32_t>(draw(random, -90, 90)),
                                static_cast<std::int32_t>(random.chance(0.3) ? 7 : 0)};
        instance.row_step = {static_cast<std::int32_t>(random.chance(0.3) ? 5 : 0),
                             static_cast<std::int32_t>(draw(random, -90, 90))};
      }
      if (kind.degrees != 0.0 && random.chance(0.5))
        builder.add_instance(cell, instance, random.chance(0.5), 1.0, kind.degrees);
      else
        builder.add_instance(cell, instance);
    }
    made.push_back(cell);
  }
  return builder.build().value();
}

/// A shape with the way to it from the top.
struct FarShape {
  struct Step {
    CellIndex cell;
    std::uint32_t instance, column, row;
    friend bool operator==(const Step&, const Step&) = default;
  };
  LayerIndex layer = 0;
  std::vector<Step> path;
  Polygon points;  ///< As its cell draws it.
};

class SlowNets {
 public:
  SlowNets(const FlatView& view, const NetStack& stack, const Box& window = {})
      : layout_(view.layout()), stack_(stack) {
    std::vector<FarShape::Step> path;
    gather(view.top(), path);
    if (!window.empty())
      std::erase_if(shapes, [&](const FarShape& s) { return !hull(seen(s, 0)).touches(window); });
    net.resize(shapes.size());
    std::iota(net.begin(), net.end(), std::size_t{0});
    for (std::size_t i = 0; i < shapes.size(); ++i)
      for (std::size_t k = i + 1; k < shapes.size(); ++k)
        if (root(i) != root(k) && may_touch(shapes[i].layer, shapes[k].layer) &&
            touch(shapes[i], shapes[k]))
          net[root(k)] = root(i);
  }

  std::size_t root(std::size_t i) const {
    while (net[i] != i) i = net[i];
    return i;
  }
  bool conducts(std::size_t i) const {
    return std::ranges::find(stack_.conductors, shapes[i].layer) != stack_.conductors.end();
  }
  /// Groups with and without a shape on a conductor.
  std::pair<std::uint64_t, std::uint64_t> count() const {
    std::vector<int> kind(shapes.size(), 0);
    for (std::size_t i = 0; i < shapes.size(); ++i) kind[root(i)] |= conducts(i) ? 1 : 2;
    std::uint64_t nets = 0, cuts = 0;
    for (const int k : kind) {
      nets += (k & 1) != 0;
      cuts += k == 2;
    }
    return {nets, cuts};
  }
  /// The corners as the cell that `from` steps of the path lead to sees them.
  Polygon seen(const FarShape& shape, std::size_t from) const {
    Placement placement;
    for (std::size_t i = from; i < shape.path.size(); ++i) {
      const FarShape::Step& step = shape.path[i];
      const Instance& instance = layout_.cell(step.cell).instances[step.instance];
      const geometry::GeneralTransform* odd =
          instance.general < 0
              ? nullptr
              : &layout_.general_transforms()[static_cast<std::size_t>(instance.general)];
      placement = placement.below(instance.orientation, odd,
                                  Layout::element_at(instance, step.column, step.row));
    }
    Polygon result;
    for (const Point p : shape.points) result.push_back(placement(p));
    return result;
  }
  static Box hull(const Polygon& polygon) {
    Box box;
    for (const Point p : polygon) box.include(p);
    return box;
  }

  std::vector<FarShape> shapes;
  std::vector<std::size_t> net;

 private:
  void gather(CellIndex index, std::vector<FarShape::Step>& path) {
    const Cell& cell = layout_.cell(index);
    const auto add = [&](LayerIndex layer) {
      const LayerShapes* drawn = cell.find(layer);
      if (drawn == nullptr) return;
      drawn->for_each_near(drawn->bbox, [&](const CellShape& s) {
        FarShape shape{layer, path, {}};
        const Box& b = s.box;
        if (s.is_box)
          shape.points = {
              {b.x_min, b.y_min}, {b.x_max, b.y_min}, {b.x_max, b.y_max}, {b.x_min, b.y_max}};
        for (const Point32 p : s.points) shape.points.push_back(static_cast<Point>(p) + s.offset);
        shapes.push_back(std::move(shape));
      });
    };
    for (const LayerIndex layer : stack_.conductors) add(layer);
    for (const ViaLayer& via : stack_.vias) add(via.cut);
    for (std::uint32_t i = 0; i < cell.instances.size(); ++i)
      for (std::uint32_t c = 0; c < cell.instances[i].columns; ++c)
        for (std::uint32_t r = 0; r < cell.instances[i].rows; ++r) {
          path.push_back({index, i, c, r});
          gather(cell.instances[i].cell, path);
          path.pop_back();
        }
  }

  bool may_touch(LayerIndex a, LayerIndex b) const {
    if (a == b) return true;
    return std::ranges::any_of(stack_.vias, [&](const ViaLayer& via) {
      const auto joins = [&](LayerIndex cut, LayerIndex metal) {
        return cut == via.cut && (metal == via.below || metal == via.above);
      };
      return joins(a, b) || joins(b, a);
    });
  }

  bool touch(const FarShape& a, const FarShape& b) const {
    std::size_t common = 0;
    while (common < a.path.size() && common < b.path.size() && a.path[common] == b.path[common])
      ++common;
    return meet(seen(a, common), seen(b, common));
  }

  /// Closed polygons share a point: a corner lies in the other, or borders cross.
  static bool meet(const Polygon& a, const Polygon& b) {
    for (const Point p : a)
      if (geometry::contains(b, p)) return true;
    for (const Point p : b)
      if (geometry::contains(a, p)) return true;
    for (std::size_t i = 0; i < a.size(); ++i)
      for (std::size_t k = 0; k < b.size(); ++k)
        if (cross(a[i], a[(i + 1) % a.size()], b[k], b[(k + 1) % b.size()])) return true;
    return false;
  }
  /// Properly: no end on the other segment.
  static bool cross(Point a, Point b, Point c, Point d) {
    const auto left = [](Point p, Point q, Point r) {
      return (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x) > 0;
    };
    return left(a, b, c) != left(a, b, d) && left(c, d, a) != left(c, d, b) &&
           geometry::cross(b - a, d - c) != 0;
  }

  const Layout& layout_;
  const NetStack& stack_;
};

}  // namespace yieldloop::layout::test

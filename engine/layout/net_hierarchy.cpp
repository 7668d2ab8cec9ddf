#include "engine/layout/net_hierarchy.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "engine/layout/path_shape.h"

namespace yieldloop::layout {

using geometry::Orientation;
using geometry::PackedIndex;

namespace {

/// Regular arrays from this size on are solved as halves of halves.
constexpr std::uint64_t kArrayFrom = 8;
/// Repeated shapes up to this size are laid out in their cell.
constexpr std::uint64_t kShapeArrayFrom = 256;
/// Copies that may be laid out one by one.
constexpr std::uint64_t kMostCopies = std::uint64_t{1} << 28;
constexpr std::uint32_t kNothing = static_cast<std::uint32_t>(-1);

template <class T>
void reorder(std::vector<T>& items, const std::vector<std::uint32_t>& order) {
  std::vector<T> sorted;
  sorted.reserve(items.size());
  for (const std::uint32_t i : order) sorted.push_back(std::move(items[i]));
  items = std::move(sorted);
}

void index(SlotShapes& shapes) {
  reorder(shapes.boxes, geometry::packed_order(std::span<const Box32>(shapes.boxes)));
  shapes.box_tree = PackedIndex(std::span<const Box32>(shapes.boxes));
  std::vector<Box32> boxes;
  for (const NetPolygon& p : shapes.polygons) boxes.push_back(p.box);
  const auto order = geometry::packed_order(std::span<const Box32>(boxes));
  reorder(shapes.polygons, order);
  reorder(boxes, order);
  shapes.polygon_tree = PackedIndex(std::span<const Box32>(boxes));
  for (const Box32& b : shapes.boxes) shapes.bbox.include(static_cast<Box>(b));
  for (const Box32& b : boxes) shapes.bbox.include(static_cast<Box>(b));
}

bool fits(const Box& box) {
  return geometry::fits32(Point{box.x_min, box.y_min}) &&
         geometry::fits32(Point{box.x_max, box.y_max});
}

/// The part of a chip that is looked at, as one cell sees it.
struct Part {
  Box window;           ///< In the view's cell; empty: everything.
  Placement placement;  ///< Of the cell in the view's.
  bool everything() const { return window.empty(); }
  bool shows(const Box& box) const { return everything() || placement(box).touches(window); }
  bool shows_all_of(const Box& box) const {
    return everything() || window.contains(placement(box));
  }
};

class Builder {
 public:
  Builder(NetHierarchy& nets, bool labels) : nets_(nets), labels_(labels) {
    known_.assign(nets.layout->cells().size(), std::nullopt);
  }

  bool too_many() const { return copies_ > kMostCopies; }

  /// kNothing when nothing of the stack is drawn in the part.
  std::uint32_t cell(CellIndex source, const Part& part) {
    if (part.shows_all_of(nets_.layout->cell(source).extent)) return whole(source);
    return made(source, part);
  }

 private:
  std::uint32_t whole(CellIndex source) {
    if (!known_[source]) known_[source] = made(source, {});
    return *known_[source];
  }

  std::uint32_t made(CellIndex source, const Part& part) {
    NetCell cell;
    cell.source = source;
    const Cell& drawn = nets_.layout->cell(source);
    for (const Instance& instance : drawn.instances) add_instance(cell, instance, part);
    for (unsigned slot = 0; slot < nets_.slots.conductors + nets_.slots.cuts; ++slot)
      if (const LayerShapes* shapes = drawn.find(nets_.slots.layers[slot]))
        add_shapes(cell, slot, *shapes, part);
    if (labels_)
      for (const Text& text : drawn.texts) add_text(cell, text, part);
    return finish(std::move(cell));
  }

  void add_instance(NetCell& cell, const Instance& instance, const Part& part) {
    if (too_many()) return;
    const Cell& drawn = nets_.layout->cell(instance.cell);
    if (drawn.extent.empty()) return;
    const Box placed = nets_.layout->placed_box(instance, drawn.extent)
                           .moved(static_cast<Point>(instance.displacement));
    const bool regular = instance.offsets == nullptr && instance.general < 0;
    if (regular && instance.count() >= kArrayFrom &&
        part.shows_all_of(repeated_box(instance, placed))) {
      const std::uint32_t child = whole(instance.cell);
      if (child == kNothing) return;
      add_child(cell, array({child, instance.orientation, instance}, instance.columns,
                            instance.rows, static_cast<Point>(instance.displacement)));
      return;
    }
    const auto copy = [&](std::uint32_t column, std::uint32_t row) {
      if (!too_many()) add_copy(cell, instance, Layout::element_at(instance, column, row), part);
    };
    if (part.everything()) {
      for (std::uint32_t row = 0; row < instance.rows; ++row)
        for (std::uint32_t column = 0; column < instance.columns && !too_many(); ++column)
          copy(column, row);
    } else {
      for_each_copy_near(instance, placed, part.placement.to_local(part.window), copy);
    }
  }

  void add_copy(NetCell& cell, const Instance& instance, Point at, const Part& part) {
    const NetChild placed{0, instance.orientation, instance.general, at};
    Part below = part;
    if (!part.everything()) below.placement = nets_.below(part.placement, placed);
    const std::uint32_t child = this->cell(instance.cell, below);
    if (child == kNothing) return;
    add_child(cell, {child, instance.orientation, instance.general, at});
  }

  void add_child(NetCell& cell, const NetChild& child) {
    ++copies_;
    cell.children.push_back(child);
    cell.level = std::max(cell.level, nets_.cells[child.cell].level + 1);
  }

  /// What is repeated and by which steps.
  struct Unit {
    std::uint32_t cell = 0;
    Orientation orientation = Orientation::kR0;
    Repetition steps;
    Point at(std::uint32_t column, std::uint32_t row) const {
      return {Coord{column} * steps.column_step.x + Coord{row} * steps.row_step.x,
              Coord{column} * steps.column_step.y + Coord{row} * steps.row_step.y};
    }
  };

  NetChild array(const Unit& unit, std::uint32_t columns, std::uint32_t rows, Point at) {
    if (columns == 1 && rows == 1) return {unit.cell, unit.orientation, -1, at};
    const auto key = std::make_tuple(unit.cell, unit.orientation, unit.steps.column_step,
                                     unit.steps.row_step, columns, rows);
    if (const auto it = arrays_.find(key); it != arrays_.end())
      return {it->second, Orientation::kR0, -1, at};
    NetCell halves;
    if (rows > 1) {
      const std::uint32_t low = rows - rows / 2;
      add_child(halves, array(unit, columns, low, {}));
      add_child(halves, array(unit, columns, rows / 2, unit.at(0, low)));
    } else {
      const std::uint32_t left = columns - columns / 2;
      add_child(halves, array(unit, left, 1, {}));
      add_child(halves, array(unit, columns / 2, 1, unit.at(left, 0)));
    }
    const std::uint32_t made = finish(std::move(halves));
    arrays_.emplace(key, made);
    return {made, Orientation::kR0, -1, at};
  }

  SlotShapes& slot_of(NetCell& cell, unsigned slot) {
    const std::size_t rank = NetCell::rank(cell.own_mask, slot);
    if ((cell.own_mask & slot_bit(slot)) == 0) {
      cell.own.insert(cell.own.begin() + static_cast<std::ptrdiff_t>(rank), SlotShapes{});
      cell.own_mask |= slot_bit(slot);
    }
    return cell.own[rank];
  }

  void add_box(NetCell& cell, unsigned slot, const Box& box, const Part& part) {
    if (part.shows(box)) slot_of(cell, slot).boxes.push_back(geometry::narrow(box));
  }

  void add_polygon(NetCell& cell, unsigned slot, const NetPolygon& polygon, const Part& part) {
    if (part.shows(polygon.box)) slot_of(cell, slot).polygons.push_back(polygon);
  }

  static NetPolygon store(NetCell& cell, std::span<const Point32> points) {
    NetPolygon polygon;
    polygon.first = static_cast<std::uint32_t>(cell.points.size());
    polygon.count = static_cast<std::uint32_t>(points.size());
    Box box;
    for (const Point32 p : points) box.include(static_cast<Point>(p));
    polygon.box = geometry::narrow(box);
    cell.points.insert(cell.points.end(), points.begin(), points.end());
    return polygon;
  }

  void add_shapes(NetCell& cell, unsigned slot, const LayerShapes& shapes, const Part& part) {
    for (const Box32& box : shapes.boxes) add_box(cell, slot, box, part);
    for (const PolygonRange& p : shapes.polygons)
      add_polygon(cell, slot, store(cell, shapes.points_of(p)), part);
    for (const PathRange& path : shapes.paths)
      add_polygon(cell, slot, store(cell, path_ring(shapes.points_of(path.line), path.style)),
                  part);
    for (const RepeatedShape& repeated : shapes.repeated)
      add_repeated(cell, slot, shapes, repeated, part);
  }

  void add_repeated(NetCell& cell, unsigned slot, const LayerShapes& shapes,
                    const RepeatedShape& repeated, const Part& part) {
    if (too_many()) return;
    const bool is_box = repeated.kind == RepeatedShape::Kind::kBox;
    const Repetition& r = repeated.repetition;
    if (r.offsets == nullptr && r.count() >= kShapeArrayFrom && part.everything()) {
      NetCell single;
      single.source = kNoCell;
      if (is_box)
        add_box(single, slot, repeated.box, {});
      else
        add_polygon(single, slot, first_copy(single, shapes, repeated), {});
      add_child(cell,
                array({finish(std::move(single)), Orientation::kR0, r}, r.columns, r.rows, {}));
      return;
    }
    const NetPolygon polygon = is_box ? NetPolygon{} : first_copy(cell, shapes, repeated);
    const auto copy = [&](std::uint32_t column, std::uint32_t row) {
      const Point at = r.at(column, row);
      const Box box = static_cast<Box>(repeated.box).moved(at);
      if (too_many() || !fits(box)) return;
      ++copies_;
      if (is_box) return add_box(cell, slot, box, part);
      NetPolygon moved = polygon;
      moved.box = geometry::narrow(box);
      moved.offset = geometry::narrow(at);
      add_polygon(cell, slot, moved, part);
    };
    const Box all = repeated_box(r, repeated.box);
    for_each_copy_near(r, repeated.box,
                       part.everything() ? all : part.placement.to_local(part.window), copy);
  }

  static NetPolygon first_copy(NetCell& cell, const LayerShapes& shapes,
                               const RepeatedShape& repeated) {
    NetPolygon polygon;
    if (repeated.kind == RepeatedShape::Kind::kPolygon) {
      polygon = store(cell, shapes.points_of(shapes.repeated_polygons[repeated.item]));
    } else {
      const PathRange& path = shapes.repeated_paths[repeated.item];
      polygon = store(cell, path_ring(shapes.points_of(path.line), path.style));
    }
    return polygon;
  }

  void add_text(NetCell& cell, const Text& text, const Part& part) {
    const auto& slots = nets_.slots.label_slots;
    const auto found =
        std::ranges::lower_bound(slots, text.key, {}, &std::pair<LayerKey, unsigned>::first);
    if (found == slots.end() || found->first != text.key) return;
    Box point;
    point.include(static_cast<Point>(text.at));
    const Box hull = repeated_box(text.repetition, point);
    for_each_copy_near(text.repetition, point, hull, [&](std::uint32_t column, std::uint32_t row) {
      const Point at = static_cast<Point>(text.at) + text.repetition.at(column, row);
      if (too_many() || !geometry::fits32(at) || !part.shows({at.x, at.y, at.x, at.y})) return;
      ++copies_;
      cell.labels.push_back({found->second, geometry::narrow(at), text.string, 0});
      slot_of(cell, found->second).boxes.push_back(geometry::narrow({at.x, at.y, at.x, at.y}));
    });
  }

  std::uint32_t finish(NetCell&& cell) {
    std::uint32_t first = 0;
    for (SlotShapes& shapes : cell.own) {
      index(shapes);
      shapes.first = first;
      first += static_cast<std::uint32_t>(shapes.size());
    }
    cell.flat_shapes = first;
    for (const NetChild& child : cell.children) {
      cell.child_mask |= nets_.cells[child.cell].mask();
      cell.flat_shapes += nets_.cells[child.cell].flat_shapes;
    }
    if (cell.mask() == 0) return kNothing;
    nets_.cells.push_back(std::move(cell));
    return static_cast<std::uint32_t>(nets_.cells.size() - 1);
  }

  NetHierarchy& nets_;
  bool labels_;
  std::uint64_t copies_ = 0;
  std::vector<std::optional<std::uint32_t>> known_;
  std::map<std::tuple<std::uint32_t, Orientation, Point32, Point32, std::uint32_t, std::uint32_t>,
           std::uint32_t>
      arrays_;
};

}  // namespace

std::uint64_t NetCell::lift(std::uint32_t child, std::uint64_t net) const {
  const auto from = joined_net.begin() + joined_first[child];
  const auto to = joined_net.begin() + joined_first[child + 1];
  const auto it = std::lower_bound(from, to, net);
  if (it != to && *it == net) return joined_to[static_cast<std::size_t>(it - joined_net.begin())];
  return base[child] + net;
}

std::uint32_t child_of(const NetCell& cell, std::uint64_t net) {
  const auto after = std::upper_bound(cell.base.begin(), cell.base.end(), net);
  return static_cast<std::uint32_t>(after - cell.base.begin() - 1);
}

std::uint8_t kind_of(const NetHierarchy& nets, std::uint32_t cell, std::uint64_t net) {
  const NetCell* at = &nets.cells[cell];
  while (net >= at->own_nets) {
    const std::uint32_t child = child_of(*at, net);
    net -= at->base[child];
    at = &nets.cells[at->children[child].cell];
  }
  return at->kinds[net];
}

Result<NetHierarchy> build_hierarchy(const FlatView& view, NetSlots slots,
                                     const NetOptions& options) {
  NetHierarchy nets;
  nets.layout = &view.layout();
  nets.slots = std::move(slots);
  Builder builder(nets, options.labels);
  const std::uint32_t top = builder.cell(view.top(), {options.window, {}});
  if (builder.too_many())
    return Error{Errc::kUnsupported, "NETS-0004",
                 "The cell " + view.layout().cell(view.top()).name +
                     " places more copies than nets can be told apart for; ask for a smaller "
                     "cell or a window."};
  // The top may have been built before as somebody's part only if it is the last one.
  if (top == kNothing) nets.cells.clear();
  return nets;
}

}  // namespace yieldloop::layout

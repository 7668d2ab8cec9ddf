#include "engine/layout/layout_builder.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/geometry/path_outline.h"
#include "engine/geometry/region.h"

namespace yieldloop::layout {

using geometry::fits32;
using geometry::narrow;
using geometry::Orientation;

namespace {

/// Box::include takes boxes and points; this says which is meant.
Point widened(Point32 p) { return p; }

bool fits32(const Box& box) {
  return geometry::fits32(Point{box.x_min, box.y_min}) &&
         geometry::fits32(Point{box.x_max, box.y_max});
}

/// The ring is a rectangle: four corners, sides axis-parallel, in either sense.
bool is_rectangle(std::span<const Point32> p) {
  if (p.size() != 4) return false;
  const bool first_vertical =
      p[0].x == p[1].x && p[1].y == p[2].y && p[2].x == p[3].x && p[3].y == p[0].y;
  const bool first_horizontal =
      p[0].y == p[1].y && p[1].x == p[2].x && p[2].y == p[3].y && p[3].x == p[0].x;
  return first_vertical || first_horizontal;
}

/// An array's element steps are linear, so the hull of its corner elements holds it.
Box array_box(const Instance& instance, const Box& element) {
  if (element.empty()) return element;
  Box hull;
  for (const std::uint32_t column : {0U, instance.columns - 1})
    for (const std::uint32_t row : {0U, instance.rows - 1})
      hull.include(element.moved(Layout::element_at(instance, column, row)));
  return hull;
}

template <class T>
void reorder(std::vector<T>& items, const std::vector<std::uint32_t>& order) {
  std::vector<T> sorted;
  sorted.reserve(items.size());
  for (const std::uint32_t i : order) sorted.push_back(std::move(items[i]));
  items = std::move(sorted);
}

void index_shapes(LayerShapes& shapes) {
  std::vector<Box> boxes(shapes.boxes.begin(), shapes.boxes.end());
  if (boxes.size() >= geometry::PackedIndex::kLinear) {
    const auto order = geometry::packed_order(boxes);
    reorder(shapes.boxes, order);
    reorder(boxes, order);
    shapes.box_index = geometry::PackedIndex(boxes);
  }
  shapes.boxes.shrink_to_fit();
  shapes.points.shrink_to_fit();
  boxes.clear();
  for (const PolygonRange& p : shapes.polygons) boxes.push_back(p.box);
  if (boxes.size() >= geometry::PackedIndex::kLinear) {
    const auto order = geometry::packed_order(boxes);
    reorder(shapes.polygons, order);
    reorder(boxes, order);
    shapes.polygon_index = geometry::PackedIndex(boxes);
  }
  shapes.polygons.shrink_to_fit();
}

}  // namespace

CellIndex LayoutBuilder::cell(std::string_view name) {
  const auto it = layout_.by_name_.find(name);
  if (it != layout_.by_name_.end()) return it->second;
  const auto index = static_cast<CellIndex>(layout_.cells_.size());
  layout_.by_name_.emplace(std::string(name), index);
  Cell& made = layout_.cells_.emplace_back();
  made.name = std::string(name);
  made.defined = false;
  slot_of_.emplace_back();
  return index;
}

bool LayoutBuilder::define(CellIndex cell) {
  const bool first = !layout_.cells_[cell].defined;
  layout_.cells_[cell].defined = true;
  return first;
}

CellIndex LayoutBuilder::add_cell(std::string_view name) {
  const CellIndex index = cell(name);
  define(index);
  return index;
}

LayerShapes& LayoutBuilder::shapes(CellIndex cell, LayerKey key) {
  if (cell == last_cell_ && key == last_key_) return layout_.cells_[cell].layers[last_slot_];
  const auto [layer, new_layer] =
      layer_of_.try_emplace(key, static_cast<LayerIndex>(layout_.layers_.size()));
  if (new_layer) layout_.layers_.push_back(key);
  std::vector<LayerShapes>& layers = layout_.cells_[cell].layers;
  const auto [slot, new_slot] = slot_of_[cell].try_emplace(layer->second, layers.size());
  if (new_slot) layers.emplace_back().layer = layer->second;
  last_cell_ = cell;
  last_key_ = key;
  last_slot_ = slot->second;
  return layers[last_slot_];
}

Added LayoutBuilder::add_box(CellIndex cell, LayerKey key, const Box& box) {
  if (!fits32(box)) return Added::kTooFar;
  LayerShapes& to = shapes(cell, key);
  ++to.counts.boxes;
  if (box.width() == 0 || box.height() == 0) {
    layout_.cells_[cell].extent.include(box);
    return Added::kNothing;
  }
  to.boxes.push_back(narrow(box));
  to.bbox.include(box);
  return Added::kBox;
}

Added LayoutBuilder::add_polygon(CellIndex cell, LayerKey key, std::span<const Point32> points) {
  while (points.size() > 1 && points.front() == points.back())
    points = points.first(points.size() - 1);
  if (is_rectangle(points)) return add_box(cell, key, geometry::box_of(points[0], points[2]));
  LayerShapes& to = shapes(cell, key);
  ++to.counts.polygons;
  return store_polygon(cell, to, points);
}

Added LayoutBuilder::store_polygon(CellIndex cell, LayerShapes& to,
                                   std::span<const Point32> points) {
  Box box;
  for (const Point32 p : points) box.include(widened(p));
  if (points.size() < 3 || box.width() == 0 || box.height() == 0) {
    layout_.cells_[cell].extent.include(box);
    return Added::kNothing;
  }
  to.polygons.push_back({narrow(box), static_cast<std::uint32_t>(to.points.size()),
                         static_cast<std::uint32_t>(points.size())});
  to.points.insert(to.points.end(), points.begin(), points.end());
  to.bbox.include(box);
  return Added::kPolygon;
}

Added LayoutBuilder::add_path(CellIndex cell, LayerKey key, std::span<const Point32> points,
                              const PathStyle& style) {
  const std::vector<Point> line(points.begin(), points.end());
  const auto width = static_cast<double>(style.width);
  geometry::PathEnds ends;
  if (style.ends == PathStyle::Ends::kHalfWidth) ends.begin = ends.end = width / 2.0;
  if (style.ends == PathStyle::Ends::kRound) ends.round = true;
  if (style.ends == PathStyle::Ends::kCustom) {
    ends.begin = static_cast<double>(style.begin_extension);
    ends.end = static_cast<double>(style.end_extension);
  }
  const Polygon outline = geometry::path_outline(line, width, ends);
  std::vector<Point32> ring;
  for (const Point p : outline) {
    if (!geometry::fits32(p)) return Added::kTooFar;
    ring.push_back(narrow(p));
  }
  LayerShapes& to = shapes(cell, key);
  ++to.counts.paths;
  if (!is_rectangle(ring)) {
    if (ring.empty())
      for (const Point32 p : points) layout_.cells_[cell].extent.include(widened(p));
    return store_polygon(cell, to, ring);
  }
  const Box box = geometry::box_of(ring[0], ring[2]);
  if (box.width() == 0 || box.height() == 0) {
    layout_.cells_[cell].extent.include(box);
    return Added::kNothing;
  }
  to.boxes.push_back(narrow(box));
  to.bbox.include(box);
  return Added::kBox;
}

void LayoutBuilder::add_text(CellIndex cell, LayerKey key, Point32 at, std::string_view string) {
  Cell& to = layout_.cells_[cell];
  to.texts.push_back({key, at, std::string(string)});
  to.extent.include(widened(at));
}

void LayoutBuilder::add_instance(CellIndex parent, const Instance& instance) {
  layout_.cells_[parent].instances.push_back(instance);
}

void LayoutBuilder::add_instance(CellIndex parent, Instance instance, bool mirror,
                                 double magnification, double degrees) {
  const double quarters = degrees / 90.0;
  if (magnification == 1.0 && std::isfinite(quarters) && quarters == std::floor(quarters)) {
    const int turns = static_cast<int>(std::fmod(std::fmod(quarters, 4.0) + 4.0, 4.0));
    instance.orientation = geometry::orientation(turns, mirror);
    instance.general = -1;
  } else {
    const auto general = geometry::GeneralTransform::of(mirror, magnification, degrees, {});
    std::vector<geometry::GeneralTransform>& known = layout_.general_;
    const auto it = std::find(known.begin(), known.end(), general);
    instance.general = static_cast<std::int32_t>(it - known.begin());
    if (it == known.end()) known.push_back(general);
  }
  add_instance(parent, instance);
}

Status LayoutBuilder::order_cells() {
  std::vector<Cell>& cells = layout_.cells_;
  enum class Mark : std::uint8_t { kNew, kOpen, kDone };
  std::vector<Mark> marks(cells.size(), Mark::kNew);
  std::vector<std::pair<CellIndex, std::size_t>> stack;
  for (CellIndex start = 0; start < cells.size(); ++start) {
    if (marks[start] != Mark::kNew) continue;
    stack.emplace_back(start, 0);
    marks[start] = Mark::kOpen;
    while (!stack.empty()) {
      auto& [index, next] = stack.back();
      Cell& cell = cells[index];
      if (next < cell.instances.size()) {
        const CellIndex child = cell.instances[next++].cell;
        if (marks[child] == Mark::kOpen)
          return Error{Errc::kFormat, "LAYO-0001",
                       "Cell " + cells[child].name +
                           " contains itself; break the cycle in the layout and read it again."};
        if (marks[child] == Mark::kDone) continue;
        marks[child] = Mark::kOpen;
        stack.emplace_back(child, 0);
        continue;
      }
      for (const Instance& instance : cell.instances)
        cell.depth = std::max(cell.depth, cells[instance.cell].depth + 1);
      if (cell.depth > kMaxDepth)
        return Error{Errc::kFormat, "LAYO-0002",
                     "Cell " + cell.name + " nests deeper than " + std::to_string(kMaxDepth) +
                         " levels; flatten some of them and read the layout again."};
      marks[index] = Mark::kDone;
      layout_.bottom_up_.push_back(index);
      stack.pop_back();
    }
  }
  return Ok{};
}

void LayoutBuilder::finish_cell(Cell& cell) {
  std::sort(cell.layers.begin(), cell.layers.end(),
            [](const LayerShapes& a, const LayerShapes& b) { return a.layer < b.layer; });
  std::map<LayerIndex, Box> boxes;
  for (LayerShapes& shapes : cell.layers) {
    index_shapes(shapes);
    boxes[shapes.layer].include(shapes.bbox);
  }
  std::vector<Box> hulls;
  for (const Instance& instance : cell.instances) {
    const Cell& child = layout_.cells_[instance.cell];
    const auto placed = [&](const Box& box) {
      return instance.general < 0
                 ? geometry::Transform{instance.orientation, {}}(box)
                 : layout_.general_[static_cast<std::size_t>(instance.general)](box);
    };
    const auto placed_array = [&](const Box& box) { return array_box(instance, placed(box)); };
    hulls.push_back(placed_array(child.extent));
    cell.extent.include(hulls.back());
    for (const auto& [layer, box] : child.layer_boxes) boxes[layer].include(placed_array(box));
  }
  for (const auto& [layer, box] : boxes) {
    if (box.empty()) continue;
    cell.layer_boxes.emplace_back(layer, box);
    cell.bbox.include(box);
  }
  cell.extent.include(cell.bbox);
  cell.layer_boxes.shrink_to_fit();
  const auto order = geometry::packed_order(hulls);
  reorder(cell.instances, order);
  reorder(hulls, order);
  cell.instance_index = geometry::PackedIndex(hulls);
}

Result<Layout> LayoutBuilder::build() {
  YL_TRY(order_cells());
  // Layers in ascending order of their keys, whatever the order they were met in.
  std::vector<LayerIndex> renumbered(layout_.layers_.size());
  LayerIndex next = 0;
  for (const auto& [key, layer] : layer_of_) renumbered[layer] = next++;
  std::sort(layout_.layers_.begin(), layout_.layers_.end());
  std::vector<bool> placed(layout_.cells_.size(), false);
  for (const CellIndex index : layout_.bottom_up_) {
    Cell& cell = layout_.cells_[index];
    for (LayerShapes& shapes : cell.layers) shapes.layer = renumbered[shapes.layer];
    for (const Instance& instance : cell.instances) placed[instance.cell] = true;
    finish_cell(cell);
  }
  for (CellIndex i = 0; i < layout_.cells_.size(); ++i)
    if (!placed[i] && layout_.cells_[i].defined) layout_.top_cells_.push_back(i);
  std::sort(layout_.top_cells_.begin(), layout_.top_cells_.end(), [this](CellIndex a, CellIndex b) {
    const Cell& left = layout_.cells_[a];
    const Cell& right = layout_.cells_[b];
    const double la = left.bbox.area();
    const double ra = right.bbox.area();
    return la != ra ? la > ra : left.name < right.name;
  });
  layer_of_.clear();
  slot_of_.clear();
  last_cell_ = kNoCell;
  return std::move(layout_);
}

}  // namespace yieldloop::layout

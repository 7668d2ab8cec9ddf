#include "engine/layout/layout_builder.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "engine/layout/path_shape.h"

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

/// Positions of points are kept in 32 bits.
constexpr std::size_t kMostPoints = std::size_t{1} << 32;

/// Frees what growth left over, where that is worth a copy.
template <class T>
void shrink(std::vector<T>& items) {
  if (items.capacity() - items.size() > items.size() / 8) items.shrink_to_fit();
}

void shrink(LayerShapes& shapes) {
  shrink(shapes.boxes);
  shrink(shapes.polygons);
  shrink(shapes.paths);
  shrink(shapes.repeated);
  shrink(shapes.points);
}

constexpr std::uint64_t kSaturated = ~std::uint64_t{0};

void count_elements(LayerShapes& to, std::uint64_t copies) {
  to.elements = to.elements > kSaturated - copies ? kSaturated : to.elements + copies;
}

/// Repetitions of cells may reach somewhat past 32 bits, as a GDSII array's last corner does.
constexpr Coord kFarthest = Coord{1} << 33;

bool within_reach(const Box& b) {
  return b.x_min >= -kFarthest && b.y_min >= -kFarthest && b.x_max <= kFarthest &&
         b.y_max <= kFarthest;
}

}  // namespace

CellIndex LayoutBuilder::cell(std::string_view name) {
  const auto it = layout_.by_name_.find(name);
  if (it != layout_.by_name_.end()) return it->second;
  const CellIndex index = new_cell();
  layout_.by_name_.emplace(std::string(name), index);
  layout_.cells_[index].name = std::string(name);
  return index;
}

CellIndex LayoutBuilder::new_cell() {
  const auto index = static_cast<CellIndex>(layout_.cells_.size());
  layout_.cells_.emplace_back().defined = false;
  slot_of_.emplace_back();
  return index;
}

bool LayoutBuilder::name_cell(CellIndex cell, std::string_view name) {
  const auto [it, fresh] = layout_.by_name_.try_emplace(std::string(name), cell);
  layout_.cells_[cell].name = std::string(name);
  if (fresh || it->second == cell) return true;
  const bool both = layout_.cells_[cell].defined && layout_.cells_[it->second].defined;
  const bool keep_new = layout_.cells_[cell].defined && !both;
  merged_[keep_new ? it->second : cell] = keep_new ? cell : it->second;
  if (keep_new) it->second = cell;
  return !both;
}

void LayoutBuilder::drop_merged_cells() {
  if (merged_.empty()) return;
  const auto kept = [this](CellIndex cell) {
    for (auto it = merged_.find(cell); it != merged_.end(); it = merged_.find(cell))
      cell = it->second;
    return cell;
  };
  std::vector<CellIndex> renumbered(layout_.cells_.size(), kNoCell);
  std::vector<Cell> cells;
  for (CellIndex i = 0; i < layout_.cells_.size(); ++i) {
    if (merged_.contains(i)) continue;
    renumbered[i] = static_cast<CellIndex>(cells.size());
    cells.push_back(std::move(layout_.cells_[i]));
  }
  layout_.cells_ = std::move(cells);
  for (Cell& cell : layout_.cells_)
    for (Instance& instance : cell.instances) instance.cell = renumbered[kept(instance.cell)];
  for (auto& [name, cell] : layout_.by_name_) cell = renumbered[kept(cell)];
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

const OffsetList* LayoutBuilder::add_offsets(std::vector<Point32> offsets) {
  layout_.offset_lists_.push_back(std::make_unique<const OffsetList>(std::move(offsets)));
  return layout_.offset_lists_.back().get();
}

Added LayoutBuilder::store_box(CellIndex cell, LayerShapes& to, const Box& box,
                               const Repetition& repetition) {
  const Box hull = repeated_box(repetition, box);
  count_elements(to, repetition.count());
  if (box.x_min == box.x_max || box.y_min == box.y_max) {
    layout_.cells_[cell].extent.include(hull);
    return Added::kNothing;
  }
  if (repetition.single())
    to.boxes.push_back(narrow(box));
  else
    to.repeated.push_back({RepeatedShape::Kind::kBox, 0, narrow(box), repetition});
  to.bbox.include(hull);
  return Added::kBox;
}

Added LayoutBuilder::add_box(CellIndex cell, LayerKey key, const Box& box,
                             const Repetition& repetition) {
  // By far the most frequent thing in any layout.
  if (repetition.single() && box.x_min < box.x_max && box.y_min < box.y_max && fits32(box)) {
    LayerShapes& to = shapes(cell, key);
    ++to.counts.boxes;
    count_elements(to, 1);
    to.boxes.push_back(narrow(box));
    to.bbox.include(box);
    return Added::kBox;
  }
  if (box.empty() || !fits32(repeated_box(repetition, box)) || !fits32(box)) return Added::kTooFar;
  LayerShapes& to = shapes(cell, key);
  ++to.counts.boxes;
  return store_box(cell, to, box, repetition);
}

Added LayoutBuilder::add_polygon(CellIndex cell, LayerKey key, std::span<const Point32> points,
                                 const Repetition& repetition) {
  while (points.size() > 1 && points.front() == points.back())
    points = points.first(points.size() - 1);
  if (is_rectangle(points))
    return add_box(cell, key, geometry::box_of(points[0], points[2]), repetition);
  Box box;
  for (const Point32 p : points) box.include(widened(p));
  if (!box.empty() && !fits32(repeated_box(repetition, box))) return Added::kTooFar;
  LayerShapes& to = shapes(cell, key);
  if (to.points.size() + points.size() > kMostPoints) return Added::kTooFar;
  ++to.counts.polygons;
  return store_polygon(cell, to, points, repetition);
}

Added LayoutBuilder::store_polygon(CellIndex cell, LayerShapes& to, std::span<const Point32> points,
                                   const Repetition& repetition) {
  Box box;
  for (const Point32 p : points) box.include(widened(p));
  const Box hull = repeated_box(repetition, box);
  count_elements(to, repetition.count());
  if (points.size() < 3 || box.width() == 0 || box.height() == 0) {
    layout_.cells_[cell].extent.include(hull);
    return Added::kNothing;
  }
  const PolygonRange polygon{narrow(box), static_cast<std::uint32_t>(to.points.size()),
                             static_cast<std::uint32_t>(points.size())};
  to.points.insert(to.points.end(), points.begin(), points.end());
  to.bbox.include(hull);
  if (repetition.single()) {
    to.polygons.push_back(polygon);
    return Added::kPolygon;
  }
  to.repeated.push_back({RepeatedShape::Kind::kPolygon,
                         static_cast<std::uint32_t>(to.repeated_polygons.size()), polygon.box,
                         repetition});
  to.repeated_polygons.push_back(polygon);
  return Added::kPolygon;
}

Added LayoutBuilder::add_path(CellIndex cell, LayerKey key, std::span<const Point32> points,
                              const PathStyle& style, const Repetition& repetition) {
  if (const auto box = straight_path_box(points, style)) {
    if (!fits32(*box) || !fits32(repeated_box(repetition, *box))) return Added::kTooFar;
    LayerShapes& to = shapes(cell, key);
    ++to.counts.paths;
    return store_box(cell, to, *box, repetition);
  }
  const auto ring = checked_path_ring(points, style);
  if (!ring) return Added::kTooFar;
  Box box;
  for (const Point32 p : *ring) box.include(widened(p));
  if (!box.empty() && !fits32(repeated_box(repetition, box))) return Added::kTooFar;
  LayerShapes& to = shapes(cell, key);
  if (to.points.size() + points.size() > kMostPoints) return Added::kTooFar;
  ++to.counts.paths;
  count_elements(to, repetition.count());
  return store_path(cell, to, points, style, box, repetition);
}

Added LayoutBuilder::store_path(CellIndex cell, LayerShapes& to, std::span<const Point32> points,
                                const PathStyle& style, const Box& box,
                                const Repetition& repetition) {
  if (box.width() == 0 || box.height() == 0) {
    Box line = box;
    for (const Point32 p : points) line.include(widened(p));
    layout_.cells_[cell].extent.include(repeated_box(repetition, line));
    return Added::kNothing;
  }
  PathRange path;
  path.line = {narrow(box), static_cast<std::uint32_t>(to.points.size()),
               static_cast<std::uint32_t>(points.size())};
  path.style = style;
  to.points.insert(to.points.end(), points.begin(), points.end());
  to.bbox.include(repeated_box(repetition, box));
  if (repetition.single()) {
    to.paths.push_back(path);
    return Added::kPath;
  }
  to.repeated.push_back({RepeatedShape::Kind::kPath,
                         static_cast<std::uint32_t>(to.repeated_paths.size()), path.line.box,
                         repetition});
  to.repeated_paths.push_back(path);
  return Added::kPath;
}

std::string* LayoutBuilder::add_string(std::string_view string) {
  layout_.strings_.push_back(std::make_unique<std::string>(string));
  return layout_.strings_.back().get();
}

void LayoutBuilder::add_text(CellIndex cell, LayerKey key, Point32 at, std::string_view string,
                             const Repetition& repetition) {
  // Labels of one kind come in runs: the pins of a cell row, the marks of a grid.
  const auto& known = layout_.strings_;
  const std::string* same =
      !known.empty() && *known.back() == string ? known.back().get() : add_string(string);
  add_text(cell, key, at, same, repetition);
}

bool LayoutBuilder::add_text(CellIndex cell, LayerKey key, Point32 at, const std::string* string,
                             const Repetition& repetition) {
  Box box;
  box.include(widened(at));
  const Box hull = repeated_box(repetition, box);
  if (!fits32(hull)) return false;
  Cell& to = layout_.cells_[cell];
  to.texts.push_back({key, at, string, repetition});
  to.extent.include(hull);
  return true;
}

bool LayoutBuilder::add_instance(CellIndex parent, const Instance& instance) {
  if (!instance.single()) {
    if (instance.columns == 0 || instance.rows == 0) return false;
    if (!within_reach(instance.box().moved(widened(instance.displacement)))) return false;
  }
  layout_.cells_[parent].instances.push_back(instance);
  return true;
}

std::int32_t LayoutBuilder::general_transform(bool mirror, double magnification, double degrees) {
  const auto next = static_cast<std::int32_t>(layout_.general_.size());
  const auto [known, made] = general_of_.try_emplace({mirror, magnification, degrees}, next);
  if (made) {
    layout_.general_.push_back(geometry::GeneralTransform::of(mirror, magnification, degrees, {}));
    layout_.general_placements_.push_back({mirror, magnification, degrees});
  }
  return known->second;
}

bool LayoutBuilder::add_instance(CellIndex parent, Instance instance, bool mirror,
                                 double magnification, double degrees) {
  const double quarters = degrees / 90.0;
  if (magnification == 1.0 && std::isfinite(quarters) && quarters == std::floor(quarters)) {
    const int turns = static_cast<int>(std::fmod(std::fmod(quarters, 4.0) + 4.0, 4.0));
    instance.orientation = geometry::orientation(turns, mirror);
    instance.general = -1;
  } else {
    instance.orientation = geometry::Orientation::kR0;
    instance.general = general_transform(mirror, magnification, degrees);
  }
  return add_instance(parent, instance);
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

void LayoutBuilder::place_children(Cell& cell, std::map<LayerIndex, Box>& boxes) {
  // A box moved by many displacements fills the box grown by the displacements' own box, so each
  // child needs looking at once an orientation, however often it is placed.
  std::unordered_map<std::uint64_t, std::pair<const Instance*, Box>> groups;
  for (const Instance& instance : cell.instances) {
    const auto how = instance.general < 0 ? static_cast<std::uint32_t>(instance.orientation)
                                          : static_cast<std::uint32_t>(instance.general) + 8;
    auto& [first, displacements] = groups[std::uint64_t{instance.cell} << 32 | how];
    first = &instance;
    Box at{instance.displacement.x, instance.displacement.y, instance.displacement.x,
           instance.displacement.y};
    if (!instance.single()) at = repeated_box(instance, at);
    displacements.include(at);
  }
  for (const auto& group : groups) {
    const Instance& instance = *group.second.first;
    const Box& displacements = group.second.second;
    const Cell& child = layout_.cells_[instance.cell];
    const auto placed = [&](const Box& box) {
      if (box.empty()) return box;
      const Box b = layout_.placed_box(instance, box);
      return Box{b.x_min + displacements.x_min, b.y_min + displacements.y_min,
                 b.x_max + displacements.x_max, b.y_max + displacements.y_max};
    };
    cell.extent.include(placed(child.extent));
    for (const auto& [layer, box] : child.layer_boxes) boxes[layer].include(placed(box));
  }
}

void LayoutBuilder::finish_cell(Cell& cell) {
  std::sort(cell.layers.begin(), cell.layers.end(),
            [](const LayerShapes& a, const LayerShapes& b) { return a.layer < b.layer; });
  std::map<LayerIndex, Box> boxes;
  for (LayerShapes& shapes : cell.layers) {
    shrink(shapes);
    boxes[shapes.layer].include(shapes.bbox);
  }
  place_children(cell, boxes);
  for (const auto& [layer, box] : boxes) {
    if (box.empty()) continue;
    cell.layer_boxes.emplace_back(layer, box);
    cell.bbox.include(box);
  }
  cell.extent.include(cell.bbox);
  cell.layer_boxes.shrink_to_fit();
}

Result<Layout> LayoutBuilder::build() {
  drop_merged_cells();
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
  merged_.clear();
  general_of_.clear();
  last_cell_ = kNoCell;
  return std::move(layout_);
}

}  // namespace yieldloop::layout

#include "engine/layout/layout.h"

#include <algorithm>

#include "engine/core/text.h"
#include "engine/layout/shape_index.h"

namespace yieldloop::layout {
namespace {

constexpr std::uint64_t kSaturated = ~std::uint64_t{0};

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  return a > kSaturated - b ? kSaturated : a + b;
}
std::uint64_t saturating_multiply(std::uint64_t a, std::uint64_t b) {
  return a != 0 && b > kSaturated / a ? kSaturated : a * b;
}

}  // namespace

std::string to_string(LayerKey key) {
  return std::to_string(key.layer) + "/" + std::to_string(key.datatype);
}

std::optional<LayerKey> parse_layer_key(std::string_view text) {
  const std::vector<std::string_view> parts = split(trim(text), '/');
  if (parts.empty() || parts.size() > 2) return std::nullopt;
  constexpr std::int64_t kLargest = 0x7fffffff;
  const auto layer = parse_int(parts[0]);
  const auto datatype = parts.size() == 2 ? parse_int(parts[1]) : std::optional<std::int64_t>{0};
  if (!layer || !datatype || *layer < 0 || *datatype < 0 || *layer > kLargest ||
      *datatype > kLargest)
    return std::nullopt;
  return LayerKey{static_cast<int>(*layer), static_cast<int>(*datatype)};
}

const LayerShapes* Cell::find(LayerIndex layer) const {
  const auto it = std::lower_bound(
      layers.begin(), layers.end(), layer,
      [](const LayerShapes& shapes, LayerIndex wanted) { return shapes.layer < wanted; });
  return it != layers.end() && it->layer == layer ? &*it : nullptr;
}

Box Cell::layer_bbox(LayerIndex layer) const {
  const auto it =
      std::lower_bound(layer_boxes.begin(), layer_boxes.end(), layer,
                       [](const auto& entry, LayerIndex wanted) { return entry.first < wanted; });
  return it != layer_boxes.end() && it->first == layer ? it->second : Box{};
}

std::optional<LayerIndex> Layout::find_layer(LayerKey key) const {
  const auto it = std::lower_bound(layers_.begin(), layers_.end(), key);
  if (it == layers_.end() || *it != key) return std::nullopt;
  return static_cast<LayerIndex>(it - layers_.begin());
}

std::optional<CellIndex> Layout::find_cell(std::string_view name) const {
  const auto it = by_name_.find(name);
  if (it == by_name_.end()) return std::nullopt;
  return it->second;
}

std::uint64_t Layout::placements() const {
  std::uint64_t count = 0;
  for (const Cell& cell : cells_) count += cell.instances.size();
  return count;
}

std::vector<std::uint64_t> Layout::times_placed(std::span<const CellIndex> roots) const {
  std::vector<std::uint64_t> times(cells_.size(), 0);
  for (const CellIndex root : roots) times[root] = saturating_add(times[root], 1);
  for (auto it = bottom_up_.rbegin(); it != bottom_up_.rend(); ++it) {
    if (times[*it] == 0) continue;
    for (const Instance& instance : cells_[*it].instances)
      times[instance.cell] =
          saturating_add(times[instance.cell], saturating_multiply(times[*it], instance.count()));
  }
  return times;
}

std::vector<std::uint64_t> Layout::shape_records() const {
  std::vector<std::uint64_t> counts(layers_.size(), 0);
  for (const Cell& cell : cells_)
    for (const LayerShapes& shapes : cell.layers) counts[shapes.layer] += shapes.counts.total();
  return counts;
}

std::vector<std::uint64_t> Layout::shapes_expanded() const {
  const std::vector<std::uint64_t> times = times_placed(top_cells_);
  std::vector<std::uint64_t> counts(layers_.size(), 0);
  for (CellIndex i = 0; i < cells_.size(); ++i)
    for (const LayerShapes& shapes : cells_[i].layers)
      counts[shapes.layer] =
          saturating_add(counts[shapes.layer], saturating_multiply(times[i], shapes.elements));
  return counts;
}

std::uint64_t Layout::array_elements() const {
  std::uint64_t count = 0;
  for (const Cell& cell : cells_)
    for (const Instance& instance : cell.instances) count = saturating_add(count, instance.count());
  return count;
}

std::uint64_t Layout::texts() const {
  std::uint64_t count = 0;
  for (const Cell& cell : cells_)
    for (const Text& text : cell.texts) count = saturating_add(count, text.repetition.count());
  return count;
}

std::uint64_t Layout::unresolved_cells() const {
  return static_cast<std::uint64_t>(
      std::count_if(cells_.begin(), cells_.end(), [](const Cell& c) { return !c.defined; }));
}

std::size_t LayerShapes::memory_bytes() const {
  return sizeof(*this) + boxes.capacity() * sizeof(Box32) +
         (polygons.capacity() + repeated_polygons.capacity()) * sizeof(PolygonRange) +
         (paths.capacity() + repeated_paths.capacity()) * sizeof(PathRange) +
         repeated.capacity() * sizeof(RepeatedShape) + points.capacity() * sizeof(Point32) +
         index_->memory_bytes();
}

std::size_t Layout::memory_bytes() const {
  std::size_t bytes = sizeof(*this) + cells_.capacity() * sizeof(Cell);
  for (const Cell& cell : cells_) {
    bytes += cell.layer_boxes.capacity() * sizeof(cell.layer_boxes[0]) +
             cell.instances.capacity() * sizeof(Instance) + cell.texts.capacity() * sizeof(Text) +
             cell.name.capacity();
    for (const LayerShapes& shapes : cell.layers) bytes += shapes.memory_bytes();
  }
  for (const auto& list : offset_lists_) bytes += list->memory_bytes();
  return bytes;
}

}  // namespace yieldloop::layout

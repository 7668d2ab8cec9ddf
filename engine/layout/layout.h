/// \file
/// A chip's layout as it was drawn: cells, instances and arrays kept symbolic.
///
/// A `Layout` is built once (layout_builder.h) and never changes. Rectangles are kept as boxes,
/// polygons as ranges of one point array, paths are turned into one of the two when they are
/// added. Every layer of every cell has a packed spatial index, so that a window of the flattened
/// design is answered by walking only the instances that reach it: nothing is ever flattened as
/// a whole and an array of a million cells costs one record. See flat_view.h for the queries.
///
/// Units: database units (`dbu_um()` micrometres each) unless a name says otherwise.
/// Const members are safe to call from several threads.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"
#include "engine/geometry/box.h"
#include "engine/geometry/packed_index.h"
#include "engine/geometry/point.h"
#include "engine/geometry/transform.h"

namespace yieldloop::layout {

using geometry::Box;
using geometry::Box32;
using geometry::Coord;
using geometry::Point;
using geometry::Point32;
using geometry::Polygon;

/// Deepest hierarchy a layout may have; deeper ones are refused when it is built.
inline constexpr int kMaxDepth = 128;

struct LayerKey {
  int layer = 0;
  int datatype = 0;
  friend constexpr auto operator<=>(const LayerKey&, const LayerKey&) = default;
};
/// "68/20".
std::string to_string(LayerKey key);
/// From "68/20" or "68" (datatype 0); nothing when it is neither.
std::optional<LayerKey> parse_layer_key(std::string_view text);

using LayerIndex = std::uint32_t;  ///< Position in Layout::layers().
using CellIndex = std::uint32_t;   ///< Position in Layout::cells().
inline constexpr CellIndex kNoCell = static_cast<CellIndex>(-1);

/// How many records of each kind a layer of a cell was drawn with.
struct ShapeCounts {
  std::uint64_t boxes = 0;     ///< BOX records and polygons that are rectangles.
  std::uint64_t polygons = 0;  ///< All other polygons.
  std::uint64_t paths = 0;
  std::uint64_t total() const { return boxes + polygons + paths; }
  friend bool operator==(const ShapeCounts&, const ShapeCounts&) = default;
};

/// One polygon of a layer of a cell: points()[first, first + count).
struct PolygonRange {
  Box32 box;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

/// What a cell holds on one layer.
struct LayerShapes {
  LayerIndex layer = 0;
  Box bbox;  ///< Of these shapes, without the cell's instances.
  ShapeCounts counts;
  std::vector<Box32> boxes;            ///< In the order of box_index.
  std::vector<PolygonRange> polygons;  ///< In the order of polygon_index.
  std::vector<Point32> points;
  geometry::PackedIndex box_index;
  geometry::PackedIndex polygon_index;
};

/// A placement, or a regular array of them when columns or rows exceed 1.
struct Instance {
  CellIndex cell = kNoCell;
  geometry::Orientation orientation = geometry::Orientation::kR0;
  /// Position in Layout::general_transforms() for odd angles and magnifications, else -1. Its
  /// displacement is 0: `displacement` below holds for both kinds.
  std::int32_t general = -1;
  Point32 displacement;
  std::uint32_t columns = 1;
  std::uint32_t rows = 1;
  Point32 column_step;
  Point32 row_step;
  std::uint64_t count() const { return std::uint64_t{columns} * rows; }
};

struct Text {
  LayerKey key;
  Point32 at;
  std::string string;
};

struct Cell {
  std::string name;
  bool defined = true;              ///< False when it is only referred to.
  Box bbox;                         ///< All shapes with area, instances included.
  Box extent;                       ///< bbox with texts and shapes without area as well.
  int depth = 0;                    ///< 0 for a cell without instances.
  std::vector<LayerShapes> layers;  ///< Ascending by layer; only layers drawn in this cell.
  /// Bounding box per layer with instances included, ascending; absent when the layer is empty.
  std::vector<std::pair<LayerIndex, Box>> layer_boxes;
  std::vector<Instance> instances;  ///< In the order of instance_index.
  geometry::PackedIndex instance_index;
  std::vector<Text> texts;

  const LayerShapes* find(LayerIndex layer) const;
  /// Empty when neither the cell nor anything below draws on the layer.
  Box layer_bbox(LayerIndex layer) const;
};

class Layout {
 public:
  double dbu_um() const { return dbu_um_; }
  const std::string& library_name() const { return library_name_; }

  /// Ascending by key.
  const std::vector<LayerKey>& layers() const { return layers_; }
  std::optional<LayerIndex> find_layer(LayerKey key) const;

  const std::vector<Cell>& cells() const { return cells_; }
  const Cell& cell(CellIndex index) const { return cells_[index]; }
  std::optional<CellIndex> find_cell(std::string_view name) const;
  /// Defined cells that no cell places, largest bounding box first, then by name.
  const std::vector<CellIndex>& top_cells() const { return top_cells_; }
  /// Every cell before the cells that place it.
  const std::vector<CellIndex>& bottom_up() const { return bottom_up_; }
  const std::vector<geometry::GeneralTransform>& general_transforms() const { return general_; }

  /// Placement records; an array counts once.
  std::uint64_t placements() const;
  /// How often every cell stands in the design: 1 for each of `roots` plus every placement below,
  /// arrays expanded; saturates at 2^64 - 1.
  std::vector<std::uint64_t> times_placed(std::span<const CellIndex> roots) const;
  /// Shape records per layer, each cell counted once. Shape: [layers().size()].
  std::vector<std::uint64_t> shape_records() const;
  /// Shapes per layer under all top cells, hierarchy and arrays expanded; saturates.
  std::vector<std::uint64_t> shapes_expanded() const;
  /// Placements with arrays expanded but each cell's counted once; saturates.
  std::uint64_t array_elements() const;
  std::uint64_t texts() const;
  /// Names that are placed but not defined.
  std::uint64_t unresolved_cells() const;
  /// Where an instance's (column, row) element puts the origin.
  static Point element_at(const Instance& instance, std::uint32_t column, std::uint32_t row) {
    return {Coord{instance.displacement.x} + Coord{column} * instance.column_step.x +
                Coord{row} * instance.row_step.x,
            Coord{instance.displacement.y} + Coord{column} * instance.column_step.y +
                Coord{row} * instance.row_step.y};
  }
  /// Bytes held, for the memory budget.
  std::size_t memory_bytes() const;

 private:
  friend class LayoutBuilder;
  double dbu_um_ = 0.001;
  std::string library_name_;
  std::vector<LayerKey> layers_;
  std::vector<Cell> cells_;
  std::map<std::string, CellIndex, std::less<>> by_name_;
  std::vector<CellIndex> top_cells_;
  std::vector<CellIndex> bottom_up_;
  std::vector<geometry::GeneralTransform> general_;
};

}  // namespace yieldloop::layout

/// \file
/// A chip's layout as it was drawn: cells, instances and arrays kept symbolic.
///
/// A `Layout` is built once (layout_builder.h) and never changes. Rectangles are kept as boxes,
/// polygons as ranges of one point array, paths as their centre line; what the file repeats stays
/// a repetition. Every layer of every cell gets a packed spatial index when it is first asked for,
/// so that a window of the flattened design is answered by walking only the instances that reach
/// it: nothing is ever flattened as a whole and an array of a million cells costs one record. See
/// flat_view.h for the queries.
///
/// Units: database units (`dbu_um()` micrometres each) unless a name says otherwise.
/// Const members are safe to call from several threads.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/core/function_ref.h"
#include "engine/core/result.h"
#include "engine/geometry/box.h"
#include "engine/geometry/point.h"
#include "engine/geometry/transform.h"
#include "engine/layout/repetition.h"

namespace yieldloop::layout {

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

class LazyShapeIndex;     // shape_index.h
class LazyInstanceIndex;  // shape_index.h

using LayerIndex = std::uint32_t;  ///< Position in Layout::layers().
using CellIndex = std::uint32_t;   ///< Position in Layout::cells().
inline constexpr CellIndex kNoCell = static_cast<CellIndex>(-1);

/// How many records of each kind a layer of a cell was drawn with.
struct ShapeCounts {
  std::uint64_t boxes = 0;     ///< BOX and RECTANGLE records and polygons that are rectangles.
  std::uint64_t polygons = 0;  ///< All other polygons, trapezoids too.
  std::uint64_t paths = 0;     ///< Paths and circles.
  std::uint64_t total() const { return boxes + polygons + paths; }
  friend bool operator==(const ShapeCounts&, const ShapeCounts&) = default;
};

/// One polygon of a layer of a cell: points[first, first + count).
struct PolygonRange {
  Box32 box;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

/// How a path ends. Source: GDSII stream format, PATHTYPE, BGNEXTN, ENDEXTN.
struct PathStyle {
  Coord width = 0;  ///< Full width.
  enum class Ends : std::uint8_t { kFlush, kRound, kHalfWidth, kCustom } ends = Ends::kFlush;
  Coord begin_extension = 0;  ///< kCustom only; may be negative.
  Coord end_extension = 0;
  friend bool operator==(const PathStyle&, const PathStyle&) = default;
};

/// A path that is no plain rectangle: its centre line and the box of its outline. A single point
/// with round ends is a circle.
struct PathRange {
  PolygonRange line;  ///< `box` is that of the outline.
  PathStyle style;
};

/// Something drawn several times in one record.
struct RepeatedShape {
  enum class Kind : std::uint8_t { kBox, kPolygon, kPath } kind = Kind::kBox;
  std::uint32_t item = 0;  ///< Position in repeated_polygons or repeated_paths.
  Box32 box;               ///< Of the first copy; the shape itself for kBox.
  Repetition repetition;
};

/// A shape in the coordinates of its cell, as a query finds it. Valid during the callback only.
struct CellShape {
  Box box;  ///< Bounding box; the shape itself when is_box.
  bool is_box = true;
  std::span<const Point32> points;  ///< The polygon before it is moved; empty when is_box.
  Point offset;                     ///< By which the points are moved.
  std::uint32_t position = 0;       ///< In the order of the layer's index.
};

/// What a cell holds on one layer.
struct LayerShapes {
  LayerIndex layer = 0;
  Box bbox;  ///< Of these shapes, repetitions included, without the cell's instances.
  ShapeCounts counts;
  std::uint64_t elements = 0;  ///< Shapes with repetitions expanded; saturates.
  // As they were added; only what has area.
  std::vector<Box32> boxes;  ///< Also paths that are rectangles.
  std::vector<PolygonRange> polygons;
  std::vector<PathRange> paths;
  std::vector<RepeatedShape> repeated;
  std::vector<PolygonRange> repeated_polygons;
  std::vector<PathRange> repeated_paths;
  std::vector<Point32> points;

  LayerShapes();
  LayerShapes(LayerShapes&&) noexcept;
  LayerShapes& operator=(LayerShapes&&) noexcept;
  ~LayerShapes();

  std::span<const Point32> points_of(const PolygonRange& polygon) const {
    return std::span(points).subspan(polygon.first, polygon.count);
  }
  /// Every shape whose box touches the window, paths as their outlines, copies one by one, in a
  /// fixed order. The first call makes the index. Thread-safe.
  void for_each_near(const Box& window, FunctionRef<void(const CellShape&)> visit) const;
  std::size_t memory_bytes() const;

 private:
  std::unique_ptr<LazyShapeIndex> index_;
};

/// A placement, or several of the same cell and orientation when it is repeated.
struct Instance : Repetition {
  CellIndex cell = kNoCell;
  geometry::Orientation orientation = geometry::Orientation::kR0;
  /// Position in Layout::general_transforms() for odd angles and magnifications, else -1. Its
  /// displacement is 0: `displacement` below holds for both kinds.
  std::int32_t general = -1;
  Point32 displacement;
};

struct Text {
  LayerKey key;
  Point32 at;
  const std::string* string = nullptr;  ///< Owned by the layout; may be shared.
  Repetition repetition;
};

/// All copies of an instance when `column` of an InstanceVisit says so.
inline constexpr std::uint32_t kAllCopies = static_cast<std::uint32_t>(-1);

class Layout;

struct Cell {
  std::string name;
  bool defined = true;              ///< False when it is only referred to.
  Box bbox;                         ///< All shapes with area, instances included.
  Box extent;                       ///< bbox with texts and shapes without area as well.
  int depth = 0;                    ///< 0 for a cell without instances.
  std::vector<LayerShapes> layers;  ///< Ascending by layer; only layers drawn in this cell.
  /// Bounding box per layer with instances included, ascending; absent when the layer is empty.
  std::vector<std::pair<LayerIndex, Box>> layer_boxes;
  std::vector<Instance> instances;  ///< As they were added.
  std::vector<Text> texts;

  Cell();
  Cell(Cell&&) noexcept;
  Cell& operator=(Cell&&) noexcept;
  ~Cell();

  const LayerShapes* find(LayerIndex layer) const;
  /// Empty when neither the cell nor anything below draws on the layer.
  Box layer_bbox(LayerIndex layer) const;
  /// Calls visit(position, column) for the instances that may reach the window: `column` is one
  /// copy of a listed repetition, or kAllCopies when all must be looked at. The first call makes
  /// the index. `layout` is the one the cell belongs to. Thread-safe.
  void for_each_instance_near(const Layout& layout, const Box& window,
                              FunctionRef<void(std::uint32_t, std::uint32_t)> visit) const;

 private:
  std::unique_ptr<LazyInstanceIndex> index_;
};

/// The parts of a placement that is not orthogonal, as its file gave them.
struct GeneralPlacement {
  bool mirror = false;
  double magnification = 1.0;
  double degrees = 0.0;
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
  /// What the general transforms were made of, one for one.
  const std::vector<GeneralPlacement>& general_placements() const { return general_placements_; }

  /// Placement records; an array counts once.
  std::uint64_t placements() const;
  /// How often every cell stands in the design: 1 for each of `roots` plus every placement below,
  /// arrays expanded; saturates at 2^64 - 1.
  std::vector<std::uint64_t> times_placed(std::span<const CellIndex> roots) const;
  /// Shape records per layer, each cell counted once. Shape: [layers().size()].
  std::vector<std::uint64_t> shape_records() const;
  /// Shapes per layer under all top cells, repetitions, hierarchy and arrays expanded; saturates.
  std::vector<std::uint64_t> shapes_expanded() const;
  /// Placements with arrays expanded but each cell's counted once; saturates.
  std::uint64_t array_elements() const;
  /// Texts with repetitions expanded, each cell counted once; saturates.
  std::uint64_t texts() const;
  /// Names that are placed but not defined.
  std::uint64_t unresolved_cells() const;
  /// The child's box as one copy of the instance shows it, before it is displaced.
  Box placed_box(const Instance& instance, const Box& box) const {
    return instance.general < 0 ? geometry::Transform{instance.orientation, {}}(box)
                                : general_[static_cast<std::size_t>(instance.general)](box);
  }
  /// Where an instance's (column, row) element puts the origin.
  static Point element_at(const Instance& instance, std::uint32_t column, std::uint32_t row) {
    return static_cast<Point>(instance.displacement) + instance.at(column, row);
  }
  /// Bytes held, for the memory budget.
  std::size_t memory_bytes() const;

 private:
  friend class LayoutBuilder;
  double dbu_um_ = 0.001;
  std::string library_name_;
  std::vector<LayerKey> layers_;
  std::vector<Cell> cells_;
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>{}(name);
    }
  };
  std::unordered_map<std::string, CellIndex, NameHash, std::equal_to<>> by_name_;
  std::vector<CellIndex> top_cells_;
  std::vector<CellIndex> bottom_up_;
  std::vector<geometry::GeneralTransform> general_;
  std::vector<GeneralPlacement> general_placements_;
  std::vector<std::unique_ptr<const OffsetList>> offset_lists_;
  std::vector<std::unique_ptr<std::string>> strings_;
};

}  // namespace yieldloop::layout

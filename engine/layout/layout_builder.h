/// \file
/// Collects cells, shapes and instances, in any order, and makes the immutable Layout.
///
/// Readers, tests and exporters fill it; nothing is checked twice: what cannot be stored (a
/// coordinate past 32 bits, a polygon without area) is refused by the call that adds it, what can
/// only be known at the end (a cell that contains itself) by build().
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "engine/layout/layout.h"

namespace yieldloop::layout {

/// What became of a shape that was added.
enum class Added : std::uint8_t {
  kBox,
  kPolygon,
  kPath,
  kNothing,  ///< No area (counted as a record all the same).
  kTooFar,   ///< A coordinate, also of a copy, does not fit 32 bits; dropped.
};

class LayoutBuilder {
 public:
  explicit LayoutBuilder(double dbu_um) { layout_.dbu_um_ = dbu_um; }

  void set_dbu_um(double dbu_um) { layout_.dbu_um_ = dbu_um; }
  void set_library_name(std::string name) { layout_.library_name_ = std::move(name); }

  /// The cell of that name, made on first mention; it stays undefined until define().
  CellIndex cell(std::string_view name);
  /// Marks it as drawn here. False when it was before (a cell defined twice).
  bool define(CellIndex cell);
  /// Shorthand for tests and exporters: cell() and define().
  CellIndex add_cell(std::string_view name);
  const std::string& cell_name(CellIndex cell) const { return layout_.cells_[cell].name; }

  /// A cell whose name is not known yet; undefined until define().
  CellIndex new_cell();
  /// Names it. When another cell has the name already they become one; false when both are drawn:
  /// then this one is dropped.
  bool name_cell(CellIndex cell, std::string_view name);

  /// A string that texts may share; it may be filled in until build().
  std::string* add_string(std::string_view string);

  /// Displacements that shapes, texts and instances may share. REQUIRES: at least one.
  const OffsetList* add_offsets(std::vector<Point32> offsets);

  Added add_box(CellIndex cell, LayerKey key, const Box& box, const Repetition& repetition = {});
  /// A repeated last point is dropped; a rectangle becomes a box.
  Added add_polygon(CellIndex cell, LayerKey key, std::span<const Point32> points,
                    const Repetition& repetition = {});
  /// A path whose outline is a rectangle becomes a box (counted as a path).
  Added add_path(CellIndex cell, LayerKey key, std::span<const Point32> points,
                 const PathStyle& style, const Repetition& repetition = {});
  void add_text(CellIndex cell, LayerKey key, Point32 at, std::string_view string,
                const Repetition& repetition = {});
  /// REQUIRES: a string of add_string(). False when a copy does not fit 32 bits.
  bool add_text(CellIndex cell, LayerKey key, Point32 at, const std::string* string,
                const Repetition& repetition);

  /// False when the copies reach farther than a layout can hold; nothing is added then.
  bool add_instance(CellIndex parent, const Instance& instance);
  /// `instance.orientation` is ignored; the transform's displacement is taken from the instance.
  bool add_instance(CellIndex parent, Instance instance, bool mirror, double magnification,
                    double degrees);

  /// Sorts, indexes, computes bounding boxes. The builder is empty afterwards.
  /// Errors: kFormat LAYO-0001 (a cell contains itself), LAYO-0002 (deeper than kMaxDepth).
  Result<Layout> build();

 private:
  LayerShapes& shapes(CellIndex cell, LayerKey key);
  Added store_box(CellIndex cell, LayerShapes& to, const Box& box, const Repetition& repetition);
  Added store_polygon(CellIndex cell, LayerShapes& to, std::span<const Point32> points,
                      const Repetition& repetition);
  Added store_path(CellIndex cell, LayerShapes& to, std::span<const Point32> points,
                   const PathStyle& style, const Box& box, const Repetition& repetition);
  void drop_merged_cells();
  Status order_cells();
  void finish_cell(Cell& cell);
  void place_children(Cell& cell, std::map<LayerIndex, Box>& boxes);
  std::int32_t general_transform(bool mirror, double magnification, double degrees);

  Layout layout_;
  std::map<CellIndex, CellIndex> merged_;  ///< Cells that became others.
  std::map<LayerKey, LayerIndex> layer_of_;
  std::vector<std::map<LayerIndex, std::size_t>> slot_of_;  ///< Per cell: layer -> cell.layers.
  std::map<std::tuple<bool, double, double>, std::int32_t> general_of_;
  CellIndex last_cell_ = kNoCell;  ///< The slot found last, since shapes come in runs.
  LayerKey last_key_;
  std::size_t last_slot_ = 0;
};

}  // namespace yieldloop::layout

/// \file
/// What a tile and its surroundings hold for the faults of one layer; for this folder's sources.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/layout/critical_area.h"
#include "engine/layout/fault_cells.h"

namespace yieldloop::layout {

struct FaultModel {
  FaultKind kind = FaultKind::kShort;
  bool end_effects = true;
  Coord x_max = 0;      ///< Largest size looked at, rounded up.
  Coord staircase = 1;  ///< Height of the rows that oblique shapes are cut into.
  NetFinder nets;       ///< May be empty.

  /// How far around a tile shapes are looked at. Half a defect is what a centre can reach, as much
  /// again shows connections; a stretch of wire in reach must show a length of x_max.
  Coord margin() const { return kind == FaultKind::kShort ? x_max : x_max + x_max / 2 + 1; }
};

/// A layer's shapes around a tile as boxes with nets, relative to the tile's lower-left corner.
struct TileShapes {
  std::vector<geometry::Box32> boxes;  ///< Cut to the tile enlarged by the margin.
  std::vector<std::uint32_t> nets;     ///< One for each box; numbered from 0.
  std::uint32_t net_count = 0;
  bool oblique = false;  ///< Some boxes stand for rows of oblique shapes.

  /// Ascending by box, nets numbered in that order: equal for equal content.
  void sort();

  static TileShapes of(const FlatView& view, LayerIndex layer, const Box& tile,
                       const FaultModel& model);
  /// From boxes, with nets by touch or by the model's finder.
  static TileShapes of(std::span<const Box> shapes, LayerIndex layer, const Box& tile,
                       const FaultModel& model);
};

/// Groups boxes that share area or a stretch of border; those that meet only in a corner are
/// two. Groups are numbered from 0 in the order of their first box. Returns their number.
std::uint32_t group_touching(const std::vector<geometry::Box32>& boxes,
                             std::vector<std::uint32_t>& groups);

/// Works on tiles one after the other and keeps its memory. Not thread-safe.
class FaultTile {
 public:
  explicit FaultTile(std::int32_t limit) : builder_(limit) {}
  /// The curve of the places inside the tile. Units: quarter square database units.
  FaultCurve curve(const TileShapes& shapes, const Box& tile, const FaultModel& model);

 private:
  void shorts(const TileShapes& shapes, const FaultSite& cell);
  void opens(const TileShapes& shapes, const Box& tile, const FaultModel& model,
             const FaultSite& cell);

  FaultCurveBuilder builder_;
  FaultCells cells_;
  std::vector<FaultSite> sites_;
};

}  // namespace yieldloop::layout

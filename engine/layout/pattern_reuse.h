/// \file
/// Counting of clips cell by cell, with what is repeated counted once; for this folder's sources.
///
/// A repeated cell is cut into parts, one for each tile of its own grid; a part owns the places
/// of its tile, but for those that parts of cells placed below own. A part holds for a placement
/// when nothing but the placed cell draws within `reach` of the part. Tile borders lie a quarter
/// unit off the grid of places, so that a turned or mirrored tile owns the same places.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <vector>

#include "engine/core/progress.h"
#include "engine/geometry/packed_index.h"
#include "engine/layout/pattern_classes.h"
#include "engine/layout/pattern_table.h"

namespace yieldloop::layout {

/// What the places of a part of a layout come to.
struct PartCounts {
  std::vector<ClassCount> classes;  ///< Each class once after settle().
  std::array<std::uint64_t, kPointKinds> by_kind{};
  std::uint64_t places = 0;

  void add(std::uint32_t number, PointKindSet kinds);
  void add(const PartCounts& other);
  /// Sorts and sums up.
  void settle();
};

/// Counts the places a box owns and that `mine` accepts.
PartCounts count_places(const FlatView& view, const PatternSpec& spec, const Box& box,
                        FunctionRef<bool(Point)> mine, ClassTable& table);

struct CellCounts;

/// A repeated cell as another shows it.
struct PlacedCounts {
  geometry::Transform transform;
  Box box;
  const CellCounts* cell = nullptr;
  std::vector<std::int32_t> owner;  ///< Of each of its parts: the part here that holds it, or -1.
  bool useful() const;
};

struct CellPart {
  Box region;  ///< Holds every place of the part.
  PartCounts counts;
};

struct CellCounts {
  Box bbox;
  Coord side = 1;
  std::size_t columns = 0;
  std::vector<CellPart> parts;
  geometry::PackedIndex part_index;  ///< Over part_boxes.
  std::vector<Box> part_boxes;
  std::vector<std::uint32_t> part_of_box;
  std::vector<PlacedCounts> placed;  ///< In packed order.
  std::vector<Box> placed_boxes;
  geometry::PackedIndex placed_index;

  Box tile(std::size_t part) const;
  std::size_t tile_of(Point twice) const;
  /// The part that owns a place.
  std::size_t part_of(Point twice) const;
  /// Indexes of `placed` whose box touches the window.
  std::vector<std::uint32_t> placed_near(const Box& window) const;
};

/// Counts all places below the view's cell into the table.
class ReuseCounter {
 public:
  ReuseCounter(const FlatView& view, const PatternSpec& spec, Coord side, ClassTable& table,
               Progress& progress);
  ~ReuseCounter();

  /// Errors: kCancelled LAYO-0007.
  Status run();
  PartCounts& totals() { return totals_; }  ///< Without classes: those are in the table.
  std::uint64_t looked_at() const { return looked_at_; }

 private:
  using Weights = std::map<const CellCounts*, std::vector<std::uint64_t>>;

  Box layers_box(CellIndex cell) const;
  bool repeated(CellIndex cell) const { return counts_[cell] != nullptr; }
  Status count_cell(CellIndex cell, CellCounts& out, bool top);
  void lay_grid(CellIndex cell, CellCounts& out) const;
  Status place_children(CellIndex cell, CellCounts& out);
  void find_placed(CellIndex root, CellIndex cell, const geometry::Transform& transform,
                   std::vector<PathStep>& path, std::vector<PlacedCounts>& placed,
                   std::vector<std::vector<PathStep>>& paths) const;
  void accept_parts(CellIndex root, const CellCounts& out, std::span<const PathStep> path,
                    PlacedCounts& placed) const;
  bool reached_by_others(CellIndex cell, const Box& window, std::span<const PathStep> own) const;
  bool draws_near(CellIndex cell, const Box& window) const;
  void count_rest(CellIndex cell, const CellCounts& counts, const Box& box, PartCounts& out);
  bool all_reused(const CellCounts& counts, std::span<const std::uint32_t> near,
                  const Box& box) const;
  void add_reused(CellCounts& out, bool top);
  void finish(CellCounts& out) const;

  FlatView view_;
  const PatternSpec& spec_;
  Coord side_;
  ClassTable& table_;
  Progress& progress_;
  std::vector<std::unique_ptr<CellCounts>> counts_;  ///< Shape: [cells].
  std::vector<bool> holds_repeated_;
  PartCounts totals_;
  std::atomic<std::uint64_t> looked_at_{0};
};

}  // namespace yieldloop::layout

/// \file
/// Copies of a shape, a text or a placement, kept symbolic.
///
/// A repetition is a regular array (columns and rows of any two steps) or a list of displacements
/// relative to the first copy, which is the first of the list. Lists may be shared by everything
/// that is repeated alike.
/// Source: SEMI P39 (OASIS), repetition types 1 to 11; GDSII stream format, AREF.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/core/function_ref.h"
#include "engine/geometry/box.h"
#include "engine/geometry/point.h"

namespace yieldloop::layout {

using geometry::Box;
using geometry::Box32;
using geometry::Coord;
using geometry::Point;
using geometry::Point32;

/// Displacements in the order of the file, with the bounding box of every run of 64.
class OffsetList {
 public:
  static constexpr std::size_t kRun = 64;

  /// REQUIRES: at least one.
  explicit OffsetList(std::vector<Point32> offsets);
  std::size_t size() const { return offsets_.size(); }
  const Point32& operator[](std::size_t i) const { return offsets_[i]; }
  std::span<const Point32> offsets() const { return offsets_; }
  /// Bounding box of all.
  const Box& box() const { return box_; }
  /// Positions of displacements within the window, ascending.
  void for_each_in(const Box& window, FunctionRef<void(std::uint32_t)> visit) const;
  std::size_t memory_bytes() const {
    return offsets_.capacity() * sizeof(Point32) + runs_.capacity() * sizeof(Box32);
  }

 private:
  std::vector<Point32> offsets_;
  std::vector<Box32> runs_;  ///< Empty for a single run.
  Box box_;
};

/// A single copy when default.
struct Repetition {
  std::uint32_t columns = 1;
  std::uint32_t rows = 1;
  Point32 column_step;
  Point32 row_step;
  /// Not null: the copies stand at offsets[column], columns is their number and rows is 1.
  const OffsetList* offsets = nullptr;

  bool single() const { return columns == 1 && rows == 1 && offsets == nullptr; }
  std::uint64_t count() const { return std::uint64_t{columns} * rows; }
  /// Displacement of a copy.
  Point at(std::uint32_t column, std::uint32_t row) const {
    if (offsets != nullptr) return (*offsets)[column];
    return {Coord{column} * column_step.x + Coord{row} * row_step.x,
            Coord{column} * column_step.y + Coord{row} * row_step.y};
  }
  /// Bounding box of all displacements.
  Box box() const;
};

/// A list as a repetition. REQUIRES: it outlives the repetition.
Repetition repetition_of(const OffsetList& offsets);

/// `element` grown to hold all its copies; empty stays empty.
Box repeated_box(const Repetition& repetition, const Box& element);

/// Calls visit(column, row) for every copy of `element` that touches the window, in ascending
/// order of row, then column. Cost: for arrays, proportional to the rows that reach the window
/// and the copies found.
void for_each_copy_near(const Repetition& repetition, const Box& element, const Box& window,
                        FunctionRef<void(std::uint32_t, std::uint32_t)> visit);

}  // namespace yieldloop::layout

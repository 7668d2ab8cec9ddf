/// \file
/// Finds arrays among equal things that stand at many places.
///
/// Rows of at least four at one pitch become one-dimensional arrays, equal rows at one pitch
/// two-dimensional ones, columns of what is left likewise; the rest is one list. A place that
/// occurs twice goes into a second round: KLayout drops equal copies within a repetition. The
/// result covers every place as often as it was given and depends on the places only. Cost: O(n log
/// n).
#pragma once

#include <vector>

#include "engine/geometry/point.h"

namespace yieldloop::ingest::oasis {

/// `columns` by `rows` copies from `at` on, or a list of places.
struct PlaceGroup {
  geometry::Point at;  ///< The first copy.
  std::uint32_t columns = 1;
  std::uint32_t rows = 1;
  geometry::Point column_step;
  geometry::Point row_step;
  std::vector<geometry::Point> list;  ///< Sorted by y, then x; empty for arrays and single places.
};

std::vector<PlaceGroup> find_arrays(std::vector<geometry::Point> places);

}  // namespace yieldloop::ingest::oasis

/// \file
/// Finds arrays among equal things that stand at many places.
///
/// Rows of at least four at one pitch become one-dimensional arrays, equal rows at one pitch
/// two-dimensional ones, columns of what is left likewise; the rest is one list. The result covers
/// every place once, also places that occur twice, and depends on the set of places only.
/// Cost: O(n log n).
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

/// Sorted by what they are: arrays first, the list last.
std::vector<PlaceGroup> find_arrays(std::vector<geometry::Point> places);

}  // namespace yieldloop::ingest::oasis

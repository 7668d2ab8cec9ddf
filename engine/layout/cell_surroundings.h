/// \file
/// Which cells' boxes lie around a point; for this folder's sources.
#pragma once

#include <string>

#include "engine/layout/flat_view.h"

namespace yieldloop::layout {

struct CellSurroundings {
  double cell_edge = 0.0;   ///< To the nearest side of a cell without cells, `reach` at most.
  double macro_edge = 0.0;  ///< To the nearest side of a cell with cells.
  CellIndex deepest = kNoCell;
  std::vector<CellIndex> path;  ///< From the view's cell to the deepest.
};

/// Cells whose box is shorter than `smallest` on both sides do not count.
CellSurroundings cells_around(const FlatView& view, Point at, Coord reach, Coord smallest);

}  // namespace yieldloop::layout

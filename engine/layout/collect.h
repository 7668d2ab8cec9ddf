/// \file
/// Fetches a window's shapes into a heap that engine/geometry works on; for this folder's sources.
#pragma once

#include "engine/geometry/region.h"
#include "engine/layout/flat_view.h"

namespace yieldloop::layout {

/// Everything on the layer that touches the window, not cut to it.
geometry::ShapeHeap collect(const FlatView& view, LayerIndex layer, const Box& window);

/// Cuts the window into pieces of at most `side`, row by row from the lower left, and calls
/// visit(piece). Neighbouring pieces share their border.
template <class Visit>
void for_each_piece(const Box& window, Coord side, Visit&& visit) {
  for (Coord y = window.y_min; y < window.y_max; y += side)
    for (Coord x = window.x_min; x < window.x_max; x += side)
      visit(Box{x, y, std::min(x + side, window.x_max), std::min(y + side, window.y_max)});
}

}  // namespace yieldloop::layout

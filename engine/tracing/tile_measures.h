/// \file
/// The drawn share and the border of a layer in square tiles over a window.
///
/// Units: um; density is a share, perimeter in 1/um.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/layout/flat_view.h"
#include "engine/tracing/frame.h"

namespace yieldloop::tracing {

/// Tiles row by row from the lower left; those of the last column and row end at the window.
struct TileMeasures {
  double side = 1.0;
  std::size_t columns = 1, rows = 1;
  std::vector<double> density;    ///< Shape: [rows, columns].
  std::vector<double> perimeter;  ///< Border per area; empty unless asked for.
};

/// Tiles of `finest_um`, or larger ones where that would need more than `most`; the side is a whole
/// number of database units.
TileMeasures measure_tiles(const layout::FlatView& view, layout::LayerIndex layer,
                           const RectUm& window, double finest_um, std::size_t most, bool border);

}  // namespace yieldloop::tracing

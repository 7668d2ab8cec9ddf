/// \file
/// How much of every tile each layer covers, and how long its border is there.
///
/// Areas are those of the union: overlaps count once, however deep in the hierarchy they arise.
/// Tiles are laid from the window's lower-left corner; those of the last column and row are cut at
/// its border. Exact as FlatView::area() is; a border between two tiles counts in one of them.
/// Cost: about a tenth of a microsecond a flat shape; memory: that of a tile a thread, so that it
/// does not grow with the layout. Units: database units, areas in square database units.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/layout/flat_view.h"

namespace yieldloop::layout {

struct DensityMapOptions {
  Coord tile = 50000;         ///< Side of a tile.
  std::optional<Box> window;  ///< The view's box when empty.
  bool perimeter = false;     ///< Also the border's length; about twice the time.
};

struct DensityMap {
  Box window;
  Coord tile = 0;
  std::size_t columns = 0;
  std::size_t rows = 0;
  std::vector<LayerIndex> layers;  ///< As asked for.
  /// Covered area. Shape: [layers, rows, columns], row 0 at the bottom.
  std::vector<double> area;
  /// Length of the union's border inside the tile, what lies on the tile's left and lower side
  /// included; what runs along the window's border does not count. Empty unless asked for.
  std::vector<double> perimeter;

  std::size_t at(std::size_t layer, std::size_t column, std::size_t row) const {
    return (layer * rows + row) * columns + column;
  }
  Box tile_box(std::size_t column, std::size_t row) const;
  /// area / tile area; 0 for a tile without area.
  double density(std::size_t layer, std::size_t column, std::size_t row) const;
  friend bool operator==(const DensityMap&, const DensityMap&) = default;
};

/// Errors: kInvalidOptions LAYO-0022 (a tile that is not above 0 or 2^29 or more, more than 2^26
/// tiles), kCancelled LAYO-0007.
Result<DensityMap> density_map(const FlatView& view, const std::vector<LayerIndex>& layers,
                               const DensityMapOptions& options, Progress& progress);

}  // namespace yieldloop::layout

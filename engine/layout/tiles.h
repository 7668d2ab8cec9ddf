/// \file
/// Works through a window tile by tile on all cores, with results in tile order; for this folder.
#pragma once

#include <tbb/parallel_for.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/geometry/box.h"

namespace yieldloop::layout {

/// Tile `index` of a window, counted row by row from the lower left. A tile owns its left and
/// lower border; the last column and row also own the window's right and upper border.
struct TileGrid {
  geometry::Box window;
  geometry::Coord side = 1;

  /// Tiles of `side`, or larger ones where a far-off shape would make them too many.
  static TileGrid of(const geometry::Box& window, geometry::Coord side) {
    constexpr geometry::Coord kPerSide = 2048;
    return {window, std::max({side, window.width() / kPerSide, window.height() / kPerSide})};
  }

  std::size_t columns() const { return count(window.width()); }
  std::size_t rows() const { return count(window.height()); }
  std::size_t size() const { return window.empty() ? 0 : columns() * rows(); }
  geometry::Box tile(std::size_t index) const {
    const auto column = static_cast<geometry::Coord>(index % columns());
    const auto row = static_cast<geometry::Coord>(index / columns());
    const geometry::Point low{window.x_min + column * side, window.y_min + row * side};
    return {low.x, low.y, std::min(low.x + side, window.x_max),
            std::min(low.y + side, window.y_max)};
  }
  bool owns(const geometry::Box& tile, geometry::Point p) const {
    return p.x >= tile.x_min && p.y >= tile.y_min &&
           (p.x < tile.x_max || (p.x == tile.x_max && tile.x_max == window.x_max)) &&
           (p.y < tile.y_max || (p.y == tile.y_max && tile.y_max == window.y_max));
  }

 private:
  std::size_t count(geometry::Coord length) const {
    return static_cast<std::size_t>(std::max<geometry::Coord>((length + side - 1) / side, 1));
  }
};

/// results[k] = work(k) for k < count. Errors: kCancelled LAYO-0007.
template <class T, class Work>
Result<std::vector<T>> for_all_tiles(std::size_t count, std::string_view stage, Progress& progress,
                                     Work&& work) {
  std::vector<T> results(count);
  std::atomic<std::size_t> done{0};
  std::atomic<bool> stopped{false};
  tbb::parallel_for(std::size_t{0}, count, [&](std::size_t k) {
    if (stopped || progress.cancelled()) {
      stopped = true;
      return;
    }
    results[k] = work(k);
    progress.report(stage, ++done, count);
  });
  if (stopped) return Error{Errc::kCancelled, "LAYO-0007", "Work on the layout was cancelled."};
  return results;
}

}  // namespace yieldloop::layout

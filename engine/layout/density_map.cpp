#include "engine/layout/density_map.h"

#include <algorithm>
#include <cmath>

#include "engine/geometry/union_sweep.h"
#include "engine/layout/collect.h"
#include "engine/layout/shape_gather.h"
#include "engine/layout/shape_search.h"
#include "engine/layout/tiles.h"

namespace yieldloop::layout {
namespace {

constexpr Coord kLargestTile = Coord{1} << 29;
constexpr double kMostTiles = 67108864.0;
/// Tiles above this side are measured in pieces: the sweep is fast where lines are short.
constexpr Coord kPiece = 1 << 16;

std::size_t count_along(Coord length, Coord tile) {
  return static_cast<std::size_t>((length + tile - 1) / tile);
}

/// Tiles of one row that a thread works on.
struct Strip {
  std::size_t row = 0;
  std::size_t first = 0;
  std::size_t last = 0;
};

class Mapper {
 public:
  Mapper(const ShapeSearch& search, DensityMap& map, bool perimeter)
      : search_(search), map_(map), perimeter_(perimeter) {}

  void measure(const Strip& strip) const {
    ShapeGatherer gatherer(search_.cells());
    for (std::size_t column = strip.first; column < strip.last; ++column)
      for_each_piece(map_.tile_box(column, strip.row), kPiece,
                     [&](const Box& piece) { measure(gatherer, column, strip.row, piece); });
  }

 private:
  void measure(ShapeGatherer& gatherer, std::size_t column, std::size_t row,
               const Box& piece) const {
    const auto& heaps =
        gatherer.gather(search_.view().top(), perimeter_ ? piece.enlarged(1) : piece);
    for (std::size_t slot = 0; slot < heaps.size(); ++slot) {
      if (heaps[slot].empty()) continue;
      const std::size_t at = map_.at(slot, column, row);
      map_.area[at] += geometry::union_area(heaps[slot], piece);
      if (perimeter_)
        map_.perimeter[at] += geometry::union_perimeter(
            heaps[slot], piece, piece.x_min > map_.window.x_min, piece.y_min > map_.window.y_min);
    }
  }

  const ShapeSearch& search_;
  DensityMap& map_;
  bool perimeter_;
};

/// Every row in pieces of about as many tiles as keep a thread busy for a while.
std::vector<Strip> strips_of(const DensityMap& map) {
  constexpr std::size_t kTiles = 64;
  std::vector<Strip> strips;
  for (std::size_t row = 0; row < map.rows; ++row)
    for (std::size_t first = 0; first < map.columns; first += kTiles)
      strips.push_back({row, first, std::min(first + kTiles, map.columns)});
  return strips;
}

}  // namespace

Box DensityMap::tile_box(std::size_t column, std::size_t row) const {
  const Coord x = window.x_min + static_cast<Coord>(column) * tile;
  const Coord y = window.y_min + static_cast<Coord>(row) * tile;
  return {x, y, std::min(x + tile, window.x_max), std::min(y + tile, window.y_max)};
}

double DensityMap::density(std::size_t layer, std::size_t column, std::size_t row) const {
  const double whole = tile_box(column, row).area();
  return whole > 0.0 ? area[at(layer, column, row)] / whole : 0.0;
}

Result<DensityMap> density_map(const FlatView& view, const std::vector<LayerIndex>& layers,
                               const DensityMapOptions& options, Progress& progress) {
  DensityMap map;
  map.window = options.window.value_or(view.bbox());
  map.tile = options.tile;
  map.layers = layers;
  const bool sound = map.tile > 0 && map.tile < kLargestTile;
  const double tiles =
      sound
          ? std::ceil(static_cast<double>(map.window.width()) / static_cast<double>(map.tile)) *
                std::ceil(static_cast<double>(map.window.height()) / static_cast<double>(map.tile))
          : 0.0;
  if (!sound || tiles > kMostTiles)
    return Error{Errc::kInvalidOptions, "LAYO-0022",
                 "A density map needs tiles above 0 and below 2^29 database units and at most 2^26 "
                 "of them; choose another side."};
  map.columns = count_along(map.window.width(), map.tile);
  map.rows = count_along(map.window.height(), map.tile);
  map.area.assign(layers.size() * map.rows * map.columns, 0.0);
  if (options.perimeter) map.perimeter = map.area;
  const ShapeSearch search(view, layers);
  const Mapper mapper(search, map, options.perimeter);
  const std::vector<Strip> strips = strips_of(map);
  YL_ASSIGN([[maybe_unused]] const auto done,
            for_all_tiles<char>(strips.size(), "density map", progress, [&](std::size_t k) {
              mapper.measure(strips[k]);
              return char{};
            }));
  return map;
}

}  // namespace yieldloop::layout

#include "engine/tracing/tile_measures.h"

#include <algorithm>
#include <cmath>

#include "engine/layout/density_map.h"

namespace yieldloop::tracing {

TileMeasures measure_tiles(const layout::FlatView& view, layout::LayerIndex layer,
                           const RectUm& window, double finest_um, std::size_t most, bool border) {
  const double dbu = view.layout().dbu_um();
  const double w = window.x_max - window.x_min, h = window.y_max - window.y_min;
  const double wanted =
      std::max(finest_um, std::sqrt(w * h / static_cast<double>(std::max<std::size_t>(1, most))));
  layout::DensityMapOptions options;
  constexpr double kLargest = (1 << 29) - 1;
  options.tile =
      static_cast<geometry::Coord>(std::clamp(std::ceil(wanted / dbu - 1e-6), 1.0, kLargest));
  options.window = to_dbu(window, dbu);
  options.perimeter = border;
  NoProgress quiet;
  TileMeasures m;
  m.side = static_cast<double>(options.tile) * dbu;
  // Neither error can occur: the tile is sound, and nobody cancels.
  const auto map = layout::density_map(view, {layer}, options, quiet);
  m.columns = std::max<std::size_t>(1, map->columns);
  m.rows = std::max<std::size_t>(1, map->rows);
  m.density.assign(m.columns * m.rows, 0.0);
  if (border) m.perimeter.assign(m.columns * m.rows, 0.0);
  for (std::size_t row = 0; row < map->rows; ++row) {
    for (std::size_t column = 0; column < map->columns; ++column) {
      const std::size_t i = map->at(0, column, row);
      m.density[i] = map->density(0, column, row);
      if (border) m.perimeter[i] = map->perimeter[i] / (map->tile_box(column, row).area() * dbu);
    }
  }
  return m;
}

}  // namespace yieldloop::tracing

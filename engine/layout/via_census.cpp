#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "engine/geometry/box_finder.h"
#include "engine/layout/census.h"
#include "engine/layout/layer_pieces.h"
#include "engine/layout/tiles.h"

namespace yieldloop::layout {
namespace {

/// The larger of the gaps along x and y; at most 0 when the boxes touch or overlap.
Coord gap(const Box& a, const Box& b) {
  return std::max({a.x_min - b.x_max, b.x_min - a.x_max, a.y_min - b.y_max, b.y_min - a.y_max});
}

constexpr Coord kStaircase = 8;  ///< Only whether shapes touch matters here.
constexpr double kTileUm = 50.0;

/// The metal's pieces as far as the window shows; cut to it, so that a long wire joins nothing
/// beyond.
LayerPieces pieces_in(const FlatView& view, LayerIndex layer, const Box& window) {
  bool oblique = false;
  std::vector<Box> boxes = boxes_in(view, layer, window, kStaircase, oblique);
  for (Box& box : boxes) box = box.intersection(window);
  std::erase_if(boxes, [](const Box& b) { return b.width() <= 0 || b.height() <= 0; });
  return LayerPieces(std::move(boxes));
}

std::vector<ViaCut> cuts_of_tile(const FlatView& view, const ViaLayer& layers, const TileGrid& grid,
                                 const Box& tile, Coord distance) {
  // Cuts that start in the tile and their possible partners.
  const Box reach = tile.enlarged(2 * distance);
  bool oblique = false;
  const std::vector<Box> cuts = merged_cuts(boxes_in(view, layers.cut, reach, kStaircase, oblique));
  if (cuts.empty()) return {};
  // Metal beyond that still decides whether two pieces are one.
  const LayerPieces below = pieces_in(view, layers.below, reach.enlarged(2 * distance));
  const LayerPieces above = pieces_in(view, layers.above, reach.enlarged(2 * distance));
  using Join = std::pair<std::optional<std::uint32_t>, std::optional<std::uint32_t>>;
  std::vector<Join> joins;
  for (const Box& cut : cuts) joins.emplace_back(below.at(cut.center()), above.at(cut.center()));
  const geometry::BoxFinder find_cut(cuts);
  std::vector<ViaCut> result;
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const Box& box = cuts[i];
    if (!grid.owns(tile, {box.x_min, box.y_min})) continue;
    ViaCut cut{box, joins[i].first.has_value(), joins[i].second.has_value(), 0};
    find_cut.for_each(box.enlarged(distance), [&](std::uint32_t k, const Box& other) {
      if (k != i && cut.below && cut.above && joins[k] == joins[i] && gap(box, other) <= distance)
        ++cut.partners;
    });
    result.push_back(cut);
  }
  return result;
}

}  // namespace

Result<ViaCensus> census_vias(const FlatView& view, const ViaLayer& layers,
                              const ViaCensusOptions& options, Progress& progress) {
  if (options.redundancy_distance <= 0 || options.tile < 0)
    return Error{Errc::kInvalidOptions, "LAYO-0006",
                 "A census needs a distance and a tile above 0 database units."};
  const Box window = options.window.value_or(view.bbox(layers.cut));
  const Coord side =
      options.tile > 0
          ? options.tile
          : std::max(static_cast<Coord>(std::llround(kTileUm / view.layout().dbu_um())),
                     10 * options.redundancy_distance);
  const TileGrid grid = TileGrid::of(window, side);
  YL_ASSIGN(
      const auto tiles,
      for_all_tiles<std::vector<ViaCut>>(grid.size(), "via census", progress, [&](std::size_t k) {
        return cuts_of_tile(view, layers, grid, grid.tile(k), options.redundancy_distance);
      }));
  ViaCensus census;
  for (const std::vector<ViaCut>& tile : tiles)
    census.cuts.insert(census.cuts.end(), tile.begin(), tile.end());
  std::sort(census.cuts.begin(), census.cuts.end(),
            [](const ViaCut& a, const ViaCut& b) { return a.box < b.box; });
  for (const ViaCut& cut : census.cuts) {
    if (!cut.below || !cut.above) {
      ++census.unconnected;
    } else {
      ++(cut.single() ? census.singles : census.redundant);
    }
  }
  return census;
}

}  // namespace yieldloop::layout

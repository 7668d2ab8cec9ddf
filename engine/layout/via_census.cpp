#include <algorithm>

#include "engine/layout/census.h"
#include "engine/layout/tiles.h"

namespace yieldloop::layout {
namespace {

using geometry::MergedPolygon;

/// The larger of the gaps along x and y; at most 0 when the boxes touch or overlap.
Coord gap(const Box& a, const Box& b) {
  return std::max({a.x_min - b.x_max, b.x_min - a.x_max, a.y_min - b.y_max, b.y_min - a.y_max});
}

std::vector<ViaCut> cuts_of_tile(const FlatView& view, const ViaLayer& layers, const TileGrid& grid,
                                 const Box& tile, Coord distance) {
  // Cuts that start in the tile and their possible partners.
  const Box reach = tile.enlarged(2 * distance);
  const std::vector<MergedPolygon> cuts = merged(view, layers.cut, reach);
  if (cuts.empty()) return {};
  // Metal beyond that still decides whether two pieces are one.
  const std::vector<MergedPolygon> below = merged(view, layers.below, reach.enlarged(2 * distance));
  const std::vector<MergedPolygon> above = merged(view, layers.above, reach.enlarged(2 * distance));
  const PieceFinder find_below(below);
  const PieceFinder find_above(above);
  const PieceFinder find_cut(cuts);
  std::vector<std::pair<std::int64_t, std::int64_t>> joins;
  for (const MergedPolygon& cut : cuts)
    joins.emplace_back(find_below.at(cut.bbox().center()), find_above.at(cut.bbox().center()));
  std::vector<ViaCut> result;
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const Box box = cuts[i].bbox();
    if (!grid.owns(tile, {box.x_min, box.y_min})) continue;
    ViaCut cut{box, joins[i].first >= 0, joins[i].second >= 0, 0};
    for (const std::uint32_t k : find_cut.near(box.enlarged(distance)))
      if (k != i && cut.below && cut.above && joins[k] == joins[i] &&
          gap(box, cuts[k].bbox()) <= distance)
        ++cut.partners;
    result.push_back(cut);
  }
  return result;
}

}  // namespace

Result<ViaCensus> census_vias(const FlatView& view, const ViaLayer& layers,
                              const ViaCensusOptions& options, Progress& progress) {
  if (options.redundancy_distance <= 0 || options.tile <= 0)
    return Error{Errc::kInvalidOptions, "LAYO-0006",
                 "A census needs a distance and a tile above 0 database units."};
  const Box window = options.window.value_or(view.bbox(layers.cut));
  const TileGrid grid = TileGrid::of(window, options.tile);
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

#include "engine/layout/point_features.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "engine/layout/cell_surroundings.h"
#include "engine/layout/feature_tile.h"
#include "engine/layout/shape_gather.h"
#include "engine/layout/shape_search.h"
#include "engine/layout/tiles.h"

namespace yieldloop::layout {
namespace {

std::string prefix(const Layout& layout, LayerIndex layer, const std::string& name) {
  return name.empty() ? to_string(layout.layers()[layer]) : name;
}

/// The options in database units, and what follows from them.
struct Plan {
  explicit Plan(const FlatView& view, const PointFeatureOptions& asked) : options(asked) {
    const double dbu = view.layout().dbu_um();
    const auto units = [dbu](double length) {
      return static_cast<Coord>(std::llround(std::min(length / dbu, 1e9)));
    };
    for (const double r : asked.density_radii_um) radii.push_back(std::max<Coord>(units(r), 1));
    gradient = units(asked.gradient_radius_um);
    count = units(asked.count_radius_um);
    reach = std::max<Coord>(units(asked.reach_um), 1);
    line_end = units(asked.line_end_um);
    redundancy = units(asked.redundancy_distance_um);
    cell_reach = std::max<Coord>(units(asked.cell_reach_um), 1);
    smallest_cell = units(asked.smallest_cell_um);
    um = dbu;
    margin = std::max(
        {2 * gradient, 2 * reach, count + line_end, std::max(count, reach) + 4 * redundancy});
    for (const Coord r : radii) margin = std::max(margin, r);
    margin += 2;
    for (const FeatureLayer& layer : asked.layers) slot(layer.layer);
    for (const FeatureVia& via : asked.vias)
      for (const LayerIndex layer : {via.layers.cut, via.layers.below, via.layers.above})
        slot(layer);
  }
  std::size_t slot(LayerIndex layer) {
    const auto it = std::find(layers.begin(), layers.end(), layer);
    if (it != layers.end()) return static_cast<std::size_t>(it - layers.begin());
    layers.push_back(layer);
    return layers.size() - 1;
  }
  std::size_t slot(LayerIndex layer) const {
    return static_cast<std::size_t>(std::find(layers.begin(), layers.end(), layer) -
                                    layers.begin());
  }

  const PointFeatureOptions& options;
  std::vector<LayerIndex> layers;  ///< All that are looked at, once each.
  std::vector<Coord> radii;
  Coord gradient = 0;
  Coord count = 0;
  Coord reach = 0;
  Coord line_end = 0;
  Coord redundancy = 0;
  Coord cell_reach = 0;
  Coord smallest_cell = 0;
  Coord margin = 0;
  double um = 0.001;
};

Box square(Point at, Coord half) { return Box{at.x, at.y, at.x, at.y}.enlarged(half); }

/// The merged cuts of a tile with what is known of each, found out when first needed.
class CutTile {
 public:
  CutTile(const geometry::ShapeHeap& shapes, const Box& window, const Plan& plan,
          const FeatureTile& below, const FeatureTile& above)
      : plan_(plan), below_(below), above_(above), index_({}, {}) {
    for (const geometry::MergedPolygon& piece : geometry::merge(shapes, window))
      cuts_.push_back(piece.bbox());
    single_.resize(cuts_.size());
    index_ = TileIndex({window.x_min, window.y_min}, cuts_);
  }

  void add_row(Point at, std::vector<float>& row) {
    double count = 0.0;
    double singles = 0.0;
    double nearest = static_cast<double>(plan_.reach);
    std::optional<std::uint32_t> nearest_cut;
    const Box counted = square(at, plan_.count);
    index_.for_each_near(square(at, std::max(plan_.count, plan_.reach)), [&](std::uint32_t i) {
      if (counted.contains(cuts_[i].center())) {
        count += 1.0;
        singles += single(i) ? 1.0 : 0.0;
      }
      const double away = geometry::distance(cuts_[i], at);
      const bool nearer =
          away < nearest || (nearest_cut && away == nearest && cuts_[i] < cuts_[*nearest_cut]);
      if (!nearer && !(away == nearest && !nearest_cut)) return;
      nearest = away;
      nearest_cut = i;
    });
    row.push_back(static_cast<float>(count));
    row.push_back(static_cast<float>(singles));
    row.push_back(static_cast<float>(nearest * plan_.um));
    const double around =
        nearest_cut ? enclosure(cuts_[*nearest_cut]) : static_cast<double>(plan_.reach);
    row.push_back(static_cast<float>(around * plan_.um));
  }

 private:
  double enclosure(const Box& cut) const {
    if (!below_.covers(cut.center()) || !above_.covers(cut.center())) return 0.0;
    return std::min(below_.distance_to_border(cut, plan_.reach),
                    above_.distance_to_border(cut, plan_.reach));
  }
  bool single(std::uint32_t i) {
    if (!single_[i]) single_[i] = find_single(i);
    return *single_[i];
  }
  bool find_single(std::uint32_t i) const {
    const Box& cut = cuts_[i];
    const Point centre = cut.center();
    if (!below_.covers(centre) || !above_.covers(centre)) return false;
    bool alone = true;
    const Box near = cut.enlarged(plan_.redundancy);
    const Box window = cut.enlarged(2 * plan_.redundancy);
    index_.for_each_near(near, [&](std::uint32_t k) {
      if (k == i || !alone) return;
      const Point other = cuts_[k].center();
      alone = !below_.joined(centre, other, window) || !above_.joined(centre, other, window);
    });
    return alone;
  }

  const Plan& plan_;
  const FeatureTile& below_;
  const FeatureTile& above_;
  std::vector<Box> cuts_;
  std::vector<std::optional<bool>> single_;
  TileIndex index_;
};

/// All layers around a group of points.
class GroupFeatures {
 public:
  GroupFeatures(const FlatView& view, const Plan& plan,
                const std::vector<geometry::ShapeHeap>& heaps, const Box& window)
      : view_(view), plan_(plan) {
    const Coord step = std::max<Coord>(plan.reach / 100, 1);
    tiles_.reserve(heaps.size());
    for (const geometry::ShapeHeap& heap : heaps)
      tiles_.emplace_back(heap, window, step, plan.line_end);
    cuts_.reserve(plan.options.vias.size());
    for (const FeatureVia& via : plan.options.vias)
      cuts_.emplace_back(heaps[plan.slot(via.layers.cut)], window, plan,
                         tiles_[plan.slot(via.layers.below)], tiles_[plan.slot(via.layers.above)]);
  }

  void add_row(Point at, std::vector<float>& row, CellIndex& cell) {
    for (const FeatureLayer& layer : plan_.options.layers)
      add_layer(tiles_[plan_.slot(layer.layer)], at, row);
    for (CutTile& cuts : cuts_) cuts.add_row(at, row);
    if (!plan_.options.hierarchy) return;
    const CellSurroundings cells = cells_around(view_, at, plan_.cell_reach, plan_.smallest_cell);
    row.push_back(static_cast<float>(cells.cell_edge * plan_.um));
    row.push_back(static_cast<float>(cells.macro_edge * plan_.um));
    cell = cells.deepest;
  }

 private:
  static double density(const FeatureTile& tile, const Box& window) {
    return tile.area(window) / window.area();
  }
  void add_layer(const FeatureTile& tile, Point at, std::vector<float>& row) const {
    const auto put = [&row](double value) { row.push_back(static_cast<float>(value)); };
    for (const Coord r : plan_.radii) put(density(tile, square(at, r)));
    for (const Coord r : plan_.radii) {
      const Box window = square(at, r);
      put(tile.border(window) / window.area() / plan_.um);
    }
    if (const Coord g = plan_.gradient; g > 0) {
      const double dx =
          density(tile, square({at.x + g, at.y}, g)) - density(tile, square({at.x - g, at.y}, g));
      const double dy =
          density(tile, square({at.x, at.y + g}, g)) - density(tile, square({at.x, at.y - g}, g));
      put(std::hypot(dx, dy) / (2.0 * static_cast<double>(g) * plan_.um));
    }
    const Surroundings around = tile.around(at, plan_.reach);
    put(around.covered ? 1.0 : 0.0);
    for (const double length : {around.edge, around.width, around.space, around.facing_run})
      put(length * plan_.um);
    const CornerCounts corners = tile.corners(square(at, plan_.count));
    put(corners.line_ends);
    put(corners.outer);
    put(corners.inner);
  }

  const FlatView& view_;
  const Plan& plan_;
  std::vector<FeatureTile> tiles_;
  std::vector<CutTile> cuts_;
};

/// Points of one tile of the plane, as positions.
using Group = std::vector<std::uint32_t>;

std::vector<Group> groups_of(std::span<const Point> points, Coord side) {
  std::map<std::pair<Coord, Coord>, Group> by_tile;
  const auto tile = [side](Coord v) { return v >= 0 ? v / side : -((side - 1 - v) / side); };
  for (std::uint32_t i = 0; i < points.size(); ++i)
    by_tile[{tile(points[i].y), tile(points[i].x)}].push_back(i);
  std::vector<Group> groups;
  groups.reserve(by_tile.size());
  for (auto& [key, group] : by_tile) groups.push_back(std::move(group));
  return groups;
}

Status check(const Layout& layout, const PointFeatureOptions& options) {
  const auto above_zero = [](double um) { return um > 0.0 && std::isfinite(um); };
  bool sound =
      std::all_of(options.density_radii_um.begin(), options.density_radii_um.end(), above_zero) &&
      options.gradient_radius_um >= 0.0 && std::isfinite(options.gradient_radius_um);
  for (const double um : {options.count_radius_um, options.reach_um, options.line_end_um,
                          options.redundancy_distance_um, options.cell_reach_um})
    sound = sound && above_zero(um) && um / layout.dbu_um() < 1e8;
  sound = sound && std::isfinite(options.smallest_cell_um);
  const auto known = [&](LayerIndex layer) { return layer < layout.layers().size(); };
  for (const FeatureLayer& layer : options.layers) sound = sound && known(layer.layer);
  for (const FeatureVia& via : options.vias)
    sound = sound && known(via.layers.cut) && known(via.layers.below) && known(via.layers.above);
  if (sound) return Ok{};
  return Error{Errc::kInvalidOptions, "LAYO-0020",
               "Features of points need radii and reaches above 0 um and layers that the layout "
               "has; check the options."};
}

}  // namespace

std::vector<std::string> point_feature_names(const Layout& layout,
                                             const PointFeatureOptions& options) {
  std::vector<std::string> names;
  for (const FeatureLayer& layer : options.layers) {
    const std::string name = prefix(layout, layer.layer, layer.name);
    for (const double r : options.density_radii_um)
      names.push_back(fmt::format("{}.density_r{:g}um", name, r));
    for (const double r : options.density_radii_um)
      names.push_back(fmt::format("{}.perimeter_r{:g}um", name, r));
    if (options.gradient_radius_um > 0.0) names.push_back(name + ".density_gradient");
    for (const char* feature : {"covered", "edge_um", "width_um", "space_um", "facing_run_um",
                                "line_ends", "outer_corners", "inner_corners"})
      names.push_back(fmt::format("{}.{}", name, feature));
  }
  for (const FeatureVia& via : options.vias)
    for (const char* feature : {"cuts", "single_cuts", "cut_um", "enclosure_um"})
      names.push_back(fmt::format("{}.{}", prefix(layout, via.layers.cut, via.name), feature));
  if (options.hierarchy) {
    names.emplace_back("cell_edge_um");
    names.emplace_back("macro_edge_um");
  }
  return names;
}

Result<PointFeatures> point_features(const FlatView& view, const PointFeatureOptions& options,
                                     std::span<const Point> points, Progress& progress) {
  YL_TRY(check(view.layout(), options));
  const Plan plan(view, options);
  PointFeatures result;
  result.names = point_feature_names(view.layout(), options);
  const std::size_t width = result.names.size();
  result.values.resize(points.size() * width);
  if (options.hierarchy) result.cells.assign(points.size(), view.top());
  const ShapeSearch search(view, plan.layers);
  const auto groups =
      groups_of(points, std::max<Coord>(2 * plan.margin, std::llround(50.0 / plan.um)));
  YL_ASSIGN([[maybe_unused]] const auto done,
            for_all_tiles<char>(groups.size(), "features of points", progress, [&](std::size_t k) {
              Box window;
              for (const std::uint32_t i : groups[k]) window.include(points[i]);
              window = window.enlarged(plan.margin);
              ShapeGatherer gatherer(search.cells());
              GroupFeatures features(view, plan, gatherer.gather(view.top(), window), window);
              std::vector<float> row;
              for (const std::uint32_t i : groups[k]) {
                row.clear();
                CellIndex cell = view.top();
                features.add_row(points[i], row, cell);
                std::copy(row.begin(), row.end(),
                          result.values.begin() + static_cast<std::ptrdiff_t>(i * width));
                if (options.hierarchy) result.cells[i] = cell;
              }
              return char{};
            }));
  return result;
}

std::string cell_path_at(const FlatView& view, Point at, double smallest_cell_um) {
  const auto smallest = static_cast<Coord>(std::llround(smallest_cell_um / view.layout().dbu_um()));
  std::string path;
  for (const CellIndex cell : cells_around(view, at, 0, smallest).path)
    path += (path.empty() ? "" : "/") + view.layout().cell(cell).name;
  return path;
}

}  // namespace yieldloop::layout

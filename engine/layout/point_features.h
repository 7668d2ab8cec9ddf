/// \file
/// What is drawn around many points, as a table for regressions: one row a point, one column a
/// feature.
///
/// All measures are those of the union of a layer's shapes, seen flat. Windows are squares centred
/// on the point. A distance nothing is found within is given as the largest one looked for, so
/// that a table has no holes and every column grows with what it names.
///
/// Columns, per layer L of the options (names: "L.density_r5um"):
///   density_r<R>um       share of the square of half side R that is covered, 0 ... 1
///   perimeter_r<R>um     border inside that square over its area, 1/um
///   density_gradient     |gradient| of the density at `gradient_radius_um`, from four squares a
///                        radius to the left, right, below and above, 1/um
///   covered              1 when the point lies in or on a shape, else 0
///   edge_um              Euclidean distance to the nearest border of the union
///   width_um             covered: the shorter of the horizontal and the vertical extent of the
///                        union through the point; else 0
///   space_um             not covered: the smaller gap between edges left and right of, or above
///                        and below, the point; covered: the smallest gap from the union's edges
///                        outward along the axes through the point
///   facing_run_um        length along which the two edges of that gap face each other, within
///                        `reach_um` on both sides of the point; 0 without a gap
///   line_ends            edges between two outer corners no longer than `line_end_um` whose middle
///                        lies within `count_radius_um`
///   outer_corners, inner_corners   corners within `count_radius_um`
/// per cut layer V of the options:
///   cuts, single_cuts    merged cuts whose centre lies within `count_radius_um`; single ones join
///                        metal below and above and have no partner within
///                        `redundancy_distance_um` that joins the same two pieces
///   cut_um               Euclidean distance to the nearest cut
///   enclosure_um         of the nearest cut within reach: the smallest distance from its border to
///                        that of the metal around it, below or above; 0 where metal is missing
/// and for the hierarchy:
///   cell_edge_um         distance to the nearest side of the bounding box of a cell that places no
///                        other; cells smaller than `smallest_cell_um` (vias) do not count
///   macro_edge_um        the same for cells that place others, the view's own cell not counted
/// Lengths of oblique edges count; corners, widths and facing edges of any angle but 90 degrees
/// follow the merged outline (engine/geometry/region.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/layout/connectivity.h"
#include "engine/layout/flat_view.h"

namespace yieldloop::layout {

/// A layer and what its columns are called; "68/20" when the name is empty.
struct FeatureLayer {
  LayerIndex layer = 0;
  std::string name;
};

/// A cut layer with the metals it joins; named after the cut layer when the name is empty.
struct FeatureVia {
  ViaLayer layers;
  std::string name;
};

struct PointFeatureOptions {
  std::vector<FeatureLayer> layers;
  std::vector<FeatureVia> vias;
  std::vector<double> density_radii_um = {1.0, 5.0, 20.0};  ///< Half sides; may be empty.
  double gradient_radius_um = 5.0;                          ///< 0 leaves the column out.
  double count_radius_um = 1.0;  ///< Half side in which ends, corners and cuts are counted.
  double reach_um = 2.0;         ///< Farthest edge, gap or cut looked for.
  double line_end_um = 0.5;      ///< Longest line end.
  double redundancy_distance_um = 1.0;
  bool hierarchy = true;          ///< The columns of cells and macros.
  double cell_reach_um = 5.0;     ///< Farthest cell border looked for.
  double smallest_cell_um = 1.0;  ///< Both sides of a smaller cell's box are shorter than this.
};

/// Row-major: values[row * names.size() + column].
struct PointFeatures {
  std::vector<std::string> names;  ///< As point_feature_names() gives them.
  std::vector<float> values;       ///< Shape: [points, names.size()].
  /// Shape: [points]. The deepest cell whose instance's bounding box holds the point, the smallest
  /// where several do; the view's own cell where none does. Empty without `hierarchy`.
  std::vector<CellIndex> cells;
  friend bool operator==(const PointFeatures&, const PointFeatures&) = default;
};

/// The columns in order. REQUIRES: layer indices of `layout`.
std::vector<std::string> point_feature_names(const Layout& layout,
                                             const PointFeatureOptions& options);

/// Points in the view's database units, in any order; rows come in the same order and do not
/// depend on the other points or on the number of threads.
/// Cost: about a hundred thousand points a second and layer where points are dense; sparse ones
/// cost a window's merge each. Memory: 4 bytes a value and the tiles in work.
/// Errors: kInvalidOptions LAYO-0020 (a radius or reach that is not above 0, a layer the layout
/// does not have), kCancelled LAYO-0007.
Result<PointFeatures> point_features(const FlatView& view, const PointFeatureOptions& options,
                                     std::span<const Point> points, Progress& progress);

/// The names from the view's cell down to the deepest cell at the point, "top/macro/inverter".
std::string cell_path_at(const FlatView& view, Point at, double smallest_cell_um = 1.0);

}  // namespace yieldloop::layout

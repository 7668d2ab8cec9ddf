/// \file
/// Continuous properties of one layer at many points, for layout_regression.h.
///
///   density_<r>um              drawn share of the square of half side r around the point
///   density_gradient_<r>um     |gradient| of that density, per 100 um: difference of the means of
///   the
///                              squares' two halves over the distance of their centres, both axes
///   perimeter_<r>um            border length per area in the square, 1/um
///   width, space, edge_distance   as layout::LocalFeatures, um; NaN where there is none in reach
///   via_density_<layer>_<r>um  drawn share of a via layer that lands on this one
///
/// Squares are cut at the window. Those of several tiles are summed from a raster whose tiles at
/// their rims are shared out by area; smaller ones are measured.
///
/// Units: um.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/layout/flat_view.h"
#include "engine/tracing/frame.h"

namespace yieldloop::tracing {

struct LayoutColumnOptions {
  /// Those beyond a quarter of the window's shorter side are left out. The second serves border and
  /// vias, all but the first the gradient.
  std::vector<double> radii_um = {5.0, 25.0, 50.0, 100.0};
  double reach_um = 5.0;  ///< Of width, space and edge distance.
  std::size_t most_tiles = 40'000;
};

/// Sums over rectangles from a raster of tiles.
class TileRaster {
 public:
  /// Shape: per_area is [rows, columns], row by row from the window's lower left.
  TileRaster(const RectUm& window, double side, std::size_t columns, std::size_t rows,
             const std::vector<double>& per_area);
  /// Mean over the part of the rectangle inside the window; NaN when that is empty.
  double mean(const RectUm& rect) const;

 private:
  /// Integral over [window.min, (x, y)].
  double below(double x, double y) const;

  RectUm window_;
  double side_;
  std::size_t columns_, rows_;
  std::vector<double> sums_;  ///< Shape: [rows + 1, columns + 1].
};

class LayoutColumns {
 public:
  using Via = std::pair<std::string, layout::LayerIndex>;

  static LayoutColumns of(const layout::FlatView& view, layout::LayerIndex layer,
                          const RectUm& window, const std::vector<Via>& vias,
                          const LayoutColumnOptions& options = {});

  const std::vector<std::string>& names() const { return names_; }
  /// Shape: [points, names], row by row. Same on any number of threads.
  std::vector<double> values(std::span<const PointUm> points) const;

 private:
  LayoutColumns(const layout::FlatView& view, layout::LayerIndex layer, const RectUm& window,
                const LayoutColumnOptions& options)
      : view_(view), layer_(layer), window_(window), options_(options) {}
  void row(PointUm p, std::span<double> out) const;
  double density(PointUm p, double radius) const;
  double gradient(PointUm p, double radius) const;

  layout::FlatView view_;
  layout::LayerIndex layer_;
  RectUm window_;
  LayoutColumnOptions options_;
  double side_ = 1.0;
  std::vector<double> radii_;
  std::vector<TileRaster> density_, perimeter_, vias_;  ///< One each of the first two.
  std::vector<std::string> names_;
};

}  // namespace yieldloop::tracing

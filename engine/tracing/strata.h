/// \file
/// The layout window cut into strata of equal local density.
///
/// Defects fall, and are seen, more often where there is more to fall on. A pattern that merely
/// lives in dense places must not win for that, so every expectation is formed inside strata of
/// similar density: tiles are sorted by their density on the layer and cut into strata of about
/// equal area; tiles of equal density share a stratum.
///
/// Units: um, um^2; density is a share.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/layout/flat_view.h"
#include "engine/tracing/frame.h"

namespace yieldloop::tracing {

struct StrataOptions {
  double tile_um = 20.0;  ///< Enlarged when the window would need more than `most_tiles`.
  std::size_t most_tiles = 20'000;
  int strata = 5;
};

class DensityStrata {
 public:
  static DensityStrata of(const layout::FlatView& view, layout::LayerIndex layer,
                          const RectUm& window, const StrataOptions& options = {});

  std::size_t count() const { return areas_.size(); }
  /// The stratum at a point of the window; points outside go to the nearest tile.
  std::size_t at(PointUm p) const { return stratum_[tile_at(p)]; }
  double density_at(PointUm p) const { return density_[tile_at(p)]; }
  /// Border length per area, 1/um.
  double perimeter_at(PointUm p) const { return perimeter_[tile_at(p)]; }
  /// Shape: [count()]; parts of the window.
  const std::vector<double>& areas_um2() const { return areas_; }
  /// The share of tiles whose value is at most the result; for thresholds of features.
  double density_quantile(double share) const;
  double perimeter_quantile(double share) const;

  /// The tiles themselves, row by row from the lower left.
  std::size_t tile_count() const { return stratum_.size(); }
  /// Points outside the window go to the nearest tile.
  std::size_t tile_at(PointUm p) const;
  RectUm tile(std::size_t index) const;
  std::size_t stratum_of_tile(std::size_t index) const { return stratum_[index]; }
  std::size_t columns() const { return columns_; }
  std::size_t rows() const { return rows_; }
  const RectUm& window() const { return window_; }

 private:
  void cut(int strata);

  RectUm window_;
  double side_ = 1.0;
  std::size_t columns_ = 1, rows_ = 1;
  std::vector<double> density_, perimeter_;
  std::vector<std::size_t> stratum_;
  std::vector<double> areas_;
};

}  // namespace yieldloop::tracing

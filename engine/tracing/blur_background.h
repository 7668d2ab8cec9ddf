/// \file
/// How often defects fall where no pattern draws them: the confounders of tracing.
///
/// Over the exposure a point of tile t sees  b_t = alpha_s(t) beta_g(t) delta_t  defects per area:
/// alpha for each stratum of density, beta for each region of the layout (a square grid; a macro
/// that is dirtier than another is a region that is), delta for the tile itself. alpha is the
/// maximum likelihood given beta; beta and delta are shrunk towards 1 by the evidence that regions
/// and tiles differ at all:
///
///   beta_g = (n_g + kappa) / (E_g + kappa),  1 / kappa = sum ((n_g - E_g)^2 - E_g) / sum E_g^2
///
/// where n_g counts defects by their chance of being background and E_g is what the factors before
/// expect; all are 1 where the sum is within two standard errors, sqrt(sum 2 E_g^2 + E_g), of 0.
/// Wafer, zone of the wafer and lot need no term: an inspected die is seen whole, so a defect's
/// place on the layout, given that it is background, is the same on every die.
///
/// Units: um, um^2; rates are defects per um^2 of layout over the whole exposure.
/// Source: the empirical Bayes relative risk of D. Clayton and J. Kaldor, Biometrics 43 (1987)
/// 671, with the moment estimator of its variance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/tracing/strata.h"

namespace yieldloop::tracing {

class BlurBackground {
 public:
  /// Shape: seen is [tiles]: the share of the exposure that showed each; empty: all of it.
  BlurBackground(const DensityStrata& strata, std::span<const PointUm> defects,
                 std::span<const double> seen = {});

  /// Shape: weights is [defects]: the chance of each to be background.
  void fit(std::span<const double> weights);

  std::size_t tile_of(std::size_t defect) const { return tile_of_[defect]; }
  double rate_of_tile(std::size_t tile) const { return rate_[tile]; }
  double rate_at(std::size_t defect) const { return rate_[tile_of_[defect]]; }
  /// Expected background defects of a tile and of the window.
  double expected_in_tile(std::size_t tile) const { return rate_[tile] * area_[tile]; }
  double expected() const;
  const DensityStrata& strata() const { return *strata_; }

 private:
  const DensityStrata* strata_;
  std::vector<std::uint32_t> tile_of_;    ///< Shape: [defects].
  std::vector<std::uint32_t> region_of_;  ///< Shape: [tiles].
  std::size_t regions_ = 1;
  std::vector<double> area_, rate_;  ///< Shape: [tiles].
};

}  // namespace yieldloop::tracing

/// \file
/// Does a class of places draw defects? The likelihood-ratio test of the blur model.
///
/// Defects are a Poisson process on the layout, all inspected die laid over each other:
///
///   f(x) = gamma b(x) + s(x) + r sum_{a in class} K(x; a)
///
/// b is the background (blur_background.h), s what is explained already, K the blur
/// (blur_kernel.h), r the defects of one place over the exposure, and gamma a factor for the tiles
/// the class lives in: whatever makes these tiles dirtier as a whole is not the class's doing.
/// The defects of those tiles say
///
///   l(gamma, r) = W log gamma + sum_near log f(x_d) - gamma B - r n
///
/// with n places, B = sum of b over the tiles' area and W the background chances of the tiles'
/// defects that are near no place. l is concave. The statistic is 2 (max l - max l(r = 0)), half
/// of its null distribution a point at 0 and half chi-square with one degree of freedom.
///
/// A class that is remarkable must still be so against its own surroundings: its places smeared
/// over three by three squares of 6 sigma, H, are allowed to draw defects as well, in f + h H with
/// h free under both hypotheses. So a macro, a dense patch or whatever else is dirtier at the scale
/// of many sigmas does not make the class look guilty that happens to live there.
///
/// Two safeguards more, both of which only lower the statistic. One place counts at most
/// max(3, 3 q75) defects, q75 the upper quartile of the places' shares, the rest are weighted
/// down: many defects at few places are repeaters, no pattern. And the statistic is divided by the
/// dispersion of the places' counts where that exceeds 1: a class of which a few places fail and
/// most do not is not yet the right class.
///
/// Units: um, um^2; r in defects per place over the whole exposure.
/// Source: S. Self, K.-Y. Liang, J. Am. Stat. Assoc. 82 (1987) 605 (a rate at its boundary);
/// P. McCullagh, J. Nelder, "Generalized Linear Models", section 9.2 (quasi-likelihood).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/tracing/blur_background.h"
#include "engine/tracing/blur_pairs.h"

namespace yieldloop::tracing {

struct ClassTest {
  double rate = 0.0;          ///< r.
  double local_factor = 1.0;  ///< gamma.
  double statistic = 0.0;     ///< After both safeguards.
  double dispersion = 1.0;    ///< Of the places' counts.
  double defects = 0.0;       ///< r n, no place above its cap.
  double p_value = 1.0;
  friend bool operator==(const ClassTest&, const ClassTest&) = default;
};

/// Half chi-square with one degree of freedom; 1 for a statistic of 0.
double boundary_p(double statistic);

/// Const members are thread-safe.
class BlurScan {
 public:
  /// All are kept by reference. Shape: seen is [places]: the share of the exposure that showed it.
  BlurScan(const NearPairs& pairs, const BlurBackground& background, std::span<const RectUm> places,
           std::span<const PointUm> defects, std::span<const double> seen = {});

  /// n of the places: each by the share of the exposure that showed it.
  double seen_of(std::span<const std::uint32_t> places) const;

  /// Shape: explained is [defects]: s at each defect; empty: 0.
  void set_explained(std::span<const double> explained);

  /// `places` ascending, each once.
  ClassTest test(std::span<const std::uint32_t> places, DensityGatherer& gatherer) const;

  /// How many of the defects each place draws at rate r: r K / f summed over its defects.
  std::vector<double> shares(std::span<const std::uint32_t> places, const DefectDensities& near,
                             double rate, double local_factor) const;

 private:
  struct Near;
  Near near_of(std::span<const std::uint32_t> places, const DefectDensities& densities) const;
  DefectDensities halo_of(std::span<const std::uint32_t> places) const;
  double against_surroundings(std::span<const std::uint32_t> places,
                              const DefectDensities& densities,
                              std::span<const double> weight) const;
  std::vector<std::uint32_t> tiles_of(std::span<const std::uint32_t> places) const;

  const NearPairs& pairs_;
  const BlurBackground& background_;
  std::span<const RectUm> places_;
  std::span<const double> seen_;  ///< Shape: [places], or empty: all is seen.
  PointGrid defects_;
  std::vector<double> explained_, chance_;  ///< Shape: [defects]; s and b / (b + s).
  std::vector<double> tile_chance_;         ///< Shape: [tiles].
};

}  // namespace yieldloop::tracing

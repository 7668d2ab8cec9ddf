/// \file
/// Shares that scatter more than a coin: wafers differ beyond the binomial.
///
/// Quasi-binomial: phi = sum (k - n p)^2 / (n p (1-p)) / (m - 1).
/// Beta-binomial: Var(k/n) = p(1-p)(1 + (n-1) rho)/n; rho by the moment (ANOVA) estimator
///   rho = (MSB - MSW) / (MSB + (n0 - 1) MSW), at least 0.
///
/// Source: D. A. Williams, Appl. Statist. 31 (1982) 144; M. Ridout, C. Demetrio, D. Firth,
/// Biometrics 55 (1999) 137 (the ANOVA estimator).
#pragma once

#include <span>

#include "engine/core/result.h"

namespace yieldloop::stats {

struct Overdispersion {
  double share = 0.0;  ///< Pooled k/n.
  double phi = 1.0;    ///< Quasi-binomial dispersion; 1 for a coin.
  double rho = 0.0;    ///< Intra-wafer correlation, in [0, 1].
  /// Standard error of the pooled share that allows for the scatter between units.
  double share_se = 0.0;
  friend bool operator==(const Overdispersion&, const Overdispersion&) = default;
};

/// Shape: k and n are [m]; units with n == 0 are skipped. Errors: kNoData (STAT-0006) when
/// fewer than two units have items.
Result<Overdispersion> estimate_overdispersion(std::span<const double> k,
                                               std::span<const double> n);

}  // namespace yieldloop::stats

/// \file
/// Shares and rates with their intervals.
///
/// Wilson:          (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)
/// Clopper-Pearson: [B(a/2; k, n-k+1), B(1-a/2; k+1, n-k)], B the beta quantile.
/// Poisson rate:    [G(a/2; k), G(1-a/2; k+1)] / exposure, G the gamma quantile.
/// Rate ratio:      given k1+k2, k1 is binomial with odds ratio*e1/e2; Clopper-Pearson on it.
///
/// Source: E. B. Wilson, JASA 22 (1927) 209; C. Clopper and E. Pearson, Biometrika 26 (1934)
/// 404; F. Garwood, Biometrika 28 (1936) 437; J. Przyborowski and H. Wilenski, Biometrika 31
/// (1940) 313. Known points: 8 of 10 Wilson [0.4902, 0.9433]; 682 of 925 Clopper-Pearson
/// [0.7076683, 0.7654066]; 137 events in 24.19893 [4.753125, 6.692709].
#pragma once

#include <cstdint>

#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::stats {

inline constexpr double kZ95 = 1.959963984540054;

/// [0, 1] when n == 0. REQUIRES: 0 <= k <= n.
Interval wilson_interval(double k, double n, double z = kZ95);
Interval clopper_pearson_interval(std::int64_t k, std::int64_t n, double level = 0.95);

/// Events per exposure. REQUIRES: k >= 0, exposure > 0.
Interval poisson_rate_interval(std::int64_t k, double exposure, double level = 0.95);

struct RateRatio {
  double ratio = 0.0;        ///< (k1/e1) / (k2/e2); infinity when k2 == 0 < k1; 1 when both are 0.
  Interval interval;         ///< High may be infinity.
  double p_two_sided = 1.0;  ///< Twice the smaller tail, at most 1, of ratio == 1.
  double p_greater = 1.0;    ///< Of ratio <= 1.
  friend bool operator==(const RateRatio&, const RateRatio&) = default;
};

/// Errors: kInvalidOptions (STAT-0001) when a count is negative or an exposure not positive.
Result<RateRatio> poisson_rate_ratio(std::int64_t k1, double e1, std::int64_t k2, double e2,
                                     double level = 0.95);

}  // namespace yieldloop::stats

/// \file
/// Defects in a zone of the layout against what its area and density explain.
///
/// With N_s active defects on area A_s in stratum s, n of them all in a zone that takes a_s of
/// each stratum:
///
///   expected under "the zone is like the rest"  mu = sum N_s a_s / A_s
///   expected from outside alone                 E  = sum (N_s - n_s) a_s / (A_s - a_s)
///   rate ratio = n / E,   attributable = n - E
///
/// The p-value is P(X >= n - n_top) for X binomial with N = sum N_s draws and mean mu; given
/// N_s, the count is a sum of binomials, whose spread is never larger, so the test errs on the
/// safe side. n_top, the defects of the zone's most-hit place, is taken off because many
/// defects at one place are a repeater (a mask defect), not a property of a pattern.
/// The interval of n comes from Garwood with counts divided by the dispersion of the wafers'
/// counts (quasi-Poisson), so that a few bad wafers do not make it too short.
///
/// Source: N. E. Breslow, N. E. Day, "Statistical Methods in Cancer Research", vol. II, sections
/// 2.3 and 3.6 (standardised rates); F. Garwood, Biometrika 28 (1936) 437.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/core/finding.h"

namespace yieldloop::tracing {

struct ZoneCounts {
  std::int64_t defects = 0;              ///< n.
  std::int64_t top_place = 0;            ///< n_top.
  std::vector<std::int64_t> by_stratum;  ///< n_s.
  std::vector<double> area_by_stratum;   ///< a_s, um^2 of layout.
};

/// Active defects and area of the window by stratum; what is masked is in neither.
struct Background {
  std::vector<std::int64_t> defects;  ///< N_s.
  std::vector<double> area_um2;       ///< A_s.
  std::int64_t total() const;
};

struct ZoneTest {
  double expected_null = 0.0;  ///< mu.
  double expected = 0.0;       ///< E.
  double p_value = 1.0;
  double log_likelihood_ratio = 0.0;  ///< k log(k/mu) - (k - mu) with k = n - n_top, 0 if k <= mu.
  friend bool operator==(const ZoneTest&, const ZoneTest&) = default;
};
/// Shape: all by-stratum vectors have the same length.
ZoneTest test_zone(const ZoneCounts& zone, const Background& background);

/// max(1, sum (n_w - mean_w)^2 / mean_w / (m - 1)); mean_w shares n in proportion to exposure.
double wafer_dispersion(std::span<const double> counts, std::span<const double> exposures);

/// Garwood's interval of a count that scatters `dispersion` times as much as Poisson.
Interval count_interval(double count, double dispersion);

}  // namespace yieldloop::tracing

/// \file
/// Two-by-two tables: exposed or not against failed or not, in one table or in many strata.
///
///              failed  passed
///   exposed      a       b
///   unexposed    c       d
///
/// Fisher: the hypergeometric law of a given the margins; two-sided sums all tables no more
/// probable than the one seen.
/// Cochran-Mantel-Haenszel: (|sum(a - E a)| - cc)^2 / sum Var a ~ chi-squared(1), with
/// E a = n1 m1 / n and Var a = n1 n0 m1 m0 / (n^2 (n-1)); common odds ratio
/// sum(ad/n) / sum(bc/n) with the Robins-Breslow-Greenland variance of its logarithm;
/// common risk difference sum((a n0 - c n1)/n) / sum(n1 n0/n) with Sato's variance.
///
/// Source: R. A. Fisher, Statistical Methods for Research Workers (1925); N. Mantel and
/// W. Haenszel, J. Natl. Cancer Inst. 22 (1959) 719; J. Robins, N. Breslow, S. Greenland,
/// Biometrics 42 (1986) 311; T. Sato, Biometrics 45 (1989) 1323.
/// Known points: twins 2,10,15,3 p = 0.0005367; Berkeley admissions by department: chi2 1.4269
/// with correction, odds ratio 0.9046968 [0.7719074, 1.0603298].
#pragma once

#include <cstdint>
#include <span>

#include "engine/core/finding.h"

namespace yieldloop::stats {

struct Table2x2 {
  double a = 0, b = 0, c = 0, d = 0;
  double total() const { return a + b + c + d; }
  friend bool operator==(const Table2x2&, const Table2x2&) = default;
};

struct FisherResult {
  double p_two_sided = 1.0;
  double p_greater = 1.0;  ///< Of as many or more exposed fails.
  double p_less = 1.0;
  double odds_ratio = 1.0;  ///< ad/bc; infinity when bc == 0 < ad, 1 when both are 0.
  friend bool operator==(const FisherResult&, const FisherResult&) = default;
};

/// REQUIRES: counts >= 0.
FisherResult fisher_exact(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d);

struct CmhResult {
  double chi_squared = 0.0;
  double z = 0.0;  ///< Signed: positive when the exposed fail more; no continuity correction.
  double p_value = 1.0;
  double odds_ratio = 1.0;
  Interval odds_ratio_ci{0.0, 0.0};
  double risk_difference = 0.0;  ///< Fail rate exposed - unexposed.
  Interval risk_difference_ci{0.0, 0.0};
  std::size_t strata_used = 0;  ///< Strata in which both margins vary.
  friend bool operator==(const CmhResult&, const CmhResult&) = default;
};

/// p_value is 1 and the ratio 1 when no stratum informs. Strata of fewer than two items are
/// skipped. Cost: O(strata).
CmhResult cochran_mantel_haenszel(std::span<const Table2x2> strata,
                                  bool continuity_correction = false);

}  // namespace yieldloop::stats

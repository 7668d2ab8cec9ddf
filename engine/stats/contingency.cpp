#include "engine/stats/contingency.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/stats/distributions.h"
#include "engine/stats/intervals.h"

namespace yieldloop::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Sums over strata that the estimators need.
struct Sums {
  double a = 0, expected = 0, variance = 0;
  double r = 0, s = 0, pr = 0, ps_qr = 0, qs = 0;              // Robins-Breslow-Greenland.
  double rd_numerator = 0, rd_weight = 0, rd_p = 0, rd_q = 0;  // Sato.
  std::size_t used = 0;

  void add(const Table2x2& t) {
    const double n = t.total();
    const double n1 = t.a + t.b, n0 = t.c + t.d, m1 = t.a + t.c, m0 = t.b + t.d;
    if (n < 2 || n1 <= 0 || n0 <= 0) return;
    rd_numerator += (t.a * n0 - t.c * n1) / n;
    rd_weight += n1 * n0 / n;
    rd_p += (n1 * n1 * t.c - n0 * n0 * t.a + n1 * n0 * (n0 - n1) / 2) / (n * n);
    rd_q += (t.a * (n0 - t.c) + t.c * (n1 - t.a)) / (2 * n);
    if (m1 <= 0 || m0 <= 0) return;
    ++used;
    a += t.a;
    expected += n1 * m1 / n;
    variance += n1 * n0 * m1 * m0 / (n * n * (n - 1));
    const double p = (t.a + t.d) / n, q = (t.b + t.c) / n;
    const double ri = t.a * t.d / n, si = t.b * t.c / n;
    r += ri;
    s += si;
    pr += p * ri;
    ps_qr += p * si + q * ri;
    qs += q * si;
  }
};

void add_odds_ratio(const Sums& sums, CmhResult& result) {
  if (sums.r <= 0 || sums.s <= 0) {
    result.odds_ratio = sums.r > 0 ? kInfinity : sums.s > 0 ? 0.0 : 1.0;
    result.odds_ratio_ci = {0.0, kInfinity};
    return;
  }
  result.odds_ratio = sums.r / sums.s;
  const double variance = sums.pr / (2 * sums.r * sums.r) + sums.ps_qr / (2 * sums.r * sums.s) +
                          sums.qs / (2 * sums.s * sums.s);
  const double half = kZ95 * std::sqrt(variance);
  result.odds_ratio_ci = {result.odds_ratio * std::exp(-half), result.odds_ratio * std::exp(half)};
}

}  // namespace

FisherResult fisher_exact(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) {
  FisherResult result;
  const std::int64_t n1 = a + b, m1 = a + c, n = a + b + c + d;
  const std::int64_t low = std::max<std::int64_t>(0, n1 + m1 - n), high = std::min(n1, m1);
  const double seen = hypergeometric_point_p(a, n1, m1, n);
  double greater = 0, less = 0, both = 0;
  for (std::int64_t k = low; k <= high; ++k) {
    const double point = hypergeometric_point_p(k, n1, m1, n);
    if (k >= a) greater += point;
    if (k <= a) less += point;
    // Equal probabilities differ in the last digits: count them as equal.
    if (point <= seen * (1 + 1e-7)) both += point;
  }
  result.p_greater = std::min(1.0, greater);
  result.p_less = std::min(1.0, less);
  result.p_two_sided = std::min(1.0, both);
  const double ad = static_cast<double>(a) * static_cast<double>(d);
  const double bc = static_cast<double>(b) * static_cast<double>(c);
  result.odds_ratio = bc > 0 ? ad / bc : ad > 0 ? kInfinity : 1.0;
  return result;
}

CmhResult cochran_mantel_haenszel(std::span<const Table2x2> strata, bool continuity_correction) {
  Sums sums;
  for (const Table2x2& table : strata) sums.add(table);
  CmhResult result{.strata_used = sums.used};
  add_odds_ratio(sums, result);
  if (sums.rd_weight > 0) {
    result.risk_difference = sums.rd_numerator / sums.rd_weight;
    const double variance =
        (result.risk_difference * sums.rd_p + sums.rd_q) / (sums.rd_weight * sums.rd_weight);
    const double half = kZ95 * std::sqrt(std::max(0.0, variance));
    result.risk_difference_ci = {result.risk_difference - half, result.risk_difference + half};
  }
  if (!(sums.variance > 0)) return result;
  const double difference = sums.a - sums.expected;
  result.z = difference / std::sqrt(sums.variance);
  const double corrected =
      std::max(0.0, std::abs(difference) - (continuity_correction ? 0.5 : 0.0));
  result.chi_squared = corrected * corrected / sums.variance;
  result.p_value = chi_squared_upper_p(result.chi_squared, 1);
  return result;
}

}  // namespace yieldloop::stats

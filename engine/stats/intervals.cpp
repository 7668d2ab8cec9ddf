#include "engine/stats/intervals.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/stats/distributions.h"

namespace yieldloop::stats {
namespace {
constexpr double kInfinity = std::numeric_limits<double>::infinity();
}

Interval wilson_interval(double k, double n, double z) {
  if (!(n > 0)) return {0.0, 1.0};
  const double p = k / n;
  const double z2 = z * z;
  const double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = z * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n);
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

Interval clopper_pearson_interval(std::int64_t k, std::int64_t n, double level) {
  if (n <= 0) return {0.0, 1.0};
  const double tail = (1 - level) / 2;
  const auto successes = static_cast<double>(k);
  const auto failures = static_cast<double>(n - k);
  return {k == 0 ? 0.0 : beta_quantile(tail, successes, failures + 1),
          k == n ? 1.0 : beta_quantile(1 - tail, successes + 1, failures)};
}

Interval poisson_rate_interval(std::int64_t k, double exposure, double level) {
  if (!(exposure > 0)) return {0.0, kInfinity};
  const double tail = (1 - level) / 2;
  const auto events = static_cast<double>(k);
  return {k == 0 ? 0.0 : gamma_quantile(tail, events) / exposure,
          gamma_quantile(1 - tail, events + 1) / exposure};
}

Result<RateRatio> poisson_rate_ratio(std::int64_t k1, double e1, std::int64_t k2, double e2,
                                     double level) {
  if (k1 < 0 || k2 < 0 || !(e1 > 0) || !(e2 > 0)) {
    return Error{Errc::kInvalidOptions, "STAT-0001",
                 "A rate ratio needs counts of at least 0 and positive exposures."};
  }
  RateRatio result{.ratio = 1.0, .interval = {0.0, kInfinity}};
  const std::int64_t n = k1 + k2;
  if (n == 0) return result;
  const Interval share = clopper_pearson_interval(k1, n, level);
  const auto to_ratio = [&](double p) { return p >= 1 ? kInfinity : p / (1 - p) * e2 / e1; };
  result.ratio =
      k2 == 0 ? kInfinity : static_cast<double>(k1) / e1 / (static_cast<double>(k2) / e2);
  result.interval = {to_ratio(share.low), to_ratio(share.high)};
  const double null_share = e1 / (e1 + e2);
  result.p_greater = binomial_upper_p(k1, n, null_share);
  const double less = binomial_lower_p(k1, n, null_share);
  result.p_two_sided = std::min(1.0, 2 * std::min(less, result.p_greater));
  return result;
}

}  // namespace yieldloop::stats

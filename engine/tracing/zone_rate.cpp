#include "engine/tracing/zone_rate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/stats/distributions.h"

namespace yieldloop::tracing {

std::int64_t Background::total() const {
  return std::accumulate(defects.begin(), defects.end(), std::int64_t{0});
}

ZoneTest test_zone(const ZoneCounts& zone, const Background& background) {
  ZoneTest test;
  for (std::size_t s = 0; s < background.defects.size(); ++s) {
    const double area = background.area_um2[s], inside = zone.area_by_stratum[s];
    if (inside <= 0.0 || area <= 0.0) continue;
    const auto all = static_cast<double>(background.defects[s]);
    test.expected_null += all * std::min(1.0, inside / area);
    const double outside = std::max(area - inside, 0.01 * area);
    test.expected += (all - static_cast<double>(zone.by_stratum[s])) * inside / outside;
  }
  const std::int64_t spread = zone.defects - zone.top_place;
  const std::int64_t total = background.total();
  if (spread <= 0 || total <= 0) return test;
  const double share = std::clamp(test.expected_null / static_cast<double>(total), 1e-300, 1.0);
  test.p_value = stats::binomial_upper_p(spread, total, share);
  const auto k = static_cast<double>(spread);
  if (k > test.expected_null) {
    const double mean = std::max(test.expected_null, 1e-300);
    test.log_likelihood_ratio = k * std::log(k / mean) - (k - mean);
  }
  return test;
}

double wafer_dispersion(std::span<const double> counts, std::span<const double> exposures) {
  const double n = std::accumulate(counts.begin(), counts.end(), 0.0);
  const double e = std::accumulate(exposures.begin(), exposures.end(), 0.0);
  if (counts.size() < 2 || n <= 0.0 || e <= 0.0) return 1.0;
  double chi = 0.0;
  for (std::size_t w = 0; w < counts.size(); ++w) {
    const double mean = n * exposures[w] / e;
    if (mean > 0.0) chi += (counts[w] - mean) * (counts[w] - mean) / mean;
  }
  return std::max(1.0, chi / static_cast<double>(counts.size() - 1));
}

Interval count_interval(double count, double dispersion) {
  const double events = count / dispersion;
  const double low = events > 0.0 ? stats::gamma_quantile(0.025, events) : 0.0;
  return {low * dispersion, stats::gamma_quantile(0.975, events + 1.0) * dispersion};
}

}  // namespace yieldloop::tracing

#include "engine/stats/overdispersion.h"

#include <algorithm>
#include <cmath>

namespace yieldloop::stats {

Result<Overdispersion> estimate_overdispersion(std::span<const double> k,
                                               std::span<const double> n) {
  double units = 0, items = 0, hits = 0, squares = 0;
  for (std::size_t i = 0; i < n.size(); ++i) {
    if (!(n[i] > 0)) continue;
    units += 1;
    items += n[i];
    hits += k[i];
    squares += n[i] * n[i];
  }
  if (units < 2) {
    return Error{Errc::kNoData, "STAT-0006", "Scatter between units needs at least two units."};
  }
  Overdispersion result{.share = hits / items};
  const double p = result.share;
  double pearson = 0, between = 0, within = 0, residual = 0;
  for (std::size_t i = 0; i < n.size(); ++i) {
    if (!(n[i] > 0)) continue;
    const double d = k[i] - n[i] * p;
    pearson += p > 0 && p < 1 ? d * d / (n[i] * p * (1 - p)) : 0.0;
    between += d * d / n[i];
    within += k[i] - k[i] * k[i] / n[i];
    residual += d * d;
  }
  result.phi = p > 0 && p < 1 ? pearson / (units - 1) : 1.0;
  result.share_se = std::sqrt(residual * units / (units - 1)) / items;
  if (!(items > units)) return result;
  const double msb = between / (units - 1);
  const double msw = within / (items - units);
  const double n0 = (items - squares / items) / (units - 1);
  const double denominator = msb + (n0 - 1) * msw;
  if (denominator > 0) result.rho = std::clamp((msb - msw) / denominator, 0.0, 1.0);
  return result;
}

}  // namespace yieldloop::stats

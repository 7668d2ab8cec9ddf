#include "engine/stats/multiplicity.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/stats/distributions.h"

namespace yieldloop::stats {

std::vector<double> benjamini_hochberg(std::span<const double> p) {
  const auto value = [&p](std::size_t i) { return std::isnan(p[i]) ? 1.0 : p[i]; };
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](auto a, auto b) { return value(a) < value(b); });
  std::vector<double> q(p.size(), 1.0);
  double smallest = 1.0;
  const auto m = static_cast<double>(p.size());
  for (std::size_t i = order.size(); i-- > 0;) {
    smallest = std::min(smallest, m * value(order[i]) / static_cast<double>(i + 1));
    q[order[i]] = smallest;
  }
  return q;
}

double maximally_selected_p(double z, double n0, double n1, double splits) {
  z = std::abs(z);
  const double single = normal_two_sided_p(z);
  const double bonferroni = std::min(1.0, std::max(1.0, splits) * single);
  if (z < 1.5 || !(n1 > n0) || !(n0 > 0)) return bonferroni;
  const double siegmund = normal_density(z) * ((z - 1 / z) * std::log(n1 / n0) + 4 / z);
  return std::clamp(siegmund, single, bonferroni);
}

}  // namespace yieldloop::stats

#include "engine/stats/group_tests.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/stats/distributions.h"
#include "engine/stats/intervals.h"

namespace yieldloop::stats {
namespace {

Error too_small(const char* what) {
  return {Errc::kNoData, "STAT-0002", std::string(what) + " needs more values in each group."};
}

struct Moments {
  double n = 0, mean = 0, variance = 0;
};

Moments moments(std::span<const double> values) {
  Moments m{.n = static_cast<double>(values.size())};
  m.mean = std::accumulate(values.begin(), values.end(), 0.0) / m.n;
  for (const double v : values) m.variance += (v - m.mean) * (v - m.mean);
  m.variance /= m.n - 1;
  return m;
}

/// Sum over runs of equal values of t^3 - t.
double tie_sum(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  double sum = 0;
  for (std::size_t i = 0; i < sorted.size();) {
    std::size_t j = i;
    while (j < sorted.size() && sorted[j] == sorted[i]) ++j;
    const auto t = static_cast<double>(j - i);
    sum += t * t * t - t;
    i = j;
  }
  return sum;
}

/// P(U <= u) by the recursion of Mann and Whitney, as counts of partitions.
double exact_lower_p(std::size_t u, std::size_t m, std::size_t n) {
  std::vector<double> count(m * n + 1, 0.0);
  count[0] = 1.0;
  // The generating function is the Gaussian binomial: multiply (1 - q^(n+i)), divide (1 - q^i).
  for (std::size_t i = 1; i <= m; ++i) {
    for (std::size_t k = m * n + 1; k-- > n + i;) count[k] -= count[k - n - i];
    for (std::size_t k = i; k <= m * n; ++k) count[k] += count[k - i];
  }
  const double all = std::accumulate(count.begin(), count.end(), 0.0);
  const auto end = count.begin() + static_cast<std::ptrdiff_t>(std::min(u, m * n)) + 1;
  return std::min(1.0, std::accumulate(count.begin(), end, 0.0) / all);
}

struct Grouped {
  std::vector<double> n, sum;
};

Result<Grouped> group_sums(std::span<const double> values, std::span<const int> groups,
                           const char* what) {
  if (values.size() != groups.size() || values.size() < 3) return too_small(what);
  Grouped g;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto k = static_cast<std::size_t>(std::max(0, groups[i]));
    if (k >= g.n.size()) {
      g.n.resize(k + 1, 0.0);
      g.sum.resize(k + 1, 0.0);
    }
    g.n[k] += 1;
    g.sum[k] += values[i];
  }
  for (std::size_t k = g.n.size(); k-- > 0;) {
    if (g.n[k] > 0) continue;
    g.n.erase(g.n.begin() + static_cast<std::ptrdiff_t>(k));
    g.sum.erase(g.sum.begin() + static_cast<std::ptrdiff_t>(k));
  }
  if (g.n.size() < 2 || values.size() <= g.n.size()) return too_small(what);
  return g;
}

}  // namespace

std::vector<double> mid_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](auto a, auto b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t j = i;
    while (j < order.size() && values[order[j]] == values[order[i]]) ++j;
    for (std::size_t k = i; k < j; ++k) ranks[order[k]] = static_cast<double>(i + 1 + j) / 2;
    i = j;
  }
  return ranks;
}

std::vector<double> normal_scores(std::span<const double> values) {
  std::vector<double> scores = mid_ranks(values);
  const double n = static_cast<double>(values.size());
  for (double& s : scores) s = normal_quantile((s - 0.375) / (n + 0.25));
  return scores;
}

Result<TestResult> mann_whitney(std::span<const double> x, std::span<const double> y) {
  if (x.empty() || y.empty()) return too_small("Mann-Whitney");
  std::vector<double> all(x.begin(), x.end());
  all.insert(all.end(), y.begin(), y.end());
  const std::vector<double> ranks = mid_ranks(all);
  const auto m = static_cast<double>(x.size()), n = static_cast<double>(y.size());
  const auto end = ranks.begin() + static_cast<std::ptrdiff_t>(x.size());
  const double u = std::accumulate(ranks.begin(), end, 0.0) - m * (m + 1) / 2;
  const double ties = tie_sum(all);
  TestResult result{.statistic = u, .effect = u / (m * n)};
  if (ties == 0 && x.size() < 50 && y.size() < 50) {
    const double smaller = std::min(u, m * n - u);
    const double p = exact_lower_p(static_cast<std::size_t>(smaller), x.size(), y.size());
    result.p_value = std::min(1.0, 2 * p);
    return result;
  }
  const double total = m + n;
  const double variance = m * n / 12 * (total + 1 - ties / (total * (total - 1)));
  if (!(variance > 0)) return result;
  const double distance = std::max(0.0, std::abs(u - m * n / 2) - 0.5);
  result.p_value = normal_two_sided_p(distance / std::sqrt(variance));
  return result;
}

Result<TestResult> welch_t(std::span<const double> x, std::span<const double> y) {
  if (x.size() < 2 || y.size() < 2) return too_small("Welch's t test");
  const Moments mx = moments(x), my = moments(y);
  const double vx = mx.variance / mx.n, vy = my.variance / my.n;
  TestResult result{.effect = mx.mean - my.mean};
  result.effect_ci = {result.effect, result.effect};
  if (!(vx + vy > 0)) return result;
  const double se = std::sqrt(vx + vy);
  result.statistic = result.effect / se;
  result.degrees = (vx + vy) * (vx + vy) / (vx * vx / (mx.n - 1) + vy * vy / (my.n - 1));
  result.p_value = student_t_two_sided_p(result.statistic, result.degrees);
  const double half = student_t_quantile(0.975, result.degrees) * se;
  result.effect_ci = {result.effect - half, result.effect + half};
  return result;
}

Result<TestResult> kruskal_wallis(std::span<const double> values, std::span<const int> groups) {
  const std::vector<double> ranks = mid_ranks(values);
  YL_ASSIGN(const Grouped g, group_sums(ranks, groups, "Kruskal-Wallis"));
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (std::size_t k = 0; k < g.n.size(); ++k) sum += g.sum[k] * g.sum[k] / g.n[k];
  const double ties = 1 - tie_sum(values) / (n * n * n - n);
  TestResult result{.degrees = static_cast<double>(g.n.size()) - 1};
  if (!(ties > 0)) return result;
  result.statistic = (12 / (n * (n + 1)) * sum - 3 * (n + 1)) / ties;
  result.p_value = chi_squared_upper_p(result.statistic, result.degrees);
  result.effect = result.statistic / (n - 1);
  return result;
}

Result<TestResult> one_way_anova(std::span<const double> values, std::span<const int> groups) {
  YL_ASSIGN(const Grouped g, group_sums(values, groups, "One-way ANOVA"));
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double total = 0, between = 0;
  for (const double v : values) total += (v - mean) * (v - mean);
  for (std::size_t k = 0; k < g.n.size(); ++k) {
    between += g.n[k] * (g.sum[k] / g.n[k] - mean) * (g.sum[k] / g.n[k] - mean);
  }
  TestResult result{.degrees = static_cast<double>(g.n.size()) - 1};
  result.degrees2 = n - static_cast<double>(g.n.size());
  if (!(total > 0)) return result;
  result.effect = between / total;
  const double within = std::max(0.0, total - between) / result.degrees2;
  if (!(within > 0)) return result;
  result.statistic = between / result.degrees / within;
  result.p_value = f_upper_p(result.statistic, result.degrees, result.degrees2);
  return result;
}

Result<TestResult> spearman(std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size() || x.size() < 4) return too_small("Spearman's correlation");
  const std::vector<double> rx = mid_ranks(x), ry = mid_ranks(y);
  const auto n = static_cast<double>(x.size());
  const double mean = (n + 1) / 2;
  double sxx = 0, syy = 0, sxy = 0;
  for (std::size_t i = 0; i < rx.size(); ++i) {
    sxx += (rx[i] - mean) * (rx[i] - mean);
    syy += (ry[i] - mean) * (ry[i] - mean);
    sxy += (rx[i] - mean) * (ry[i] - mean);
  }
  TestResult result{.degrees = n - 2};
  if (!(sxx > 0) || !(syy > 0)) return result;
  const double rho = std::clamp(sxy / std::sqrt(sxx * syy), -1.0, 1.0);
  result.effect = rho;
  result.statistic = rho * std::sqrt((n - 2) / std::max(1e-300, 1 - rho * rho));
  result.p_value = student_t_two_sided_p(result.statistic, result.degrees);
  // Fisher's z with the variance of Bonett and Wright, Psychometrika 65 (2000) 23.
  const double half = kZ95 * std::sqrt((1 + rho * rho / 2) / (n - 3));
  const double z = std::atanh(std::clamp(rho, -0.999999999, 0.999999999));
  result.effect_ci = {std::tanh(z - half), std::tanh(z + half)};
  return result;
}

}  // namespace yieldloop::stats

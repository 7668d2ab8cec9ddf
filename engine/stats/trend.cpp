#include "engine/stats/trend.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <vector>

#include "engine/stats/distributions.h"
#include "engine/stats/intervals.h"

namespace yieldloop::stats {
namespace {

Error no_line() {
  return {Errc::kNoData, "STAT-0003", "A line needs at least three points at different x."};
}

double median(std::vector<double> values) {
  const std::size_t half = values.size() / 2;
  std::ranges::sort(values);
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double tie_term(std::span<const double> values) {
  std::map<double, double> counts;
  for (const double v : values) counts[v] += 1;
  double sum = 0;
  for (const auto& [value, t] : counts) sum += t * (t - 1) * (2 * t + 5);
  return sum;
}

}  // namespace

Result<Line> least_squares_line(std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size() || x.size() < 3) return no_line();
  const auto n = static_cast<double>(x.size());
  const double mx = std::accumulate(x.begin(), x.end(), 0.0) / n;
  const double my = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double sxx = 0, sxy = 0, syy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sxx += (x[i] - mx) * (x[i] - mx);
    sxy += (x[i] - mx) * (y[i] - my);
    syy += (y[i] - my) * (y[i] - my);
  }
  if (!(sxx > 0)) return no_line();
  Line line{.slope = sxy / sxx};
  line.intercept = my - line.slope * mx;
  const double residual = std::max(0.0, syy - line.slope * sxy) / (n - 2);
  const double se = std::sqrt(residual / sxx);
  const double half = student_t_quantile(0.975, n - 2) * se;
  line.slope_ci = {line.slope - half, line.slope + half};
  line.p_value =
      se > 0 ? student_t_two_sided_p(line.slope / se, n - 2) : (line.slope == 0 ? 1.0 : 0.0);
  return line;
}

Result<Line> theil_sen_line(std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size() || x.size() < 3) return no_line();
  std::vector<double> slopes;
  double s = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = i + 1; j < x.size(); ++j) {
      if (x[i] == x[j]) continue;
      const double slope = (y[j] - y[i]) / (x[j] - x[i]);
      slopes.push_back(slope);
      s += slope > 0 ? 1 : slope < 0 ? -1 : 0;
    }
  }
  if (slopes.empty()) return no_line();
  std::ranges::sort(slopes);
  Line line{.slope = median(slopes)};
  std::vector<double> offsets(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) offsets[i] = y[i] - line.slope * x[i];
  line.intercept = median(offsets);
  const auto n = static_cast<double>(x.size());
  const double variance = (n * (n - 1) * (2 * n + 5) - tie_term(x) - tie_term(y)) / 18;
  const double sd = std::sqrt(std::max(0.0, variance));
  if (sd > 0) line.p_value = normal_two_sided_p(std::max(0.0, std::abs(s) - 1) / sd);
  const double c = kZ95 * sd;
  const auto m = static_cast<double>(slopes.size());
  const auto at = [&](double rank) {
    return slopes[static_cast<std::size_t>(std::clamp(rank, 0.0, m - 1))];
  };
  line.slope_ci = {at(std::floor((m - c) / 2) - 1), at(std::ceil((m + c) / 2))};
  return line;
}

}  // namespace yieldloop::stats

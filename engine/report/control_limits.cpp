#include "engine/report/control_limits.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace yieldloop::report {

double median(std::vector<double> values) {
  assert(!values.empty());
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::optional<ControlLimits> individuals_limits(std::span<const double> values) {
  if (values.size() < kFewestReferences) return std::nullopt;
  std::vector<double> ranges;
  for (std::size_t i = 1; i < values.size(); ++i) {
    ranges.push_back(std::abs(values[i] - values[i - 1]));
  }
  constexpr double kMedianRangeOfTwo = 0.9539;
  return ControlLimits{median({values.begin(), values.end()}),
                       median(std::move(ranges)) / kMedianRangeOfTwo};
}

std::optional<ControlLimits> robust_limits(std::span<const double> values) {
  if (values.size() < kFewestReferences) return std::nullopt;
  const double centre = median({values.begin(), values.end()});
  std::vector<double> away;
  for (const double v : values) away.push_back(std::abs(v - centre));
  return ControlLimits{centre, median(std::move(away)) / 0.6745};
}

}  // namespace yieldloop::report

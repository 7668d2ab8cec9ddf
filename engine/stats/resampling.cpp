#include "engine/stats/resampling.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace yieldloop::stats {

PermutationResult permutation_p_value(double observed, std::size_t draws, std::uint64_t seed,
                                      const std::function<double(Random&)>& statistic,
                                      std::size_t stop_after) {
  const Random root(seed);
  PermutationResult result;
  while (result.draws < draws) {
    Random stream = root.fork(result.draws);
    ++result.draws;
    if (statistic(stream) >= observed) ++result.exceedances;
    if (stop_after > 0 && result.exceedances == stop_after) {
      result.p_value = static_cast<double>(result.exceedances) / static_cast<double>(result.draws);
      return result;
    }
  }
  result.p_value =
      static_cast<double>(result.exceedances + 1) / static_cast<double>(result.draws + 1);
  return result;
}

Interval bootstrap_interval(std::size_t n, std::size_t draws, std::uint64_t seed,
                            const std::function<double(std::span<const std::size_t>)>& statistic,
                            double level) {
  const Random root(seed);
  std::vector<std::size_t> picks(n);
  std::vector<double> values(draws);
  for (std::size_t i = 0; i < draws; ++i) {
    Random stream = root.fork(i);
    for (std::size_t& pick : picks) pick = stream.below(n);
    values[i] = statistic(picks);
  }
  std::ranges::sort(values);
  const auto at = [&](double share) {
    const double position = share * static_cast<double>(draws - 1);
    const auto low = static_cast<std::size_t>(position);
    const std::size_t high = std::min(low + 1, draws - 1);
    return values[low] + (position - static_cast<double>(low)) * (values[high] - values[low]);
  };
  return {at((1 - level) / 2), at((1 + level) / 2)};
}

}  // namespace yieldloop::stats

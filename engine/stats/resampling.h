/// \file
/// Answers by drawing: permutation p-values and bootstrap intervals.
///
/// Draw i uses the stream `Random(seed).fork(i)`, so the result is the same in whatever order
/// and on however many threads draws are made.
/// Permutation p = (1 + draws at least as large) / (1 + draws). Sequential stopping after h
/// exceedances gives p = h / draws made, still valid (Besag and Clifford).
///
/// Source: B. Phipson and G. Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010) 39; J. Besag and
/// P. Clifford, Biometrika 78 (1991) 301; B. Efron, Ann. Statist. 7 (1979) 1.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "engine/core/finding.h"
#include "engine/core/random.h"

namespace yieldloop::stats {

struct PermutationResult {
  double p_value = 1.0;
  std::size_t draws = 0;
  std::size_t exceedances = 0;
  friend bool operator==(const PermutationResult&, const PermutationResult&) = default;
};

/// `statistic` draws one value under the null. `stop_after` exceedances end early; 0: never.
PermutationResult permutation_p_value(double observed, std::size_t draws, std::uint64_t seed,
                                      const std::function<double(Random&)>& statistic,
                                      std::size_t stop_after = 0);

/// Percentile interval of `statistic` over `draws` resamples of positions 0..n-1.
/// REQUIRES: n > 0, draws > 0.
Interval bootstrap_interval(std::size_t n, std::size_t draws, std::uint64_t seed,
                            const std::function<double(std::span<const std::size_t>)>& statistic,
                            double level = 0.95);

}  // namespace yieldloop::stats

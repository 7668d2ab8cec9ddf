/// \file
/// A seeded random stream whose values are the same on every machine and compiler.
///
/// The distributions of <random> are not: their algorithms are left to the library. Every
/// stochastic step in the program takes a seed and draws from this.
///
/// Source: xoshiro256**, D. Blackman and S. Vigna, ACM TOMS 47 (2021) 36; seeding by
/// SplitMix64; bounded integers by D. Lemire, ACM TOMACS 29 (2019) 3.
#pragma once

#include <array>
#include <cstdint>

namespace yieldloop {

/// Not thread-safe; give each task its own, from `Random(seed).fork(task_index)`.
class Random {
 public:
  explicit Random(std::uint64_t seed);

  /// An independent stream named by `index`; does not advance this one.
  Random fork(std::uint64_t index) const;

  std::uint64_t bits();
  /// In [0, 1), 53 bits.
  double uniform();
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// In [0, bound). REQUIRES: bound > 0.
  std::uint64_t below(std::uint64_t bound);
  bool chance(double probability) { return uniform() < probability; }
  /// Standard normal (Box-Muller, one value a call so that streams stay aligned).
  double normal();
  double normal(double mean, double sd) { return mean + sd * normal(); }
  double exponential(double mean);
  /// Gamma by Marsaglia and Tsang (2000). REQUIRES: shape > 0.
  double gamma(double shape, double scale);
  /// Poisson: inversion by multiplication in chunks, exact for any mean >= 0.
  std::uint64_t poisson(double mean);
  std::uint64_t binomial(std::uint64_t n, double p);

  /// Fisher-Yates.
  template <class Range>
  void shuffle(Range& range) {
    for (std::size_t i = range.size(); i > 1; --i) {
      using std::swap;
      swap(range[i - 1], range[below(i)]);
    }
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace yieldloop

#include "engine/core/random.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

namespace yieldloop {
namespace {

std::uint64_t split_mix(std::uint64_t& x) {
  std::uint64_t z = (x += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(std::uint64_t seed) : state_{} {
  for (auto& word : state_) word = split_mix(seed);
}

Random Random::fork(std::uint64_t index) const {
  std::uint64_t mixed = state_[0] ^ std::rotl(state_[2], 17);
  std::uint64_t salt = index + 0x632be59bd9b4e019U;
  return Random(split_mix(mixed) ^ split_mix(salt));
}

std::uint64_t Random::bits() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }

std::uint64_t Random::below(std::uint64_t bound) {
  const std::uint64_t threshold = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t draw = bits();
    if (draw >= threshold) return draw % bound;
  }
}

double Random::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

double Random::exponential(double mean) { return -mean * std::log(1.0 - uniform()); }

double Random::gamma(double shape, double scale) {
  if (shape < 1.0) {
    const double boost = std::pow(1.0 - uniform(), 1.0 / shape);
    return gamma(shape + 1.0, scale) * boost;
  }
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = normal();
    const double v = std::pow(1.0 + c * x, 3.0);
    if (v <= 0.0) continue;
    if (std::log(1.0 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v * scale;
  }
}

std::uint64_t Random::poisson(double mean) {
  // Poisson(a + b) = Poisson(a) + Poisson(b): chunks keep exp(-mean) representable.
  std::uint64_t total = 0;
  while (mean > 0.0) {
    const double chunk = std::min(mean, 500.0);
    const double floor = std::exp(-chunk);
    for (double product = uniform(); product > floor; product *= uniform()) ++total;
    mean -= chunk;
  }
  return total;
}

std::uint64_t Random::binomial(std::uint64_t n, double p) {
  std::uint64_t hits = 0;
  for (std::uint64_t i = 0; i < n; ++i) hits += chance(p) ? 1U : 0U;
  return hits;
}

}  // namespace yieldloop

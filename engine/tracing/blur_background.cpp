#include "engine/tracing/blur_background.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace yieldloop::tracing {
namespace {

/// Regions hold about this many defects each, on a grid of at most kMostSide a side.
constexpr double kDefectsPerRegion = 40.0;
constexpr double kMostSide = 12.0;

std::size_t side_of(std::size_t defects) {
  return static_cast<std::size_t>(
      std::clamp(std::sqrt(static_cast<double>(defects) / kDefectsPerRegion), 1.0, kMostSide));
}

/// Factor of each part from its background count and what is expected without factors.
std::vector<double> shrunk_factors(std::span<const double> count,
                                   std::span<const double> expected) {
  double excess = 0.0, square = 0.0, variance = 0.0;
  for (std::size_t g = 0; g < count.size(); ++g) {
    const double off = count[g] - expected[g];
    excess += off * off - expected[g];
    square += expected[g] * expected[g];
    variance += 2.0 * expected[g] * expected[g] + expected[g];
  }
  std::vector<double> factor(count.size(), 1.0);
  // Poisson counts alone have an excess of 0 with this variance.
  if (excess <= 2.0 * std::sqrt(variance) || square <= 0.0) return factor;
  const double kappa = square / excess;
  for (std::size_t g = 0; g < count.size(); ++g) {
    factor[g] = (count[g] + kappa) / (expected[g] + kappa);
  }
  return factor;
}

}  // namespace

BlurBackground::BlurBackground(const DensityStrata& strata, std::span<const PointUm> defects,
                               std::span<const double> seen)
    : strata_(&strata) {
  tile_of_.reserve(defects.size());
  for (const PointUm p : defects) {
    tile_of_.push_back(static_cast<std::uint32_t>(strata.tile_at(p)));
  }
  const std::size_t side = side_of(defects.size());
  regions_ = side * side;
  for (std::size_t t = 0; t < strata.tile_count(); ++t) {
    const std::size_t column = t % strata.columns() * side / strata.columns();
    const std::size_t row = t / strata.columns() * side / strata.rows();
    region_of_.push_back(static_cast<std::uint32_t>(row * side + column));
    area_.push_back(strata.tile(t).area() * (seen.empty() ? 1.0 : seen[t]));
  }
  fit(std::vector<double>(defects.size(), 1.0));
}

void BlurBackground::fit(std::span<const double> weights) {
  const std::size_t tiles = area_.size(), strata = strata_->count();
  std::vector<double> in_stratum(strata, 0.0), in_region(regions_, 0.0), in_tile(tiles, 0.0);
  for (std::size_t d = 0; d < weights.size(); ++d) {
    in_stratum[strata_->stratum_of_tile(tile_of_[d])] += weights[d];
    in_region[region_of_[tile_of_[d]]] += weights[d];
    in_tile[tile_of_[d]] += weights[d];
  }
  std::vector<double> beta(regions_, 1.0), alpha(strata, 0.0);
  constexpr int kRounds = 4;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<double> seen(strata, 0.0), expected(regions_, 0.0);
    for (std::size_t t = 0; t < tiles; ++t) {
      seen[strata_->stratum_of_tile(t)] += beta[region_of_[t]] * area_[t];
    }
    for (std::size_t s = 0; s < strata; ++s) {
      // Half a defect where there is none: a rate of exactly 0 would make one defect a miracle.
      alpha[s] = seen[s] > 0.0 ? std::max(in_stratum[s], 0.5) / seen[s] : 0.0;
    }
    if (round + 1 == kRounds) break;
    for (std::size_t t = 0; t < tiles; ++t) {
      expected[region_of_[t]] += alpha[strata_->stratum_of_tile(t)] * area_[t];
    }
    beta = shrunk_factors(in_region, expected);
  }
  std::vector<double> expected(tiles, 0.0);
  rate_.resize(tiles);
  for (std::size_t t = 0; t < tiles; ++t) {
    rate_[t] = alpha[strata_->stratum_of_tile(t)] * beta[region_of_[t]];
    expected[t] = rate_[t] * area_[t];
  }
  const auto delta = shrunk_factors(in_tile, expected);
  for (std::size_t t = 0; t < tiles; ++t) rate_[t] *= delta[t];
}

double BlurBackground::expected() const {
  double sum = 0.0;
  for (std::size_t t = 0; t < area_.size(); ++t) sum += rate_[t] * area_[t];
  return sum;
}

}  // namespace yieldloop::tracing

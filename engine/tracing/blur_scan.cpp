#include "engine/tracing/blur_scan.h"

#include <algorithm>
#include <cmath>

#include "engine/stats/distributions.h"

namespace yieldloop::tracing {

double boundary_p(double statistic) {
  return statistic > 0.0 ? 0.5 * stats::chi_squared_upper_p(statistic, 1.0) : 1.0;
}

/// The likelihood of one class: what its defects and tiles say.
struct BlurScan::Near {
  std::vector<double> background, explained, density, weight;
  double far = 0.0;       ///< W.
  double expected = 0.0;  ///< B.
  double places = 0.0;    ///< n.

  double log_likelihood(double gamma, double rate) const {
    double sum = far > 0.0 ? far * std::log(gamma) : 0.0;
    for (std::size_t i = 0; i < density.size(); ++i) {
      sum += weight[i] * std::log(gamma * background[i] + explained[i] + rate * density[i]);
    }
    return sum - gamma * expected - rate * places;
  }

  struct Slope {
    double gamma = 0.0, rate = 0.0, gamma2 = 0.0, mixed = 0.0, rate2 = 0.0;
  };
  Slope slope(double gamma, double rate) const {
    Slope g{far / gamma - expected, -places, far / (gamma * gamma), 0.0, 0.0};
    for (std::size_t i = 0; i < density.size(); ++i) {
      const double f = gamma * background[i] + explained[i] + rate * density[i];
      const double b = background[i] / f, k = density[i] / f;
      g.gamma += weight[i] * b;
      g.rate += weight[i] * k;
      g.gamma2 += weight[i] * b * b;
      g.mixed += weight[i] * b * k;
      g.rate2 += weight[i] * k * k;
    }
    return g;
  }

  /// gamma at r = 0.
  double null_factor() const {
    double gamma = 1.0;
    for (int round = 0; round < 50; ++round) {
      const Slope g = slope(gamma, 0.0);
      if (!(g.gamma2 > 0.0)) return gamma;
      const double next = std::max(0.1 * gamma, gamma + g.gamma / g.gamma2);
      const bool done = std::abs(next - gamma) <= 1e-12 * gamma;
      gamma = next;
      if (done) break;
    }
    return gamma;
  }

  /// Raises l by damped Newton steps; l is concave.
  double climb(double& gamma, double& rate) const {
    double best = log_likelihood(gamma, rate);
    for (int round = 0; round < 60; ++round) {
      const Slope g = slope(gamma, rate);
      const double det = g.gamma2 * g.rate2 - g.mixed * g.mixed;
      if (!(det > 0.0)) break;
      const double dg = (g.rate2 * g.gamma - g.mixed * g.rate) / det;
      const double dr = (g.gamma2 * g.rate - g.mixed * g.gamma) / det;
      double step = 1.0;
      double reached = -HUGE_VAL, g1 = gamma, r1 = rate;
      for (; step > 1e-6; step *= 0.5) {
        g1 = std::max(gamma + step * dg, 0.05 * gamma);
        r1 = std::max(rate + step * dr, 0.05 * rate);
        reached = log_likelihood(g1, r1);
        if (reached >= best) break;
      }
      if (!(reached > best)) break;
      const double gain = reached - best;
      gamma = g1, rate = r1, best = reached;
      if (gain < 1e-9) break;
    }
    return best;
  }
};

BlurScan::BlurScan(const NearPairs& pairs, const BlurBackground& background,
                   std::span<const RectUm> places)
    : pairs_(pairs), background_(background), places_(places) {}

void BlurScan::set_explained(std::span<const double> explained) {
  explained_.assign(explained.begin(), explained.end());
  chance_.resize(explained_.size());
  tile_chance_.assign(background_.strata().tile_count(), 0.0);
  for (std::size_t d = 0; d < explained_.size(); ++d) {
    const double b = background_.rate_at(d);
    chance_[d] = b / (b + explained_[d]);
    tile_chance_[background_.tile_of(d)] += chance_[d];
  }
}

std::vector<std::uint32_t> BlurScan::tiles_of(std::span<const std::uint32_t> places) const {
  const DensityStrata& strata = background_.strata();
  const double reach = kBlurReach * pairs_.sigma_max();
  std::vector<std::uint32_t> tiles;
  for (const std::uint32_t a : places) {
    const RectUm& r = places_[a];
    const std::size_t low = strata.tile_at({r.x_min - reach, r.y_min - reach});
    const std::size_t high = strata.tile_at({r.x_max + reach, r.y_max + reach});
    const std::size_t columns = strata.columns();
    for (std::size_t y = low / columns; y <= high / columns; ++y) {
      for (std::size_t x = low % columns; x <= high % columns; ++x) {
        tiles.push_back(static_cast<std::uint32_t>(y * columns + x));
      }
    }
  }
  std::ranges::sort(tiles);
  const auto rest = std::ranges::unique(tiles);
  tiles.erase(rest.begin(), rest.end());
  return tiles;
}

BlurScan::Near BlurScan::near_of(std::span<const std::uint32_t> places,
                                 const DefectDensities& densities) const {
  Near near;
  near.places = static_cast<double>(places.size());
  near.density = densities.density;
  near.weight.assign(near.density.size(), 1.0);
  for (const std::uint32_t t : tiles_of(places)) {
    near.far += tile_chance_[t];
    near.expected += background_.expected_in_tile(t);
  }
  for (const std::uint32_t d : densities.defect) {
    near.background.push_back(background_.rate_at(d));
    near.explained.push_back(explained_[d]);
    near.far -= chance_[d];
  }
  near.far = std::max(near.far, 0.0);
  return near;
}

std::vector<double> BlurScan::shares(std::span<const std::uint32_t> places,
                                     const DefectDensities& near, double rate,
                                     double local_factor) const {
  std::vector<double> share(places.size(), 0.0);
  for (std::size_t i = 0; i < places.size(); ++i) {
    for (const NearPair& pair : pairs_.of(places[i])) {
      const auto at = std::ranges::lower_bound(near.defect, pair.defect) - near.defect.begin();
      const double f = local_factor * background_.rate_at(pair.defect) + explained_[pair.defect] +
                       rate * near.density[static_cast<std::size_t>(at)];
      share[i] += rate * static_cast<double>(pair.density) / f;
    }
  }
  return share;
}

namespace {

double cap_of(std::vector<double> shares) {
  const auto upper = shares.begin() + static_cast<std::ptrdiff_t>(3 * shares.size() / 4);
  std::ranges::nth_element(shares, upper);
  return std::max(3.0, 3.0 * *upper);
}

double dispersion_of(std::span<const double> shares, double cap) {
  double sum = 0.0, square = 0.0;
  for (const double s : shares) {
    const double v = std::min(s, cap);
    sum += v, square += v * v;
  }
  const auto n = static_cast<double>(shares.size());
  if (n < 2.0 || sum <= 0.0) return 1.0;
  const double mean = sum / n;
  return std::max(1.0, (square - sum * mean) / mean / (n - 1.0));
}

}  // namespace

ClassTest BlurScan::test(std::span<const std::uint32_t> places, DensityGatherer& gatherer) const {
  ClassTest result;
  const DefectDensities densities = gatherer.gather(pairs_, places);
  if (densities.defect.empty()) return result;
  Near near = near_of(places, densities);
  const double null = near.null_factor();
  const Near::Slope at_null = near.slope(null, 0.0);
  if (at_null.rate <= 0.0) return result;
  const double information =
      at_null.rate2 - at_null.mixed * at_null.mixed / std::max(at_null.gamma2, 1e-300);
  // Not worth a fit: the score statistic is equivalent and not remarkable.
  const double score = at_null.rate * at_null.rate / std::max(information, 1e-300);
  if (score < 2.0) {
    result.statistic = score;
    result.p_value = boundary_p(score);
    return result;
  }
  double gamma = null;
  double rate = 0.5 * static_cast<double>(densities.defect.size()) / near.places;
  near.climb(gamma, rate);
  const auto share = shares(places, densities, rate, gamma);
  const double cap = cap_of(share);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (share[i] <= cap) continue;
    for (const NearPair& pair : pairs_.of(places[i])) {
      const auto at = std::ranges::lower_bound(densities.defect, pair.defect);
      double& w = near.weight[static_cast<std::size_t>(at - densities.defect.begin())];
      w = std::min(w, cap / share[i]);
    }
  }
  const double null_weighted = near.null_factor();
  const double reached = near.climb(gamma, rate);
  result.rate = rate;
  result.local_factor = gamma;
  result.defects = rate * near.places;
  result.dispersion = dispersion_of(share, cap);
  result.statistic =
      std::max(0.0, 2.0 * (reached - near.log_likelihood(null_weighted, 0.0))) / result.dispersion;
  result.p_value = boundary_p(result.statistic);
  return result;
}

}  // namespace yieldloop::tracing

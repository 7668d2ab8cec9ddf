#include "engine/tracing/blur_scan.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/stats/distributions.h"

namespace yieldloop::tracing {

double boundary_p(double statistic) {
  return statistic > 0.0 ? 0.5 * stats::chi_squared_upper_p(statistic, 1.0) : 1.0;
}

namespace {

constexpr double kSurroundings = 6.0;  ///< Side of a square of the surroundings, in sigmas.
/// Classes less remarkable than this are not held against their surroundings.
constexpr double kRemarkable = 9.0;

/// gamma, h and r.
using Rates = std::array<double, 3>;
constexpr std::size_t kGamma = 0, kHalo = 1, kRate = 2;

}  // namespace

/// The likelihood of one class: what its defects and tiles say.
struct BlurScan::Near {
  /// Shape: [near defects]; b, K of the smeared places and K of the places, by kGamma, kHalo,
  /// kRate.
  std::array<std::vector<double>, 3> part;
  std::vector<double> explained, weight;
  double far = 0.0;  ///< W.
  Rates whole{};     ///< Integrals of the parts: B, n, n.

  double intensity(const Rates& r, std::size_t i) const {
    return r[0] * part[0][i] + r[1] * part[1][i] + r[2] * part[2][i] + explained[i];
  }

  double log_likelihood(const Rates& r) const {
    double sum = far > 0.0 ? far * std::log(r[kGamma]) : 0.0;
    for (std::size_t i = 0; i < weight.size(); ++i) sum += weight[i] * std::log(intensity(r, i));
    return sum - r[0] * whole[0] - r[1] * whole[1] - r[2] * whole[2];
  }

  struct Slope {
    Rates first{};
    std::array<Rates, 3> second{};  ///< Negative, so that it is positive definite.
  };
  Slope slope(const Rates& r) const {
    Slope s;
    s.first = {far / r[kGamma] - whole[0], -whole[1], -whole[2]};
    s.second[0][0] = far / (r[kGamma] * r[kGamma]);
    for (std::size_t i = 0; i < weight.size(); ++i) {
      const double f = intensity(r, i);
      const Rates v{part[0][i] / f, part[1][i] / f, part[2][i] / f};
      for (std::size_t a = 0; a < 3; ++a) {
        s.first[a] += weight[i] * v[a];
        for (std::size_t b = 0; b <= a; ++b) s.second[a][b] += weight[i] * v[a] * v[b];
      }
    }
    for (std::size_t a = 0; a < 3; ++a) {
      for (std::size_t b = a + 1; b < 3; ++b) s.second[a][b] = s.second[b][a];
    }
    return s;
  }

  /// Raises l by damped Newton steps in the rates that are above 0; l is concave.
  double climb(Rates& rates) const {
    double best = log_likelihood(rates);
    for (int round = 0; round < 60; ++round) {
      const Rates step = newton(rates);
      Rates next = rates;
      double reached = -HUGE_VAL;
      for (double part_of = 1.0; part_of > 1e-6; part_of *= 0.5) {
        for (std::size_t a = 0; a < 3; ++a) {
          next[a] = std::max(rates[a] + part_of * step[a], 0.05 * rates[a]);
        }
        reached = log_likelihood(next);
        if (reached >= best) break;
      }
      if (!(reached > best)) break;
      const double gain = reached - best;
      rates = next, best = reached;
      if (gain < 1e-9) break;
    }
    return best;
  }

  /// Solves second * step = first over the rates above 0.
  Rates newton(const Rates& rates) const {
    Slope s = slope(rates);
    Rates step{};
    for (std::size_t a = 0; a < 3; ++a) {
      if (rates[a] > 0.0) continue;
      for (std::size_t b = 0; b < 3; ++b) s.second[a][b] = s.second[b][a] = 0.0;
      s.second[a][a] = 1.0, s.first[a] = 0.0;
    }
    for (std::size_t a = 0; a < 3; ++a) {
      // Parts that cannot be told apart share one direction: the other stays.
      if (!(s.second[a][a] > 1e-12)) return step;
      for (std::size_t b = a + 1; b < 3; ++b) {
        const double f = s.second[b][a] / s.second[a][a];
        for (std::size_t c = a; c < 3; ++c) s.second[b][c] -= f * s.second[a][c];
        s.first[b] -= f * s.first[a];
      }
    }
    for (std::size_t a = 3; a-- > 0;) {
      double v = s.first[a];
      for (std::size_t b = a + 1; b < 3; ++b) v -= s.second[a][b] * step[b];
      step[a] = v / s.second[a][a];
    }
    return step;
  }

  /// l without the class; `rates` gets what it is reached with.
  double null(Rates& rates) const {
    rates = {1.0, rates[kHalo], 0.0};
    return climb(rates);
  }
};

BlurScan::BlurScan(const NearPairs& pairs, const BlurBackground& background,
                   std::span<const RectUm> places, std::span<const PointUm> defects,
                   std::span<const double> seen)
    : pairs_(pairs),
      background_(background),
      places_(places),
      seen_(seen),
      defects_(defects, kSurroundings * std::max(pairs.sigma_max(), 1e-3)) {}

double BlurScan::seen_of(std::span<const std::uint32_t> places) const {
  if (seen_.empty()) return static_cast<double>(places.size());
  double sum = 0.0;
  for (const std::uint32_t a : places) sum += seen_[a];
  return sum;
}

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
  tiles.erase(std::unique(tiles.begin(), tiles.end()), tiles.end());
  return tiles;
}

BlurScan::Near BlurScan::near_of(std::span<const std::uint32_t> places,
                                 const DefectDensities& densities) const {
  Near near;
  // A place nowhere seen has no defect and no weight.
  near.whole[kRate] = near.whole[kHalo] = std::max(seen_of(places), 1e-9);
  near.part[kRate] = densities.density;
  near.part[kHalo].assign(densities.density.size(), 0.0);
  near.weight.assign(densities.density.size(), 1.0);
  for (const std::uint32_t t : tiles_of(places)) {
    near.far += tile_chance_[t];
    near.whole[kGamma] += background_.expected_in_tile(t);
  }
  for (const std::uint32_t d : densities.defect) {
    near.part[kGamma].push_back(background_.rate_at(d));
    near.explained.push_back(explained_[d]);
    near.far -= chance_[d];
  }
  near.far = std::max(near.far, 0.0);
  return near;
}

DefectDensities BlurScan::halo_of(std::span<const std::uint32_t> places) const {
  const double side = kSurroundings * std::max(pairs_.sigma_max(), 1e-3);
  std::vector<std::pair<std::int64_t, std::int64_t>> squares;
  for (const std::uint32_t a : places) {
    const RectUm& r = places_[a];
    const auto x = std::llround(std::floor(0.5 * (r.x_min + r.x_max) / side));
    const auto y = std::llround(std::floor(0.5 * (r.y_min + r.y_max) / side));
    for (std::int64_t i = -1; i <= 1; ++i) {
      for (std::int64_t j = -1; j <= 1; ++j) squares.emplace_back(y + i, x + j);
    }
  }
  std::ranges::sort(squares);
  std::vector<std::pair<std::uint32_t, double>> found;
  for (std::size_t i = 0; i < squares.size();) {
    std::size_t end = i;
    while (end < squares.size() && squares[end] == squares[i]) ++end;
    const double density = static_cast<double>(end - i) / (9.0 * side * side);
    const auto [y, x] = squares[i];
    const double x0 = static_cast<double>(x) * side, y0 = static_cast<double>(y) * side;
    defects_.for_in({x0, y0, x0 + side, y0 + side},
                    [&](std::uint32_t d, PointUm) { found.emplace_back(d, density); });
    i = end;
  }
  std::ranges::sort(found);
  DefectDensities halo;
  for (const auto& [d, density] : found) {
    // A defect on the border of two squares is in the one with more places.
    if (!halo.defect.empty() && halo.defect.back() == d) {
      halo.density.back() = density;
    } else {
      halo.defect.push_back(d);
      halo.density.push_back(density);
    }
  }
  return halo;
}

double BlurScan::against_surroundings(std::span<const std::uint32_t> places,
                                      const DefectDensities& densities,
                                      std::span<const double> weight) const {
  const DefectDensities halo = halo_of(places);
  DefectDensities both;
  std::vector<double> smeared, weights;
  for (std::size_t i = 0, j = 0; i < densities.defect.size() || j < halo.defect.size();) {
    const bool own = i < densities.defect.size() &&
                     (j == halo.defect.size() || densities.defect[i] <= halo.defect[j]);
    const bool around = j < halo.defect.size() &&
                        (i == densities.defect.size() || halo.defect[j] <= densities.defect[i]);
    both.defect.push_back(own ? densities.defect[i] : halo.defect[j]);
    both.density.push_back(own ? densities.density[i] : 0.0);
    weights.push_back(own ? weight[i] : 1.0);
    smeared.push_back(around ? halo.density[j] : 0.0);
    i += own ? 1 : 0, j += around ? 1 : 0;
  }
  Near near = near_of(places, both);
  near.part[kHalo] = std::move(smeared);
  near.weight = std::move(weights);
  const double start = 0.1 * static_cast<double>(both.defect.size()) / near.whole[kRate];
  Rates without{1.0, start, 0.0};
  const double null = near.null(without);
  Rates with{without[kGamma], without[kHalo], start};
  return 2.0 * (near.climb(with) - null);
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
  Rates rates{};
  near.null(rates);
  const Near::Slope at_null = near.slope(rates);
  if (at_null.first[kRate] <= 0.0) return result;
  const double mixed = at_null.second[kRate][kGamma];
  const double information = at_null.second[kRate][kRate] -
                             mixed * mixed / std::max(at_null.second[kGamma][kGamma], 1e-300);
  // Not worth a fit: the score statistic is equivalent and not remarkable.
  const double score = at_null.first[kRate] * at_null.first[kRate] / std::max(information, 1e-300);
  if (score < 2.0) {
    result.statistic = score;
    result.p_value = boundary_p(score);
    return result;
  }
  rates[kRate] = 0.5 * static_cast<double>(densities.defect.size()) / near.whole[kRate];
  near.climb(rates);
  const auto share = shares(places, densities, rates[kRate], rates[kGamma]);
  const double cap = cap_of(share);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (share[i] <= cap) continue;
    for (const NearPair& pair : pairs_.of(places[i])) {
      const auto at = std::ranges::lower_bound(densities.defect, pair.defect);
      double& w = near.weight[static_cast<std::size_t>(at - densities.defect.begin())];
      w = std::min(w, cap / share[i]);
    }
  }
  Rates without{};
  const double null = near.null(without);
  result.statistic = 2.0 * (near.climb(rates) - null);
  if (result.statistic > kRemarkable) {
    result.statistic =
        std::min(result.statistic, against_surroundings(places, densities, near.weight));
  }
  result.rate = rates[kRate];
  result.local_factor = rates[kGamma];
  result.defects = rates[kRate] * near.whole[kRate];
  result.dispersion = dispersion_of(share, cap);
  result.statistic = std::max(0.0, result.statistic) / result.dispersion;
  result.p_value = boundary_p(result.statistic);
  return result;
}

}  // namespace yieldloop::tracing

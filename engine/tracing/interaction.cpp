#include "engine/tracing/interaction.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "engine/stats/distributions.h"
#include "engine/stats/regression.h"

namespace yieldloop::tracing {
namespace {

using Count = double WaferPatternCount::*;

/// Counts and exposures of one lot, unexposed and exposed.
struct LotCounts {
  double n[2] = {0.0, 0.0};
  double e[2] = {0.0, 0.0};
  double total() const { return n[0] + n[1]; }
  bool split() const { return e[0] > 0.0 && e[1] > 0.0; }
  /// Share of the lot's defects expected on its exposed wafers.
  double share(double ratio) const { return ratio * e[1] / (ratio * e[1] + e[0]); }
};

using Lots = std::map<std::uint32_t, LotCounts>;

Lots lots_of(std::span<const WaferPatternCount> wafers, std::span<const char> exposed,
             Count count) {
  Lots lots;
  for (std::size_t w = 0; w < wafers.size(); ++w) {
    LotCounts& lot = lots[wafers[w].lot];
    lot.n[exposed[w] ? 1 : 0] += wafers[w].*count;
    lot.e[exposed[w] ? 1 : 0] += wafers[w].exposure;
  }
  return lots;
}

double information(const Lots& lots, double ratio) {
  double sum = 0.0;
  for (const auto& [id, lot] : lots) {
    const double p = lot.split() ? lot.share(ratio) : 0.0;
    sum += lot.total() * p * (1.0 - p);
  }
  return sum;
}

LotCounts pooled(const Lots& lots) {
  LotCounts all;
  for (const auto& [id, lot] : lots) {
    for (int side = 0; side < 2; ++side) all.n[side] += lot.n[side], all.e[side] += lot.e[side];
  }
  return all;
}

/// Solves sum (n1 - T p(R)) = 0, which falls in log R; 0 or infinity at the ends.
double solve_within(const Lots& lots) {
  const auto score = [&](double log_ratio) {
    double sum = 0.0;
    for (const auto& [id, lot] : lots) {
      if (lot.split()) sum += lot.n[1] - lot.total() * lot.share(std::exp(log_ratio));
    }
    return sum;
  };
  double low = -25.0, high = 25.0;
  if (score(low) <= 0.0) return 0.0;
  if (score(high) >= 0.0) return INFINITY;
  for (int i = 0; i < 100; ++i) {
    const double middle = 0.5 * (low + high);
    (score(middle) > 0.0 ? low : high) = middle;
  }
  return std::exp(0.5 * (low + high));
}

/// Pearson dispersion of the wafers' counts about their (lot and side's) mean.
double dispersion_of(std::span<const WaferPatternCount> wafers, std::span<const char> exposed,
                     Count count, const Lots& lots, double ratio, bool within) {
  const LotCounts all = pooled(lots);
  double chi = 0.0, fitted = within ? 1.0 : 2.0, used = 0.0;
  for (const auto& [id, lot] : lots) {
    if (within && lot.split()) fitted += 1.0;
  }
  for (std::size_t w = 0; w < wafers.size(); ++w) {
    const LotCounts& lot = within ? lots.at(wafers[w].lot) : all;
    if (within && !lot.split()) continue;
    const double lift = exposed[w] ? ratio : 1.0;
    const double mean = lot.total() * lift * wafers[w].exposure / (ratio * lot.e[1] + lot.e[0]);
    used += 1.0;
    if (!(mean > 0.0)) continue;
    const double miss = wafers[w].*count - mean;
    chi += miss * miss / mean;
  }
  return used > fitted ? std::max(1.0, chi / (used - fitted)) : 1.0;
}

/// The sandwich over lots of log R; clusters are lots.
double lot_variance(const Lots& lots, double ratio, bool within, double info) {
  const LotCounts all = pooled(lots);
  double meat = 0.0, clusters = 0.0;
  for (const auto& [id, lot] : lots) {
    if (within && !lot.split()) continue;
    clusters += 1.0;
    double u = 0.0;
    if (within) {
      u = lot.n[1] - lot.total() * lot.share(ratio);
    } else {
      const double r0 = all.n[0] / all.e[0], r1 = all.n[1] / all.e[1];
      const double p = all.share(ratio);
      u = (1.0 - p) * (lot.n[1] - r1 * lot.e[1]) - p * (lot.n[0] - r0 * lot.e[0]);
    }
    meat += u * u;
  }
  if (clusters < 2.0 || !(info > 0.0)) return 0.0;
  return meat * clusters / (clusters - 1.0) / (info * info);
}

void add_test(CountRatio& r) {
  if (!(r.ratio > 0.0) || !std::isfinite(r.ratio)) {
    r.ci = {0.0, INFINITY};
    return;
  }
  const double t = std::log(r.ratio) / std::max(r.log_se, 1e-12);
  r.p_value = stats::student_t_two_sided_p(t, r.degrees);
  const double half = stats::student_t_quantile(0.975, r.degrees) * r.log_se;
  r.ci = {r.ratio * std::exp(-half), r.ratio * std::exp(half)};
}

/// An empty side counts as half a defect, so that its ratio has an interval.
void fill_empty_side(LotCounts& all) {
  for (double& n : all.n) n = std::max(n, 0.5);
}

CountRatio ratio_of(std::span<const WaferPatternCount> wafers, std::span<const char> exposed,
                    Count count) {
  const Lots lots = lots_of(wafers, exposed, count);
  LotCounts all = pooled(lots);
  fill_empty_side(all);
  CountRatio r;
  const double plain = (all.n[1] / all.e[1]) / (all.n[0] / all.e[0]);
  const double p = all.share(plain);
  const double pooled_info = all.total() * p * (1.0 - p);
  const double within = solve_within(lots);
  const double within_info =
      within > 0.0 && std::isfinite(within) ? information(lots, within) : 0.0;
  r.within_lots = within_info >= 0.5 * pooled_info && within_info > 0.0;
  r.ratio = r.within_lots ? within : plain;
  const double info = r.within_lots ? within_info : pooled_info;
  r.dispersion = dispersion_of(wafers, exposed, count, lots, r.ratio, r.within_lots);
  const double by_wafers = r.dispersion / info;
  const double by_lots = lot_variance(lots, r.ratio, r.within_lots, info);
  r.log_se = std::sqrt(std::max(by_wafers, by_lots));
  const auto lot_degrees = static_cast<double>(lots.size()) - (r.within_lots ? 1.0 : 2.0);
  const auto wafer_degrees = static_cast<double>(wafers.size()) - 2.0;
  // Within lots wafers are the units; between lots the lots are.
  r.degrees = std::max(1.0, r.within_lots && by_wafers >= by_lots ? wafer_degrees : lot_degrees);
  add_test(r);
  return r;
}

Status check(std::span<const WaferPatternCount> wafers, std::size_t others) {
  const bool good =
      wafers.size() == others && std::ranges::all_of(wafers, [](const WaferPatternCount& w) {
        return w.exposure > 0.0 && w.at_places >= 0.0 && w.elsewhere >= 0.0;
      });
  if (good) return Ok{};
  return Error{Errc::kInvalidOptions, "INTR-0001",
               "An interaction needs one flag or value for each wafer, counts of at least 0 and an "
               "exposure above 0."};
}

Error no_data(const char* why) { return {Errc::kNoData, "INTR-0002", why}; }

}  // namespace

Result<InteractionContrast> interaction_contrast(std::span<const WaferPatternCount> wafers,
                                                 std::span<const char> exposed) {
  YL_TRY(check(wafers, exposed.size()));
  InteractionContrast c;
  double exposure[2] = {0.0, 0.0};
  for (std::size_t w = 0; w < wafers.size(); ++w) {
    ++(exposed[w] ? c.wafers_exposed : c.wafers_unexposed);
    (exposed[w] ? c.count_exposed : c.count_unexposed) += wafers[w].at_places;
    exposure[exposed[w] ? 1 : 0] += wafers[w].exposure;
  }
  if (c.wafers_exposed == 0 || c.wafers_unexposed == 0) {
    return no_data(
        "All inspected wafers, or none, met the process side; the interaction cannot be asked.");
  }
  if (c.count_exposed + c.count_unexposed <= 0.0) {
    return no_data("No defect lies at the places, so that their rate compares with nothing.");
  }
  c.rate_exposed = c.count_exposed / exposure[1];
  c.rate_unexposed = c.count_unexposed / exposure[0];
  c.lots =
      static_cast<std::int64_t>(lots_of(wafers, exposed, &WaferPatternCount::at_places).size());
  c.pattern = ratio_of(wafers, exposed, &WaferPatternCount::at_places);
  c.other = ratio_of(wafers, exposed, &WaferPatternCount::elsewhere);
  c.specific = c.pattern;
  c.specific.ratio = c.pattern.ratio / c.other.ratio;
  c.specific.log_se = std::hypot(c.pattern.log_se, c.other.log_se);
  c.specific.degrees = std::min(c.pattern.degrees, c.other.degrees);
  add_test(c.specific);
  const auto excess = [&](double ratio) {
    return ratio > 0.0 ? c.count_exposed * (1.0 - 1.0 / ratio) : 0.0;
  };
  c.excess = std::max(0.0, excess(c.pattern.ratio));
  c.excess_ci = {std::max(0.0, excess(c.pattern.ci.low)), std::max(0.0, excess(c.pattern.ci.high))};
  return c;
}

namespace {

/// Log-linear regression of counts on z with the larger of the quasi-Poisson and lot variance.
Result<CountRatio> slope_of(std::span<const WaferPatternCount> wafers, const Eigen::VectorXd& z,
                            double step, Count count) {
  const auto n = static_cast<Eigen::Index>(wafers.size());
  Eigen::MatrixXd x(n, 2);
  Eigen::VectorXd y(n), e(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const WaferPatternCount& w = wafers[static_cast<std::size_t>(i)];
    x(i, 0) = 1.0;
    x(i, 1) = z[i];
    y[i] = w.*count;
    e[i] = w.exposure;
  }
  YL_ASSIGN(const auto fit, stats::fit_poisson(x, y, e, {.ridge = 1e-3}));
  std::map<std::uint32_t, Eigen::Vector2d> by_lot;
  for (Eigen::Index i = 0; i < n; ++i) {
    auto& u = by_lot.try_emplace(wafers[static_cast<std::size_t>(i)].lot, Eigen::Vector2d::Zero())
                  .first->second;
    u += (y[i] - fit.fitted[static_cast<std::size_t>(i)]) * x.row(i).transpose();
  }
  const Eigen::Matrix2d bread = Eigen::Map<const Eigen::Matrix2d>(fit.covariance.data());
  Eigen::Matrix2d meat = Eigen::Matrix2d::Zero();
  for (const auto& [lot, u] : by_lot) meat += u * u.transpose();
  const auto lots = static_cast<double>(by_lot.size());
  CountRatio r;
  r.dispersion = std::max(1.0, fit.dispersion);
  double variance = r.dispersion * bread(1, 1);
  r.degrees = static_cast<double>(n) - 2.0;
  if (lots >= 3.0) {
    const double by_lots = (bread * meat * bread)(1, 1) * lots / (lots - 1.0);
    if (by_lots > variance) r.degrees = lots - 2.0;
    variance = std::max(variance, by_lots);
  }
  r.ratio = std::exp(fit.coefficients[1] * step);
  r.log_se = std::sqrt(variance) * std::abs(step);
  add_test(r);
  return r;
}

double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

}  // namespace

Result<InteractionSlope> interaction_slope(std::span<const WaferPatternCount> wafers,
                                           std::span<const double> values) {
  YL_TRY(check(wafers, values.size()));
  std::vector<WaferPatternCount> used;
  std::vector<double> of, sorted;
  for (std::size_t w = 0; w < wafers.size(); ++w) {
    if (std::isnan(values[w])) continue;
    used.push_back(wafers[w]);
    of.push_back(values[w]);
  }
  sorted = of;
  std::ranges::sort(sorted);
  constexpr std::size_t kFewest = 8;
  if (used.size() < kFewest || sorted.front() == sorted.back()) {
    return no_data("Fewer than 8 inspected wafers have a value, or all have the same one.");
  }
  InteractionSlope s{.low = quantile(sorted, 0.1), .high = quantile(sorted, 0.9)};
  const double mean =
      Eigen::Map<const Eigen::VectorXd>(of.data(), static_cast<Eigen::Index>(of.size())).mean();
  Eigen::VectorXd z(static_cast<Eigen::Index>(of.size()));
  for (Eigen::Index i = 0; i < z.size(); ++i) z[i] = of[static_cast<std::size_t>(i)] - mean;
  const double sd = std::sqrt(z.squaredNorm() / static_cast<double>(z.size()));
  z /= sd;
  const double step = (s.high - s.low) / sd;
  double total = 0.0;
  for (const WaferPatternCount& w : used) total += w.at_places;
  if (total <= 0.0)
    return no_data("No defect lies at the places, so that their rate compares with nothing.");
  YL_ASSIGN(s.pattern, slope_of(used, z, step, &WaferPatternCount::at_places));
  YL_ASSIGN(s.other, slope_of(used, z, step, &WaferPatternCount::elsewhere));
  s.wafers = static_cast<std::int64_t>(used.size());
  std::map<std::uint32_t, int> lots;
  const double per_unit =
      step > 0.0 ? std::log(std::max(1e-300, s.pattern.ratio)) / (s.high - s.low) : 0.0;
  const double better = per_unit > 0.0 ? s.low : s.high;
  for (std::size_t w = 0; w < used.size(); ++w) {
    ++lots[used[w].lot];
    s.excess += used[w].at_places * std::max(0.0, 1.0 - std::exp(-per_unit * (of[w] - better)));
  }
  s.lots = static_cast<std::int64_t>(lots.size());
  return s;
}

}  // namespace yieldloop::tracing

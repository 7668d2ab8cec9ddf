#include "engine/process/wait_damage.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "engine/stats/distributions.h"
#include "engine/stats/resampling.h"

namespace yieldloop::process {
namespace {

struct Point {
  WaferId wafer;
  NameId lot;
  double wait = 0.0;
  double y = 0.0;
};

struct Fit {
  double limit = 0.0, slope = 0.0, explained = 0.0;
};

double beyond(double wait, double limit) { return std::max(0.0, wait - limit); }

/// Least squares on the minutes above `limit`.
Fit fit(const std::vector<Point>& points, double limit) {
  const auto n = static_cast<double>(points.size());
  double mx = 0, my = 0;
  for (const Point& p : points) {
    mx += beyond(p.wait, limit) / n;
    my += p.y / n;
  }
  double sxx = 0, sxy = 0, syy = 0;
  for (const Point& p : points) {
    const double x = beyond(p.wait, limit) - mx, y = p.y - my;
    sxx += x * x;
    sxy += x * y;
    syy += y * y;
  }
  if (!(sxx > 0) || !(syy > 0)) return {limit, 0.0, 0.0};
  return {limit, sxy / sxx, sxy * sxy / (sxx * syy)};
}

/// The best limit of one step; points sorted by wait.
Fit best_limit(const std::vector<Point>& points, bool lower_is_worse, std::size_t least) {
  constexpr int kLimits = 40;
  Fit best;
  for (int k = 0; k < kLimits; ++k) {
    const auto at = static_cast<std::size_t>(k) * points.size() / kLimits;
    if (at + least >= points.size()) break;
    const Fit f = fit(points, k == 0 ? 0.0 : points[at].wait);
    const bool harmful = lower_is_worse ? f.slope < 0.0 : f.slope > 0.0;
    if (harmful && f.explained > best.explained) best = f;
  }
  return best;
}

/// Standard error of the slope with lots as clusters.
double clustered_error(const std::vector<Point>& points, const Fit& f) {
  const auto n = static_cast<double>(points.size());
  double mx = 0, my = 0;
  for (const Point& p : points) {
    mx += beyond(p.wait, f.limit) / n;
    my += p.y / n;
  }
  std::map<NameId, double> scores;
  double sxx = 0;
  for (const Point& p : points) {
    const double x = beyond(p.wait, f.limit) - mx;
    scores[p.lot] += x * (p.y - my - f.slope * x);
    sxx += x * x;
  }
  double sum = 0;
  for (const auto& [lot, score] : scores) sum += score * score;
  const auto lots = static_cast<double>(scores.size());
  return std::sqrt(sum * lots / std::max(1.0, lots - 1.0)) / sxx;
}

WaitDamage describe(NameId step, const std::vector<Point>& points, const Fit& f, double scale) {
  WaitDamage damage{.step = step,
                    .limit_minutes = f.limit,
                    .per_hour = 60.0 * f.slope * scale,
                    .explained = f.explained};
  double sum = 0.0;
  std::map<NameId, int> lots;
  for (const Point& p : points) {
    ++lots[p.lot];
    if (!(p.wait > f.limit)) continue;
    damage.wafers.push_back(p.wafer);
    sum += beyond(p.wait, f.limit);
  }
  std::ranges::sort(damage.wafers);
  const double mean = sum / static_cast<double>(std::max<std::size_t>(1, damage.wafers.size()));
  damage.effect = f.slope * mean * scale;
  const double degrees = std::max(1.0, static_cast<double>(lots.size()) - 2.0);
  const double half =
      stats::student_t_quantile(0.975, degrees) * clustered_error(points, f) * mean * scale;
  damage.effect_ci = {damage.effect - half, damage.effect + half};
  return damage;
}

/// Points of each step, sorted by wait.
std::map<NameId, std::vector<Point>> waits_of(const FabData& data, const Response& response,
                                              std::span<const char> universe) {
  std::map<NameId, std::map<WaferId, double>> waits;
  for (const StepRun& run : data.step_runs) {
    const std::uint32_t w = run.wafer.raw();
    if (run.queue_minutes < 0.0 || universe[w] == 0 || std::isnan(response.value[w])) continue;
    double& wait = waits[run.step][run.wafer];
    wait = std::max(wait, run.queue_minutes);
  }
  std::map<NameId, std::vector<Point>> by_step;
  for (const auto& [step, by_wafer] : waits) {
    std::vector<Point>& points = by_step[step];
    for (const auto& [wafer, wait] : by_wafer) {
      points.push_back({wafer, data.wafers[wafer.raw()].lot, wait, response.value[wafer.raw()]});
    }
    std::ranges::stable_sort(points, {}, &Point::wait);
  }
  return by_step;
}

constexpr std::size_t kLeastLots = 8;
constexpr std::size_t kLeastLotsBeyond = 3;
constexpr std::size_t kRampsOfAStep = 20;

/// Shape: [lots with a response].
struct LotMeans {
  std::map<NameId, std::size_t> at;
  std::vector<double> value;
};

LotMeans lot_means(const FabData& data, const Response& response, std::span<const char> universe) {
  LotMeans means;
  std::vector<double> n;
  for (std::size_t w = 0; w < data.wafers.size(); ++w) {
    if (universe[w] == 0 || std::isnan(response.value[w])) continue;
    const auto [it, is_new] = means.at.try_emplace(data.wafers[w].lot, n.size());
    if (is_new) {
      means.value.push_back(0.0);
      n.push_back(0.0);
    }
    means.value[it->second] += response.value[w];
    n[it->second] += 1.0;
  }
  for (std::size_t i = 0; i < n.size(); ++i) means.value[i] /= n[i];
  return means;
}

/// Minus the mean, of length 1; empty when all values are the same.
std::vector<double> unit_residual(std::vector<double> values) {
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) /
                      static_cast<double>(std::max<std::size_t>(1, values.size()));
  double squares = 0.0;
  for (double& v : values) {
    v -= mean;
    squares += v * v;
  }
  if (!(squares > 1e-12 * mean * mean)) return {};
  for (double& v : values) v /= std::sqrt(squares);
  return values;
}

/// The minutes beyond one limit of one step. Shape: unit is [lots], a unit residual.
struct Ramp {
  NameId step;
  std::vector<double> unit;
};

/// Ramps from the lots' own mean waits. A step that some lot did not wait for is left out.
void add_ramps(NameId step, const std::vector<Point>& points, const LotMeans& means,
               std::vector<Ramp>& ramps) {
  std::vector<double> wait(means.value.size(), 0.0), n(means.value.size(), 0.0);
  for (const Point& p : points) {
    wait[means.at.at(p.lot)] += p.wait;
    n[means.at.at(p.lot)] += 1.0;
  }
  for (std::size_t i = 0; i < n.size(); ++i) {
    if (!(n[i] > 0.0)) return;
    wait[i] /= n[i];
  }
  std::vector<double> limits = wait;
  std::ranges::sort(limits);
  limits.resize(limits.size() - kLeastLotsBeyond);
  limits.erase(std::unique(limits.begin(), limits.end()), limits.end());
  const std::size_t stride = (limits.size() + kRampsOfAStep - 1) / kRampsOfAStep;
  for (std::size_t k = 0; k < limits.size(); k += stride) {
    std::vector<double> over(wait.size());
    for (std::size_t i = 0; i < wait.size(); ++i) over[i] = beyond(wait[i], limits[k]);
    Ramp ramp{step, unit_residual(std::move(over))};
    if (!ramp.unit.empty()) ramps.push_back(std::move(ramp));
  }
}

/// The ramp that goes with the loss most closely, and its correlation; nothing when none does.
std::pair<const Ramp*, double> steepest(const std::vector<Ramp>& ramps,
                                        const std::vector<double>& y, double sign) {
  std::pair<const Ramp*, double> best{nullptr, 0.0};
  if (y.empty()) return best;
  for (const Ramp& ramp : ramps) {
    const double r = sign * std::inner_product(y.begin(), y.end(), ramp.unit.begin(), 0.0);
    if (r > best.second) best = {&ramp, r};
  }
  return best;
}

}  // namespace

std::optional<WaitDamage> most_damaging_wait(const FabData& data, const Response& response,
                                             std::span<const char> universe,
                                             std::size_t least_wafers) {
  std::optional<WaitDamage> best;
  for (const auto& [step, points] : waits_of(data, response, universe)) {
    if (points.size() < 4 * least_wafers) continue;
    const Fit f = best_limit(points, response.lower_is_worse, least_wafers);
    if (f.explained > 0.0 && (!best || f.explained > best->explained)) {
      best = describe(step, points, f, response.scale);
    }
  }
  return best;
}

std::optional<GrowingWait> growing_wait(const FabData& data, const Response& response,
                                        std::span<const char> universe, std::uint64_t seed) {
  const auto waits = waits_of(data, response, universe);
  const LotMeans means = lot_means(data, response, universe);
  if (means.value.size() < kLeastLots) return std::nullopt;
  std::vector<Ramp> ramps;
  std::size_t steps = 0;
  for (const auto& [step, points] : waits) {
    const std::size_t before = ramps.size();
    add_ramps(step, points, means, ramps);
    steps += ramps.size() > before ? 1U : 0U;
  }
  const double sign = response.lower_is_worse ? -1.0 : 1.0;
  std::vector<double> y = unit_residual(means.value);
  const auto [best, correlation] = steepest(ramps, y, sign);
  if (best == nullptr) return std::nullopt;
  // Draws are limited by what they cost: some seconds at most, whatever the size of the fab.
  const double cost = static_cast<double>(ramps.size() * y.size());
  const auto draws = static_cast<std::size_t>(std::clamp(2e9 / cost, 199.0, 9999.0));
  const auto permuted = stats::permutation_p_value(
      correlation, draws, seed,
      [&](Random& random) {
        std::vector<double> drawn = y;
        random.shuffle(drawn);
        return steepest(ramps, drawn, sign).second;
      },
      20);
  const std::vector<Point>& points = waits.at(best->step);
  const Fit f = best_limit(points, response.lower_is_worse, 5);
  if (!(f.explained > 0.0)) return std::nullopt;
  return GrowingWait{.damage = describe(best->step, points, f, response.scale),
                     .p_value = permuted.p_value,
                     .draws = permuted.draws,
                     .lots = static_cast<std::int64_t>(y.size()),
                     .steps = steps};
}

}  // namespace yieldloop::process

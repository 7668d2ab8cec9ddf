#include "engine/process/wait_damage.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/stats/distributions.h"

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

}  // namespace

std::optional<WaitDamage> most_damaging_wait(const FabData& data, const Response& response,
                                             std::span<const char> universe,
                                             std::size_t least_wafers) {
  std::map<NameId, std::map<WaferId, double>> waits;
  for (const StepRun& run : data.step_runs) {
    const std::uint32_t w = run.wafer.raw();
    if (run.queue_minutes < 0.0 || universe[w] == 0 || std::isnan(response.value[w])) continue;
    double& wait = waits[run.step][run.wafer];
    wait = std::max(wait, run.queue_minutes);
  }
  std::optional<WaitDamage> best;
  for (const auto& [step, by_wafer] : waits) {
    std::vector<Point> points;
    for (const auto& [wafer, wait] : by_wafer) {
      points.push_back({wafer, data.wafers[wafer.raw()].lot, wait, response.value[wafer.raw()]});
    }
    std::ranges::stable_sort(points, {}, &Point::wait);
    if (points.size() < 4 * least_wafers) continue;
    const Fit f = best_limit(points, response.lower_is_worse, least_wafers);
    if (f.explained > 0.0 && (!best || f.explained > best->explained)) {
      best = describe(step, points, f, response.scale);
    }
  }
  return best;
}

}  // namespace yieldloop::process

#include "engine/tracing/rank_spline.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace yieldloop::tracing {
namespace {

constexpr std::array<double, 4> kKnots{0.05, 0.35, 0.65, 0.95};

double cube(double x) { return x > 0.0 ? x * x * x : 0.0; }

/// The j-th curved term of the natural cubic spline.
double curved(double u, std::size_t j) {
  const double last = kKnots[3], before = kKnots[2], knot = kKnots[j];
  const double scale = (last - kKnots[0]) * (last - kKnots[0]);
  return (cube(u - knot) - cube(u - before) * (last - knot) / (last - before) +
          cube(u - last) * (before - knot) / (last - before)) /
         scale;
}

}  // namespace

RankSpline::RankSpline(std::vector<double> controls) {
  const auto all = static_cast<double>(controls.size());
  std::erase_if(controls, [](double v) { return std::isnan(v); });
  std::ranges::sort(controls);
  sorted_ = std::move(controls);
  missing_share_ = all > 0.0 ? 1.0 - static_cast<double>(sorted_.size()) / all : 1.0;
  for (const double v : sorted_) {
    if (levels_.empty() || v > levels_.back()) levels_.push_back(v);
    if (levels_.size() > kMostLevels) break;
  }
}

Eigen::Index RankSpline::columns() const {
  const std::size_t shape = constant() ? 0 : stepped() ? levels_.size() - 1 : 3;
  return static_cast<Eigen::Index>(shape + (has_missing() ? 1 : 0));
}

double RankSpline::rank(double value) const {
  if (sorted_.empty()) return 0.5;
  const auto [low, high] = std::equal_range(sorted_.begin(), sorted_.end(), value);
  const double below = static_cast<double>(low - sorted_.begin());
  const double to = static_cast<double>(high - sorted_.begin());
  return 0.5 * (below + to) / static_cast<double>(sorted_.size());
}

double RankSpline::quantile(double share) const {
  if (sorted_.empty()) return 0.0;
  const double at = share * static_cast<double>(sorted_.size() - 1);
  const auto low = static_cast<std::size_t>(std::floor(at));
  const std::size_t high = std::min(low + 1, sorted_.size() - 1);
  return sorted_[low] + (at - static_cast<double>(low)) * (sorted_[high] - sorted_[low]);
}

void RankSpline::row(double value, Eigen::Ref<Eigen::RowVectorXd> out) const {
  out.setZero();
  const bool missing = std::isnan(value);
  if (has_missing()) out[out.size() - 1] = missing ? 1.0 : 0.0;
  if (constant()) return;
  if (stepped()) {
    if (missing) return;
    // Values between levels (cases may have some) count to the level below.
    const auto level = std::ranges::upper_bound(levels_, value) - levels_.begin();
    if (level > 1)
      out[static_cast<Eigen::Index>(
          std::min<std::ptrdiff_t>(level, static_cast<std::ptrdiff_t>(levels_.size())) - 2)] = 1.0;
    return;
  }
  const double u = missing ? 0.5 : rank(value);
  out[0] = u - 0.5;
  for (std::size_t j = 0; j < 2; ++j) {
    out[static_cast<Eigen::Index>(j) + 1] = curved(u, j) - curved(0.5, j);
  }
}

}  // namespace yieldloop::tracing

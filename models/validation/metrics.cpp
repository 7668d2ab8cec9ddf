#include "models/validation/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/stats/intervals.h"

namespace yieldloop::models {
namespace {

std::vector<std::size_t> rising(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return values[i]; });
  return order;
}

template <class Term>
double mean_of(std::size_t n, Term&& term) {
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) sum += term(i);
  return n == 0 ? 0.0 : sum / static_cast<double>(n);
}

double real(float value) { return static_cast<double>(value); }

}  // namespace

AucCounter::AucCounter(std::span<const double> scores, std::span<const float> labels)
    : order_(rising(scores)) {
  for (const std::size_t i : order_) {
    scores_.push_back(scores[i]);
    fails_.push_back(labels[i] > 0.5F);
  }
}

double AucCounter::operator()(std::span<const double> weights) const {
  const auto weight = [&](std::size_t k) { return weights.empty() ? 1.0 : weights[order_[k]]; };
  double passes_below = 0.0, fails = 0.0, wins = 0.0;
  for (std::size_t k = 0; k < scores_.size();) {
    double tied_passes = 0.0, tied_fails = 0.0;
    const double score = scores_[k];
    for (; k < scores_.size() && scores_[k] == score; ++k) {
      (fails_[k] ? tied_fails : tied_passes) += weight(k);
    }
    wins += tied_fails * (passes_below + tied_passes / 2.0);
    passes_below += tied_passes;
    fails += tied_fails;
  }
  if (!(fails > 0.0) || !(passes_below > 0.0)) return std::numeric_limits<double>::quiet_NaN();
  return wins / (fails * passes_below);
}

double auc(std::span<const double> scores, std::span<const float> labels,
           std::span<const double> weights) {
  return AucCounter(scores, labels)(weights);
}

double log_loss(std::span<const double> p, std::span<const float> y) {
  return mean_of(p.size(), [&](std::size_t i) {
    const double q = std::clamp(p[i], 1e-15, 1.0 - 1e-15);
    return -(real(y[i]) * std::log(q) + (1.0 - real(y[i])) * std::log(1.0 - q));
  });
}

double brier_score(std::span<const double> p, std::span<const float> y) {
  return mean_of(p.size(),
                 [&](std::size_t i) { return (p[i] - real(y[i])) * (p[i] - real(y[i])); });
}

double rmse(std::span<const double> p, std::span<const float> y) {
  return std::sqrt(brier_score(p, y));
}

double mean_absolute_error(std::span<const double> p, std::span<const float> y) {
  return mean_of(p.size(), [&](std::size_t i) { return std::abs(p[i] - real(y[i])); });
}

double r_squared(std::span<const double> p, std::span<const float> y, double training_mean) {
  const double total = mean_of(p.size(), [&](std::size_t i) {
    return (real(y[i]) - training_mean) * (real(y[i]) - training_mean);
  });
  if (!(total > 0.0)) return std::numeric_limits<double>::quiet_NaN();
  return 1.0 - brier_score(p, y) / total;
}

double correlation(std::span<const double> p, std::span<const float> y) {
  const double mp = mean_of(p.size(), [&](std::size_t i) { return p[i]; });
  const double my = mean_of(p.size(), [&](std::size_t i) { return real(y[i]); });
  const double pp = mean_of(p.size(), [&](std::size_t i) { return (p[i] - mp) * (p[i] - mp); });
  const double yy =
      mean_of(p.size(), [&](std::size_t i) { return (real(y[i]) - my) * (real(y[i]) - my); });
  const double py =
      mean_of(p.size(), [&](std::size_t i) { return (p[i] - mp) * (real(y[i]) - my); });
  return pp > 0.0 && yy > 0.0 ? py / std::sqrt(pp * yy) : 0.0;
}

std::vector<CalibrationBin> calibration(std::span<const double> p, std::span<const float> y,
                                        std::size_t bins) {
  const auto order = rising(p);
  std::vector<CalibrationBin> result;
  std::size_t k = 0;
  for (std::size_t b = 0; b < bins && k < order.size(); ++b) {
    const std::size_t end = (b + 1) * order.size() / bins;
    CalibrationBin bin;
    for (; k < order.size() && (k < end || (bin.n > 0 && p[order[k]] == p[order[k - 1]])); ++k) {
      ++bin.n;
      bin.predicted += p[order[k]];
      bin.observed += real(y[order[k]]);
    }
    if (bin.n == 0) continue;
    const auto n = static_cast<double>(bin.n);
    bin.observed_ci = stats::wilson_interval(bin.observed, n);
    bin.predicted /= n;
    bin.observed /= n;
    result.push_back(bin);
  }
  return result;
}

double expected_calibration_error(std::span<const CalibrationBin> bins) {
  double sum = 0.0, rows = 0.0;
  for (const CalibrationBin& bin : bins) {
    sum += static_cast<double>(bin.n) * std::abs(bin.predicted - bin.observed);
    rows += static_cast<double>(bin.n);
  }
  return rows > 0.0 ? sum / rows : 0.0;
}

}  // namespace yieldloop::models

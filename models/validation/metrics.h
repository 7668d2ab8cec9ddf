/// \file
/// How good predictions are, in figures with a closed form.
///
///   AUC       = P(score of a failing row > score of a passing one) + P(equal) / 2
///   log loss  = -mean(y ln p + (1 - y) ln(1 - p)),  p clamped to [1e-15, 1 - 1e-15]
///   Brier     = mean((p - y)^2)
///   ECE       = sum over bins of n_b / n * |mean p - mean y|
///   RMSE, MAE = root mean square, mean absolute error
///   R2        = 1 - sum (y - p)^2 / sum (y - c)^2,  c the mean of the *training* target, so
///               that 0 means "no better than what was known before"
///
/// Source: J. Hanley and B. McNeil, Radiology 143 (1982) 29 (AUC); G. Brier, Mon. Weather Rev. 78
/// (1950) 1; M. Naeini et al., AAAI 2015 (ECE).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/core/finding.h"

namespace yieldloop::models {

/// Labels are 0 or 1; weights count rows (empty: all 1). NaN when one class has no weight.
/// Cost: O(n log n).
double auc(std::span<const double> scores, std::span<const float> labels,
           std::span<const double> weights = {});

/// AUC for many weightings of the same scores; sorts once. Not thread-safe.
class AucCounter {
 public:
  AucCounter(std::span<const double> scores, std::span<const float> labels);
  /// Shape: weights is [n] or empty. Cost: O(n).
  double operator()(std::span<const double> weights) const;

 private:
  std::vector<std::size_t> order_;
  std::vector<double> scores_;  ///< Sorted.
  std::vector<bool> fails_;     ///< In the order of scores_.
};

double log_loss(std::span<const double> p, std::span<const float> y);
double brier_score(std::span<const double> p, std::span<const float> y);
double rmse(std::span<const double> p, std::span<const float> y);
double mean_absolute_error(std::span<const double> p, std::span<const float> y);
/// NaN when all y equal `training_mean`.
double r_squared(std::span<const double> p, std::span<const float> y, double training_mean);
/// Pearson's; 0 when either side is constant.
double correlation(std::span<const double> p, std::span<const float> y);

/// Rows whose prediction falls in one quantile bin.
struct CalibrationBin {
  std::size_t n = 0;
  double predicted = 0.0;  ///< Mean.
  double observed = 0.0;   ///< Mean.
  Interval observed_ci;    ///< Wilson.
  friend bool operator==(const CalibrationBin&, const CalibrationBin&) = default;
};

/// Bins of (nearly) equal counts, by rising prediction; equal predictions share a bin.
std::vector<CalibrationBin> calibration(std::span<const double> p, std::span<const float> y,
                                        std::size_t bins = 10);
double expected_calibration_error(std::span<const CalibrationBin> bins);

}  // namespace yieldloop::models

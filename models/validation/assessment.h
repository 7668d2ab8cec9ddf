/// \file
/// What a model is worth on lots it never saw, beside what is known without it.
///
/// Baselines: die fail - distance from the wafer centre alone (logistic in r and r^2) and the
/// training fail rate; wafer yield - the training mean. Intervals resample whole test lots.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/finding.h"
#include "engine/core/result.h"
#include "models/validation/metrics.h"
#include "models/validation/split.h"

namespace yieldloop::models {

struct Metric {
  std::string name;  ///< "auc", "log_loss", "brier", "ece"; "rmse", "r2", "mae".
  double value = 0.0;
  std::optional<Interval> ci;  ///< 95 %, by resampling test lots; absent with one test lot.
  friend bool operator==(const Metric&, const Metric&) = default;
};

struct BaselineResult {
  std::string name;  ///< "distance from centre", "training fail rate", "training mean".
  std::vector<Metric> metrics;
  friend bool operator==(const BaselineResult&, const BaselineResult&) = default;
};

/// Training with the target shuffled: a figure far from chance would prove a leak in the method.
struct ShuffledCheck {
  std::string metric;  ///< "auc" or "correlation".
  double value = 0.0;
  double tolerance = 0.0;  ///< Four standard errors of the figure under chance.
  bool passed = false;     ///< |value - chance| <= tolerance.
  friend bool operator==(const ShuffledCheck&, const ShuffledCheck&) = default;
};

struct Assessment {
  std::size_t test_rows = 0;
  std::size_t test_lots = 0;
  std::vector<Metric> metrics;            ///< The leading figure first: "auc" or "rmse".
  std::vector<BaselineResult> baselines;  ///< The strongest first.
  /// Leading figure, model against the first baseline, positive is better: AUC difference, or
  /// RMSE of the baseline minus RMSE of the model.
  Metric gain;
  bool better_than_baseline = false;        ///< The gain's interval lies above 0.
  std::vector<CalibrationBin> calibration;  ///< Die fail only.
  std::optional<ShuffledCheck> shuffled;
  std::string verdict;  ///< One honest sentence.
  friend bool operator==(const Assessment&, const Assessment&) = default;

  /// REQUIRES: metrics is not empty.
  const Metric& leading() const { return metrics.front(); }
};

struct AssessmentOptions {
  std::size_t bootstrap_draws = 200;  ///< In [0, 10000]; 0 gives no interval.
  std::uint64_t seed = 1;
};

/// Shape: predicted is [split.test.size()].
/// Errors: kNoData (VALD-0005) when all training or all test die pass, or all fail.
Result<Assessment> assess(const FeatureTable& table, const LotSplit& split,
                          const std::vector<double>& predicted, const AssessmentOptions& options);

/// Trains on a table whose target was shuffled over all rows, judges on its test rows.
/// Errors: as fit.
Result<ShuffledCheck> shuffled_check(const FeatureTable& table, const LotSplit& split,
                                     BoostOptions boost, Progress& progress);

}  // namespace yieldloop::models

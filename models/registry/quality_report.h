/// \file
/// What a model is worth, for people and for programs; and two models side by side.
#pragma once

#include <string>
#include <vector>

#include "engine/core/result.h"
#include "models/validation/training.h"

namespace yieldloop::models {

/// Plain text of some 40 lines: what it predicts, what it rests on, how it was judged, what it
/// relies on, its limits. Same model, same bytes.
std::string quality_report_text(const TrainedModel& model);

/// {"schema": "yieldloop.model_quality/1", ...}; the manifest's figures and the gate's verdict.
std::string quality_report_json(const TrainedModel& model);

struct MetricPair {
  std::string name;
  double first = 0.0;
  double second = 0.0;
  friend bool operator==(const MetricPair&, const MetricPair&) = default;
};

struct ModelComparison {
  std::vector<MetricPair> metrics;  ///< Metrics that both have.
  bool same_test = false;  ///< Judged on the same lots of the same table; else figures are apart.
  std::vector<std::string> only_first, only_second;  ///< Feature names.
  std::string statement;                             ///< One sentence.
  friend bool operator==(const ModelComparison&, const ModelComparison&) = default;
};

/// Errors: kInvalidOptions (MREG-0005) when product or target differ.
Result<ModelComparison> compare_models(const TrainedModel& first, const TrainedModel& second);

}  // namespace yieldloop::models

#include "models/registry/quality_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/core/text.h"
#include "engine/core/time.h"
#include "models/registry/manifest_json.h"
#include "models/registry/package.h"
#include "models/registry/registry.h"

namespace yieldloop::models {
namespace {

constexpr std::size_t kShown = 10;

std::string metric_line(const Metric& m) {
  const std::string value = fmt::format("  {:<10} {:9.4f}", m.name, m.value);
  if (!m.ci) return value + "\n";
  return fmt::format("{}   95 % interval {:.4f} to {:.4f}\n", value, m.ci->low, m.ci->high);
}

std::string judged(const Assessment& a) {
  std::string text =
      fmt::format("Judged on {} rows of {} lots it never saw\n", a.test_rows, a.test_lots);
  for (const Metric& m : a.metrics) text += metric_line(m);
  for (const BaselineResult& b : a.baselines) {
    text += fmt::format("Without a model, from {}\n", b.name);
    for (const Metric& m : b.metrics) text += metric_line(m);
  }
  if (a.shuffled) {
    text += fmt::format(
        "Trained on a shuffled target: {} {:.4f} ({})\n", a.shuffled->metric, a.shuffled->value,
        a.shuffled->passed ? "chance, as it must be" : "NOT chance: suspect a leak");
  }
  return text;
}

std::string reliance(const Manifest& m) {
  const std::string_view unit = m.target() == Target::kDieFail ? "log-odds" : "yield";
  std::string text = fmt::format("Relies on (mean absolute contribution, {})\n", unit);
  for (std::size_t i = 0; i < std::min(kShown, m.groups_ranked.size()); ++i) {
    text += fmt::format("  {:<40} {:.4f}\n", m.groups_ranked[i].name, m.groups_ranked[i].value);
  }
  text += "Strongest features\n";
  for (std::size_t i = 0; i < std::min(kShown, m.features_ranked.size()); ++i) {
    const Importance& f = m.features_ranked[i];
    text += fmt::format("  {:<40} {:.4f}\n", f.name, f.value);
    if (!f.twins.empty()) {
      text += fmt::format("    the data cannot tell it from: {}\n", join(f.twins, ", "));
    }
  }
  return text;
}

std::string calibration_table(const Assessment& a) {
  if (a.calibration.empty()) return {};
  std::string text = "Calibration\n  die     predicted  observed   95 % interval\n";
  for (const CalibrationBin& b : a.calibration) {
    text += fmt::format("  {:<7} {:9.4f} {:9.4f}   {:.4f} to {:.4f}\n", b.n, b.predicted,
                        b.observed, b.observed_ci.low, b.observed_ci.high);
  }
  return text;
}

std::string gate_text(const Assessment& a) {
  const Status gate = quality_gate(a);
  return gate ? "passed" : gate.error().message;
}

}  // namespace

std::string quality_report_text(const TrainedModel& model) {
  const Manifest& m = model.manifest;
  std::string text = fmt::format(
      "Model quality: {} of {}\n{}\n\n"
      "Data     {} rows of {} wafers, snapshot {}, table {}\n"
      "Newest   {}\n"
      "Lots     {} taught, {} chose the number of rounds and taught, {} judged; whole lots in time "
      "order\n"
      "Trees    {} rounds of depth {}, {}, seed {}\n"
      "Gate     {}\n\n",
      target_name(m.target()), m.product, m.assessment.verdict, m.rows, m.wafers, m.snapshot,
      m.data_hash.substr(0, 12), m.trained_at.known() ? to_iso8601(m.trained_at) : "unknown time",
      m.train_lots.size(), m.held_out_lots.size(), m.test_lots.size(), m.rounds_used, m.boost.depth,
      m.library, m.seed, gate_text(m.assessment));
  text += judged(m.assessment) + "\n" + calibration_table(m.assessment) + "\n" + reliance(m);
  if (!m.notes.empty()) text += "\nLeft out or sampled\n";
  for (const std::string& note : m.notes) text += "  " + note + "\n";
  text +=
      "\nLimits: contributions describe the model, not causes; findings with their own tests "
      "decide. "
      "The output is advice, not a safety function.\n";
  return text;
}

std::string quality_report_json(const TrainedModel& model) {
  const Manifest& m = model.manifest;
  nlohmann::json json = to_json(m);
  json["schema"] = "yieldloop.model_quality/1";
  json["gate"] = {{"passed", static_cast<bool>(quality_gate(m.assessment))},
                  {"statement", gate_text(m.assessment)}};
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<ModelComparison> compare_models(const TrainedModel& first, const TrainedModel& second) {
  const Manifest &a = first.manifest, &b = second.manifest;
  if (a.product != b.product || a.target() != b.target()) {
    return Error{
        Errc::kInvalidOptions, "MREG-0005",
        "Two models can be compared only when they predict the same target of one product."};
  }
  ModelComparison result;
  for (const Metric& m : a.assessment.metrics) {
    const auto other = std::ranges::find(b.assessment.metrics, m.name, &Metric::name);
    if (other != b.assessment.metrics.end())
      result.metrics.push_back({m.name, m.value, other->value});
  }
  result.same_test = a.test_lots == b.test_lots && a.assessment.test_rows == b.assessment.test_rows;
  const auto missing = [](const FeatureSchema& from, const FeatureSchema& in) {
    std::vector<std::string> names;
    for (const FeatureColumn& c : from.columns) {
      if (std::ranges::find(in.columns, c.name, &FeatureColumn::name) == in.columns.end()) {
        names.push_back(c.name);
      }
    }
    return names;
  };
  result.only_first = missing(a.features, b.features);
  result.only_second = missing(b.features, a.features);
  result.statement = fmt::format(
      "{} {:.4f} against {:.4f}{}", a.assessment.leading().name, a.assessment.leading().value,
      b.assessment.leading().value,
      result.same_test ? ", judged on the same lots."
                       : ", but judged on different lots, so the figures are not comparable.");
  return result;
}

}  // namespace yieldloop::models

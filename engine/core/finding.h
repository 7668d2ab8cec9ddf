/// \file
/// Findings and suggestions as values: what the analyses' results become and what every surface
/// (command line, report, service, desktop, exports) shows. The JSON contracts
/// yieldloop.findings/1 and yieldloop.suggestions/1 are written by engine/findings and
/// engine/feedback.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace yieldloop {

/// A 95 % interval.
struct Interval {
  double low = 0.0;
  double high = 0.0;
  friend bool operator==(const Interval&, const Interval&) = default;
};

/// One analysis behind a finding. `detail` holds named numbers worth showing.
struct Evidence {
  std::string analysis;  ///< "commonality", "reticle_repeater", "case_control", ...
  std::string test;      ///< "Cochran-Mantel-Haenszel by lot", ...
  std::vector<std::int64_t> n;
  double p_value = 1.0;
  std::map<std::string, double> detail;
  friend bool operator==(const Evidence&, const Evidence&) = default;
};

/// Where a layout finding occurs: layout coordinates of the top cell.
struct LayoutLocation {
  std::string layer;
  double x_um = 0.0, y_um = 0.0, w_um = 0.0, h_um = 0.0;
  friend bool operator==(const LayoutLocation&, const LayoutLocation&) = default;
};

struct Finding {
  int rank = 0;
  std::string id;    ///< "f-" and 12 hex digits of the hash of kind and subject.
  std::string kind;  ///< One of finding_kinds().
  std::map<std::string, std::string> subject;  ///< "step", "tool", "chamber", "layer", ...
  std::string statement;                       ///< One sentence a person can act on.
  double die_per_wafer = 0.0;                  ///< Mean change of good die on wafers that met it.
  Interval die_per_wafer_ci;
  double loss_die_total = 0.0;  ///< >= 0, summed over the scope.
  double q_value = 1.0;
  double confidence = 0.0;
  std::vector<Evidence> evidence;
  std::vector<std::map<std::string, std::string>> confounded_with;
  std::vector<std::string> wafers;  ///< "L012/W03".

  // Layout findings only.
  std::vector<LayoutLocation> locations;
  std::int64_t locations_total = 0;
  std::optional<double> rate_per_opportunity;
  Interval rate_per_opportunity_ci;
  std::optional<double> rate_ratio;
  Interval rate_ratio_ci;
  double attributable_defects = 0.0;
  friend bool operator==(const Finding&, const Finding&) = default;
};

/// Causes the data cannot tell apart.
struct Undecided {
  std::vector<std::map<std::string, std::string>> candidates;
  std::string why;
  std::string deciding_experiment;
  friend bool operator==(const Undecided&, const Undecided&) = default;
};

struct Suggestion {
  int rank = 0;
  std::string id;      ///< "s-" and 12 hex digits.
  std::string side;    ///< "design", "process" or "test".
  std::string action;  ///< One of suggestion_actions().
  std::map<std::string, std::string> subject;
  std::vector<std::string> because;  ///< Finding ids.
  std::string statement;             ///< One sentence.
  double good_die_per_wafer = 0.0;   ///< Mean over all wafers of the scope.
  Interval good_die_per_wafer_ci;
  std::optional<double> money_per_week;
  std::string cost_kind;  ///< "mask_layers", "tool_time", "none", ...
  std::vector<std::string> cost_layers;
  std::optional<double> cost_money;
  double cost_area_um2 = 0.0;
  double confidence = 0.0;
  std::map<std::string, double> side_effects;  ///< Change of lambda: "opens", "vias", "net_lambda".
  std::string disproved_by;
  std::vector<std::string> alternatives;
  std::string edits;        ///< Path of an edit file, when one was written.
  std::string edits_words;  ///< "401 of 404 places edited; ...", when edits were drawn.
  std::string markers;      ///< Path of a marker file, when one was written.
  std::vector<LayoutLocation> locations;
  friend bool operator==(const Suggestion&, const Suggestion&) = default;
};

struct Baseline {
  double yield = 0.0;
  Interval yield_ci;
  std::int64_t die = 0;
  friend bool operator==(const Baseline&, const Baseline&) = default;
};

struct AlarmBudget {
  double expected_false_findings = 0.0;
  std::optional<double> measured_on_shuffled;
  friend bool operator==(const AlarmBudget&, const AlarmBudget&) = default;
};

/// Everything `yieldloop findings` says about a scope.
struct FindingsDocument {
  std::string product;
  std::int64_t wafers = 0;
  std::int64_t lots = 0;
  Baseline baseline;
  std::vector<Finding> findings;
  std::vector<Undecided> undecided;
  AlarmBudget alarm_budget;
  std::vector<std::string> caveats;  ///< Data-quality sentences.
  friend bool operator==(const FindingsDocument&, const FindingsDocument&) = default;
};

}  // namespace yieldloop

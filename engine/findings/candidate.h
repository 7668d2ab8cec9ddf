/// \file
/// A finding in the making: the finding and what merging and ranking need to know of it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/finding.h"

namespace yieldloop::findings {

struct Candidate {
  Finding finding;
  std::vector<WaferId> wafers;  ///< That met the subject, sorted.
  std::string family;           ///< Of the q-value, e.g. "commonality of yield".
};

/// What one family of analyses contributes.
struct FamilyResult {
  std::vector<Candidate> candidates;
  std::vector<Undecided> undecided;
  std::vector<std::string> caveats;
  double expected_false = 0.0;  ///< False findings expected of this family where nothing is wrong.
  std::optional<double> measured_false;  ///< Share of shuffled copies with a finding.
};

/// "f-" and 12 hex digits of the SHA-256 of kind and subject, times left out: the same cause has
/// the same id from night to night while its onset estimate moves.
std::string finding_id(const std::string& kind, const std::map<std::string, std::string>& subject);

/// "L012/W03" of each.
std::vector<std::string> wafer_labels(const FabData& data, const std::vector<WaferId>& wafers);

/// "6.1 die per wafer (95 % interval 4.8 to 7.4)" of a loss.
std::string loss_text(double die_per_wafer, const Interval& interval);

/// "14 March 2026".
std::string day_text(UtcMicros time);

}  // namespace yieldloop::findings

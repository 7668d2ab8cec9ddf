/// \file
/// Which actions answer which kind of finding, best first, and how they are put in words.
#pragma once

#include <string>
#include <vector>

#include "engine/core/finding.h"
#include "engine/core/product.h"

namespace yieldloop::feedback {

/// One answer to a finding. `certainty` scales the finding's confidence: below 1 where the
/// action may leave the cause in place (a closer look instead of a repair).
struct ActionChoice {
  std::string side;
  std::string action;
  double certainty = 1.0;
  friend bool operator==(const ActionChoice&, const ActionChoice&) = default;
};

/// Best first, never empty for a kind of the findings contract.
std::vector<ActionChoice> actions_for(const Finding& finding);

/// The fields of the finding's subject that name what the action acts on.
std::map<std::string, std::string> action_subject(const std::string& action,
                                                  const Finding& finding);

/// The masks an action needs anew; empty for what needs none.
std::vector<std::string> masks_for(const std::string& action, const Finding& finding,
                                   const Product& product);

/// "mask_layers", "reticle", "tool_time", "cycle_time", "inspection_time", "test_time", "none".
std::string cost_kind(const std::string& action);

/// One sentence in plain words; `gain` in good die per wafer.
std::string action_statement(const std::string& action, const Finding& finding, double gain);

/// A measurement that would show the suggestion to be wrong.
std::string disproof(const std::string& action, const Finding& finding);

}  // namespace yieldloop::feedback

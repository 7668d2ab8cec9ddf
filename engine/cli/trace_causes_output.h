/// \file
/// What `yieldloop trace` says beyond patterns, vias and features: continuous causes, interactions
/// of layout and process, electrical fails of blocks, kill ratios.
#pragma once

#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/defects/kill_ratio.h"
#include "engine/findings/electrical_causes.h"
#include "engine/findings/interaction_causes.h"
#include "engine/findings/regression_causes.h"
#include "engine/session/analysis.h"

namespace yieldloop::cli {

/// Which of them are wanted; none named means all.
struct CauseSections {
  bool regression = false;
  bool interactions = false;
  bool electrical = false;
  bool all() const { return !regression && !interactions && !electrical; }
};

struct TraceCauses {
  bool has_regression = false, has_electrical = false, has_kill = false;
  findings::RegressionTrace regression;
  tracing::ElectricalTrace electrical;
  std::vector<findings::Candidate> candidates;  ///< Of all sections.
  std::vector<Undecided> undecided;
  defects::KillOverlay kill;
  std::vector<std::string> caveats;
};

/// Errors: kCancelled (FIND-0003); what has no data is a caveat.
Result<TraceCauses> trace_causes(const session::Analysis& analysis, const layout::FlatView& view,
                                 const findings::LayoutTrace& trace,
                                 const findings::LayoutCauseOptions& options,
                                 const CauseSections& sections, Progress& progress);

/// Members "regression", "electrical", "kill_ratios" and "undecided" as one JSON object.
std::string causes_json(const TraceCauses& causes);
std::string causes_text(const TraceCauses& causes);

}  // namespace yieldloop::cli

/// \file
/// Everything the window shows of one scope, ready to be drawn and never changed again.
///
/// Counts and yields come from engine/yield and engine/core; nothing is computed here that an
/// analysis already says.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/core/die_outcomes.h"
#include "engine/core/file_system.h"
#include "engine/core/progress.h"
#include "engine/layout/flat_view.h"
#include "engine/session/analysis.h"
#include "engine/tracing/frame.h"
#include "engine/yield/yield_summary.h"
#include "gui/viewmodel/selection_model.h"

namespace yieldloop::viewmodel {

struct OpenedFab {
  session::Analysis analysis;
  std::string run;  ///< Of the saved run that is shown; empty when it was analysed on opening.
  std::optional<yield::YieldSummary> yields;  ///< None when no die was tested.
  std::vector<DieOutcome> outcomes;           ///< Final results, by wafer.
  std::vector<std::size_t> first_outcome;     ///< Shape: [wafers + 1], into outcomes.
  std::vector<std::size_t> yield_row;  ///< Shape: [wafers], into yields->wafers; npos: not tested.
  std::optional<layout::FlatView> view;
  std::optional<tracing::Frame> frame;
  std::string no_layout;  ///< Why there is no layout, or why defects cannot be put on it.
  std::map<std::string, WaferId> wafer_of;  ///< By label.

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  const FabData& data() const { return analysis.fab.data; }
  std::span<const DieOutcome> outcomes_of(WaferId wafer) const;
  const yield::WaferYield* yield_of(WaferId wafer) const;
  /// nullptr when there is no such finding.
  const Finding* finding(const std::string& id) const;
  /// The suggestions that answer a finding, by rank.
  std::vector<const Suggestion*> suggestions_for(const std::string& finding) const;
  KnownNames known_names() const;
};

using FabPointer = std::shared_ptr<const OpenedFab>;

/// REQUIRES: retests are resolved (session::load_fab does it).
FabPointer prepare(session::Analysis analysis, std::string run);

/// Opens a store for reading and shows its newest saved run, or analyses when none was saved.
/// Errors: those of the store, the session and the analyses; kCancelled.
Result<FabPointer> open_fab(FileSystem& files, const fs::path& store, const std::string& product,
                            Progress& progress);

/// The wafers, dies and defects that belong to a finding. Dies: those of the reticle field place or
/// the tester site it names. Defects: those within `kNearUm` of its locations, at inspections that
/// see the location's layer.
struct FindingParts {
  std::set<std::string> wafers;
  std::set<DieKey> dies;
  std::set<DefectKey> defects;
};
inline constexpr double kNearUm = 1.0;
FindingParts parts_of(const OpenedFab& fab, const Finding& finding);

/// Where a defect lies in the layout; nothing without a frame.
std::optional<tracing::PointUm> layout_place(const OpenedFab& fab, const Defect& defect);

/// "demo28 › 12 lots › 144 wafers › 52,340 die › final result of each die".
std::string scope_text(const OpenedFab& fab);

}  // namespace yieldloop::viewmodel

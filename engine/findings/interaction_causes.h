/// \file
/// Design x process: a traced piece of layout that fails more on the wafers that met a tool,
/// chamber, recipe, reticle, slot, wait, time, dose, CD or sensor value. Both sides are named, and
/// what mending each of them alone would bring.
///
/// The defects at the traced places of each inspected wafer (Anscombe's root of the count) are the
/// response of commonality (engine/process) and of the sensor correlations; each traced piece gets
/// an equal part of the error budget. What is accused there must hold as a ratio of rates, and
/// beyond what the wafers' other defects do (tracing/interaction.h).
///
///   design alone    the traced piece's whole loss
///   process alone   loss * excess on the exposed wafers / defects attributed to the piece
///
/// Source: F. J. Anscombe, Biometrika 35 (1948) 246; those of the analyses named.
#pragma once

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/findings/candidate.h"
#include "engine/findings/layout_causes.h"
#include "engine/findings/regression_causes.h"
#include "engine/layout/flat_view.h"
#include "engine/tracing/interaction.h"

namespace yieldloop::findings {

struct InteractionOptions {
  double alpha = 0.05;
  double min_rate_ratio = 1.5;  ///< Smaller ones are no finding, however certain.
  /// With fewer that met it and no cause before it, a few bad wafers pass for a process.
  std::int64_t least_wafers = 6;
  std::size_t most_sides = 12;  ///< Traced pieces asked, in the order they were found.
};

/// A piece of layout that was traced, for asking it about wafers.
struct LayoutSide {
  std::string kind;  ///< "layout_pattern", "via", "layout_feature".
  std::string step;  ///< Of the inspection.
  std::map<std::string, std::string> subject;
  std::string words;
  std::vector<tracing::RectUm> places;
  std::vector<LayoutLocation> locations;  ///< Of these some, to show.
  std::int64_t locations_total = 0;
  double reach_um = 0.0;
  /// Positions in FabData::defects at the places, sorted; used when there is no place.
  std::vector<std::size_t> defects;
  double attributable = 0.0;
  tracing::DieLink die;
  std::vector<StepRegistration> registrations;  ///< Of the trace.
};

/// Patterns and vias of a trace, and features of a regression, that were found.
std::vector<LayoutSide> traced_sides(const LayoutTrace& trace, const RegressionTrace* regression,
                                     double alpha);

/// Errors: kCancelled (FIND-0003); those of located_defects.
Result<FamilyResult> interaction_causes(const FabData& data, const layout::FlatView& view,
                                        std::vector<LayoutSide> sides,
                                        const InteractionOptions& options, Progress& progress);

/// Takes out of `candidates` the layout and process findings that an interaction among them
/// explains, and keeps their evidence with it.
void absorb_parts(std::vector<Candidate>& candidates);

}  // namespace yieldloop::findings

/// \file
/// Layout patterns, vias and features that draw defects, as finding candidates.
///
/// Each inspection step is asked about the layers that product.toml says it sees, and about the
/// vias below a metal it sees. The frame of every inspection tool is registered first. Clustered
/// defects (scratches, spills) are left out. Patterns are asked first, vias next; the defects they
/// explain are set aside before general features are asked, and one place of the die counts at most
/// three times there, so that neither a hotspot nor a repeater makes whatever surrounds it look
/// guilty.
#pragma once

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/findings/candidate.h"
#include "engine/findings/trace_registration.h"
#include "engine/layout/flat_view.h"
#include "engine/tracing/case_control.h"
#include "engine/tracing/pattern.h"
#include "engine/tracing/via_trace.h"

namespace yieldloop::findings {

struct LayoutCauseOptions {
  double alpha = 0.05;
  std::uint64_t seed = 1;
  double blur_um = 1.0;         ///< Defect position error that features are asked with.
  double min_rate_ratio = 1.5;  ///< Features below it are no finding, however certain.
  std::string step;             ///< Only this inspection step; empty: all.
  std::string layer;            ///< Only this layer; empty: all that a step sees.
};

/// What tracing found, for `yieldloop trace` and for the candidates.
struct LayoutTrace {
  std::vector<tracing::TracedPattern> patterns;
  std::vector<tracing::ViaTrace> vias;          ///< All that were asked, with `q` in via_q.
  std::vector<double> via_q;                    ///< Benjamini-Hochberg over `vias`.
  std::vector<tracing::FeatureRate> features;   ///< All that were asked, smallest p first.
  std::vector<StepRegistration> registrations;  ///< Of every tool and step.
  std::vector<std::string> caveats;
  std::int64_t defects = 0;    ///< Traced.
  std::int64_t clustered = 0;  ///< Left out as clusters.
  std::int64_t outside = 0;    ///< Off the layout or off the inspected die.
};

/// Errors: kNoData (FIND-0004) when no step and layer can be traced (the sentence says why);
/// kNotFound (FIND-0005) for an unknown step or layer; kCancelled (FIND-0003); tracing::Frame's.
Result<LayoutTrace> trace_layout(const FabData& data, const layout::FlatView& view,
                                 const LayoutCauseOptions& options, Progress& progress);

FamilyResult layout_causes(const FabData& data, const layout::FlatView& view,
                           const LayoutTrace& trace, const LayoutCauseOptions& options);

}  // namespace yieldloop::findings

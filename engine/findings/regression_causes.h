/// \file
/// Continuous causes on a layer: density, its gradient, border, width, space and their like, as
/// finding candidates of kind layout_feature.
///
/// Each inspection step is asked about each metal it sees (tracing/layout_regression.h) by one
/// case-control table: its defects, without clusters and without what traced patterns and vias
/// explain, at most three of any one place of the die; and points drawn uniformly over the same
/// area on the inspected die. The radius of the die on the wafer is a column too: it is adjusted
/// for, and is no finding about the layout. Columns that differ in their radius only are one
/// feature; the first accepted speaks for it. Steps and layers share the error budget.
///
/// Boosted trees look at the same table (boosted_view.h); where they generalise, their share of
/// credit is evidence with the finding.
#pragma once

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/findings/boosted_view.h"
#include "engine/findings/candidate.h"
#include "engine/findings/layout_causes.h"
#include "engine/layout/flat_view.h"
#include "engine/tracing/layout_regression.h"

namespace yieldloop::findings {

struct RegressionCauseOptions {
  double alpha = 0.05;
  std::uint64_t seed = 1;
  double min_rate_ratio = 1.3;  ///< Highest over lowest rate; smaller is no finding.
  std::size_t most_cases = 20'000;
  std::size_t controls_per_case = 8;  ///< At least 5,000, at most 40,000 controls.
  bool boosted_always = false;  ///< Trees are asked also where the regression accepts nothing.
  std::string step;             ///< Only this inspection step; empty: all.
  std::string layer;            ///< Only this layer; empty: all that a step sees.
};

struct RegressionCause {
  std::size_t column = 0;  ///< In the regression.
  std::map<std::string, std::string> subject;
  std::string words;
  std::vector<std::size_t> hot_defects;  ///< In FabData, sorted: in the quarter of highest rate.
  double attributable = 0.0;             ///< Defects beyond the rate of the best tenth.
  tracing::DieLink die;
};

struct RegressionLayer {
  std::string step, layer;
  tracing::RegressionResult regression;
  BoostedView boosted;
  bool boosted_asked = false;
  std::vector<RegressionCause> causes;  ///< Of the accepted columns, those that are findings.
};

struct RegressionTrace {
  std::vector<RegressionLayer> layers;
  std::vector<std::string> caveats;
};

/// `trace` may be null: then nothing is set aside. Errors: kCancelled (FIND-0003); those of the
/// frame. Steps and layers that cannot be asked are caveats.
Result<RegressionTrace> trace_regression(const FabData& data, const layout::FlatView& view,
                                         const LayoutTrace* trace,
                                         const RegressionCauseOptions& options, Progress& progress);

FamilyResult regression_causes(const RegressionTrace& trace, const RegressionCauseOptions& options);

/// Takes out yes-or-no features of tiles (dense, sparse, much border, nothing drawn) on a step and
/// layer where a continuous cause was found, of all defects or of one class: they are coarse views
/// of it.
void absorb_tile_features(std::vector<Candidate>& candidates);

}  // namespace yieldloop::findings

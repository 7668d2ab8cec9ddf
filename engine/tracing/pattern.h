/// \file
/// Which local pattern of a layer draws defects: rate per opportunity, not counts.
///
/// A defect's position is wrong by micrometres where features are nanometres, so the pattern
/// under a defect is not seen; what is seen is a mixture. Every class of the census is tested by
/// the likelihood ratio of that mixture (blur_scan.h) against a background that follows density
/// and region (blur_background.h). The position error sigma is tried at several widths, the one
/// under which a class explains most is kept and then estimated by profile likelihood, for each
/// tool that has enough of the defects. The family of the Benjamini-Hochberg correction is every
/// listed class times every width, defects or none.
///
/// The class with the largest statistic is taken up first; which of its places, or of a wider
/// class's, really share its rate is decided by likelihood (blur_places.h). Background and classes
/// are fitted together (blur_fit.h), the places near those taken up are set aside, so that echoes
/// in the neighbourhood are not reported as patterns of their own, and the rest is tested
/// again. At the end each class must still be worth its term in the joint fit.
///
///   rate per opportunity = r / inspected die, r from the joint fit
///
/// Units: um, um^2.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/tracing/die_link.h"
#include "engine/tracing/exposure.h"
#include "engine/tracing/pattern_census.h"
#include "engine/tracing/strata.h"

namespace yieldloop::tracing {

struct PatternOptions {
  double q_limit = 0.05;
  /// Position errors tried, per axis; the one that explains most is then refined.
  std::vector<double> sigmas_um = {0.08, 0.14, 0.25, 0.45, 0.8, 1.4};
  std::int64_t min_defects = 5;  ///< Of the class, no place counted above its cap.
  /// Defects that the width is chosen with, at most; evenly drawn from all.
  std::size_t width_defects = 20'000;
  std::size_t most_patterns = 10;
  std::size_t most_locations = 10'000;
};

struct TracedPattern {
  std::string layer;
  std::string step;
  std::string pattern_id;
  GapKind kind = GapKind::kSide;
  double space_um = 0.0;
  double radius_um = 0.0;
  double facing_length_um = 0.0;  ///< Mean over the places.
  std::int64_t occurrences = 0;
  double reach_um = 0.0;           ///< Of the zone: 2.5 position errors about the gap.
  double position_sigma_um = 0.0;  ///< Position error per axis, by profile likelihood.
  double position_sigma_se_um = 0.0;
  std::int64_t defects = 0;  ///< In the zone.
  double expected = 0.0;     ///< Of these, by background.
  double rate_ratio = 0.0;
  Interval rate_ratio_ci{0.0, 0.0};
  double attributable = 0.0;
  Interval attributable_ci{0.0, 0.0};
  double rate_per_opportunity = 0.0;
  Interval rate_per_opportunity_ci{0.0, 0.0};
  double statistic = 0.0;     ///< Likelihood ratio 2 (l1 - l0), safeguarded (blur_scan.h).
  double local_factor = 1.0;  ///< Background of the class's tiles over that of the model.
  double p_value = 1.0;       ///< Times the number of widths tried.
  double q_value = 1.0;
  double dispersion = 1.0;  ///< Of its counts over wafers, or lots where these differ more.
  std::vector<std::string> members;  ///< Classes whose places it is made of, when not one.
  std::string main_defect_class;     ///< The most frequent in the zone; may be empty.
  double main_defect_class_share = 0.0;
  DieLink die;
  std::vector<RectUm> places;             ///< The places' gaps, all of them.
  std::vector<LayoutLocation> locations;  ///< Of these at most most_locations.
  friend bool operator==(const TracedPattern&, const TracedPattern&) = default;
};

struct PatternResult {
  std::vector<TracedPattern> patterns;  ///< In the order they explain.
  std::int64_t tests = 0;               ///< Size of the family.
  std::int64_t classes = 0;
  std::int64_t anchors = 0;
  std::int64_t defects = 0;
  double unexplained = 0.0;  ///< Defects left after the patterns' attributable ones.
  double sigma_um = 0.0;     ///< Position error used; 0 when no pattern tells it.
  friend bool operator==(const PatternResult&, const PatternResult&) = default;
};

/// Errors: kInvalidOptions (BLUR-0001) for position errors that are not positive.
Result<PatternResult> trace_patterns(const FabData& data, const StepExposure& exposure,
                                     const std::string& layer, const PatternCensus& census,
                                     const DensityStrata& strata,
                                     const PatternOptions& options = {});

}  // namespace yieldloop::tracing

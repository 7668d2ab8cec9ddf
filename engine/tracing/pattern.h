/// \file
/// Which local pattern of a layer draws defects: rate per opportunity, not counts.
///
/// A defect's position is wrong by micrometres where features are nanometres, so a defect near
/// several patterns belongs to none of them for certain. Every class of the census is therefore
/// tested by its zone, the union of its places grown by a reach, against the rate of the rest
/// of the inspected area within strata of equal density (zone_rate.h), at each reach. The family
/// of the Benjamini-Hochberg correction is every listed class times every reach, defects or
/// none. The class with the largest likelihood ratio explains first; what lies within the
/// largest reach of its places is then set aside, defects and area, and the rest is tested
/// again, so that echoes of one pattern in its neighbours are not reported as patterns of their
/// own. Among classes that explain nearly as much (`rival_share`) the one whose places lie
/// nearest to the defects is taken.
///
///   rate per opportunity = attributable defects / (occurrences * inspected die)
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
  /// How far from its place a defect may be reported: a few times the position error. The
  /// reach that explains most is taken.
  std::vector<double> reaches_um = {0.5, 1.0, 2.0};
  std::int64_t min_defects = 5;  ///< In the zone, without its most-hit place.
  double rival_share = 0.85;
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
  double reach_um = 0.0;
  double position_sigma_um = 0.0;  ///< Spread of the defects about their places, per axis.
  std::int64_t defects = 0;        ///< In the zone.
  double expected = 0.0;           ///< Of these, by background.
  double rate_ratio = 0.0;
  Interval rate_ratio_ci{0.0, 0.0};
  double attributable = 0.0;
  Interval attributable_ci{0.0, 0.0};
  double rate_per_opportunity = 0.0;
  Interval rate_per_opportunity_ci{0.0, 0.0};
  double p_value = 1.0;
  double q_value = 1.0;
  double dispersion = 1.0;        ///< Of the zone's counts over wafers.
  std::string main_defect_class;  ///< The most frequent in the zone; may be empty.
  double main_defect_class_share = 0.0;
  DieLink die;
  std::vector<LayoutLocation> locations;  ///< The places' gaps; at most most_locations.
  friend bool operator==(const TracedPattern&, const TracedPattern&) = default;
};

struct PatternResult {
  std::vector<TracedPattern> patterns;  ///< In the order they explain.
  std::int64_t tests = 0;               ///< Size of the family.
  std::int64_t classes = 0;
  std::int64_t anchors = 0;
  std::int64_t defects = 0;
  double unexplained = 0.0;  ///< Defects left after the patterns' attributable ones.
  friend bool operator==(const PatternResult&, const PatternResult&) = default;
};

/// Errors: kInvalidOptions (PATT-0001) for reaches that are not positive.
Result<PatternResult> trace_patterns(const FabData& data, const StepExposure& exposure,
                                     const std::string& layer, const PatternCensus& census,
                                     const DensityStrata& strata,
                                     const PatternOptions& options = {});

}  // namespace yieldloop::tracing

/// \file
/// Every close place of a layer, sorted into classes of equal surroundings.
///
/// The clip of an anchor is what the layer draws within a square of half side `radius` around
/// it. Two clips are one class when one is the other turned or mirrored (8 orientations);
/// equality is exact, in half database units. Canonical form and ids are those of
/// engine/layout/pattern_clip.h, so that a pattern has one name here and in the pattern library.
/// Classes are made at several radii and once without surroundings (kind and space only), because
/// nothing says beforehand how much of the surroundings matters: the tests decide.
///
/// Units: um where a name says so, else database units.
/// Source: the exact mode of ICCAD-2016 contest problem C, "Pattern classification for
/// integrated circuit design space analysis"; the canonical form is our own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/tracing/candidates.h"

namespace yieldloop::tracing {

struct CensusOptions {
  double min_space_um = 0.0;  ///< 0: the smallest space found within `search_um`.
  double search_um = 1.0;
  double space_factor = 2.0;         ///< Spaces up to this many smallest spaces are places.
  std::vector<double> radii_um;      ///< Of the clips; empty: 2.5 and 5 smallest spaces.
  std::int64_t min_occurrences = 5;  ///< Rarer classes are not listed.
};

struct PatternClass {
  std::string id;          ///< "p-" and 10 hex digits.
  double radius_um = 0.0;  ///< 0: by kind and space only.
  GapKind kind = GapKind::kSide;
  double space_um = 0.0;               ///< Of its first anchor; clips may hold a second place.
  std::vector<std::uint32_t> anchors;  ///< Ascending, into PatternCensus::anchors.
  friend bool operator==(const PatternClass&, const PatternClass&) = default;
};

struct PatternCensus {
  double dbu_um = 0.001;
  double min_space_um = 0.0;
  std::vector<double> radii_um;
  std::vector<Anchor> anchors;
  std::vector<PatternClass> classes;  ///< By radius, then id.
  std::int64_t rare = 0;              ///< Classes below min_occurrences.
};

/// Errors: kNoData (PATC-0001) when nothing on the layer comes close to anything;
/// kInvalidOptions (PATC-0002, PATC-0003: radii); those of layout::census_spaces.
/// Cost: one window query for each anchor and radius; each distinct clip is turned once.
Result<PatternCensus> census_patterns(const layout::FlatView& view, layout::LayerIndex layer,
                                      const geometry::Box& window, const CensusOptions& options,
                                      Progress& progress);

/// The canonical text of the clip of `layer` around `twice` (half database units); equal texts
/// mean equal clips up to orientation.
std::string canonical_clip(const layout::FlatView& view, layout::LayerIndex layer,
                           geometry::Point twice, geometry::Coord radius);

}  // namespace yieldloop::tracing

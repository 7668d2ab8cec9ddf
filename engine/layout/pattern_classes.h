/// \file
/// The pattern census: every place of a layout sorted into classes of equal surroundings, and how
/// often each class stands on the chip.
///
/// A rate of failures needs the number of opportunities: all places of a pattern count, not only
/// those where something failed. Two places are one class when one clip is the other turned or
/// mirrored (pattern_clip.h); equality is exact.
///
/// What a cell draws is worked on once when it is placed several times: its places are counted in
/// parts, and a part counts once more for each placement that nothing else reaches into. Only the
/// rest is looked at place by place. The result is that of the flattened layout; it depends
/// neither on the hierarchy, the tiles nor the threads.
///
/// Units: database units. Cost: proportional to what is drawn, each repeated cell once; memory
/// for each class its clip, for the places of repeated cells a few bytes each.
/// Source: see pattern_clip.h; the hierarchical counting is our own.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/layout/pattern_clip.h"
#include "engine/layout/pattern_points.h"

namespace yieldloop::layout {

struct ClipCensusOptions {
  PatternSpec spec;
  std::optional<Box> window;          ///< Places inside, border included; all when empty.
  std::uint64_t min_occurrences = 1;  ///< Rarer classes are counted but not listed.
  bool reuse = true;                  ///< Performance only.
  Coord tile = 0;                     ///< Side of a tile, performance only; 0: chosen.
};

struct ClipClass {
  std::string id;          ///< pattern_id().
  ClipWords words;         ///< Canonical.
  PointKindSet kinds = 0;  ///< Of all its places together.
  std::uint64_t occurrences = 0;
  friend bool operator==(const ClipClass&, const ClipClass&) = default;
};

struct ClipCensus {
  PatternSpec spec;                                  ///< As used.
  std::vector<ClipClass> classes;                    ///< Most frequent first, then by id.
  std::uint64_t rare_classes = 0;                    ///< Not listed.
  std::uint64_t places = 0;                          ///< All, listed or not.
  std::array<std::uint64_t, kPointKinds> by_kind{};  ///< A place of two kinds counts in both.
  std::uint64_t looked_at = 0;  ///< Places worked on one by one; the others were reused.
};

/// Errors: those of check(PatternSpec); kInvalidOptions PATT-0004 (tile); kCancelled LAYO-0007.
/// A layer that draws nothing gives an empty census.
Result<ClipCensus> census_clips(const FlatView& view, const ClipCensusOptions& options,
                                Progress& progress);

struct PatternPlace {
  std::uint32_t pattern = 0;  ///< Position in what was asked for.
  PatternPoint point;
  friend auto operator<=>(const PatternPlace&, const PatternPlace&) = default;
};

struct PatternPlaces {
  std::vector<PatternPlace> places;   ///< Ascending; of each pattern the first `most`.
  std::vector<std::uint64_t> counts;  ///< All, listed or not. Shape: [patterns].
};

/// Where patterns stand whose canonical words are given. Errors: as census_clips.
Result<PatternPlaces> find_patterns(const FlatView& view, const PatternSpec& spec,
                                    std::span<const ClipWords> patterns,
                                    const std::optional<Box>& window, std::size_t most,
                                    Progress& progress);

/// Classes of given places.
struct PlaceClasses {
  std::vector<std::uint32_t> class_of;  ///< Shape: [places]; positions in `classes`.
  std::vector<ClipWords> classes;       ///< Canonical words, ascending.
};
/// REQUIRES: radius in [1, kMaxClipRadius]. Errors: kCancelled LAYO-0007.
Result<PlaceClasses> classify_places(const FlatView& view, std::span<const LayerIndex> layers,
                                     Coord radius, std::span<const Point> twice,
                                     Progress& progress);

}  // namespace yieldloop::layout

/// \file
/// Places where a layer is narrower, or its pieces are nearer, than a rule allows.
///
/// Metric: Euclidean. Two parallel edges of the union whose insides face each other (width, of one
/// piece) or whose outsides face each other (space, of one piece or two) violate a rule when the
/// distance between them is strictly below it, corner to corner included; edges in line with each
/// other do so only where two pieces meet in a corner. A pair is left out when one other edge
/// crosses both lines that join the ends of the two parts that are too near. Each pair of whole
/// edges counts once. These are the counts of KLayout's width_check and space_check with default
/// options on layouts whose edges are parallel to the axes; oblique edges are not checked, but
/// `oblique` says how many there are.
/// The layer is worked through in tiles, and edges that leave a tile are followed to their ends;
/// the result depends neither on the tiles nor on the number of threads. Pieces that are joined
/// only farther than four times the rule from an edge are taken as different.
/// Units: database units.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/layout/flat_view.h"

namespace yieldloop::layout {

struct RuleCheckOptions {
  Coord width = 0;            ///< Widths below this are reported; 0 does not check any.
  Coord space = 0;            ///< Spaces below this are reported; 0 does not check any.
  std::optional<Box> window;  ///< Where pairs begin; the view's box when empty.
  Coord tile = 50000;         ///< Side of a tile; performance only.
  /// More violations than this of each rule are counted but not listed.
  std::size_t listed = 1000000;
};

/// The part of an edge that is nearer to its partner than the rule, rounded to database units.
struct EdgePart {
  Coord at = 0;  ///< Its place across: x of an upright edge.
  Coord low = 0;
  Coord high = 0;
  friend auto operator<=>(const EdgePart&, const EdgePart&) = default;
};

struct RuleViolation {
  EdgePart first;  ///< The edge at the smaller `at`.
  EdgePart second;
  bool upright = false;  ///< The edges are vertical.
  double distance = 0.0;
  friend auto operator<=>(const RuleViolation&, const RuleViolation&) = default;
};

struct RuleViolations {
  std::vector<RuleViolation> listed;  ///< Ascending.
  std::uint64_t count = 0;            ///< All, listed or not.
  friend bool operator==(const RuleViolations&, const RuleViolations&) = default;
};

struct RuleCheck {
  RuleViolations width;
  RuleViolations space;
  std::uint64_t oblique = 0;  ///< Oblique edges that begin in the window, not checked.
  friend bool operator==(const RuleCheck&, const RuleCheck&) = default;
};

/// Both rules in one pass over the layer.
/// Cost: about half a microsecond a flat shape where there are few violations.
/// Errors: kInvalidOptions LAYO-0023 (a rule below 0 or above 2^24, or a tile that is not above 0),
/// kCancelled LAYO-0007.
Result<RuleCheck> check_rules(const FlatView& view, LayerIndex layer,
                              const RuleCheckOptions& options, Progress& progress);

}  // namespace yieldloop::layout

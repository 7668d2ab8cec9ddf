/// \file
/// Which places of a layout are looked at one by one: where printing and etching most easily fail.
///
/// Everything is read off the union of what a layer draws, so it does not matter how the shapes
/// were cut or which cell drew them:
///
///   line end      an edge no longer than `line_end` between two outer corners; its middle
///   jog           an edge no longer than `jog` between an outer and an inner corner; its middle
///   outer corner  a turn of at least 45 degrees with the inside in the smaller angle
///   inner corner  the same with the inside in the larger angle
///   narrow space  two parallel edges no farther apart than `space` with nothing between, of one
///                 piece or of two; the middle of the stretch when it is no longer than the
///                 radius, else the middle between the edges at each of its two ends
///   narrow width  the same with metal between, no farther apart than `width`
///   via           a piece of a via layer no larger than `via` in x and y; the middle of its box
///
/// A place that is several of these is one place. Along a stretch longer than the radius nothing
/// changes but the length, so its inner part is no place of its own.
/// Units: database units; places in half database units, so that a middle is exact.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/core/result.h"
#include "engine/layout/flat_view.h"

namespace yieldloop::layout {

enum class PointKind : std::uint8_t {
  kLineEnd,
  kOuterCorner,
  kInnerCorner,
  kJog,
  kNarrowSpace,
  kNarrowWidth,
  kVia,
};
inline constexpr std::size_t kPointKinds = 7;

/// A set of kinds, one bit each.
using PointKindSet = std::uint8_t;
constexpr PointKindSet set_of(PointKind kind) {
  return static_cast<PointKindSet>(1u << static_cast<unsigned>(kind));
}
inline constexpr PointKindSet kAllPointKinds = (1u << kPointKinds) - 1;

/// "line_end", "outer_corner", "inner_corner", "jog", "narrow_space", "narrow_width", "via".
std::string_view to_string(PointKind kind);
/// Of the names above and "corner" for both kinds; nothing for any other word.
std::optional<PointKindSet> parse_point_kind(std::string_view name);

/// Whose surroundings are compared, and where.
struct PatternSpec {
  /// What a clip shows; all places but vias are sought on the first.
  std::vector<LayerIndex> layers;
  std::vector<LayerIndex> via_layers;  ///< Of `layers`: where vias are sought.
  Coord radius = 0;                    ///< Half the side of the clip, > 0.
  PointKindSet kinds = kAllPointKinds;
  // Limits of the kinds above; 0 stands for the radius, for space and width half of it.
  Coord line_end = 0;
  Coord jog = 0;
  Coord space = 0;
  Coord width = 0;
  Coord via = 0;

  /// With the zeros filled in.
  PatternSpec resolved() const;
  /// How far from a place anything may lie that changes it or its clip. REQUIRES: resolved.
  Coord reach() const;
  bool wants(PointKind kind) const { return (kinds & set_of(kind)) != 0; }
};

/// Errors: kInvalidOptions PATT-0001 (radius), PATT-0002 (layers), PATT-0003 (kinds or limits).
Status check(const PatternSpec& spec);

struct PatternPoint {
  Point twice;
  PointKindSet kinds = 0;
  friend auto operator<=>(const PatternPoint&, const PatternPoint&) = default;
};

}  // namespace yieldloop::layout

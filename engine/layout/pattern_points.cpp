#include "engine/layout/pattern_points.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/layout/pattern_clip.h"

namespace yieldloop::layout {
namespace {

constexpr std::array<std::string_view, kPointKinds> kNames{
    "line_end", "outer_corner", "inner_corner", "jog", "narrow_space", "narrow_width", "via"};

}  // namespace

std::string_view to_string(PointKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::optional<PointKindSet> parse_point_kind(std::string_view name) {
  if (name == "corner") {
    return static_cast<PointKindSet>(set_of(PointKind::kOuterCorner) |
                                     set_of(PointKind::kInnerCorner));
  }
  const auto it = std::ranges::find(kNames, name);
  if (it == kNames.end()) return std::nullopt;
  return set_of(static_cast<PointKind>(it - kNames.begin()));
}

PatternSpec PatternSpec::resolved() const {
  PatternSpec s = *this;
  const auto fill = [](Coord& limit, Coord value) {
    if (limit == 0) limit = std::max<Coord>(value, 1);
  };
  fill(s.line_end, radius);
  fill(s.jog, radius);
  fill(s.space, radius / 2);
  fill(s.width, radius / 2);
  fill(s.via, radius);
  return s;
}

Coord PatternSpec::reach() const {
  return radius + std::max({line_end, jog, space, width, via}) + 1;
}

Status check(const PatternSpec& spec) {
  if (spec.radius < 1 || spec.radius > kMaxClipRadius) {
    return Error{Errc::kInvalidOptions, "PATT-0001",
                 fmt::format("A clip's radius must be 1 to {} database units, not {}; correct it.",
                             kMaxClipRadius, spec.radius)};
  }
  auto layers = spec.layers;
  std::ranges::sort(layers);
  const bool twice = std::ranges::adjacent_find(layers) != layers.end();
  const bool known = std::ranges::all_of(
      spec.via_layers, [&](LayerIndex v) { return std::ranges::binary_search(layers, v); });
  if (layers.empty() || layers.size() > kMaxClipLayers || twice || !known) {
    return Error{Errc::kInvalidOptions, "PATT-0002",
                 fmt::format("A clip shows 1 to {} different layers, its via layers among them; "
                             "correct the layers.",
                             kMaxClipLayers)};
  }
  const bool limits =
      std::ranges::all_of(std::array{spec.line_end, spec.jog, spec.space, spec.width, spec.via},
                          [](Coord limit) { return limit >= 0 && limit <= kMaxClipRadius; });
  if ((spec.kinds & kAllPointKinds) == 0 || !limits) {
    return Error{Errc::kInvalidOptions, "PATT-0003",
                 fmt::format("A pattern census needs at least one kind of place and limits of 0 to "
                             "{} database units; correct them.",
                             kMaxClipRadius)};
  }
  return Ok{};
}

}  // namespace yieldloop::layout

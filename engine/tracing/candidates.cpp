#include "engine/tracing/candidates.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace yieldloop::tracing {
namespace {

using geometry::Box;
using geometry::Coord;
using geometry::Point;

constexpr Coord kShortRun = 6;  // Radii; up to here a stretch is one place.
constexpr auto kAll = std::numeric_limits<std::size_t>::max();

Anchor corner_anchor(const layout::CornerPair& pair) {
  const Box& gap = pair.gap;
  return {{gap.x_min + gap.x_max, gap.y_min + gap.y_max},
          gap,
          std::llround(pair.distance),
          GapKind::kCorner};
}

/// The anchor of a facing pair at `twice_along` (half units) along its run, with the part of
/// the gap that lies within `half` of it.
Anchor pair_anchor(const layout::EdgePair& pair, Coord twice_along, Coord half) {
  const bool along_y = pair.horizontal;
  const Coord low = along_y ? pair.box.y_min : pair.box.x_min;
  const Coord high = along_y ? pair.box.y_max : pair.box.x_max;
  const Coord from = std::max(low, twice_along / 2 - half);
  const Coord to = std::min(high, twice_along / 2 + half);
  Anchor a;
  a.space = pair.distance;
  a.kind = pair.line_end ? GapKind::kLineEnd : GapKind::kSide;
  a.gap = along_y ? Box{pair.box.x_min, from, pair.box.x_max, to}
                  : Box{from, pair.box.y_min, to, pair.box.y_max};
  a.twice = along_y ? Point{pair.box.x_min + pair.box.x_max, twice_along}
                    : Point{twice_along, pair.box.y_min + pair.box.y_max};
  return a;
}

void add_pair_anchors(const layout::EdgePair& pair, Coord radius, std::vector<Anchor>& out) {
  const Coord low = pair.horizontal ? pair.box.y_min : pair.box.x_min;
  const Coord high = pair.horizontal ? pair.box.y_max : pair.box.x_max;
  if (high - low <= kShortRun * radius) {
    out.push_back(pair_anchor(pair, low + high, high - low));
    return;
  }
  out.push_back(pair_anchor(pair, 2 * low, radius));
  out.push_back(pair_anchor(pair, 2 * high, radius));
  // Symmetric about the middle, so that a mirrored stretch has mirrored anchors.
  const Coord inner = high - low - 2 * radius;
  const Coord count = inner / (2 * radius);
  for (Coord k = 0; k < count; ++k) {
    out.push_back(pair_anchor(pair, low + high + (2 * k - count + 1) * 2 * radius, radius));
  }
}

}  // namespace

Result<std::vector<Anchor>> find_anchors(const layout::FlatView& view, layout::LayerIndex layer,
                                         const Box& window, const AnchorOptions& options,
                                         Progress& progress) {
  std::vector<Anchor> anchors;
  const Box drawn = view.bbox(layer).intersection(window);
  if (drawn.empty()) return anchors;
  layout::EdgePairOptions census;
  census.below = options.max_space + 1;
  census.window = drawn;
  census.listed = kAll;
  census.line_end_length = options.line_end_length;
  census.corners = true;
  YL_ASSIGN(const auto spaces, layout::census_spaces(view, layer, census, progress));
  for (const auto& pair : spaces.pairs) add_pair_anchors(pair, options.radius, anchors);
  for (const auto& pair : spaces.corners) anchors.push_back(corner_anchor(pair));
  std::ranges::sort(anchors);
  anchors.erase(std::unique(anchors.begin(), anchors.end()), anchors.end());
  return anchors;
}

Result<Coord> smallest_space(const layout::FlatView& view, layout::LayerIndex layer,
                             const Box& window, Coord farthest, Progress& progress) {
  const Box drawn = view.bbox(layer).intersection(window);
  if (drawn.empty()) return Coord{0};
  layout::EdgePairOptions census;
  census.below = farthest + 1;
  census.window = drawn;
  census.listed = kAll;
  YL_ASSIGN(const auto spaces, layout::census_spaces(view, layer, census, progress));
  Coord smallest = 0;
  for (const auto& pair : spaces.pairs) {
    if (smallest == 0 || pair.distance < smallest) smallest = pair.distance;
  }
  return smallest;
}

}  // namespace yieldloop::tracing

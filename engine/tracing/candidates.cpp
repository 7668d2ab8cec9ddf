#include "engine/tracing/candidates.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>

#include "engine/geometry/region.h"

namespace yieldloop::tracing {
namespace {

using geometry::Box;
using geometry::Coord;
using geometry::Point;

constexpr Coord kShortRun = 6;         // Radii; up to here a stretch is one place.
constexpr Coord kTilesPerSpace = 100;  // Side of a tile for corners, in largest spaces.

struct Corner {
  Point at;
  int dx = 0, dy = 0;  ///< The quadrant that lies diagonally outside: +1/-1.
  std::size_t piece = 0;
};

/// +1 for a left turn: the inside is on the left, so the corner points outwards.
int turn(Point a, Point b, Point c) {
  const Coord cross = (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x);
  return cross > 0 ? 1 : cross < 0 ? -1 : 0;
}

void add_corners_of(const geometry::Polygon& ring, std::size_t piece, const Box& seen,
                    std::vector<Corner>& out) {
  const std::size_t n = ring.size();
  for (std::size_t i = 0; i < n; ++i) {
    const Point a = ring[(i + n - 1) % n], b = ring[i], c = ring[(i + 1) % n];
    const bool square = (a.x == b.x) != (b.x == c.x) && (a.y == b.y) != (b.y == c.y);
    const bool cut =
        b.x == seen.x_min || b.x == seen.x_max || b.y == seen.y_min || b.y == seen.y_max;
    if (!square || cut || turn(a, b, c) <= 0) continue;
    const Coord sx = (b.x - a.x) - (c.x - b.x), sy = (b.y - a.y) - (c.y - b.y);
    out.push_back({b, sx > 0 ? 1 : -1, sy > 0 ? 1 : -1, piece});
  }
}

bool point_at_each_other(const Corner& a, const Corner& b, Coord max_space) {
  const Coord dx = b.at.x - a.at.x, dy = b.at.y - a.at.y;
  if (a.piece == b.piece || a.dx < 0 || b.dx > 0 || a.dy == b.dy) return false;
  if (dx <= 0 || dy * a.dy <= 0) return false;
  return dx * dx + dy * dy <= max_space * max_space;
}

Anchor corner_anchor(const Corner& a, const Corner& b) {
  const Box gap = geometry::box_of(a.at, b.at);
  const double space =
      std::hypot(static_cast<double>(gap.width()), static_cast<double>(gap.height()));
  return {
      {gap.x_min + gap.x_max, gap.y_min + gap.y_max}, gap, std::llround(space), GapKind::kCorner};
}

/// Corner pairs whose lower-left point lies in the tile.
void corners_of_tile(const layout::FlatView& view, layout::LayerIndex layer, const Box& tile,
                     Coord max_space, std::vector<Anchor>& out) {
  const Box seen = tile.enlarged(2 * max_space + 2);
  geometry::ShapeHeap heap;
  view.for_each_shape(layer, seen, [&](const layout::FlatShape& shape) {
    shape.is_box ? heap.add(shape.box) : heap.add(shape.points);
  });
  if (heap.empty()) return;
  std::vector<Corner> corners;
  std::size_t piece = 0;
  for (const auto& merged : geometry::merge(heap, seen)) {
    add_corners_of(merged.outer, piece, seen, corners);
    for (const auto& hole : merged.holes) add_corners_of(hole, piece, seen, corners);
    ++piece;
  }
  std::ranges::sort(corners, {}, &Corner::at);
  for (std::size_t i = 0; i < corners.size(); ++i) {
    for (std::size_t j = i + 1; j < corners.size(); ++j) {
      if (corners[j].at.x - corners[i].at.x > max_space) break;
      if (!point_at_each_other(corners[i], corners[j], max_space)) continue;
      const Anchor anchor = corner_anchor(corners[i], corners[j]);
      const bool mine = anchor.gap.x_min >= tile.x_min && anchor.gap.x_min < tile.x_max &&
                        anchor.gap.y_min >= tile.y_min && anchor.gap.y_min < tile.y_max;
      if (mine && geometry::union_area(heap, anchor.gap) == 0.0) out.push_back(anchor);
    }
  }
}

void add_corner_anchors(const layout::FlatView& view, layout::LayerIndex layer, const Box& drawn,
                        Coord max_space, std::vector<Anchor>& out) {
  const Coord side = kTilesPerSpace * max_space;
  const auto columns = static_cast<std::size_t>(drawn.width() / side + 1);
  const auto rows = static_cast<std::size_t>(drawn.height() / side + 1);
  std::vector<std::vector<Anchor>> found(columns * rows);
  tbb::parallel_for(std::size_t{0}, found.size(), [&](std::size_t i) {
    const Coord x = drawn.x_min + side * static_cast<Coord>(i % columns);
    const Coord y = drawn.y_min + side * static_cast<Coord>(i / columns);
    corners_of_tile(view, layer, {x, y, x + side, y + side}, max_space, found[i]);
  });
  for (const auto& anchors : found) out.insert(out.end(), anchors.begin(), anchors.end());
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
  census.line_end_length = options.line_end_length;
  YL_ASSIGN(const auto spaces, layout::census_spaces(view, layer, census, progress));
  for (const auto& pair : spaces.pairs) add_pair_anchors(pair, options.radius, anchors);
  add_corner_anchors(view, layer, drawn, options.max_space, anchors);
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
  YL_ASSIGN(const auto spaces, layout::census_spaces(view, layer, census, progress));
  Coord smallest = 0;
  for (const auto& pair : spaces.pairs) {
    if (smallest == 0 || pair.distance < smallest) smallest = pair.distance;
  }
  return smallest;
}

}  // namespace yieldloop::tracing

#include <algorithm>
#include <cmath>
#include <tuple>

#include "engine/geometry/box_finder.h"
#include "engine/geometry/union_sweep.h"
#include "engine/layout/census.h"
#include "engine/layout/corner_pairs.h"
#include "engine/layout/shape_gather.h"
#include "engine/layout/shape_search.h"
#include "engine/layout/tiles.h"

namespace yieldloop::layout {
namespace {

using geometry::Corner;
using geometry::UnionEdge;

bool is_line_end(const UnionEdge& edge, Coord longest) {
  return edge.length() <= longest && edge.low_end == Corner::kOuter &&
         edge.high_end == Corner::kOuter;
}

/// Edges sorted by place, and for each place a quick way to those that overlap a stretch.
class EdgeFinder {
 public:
  explicit EdgeFinder(const std::vector<UnionEdge>& edges)
      : edges_(edges), boxes_(boxes_of(edges)) {}
  void within(const Box& window, std::vector<UnionEdge>& found) const {
    found.clear();
    boxes_.for_each(window, [&](std::uint32_t i, const Box&) { found.push_back(edges_[i]); });
    std::sort(found.begin(), found.end(), [](const UnionEdge& a, const UnionEdge& b) {
      return std::tie(a.at, a.low) < std::tie(b.at, b.low);
    });
  }

 private:
  static std::vector<Box> boxes_of(const std::vector<UnionEdge>& edges) {
    std::vector<Box> boxes;
    boxes.reserve(edges.size());
    for (const UnionEdge& e : edges) boxes.push_back({e.at, e.low, e.at, e.high});
    return boxes;
  }
  const std::vector<UnionEdge>& edges_;
  geometry::BoxFinder boxes_;
};

using Stretch = std::pair<Coord, Coord>;

/// Takes [low, high] out of the stretches; what was taken is returned.
std::vector<Stretch> take(std::vector<Stretch>& open, Coord low, Coord high) {
  std::vector<Stretch> taken;
  std::vector<Stretch> rest;
  for (const Stretch& s : open) {
    const Coord from = std::max(s.first, low);
    const Coord to = std::min(s.second, high);
    if (from >= to) {
      rest.push_back(s);
      continue;
    }
    taken.emplace_back(from, to);
    if (s.first < from) rest.emplace_back(s.first, from);
    if (to < s.second) rest.emplace_back(to, s.second);
  }
  open = std::move(rest);
  return taken;
}

enum class Look : std::uint8_t { kSpaces, kWidths };

/// Walks from every edge away from (spaces) or into (widths) its piece to the first edges met.
void pair_up(const std::vector<UnionEdge>& edges, bool horizontal, const EdgePairOptions& options,
             Look look, std::vector<EdgePair>& out) {
  const EdgeFinder finder(edges);
  std::vector<UnionEdge> near;
  for (const UnionEdge& edge : edges) {
    if (edge.inside_after == (look == Look::kSpaces)) continue;
    std::vector<Stretch> open{{edge.low, edge.high}};
    finder.within({edge.at + 1, edge.low, edge.at + options.below - 1, edge.high}, near);
    for (const UnionEdge& other : near) {
      if (other.inside_after == edge.inside_after) continue;
      for (const Stretch& s : take(open, other.low, other.high)) {
        if (look == Look::kSpaces && other.piece == edge.piece) continue;
        EdgePair pair;
        pair.box = horizontal ? Box{edge.at, s.first, other.at, s.second}
                              : Box{s.first, edge.at, s.second, other.at};
        pair.horizontal = horizontal;
        pair.distance = other.at - edge.at;
        pair.run = s.second - s.first;
        pair.line_end = look == Look::kSpaces && (is_line_end(edge, options.line_end_length) ||
                                                  is_line_end(other, options.line_end_length));
        out.push_back(pair);
      }
      if (open.empty()) break;
    }
  }
}

bool crosses(const std::pair<Point, Point>& segment, const Box& box) {
  if (!geometry::box_of(segment.first, segment.second).overlaps(box)) return false;
  // The corners of the box must not all lie on one side of the segment's line.
  const Point d = segment.second - segment.first;
  int left = 0;
  int right = 0;
  for (const Point p : {Point{box.x_min, box.y_min}, Point{box.x_max, box.y_min},
                        Point{box.x_max, box.y_max}, Point{box.x_min, box.y_max}}) {
    const auto side = geometry::cross(d, p - segment.first);
    left += side > 0 ? 1 : 0;
    right += side < 0 ? 1 : 0;
  }
  return left > 0 && right > 0;
}

/// The part of the tile a pair belongs to: across its lower edge decides, along it is cut.
bool cut_to_tile(EdgePair& pair, const TileGrid& grid, const Box& tile) {
  Box& b = pair.box;
  if (pair.horizontal) {
    b.y_min = std::max(b.y_min, tile.y_min);
    b.y_max = std::min(b.y_max, tile.y_max);
    pair.run = b.y_max - b.y_min;
  } else {
    b.x_min = std::max(b.x_min, tile.x_min);
    b.x_max = std::min(b.x_max, tile.x_max);
    pair.run = b.x_max - b.x_min;
  }
  return pair.run > 0 && grid.owns(tile, {b.x_min, b.y_min});
}

/// What one tile holds.
struct TilePairs {
  std::vector<EdgePair> pairs;
  std::vector<CornerPair> corners;
};

TilePairs pairs_of_tile(const ShapeSearch& search, const TileGrid& grid, const Box& tile,
                        const EdgePairOptions& options, Look look) {
  // Not cut to the layer's box: its border would look like the border of what was seen.
  const Box seen = tile.enlarged(4 * options.below + options.line_end_length);
  ShapeGatherer gatherer(search.cells());
  const geometry::ShapeHeap& heap = gatherer.gather(search.view().top(), seen).front();
  TilePairs found;
  if (heap.empty()) return found;
  const geometry::UnionOutline outline = geometry::union_outline(heap, seen);
  pair_up(outline.vertical, true, options, look, found.pairs);
  pair_up(outline.horizontal, false, options, look, found.pairs);
  std::erase_if(found.pairs, [&](EdgePair& pair) {
    return !cut_to_tile(pair, grid, tile) ||
           std::any_of(outline.oblique.begin(), outline.oblique.end(),
                       [&](const auto& segment) { return crosses(segment, pair.box); });
  });
  if (options.corners) {
    found.corners = corner_pairs(outline, heap, options.below - 1);
    std::erase_if(found.corners, [&](const CornerPair& pair) {
      return !grid.owns(tile, {pair.gap.x_min, pair.gap.y_min});
    });
  }
  return found;
}

/// Tiles that hold many distances each way, but no more shapes than a sweep is fast with.
Coord tile_side(const FlatView& view, Coord below) {
  constexpr double kLargestUm = 50.0;
  const auto largest = static_cast<Coord>(std::llround(kLargestUm / view.layout().dbu_um()));
  return std::max<Coord>(std::min(100 * below, largest), 10 * below);
}

/// Joins the parts of pairs that tile borders cut.
std::vector<EdgePair> stitched(std::vector<EdgePair> parts) {
  const auto key = [](const EdgePair& p) {
    const Box& b = p.box;
    return p.horizontal ? std::tuple(true, b.x_min, b.x_max, b.y_min)
                        : std::tuple(false, b.y_min, b.y_max, b.x_min);
  };
  std::sort(parts.begin(), parts.end(),
            [&](const EdgePair& a, const EdgePair& b) { return key(a) < key(b); });
  std::vector<EdgePair> result;
  for (const EdgePair& part : parts) {
    if (!result.empty()) {
      EdgePair& last = result.back();
      const bool same = last.horizontal == part.horizontal && last.line_end == part.line_end;
      const Box& a = last.box;
      const Box& b = part.box;
      if (same && part.horizontal && a.x_min == b.x_min && a.x_max == b.x_max &&
          a.y_max == b.y_min) {
        last.box.y_max = b.y_max;
        last.run += part.run;
        continue;
      }
      if (same && !part.horizontal && a.y_min == b.y_min && a.y_max == b.y_max &&
          a.x_max == b.x_min) {
        last.box.x_max = b.x_max;
        last.run += part.run;
        continue;
      }
    }
    result.push_back(part);
  }
  std::sort(result.begin(), result.end());
  return result;
}

Result<EdgePairCensus> census(const FlatView& view, LayerIndex layer, EdgePairOptions options,
                              Look look, Progress& progress) {
  if (options.below <= 0 || options.tile < 0 || options.line_end_length < 0)
    return Error{Errc::kInvalidOptions, "LAYO-0006",
                 "A census needs a distance and a tile above 0 database units."};
  if (options.line_end_length == 0) options.line_end_length = 3 * options.below;
  if (options.tile == 0) options.tile = tile_side(view, options.below);
  const TileGrid grid = TileGrid::of(options.window.value_or(view.bbox(layer)), options.tile);
  const ShapeSearch search(view, {layer});
  YL_ASSIGN(auto tiles, for_all_tiles<TilePairs>(
                            grid.size(), look == Look::kSpaces ? "space census" : "width census",
                            progress, [&](std::size_t k) {
                              return pairs_of_tile(search, grid, grid.tile(k), options, look);
                            }));
  std::vector<EdgePair> parts;
  EdgePairCensus result;
  for (const TilePairs& tile : tiles) {
    parts.insert(parts.end(), tile.pairs.begin(), tile.pairs.end());
    result.corners.insert(result.corners.end(), tile.corners.begin(), tile.corners.end());
  }
  tiles.clear();
  std::sort(result.corners.begin(), result.corners.end());
  result.pairs = stitched(std::move(parts));
  result.count = result.pairs.size();
  for (const EdgePair& pair : result.pairs) {
    result.line_ends += pair.line_end ? 1 : 0;
    result.total_run += static_cast<double>(pair.run);
  }
  if (result.pairs.size() > options.listed) result.pairs.resize(options.listed);
  return result;
}

}  // namespace

Result<EdgePairCensus> census_spaces(const FlatView& view, LayerIndex layer,
                                     const EdgePairOptions& options, Progress& progress) {
  return census(view, layer, options, Look::kSpaces, progress);
}

Result<EdgePairCensus> census_widths(const FlatView& view, LayerIndex layer,
                                     const EdgePairOptions& options, Progress& progress) {
  return census(view, layer, options, Look::kWidths, progress);
}

}  // namespace yieldloop::layout

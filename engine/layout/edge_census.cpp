#include <algorithm>
#include <tuple>

#include "engine/layout/census.h"
#include "engine/layout/tiles.h"

namespace yieldloop::layout {
namespace {

using geometry::MergedPolygon;

/// An axis-parallel border stretch of the union, turned so that it is vertical: `at` is its
/// place across, [low, high] its extent along.
struct Edge {
  Coord at = 0;
  Coord low = 0;
  Coord high = 0;
  bool outside_after = false;  ///< The outside lies at larger `at`.
  bool line_end = false;
  std::uint32_t piece = 0;
};

struct Edges {
  std::vector<Edge> vertical;
  std::vector<Edge> horizontal;  ///< With x and y exchanged.
  std::vector<std::pair<Point, Point>> oblique;
};

bool convex(Point before, Point corner, Point after) {
  return geometry::cross(corner - before, after - corner) > 0;
}

void ring_edges(const Polygon& ring, std::uint32_t piece, const Box& seen, Coord line_end_length,
                Edges& out) {
  const std::size_t n = ring.size();
  for (std::size_t i = 0; i < n; ++i) {
    const Point before = ring[(i + n - 1) % n];
    const Point a = ring[i];
    const Point b = ring[(i + 1) % n];
    const Point after = ring[(i + 2) % n];
    if (a.x != b.x && a.y != b.y) {
      out.oblique.emplace_back(a, b);
      continue;
    }
    // What lies on the border of the part that was looked at is a cut, not an edge.
    const bool vertical = a.x == b.x;
    if (vertical ? a.x == seen.x_min || a.x == seen.x_max : a.y == seen.y_min || a.y == seen.y_max)
      continue;
    const auto inside = [&seen](Point p) {
      return p.x > seen.x_min && p.x < seen.x_max && p.y > seen.y_min && p.y < seen.y_max;
    };
    Edge edge;
    edge.piece = piece;
    const Coord length = std::abs(b.x - a.x) + std::abs(b.y - a.y);
    edge.line_end = length <= line_end_length && inside(a) && inside(b) && convex(before, a, b) &&
                    convex(a, b, after);
    // The inside is to the left of a -> b.
    if (vertical) {
      edge.at = a.x;
      std::tie(edge.low, edge.high) = std::minmax(a.y, b.y);
      edge.outside_after = b.y > a.y;
      out.vertical.push_back(edge);
    } else {
      edge.at = a.y;
      std::tie(edge.low, edge.high) = std::minmax(a.x, b.x);
      edge.outside_after = b.x < a.x;
      out.horizontal.push_back(edge);
    }
  }
}

/// Edges sorted by place, and for each place a quick way to those that overlap a stretch.
class EdgeFinder {
 public:
  explicit EdgeFinder(const std::vector<Edge>& edges) {
    std::vector<Box> boxes;
    for (const Edge& e : edges) boxes.push_back({e.at, e.low, e.at, e.high});
    for (const std::uint32_t i : geometry::packed_order(boxes)) {
      boxes_.push_back(boxes[i]);
      edges_.push_back(edges[i]);
    }
    index_ = geometry::PackedIndex(boxes_);
  }
  std::vector<Edge> within(const Box& window) const {
    std::vector<Edge> found;
    index_.for_each_range(window, boxes_.size(), [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i)
        if (boxes_[i].touches(window)) found.push_back(edges_[i]);
    });
    std::sort(found.begin(), found.end(), [](const Edge& a, const Edge& b) {
      return std::tie(a.at, a.low) < std::tie(b.at, b.low);
    });
    return found;
  }

 private:
  std::vector<Edge> edges_;
  std::vector<Box> boxes_;
  geometry::PackedIndex index_;
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
void pair_up(const std::vector<Edge>& edges, bool horizontal, Coord below, Look look,
             std::vector<EdgePair>& out) {
  const EdgeFinder finder(edges);
  for (const Edge& edge : edges) {
    if (edge.outside_after != (look == Look::kSpaces)) continue;
    std::vector<Stretch> open{{edge.low, edge.high}};
    for (const Edge& other :
         finder.within({edge.at + 1, edge.low, edge.at + below - 1, edge.high})) {
      if (other.outside_after == edge.outside_after) continue;
      for (const Stretch& s : take(open, other.low, other.high)) {
        if (look == Look::kSpaces && other.piece == edge.piece) continue;
        EdgePair pair;
        pair.box = horizontal ? Box{edge.at, s.first, other.at, s.second}
                              : Box{s.first, edge.at, s.second, other.at};
        pair.horizontal = horizontal;
        pair.distance = other.at - edge.at;
        pair.run = s.second - s.first;
        pair.line_end = look == Look::kSpaces && (edge.line_end || other.line_end);
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

std::vector<EdgePair> pairs_of_tile(const FlatView& view, LayerIndex layer, const TileGrid& grid,
                                    const Box& tile, const EdgePairOptions& options, Look look) {
  const Box seen = tile.enlarged(4 * options.below + options.line_end_length);
  // Not cut to the layer's box: its border would look like the border of what was seen.
  const std::vector<MergedPolygon> pieces = [&] {
    geometry::ShapeHeap heap;
    view.for_each_shape(layer, seen, [&](const FlatShape& shape) {
      if (shape.is_box) {
        heap.add(shape.box);
      } else {
        heap.add(shape.points);
      }
    });
    return heap.empty() ? std::vector<MergedPolygon>{} : geometry::merge(heap, seen);
  }();
  Edges edges;
  for (std::uint32_t i = 0; i < pieces.size(); ++i) {
    ring_edges(pieces[i].outer, i, seen, options.line_end_length, edges);
    for (const Polygon& hole : pieces[i].holes)
      ring_edges(hole, i, seen, options.line_end_length, edges);
  }
  std::vector<EdgePair> pairs;
  pair_up(edges.vertical, true, options.below, look, pairs);
  pair_up(edges.horizontal, false, options.below, look, pairs);
  std::erase_if(pairs, [&](EdgePair& pair) {
    return !cut_to_tile(pair, grid, tile) ||
           std::any_of(edges.oblique.begin(), edges.oblique.end(),
                       [&](const auto& segment) { return crosses(segment, pair.box); });
  });
  return pairs;
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
  if (options.below <= 0 || options.tile <= 0 || options.line_end_length < 0)
    return Error{Errc::kInvalidOptions, "LAYO-0006",
                 "A census needs a distance and a tile above 0 database units."};
  if (options.line_end_length == 0) options.line_end_length = 3 * options.below;
  const TileGrid grid = TileGrid::of(options.window.value_or(view.bbox(layer)), options.tile);
  YL_ASSIGN(auto tiles, for_all_tiles<std::vector<EdgePair>>(
                            grid.size(), look == Look::kSpaces ? "space census" : "width census",
                            progress, [&](std::size_t k) {
                              return pairs_of_tile(view, layer, grid, grid.tile(k), options, look);
                            }));
  std::vector<EdgePair> parts;
  for (std::vector<EdgePair>& tile : tiles) parts.insert(parts.end(), tile.begin(), tile.end());
  tiles.clear();
  EdgePairCensus result;
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

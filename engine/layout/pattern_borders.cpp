#include "engine/layout/pattern_borders.h"

#include <algorithm>
#include <cstdlib>

namespace yieldloop::layout {
namespace {

using geometry::Point;
using geometry::Polygon;
using geometry::ShapeHeap;

SweepBox local(const Box& box, const Box& window) {
  const Box b = box.intersection(window);
  const auto at = [](Coord v, Coord origin) { return static_cast<std::int32_t>(2 * (v - origin)); };
  return {at(b.x_min, window.x_min), at(b.y_min, window.y_min), at(b.x_max, window.x_min),
          at(b.y_max, window.y_min)};
}

Borders of_boxes(std::span<const Box> boxes, const Box& window, const FacingLimits& limits) {
  Borders borders;
  std::vector<SweepBox> inside;
  inside.reserve(boxes.size());
  for (const Box& box : boxes) {
    if (box.overlaps(window)) inside.push_back(local(box, window));
  }
  sweep_borders(inside, limits, borders.vertical, &borders.corners);
  for (SweepBox& b : inside) b = {b.y_min, b.x_min, b.y_max, b.x_max};
  sweep_borders(inside, limits, borders.horizontal, nullptr);
  return borders;
}

/// Convex or concave from 45 degrees on: the sine of the turn is then at least its cosine.
Turn turn_at(Point before, Point corner, Point after) {
  const Point in = corner - before, out = after - corner;
  const auto sine = geometry::cross(in, out);
  const auto cosine = static_cast<geometry::CoordProduct>(in.x) * out.x +
                      static_cast<geometry::CoordProduct>(in.y) * out.y;
  if ((sine < 0 ? -sine : sine) < cosine || sine == 0) return Turn::kSmooth;
  return sine > 0 ? Turn::kConvex : Turn::kConcave;
}

void add_ring(const Polygon& ring, Borders& borders) {
  const std::size_t n = ring.size();
  for (std::size_t i = 0; i < n; ++i) {
    const Point a = ring[i], b = ring[(i + 1) % n];
    const Turn from = turn_at(ring[(i + n - 1) % n], a, b);
    const Turn to = turn_at(a, b, ring[(i + 2) % n]);
    const auto i32 = [](Coord v) { return static_cast<std::int32_t>(v); };
    if (from != Turn::kSmooth) {
      borders.corners.push_back({i32(a.x), i32(a.y), from == Turn::kConvex});
    }
    if (a.x != b.x && a.y != b.y) {
      borders.oblique.push_back(geometry::box_of(a, b));
    } else if (a.x == b.x) {
      const bool up = b.y > a.y;
      borders.vertical.edges.push_back({i32(a.x), i32(std::min(a.y, b.y)), i32(std::max(a.y, b.y)),
                                        up, up ? from : to, up ? to : from});
    } else {
      const bool right = b.x > a.x;
      borders.horizontal.edges.push_back({i32(a.y), i32(std::min(a.x, b.x)),
                                          i32(std::max(a.x, b.x)), !right, right ? from : to,
                                          right ? to : from});
    }
  }
}

/// Merged in half units, where crossings of 45-degree edges are exact, and in a window that
/// cuts no oblique shape, so that they do not depend on it.
Borders of_polygons(const ShapeHeap& shapes, const Box& window, const FacingLimits& limits) {
  ShapeHeap doubled;
  Box reach{0, 0, 2 * window.width(), 2 * window.height()};
  for (const Box& box : shapes.boxes) {
    if (!box.overlaps(window)) continue;
    const SweepBox b = local(box, window);
    doubled.add(Box{b.x_min, b.y_min, b.x_max, b.y_max});
  }
  for (const Polygon& polygon : shapes.oblique) {
    Polygon moved;
    for (const Point p : polygon) {
      moved.push_back({2 * (p.x - window.x_min), 2 * (p.y - window.y_min)});
      reach.include(moved.back());
    }
    doubled.oblique.push_back(std::move(moved));
  }
  constexpr Coord kMost = Coord{1} << 29;
  reach = reach.intersection({-kMost, -kMost, kMost, kMost});
  Borders borders;
  for (const auto& piece : geometry::merge(doubled, reach)) {
    add_ring(piece.outer, borders);
    for (const Polygon& hole : piece.holes) add_ring(hole, borders);
  }
  std::vector<Box> exchanged;
  for (const Box& b : borders.oblique) exchanged.push_back({b.y_min, b.x_min, b.y_max, b.x_max});
  std::ranges::sort(borders.vertical.edges);
  std::ranges::sort(borders.horizontal.edges);
  face_edges(borders.vertical, borders.oblique, limits);
  face_edges(borders.horizontal, exchanged, limits);
  return borders;
}

using Part = std::pair<std::int32_t, std::int32_t>;

/// Takes [low, high] out of the open parts and returns what was taken.
std::vector<Part> take(std::vector<Part>& open, std::int32_t low, std::int32_t high) {
  std::vector<Part> taken, rest;
  for (const Part& part : open) {
    const auto from = std::max(part.first, low), to = std::min(part.second, high);
    if (from >= to) {
      rest.push_back(part);
      continue;
    }
    taken.emplace_back(from, to);
    if (part.first < from) rest.emplace_back(part.first, from);
    if (to < part.second) rest.emplace_back(to, part.second);
  }
  open = std::move(rest);
  return taken;
}

/// From every edge with the free side (or the inside) behind it to the first edges met.
void face(const std::vector<BorderEdge>& edges, bool spaces, std::int32_t limit,
          std::span<const Box> oblique, std::vector<FacingRun>& out) {
  for (std::size_t i = 0; i < edges.size() && limit > 0; ++i) {
    const BorderEdge& edge = edges[i];
    if (edge.inside_before != spaces) continue;
    std::vector<Part> open{{edge.low, edge.high}};
    for (std::size_t k = i + 1; k < edges.size() && !open.empty(); ++k) {
      const BorderEdge& other = edges[k];
      if (other.at - edge.at > limit) break;
      if (other.at == edge.at || other.inside_before == spaces) continue;
      for (const auto& [low, high] : take(open, other.low, other.high)) {
        const Box gap{edge.at, low, other.at, high};
        const bool crossed =
            std::ranges::any_of(oblique, [&](const Box& b) { return b.overlaps(gap); });
        if (!crossed) out.push_back({edge.at, other.at, low, high});
      }
    }
  }
}

}  // namespace

void face_edges(BorderSide& side, std::span<const Box> oblique, const FacingLimits& limits) {
  face(side.edges, true, limits.space, oblique, side.spaces);
  face(side.edges, false, limits.width, oblique, side.widths);
}

Borders find_borders(const ShapeHeap& shapes, const Box& window, const FacingLimits& limits) {
  return shapes.oblique.empty() ? of_boxes(shapes.boxes, window, limits)
                                : of_polygons(shapes, window, limits);
}

}  // namespace yieldloop::layout

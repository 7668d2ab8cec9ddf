#include "engine/layout/path_shape.h"

#include "engine/geometry/path_outline.h"

namespace yieldloop::layout {
namespace {

/// By how much the path is lengthened at its two ends, in half units.
struct Reach {
  Coord begin = 0;
  Coord end = 0;
};

Reach doubled_reach(const PathStyle& style) {
  switch (style.ends) {
    case PathStyle::Ends::kHalfWidth: return {style.width, style.width};
    case PathStyle::Ends::kCustom: return {2 * style.begin_extension, 2 * style.end_extension};
    default: return {};
  }
}

}  // namespace

std::optional<std::vector<Point32>> checked_path_ring(std::span<const Point32> centre_line,
                                                      const PathStyle& style) {
  const std::vector<Point> line(centre_line.begin(), centre_line.end());
  const Reach reach = doubled_reach(style);
  const geometry::PathEnds ends{static_cast<double>(reach.begin) / 2.0,
                                static_cast<double>(reach.end) / 2.0,
                                style.ends == PathStyle::Ends::kRound};
  std::vector<Point32> ring;
  for (const Point p : geometry::path_outline(line, static_cast<double>(style.width), ends)) {
    if (!geometry::fits32(p)) return std::nullopt;
    ring.push_back(geometry::narrow(p));
  }
  return ring;
}

std::vector<Point32> path_ring(std::span<const Point32> centre_line, const PathStyle& style) {
  return checked_path_ring(centre_line, style).value_or(std::vector<Point32>{});
}

std::optional<Box> straight_path_box(std::span<const Point32> centre_line, const PathStyle& style) {
  if (centre_line.size() != 2 || style.ends == PathStyle::Ends::kRound || style.width % 2 != 0)
    return std::nullopt;
  const Point a = centre_line[0];
  const Point b = centre_line[1];
  if ((a.x == b.x) == (a.y == b.y)) return std::nullopt;
  const Coord half = style.width / 2;
  const Reach reach{doubled_reach(style).begin / 2, doubled_reach(style).end / 2};
  const Point d{a.x == b.x ? 0 : (b.x > a.x ? 1 : -1), a.y == b.y ? 0 : (b.y > a.y ? 1 : -1)};
  const Point from{a.x - d.x * reach.begin, a.y - d.y * reach.begin};
  const Point to{b.x + d.x * reach.end, b.y + d.y * reach.end};
  if ((to.x - from.x) * d.x + (to.y - from.y) * d.y < 0) return std::nullopt;
  const Box line = geometry::box_of(from, to);
  return d.x != 0 ? Box{line.x_min, line.y_min - half, line.x_max, line.y_max + half}
                  : Box{line.x_min - half, line.y_min, line.x_max + half, line.y_max};
}

}  // namespace yieldloop::layout

#include "engine/layout/edge_pairs.h"

#include <cmath>

namespace yieldloop::layout {

using geometry::UnionEdge;
using geometry::UnionOutline;

namespace {

/// Along and across exchanged for edges along x.
Point point_of(bool upright, Coord at, Coord along) {
  return upright ? Point{at, along} : Point{along, at};
}

Box box_of_edge(const UnionEdge& e, bool upright) {
  return geometry::box_of(point_of(upright, e.at, e.low), point_of(upright, e.at, e.high));
}

/// Whether one walks the edge from low to high with the inside to the right.
bool forward(const UnionEdge& e, bool upright) { return e.inside_after == upright; }

/// Where a segment meets an edge, rounded; nothing where it does not.
std::optional<Point> meeting(Point a, Point b, const UnionEdge& edge, bool upright) {
  const Coord from = upright ? a.x : a.y;
  const Coord to = upright ? b.x : b.y;
  const Coord from_along = upright ? a.y : a.x;
  const Coord to_along = upright ? b.y : b.x;
  if (from == to) {
    if (from != edge.at) return std::nullopt;
    const Coord low = std::max(edge.low, std::min(from_along, to_along));
    if (low > std::min(edge.high, std::max(from_along, to_along))) return std::nullopt;
    return point_of(upright, edge.at, low);
  }
  if (edge.at < std::min(from, to) || edge.at > std::max(from, to)) return std::nullopt;
  const double t = static_cast<double>(edge.at - from) / static_cast<double>(to - from);
  const double along =
      static_cast<double>(from_along) + t * static_cast<double>(to_along - from_along);
  if (along < static_cast<double>(edge.low) || along > static_cast<double>(edge.high))
    return std::nullopt;
  return point_of(upright, edge.at, std::llround(along));
}

}  // namespace

EdgeIndex::EdgeIndex(const UnionOutline& outline) {
  std::vector<Box> boxes;
  for (const UnionEdge& e : outline.vertical) boxes.push_back(box_of_edge(e, true));
  for (const UnionEdge& e : outline.horizontal) boxes.push_back(box_of_edge(e, false));
  const std::size_t upright = outline.vertical.size();
  for (const std::uint32_t i : geometry::packed_order(boxes)) {
    boxes_.push_back(boxes[i]);
    edges_.push_back(i < upright ? outline.vertical[i] : outline.horizontal[i - upright]);
    upright_.push_back(i < upright ? 1 : 0);
  }
  tree_ = geometry::PackedIndex(boxes_);
}

bool NearPair::violates(Coord rule, Facing facing) const {
  if (first.inside_after == second.inside_after) return false;
  const Coord across = second.at - first.at;
  const Coord apart = std::max(first.low, second.low) - std::min(first.high, second.high);
  // In line: pieces that meet in a corner are narrow and near at once.
  if (across == 0) return apart == 0;
  if (first.inside_after != (facing == Facing::kInside)) return false;
  const Coord along = std::max<Coord>(apart, 0);
  return across * across + along * along < rule * rule;
}

bool NearPair::leaves(const Box& window) const {
  const Coord low = upright ? window.y_min : window.x_min;
  const Coord high = upright ? window.y_max : window.x_max;
  return std::min(first.low, second.low) <= low || std::max(first.high, second.high) >= high;
}

Box NearPair::strip(Coord reach) const {
  const Coord low = std::min(first.low, second.low) - reach;
  const Coord high = std::max(first.high, second.high) + reach;
  return geometry::box_of(point_of(upright, first.at - 1, low),
                          point_of(upright, second.at + 1, high));
}

void NearPair::lengthen(const UnionOutline& outline) {
  for (UnionEdge* mine : {&first, &second}) {
    for (const UnionEdge& edge : upright ? outline.vertical : outline.horizontal) {
      if (edge.at != mine->at || edge.inside_after != mine->inside_after) continue;
      if (edge.low >= mine->high || edge.high <= mine->low) continue;
      mine->low = std::min(mine->low, edge.low);
      mine->high = std::max(mine->high, edge.high);
    }
  }
}

RuleViolation NearPair::parts(Coord rule) const {
  const auto across = static_cast<double>(second.at - first.at);
  const auto limit = static_cast<double>(rule);
  const double reach = std::sqrt(std::max(limit * limit - across * across, 0.0));
  const auto part = [reach](const UnionEdge& edge, const UnionEdge& other) {
    return EdgePart{
        edge.at,
        std::max(edge.low,
                 static_cast<Coord>(std::llround(static_cast<double>(other.low) - reach))),
        std::min(edge.high,
                 static_cast<Coord>(std::llround(static_cast<double>(other.high) + reach)))};
  };
  RuleViolation violation;
  violation.first = part(first, second);
  violation.second = part(second, first);
  violation.upright = upright;
  const Coord apart = std::max(first.low, second.low) - std::min(first.high, second.high);
  violation.distance = std::hypot(across, static_cast<double>(std::max<Coord>(apart, 0)));
  return violation;
}

std::optional<RuleViolation> NearPair::unshielded(Coord rule, const EdgeIndex& edges) const {
  const RuleViolation violation = parts(rule);
  const EdgePart& a = violation.first;
  const EdgePart& b = violation.second;
  const Point low_a = point_of(upright, a.at, a.low);
  const Point low_b = point_of(upright, b.at, b.low);
  const Point high_a = point_of(upright, a.at, a.high);
  const Point high_b = point_of(upright, b.at, b.high);
  bool shielded = false;
  edges.for_each_near(geometry::box_of(low_a, low_b), [&](const UnionEdge& edge, bool up) {
    const auto is = [&](const UnionEdge& mine) {
      return up == upright && edge.at == mine.at && edge.inside_after == mine.inside_after &&
             edge.low < mine.high && edge.high > mine.low;
    };
    if (shielded || is(first) || is(second)) return;
    const auto low = meeting(low_a, low_b, edge, up);
    if (!low) return;
    const auto high = meeting(high_a, high_b, edge, up);
    if (!high) return;
    // Met in one unit: an edge that only begins on the first line or ends on the second stands
    // beside the pair. "First" and "begins" as one walks with the inside to the right.
    const bool low_first = forward(first, upright);
    const auto on = [&](bool low_line, Coord along) {
      const Point from = low_line ? low_a : high_a;
      const Point to = low_line ? low_b : high_b;
      return geometry::cross(to - from, point_of(up, edge.at, along) - from) == 0;
    };
    const bool onward = forward(edge, up);
    shielded = *low != *high || (!on(low_first, onward ? edge.low : edge.high) &&
                                 !on(!low_first, onward ? edge.high : edge.low));
  });
  if (shielded) return std::nullopt;
  return violation;
}

}  // namespace yieldloop::layout

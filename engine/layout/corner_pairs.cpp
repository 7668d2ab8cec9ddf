#include "engine/layout/corner_pairs.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "engine/geometry/box_finder.h"

namespace yieldloop::layout {
namespace {

using geometry::UnionEdge;

struct OuterCorner {
  Point at;
  int dx = 0, dy = 0;  ///< The quadrant that lies diagonally outside: +1/-1.
  std::uint32_t piece = 0;
};

/// Every outer corner is an end of one vertical edge.
std::vector<OuterCorner> outer_corners(const geometry::UnionOutline& outline) {
  std::vector<OuterCorner> corners;
  for (const UnionEdge& edge : outline.vertical) {
    const int dx = edge.inside_after ? -1 : 1;
    if (edge.low_end == geometry::Corner::kOuter)
      corners.push_back({{edge.at, edge.low}, dx, -1, edge.piece});
    if (edge.high_end == geometry::Corner::kOuter)
      corners.push_back({{edge.at, edge.high}, dx, 1, edge.piece});
  }
  std::sort(corners.begin(), corners.end(),
            [](const OuterCorner& a, const OuterCorner& b) { return a.at < b.at; });
  return corners;
}

/// `a` lies at the smaller x.
bool point_at_each_other(const OuterCorner& a, const OuterCorner& b, Coord farthest) {
  const Coord dx = b.at.x - a.at.x;
  const Coord dy = b.at.y - a.at.y;
  if (a.piece == b.piece || a.dx < 0 || b.dx > 0 || a.dy == b.dy) return false;
  return dx > 0 && dy * a.dy > 0 && dx * dx + dy * dy <= farthest * farthest;
}

/// Whether anything is drawn inside a box.
class Emptiness {
 public:
  explicit Emptiness(const geometry::ShapeHeap& heap) : heap_(heap), boxes_(heap.boxes) {}
  bool operator()(const Box& gap) const {
    bool empty = true;
    boxes_.for_each(gap,
                    [&](std::uint32_t, const Box& box) { empty = empty && !box.overlaps(gap); });
    if (!empty || heap_.oblique.empty()) return empty;
    geometry::ShapeHeap near;
    for (const Polygon& p : heap_.oblique) near.add(p);
    return geometry::union_area(near, gap) == 0.0;
  }

 private:
  const geometry::ShapeHeap& heap_;
  geometry::BoxFinder boxes_;
};

}  // namespace

std::vector<CornerPair> corner_pairs(const geometry::UnionOutline& outline,
                                     const geometry::ShapeHeap& heap, Coord farthest) {
  const std::vector<OuterCorner> corners = outer_corners(outline);
  const Emptiness empty(heap);
  // By x in bands of y, so that a corner meets only those near it.
  const Coord band = std::max<Coord>(farthest, 1);
  std::vector<std::pair<Coord, std::uint32_t>> by_band;
  for (std::uint32_t i = 0; i < corners.size(); ++i) {
    const Coord y = corners[i].at.y;
    by_band.emplace_back(y >= 0 ? y / band : (y + 1) / band - 1, i);
  }
  std::stable_sort(by_band.begin(), by_band.end());
  std::vector<CornerPair> pairs;
  const auto match = [&](const OuterCorner& a, Coord of_band) {
    auto it = std::lower_bound(
        by_band.begin(), by_band.end(), of_band, [&](const auto& entry, Coord wanted) {
          return entry.first != wanted ? entry.first < wanted
                                       : corners[entry.second].at.x <= a.at.x;
        });
    for (; it != by_band.end() && it->first == of_band; ++it) {
      const OuterCorner& b = corners[it->second];
      if (b.at.x - a.at.x > farthest) break;
      if (!point_at_each_other(a, b, farthest)) continue;
      const Box gap = geometry::box_of(a.at, b.at);
      if (empty(gap))
        pairs.push_back(
            {gap, std::hypot(static_cast<double>(gap.width()), static_cast<double>(gap.height()))});
    }
  };
  for (const auto& [of_band, i] : by_band)
    for (const Coord step : {-1, 0, 1}) match(corners[i], of_band + step);
  return pairs;
}

}  // namespace yieldloop::layout

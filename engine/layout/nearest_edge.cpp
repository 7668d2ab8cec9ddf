#include <algorithm>
#include <cmath>

#include "engine/geometry/union_sweep.h"
#include "engine/layout/collect.h"
#include "engine/layout/shape_distance.h"
#include "engine/layout/shape_search.h"

namespace yieldloop::layout {
namespace {

/// Keeps the nearest of the edges it is shown.
class Nearest {
 public:
  explicit Nearest(Point at) : at_(at) {}

  void look(Point a, Point b) {
    const auto ax = static_cast<double>(a.x - at_.x);
    const auto ay = static_cast<double>(a.y - at_.y);
    const auto ux = static_cast<double>(b.x - a.x);
    const auto uy = static_cast<double>(b.y - a.y);
    const double length2 = ux * ux + uy * uy;
    const double t = length2 > 0.0 ? std::clamp(-(ax * ux + ay * uy) / length2, 0.0, 1.0) : 0.0;
    const double dx = ax + t * ux;
    const double dy = ay + t * uy;
    const double distance = std::hypot(dx, dy);
    if (found_ && distance >= edge_.distance) return;
    found_ = true;
    edge_ = {distance, static_cast<double>(at_.x) + dx, static_cast<double>(at_.y) + dy, a, b,
             false};
  }
  std::optional<NearestEdge> within(double limit) const {
    if (!found_ || edge_.distance > limit) return std::nullopt;
    return edge_;
  }

 private:
  Point at_;
  bool found_ = false;
  NearestEdge edge_;
};

std::optional<NearestEdge> nearest_in(const geometry::UnionOutline& outline, Point at,
                                      Coord reach) {
  Nearest nearest(at);
  for (const auto& e : outline.vertical) nearest.look({e.at, e.low}, {e.at, e.high});
  for (const auto& e : outline.horizontal) nearest.look({e.low, e.at}, {e.high, e.at});
  for (const auto& [a, b] : outline.oblique) nearest.look(a, b);
  return nearest.within(static_cast<double>(reach));
}

}  // namespace

std::optional<NearestEdge> ShapeSearch::nearest_edge(LayerIndex layer, Point at,
                                                     Coord max_distance) const {
  // Windows that grow: the first that shows a border within its reach has the nearest one.
  constexpr Coord kSteps = 16;
  for (Coord reach = std::max<Coord>(max_distance / kSteps, 1);; reach *= 4) {
    reach = std::min(reach, max_distance);
    const Box window = Box{at.x, at.y, at.x, at.y}.enlarged(reach + 1);
    const geometry::ShapeHeap heap = collect(view_, layer, window);
    auto found = nearest_in(geometry::union_outline(heap, window), at, reach);
    if (!found && reach < max_distance) continue;
    if (!found) return std::nullopt;
    view_.for_each_shape(layer, Box{at.x, at.y, at.x, at.y}, [&](const FlatShape& shape) {
      found->inside = found->inside || shape.is_box || squared_distance(shape.points, at) == 0.0;
    });
    return found;
  }
}

}  // namespace yieldloop::layout

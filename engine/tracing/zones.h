/// \file
/// Rectangles on the layout and which of them a point is near.
///
/// Near means: the larger of the distances along x and along y is at most the reach, so that
/// the near zone of a rectangle is the rectangle grown by the reach and its area is exact.
///
/// Units: um.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/tracing/frame.h"

namespace yieldloop::tracing {

/// Chebyshev distance; 0 inside.
inline double distance(const RectUm& r, PointUm p) {
  const double dx = std::max({r.x_min - p.x, 0.0, p.x - r.x_max});
  const double dy = std::max({r.y_min - p.y, 0.0, p.y - r.y_max});
  return std::max(dx, dy);
}

/// Area of the union of the rectangles grown by `reach`, inside the window.
double zone_area_um2(std::span<const RectUm> rects, double reach, const RectUm& window);

/// Const members are thread-safe.
class ZoneIndex {
 public:
  /// Rectangles may be asked for up to `reach_max` away.
  ZoneIndex(std::vector<RectUm> rects, double reach_max);

  /// Calls visit(position, distance) once for each rectangle within `reach` of p, ascending.
  /// REQUIRES: reach <= reach_max.
  template <class Visit>
  void for_near(PointUm p, double reach, Visit visit) const {
    const auto it = cells_.find(key(cell(p.x), cell(p.y)));
    if (it == cells_.end()) return;
    for (const std::uint32_t i : it->second) {
      const double d = distance(rects_[i], p);
      if (d <= reach) visit(i, d);
    }
  }
  bool is_near(PointUm p, double reach) const {
    bool near = false;
    for_near(p, reach, [&](std::uint32_t, double) { near = true; });
    return near;
  }

  const std::vector<RectUm>& rects() const { return rects_; }

 private:
  std::int64_t cell(double v) const { return static_cast<std::int64_t>(std::floor(v / side_)); }
  static std::uint64_t key(std::int64_t x, std::int64_t y) {
    return static_cast<std::uint64_t>(x) << 32 ^ (static_cast<std::uint64_t>(y) & 0xFFFFFFFFu);
  }

  std::vector<RectUm> rects_;
  double side_;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> cells_;
};

}  // namespace yieldloop::tracing

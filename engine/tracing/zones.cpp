#include "engine/tracing/zones.h"

#include "engine/geometry/rectangles.h"

namespace yieldloop::tracing {

double zone_area_um2(std::span<const RectUm> rects, double reach, const RectUm& window) {
  std::vector<geometry::Rect> grown;
  grown.reserve(rects.size());
  for (const RectUm& r : rects) {
    const geometry::Rect g{
        std::max(r.x_min - reach, window.x_min), std::max(r.y_min - reach, window.y_min),
        std::min(r.x_max + reach, window.x_max), std::min(r.y_max + reach, window.y_max)};
    if (g.has_area()) grown.push_back(g);
  }
  return geometry::coverage(grown).once;
}

ZoneIndex::ZoneIndex(std::vector<RectUm> rects, double reach_max)
    : rects_(std::move(rects)), side_(std::max(4.0 * reach_max, 1e-6)) {
  // A cell lists every rectangle that is within the largest reach of any of its points.
  for (std::uint32_t i = 0; i < rects_.size(); ++i) {
    const RectUm& r = rects_[i];
    for (auto y = cell(r.y_min - reach_max); y <= cell(r.y_max + reach_max); ++y) {
      for (auto x = cell(r.x_min - reach_max); x <= cell(r.x_max + reach_max); ++x) {
        cells_[key(x, y)].push_back(i);
      }
    }
  }
}

}  // namespace yieldloop::tracing

#include "engine/geometry/curve_order.h"

#include "engine/geometry/box.h"
#include "engine/geometry/radix_sort.h"

namespace yieldloop::geometry {
namespace {

constexpr int kBits = 16;  ///< Of each coordinate.

/// Puts a zero before every one of the low 16 bits.
std::uint64_t spread(std::uint64_t v) {
  v = (v | v << 8) & 0x00ff00ff;
  v = (v | v << 4) & 0x0f0f0f0f;
  v = (v | v << 2) & 0x33333333;
  return (v | v << 1) & 0x55555555;
}

}  // namespace

std::vector<std::uint32_t> curve_order(std::span<const Point> points) {
  Box hull;
  for (const Point p : points) hull.include(p);
  const std::uint64_t side = static_cast<std::uint64_t>(std::max(hull.width(), hull.height()));
  int shift = 0;
  while (side >> shift >> kBits != 0) ++shift;
  std::vector<Keyed> items(points.size());
  for (std::uint32_t i = 0; i < points.size(); ++i) {
    const auto x = static_cast<std::uint64_t>(points[i].x - hull.x_min) >> shift;
    const auto y = static_cast<std::uint64_t>(points[i].y - hull.y_min) >> shift;
    items[i] = {spread(x) | spread(y) << 1, i};
  }
  std::vector<Keyed> scratch;
  radix_sort(items, scratch, 2 * kBits);
  std::vector<std::uint32_t> order(points.size());
  for (std::size_t i = 0; i < items.size(); ++i) order[i] = items[i].item;
  return order;
}

}  // namespace yieldloop::geometry

#include "engine/geometry/packed_index.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace yieldloop::geometry {

std::vector<std::uint32_t> packed_order(std::span<const Box> boxes) {
  std::vector<std::uint32_t> order(boxes.size());
  std::iota(order.begin(), order.end(), 0U);
  if (boxes.size() < PackedIndex::kLinear) return order;
  const auto by = [&](auto key) {
    return [&boxes, key](std::uint32_t a, std::uint32_t b) {
      const auto left = key(boxes[a]);
      const auto right = key(boxes[b]);
      return left != right ? left < right : a < b;
    };
  };
  std::sort(order.begin(), order.end(), by([](const Box& b) { return b.x_min + b.x_max; }));
  const double pages = std::ceil(static_cast<double>(boxes.size()) / PackedIndex::kFanout);
  const auto slice = static_cast<std::size_t>(std::ceil(std::sqrt(pages))) * PackedIndex::kFanout;
  for (std::size_t first = 0; first < order.size(); first += slice) {
    const std::size_t last = std::min(first + slice, order.size());
    std::sort(order.begin() + static_cast<std::ptrdiff_t>(first),
              order.begin() + static_cast<std::ptrdiff_t>(last),
              by([](const Box& b) { return b.y_min + b.y_max; }));
  }
  return order;
}

PackedIndex::PackedIndex(std::span<const Box> boxes) {
  if (boxes.size() < kLinear) return;
  std::span<const Box> below = boxes;
  for (;;) {
    const std::size_t start = nodes_.size();
    levels_.push_back(start);
    std::vector<Box> level;
    level.reserve(below.size() / kFanout + 1);
    for (std::size_t i = 0; i < below.size(); i += kFanout) {
      Box hull;
      for (std::size_t k = i; k < std::min(i + kFanout, below.size()); ++k) hull.include(below[k]);
      level.push_back(hull);
    }
    nodes_.insert(nodes_.end(), level.begin(), level.end());
    if (level.size() <= kFanout) break;
    below = std::span<const Box>(nodes_).subspan(start);
  }
  nodes_.shrink_to_fit();
}

}  // namespace yieldloop::geometry

/// \file
/// Boxes kept with a packed index of their own: which of them touch a window.
///
/// Units: database units. Const members are thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/geometry/packed_index.h"

namespace yieldloop::geometry {

class BoxFinder {
 public:
  explicit BoxFinder(std::span<const Box> boxes) : order_(packed_order(boxes)) {
    boxes_.reserve(boxes.size());
    for (const std::uint32_t i : order_) boxes_.push_back(boxes[i]);
    index_ = PackedIndex(boxes_);
  }

  /// Calls visit(position given, box) for every box that touches the window, in a fixed order.
  template <class Visit>
  void for_each(const Box& window, Visit&& visit) const {
    index_.for_each_range(window, boxes_.size(), [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i)
        if (boxes_[i].touches(window)) visit(order_[i], boxes_[i]);
    });
  }

 private:
  std::vector<std::uint32_t> order_;
  std::vector<Box> boxes_;
  PackedIndex index_;
};

}  // namespace yieldloop::geometry

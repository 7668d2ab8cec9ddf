/// \file
/// A uniform grid over the items of one cell; for this folder's sources.
///
/// Where items are spread about evenly a window finds its bins by two shifts, and a long wire
/// stands only in the bins it crosses, which no tree of boxes achieves. Where they are not, or
/// where long items would fill the memory, build() says so and the cell keeps trees.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/geometry/packed_index.h"

namespace yieldloop::layout {

class CellGrid {
 public:
  /// Makes the grid and says in which order the items are to be stored: order[k] is the old
  /// position of the new k-th. False, and nothing made, when a grid does not suit the boxes.
  /// Cost: linear. Memory: at most 20 bytes a box.
  bool build(std::span<const geometry::Box32> boxes, std::vector<std::uint32_t>& order);

  bool empty() const { return start_.empty(); }
  std::size_t memory_bytes() const {
    return (start_.capacity() + entries_.capacity()) * sizeof(std::uint32_t);
  }

  /// Calls visit(position) once for every box that touches the probe's window. `boxes` are those
  /// it was built of in the new order.
  template <class Visit>
  void for_each_near(const geometry::BoxProbe& probe, const std::vector<geometry::Box32>& boxes,
                     Visit&& visit) const {
    const geometry::Box32& window = probe.window();
    if (window.x_max < x_min_ || window.y_max < y_min_) return;
    const std::int64_t x0 = column(window.x_min);
    const std::int64_t y0 = row(window.y_min);
    const std::int64_t x1 = std::min(column(window.x_max), columns_ - 1);
    const std::int64_t y1 = std::min(row(window.y_max), rows_ - 1);
    const bool one = x0 == x1 && y0 == y1;
    for (std::int64_t y = y0; y <= y1; ++y) {
      for (std::int64_t x = x0; x <= x1; ++x) {
        const auto bin = static_cast<std::size_t>(y * columns_ + x);
        for (std::uint32_t e = start_[bin]; e < start_[bin + 1]; ++e) {
          const std::uint32_t i = entries_[e];
          const geometry::Box32& box = boxes[i];
          if (!probe.touches(box)) continue;
          // A box in several bins is found in the first that the window shares with it.
          if (one || (std::max(column(box.x_min), x0) == x && std::max(row(box.y_min), y0) == y))
            visit(i);
        }
      }
    }
  }

 private:
  std::int64_t column(std::int32_t x) const {
    return std::max<std::int64_t>(std::int64_t{x} - x_min_, 0) >> shift_;
  }
  std::int64_t row(std::int32_t y) const {
    return std::max<std::int64_t>(std::int64_t{y} - y_min_, 0) >> shift_;
  }
  std::uint64_t bins_of(const geometry::Box32& box) const {
    return static_cast<std::uint64_t>(column(box.x_max) - column(box.x_min) + 1) *
           static_cast<std::uint64_t>(row(box.y_max) - row(box.y_min) + 1);
  }
  template <class Visit>
  void for_each_bin(const geometry::Box32& box, Visit&& visit) const {
    for (std::int64_t y = row(box.y_min); y <= row(box.y_max); ++y)
      for (std::int64_t x = column(box.x_min); x <= column(box.x_max); ++x)
        visit(static_cast<std::size_t>(y * columns_ + x));
  }
  bool choose_bins(std::span<const geometry::Box32> boxes);
  bool fill(std::span<const geometry::Box32> boxes);
  std::vector<std::uint32_t> order_by_bin(std::span<const geometry::Box32> boxes) const;

  std::int32_t x_min_ = 0;
  std::int32_t y_min_ = 0;
  int shift_ = 0;  ///< A bin's side is 2^shift.
  std::int64_t columns_ = 0;
  std::int64_t rows_ = 0;
  std::vector<std::uint32_t> start_;
  std::vector<std::uint32_t> entries_;
};

}  // namespace yieldloop::layout

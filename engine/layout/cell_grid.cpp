#include "engine/layout/cell_grid.h"

#include <algorithm>
#include <cmath>

namespace yieldloop::layout {

using geometry::Box32;

namespace {

/// Entries and bins for each box.
constexpr std::uint64_t kEntriesPerBox = 3;
constexpr std::uint64_t kBinsPerBox = 2;
/// Boxes in the bin of an average box; with more a tree is better.
constexpr double kCrowd = 64.0;
/// Larger grids would count their entries past 32 bits.
constexpr std::size_t kMostBoxes = std::size_t{1} << 29;

}  // namespace

bool CellGrid::choose_bins(std::span<const Box32> boxes) {
  geometry::Box hull;
  for (const Box32& box : boxes) hull.include(static_cast<geometry::Box>(box));
  x_min_ = static_cast<std::int32_t>(hull.x_min);
  y_min_ = static_cast<std::int32_t>(hull.y_min);
  const double area =
      (static_cast<double>(hull.width()) + 1.0) * (static_cast<double>(hull.height()) + 1.0);
  const double side = std::sqrt(area / static_cast<double>(boxes.size()));
  const auto n = static_cast<std::uint64_t>(boxes.size());
  for (shift_ = std::max(std::ilogb(side), 0); shift_ <= 32; ++shift_) {
    columns_ = (hull.width() >> shift_) + 1;
    rows_ = (hull.height() >> shift_) + 1;
    if (static_cast<std::uint64_t>(columns_) * static_cast<std::uint64_t>(rows_) >
        kBinsPerBox * n + 16)
      continue;
    std::uint64_t entries = 0;
    for (const Box32& box : boxes) entries += bins_of(box);
    if (entries <= kEntriesPerBox * n) return true;
  }
  return false;
}

bool CellGrid::fill(std::span<const Box32> boxes) {
  const auto bins = static_cast<std::size_t>(columns_ * rows_);
  start_.assign(bins + 1, 0);
  for (const Box32& box : boxes) for_each_bin(box, [&](std::size_t bin) { ++start_[bin + 1]; });
  double crowd = 0.0;
  for (std::size_t bin = 0; bin < bins; ++bin) {
    const auto count = static_cast<double>(start_[bin + 1]);
    crowd += count * count;
    start_[bin + 1] += start_[bin];
  }
  return crowd <= kCrowd * static_cast<double>(start_.back());
}

std::vector<std::uint32_t> CellGrid::order_by_bin(std::span<const Box32> boxes) const {
  const auto bin_of = [this](const Box32& box) {
    return static_cast<std::size_t>(row(box.y_min) * columns_ + column(box.x_min));
  };
  std::vector<std::uint32_t> next(start_.size(), 0);
  for (const Box32& box : boxes) ++next[bin_of(box) + 1];
  for (std::size_t bin = 1; bin < next.size(); ++bin) next[bin] += next[bin - 1];
  std::vector<std::uint32_t> order(boxes.size());
  for (std::uint32_t i = 0; i < boxes.size(); ++i) order[next[bin_of(boxes[i])]++] = i;
  return order;
}

bool CellGrid::build(std::span<const Box32> boxes, std::vector<std::uint32_t>& order) {
  if (boxes.empty() || boxes.size() > kMostBoxes || !choose_bins(boxes) || !fill(boxes)) {
    start_ = {};
    return false;
  }
  order = order_by_bin(boxes);
  entries_.resize(start_.back());
  std::vector<std::uint32_t> next(start_.begin(), start_.end() - 1);
  for (std::uint32_t k = 0; k < order.size(); ++k)
    for_each_bin(boxes[order[k]], [&](std::size_t bin) { entries_[next[bin]++] = k; });
  return true;
}

}  // namespace yieldloop::layout

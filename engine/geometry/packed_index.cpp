#include "engine/geometry/packed_index.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/geometry/radix_sort.h"

namespace yieldloop::geometry {
namespace {

/// Boxes in a vertical slice: as many as make the pages of the slices about square.
std::size_t slice_size(std::size_t boxes) {
  const double pages = std::ceil(static_cast<double>(boxes) / PackedIndex::kFanout);
  return static_cast<std::size_t>(std::ceil(std::sqrt(pages))) * PackedIndex::kFanout;
}

std::vector<std::uint32_t> unsorted(std::size_t size) {
  std::vector<std::uint32_t> order(size);
  std::iota(order.begin(), order.end(), 0U);
  return order;
}

/// Twice a centre coordinate as a number of 33 bits that sorts alike.
std::uint64_t centre_key(std::int32_t low, std::int32_t high) {
  return static_cast<std::uint64_t>(std::int64_t{low} + high + (std::int64_t{1} << 32));
}

constexpr int kCentreBits = 33;

}  // namespace

std::vector<std::uint32_t> packed_order(std::span<const Box> boxes) {
  if (boxes.size() < PackedIndex::kLinear) return unsorted(boxes.size());
  const auto small = [](const Box& b) {
    return fits32(Point{b.x_min, b.y_min}) && fits32(Point{b.x_max, b.y_max});
  };
  if (std::all_of(boxes.begin(), boxes.end(), small)) {
    std::vector<Box32> narrowed;
    narrowed.reserve(boxes.size());
    for (const Box& b : boxes) narrowed.push_back(narrow(b));
    return packed_order(std::span<const Box32>(narrowed));
  }
  std::vector<std::uint32_t> order = unsorted(boxes.size());
  const auto by = [&](auto key) {
    return [&boxes, key](std::uint32_t a, std::uint32_t b) {
      const auto left = key(boxes[a]);
      const auto right = key(boxes[b]);
      return left != right ? left < right : a < b;
    };
  };
  std::sort(order.begin(), order.end(), by([](const Box& b) { return b.x_min + b.x_max; }));
  const std::size_t slice = slice_size(boxes.size());
  for (std::size_t first = 0; first < order.size(); first += slice) {
    const std::size_t last = std::min(first + slice, order.size());
    std::sort(order.begin() + static_cast<std::ptrdiff_t>(first),
              order.begin() + static_cast<std::ptrdiff_t>(last),
              by([](const Box& b) { return b.y_min + b.y_max; }));
  }
  return order;
}

std::vector<std::uint32_t> packed_order(std::span<const Box32> boxes) {
  std::vector<std::uint32_t> order = unsorted(boxes.size());
  if (boxes.size() < PackedIndex::kLinear) return order;
  std::vector<Keyed> items(boxes.size());
  std::vector<Keyed> scratch;
  for (std::uint32_t i = 0; i < boxes.size(); ++i)
    items[i] = {centre_key(boxes[i].x_min, boxes[i].x_max), i};
  radix_sort(items, scratch, kCentreBits);
  // The slice of every box goes above its height, so that one more sort makes the whole order.
  const std::size_t slice = slice_size(boxes.size());
  for (std::size_t rank = 0; rank < items.size(); ++rank)
    order[items[rank].item] = static_cast<std::uint32_t>(rank / slice);
  int slice_bits = 1;
  while ((boxes.size() / slice) >> slice_bits != 0) ++slice_bits;
  for (std::uint32_t i = 0; i < boxes.size(); ++i)
    items[i] = {std::uint64_t{order[i]} << kCentreBits | centre_key(boxes[i].y_min, boxes[i].y_max),
                i};
  radix_sort(items, scratch, kCentreBits + slice_bits);
  for (std::size_t i = 0; i < items.size(); ++i) order[i] = items[i].item;
  return order;
}

template <class B>
void PackedIndex::append_level(std::span<const B> below, std::vector<Box32>& level) {
  level.reserve(below.size() / kFanout + 1);
  for (std::size_t i = 0; i < below.size(); i += kFanout) {
    Box hull;
    for (std::size_t k = i; k < std::min(i + kFanout, below.size()); ++k)
      hull.include(static_cast<Box>(below[k]));
    level.push_back(clamped(hull));
  }
}

template <class B>
void PackedIndex::build(std::span<const B> boxes) {
  if (boxes.size() < kLinear) return;
  std::vector<Box32> level;
  append_level(boxes, level);
  for (;;) {
    const std::size_t start = nodes_.size();
    levels_.push_back(start);
    nodes_.insert(nodes_.end(), level.begin(), level.end());
    if (level.size() <= kFanout) break;
    level.clear();
    append_level(std::span<const Box32>(nodes_).subspan(start), level);
  }
  nodes_.shrink_to_fit();
}

PackedIndex::PackedIndex(std::span<const Box> boxes) { build(boxes); }
PackedIndex::PackedIndex(std::span<const Box32> boxes) { build(boxes); }

}  // namespace yieldloop::geometry

/// \file
/// A static R-tree packed into one array.
///
/// Boxes are put into sort-tile-recursive order and grouped by 16; each group's bounding box is
/// an entry of the level above, up to one root group. No pointers; it adds about 1 byte a box.
/// Fewer than 32 boxes are scanned without any tree. Groups are kept in 32 bits: what lies beyond
/// is moved to the border, which finds more than it must and never less.
/// Cost: O(n log n) to build, O(log n + found) for small windows.
///
/// Source: S. T. Leutenegger, M. A. Lopez, J. Edgington, "STR: a simple and efficient algorithm
/// for R-tree packing", ICDE 1997.
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "engine/geometry/box.h"

namespace yieldloop::geometry {

/// The order in which the boxes should be stored: result[k] is the old position of the new k-th.
/// Deterministic; the identity for fewer than 32 boxes.
std::vector<std::uint32_t> packed_order(std::span<const Box> boxes);
/// The same order in linear time.
std::vector<std::uint32_t> packed_order(std::span<const Box32> boxes);

/// A window that many boxes are compared with. All four comparisons are made at once: which of
/// them fails is a matter of chance, and a branch on each would be mispredicted.
class BoxProbe {
 public:
  explicit BoxProbe(const Box32& window)
      : window_(window)
#ifdef __SSE2__
        ,
        high_(_mm_setr_epi32(window.x_max, window.y_max, kMax, kMax)),
        low_(_mm_setr_epi32(kMin, kMin, window.x_min, window.y_min))
#endif
  {
  }
  const Box32& window() const { return window_; }
  bool touches(const Box32& box) const {
#ifdef __SSE2__
    const __m128i sides = _mm_loadu_si128(reinterpret_cast<const __m128i*>(&box));
    return _mm_movemask_epi8(
               _mm_or_si128(_mm_cmpgt_epi32(sides, high_), _mm_cmpgt_epi32(low_, sides))) == 0;
#else
    return (box.x_min <= window_.x_max) & (window_.x_min <= box.x_max) &
           (box.y_min <= window_.y_max) & (window_.y_min <= box.y_max);
#endif
  }

 private:
  static constexpr std::int32_t kMin = std::numeric_limits<std::int32_t>::min();
  static constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();
  Box32 window_;
#ifdef __SSE2__
  __m128i high_;
  __m128i low_;
#endif
};

class PackedIndex {
 public:
  PackedIndex() = default;
  /// `boxes` already in packed order. They are not copied: `for_each` is told the position of
  /// leaf groups and the caller tests its own boxes.
  explicit PackedIndex(std::span<const Box> boxes);
  explicit PackedIndex(std::span<const Box32> boxes);

  /// Calls visit(first, last) for ranges of positions that may hold boxes touching the window;
  /// ranges come in ascending order and do not overlap. `count` is the number of boxes.
  template <class Visit>
  void for_each_range(const Box& window, std::size_t count, Visit&& visit) const {
    if (levels_.empty()) {
      if (count > 0) visit(std::size_t{0}, count);
      return;
    }
    if (window.empty()) return;
    for_each_range(BoxProbe(clamped(window)), count, visit);
  }

  template <class Visit>
  void for_each_range(const BoxProbe& window, std::size_t count, Visit&& visit) const {
    if (levels_.empty()) {
      if (count > 0) visit(std::size_t{0}, count);
      return;
    }
    descend(levels_.size() - 1, 0, entries(levels_.size() - 1), window, count, visit);
  }

  std::size_t memory_bytes() const { return nodes_.capacity() * sizeof(Box32); }

  static constexpr std::size_t kFanout = 16;
  static constexpr std::size_t kLinear = 32;

 private:
  std::size_t entries(std::size_t level) const {
    return (level + 1 < levels_.size() ? levels_[level + 1] : nodes_.size()) - levels_[level];
  }

  template <class Visit>
  void descend(std::size_t level, std::size_t first, std::size_t last, const BoxProbe& window,
               std::size_t count, Visit&& visit) const {
    const Box32* nodes = nodes_.data() + levels_[level];
    for (std::size_t i = first; i < last; ++i) {
      if (!window.touches(nodes[i])) continue;
      const std::size_t below = i * kFanout;
      if (level == 0) {
        visit(below, below + kFanout < count ? below + kFanout : count);
      } else {
        const std::size_t size = entries(level - 1);
        descend(level - 1, below, below + kFanout < size ? below + kFanout : size, window, count,
                visit);
      }
    }
  }

  template <class B>
  void build(std::span<const B> boxes);
  template <class B>
  static void append_level(std::span<const B> below, std::vector<Box32>& level);

  std::vector<Box32> nodes_;         ///< Level 0 (groups of boxes) first.
  std::vector<std::size_t> levels_;  ///< Start of each level in nodes_.
};

}  // namespace yieldloop::geometry

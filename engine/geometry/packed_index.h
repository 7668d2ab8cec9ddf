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

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/geometry/box.h"

namespace yieldloop::geometry {

/// The order in which the boxes should be stored: result[k] is the old position of the new k-th.
/// Deterministic; the identity for fewer than 32 boxes.
std::vector<std::uint32_t> packed_order(std::span<const Box> boxes);
/// The same order in linear time.
std::vector<std::uint32_t> packed_order(std::span<const Box32> boxes);

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
    descend(levels_.size() - 1, 0, entries(levels_.size() - 1), clamped(window), count, visit);
  }

  std::size_t memory_bytes() const { return nodes_.capacity() * sizeof(Box32); }

  /// All four comparisons at once: which of them fails is a matter of chance, and a branch on
  /// each would be mispredicted.
  static bool may_touch(const Box32& a, const Box32& b) {
    return (a.x_min <= b.x_max) & (b.x_min <= a.x_max) & (a.y_min <= b.y_max) &
           (b.y_min <= a.y_max);
  }

  static constexpr std::size_t kFanout = 16;
  static constexpr std::size_t kLinear = 32;

 private:
  std::size_t entries(std::size_t level) const {
    return (level + 1 < levels_.size() ? levels_[level + 1] : nodes_.size()) - levels_[level];
  }

  template <class Visit>
  void descend(std::size_t level, std::size_t first, std::size_t last, const Box32& window,
               std::size_t count, Visit&& visit) const {
    const Box32* nodes = nodes_.data() + levels_[level];
    for (std::size_t i = first; i < last; ++i) {
      if (!may_touch(nodes[i], window)) continue;
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

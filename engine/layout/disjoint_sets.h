/// \file
/// Sets of numbers joined pair by pair; for this folder's sources.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace yieldloop::layout {

/// A set is known by its smallest member, so that the order of joining does not matter.
class DisjointSets {
 public:
  explicit DisjointSets(std::size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), 0U);
  }
  std::uint32_t root(std::uint32_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::uint32_t a, std::uint32_t b) {
    a = root(a);
    b = root(b);
    if (a != b) parent_[std::max(a, b)] = std::min(a, b);
  }
  /// Numbers the sets from 0 in the order of their smallest members.
  std::uint32_t number(std::vector<std::uint32_t>& set_of) {
    set_of.resize(parent_.size());
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < parent_.size(); ++i) {
      const std::uint32_t r = root(i);
      set_of[i] = r == i ? count++ : set_of[r];
    }
    return count;
  }

 private:
  std::vector<std::uint32_t> parent_;
};

/// Whether two boxes share area or a stretch of border.
template <class AnyBox>
bool join_up(const AnyBox& a, const AnyBox& b) {
  const auto x = std::min(a.x_max, b.x_max) - std::max(a.x_min, b.x_min);
  const auto y = std::min(a.y_max, b.y_max) - std::max(a.y_min, b.y_min);
  return x >= 0 && y >= 0 && (x > 0 || y > 0);
}

}  // namespace yieldloop::layout

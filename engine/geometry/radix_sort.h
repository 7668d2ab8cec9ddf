/// \file
/// Sorting by whole numbers in linear time; for this folder's sources.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace yieldloop::geometry {

/// A number to sort by and the position of what it belongs to.
struct Keyed {
  std::uint64_t key = 0;
  std::uint32_t item = 0;
};

/// Stable, by the low `bits` of the key, 11 at a time.
inline void radix_sort(std::vector<Keyed>& items, std::vector<Keyed>& scratch, int bits) {
  constexpr int kDigit = 11;
  constexpr std::size_t kBuckets = std::size_t{1} << kDigit;
  scratch.resize(items.size());
  for (int shift = 0; shift < bits; shift += kDigit) {
    std::array<std::size_t, kBuckets + 1> start{};
    const auto digit = [shift](const Keyed& k) { return k.key >> shift & (kBuckets - 1); };
    for (const Keyed& k : items) ++start[digit(k) + 1];
    for (std::size_t i = 0; i < kBuckets; ++i) start[i + 1] += start[i];
    for (const Keyed& k : items) scratch[start[digit(k)]++] = k;
    items.swap(scratch);
  }
}

}  // namespace yieldloop::geometry

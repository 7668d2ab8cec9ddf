/// \file
/// Sorting by whole numbers in linear time; for this folder's sources.
#pragma once

#include <algorithm>
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

/// Stable, by the low `bits` (at least 1) of the key, 11 at most at a time. REQUIRES: fewer than
/// 2^32 items.
inline void radix_sort(std::vector<Keyed>& items, std::vector<Keyed>& scratch, int bits) {
  constexpr int kDigit = 11;
  // As many rounds as digits of 11 bits take, but none wider than it must be: the buckets are
  // gone through in every round.
  const int rounds = (bits + kDigit - 1) / kDigit;
  const int digit_bits = (bits + rounds - 1) / rounds;
  const std::size_t buckets = std::size_t{1} << digit_bits;
  std::array<std::uint32_t, (std::size_t{1} << kDigit) + 1> start;
  scratch.resize(items.size());
  for (int shift = 0; shift < bits; shift += digit_bits) {
    std::fill_n(start.begin(), buckets + 1, 0U);
    const auto digit = [shift, buckets](const Keyed& k) { return k.key >> shift & (buckets - 1); };
    for (const Keyed& k : items) ++start[digit(k) + 1];
    for (std::size_t i = 0; i < buckets; ++i) start[i + 1] += start[i];
    for (const Keyed& k : items) scratch[start[digit(k)]++] = k;
    items.swap(scratch);
  }
}

}  // namespace yieldloop::geometry

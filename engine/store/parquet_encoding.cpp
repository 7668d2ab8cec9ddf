#include "engine/store/parquet_encoding.h"

#include <algorithm>
#include <array>
#include <type_traits>

namespace yieldloop::store::parquet {
namespace {

constexpr std::size_t kBlock = 128;
constexpr std::size_t kMiniblocks = 4;
constexpr std::size_t kMiniblock = kBlock / kMiniblocks;

template <class T>
void put_delta_block(Buffer& out, std::span<const T> deltas) {
  using Unsigned = std::make_unsigned_t<T>;
  const T smallest = std::ranges::min(deltas);
  std::array<Unsigned, kBlock> offsets{};
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    offsets[i] = static_cast<Unsigned>(deltas[i]) - static_cast<Unsigned>(smallest);
  }
  std::array<unsigned, kMiniblocks> widths{};
  for (std::size_t m = 0; m < kMiniblocks; ++m) {
    Unsigned all = 0;
    for (std::size_t i = 0; i < kMiniblock; ++i) all |= offsets[m * kMiniblock + i];
    widths[m] = static_cast<unsigned>(std::bit_width(all));
  }
  out.put_zigzag(smallest);
  for (const unsigned width : widths) out.put(static_cast<std::uint8_t>(width));
  for (std::size_t m = 0; m < kMiniblocks; ++m) {
    // Miniblocks past the last value are left out.
    if (m * kMiniblock >= deltas.size()) break;
    if (widths[m] > 0) put_packed(out, &offsets[m * kMiniblock], kMiniblock, widths[m]);
  }
}

}  // namespace

template <class T>
void put_delta(Buffer& out, std::span<const T> values) {
  using Unsigned = std::make_unsigned_t<T>;
  out.put_varint(kBlock);
  out.put_varint(kMiniblocks);
  out.put_varint(values.size());
  out.put_zigzag(values.empty() ? 0 : values[0]);
  std::array<T, kBlock> deltas{};
  for (std::size_t from = 1; from < values.size(); from += kBlock) {
    const std::size_t count = std::min(kBlock, values.size() - from);
    for (std::size_t i = 0; i < count; ++i) {
      deltas[i] = static_cast<T>(static_cast<Unsigned>(values[from + i]) -
                                 static_cast<Unsigned>(values[from + i - 1]));
    }
    put_delta_block<T>(out, std::span(deltas).first(count));
  }
}

template void put_delta(Buffer&, std::span<const std::int32_t>);
template void put_delta(Buffer&, std::span<const std::int64_t>);

}  // namespace yieldloop::store::parquet

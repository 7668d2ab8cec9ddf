/// \file
/// Takes the fields of one STDF record from its body, in order.
///
/// Trailing fields may be left out at any field boundary, so a field behind the end has its
/// "missing" value; `cut()` says that the body ended inside a field, which is damage.
///
/// Source: "Standard Test Data Format (STDF) Specification", version 4, Teradyne, "Data Type
/// Codes and Representation".
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace yieldloop::ingest::stdf {

/// Not thread-safe; `Cn` texts are views of the body.
class Fields {
 public:
  Fields(std::span<const std::byte> body, std::endian order)
      : at_(body.data()), end_(body.data() + body.size()), swap_(order != std::endian::native) {}

  std::uint8_t u1(std::uint8_t missing = 0) { return take<std::uint8_t>(missing); }
  std::int8_t i1() { return take<std::int8_t>(0); }
  std::uint16_t u2(std::uint16_t missing = 0) { return take<std::uint16_t>(missing); }
  std::uint32_t u4(std::uint32_t missing = 0) { return take<std::uint32_t>(missing); }
  std::int16_t i2(std::int16_t missing = -32768) { return take<std::int16_t>(missing); }
  float r4() { return std::bit_cast<float>(take<std::uint32_t>(0)); }
  char c1() { return static_cast<char>(take<std::uint8_t>(' ')); }
  /// "" when left out.
  std::string_view cn() {
    if (at_ == end_) return {};
    const std::size_t length = u1();
    if (!has(length)) return fail(), std::string_view();
    const std::string_view text(reinterpret_cast<const char*>(at_), length);
    at_ += length;
    return text;
  }
  /// Skips `count` bytes: arrays that are not stored.
  void skip(std::size_t count) {
    if (at_ == end_) return;
    if (!has(count)) return fail();
    at_ += count;
  }
  /// The next `count` bytes in place; empty (and cut) when they are not all there.
  std::span<const std::byte> block(std::size_t count) {
    if (!has(count)) return fail(), std::span<const std::byte>();
    const std::span<const std::byte> bytes(at_, count);
    at_ += count;
    return bytes;
  }

  /// What was not taken yet.
  std::string_view rest() const {
    return {reinterpret_cast<const char*>(at_), static_cast<std::size_t>(end_ - at_)};
  }
  void take_rest() { at_ = end_; }

  bool ended() const { return at_ == end_; }
  bool has(std::size_t count) const { return static_cast<std::size_t>(end_ - at_) >= count; }
  bool cut() const { return cut_; }

 private:
  template <class T>
  T take(T missing) {
    if (!has(sizeof(T))) {
      if (at_ != end_) fail();
      return missing;
    }
    T value;
    std::memcpy(&value, at_, sizeof(T));
    at_ += sizeof(T);
    if constexpr (sizeof(T) == 2) {
      if (swap_) value = static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(value)));
    } else if constexpr (sizeof(T) == 4) {
      if (swap_) value = static_cast<T>(__builtin_bswap32(static_cast<std::uint32_t>(value)));
    }
    return value;
  }
  void fail() {
    cut_ = true;
    at_ = end_;
  }

  const std::byte* at_;
  const std::byte* end_;
  bool swap_;
  bool cut_ = false;
};

}  // namespace yieldloop::ingest::stdf

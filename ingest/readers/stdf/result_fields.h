/// \file
/// The fields of a PTR that are never left out, taken in one go. Shared by the row reader and the
/// column reader: this is where a file's time goes.
///
/// Source: "Standard Test Data Format (STDF) Specification", version 4, Teradyne, "Parametric Test
/// Record", TEST_FLG.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace yieldloop::ingest::stdf {

// TEST_FLG
inline constexpr unsigned kResultInvalid = 0x02;
inline constexpr unsigned kNotExecuted = 0x10;
inline constexpr unsigned kNoVerdictOfTest = 0x40;
inline constexpr unsigned kTestFailed = 0x80;

struct PtrHead {
  std::uint32_t number = 0;
  std::uint8_t head = 0, site = 0, flags = 0;
  float result = 0.0F;
  std::string_view text;  ///< "" when left out.
  std::size_t taken = 0;  ///< Bytes up to OPT_FLAG.
  bool valid = false;     ///< RESULT is there and may be used.
};

/// False when the record ends within these fields.
inline bool read_ptr_head(std::span<const std::byte> body, bool swap, PtrHead& p) {
  if (body.size() < 8) return false;
  const auto* at = reinterpret_cast<const unsigned char*>(body.data());
  std::memcpy(&p.number, at, 4);
  if (swap) p.number = __builtin_bswap32(p.number);
  p.head = at[4];
  p.site = at[5];
  p.flags = at[6];
  p.text = {};
  p.taken = body.size();
  if (body.size() < 12) {
    p.valid = false;
    p.result = 0.0F;
    return body.size() == 8;
  }
  std::uint32_t bits = 0;
  std::memcpy(&bits, at + 8, 4);
  if (swap) bits = __builtin_bswap32(bits);
  p.result = std::bit_cast<float>(bits);
  // All exponent bits set: NaN or an infinity.
  p.valid = (p.flags & (kResultInvalid | kNotExecuted)) == 0 && (~bits & 0x7f80'0000U) != 0;
  std::size_t next = 12;
  if (next == body.size()) return true;
  const std::size_t text_size = at[next++];
  if (body.size() - next < text_size) return false;
  p.text = std::string_view(reinterpret_cast<const char*>(at) + next, text_size);
  next += text_size;
  if (next == body.size()) return true;
  next += 1U + at[next];  // ALARM_ID
  if (next > body.size()) return false;
  p.taken = next;
  return true;
}

}  // namespace yieldloop::ingest::stdf

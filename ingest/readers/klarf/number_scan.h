/// \file
/// Numbers of defect rows, eight digits at a time.
///
/// A value is returned only when it is certain to be the nearest double: at most 18 digits, a
/// mantissa up to 2^53 and a power of ten up to 10^22, so that one exact multiplication or division
/// rounds once. Everything else ("NA", 3-digit exponents, long mantissas) is left to the careful
/// reader, which gives the same value for what both can read.
///
/// Source: W. D. Clinger, "How to read floating point numbers accurately", PLDI 1990.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace yieldloop::ingest::klarf {

/// Room that must lie behind a number's first character.
inline constexpr std::size_t kScanRoom = 64;

namespace scan {

inline constexpr std::array<double, 23> kTens = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
inline constexpr std::array<std::uint64_t, 9> kWholeTens = {
    1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000};

struct Digits {
  std::uint64_t value;
  unsigned count;
};

/// Up to eight digits at `at`. Reads eight bytes.
inline Digits eight_digits(const char* at) {
  if constexpr (std::endian::native != std::endian::little) {
    Digits digits{0, 0};
    for (; digits.count < 8 && at[digits.count] >= '0' && at[digits.count] <= '9'; ++digits.count) {
      digits.value = digits.value * 10 + static_cast<std::uint64_t>(at[digits.count] - '0');
    }
    return digits;
  }
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  word ^= 0x3030303030303030U;
  // The lowest byte that is no digit is marked; a carry can only reach bytes behind it.
  const std::uint64_t other = ((word + 0x7676767676767676U) | word) & 0x8080808080808080U;
  const auto count = static_cast<unsigned>(std::countr_zero(other)) / 8;
  if (count == 0) return {0, 0};
  word <<= (8 - count) * 8;
  word = word * 10 + (word >> 8U);
  word = ((word & 0x000000FF000000FFU) * 0x000F424000000064U +
          ((word >> 16U) & 0x000000FF000000FFU) * 0x0000271000000001U) >>
         32U;
  return {word & 0xFFFFFFFFU, count};
}

inline bool is_end(char c) { return c == ' ' || c == '\n' || c == ';' || c == '\r' || c == '\t'; }

/// Appends further digits; false when there are too many.
inline bool more_digits(const char*& at, std::uint64_t& value, unsigned& count) {
  for (;;) {
    const Digits next = eight_digits(at);
    value = value * kWholeTens[next.count] + next.value;
    count += next.count;
    at += next.count;
    if (next.count < 8) return count <= 18;
    if (count > 10) return false;
  }
}

}  // namespace scan

/// A whole number and the end of its word behind it; `at` is left there.
/// REQUIRES: kScanRoom bytes at `at`.
inline bool scan_whole(const char*& at, std::int64_t& out) {
  // Signs come in no order a processor could guess: no branch on them.
  const std::int64_t negative = *at == '-' ? 1 : 0;
  const char* p = at + negative;
  std::uint64_t value = 0;
  unsigned count = 0;
  if (!scan::more_digits(p, value, count) || count == 0 || !scan::is_end(*p)) return false;
  out = (static_cast<std::int64_t>(value) ^ -negative) + negative;
  at = p;
  return true;
}

/// A number and the end of its word behind it; `at` is left there.
/// REQUIRES: kScanRoom bytes at `at`.
inline bool scan_real(const char*& at, double& out) {
  const std::uint64_t negative = *at == '-' ? 1 : 0;
  const char* p = at + negative;
  std::uint64_t value = 0;
  unsigned count = 0;
  if (!scan::more_digits(p, value, count)) return false;
  int exponent = 0;
  if (*p == '.') {
    ++p;
    const unsigned before = count;
    if (!scan::more_digits(p, value, count)) return false;
    exponent = -static_cast<int>(count - before);
  }
  if (count == 0) return false;
  if (*p == 'e' || *p == 'E') {
    ++p;
    const bool down = *p == '-';
    if (*p == '-' || *p == '+') ++p;
    const scan::Digits digits = scan::eight_digits(p);
    if (digits.count == 0 || digits.count > 3) return false;
    p += digits.count;
    const int said = static_cast<int>(digits.value);
    exponent += down ? -said : said;
  }
  if (!scan::is_end(*p) || value > (std::uint64_t{1} << 53U)) return false;
  double number = static_cast<double>(value);
  if (exponent < 0) {
    if (exponent < -22) return false;
    number /= scan::kTens[static_cast<std::size_t>(-exponent)];
  } else if (exponent > 0) {
    if (exponent > 22) return false;
    number *= scan::kTens[static_cast<std::size_t>(exponent)];
  }
  out = std::bit_cast<double>(std::bit_cast<std::uint64_t>(number) | negative << 63U);
  at = p;
  return true;
}

}  // namespace yieldloop::ingest::klarf

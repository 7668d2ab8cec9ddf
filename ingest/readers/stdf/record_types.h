/// \file
/// The record types of STDF V4 and V4-2007 by number: their names, and how short they may be.
///
/// Source: "Standard Test Data Format (STDF) Specification", version 4, Teradyne, and its 2007
/// revision, tables of record types.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace yieldloop::ingest::stdf {

/// REC_TYP and REC_SUB in one number, for switches: `PTR` is type_code(15, 10).
constexpr std::uint16_t type_code(unsigned type, unsigned subtype) {
  return static_cast<std::uint16_t>(type << 8U | subtype);
}

inline constexpr std::uint16_t kFar = type_code(0, 10);
inline constexpr std::uint16_t kAtr = type_code(0, 20);
inline constexpr std::uint16_t kVur = type_code(0, 30);
inline constexpr std::uint16_t kMir = type_code(1, 10);
inline constexpr std::uint16_t kMrr = type_code(1, 20);
inline constexpr std::uint16_t kPcr = type_code(1, 30);
inline constexpr std::uint16_t kHbr = type_code(1, 40);
inline constexpr std::uint16_t kSbr = type_code(1, 50);
inline constexpr std::uint16_t kPmr = type_code(1, 60);
inline constexpr std::uint16_t kPgr = type_code(1, 62);
inline constexpr std::uint16_t kPlr = type_code(1, 63);
inline constexpr std::uint16_t kRdr = type_code(1, 70);
inline constexpr std::uint16_t kSdr = type_code(1, 80);
inline constexpr std::uint16_t kPsr = type_code(1, 90);
inline constexpr std::uint16_t kNmr = type_code(1, 91);
inline constexpr std::uint16_t kCnr = type_code(1, 92);
inline constexpr std::uint16_t kSsr = type_code(1, 93);
inline constexpr std::uint16_t kCdr = type_code(1, 94);
inline constexpr std::uint16_t kWir = type_code(2, 10);
inline constexpr std::uint16_t kWrr = type_code(2, 20);
inline constexpr std::uint16_t kWcr = type_code(2, 30);
inline constexpr std::uint16_t kPir = type_code(5, 10);
inline constexpr std::uint16_t kPrr = type_code(5, 20);
inline constexpr std::uint16_t kTsr = type_code(10, 30);
inline constexpr std::uint16_t kPtr = type_code(15, 10);
inline constexpr std::uint16_t kMpr = type_code(15, 15);
inline constexpr std::uint16_t kFtr = type_code(15, 20);
inline constexpr std::uint16_t kStr = type_code(15, 30);
inline constexpr std::uint16_t kBps = type_code(20, 10);
inline constexpr std::uint16_t kEps = type_code(20, 20);
inline constexpr std::uint16_t kGdr = type_code(50, 10);
inline constexpr std::uint16_t kDtr = type_code(50, 30);

struct RecordType {
  std::uint16_t code;
  std::string_view name;  ///< "PTR".
  std::size_t least;      ///< Bytes of the fields that are never left out.
};

/// nullptr for a type the standard does not name.
const RecordType* find_record_type(std::uint16_t code);

/// Position of a known type plus one, 0 for any other: a table small enough to stay in the cache.
/// Shape: [64 types * 128 subtypes]; all known types fit.
extern const std::array<std::uint8_t, 64 * 128> kTypeIndex;
inline constexpr std::size_t kTypeCount = 32;

/// Position of a type among the known ones plus one; 0 for any other.
inline std::size_t type_index(std::uint16_t code) {
  const unsigned type = code >> 8U;
  const unsigned subtype = code & 0xffU;
  return type < 64 && subtype < 128 ? kTypeIndex[type * 128U + subtype] : 0U;
}
/// The type at a position. REQUIRES: 1 <= index <= kTypeCount.
const RecordType& type_at(std::size_t index);

}  // namespace yieldloop::ingest::stdf

/// \file
/// The record types of STDF V4 and V4-2007 by number: their names, and how short they may be.
///
/// Source: "Standard Test Data Format (STDF) Specification", version 4, Teradyne, and its 2007
/// revision, tables of record types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace yieldloop::ingest::stdf {

/// REC_TYP and REC_SUB in one number, for switches: `PTR` is type_code(15, 10).
constexpr std::uint16_t type_code(unsigned type, unsigned subtype) {
  return static_cast<std::uint16_t>(type << 8U | subtype);
}

inline constexpr std::uint16_t kFar = type_code(0, 10);
inline constexpr std::uint16_t kMir = type_code(1, 10);
inline constexpr std::uint16_t kMrr = type_code(1, 20);
inline constexpr std::uint16_t kPcr = type_code(1, 30);
inline constexpr std::uint16_t kHbr = type_code(1, 40);
inline constexpr std::uint16_t kSbr = type_code(1, 50);
inline constexpr std::uint16_t kSdr = type_code(1, 80);
inline constexpr std::uint16_t kWir = type_code(2, 10);
inline constexpr std::uint16_t kWrr = type_code(2, 20);
inline constexpr std::uint16_t kWcr = type_code(2, 30);
inline constexpr std::uint16_t kPir = type_code(5, 10);
inline constexpr std::uint16_t kPrr = type_code(5, 20);
inline constexpr std::uint16_t kTsr = type_code(10, 30);
inline constexpr std::uint16_t kPtr = type_code(15, 10);
inline constexpr std::uint16_t kMpr = type_code(15, 15);
inline constexpr std::uint16_t kFtr = type_code(15, 20);

struct RecordType {
  std::uint16_t code;
  std::string_view name;  ///< "PTR".
  std::size_t least;      ///< Bytes of the fields that are never left out.
};

/// nullptr for a type the standard does not name.
const RecordType* find_record_type(std::uint16_t code);

}  // namespace yieldloop::ingest::stdf

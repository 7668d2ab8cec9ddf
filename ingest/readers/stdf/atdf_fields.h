/// \file
/// The fields of every ATDF record, in the order of the text: ATDF is the ASCII twin of STDF.
///
///   record := TYP ':' field { separator field }     FAR:A|4|2|U names the separator: its 6th char
///
/// Most fields are STDF fields in another order. Flags are spelt as letters, counts of arrays are
/// left out, arrays have commas between their elements. V4-2007's records have no published ATDF;
/// they are written field by field in STDF's order (docs/formats/atdf.md).
///
/// Source: "ASCII Test Data Format (ATDF) Specification", version 2, Teradyne, as far as it can be
/// seen in public tools and files.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ingest/readers/stdf/record_layout.h"

namespace yieldloop::ingest::stdf {

/// How a field is written.
enum class AtdfStyle : std::uint8_t {
  kPlain,         ///< A number, a text, a list of them.
  kTime,          ///< 9:03:00 21-JAN-2024
  kHexList,       ///< A,0,F
  kHexBytes,      ///< 0AFF
  kBitList,       ///< Positions of the bits that are set: 3,17
  kPartVerdict,   ///< P, F or nothing: PART_FLG bits 3 and 4.
  kRetest,        ///< I (supersedes the part id), C (the coordinates): PART_FLG bits 0 and 1.
  kAbort,         ///< Y: PART_FLG bit 2.
  kTestVerdict,   ///< P, F, A (alternate limits) or nothing: TEST_FLG bits 6, 7, PARM_FLG bit 5.
  kAlarms,        ///< Letters of the other bits of TEST_FLG and PARM_FLG.
  kLimitCompare,  ///< L, H: PARM_FLG bits 6 and 7.
  kRadix,         ///< B,O,D,H,S
  kStates,        ///< Characters of a PLR: commas within a group, '/' between groups.
};

struct AtdfField {
  AtdfStyle style = AtdfStyle::kPlain;
  std::size_t field = 0;    ///< Position in the STDF record.
  std::uint8_t absent = 0;  ///< Bits of OPT_FLAG, any of which says that there is no value.
};

struct AtdfRecord {
  const RecordLayout* layout = nullptr;
  std::vector<AtdfField> fields;
  std::size_t opt_flag = SIZE_MAX;  ///< Position of OPT_FLAG in the STDF record.
  std::uint8_t opt_default = 0;     ///< Its reserved bits.
};

/// nullptr for a type without ATDF fields of this kind: FAR and GDR are spelt apart.
const AtdfRecord* find_atdf_record(std::uint16_t code);

}  // namespace yieldloop::ingest::stdf

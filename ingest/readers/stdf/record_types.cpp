#include "ingest/readers/stdf/record_types.h"

#include <array>

namespace yieldloop::ingest::stdf {
namespace {

constexpr auto kTypes = std::to_array<RecordType>({
    {kFar, "FAR", 2},
    {type_code(0, 20), "ATR", 4},
    {type_code(0, 30), "VUR", 1},
    {kMir, "MIR", 15},
    {kMrr, "MRR", 4},
    {kPcr, "PCR", 6},
    {kHbr, "HBR", 8},
    {kSbr, "SBR", 8},
    {type_code(1, 60), "PMR", 2},
    {type_code(1, 62), "PGR", 2},
    {type_code(1, 63), "PLR", 2},
    {type_code(1, 70), "RDR", 2},
    {kSdr, "SDR", 3},
    {type_code(1, 90), "PSR", 6},
    {type_code(1, 91), "NMR", 5},
    {type_code(1, 92), "CNR", 8},
    {type_code(1, 93), "SSR", 3},
    {type_code(1, 94), "CDR", 4},
    {kWir, "WIR", 6},
    {kWrr, "WRR", 10},
    {kWcr, "WCR", 0},
    {kPir, "PIR", 2},
    {kPrr, "PRR", 7},
    {kTsr, "TSR", 7},
    {kPtr, "PTR", 8},
    {kMpr, "MPR", 8},
    {kFtr, "FTR", 7},
    {type_code(15, 30), "STR", 5},
    {type_code(20, 10), "BPS", 0},
    {type_code(20, 20), "EPS", 0},
    {type_code(50, 10), "GDR", 2},
    {type_code(50, 30), "DTR", 1},
});

constexpr std::array<std::uint8_t, 64 * 128> make_index() {
  std::array<std::uint8_t, 64 * 128> index{};
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    index[(kTypes[i].code >> 8U) * 128U + (kTypes[i].code & 0xffU)] =
        static_cast<std::uint8_t>(i + 1);
  }
  return index;
}

static_assert(kTypes.size() == kTypeCount);

}  // namespace

constinit const std::array<std::uint8_t, 64 * 128> kTypeIndex = make_index();

const RecordType& type_at(std::size_t index) { return kTypes[index - 1]; }

const RecordType* find_record_type(std::uint16_t code) {
  const std::size_t index = type_index(code);
  return index == 0 ? nullptr : &kTypes[index - 1];
}

}  // namespace yieldloop::ingest::stdf

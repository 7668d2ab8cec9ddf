/// \file
/// Who met what: the wafers that went through each tool, chamber, recipe, reticle, slot,
/// position, wait, probe card and tester, in the order of time (or of waiting).
///
/// Attributes met by exactly the same wafers cannot be told apart by any data, so they are one
/// row with several names.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/core/fab_data.h"

namespace yieldloop::process {

enum class AttributeKind : std::uint8_t {
  kTimeChange,  ///< All wafers from an instant on, whatever they met.
  kTool,
  kChamber,
  kRecipe,
  kReticle,
  kSlotOrPosition,
  kQueueTime,
  kProbeCard,
  kTester,
};

/// The finding kind of interfaces.md: "tool", "chamber", ..., "test_artefact".
std::string finding_kind(AttributeKind kind);

struct AttributeName {
  AttributeKind kind = AttributeKind::kTool;
  NameId step{}, tool{}, chamber{}, recipe{}, reticle{}, position{};
  NameId insertion{}, probe_card{}, tester{};
  int slot = 0;  ///< 0: not about a slot.
  friend auto operator<=>(const AttributeName&, const AttributeName&) = default;
};

/// Subject fields of interfaces.md, the empty ones left out.
std::map<std::string, std::string> subject_of(const AttributeName& name, const NameTable& names);
/// "ETCH02/B at M1_ETCH", for sentences.
std::string describe(const AttributeName& name, const NameTable& names);

/// Shape: wafers and keys are [n], sorted by key, then wafer. keys holds microseconds, or
/// minutes for a wait; empty when not every run has one.
struct Exposure {
  AttributeName name{};
  std::vector<AttributeName> same_wafers;  ///< Further names of the same set.
  std::vector<std::uint32_t> wafers;
  std::vector<double> keys;
  std::size_t universe = 0;  ///< Position in ExposureTable::universes.
  bool everything = false;   ///< Every wafer of the universe met it.
};

struct ExposureTable {
  std::vector<std::vector<char>> universes;  ///< Shape: [k][wafers]: 1 where comparable.
  std::vector<Exposure> rows;                ///< Sorted by name.
  std::vector<std::uint32_t> lot_of;         ///< Shape: [wafers]: 0..lots-1.
  std::size_t lots = 0;
};

struct ExposureOptions {
  bool queue_times = true;
  bool test_equipment = true;
};

/// A wafer that ran a step twice met both. Cost: O(runs log runs).
ExposureTable tabulate_exposures(const FabData& data, const ExposureOptions& options = {});

}  // namespace yieldloop::process

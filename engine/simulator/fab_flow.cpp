#include "engine/simulator/fab_flow.h"

#include <algorithm>
#include <cassert>

namespace yieldloop::simulator {
namespace {

constexpr std::array<GroupSpec, 19> kGroups{{
    {"MARK", 1, 2, "", 0, ToolKind::kOther},    {"FURN", 1, 4, "", 4, ToolKind::kFurnace},
    {"SCAN", 1, 4, "", 2, ToolKind::kScanner},  {"SCAN", 11, 4, "", 2, ToolKind::kScanner},
    {"ETCH", 1, 3, "AB", 0, ToolKind::kEtch},   {"ETCH", 11, 3, "ABC", 0, ToolKind::kEtch},
    {"ETCH", 21, 3, "AB", 0, ToolKind::kEtch},  {"IMP", 1, 3, "", 0, ToolKind::kImplant},
    {"CVD", 1, 3, "AB", 0, ToolKind::kDeposit}, {"CVD", 11, 3, "ABC", 0, ToolKind::kDeposit},
    {"RTP", 1, 2, "AB", 0, ToolKind::kFurnace}, {"PVD", 1, 3, "AB", 0, ToolKind::kDeposit},
    {"ECP", 1, 3, "", 0, ToolKind::kDeposit},   {"CMP", 1, 3, "", 2, ToolKind::kPolish},
    {"CMP", 11, 3, "", 4, ToolKind::kPolish},   {"WET", 1, 3, "", 0, ToolKind::kWet},
    {"INSP", 1, 2, "", 0, ToolKind::kInspect},  {"MET", 1, 3, "", 0, ToolKind::kMeasure},
    {"TST", 1, 3, "", 0, ToolKind::kTester},
}};

// The group column names the first tool, so that one prefix may have several groups.
constexpr std::array<StepSpec, 46> kRoute{{
    {"LASER_MARK", "START", "", "MARK01", 0.5, false, 30, ""},
    {"PAD_OX", "STI", "", "FURN01", 10, true, 180, ""},
    {"STI_LITHO", "STI", "ACTIVE", "SCAN01", 1.5, false, 150, "AC"},
    {"STI_ETCH", "STI", "ACTIVE", "ETCH01", 3, false, 90, ""},
    {"STI_FILL", "STI", "ACTIVE", "CVD01", 4, false, 120, ""},
    {"STI_CMP", "STI", "ACTIVE", "CMP01", 3, false, 150, ""},
    {"WELL_LITHO", "WELL", "WELL", "SCAN01", 1.5, false, 150, "WL"},
    {"WELL_IMP", "WELL", "WELL", "IMP01", 2, false, 120, ""},
    {"GATE_OX", "GATE", "", "FURN01", 9, true, 90, ""},
    {"POLY_DEP", "GATE", "POLY", "FURN01", 9, true, 100, ""},
    {"POLY_LITHO", "GATE", "POLY", "SCAN01", 1.5, false, 150, "PO"},
    {"POLY_ETCH", "GATE", "POLY", "ETCH01", 3, false, 90, ""},
    {"LDD_IMP", "GATE", "", "IMP01", 2, false, 150, ""},
    {"SPACER_DEP", "GATE", "", "CVD01", 4, false, 120, ""},
    {"SPACER_ETCH", "GATE", "", "ETCH01", 2, false, 120, ""},
    {"SD_IMP", "GATE", "", "IMP01", 2, false, 150, ""},
    {"SD_ANNEAL", "GATE", "", "RTP01", 2, false, 120, ""},
    {"SILICIDE", "CONT", "", "PVD01", 3, false, 110, ""},
    {"ILD_DEP", "CONT", "", "CVD11", 3, false, 120, ""},
    {"ILD_CMP", "CONT", "", "CMP01", 3, false, 140, ""},
    {"CONT_LITHO", "CONT", "CONT", "SCAN01", 1.5, false, 150, "CO"},
    {"CONT_ETCH", "CONT", "CONT", "ETCH11", 4, false, 90, ""},
    {"CONT_CLEAN", "CONT", "CONT", "WET01", 1, false, 110, ""},
    {"CONT_FILL", "CONT", "CONT", "CVD11", 5, false, 100, ""},
    {"CONT_CMP", "CONT", "CONT", "CMP01", 3, false, 140, ""},
    {"IMD1_DEP", "M1", "M1", "CVD11", 3, false, 120, ""},
    {"M1_LITHO", "M1", "M1", "SCAN11", 1.5, false, 150, "M1"},
    {"M1_ETCH", "M1", "M1", "ETCH21", 3, false, 90, ""},
    {"M1_CLEAN", "M1", "M1", "WET01", 1, false, 110, ""},
    {"M1_SEED", "M1", "M1", "PVD01", 4, false, 120, ""},
    {"M1_PLATE", "M1", "M1", "ECP01", 3, false, 90, ""},
    {"M1_CMP", "M1", "M1", "CMP11", 3, false, 140, ""},
    {"M1_CMP_INSP", "M1", "M1", "INSP01", 4, false, 60, ""},
    {"IMD2_DEP", "M2", "VIA1", "CVD11", 3, false, 120, ""},
    {"VIA1_LITHO", "M2", "VIA1", "SCAN11", 1.5, false, 150, "V1"},
    {"VIA1_ETCH", "M2", "VIA1", "ETCH11", 3, false, 90, ""},
    {"VIA1_CLEAN", "M2", "VIA1", "WET01", 1, false, 110, ""},
    {"M2_LITHO", "M2", "M2", "SCAN11", 1.5, false, 150, "M2"},
    {"M2_ETCH", "M2", "M2", "ETCH21", 3, false, 90, ""},
    {"M2_SEED", "M2", "M2", "PVD01", 4, false, 120, ""},
    {"M2_PLATE", "M2", "M2", "ECP01", 3, false, 90, ""},
    {"M2_CMP", "M2", "M2", "CMP11", 3, false, 140, ""},
    {"M2_CMP_INSP", "M2", "M2", "INSP01", 4, false, 60, ""},
    {"PASSIVATION", "END", "PASS", "CVD01", 4, false, 120, ""},
    {"WAT", "END", "", "MET01", 2, false, 240, ""},
    {"WAFER_SORT", "END", "", "TST01", 12, false, 600, ""},
}};

}  // namespace

std::span<const GroupSpec> tool_groups() { return kGroups; }
std::span<const StepSpec> route() { return kRoute; }

std::size_t step_index(std::string_view name) {
  const auto found = std::ranges::find(kRoute, name, &StepSpec::name);
  assert(found != kRoute.end());
  return static_cast<std::size_t>(found - kRoute.begin());
}

}  // namespace yieldloop::simulator

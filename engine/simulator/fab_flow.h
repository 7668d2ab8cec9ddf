/// \file
/// The route of the virtual product and the tools that can run it, as tables.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace yieldloop::simulator {

/// What a tool does; decides its sensors and whether its maintenance moves the process.
enum class ToolKind : std::uint8_t {
  kOther,
  kFurnace,
  kScanner,
  kEtch,
  kImplant,
  kDeposit,
  kPolish,
  kWet,
  kInspect,
  kMeasure,
  kTester
};

struct GroupSpec {
  std::string_view prefix;
  int first_number = 1;
  int tools = 1;
  std::string_view chambers;  ///< One letter a chamber; empty: none.
  int positions = 0;          ///< Heads, boats or chucks, 0 when the log names none.
  ToolKind kind = ToolKind::kOther;
};

struct StepSpec {
  std::string_view name;
  std::string_view module;
  std::string_view layer;
  std::string_view group;          ///< Name of the first tool of its group.
  double minutes_per_wafer = 2.0;  ///< For a batch tool: of the whole lot, divided by 25.
  bool batch = false;
  double queue_minutes = 150.0;  ///< Median wait before the step.
  std::string_view reticle;      ///< Stem of the reticle's name; empty: no exposure.
};

std::span<const GroupSpec> tool_groups();
std::span<const StepSpec> route();

/// Position in route(). REQUIRES: there is such a step.
std::size_t step_index(std::string_view name);

}  // namespace yieldloop::simulator

/// \file
/// The fab's history: which wafer ran when on which tool, chamber and reticle, how the tools
/// were maintained, and who tested what.
///
/// Lots choose their tool at random at every step and wait when it is busy or down; wafers of a
/// lot alternate among the chambers in random order, so that every chamber, tool and reticle is
/// met by a well mixed part of the wafers. No yield is decided here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/random.h"
#include "engine/core/time.h"
#include "engine/simulator/fab_flow.h"

namespace yieldloop::simulator {

struct Tool {
  std::string name;
  std::string chambers;  ///< As GroupSpec.
  int positions = 0;
  ToolKind kind{};
};

/// One wafer at one step, the last time where it was reworked. Shape of a wafer's visits:
/// [route().size()].
struct Visit {
  std::size_t tool = 0;
  int chamber = -1;   ///< Index in Tool::chambers, -1: none.
  int position = -1;  ///< 0-based, -1: none.
  UtcMicros started;
  UtcMicros ended;
  double queue_minutes = 0.0;
  std::string recipe;  ///< Where it is not the lot's.
};

struct SimWafer {
  std::size_t lot = 0;
  std::string id;
  int slot = 0;
  bool inspected = false;
  std::vector<Visit> visits;
  std::size_t mother_lot = 0;                             ///< The lot it started in.
  std::vector<std::pair<std::size_t, Visit>> reworked{};  ///< First passes, by step.
};

/// One lot at one step.
struct LotRun {
  std::size_t tool = 0;
  std::optional<std::size_t> second_tool{};  ///< Where the lot is shared out to two.
  std::string recipe;
  std::string reticle;
  std::string person;
  UtcMicros started;
  UtcMicros ended;
};

struct SimLot {
  std::string id;
  UtcMicros started;
  int priority = 3;
  std::size_t first_wafer = 0;  ///< In Fab::wafers.
  std::size_t wafer_count = 0;
  std::string tester;
  std::string probe_card;
  std::string prober;
  std::vector<LotRun> runs;        ///< Shape: [route().size()].
  std::vector<LotRun> reworked{};  ///< Runs that had to be done again.
  std::size_t mother = 0;          ///< In Fab::lots; itself unless it was split off.
  std::size_t split_after = 0;     ///< The last step of the mother, where it was split off.
};

/// How the routing differs from free choice; decided before the history is drawn.
struct FabRules {
  struct Tie {
    std::size_t step = 0;
    std::size_t follows = 0;  ///< An earlier step: number of the tool and chamber are the same.
  };
  std::optional<Tie> tie{};
  std::optional<std::size_t> split_after{};  ///< Some lots go on as two from here.
  std::optional<std::size_t> parallel{};     ///< A step that shares every lot out to two tools.
  double rework_chance = 0.0;                ///< Of a lot at a lithography step.
};

struct MaintenanceEvent {
  std::size_t tool = 0;
  int chamber = -1;
  std::string event{};
  UtcMicros at{};
  std::string part{};
  std::string note{};
};

/// When a tool does not run.
struct Downtime {
  UtcMicros from;
  UtcMicros to;
  bool scheduled = true;
};

struct Fab {
  std::vector<Tool> tools;
  std::vector<std::size_t> group_sizes;          ///< Tools of each of tool_groups().
  std::vector<std::vector<Downtime>> downtimes;  ///< By tool, in time order.
  std::vector<SimLot> lots;
  std::vector<SimWafer> wafers;  ///< By the lot they started in, then by slot.
  std::vector<MaintenanceEvent> maintenance;
  UtcMicros opened;  ///< Start of the logs.
  UtcMicros closed;

  /// Tools of a step's group: [first, first + count).
  std::pair<std::size_t, std::size_t> tools_of(std::size_t step) const;
  std::string chamber_name(const Visit& visit) const;
  std::string position_name(const Visit& visit) const;
  /// The lot a wafer belonged to when it ran a step.
  const std::string& lot_id_at(const SimWafer& wafer, std::size_t step) const;
  const std::string& recipe_of(const SimWafer& wafer, std::size_t step) const;
};

/// `lots` >= 1; 25 wafers each.
Fab run_fab(std::size_t lots, const FabRules& rules, const Random& random);

inline UtcMicros after_minutes(UtcMicros time, double minutes) {
  return {time.count + static_cast<std::int64_t>(minutes * 60.0) * kMicrosPerSecond};
}

inline double minutes_between(UtcMicros from, UtcMicros to) {
  return static_cast<double>(to.count - from.count) / (60.0 * kMicrosPerSecond);
}

}  // namespace yieldloop::simulator

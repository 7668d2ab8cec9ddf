/// \file
/// The fab's history: which wafer ran when on which tool, chamber and reticle, how the tools
/// were maintained, and who tested what.
///
/// Lots choose their tool at random at every step and wait when it is busy or down; wafers of a
/// lot alternate among the chambers in random order, so that every chamber, tool and reticle is
/// met by a well mixed part of the wafers. No yield is decided here.
#pragma once

#include <cstdint>
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

/// One wafer at one step. Shape of a wafer's visits: [route().size()].
struct Visit {
  std::size_t tool = 0;
  int chamber = -1;   ///< Index in Tool::chambers, -1: none.
  int position = -1;  ///< 0-based, -1: none.
  UtcMicros started;
  UtcMicros ended;
  double queue_minutes = 0.0;
};

struct SimWafer {
  std::size_t lot = 0;
  std::string id;
  int slot = 0;
  bool inspected = false;
  std::vector<Visit> visits;
};

/// One lot at one step.
struct LotRun {
  std::size_t tool = 0;
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
  std::vector<LotRun> runs;  ///< Shape: [route().size()].
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
  std::vector<std::vector<Downtime>> downtimes;  ///< By tool, in time order.
  std::vector<SimLot> lots;
  std::vector<SimWafer> wafers;  ///< By lot, then by slot.
  std::vector<MaintenanceEvent> maintenance;
  UtcMicros opened;  ///< Start of the logs.
  UtcMicros closed;

  /// Tools of a step's group: [first, first + count).
  std::pair<std::size_t, std::size_t> tools_of(std::size_t step) const;
  std::string chamber_name(const Visit& visit) const;
  std::string position_name(const Visit& visit) const;
};

/// `lots` >= 1; 25 wafers each.
Fab run_fab(std::size_t lots, const Random& random);

inline UtcMicros after_minutes(UtcMicros time, double minutes) {
  return {time.count + static_cast<std::int64_t>(minutes * 60.0) * kMicrosPerSecond};
}

inline double minutes_between(UtcMicros from, UtcMicros to) {
  return static_cast<double>(to.count - from.count) / (60.0 * kMicrosPerSecond);
}

}  // namespace yieldloop::simulator

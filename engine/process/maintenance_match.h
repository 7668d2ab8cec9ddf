/// \file
/// What was done to a tool just before it went bad.
///
/// The latest event of the tool (of the same chamber, or of the tool as a whole) that is not
/// after the onset and not longer before it than the window. Coincidence in time is a lead, not
/// a proof: `chance` is the probability that a random instant lies as close after an event of
/// this tool, from the tool's own events.
#pragma once

#include <optional>

#include "engine/core/fab_data.h"

namespace yieldloop::process {

struct MaintenanceMatch {
  std::size_t event = 0;      ///< Position in FabData::maintenance.
  double hours_before = 0.0;  ///< From the event to the onset, >= 0.
  double chance = 1.0;        ///< In (0, 1].
  friend bool operator==(const MaintenanceMatch&, const MaintenanceMatch&) = default;
};

/// Nothing when the onset is unknown or no event lies in the window. `chamber` may be empty.
std::optional<MaintenanceMatch> nearest_maintenance(const FabData& data, NameId tool,
                                                    NameId chamber, UtcMicros onset,
                                                    double window_hours = 24.0 * 7);

}  // namespace yieldloop::process

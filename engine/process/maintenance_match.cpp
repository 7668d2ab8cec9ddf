#include "engine/process/maintenance_match.h"

#include <algorithm>

namespace yieldloop::process {
namespace {

constexpr double kMicrosPerHour = 3600.0 * static_cast<double>(kMicrosPerSecond);

bool concerns(const MaintenanceEvent& event, NameId tool, NameId chamber) {
  return event.tool == tool && event.at.known() &&
         (event.chamber == chamber || event.chamber == NameId{} || chamber == NameId{});
}

/// Covered share of the tool's logged period within `hours` after any event.
double coverage(const FabData& data, NameId tool, NameId chamber, double hours) {
  std::vector<std::int64_t> at;
  for (const MaintenanceEvent& event : data.maintenance) {
    if (concerns(event, tool, chamber)) at.push_back(event.at.count);
  }
  std::int64_t first = INT64_MAX, last = INT64_MIN;
  for (const StepRun& run : data.step_runs) {
    if (run.tool != tool || !run.started.known()) continue;
    first = std::min(first, run.started.count);
    last = std::max(last, run.started.count);
  }
  if (first >= last) return 1.0;
  std::ranges::sort(at);
  const double reach = hours * kMicrosPerHour;
  double covered = 0, end = static_cast<double>(first);
  for (const std::int64_t t : at) {
    const double low = std::max(end, static_cast<double>(t));
    const double high = std::min(static_cast<double>(last), static_cast<double>(t) + reach);
    if (high > low) covered += high - low;
    end = std::max(end, high);
  }
  return std::clamp(covered / static_cast<double>(last - first), 1e-6, 1.0);
}

}  // namespace

std::optional<MaintenanceMatch> nearest_maintenance(const FabData& data, NameId tool,
                                                    NameId chamber, UtcMicros onset,
                                                    double window_hours) {
  if (!onset.known()) return std::nullopt;
  std::optional<MaintenanceMatch> best;
  for (std::size_t i = 0; i < data.maintenance.size(); ++i) {
    const MaintenanceEvent& event = data.maintenance[i];
    if (!concerns(event, tool, chamber) || event.at > onset) continue;
    const double hours = static_cast<double>(onset.count - event.at.count) / kMicrosPerHour;
    if (hours > window_hours || (best && hours >= best->hours_before)) continue;
    best = {.event = i, .hours_before = hours, .chance = 1.0};
  }
  if (best) best->chance = coverage(data, tool, chamber, best->hours_before);
  return best;
}

}  // namespace yieldloop::process

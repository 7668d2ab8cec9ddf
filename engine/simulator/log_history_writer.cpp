// Lots, wafers, moves, maintenance and equipment states.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "engine/simulator/log_writers.h"

namespace yieldloop::simulator {
namespace {

struct State {
  const char* name;
  UtcMicros from;
  UtcMicros to;
  std::string lot;
  std::string reason;
};

/// Runs and stops of a tool in time order, without the idle time between them.
std::vector<State> busy_states(const World& world, std::size_t tool) {
  std::vector<State> states;
  for (const SimLot& lot : world.fab.lots) {
    for (std::size_t step = 0; step < lot.runs.size(); ++step) {
      // What ran before a lot was split off is its mother's.
      if (&lot != &world.fab.lots[lot.mother] && step <= lot.split_after) continue;
      const LotRun& run = lot.runs[step];
      if (run.tool == tool || run.second_tool == tool) {
        states.push_back({"productive", run.started, run.ended, lot.id, ""});
      }
    }
    for (const LotRun& run : lot.reworked) {
      if (run.tool == tool) states.push_back({"productive", run.started, run.ended, lot.id, ""});
    }
  }
  for (const Downtime& down : world.fab.downtimes[tool]) {
    if (down.from >= world.fab.closed) continue;
    states.push_back({down.scheduled ? "scheduled_downtime" : "unscheduled_downtime", down.from,
                      down.to, "", down.scheduled ? "PM" : "ALARM"});
  }
  std::ranges::sort(states, {}, &State::from);
  return states;
}

}  // namespace

std::string to_lots_csv(const World& world) {
  std::string out = "lot_id,product,route,technology,started_at,quantity,priority\n";
  for (const SimLot& lot : world.fab.lots) {
    fmt::format_to(std::back_inserter(out), "{},{},R28A,130nm,{},{},{}\n", lot.id, kProductName,
                   to_iso8601(lot.started), lot.wafer_count, lot.priority);
  }
  return out;
}

std::string to_wafers_csv(const World& world) {
  std::string out = "lot_id,wafer_id,slot,scribe_id,diameter_mm,notch,parent_lot_id\n";
  for (const SimWafer& wafer : world.fab.wafers) {
    const std::string& lot = world.lot_of(wafer).id;
    const std::string& mother = world.fab.lots[wafer.mother_lot].id;
    fmt::format_to(std::back_inserter(out), "{},{},{},{}-{:02},{:.0f},down,{}\n", lot, wafer.id,
                   wafer.slot, mother, wafer.slot, kWaferDiameterMm, mother == lot ? "" : mother);
  }
  return out;
}

std::string to_lot_history_csv(const World& world) {
  std::string out =
      "lot_id,wafer_id,step_seq,step,layer,module,tool,chamber,recipe,reticle,operator,slot,"
      "position,queue_minutes,rework,started_at,ended_at\n";
  const Fab& fab = world.fab;
  for (const SimWafer& wafer : fab.wafers) {
    const SimLot& lot = world.lot_of(wafer);
    const auto row = [&](std::size_t step, const Visit& visit, int rework) {
      const StepSpec& spec = route()[step];
      const LotRun& run = lot.runs[step];
      fmt::format_to(
          std::back_inserter(out), "{},{},{},{},{},{},{},{},{},{},{},{},{},{:.1f},{},{},{}\n",
          fab.lot_id_at(wafer, step), wafer.id, (step + 1) * 10 + static_cast<std::size_t>(rework),
          spec.name, spec.layer, spec.module, fab.tools[visit.tool].name, fab.chamber_name(visit),
          fab.recipe_of(wafer, step), run.reticle, run.person, wafer.slot, fab.position_name(visit),
          visit.queue_minutes, rework, to_iso8601(visit.started), to_iso8601(visit.ended));
    };
    auto first_pass = wafer.reworked.begin();
    for (std::size_t step = 0; step < route().size(); ++step) {
      const bool again = first_pass != wafer.reworked.end() && first_pass->first == step;
      if (again) row(step, (first_pass++)->second, 0);
      row(step, wafer.visits[step], again ? 1 : 0);
    }
  }
  return out;
}

std::string to_maintenance_csv(const World& world) {
  std::vector<MaintenanceEvent> events;
  for (const MaintenanceEvent& event : world.fab.maintenance) {
    if (event.at < world.fab.closed) events.push_back(event);
  }
  std::ranges::stable_sort(events, {}, &MaintenanceEvent::at);
  std::string out = "tool,chamber,event,at,part,note\n";
  for (const MaintenanceEvent& event : events) {
    const Tool& tool = world.fab.tools[event.tool];
    const std::string chamber =
        event.chamber < 0 ? ""
                          : std::string(1, tool.chambers[static_cast<std::size_t>(event.chamber)]);
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{}\n", tool.name, chamber, event.event,
                   to_iso8601(event.at), event.part, event.note);
  }
  return out;
}

std::string to_equipment_states_csv(const World& world) {
  std::string out = "tool,state,started_at,ended_at,reason,lot_id\n";
  const auto row = [&](std::size_t tool, const State& s) {
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{}\n", world.fab.tools[tool].name,
                   s.name, to_iso8601(s.from), to_iso8601(s.to), s.reason, s.lot);
  };
  for (std::size_t tool = 0; tool < world.fab.tools.size(); ++tool) {
    UtcMicros time = world.fab.opened;
    for (const State& state : busy_states(world, tool)) {
      if (time < state.from) row(tool, {"standby", time, state.from, "", ""});
      row(tool, state);
      time = state.to;
    }
    if (time < world.fab.closed) row(tool, {"standby", time, world.fab.closed, "", ""});
  }
  return out;
}

}  // namespace yieldloop::simulator

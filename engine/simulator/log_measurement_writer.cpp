// Sensor summaries and metrology: levels of the tools, slow drift since the last maintenance,
// noise, and the shifts a scenario planted.

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "engine/simulator/log_writers.h"

namespace yieldloop::simulator {
namespace {

struct Sensor {
  const char* name;
  const char* unit;
  double nominal;
};

constexpr double kSensorNoise = 0.005;    // relative, run to run: one sigma of a SensorShift
constexpr double kChamberSpread = 0.004;  // relative, chamber to chamber
constexpr double kDriftPerDay = 0.0002;   // relative, since maintenance

constexpr std::array<Sensor, 4> kEtchSensors{{{"PRESSURE", "mTorr", 40.0},
                                              {"RF_REFLECTED", "W", 12.0},
                                              {"ESC_TEMP", "degC", 60.0},
                                              {"ENDPOINT_TIME", "s", 48.0}}};
constexpr std::array<Sensor, 4> kDepositSensors{{{"PRESSURE", "Torr", 4.2},
                                                 {"HEATER_TEMP", "degC", 400.0},
                                                 {"GAS_FLOW", "sccm", 800.0},
                                                 {"RF_POWER", "W", 650.0}}};
constexpr std::array<Sensor, 4> kPolishSensors{{{"DOWN_FORCE", "psi", 3.1},
                                                {"PLATEN_SPEED", "rpm", 93.0},
                                                {"SLURRY_FLOW", "ml/min", 200.0},
                                                {"POLISH_TIME", "s", 71.0}}};

std::span<const Sensor> sensors_of(ToolKind kind) {
  switch (kind) {
    case ToolKind::kEtch: return kEtchSensors;
    case ToolKind::kDeposit: return kDepositSensors;
    case ToolKind::kPolish: return kPolishSensors;
    default: return {};
  }
}

double days_since_stop(const World& world, const Visit& visit) {
  UtcMicros last = world.fab.opened;
  for (const Downtime& down : world.fab.downtimes[visit.tool]) {
    if (down.to <= visit.started) last = down.to;
  }
  return minutes_between(last, visit.started) / 1440.0;
}

double planted_sigmas(const World& world, std::size_t step, const Visit& visit,
                      std::string_view sensor) {
  double sigmas = 0.0;
  for (const SensorShift& s : world.sensor_shifts) {
    const bool hit = s.step == step && s.tool == visit.tool && s.chamber == visit.chamber &&
                     s.sensor == sensor && visit.started >= s.from && visit.started < s.to;
    if (!hit) continue;
    sigmas += s.sigmas + s.sigmas_per_day * minutes_between(s.from, visit.started) / 1440.0;
  }
  return sigmas;
}

/// A chamber's own level of a sensor, the same for every wafer.
double chamber_level(const World& world, std::size_t step, const Visit& visit, std::size_t sensor) {
  const auto key =
      ((step * 1000 + visit.tool) * 10 + static_cast<std::size_t>(visit.chamber + 1)) * 10 + sensor;
  return stream(world.options, Stream::kSensors).fork(1).fork(key).normal(0.0, kChamberSpread);
}

void write_sensors(std::string& out, const World& world, std::size_t wafer_index, std::size_t step,
                   Random& random) {
  const SimWafer& wafer = world.fab.wafers[wafer_index];
  const Visit& visit = wafer.visits[step];
  const auto sensors = sensors_of(world.fab.tools[visit.tool].kind);
  const double drift = kDriftPerDay * days_since_stop(world, visit);
  const auto row = [&](const Sensor& sensor, const char* statistic, double value) {
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},MAIN,{},{},{:.5g},{},{}\n",
                   world.fab.lot_id_at(wafer, step), wafer.id, route()[step].name,
                   world.fab.tools[visit.tool].name, world.fab.chamber_name(visit),
                   world.fab.recipe_of(wafer, step), sensor.name, statistic, value, sensor.unit,
                   to_iso8601(visit.started));
  };
  if (world.fab.tools[visit.tool].kind == ToolKind::kScanner) {
    Random dose = stream(world.options, Stream::kSensors).fork(5).fork(wafer_index).fork(step);
    row({"FOCUS_OFFSET", "nm", 0.0}, "mean", world.focus_nm(wafer_index, step));
    row({"DOSE", "mJ/cm2", 0.0}, "mean", 24.0 * (1.0 + dose.normal(0.0, 0.003)));
  }
  for (std::size_t i = 0; i < sensors.size(); ++i) {
    const double offset =
        chamber_level(world, step, visit, i) + drift +
        kSensorNoise * (random.normal() + planted_sigmas(world, step, visit, sensors[i].name));
    row(sensors[i], "mean", sensors[i].nominal * (1.0 + offset));
    const double spread = 0.01 * std::exp(random.normal(0.0, 0.15));
    if (i == 0) row(sensors[i], "std", sensors[i].nominal * spread);
  }
}

/// What a sensor reads as a part of its level in the three parts of a recipe: it comes up, holds
/// with a small ripple and falls away.
struct RecipePart {
  const char* name;
  int samples;
  double from;
  double to;
};
constexpr std::array<RecipePart, 3> kRecipeParts{
    {{"STABILISE", 6, 0.70, 1.0}, {"MAIN", 24, 1.0, 1.0}, {"PURGE", 6, 1.0, 0.25}}};
constexpr double kSampleSeconds = 2.0;

void write_traces(std::string& out, const World& world, std::size_t wafer_index, std::size_t step,
                  Random& random) {
  const SimWafer& wafer = world.fab.wafers[wafer_index];
  const Visit& visit = wafer.visits[step];
  const auto sensors = sensors_of(world.fab.tools[visit.tool].kind);
  const double drift = kDriftPerDay * days_since_stop(world, visit);
  for (std::size_t i = 0; i < sensors.size(); ++i) {
    const double planted = planted_sigmas(world, step, visit, sensors[i].name);
    const double level = sensors[i].nominal * (1.0 + chamber_level(world, step, visit, i) + drift +
                                               kSensorNoise * (random.normal() + planted));
    double seconds = 0.0;
    for (const RecipePart& part : kRecipeParts) {
      for (int k = 0; k < part.samples; ++k, seconds += kSampleSeconds) {
        const double at = (k + 0.5) / part.samples;
        const double value =
            level * (part.from + (part.to - part.from) * at) * (1.0 + random.normal(0.0, 0.002));
        fmt::format_to(std::back_inserter(out), "{},{},{},{},{:.5g},{},{},{},{},{},{}\n",
                       world.fab.tools[visit.tool].name, world.fab.chamber_name(visit),
                       sensors[i].name, to_iso8601(after_minutes(visit.started, seconds / 60.0)),
                       value, world.fab.lot_id_at(wafer, step), wafer.id, route()[step].name,
                       world.fab.recipe_of(wafer, step), part.name, sensors[i].unit);
      }
    }
  }
}

struct Parameter {
  const char* step;
  const char* name;
  const char* unit;
  double target;
  double spread;  // relative, wafer to wafer
  bool wat;
};

constexpr std::array<Parameter, 11> kParameters{{{"POLY_LITHO", "CD", "nm", 160.0, 0.008, false},
                                                 {"M1_LITHO", "CD", "nm", 300.0, 0.006, false},
                                                 {"M1_ETCH", "CD", "nm", 292.0, 0.007, false},
                                                 {"M1_CMP", "THICKNESS", "nm", 320.0, 0.010, false},
                                                 {"M2_LITHO", "CD", "nm", 300.0, 0.006, false},
                                                 {"M2_CMP", "THICKNESS", "nm", 330.0, 0.010, false},
                                                 {"WAT", "VTN", "V", 0.420, 0.008, true},
                                                 {"WAT", "VTP", "V", -0.440, 0.008, true},
                                                 {"WAT", "CONT_R", "ohm", 8.5, 0.02, true},
                                                 {"WAT", "VIA1_R", "ohm", 2.4, 0.02, true},
                                                 {"WAT", "M1_RS", "ohm/sq", 0.082, 0.012, true}}};

struct Site {
  double x_mm;
  double y_mm;
};
constexpr std::array<Site, 5> kSites5{{{0, 0}, {90, 0}, {-90, 0}, {0, 90}, {0, -90}}};

void write_parameter(std::string& out, const World& world, std::size_t wafer_index,
                     const Parameter& parameter, Random& random) {
  const SimWafer& wafer = world.fab.wafers[wafer_index];
  const std::size_t step = step_index(parameter.step);
  const Visit& visit = wafer.visits[step];
  const double level = random.normal(0.0, parameter.spread);
  const double bow = random.normal(0.004, 0.002);
  const double width = std::abs(parameter.target) * 0.06;
  const double minutes = parameter.wat ? 2.0 : 45.0;
  const std::string tool = parameter.wat ? world.fab.tools[visit.tool].name
                                         : fmt::format("CDS{:02}", 1 + random.below(2));
  for (std::size_t i = 0; i < kSites5.size(); ++i) {
    const Site& site = kSites5[i];
    const double edge = i == 0 ? 0.0 : bow;
    const double value =
        parameter.target * (1.0 + level + edge + random.normal(0.0, parameter.spread / 3));
    fmt::format_to(std::back_inserter(out),
                   "{},{},{},{},{:.5g},{},{:.1f},{:.1f},{},{:.5g},{:.5g},{:.5g},{},{},{}\n",
                   world.fab.lot_id_at(wafer, step), wafer.id, parameter.step, parameter.name,
                   value, i + 1, site.x_mm, site.y_mm, parameter.unit, parameter.target - width,
                   parameter.target, parameter.target + width, tool,
                   to_iso8601(after_minutes(visit.ended, minutes)),
                   parameter.wat ? "wat" : "inline");
  }
}

}  // namespace

std::string to_fdc_summary_csv(const World& world) {
  std::string out =
      "lot_id,wafer_id,step,tool,chamber,recipe,recipe_step,sensor,statistic,value,unit,"
      "started_at\n";
  const Random base = stream(world.options, Stream::kSensors).fork(2);
  for (std::size_t wafer = 0; wafer < world.fab.wafers.size(); ++wafer) {
    Random random = base.fork(wafer);
    for (std::size_t step = 0; step < route().size(); ++step) {
      write_sensors(out, world, wafer, step, random);
    }
  }
  return out;
}

std::string to_fdc_trace_csv(const World& world, std::size_t step) {
  std::string out = "tool,chamber,sensor,time,value,lot_id,wafer_id,step,recipe,recipe_step,unit\n";
  const Random base = stream(world.options, Stream::kSensors).fork(6);
  for (std::size_t wafer = 0; wafer < world.fab.wafers.size(); ++wafer) {
    Random random = base.fork(wafer);
    write_traces(out, world, wafer, step, random);
  }
  return out;
}

std::string to_metrology_csv(const World& world) {
  std::string out =
      "lot_id,wafer_id,step,parameter,value,site,x_mm,y_mm,unit,lsl,target,usl,tool,measured_at,"
      "kind\n";
  const Random base = stream(world.options, Stream::kMetrology);
  for (std::size_t wafer = 0; wafer < world.fab.wafers.size(); ++wafer) {
    Random random = base.fork(wafer);
    const int slot = world.fab.wafers[wafer].slot;
    const bool sampled = slot % 8 == 3;  // three wafers of a lot
    for (const Parameter& parameter : kParameters) {
      if (parameter.wat || sampled) write_parameter(out, world, wafer, parameter, random);
    }
  }
  return out;
}

}  // namespace yieldloop::simulator

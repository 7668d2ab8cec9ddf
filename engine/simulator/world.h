/// \file
/// Everything one simulated fab consists of before its wafers are drawn.
#pragma once

#include <string>
#include <vector>

#include "engine/simulator/fab_model.h"
#include "engine/simulator/layout_model.h"
#include "engine/simulator/product_model.h"
#include "engine/simulator/simulator.h"

namespace yieldloop::simulator {

/// A sensor of one chamber reads `sigmas` of its run-to-run noise off in [from, to).
struct SensorShift {
  std::size_t step = 0;
  std::size_t tool = 0;
  int chamber = -1;
  std::string sensor;
  UtcMicros from;
  UtcMicros to;
  double sigmas = 0.0;
};

/// A lot's own level of things.
struct LotLevel {
  double defect_factor = 1.0;
  double ro_shift_mhz = 0.0;
};

struct World {
  Options options;
  std::vector<GridDie> grid;
  Layout layout;
  Fab fab;
  std::vector<LotLevel> lot_levels;
  /// Small normal differences in defect density, by step, tool and chamber.
  /// Shape: [route().size()][fab.tools.size()][4], last index chamber + 1.
  std::vector<std::vector<std::array<double, 4>>> tool_factors;
  std::vector<SensorShift> sensor_shifts;

  const SimLot& lot_of(const SimWafer& wafer) const { return fab.lots[wafer.lot]; }
};

/// Depends on seed and size only, not on the scenario.
World make_world(const Options& options);

/// Streams of random numbers; each thing drawn has its own, so that planting a cause changes
/// nothing else.
enum class Stream : std::uint64_t {
  kLayout = 1,
  kFab,
  kLevels,
  kPlan,
  kBackground,
  kEffects,
  kInspection,
  kPlantedInspection,
  kTest,
  kSensors,
  kMetrology,
  kStates
};

Random stream(const Options& options, Stream which);

}  // namespace yieldloop::simulator

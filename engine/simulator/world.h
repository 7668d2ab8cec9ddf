/// \file
/// Everything one simulated fab consists of before its wafers are drawn.
#pragma once

#include <string>
#include <vector>

#include "engine/simulator/fab_model.h"
#include "engine/simulator/inspection_model.h"
#include "engine/simulator/layout_model.h"
#include "engine/simulator/product_model.h"
#include "engine/simulator/simulator.h"

namespace yieldloop::simulator {

/// A sensor of one chamber reads `sigmas` of its run-to-run noise off in [from, to), and
/// `sigmas_per_day` more with every day since `from`.
struct SensorShift {
  std::size_t step = 0;
  std::size_t tool = 0;
  int chamber = -1;
  std::string sensor;
  UtcMicros from;
  UtcMicros to;
  double sigmas = 0.0;
  double sigmas_per_day = 0.0;
};

/// A lot's own level of things.
struct LotLevel {
  double defect_factor = 1.0;
  double ro_shift_mhz = 0.0;
};

struct World {
  Options options;
  Layout layout;
  Product product;
  std::vector<GridDie> grid;
  Fab fab;
  Background background;
  InspectionPlan inspection;
  std::vector<LotLevel> lot_levels;
  /// Small normal differences in defect density, by step, tool and chamber.
  /// Shape: [route().size()][fab.tools.size()][4], last index chamber + 1.
  std::vector<std::vector<std::array<double, 4>>> tool_factors;
  std::vector<SensorShift> sensor_shifts;
  std::vector<std::size_t> claimed_cells;  ///< Of the layout: a scenario's effect hits them.

  /// Focus error of the exposure of a wafer at a lithography step, nm: lot and wafer levels.
  double focus_nm(std::size_t wafer, std::size_t step) const;

  const SimLot& lot_of(const SimWafer& wafer) const { return fab.lots[wafer.lot]; }
};

/// Depends on seed, size and rules only.
World make_world(const Options& options, const FabRules& rules = {});

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
  kStates,
  kPhysics,
  kRules
};

Random stream(const Options& options, Stream which);

}  // namespace yieldloop::simulator

/// \file
/// What inspection reports of the defects on a wafer: only some die are looked at, some defects
/// are missed, all are a little misplaced, some are misclassified, and some of what is reported
/// is nuisance.
///
/// A defect at wafer position (X, Y) is reported at its place in the die plus
///
///   (dx + scale * X - rotation * Y, dy + scale * Y + rotation * X) + normal(0, sigma)
///
/// with the errors of the tool that inspected it; a place outside the die is moved to its edge.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/simulator/wafer_model.h"

namespace yieldloop::simulator {

/// Systematic position error of one tool.
struct ToolError {
  double dx_um = 0.0;
  double dy_um = 0.0;
  double rotation_urad = 0.0;
  double scale_ppm = 0.0;
};

/// Which die of a wafer are looked at.
enum class SampleKind : std::uint8_t { kAllDie, kNoEdgeDie, kEverySecondDie, kTwoTests };

struct InspectionTest {
  std::vector<std::size_t> die;  ///< In World::grid.
  double sensitivity = 1.0;      ///< Factor on the capture rate.
};

/// How this fab inspects, drawn by seed.
struct InspectionPlan {
  SampleKind kind{};
  std::vector<InspectionTest> tests;
  std::vector<int> test_of_die;    ///< Shape: [World::grid]; index in `tests`, -1: not looked at.
  double position_sigma_um = 0.3;  ///< Each axis.
  double nuisance_per_wafer = 10.0;
  std::vector<ToolError> tool_errors;  ///< Shape: [Fab::tools].
};

InspectionPlan draw_inspection_plan(const std::vector<GridDie>& grid, std::size_t tools,
                                    Random random);

/// The part of the defects of this size that is reported in a test of sensitivity 1.
double capture_rate(double size_um);

/// Sorted by die, then y, then x. The background report is the same whatever is planted; the
/// planted defects are seen with draws of their own.
std::vector<Defect> inspect(const World& world, std::size_t wafer, const WaferFate& fate,
                            InspectedLayer layer, Random background, Random planted);

}  // namespace yieldloop::simulator

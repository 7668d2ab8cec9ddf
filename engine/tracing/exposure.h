/// \file
/// What was really inspected, and points drawn uniformly over it.
///
/// A defect says where something went wrong; only the inspected area says how often it could
/// have. Every die an inspection lists contributes the part of the layout that lies on the die
/// once for each time it was inspected. Since each inspected die is seen whole, a point of the
/// exposure is a point of the layout window and a (wafer, die) drawn independently.
///
/// Units: um in layout coordinates; areas in um^2.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/result.h"
#include "engine/tracing/frame.h"

namespace yieldloop::tracing {

/// One defect in layout coordinates.
struct LocatedDefect {
  PointUm at;
  std::size_t defect = 0;  ///< Into FabData::defects.
  WaferId wafer;
  DieIndex die;
  NameId class_name;
  friend bool operator==(const LocatedDefect&, const LocatedDefect&) = default;
};

/// One inspection step's exposure and defects.
struct StepExposure {
  std::string step;
  RectUm window;
  std::vector<std::uint32_t> inspections;  ///< Into FabData::inspections.
  std::int64_t wafers = 0;
  std::int64_t die_inspections = 0;    ///< Sum over inspections of inspected die.
  double area_um2 = 0.0;               ///< die_inspections * window area.
  std::vector<LocatedDefect> defects;  ///< In the window and on an inspected die.
  std::int64_t outside = 0;            ///< Defects off the window or off the inspected die.
  std::int64_t excluded = 0;           ///< Left out by the caller (clustered).
  friend bool operator==(const StepExposure&, const StepExposure&) = default;
};

/// Shape: exclude is empty or [data.defects]; what is not 0 does not take part.
/// Errors: kNoData (EXPO-0001) when the step has no inspection that lists its die.
Result<StepExposure> step_exposure(const FabData& data, const Frame& frame, const std::string& step,
                                   std::span<const char> exclude = {});

/// `count` uniform points of the window; the same for the same seed.
std::vector<PointUm> control_points(const RectUm& window, std::size_t count, std::uint64_t seed);

}  // namespace yieldloop::tracing

/// \file
/// What was really inspected, and points drawn uniformly over it.
///
/// A defect says where something went wrong; only the inspected area says how often it could
/// have. Every die an inspection lists contributes the part of the layout that lies on the die
/// once for each time it was inspected, and of a die that is cut by the wafer's edge the part that
/// lies on the wafer. The ring of the edge exclusion counts as seen unless it holds no defect where
/// the rest would put at least `kRingExpects`. A point of the layout is thus seen by a share of
/// the listed die that may differ from place to place: `Coverage`.
///
/// AREAPERTEST is compared with the listed die. Where it is smaller (care areas, whose places no
/// file gives) all of the layout is taken to be seen in that share of the die, which keeps counts
/// and rates right on average; where it is larger, or disagrees by a hundred times and more, the
/// die list is taken. What was assumed is said in `caveats`.
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

/// Which share of the listed die showed a place of the layout, on a grid over the window.
struct Coverage {
  RectUm window;
  std::size_t columns = 0, rows = 0;
  std::vector<double> share;  ///< Row by row from the lower left; empty: all of it, everywhere.
  /// Points outside the window go to the nearest square.
  double at(PointUm p) const;
  friend bool operator==(const Coverage&, const Coverage&) = default;
};

/// One inspection step's exposure and defects.
struct StepExposure {
  std::string step;
  RectUm window;
  std::vector<std::uint32_t> inspections;  ///< Into FabData::inspections.
  std::int64_t wafers = 0;
  std::int64_t die_inspections = 0;    ///< Sum over inspections of inspected die.
  double seen_share = 1.0;             ///< AREAPERTEST over the listed die's area, at most 1.
  Coverage coverage;                   ///< Of die on the wafer's edge.
  double area_um2 = 0.0;               ///< Seen: die_inspections * seen_share * covered window.
  std::vector<std::string> caveats;    ///< One sentence each.
  std::vector<LocatedDefect> defects;  ///< In the window and on an inspected die.
  std::int64_t outside = 0;            ///< Defects off the window or off the inspected die.
  std::int64_t excluded = 0;           ///< Left out by the caller (clustered).
  friend bool operator==(const StepExposure&, const StepExposure&) = default;
};

/// Defects a region must be expected to hold before finding none means it was not looked at.
inline constexpr double kRingExpects = 10.0;

/// Shape: exclude is empty or [data.defects]; what is not 0 does not take part.
/// Errors: kNoData (EXPO-0001) when the step has no inspection that lists its die;
/// kNoData (EXPO-0002) when the defects' coordinates cannot be those of the die: nearly
/// all off it, or all within a thousandth of it (a unit mistake).
Result<StepExposure> step_exposure(const FabData& data, const Frame& frame, const std::string& step,
                                   std::span<const char> exclude = {});

/// `count` uniform points of the window; the same for the same seed.
std::vector<PointUm> control_points(const RectUm& window, std::size_t count, std::uint64_t seed);

}  // namespace yieldloop::tracing

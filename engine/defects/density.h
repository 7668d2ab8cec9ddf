/// \file
/// Defect density of each inspection and of each step, with intervals that allow for wafers
/// being different.
///
///   density of an inspection = defects / area,             Garwood's Poisson interval
///   D of a step              = sum defects / sum area,     interval from the wafers' scatter
///
/// Defects cluster by wafer, so the Poisson interval of a step is too short. With expected
/// counts E_i = D * area_i over m inspections the dispersion is
///   phi = max(1, sum (n_i - E_i)^2 / E_i / (m - 1))
/// and the step's interval is that of n/phi events in area/phi.
///
/// Units: defects per cm^2.
/// Source: P. McCullagh, J. A. Nelder, "Generalized Linear Models", 2nd ed., section 6.2
/// (quasi-Poisson); F. Garwood, Biometrika 28 (1936) 437-442.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::defects {

struct InspectionDensity {
  std::uint32_t inspection = 0;
  std::int64_t defects = 0;
  double area_cm2 = 0.0;
  double density_per_cm2 = 0.0;
  Interval density_ci{};
  friend bool operator==(const InspectionDensity&, const InspectionDensity&) = default;
};

struct StepDensity {
  NameId step{};
  std::int64_t inspections = 0;
  std::int64_t defects = 0;
  double area_cm2 = 0.0;
  double density_per_cm2 = 0.0;
  double dispersion = 1.0;  ///< phi; 1 when the wafers scatter like a Poisson process.
  Interval density_ci{};
  friend bool operator==(const StepDensity&, const StepDensity&) = default;
};

struct DensityResult {
  std::vector<InspectionDensity> inspections;  ///< Only those with a known area, in data order.
  std::vector<StepDensity> steps;              ///< By step name.
  std::int64_t without_area = 0;               ///< Inspections left out.
  friend bool operator==(const DensityResult&, const DensityResult&) = default;
};

/// Shape: exclude is empty or [defects]. Errors: kNoData (DDEN-0001) when no inspection has a
/// known area.
Result<DensityResult> defect_density(const FabData& data, std::span<const char> exclude = {});

}  // namespace yieldloop::defects

/// \file
/// Which defects there are most of, per area that was really inspected.
///
///   density = defects / inspected area,   with Garwood's Poisson interval
///
/// A bar of class or size is divided by the area of all inspections in the selection, a bar of
/// step by that of the step's inspections only. Clustered defects can be left out, because a
/// scratch is one event and not eighty.
///
/// Units: cm^2, defects per cm^2.
/// Source: F. Garwood, Biometrika 28 (1936) 437-442.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::defects {

enum class ParetoBy : std::uint8_t { kClass, kSize, kStep };

struct ParetoOptions {
  ParetoBy by = ParetoBy::kClass;
  std::string step{};  ///< Only this step's inspections; empty: all.
  /// Lower edges of the size bars, ascending; what is smaller goes to "no size".
  std::vector<double> size_edges_um = {0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0};
};

struct ParetoBar {
  std::string label{};
  std::int64_t defects = 0;
  double area_cm2 = 0.0;         ///< 0 when not known.
  double density_per_cm2 = 0.0;  ///< 0 when the area is not known.
  Interval density_ci{};
  double share = 0.0;
  double cumulative_share = 0.0;
  friend bool operator==(const ParetoBar&, const ParetoBar&) = default;
};

struct DefectPareto {
  std::vector<ParetoBar> bars;  ///< Most defects first; sizes in rising order.
  std::int64_t defects = 0;
  std::int64_t excluded = 0;
  double area_cm2 = 0.0;
  friend bool operator==(const DefectPareto&, const DefectPareto&) = default;
};

/// Shape: exclude is empty or [defects]; what is not 0 does not count (clustered defects).
/// Errors: kNoData (DPAR-0001) when there is no inspection in the selection;
/// kInvalidOptions (DPAR-0002) for size edges that do not rise or an exclude of another length.
Result<DefectPareto> defect_pareto(const FabData& data, const ParetoOptions& options = {},
                                   std::span<const char> exclude = {});

}  // namespace yieldloop::defects

/// \file
/// What an inspection tool reports of the defects on a wafer: some are missed, all are a little
/// misplaced, some are misclassified, and some of what it reports is nuisance.
#pragma once

#include <vector>

#include "engine/simulator/wafer_model.h"

namespace yieldloop::simulator {

inline constexpr double kPositionSigmaUm = 0.3;  ///< Each axis.
inline constexpr double kNuisancePerWafer = 10.0;

/// Sorted by die, then y, then x. The background report is the same whatever is planted; the
/// planted defects are seen with draws of their own.
std::vector<Defect> inspect(const World& world, const WaferFate& fate, InspectedLayer layer,
                            Random background, Random planted);

}  // namespace yieldloop::simulator

/// \file
/// Which defects a step added, and which it only saw again.
///
/// For each pair of successive inspections of a wafer, a defect of the later one is carried
/// over when an unmatched defect of any earlier one lies within `tolerance_um` (nearest pairs
/// first, each earlier defect matched once), else it is an adder. Two defects coincide by
/// chance too:
///
///   expected chance matches of a later defect = 1 - exp(-N_earlier * pi * r^2 / A)
///
/// so every result states how many of its carry-overs chance alone explains.
///
/// Source: defect source analysis as in methods of in-line monitoring; the coincidence rate is
/// the void probability of a Poisson process, D. Stoyan et al., "Stochastic Geometry and its
/// Applications", section 2.3.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/result.h"

namespace yieldloop::defects {

struct AdderOptions {
  double tolerance_um = 5.0;  ///< > 0.
};

/// One step's account over all wafers that were inspected at it.
struct StepAdders {
  NameId step;
  std::int64_t wafers = 0;
  std::int64_t defects = 0;
  std::int64_t adders = 0;
  std::int64_t carried = 0;
  std::int64_t missing = 0;     ///< Earlier defects not seen again.
  double chance_matches = 0.0;  ///< Expected among `carried`.
  friend bool operator==(const StepAdders&, const StepAdders&) = default;
};

struct AdderResult {
  std::vector<std::int64_t> carried_from;  ///< Shape: [defects]; earlier defect or -1 (adder).
  std::vector<StepAdders> steps;           ///< In order of first appearance in time.
  friend bool operator==(const AdderResult&, const AdderResult&) = default;
};

/// Errors: kInvalidOptions (ADDR-0001).
Result<AdderResult> find_adders(const FabData& data, const AdderOptions& options = {});

}  // namespace yieldloop::defects

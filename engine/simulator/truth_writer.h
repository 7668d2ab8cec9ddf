/// \file
/// truth.json: what was planted where, and what it cost. Contract: sample_data/fab_recipe.md.
#pragma once

#include <string>
#include <vector>

#include "engine/simulator/effect.h"

namespace yieldloop::simulator {

/// What one cause cost, summed over the wafers.
struct CauseCost {
  std::size_t exposed_wafers = 0;
  std::size_t die_lost = 0;
  std::vector<std::size_t> lost_by_wafer;  ///< Shape: [Fab::wafers].
};

struct Tally {
  std::size_t die_tested = 0;
  std::size_t die_good = 0;
  std::size_t good_without_causes = 0;
  std::vector<CauseCost> costs;  ///< Shape: [effects].
};

std::string to_truth_json(const World& world, const Effects& effects, const Tally& tally);

}  // namespace yieldloop::simulator

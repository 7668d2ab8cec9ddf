/// \file
/// The virtual fab: writes the files a fab would send for a product whose yield loss is known.
///
/// A scenario plants causes (a chamber that goes bad, a layout pattern that bridges, ...) in a
/// common model of a fab with its natural variation, and `truth.json` says what was planted and
/// what it cost. The cost is a true counterfactual: the same wafers, drawn from the same random
/// streams, without the cause; `null` with the same seed is that run.
///
/// It shares no code with readers, layout or analyses, so that a mistake made in both places
/// cannot cancel itself out. Files, scenarios and parameters: sample_data/fab_recipe.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/file_system.h"
#include "engine/core/progress.h"
#include "engine/core/result.h"

namespace yieldloop::simulator {

enum class Size : std::uint8_t {
  kSmall,   ///< 12 lots of 25 wafers.
  kMedium,  ///< 40 lots of 25 wafers.
};

struct Options {
  std::string scenario;  ///< One of scenarios().
  std::uint64_t seed = 1;
  Size size = Size::kSmall;
};

/// What was written.
struct Summary {
  std::string scenario;
  std::uint64_t seed = 1;
  std::size_t lots = 0;
  std::size_t wafers = 0;
  std::size_t die_tested = 0;
  std::size_t die_good = 0;  ///< After retest.
  std::size_t die_lost = 0;  ///< To the planted causes; 0 when none was planted.
  std::size_t defects = 0;   ///< Reported by inspection.
  std::size_t files = 0;
  std::uint64_t bytes = 0;
  friend bool operator==(const Summary&, const Summary&) = default;
};

struct ScenarioInfo {
  std::string name;
  std::string description;  ///< One sentence.
  friend bool operator==(const ScenarioInfo&, const ScenarioInfo&) = default;
};

/// In the order of sample_data/fab_recipe.md.
std::vector<ScenarioInfo> scenarios();

/// Writes one virtual fab into `folder`, which is made when it does not exist. The same options
/// give the same bytes. `truth.json` is written last.
/// Errors: kInvalidOptions SIMU-0001 (no such scenario; the message names those there are),
/// SIMU-0002 (the folder holds something already); kCancelled SIMU-0003; kInternal SIMU-0004 (the
/// compressor failed), SIMU-0005 (the seed's history offers nothing to hit); those of `files`.
Result<Summary> simulate(const Options& options, FileSystem& files, const fs::path& folder,
                         Progress& progress);

}  // namespace yieldloop::simulator

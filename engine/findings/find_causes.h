/// \file
/// All analyses over one product's data, joined, freed of echoes, and ranked by what they cost.
///
/// Order: faulty test sites, then reticle repeaters (both by place), then commonality on what is
/// left, then the layout: patterns, vias, features; continuous causes; both sides of an
/// interaction, which takes the place of its parts; and, without any defect, the blocks' electrical
/// fails. Findings are ranked by the die they cost over the scope; those without a known cost
/// follow by their q-value. Each family of tests controls its false discovery rate at `q`; the
/// alarm budget is the sum of what the families may raise where nothing is wrong.
#pragma once

#include "engine/core/block_tests.h"
#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/layout/flat_view.h"

namespace yieldloop::findings {

struct FindOptions {
  double q = 0.05;  ///< In (0, 0.5].
  std::uint64_t seed = 1;
  std::size_t shuffles = 20;  ///< Null audit: commonality on so many shuffled copies; 0: none.
  const BlockTests* block_tests = nullptr;  ///< Electrical fails by block; null: not asked.
};

/// `view` may be null: then no defect is traced. `caveats` of the loader are carried over.
/// Errors: kInvalidOptions (FIND-0006); kCancelled (FIND-0003).
Result<FindingsDocument> find_causes(const FabData& data, const layout::FlatView* view,
                                     const std::vector<std::string>& caveats,
                                     const FindOptions& options, Progress& progress);

}  // namespace yieldloop::findings

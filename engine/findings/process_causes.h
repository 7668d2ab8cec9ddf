/// \file
/// Commonality of yield, of the failing bins and of defect counts, as finding candidates.
///
/// Yield is asked first. A bin or defect count that points at the same attribute is evidence for
/// that cause and not a second finding; one that points elsewhere is a finding of its own. The
/// bins and defect counts share one error budget, half of yield's, by Bonferroni.
#pragma once

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/findings/candidate.h"
#include "engine/process/commonality.h"

namespace yieldloop::findings {

struct ProcessCauseOptions {
  double alpha = 0.05;
  std::size_t max_bins = 8;      ///< Failing bins asked, largest first.
  double min_bin_share = 0.002;  ///< Of the tested die.
  /// Causes that cost less of the tested die than this are no findings, however certain: nobody
  /// stops a tool for them.
  double min_loss_share = 0.0005;
  /// Defect counts must rise by this share of the step's mean.
  double min_defect_rise = 0.25;
  std::size_t shuffles = 0;
  std::uint64_t seed = 1;
};

/// Errors: kCancelled (FIND-0003). Without process history or with too few wafers: no candidate
/// and a caveat.
Result<FamilyResult> process_causes(const FabData& data, const ProcessCauseOptions& options,
                                    Progress& progress);

}  // namespace yieldloop::findings

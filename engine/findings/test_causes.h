/// \file
/// Tester sites that fail good die and reticles that print a defect, as finding candidates, and
/// the fab data without the die they explain.
///
/// Both hit die by their place, so they are asked before commonality: the die that a faulty site
/// touched, or that lie at a repeating field position, are set aside, and what remains is asked
/// for tools and chambers. Otherwise the lots that met the probe card or the reticle would accuse
/// whatever else they shared.
#pragma once

#include "engine/core/result.h"
#include "engine/findings/candidate.h"

namespace yieldloop::findings {

struct PlaceCauseOptions {
  double alpha = 0.05;
};

/// Faulty sites; removes from `rest` the results they touched on the wafers named.
Result<FamilyResult> site_causes(const FabData& data, const PlaceCauseOptions& options,
                                 FabData& rest);

/// Repeaters in `rest`; removes their die from it.
Result<FamilyResult> reticle_causes(const PlaceCauseOptions& options, FabData& rest);

}  // namespace yieldloop::findings

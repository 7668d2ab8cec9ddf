/// \file
/// Tester sites and probe cards that fail good die and reticles that print a defect, as finding
/// candidates, and the fab data without the die that sites and reticles explain.
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

/// Faulty sites in `rest`; removes the die they touched on the wafers named.
Result<FamilyResult> site_causes(const PlaceCauseOptions& options, FabData& rest);

/// Repeaters in `rest`; removes their die from it.
Result<FamilyResult> reticle_causes(const PlaceCauseOptions& options, FabData& rest);

/// Sites and repeaters. Sites tile the wafer much as exposure fields do, so that one can look like
/// the other: the surer of the two is asked first, the other of the die that are left.
Result<FamilyResult> place_causes(const PlaceCauseOptions& options, FabData& rest);

/// Probe cards and testers that misread die at all their sites.
Result<FamilyResult> card_causes(const FabData& data, const PlaceCauseOptions& options);

}  // namespace yieldloop::findings

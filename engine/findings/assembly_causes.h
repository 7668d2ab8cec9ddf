/// \file
/// What makes packages fail and which identities of packaged die are off, as finding candidates.
#pragma once

#include "engine/core/result.h"
#include "engine/findings/candidate.h"

namespace yieldloop::findings {

/// Nothing and no caveat where the fab sends no packages.
Result<FamilyResult> assembly_causes(const FabData& data, double alpha);

}  // namespace yieldloop::findings

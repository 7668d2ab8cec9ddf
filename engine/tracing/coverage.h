/// \file
/// What the wafer's edge and AREAPERTEST take away from the listed die (exposure.h). Private to
/// exposure.cpp.
#pragma once

#include "engine/tracing/exposure.h"

namespace yieldloop::tracing {

/// Sets coverage, seen_share, area_um2 and caveats. REQUIRES: everything else of `exposure`.
void find_coverage(const FabData& data, const Frame& frame, StepExposure& exposure);

}  // namespace yieldloop::tracing

/// \file
/// Electrical fails traced to the layout, as finding candidates; no defect is looked at.
#pragma once

#include "engine/core/block_tests.h"
#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/findings/candidate.h"
#include "engine/layout/flat_view.h"
#include "engine/tracing/electrical_trace.h"

namespace yieldloop::findings {

/// Exposures of the blocks and what explains their fails.
/// Errors: those of tracing::block_exposures and tracing::trace_electrical.
Result<tracing::ElectricalTrace> trace_electrical(const FabData& data, const layout::FlatView& view,
                                                  const BlockTests& tests, double alpha,
                                                  Progress& progress);

/// One finding for each decided verdict, one undecided entry for each that is not.
FamilyResult electrical_causes(const tracing::ElectricalTrace& trace, double alpha);

}  // namespace yieldloop::findings

/// \file
/// The inspected defects of a step in layout coordinates, and which of them lie at traced places;
/// what continuous causes, interactions and kill ratios by pattern count with.
#pragma once

#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/core/result.h"
#include "engine/findings/trace_registration.h"
#include "engine/layout/flat_view.h"
#include "engine/tracing/exposure.h"

namespace yieldloop::findings {

/// Shape: [data.defects]; 1 for defects of a cluster (scratch, spill), which are one event.
std::vector<char> clustered_defects_of(const FabData& data);

/// Defects of tools that `registrations` moved are moved as they were for tracing.
/// Errors: those of tracing::Frame::make and tracing::step_exposure.
Result<tracing::StepExposure> located_defects(
    const FabData& data, const layout::FlatView& view, const std::string& step,
    const std::vector<char>& clustered, const std::vector<StepRegistration>& registrations = {});

/// Shape: [points]; 1 within `reach_um` of a place.
std::vector<char> near_places(const std::vector<tracing::RectUm>& places, double reach_um,
                              const std::vector<tracing::PointUm>& points);

/// Marks all but the first three unmarked points of any 2 um of the die: more are a repeater.
/// Shape: aside is [points].
void leave_few_at_a_place(const std::vector<tracing::PointUm>& points, std::vector<char>& aside);

/// How far a traced place's defects lie from it: its zone, or four position errors, so that the
/// tails are not taken for something else.
double explained_reach(double reach_um, double position_sigma_um);

std::vector<tracing::PointUm> points_of(const tracing::StepExposure& exposure);

}  // namespace yieldloop::findings

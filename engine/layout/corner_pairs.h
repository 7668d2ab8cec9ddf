/// \file
/// Corners that point at each other; for this folder's sources.
///
/// Units: database units.
#pragma once

#include <vector>

#include "engine/geometry/union_sweep.h"
#include "engine/layout/census.h"

namespace yieldloop::layout {

/// Outer right angles of different pieces at most `farthest` apart whose common box is empty, once
/// each. `outline` is that of `heap`.
std::vector<CornerPair> corner_pairs(const geometry::UnionOutline& outline,
                                     const geometry::ShapeHeap& heap, Coord farthest);

}  // namespace yieldloop::layout

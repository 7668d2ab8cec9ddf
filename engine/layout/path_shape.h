/// \file
/// The polygon of a path as a cell keeps it; for this folder's sources and the readers' tests.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/layout/layout.h"

namespace yieldloop::layout {

/// The outline's corners; empty when the path has no area or leaves 32 bits.
/// Source: engine/geometry/path_outline.h.
std::vector<Point32> path_ring(std::span<const Point32> centre_line, const PathStyle& style);

/// The same, telling "no area" (an empty ring) from "leaves 32 bits" (nothing).
std::optional<std::vector<Point32>> checked_path_ring(std::span<const Point32> centre_line,
                                                      const PathStyle& style);

/// The rectangle of a path of two points along an axis whose sides lie on whole units; nothing
/// for any other path.
std::optional<Box> straight_path_box(std::span<const Point32> centre_line, const PathStyle& style);

}  // namespace yieldloop::layout

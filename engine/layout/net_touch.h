/// \file
/// Whether two closed shapes share a point, exactly; for this folder's sources.
#pragma once

#include <span>

#include "engine/geometry/box.h"
#include "engine/geometry/point.h"

namespace yieldloop::layout {

/// A ring of corners; an area by the even-odd rule, border included.
using Ring = std::span<const geometry::Point>;

/// True when they share at least a point.
bool touching(const geometry::Box& box, Ring ring);
bool touching(Ring a, Ring b);

}  // namespace yieldloop::layout

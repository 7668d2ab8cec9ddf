/// \file
/// Points in an order in which neighbours in the list are neighbours in the plane.
///
/// Source: G. M. Morton, "A computer oriented geodetic data base and a new technique in file
/// sequencing", IBM 1966 (the digits of x and y taken in turns).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/geometry/point.h"

namespace yieldloop::geometry {

/// result[k] is the position of the k-th point along the curve; equal places keep their order.
/// Cost: linear.
std::vector<std::uint32_t> curve_order(std::span<const Point> points);

}  // namespace yieldloop::geometry

/// \file
/// The position error of the tools, from defects about places that draw them.
///
/// Along sigma the profile l(sigma) = max_r sum_d log(1 + r k_d(sigma) / b_d) - r n is climbed by
/// golden section on log sigma between a fifth of and five times the start; the standard error
/// comes from its curvature. A tool with fewer than `kLeast` defects at the places is given the
/// width of all tools together.
///
/// Units: um; b in defects per um^2 over the whole exposure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/tracing/blur_pairs.h"

namespace yieldloop::tracing {

struct WidthEstimate {
  double sigma = 0.0;
  double standard_error = 0.0;
  double defects = 0.0;  ///< r n at the estimate.
};

/// Shape: defects, background are [defects]; places are the boxes of one class.
/// REQUIRES: start > 0. The start itself, without standard error, where the places draw nothing.
WidthEstimate estimate_width(std::span<const RectUm> places, std::span<const PointUm> defects,
                             std::span<const double> background, double start);

}  // namespace yieldloop::tracing

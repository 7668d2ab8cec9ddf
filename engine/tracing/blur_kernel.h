/// \file
/// Where a defect of a place is reported: uniform over the place's box, then off by a normal error.
///
///   K(x, y) = k(x; x_min, x_max) k(y; y_min, y_max),
///   k(u; a, b) = (Phi((b - u) / sigma) - Phi((a - u) / sigma)) / (b - a)
///
/// A side below half a sigma is taken as a normal of variance sigma^2 + (b - a)^2 / 12, whose
/// fourth cumulant differs by less than 6e-4 sigma^4. K integrates to 1.
///
/// Units: um; K in 1/um^2.
/// Known points: sigma 1, a point at the origin: K(0, 0) = 1 / (2 pi) = 0.159155; a side of
/// length 2 about the origin: k(0) = (Phi(1) - Phi(-1)) / 2 = 0.341345.
#pragma once

#include <cmath>

#include "engine/tracing/frame.h"

namespace yieldloop::tracing {

/// Beyond this many sigmas from the box K is taken as 0; the mass cut off is 1.3e-4.
inline constexpr double kBlurReach = 4.0;

inline double blur_density_1d(double u, double low, double high, double sigma) {
  constexpr double kInvSqrt2Pi = 0.3989422804014327, kInvSqrt2 = 0.7071067811865476;
  const double width = high - low;
  if (width < 0.5 * sigma) {
    const double variance = sigma * sigma + width * width / 12.0;
    const double off = u - 0.5 * (low + high);
    return kInvSqrt2Pi / std::sqrt(variance) * std::exp(-0.5 * off * off / variance);
  }
  const double scale = kInvSqrt2 / sigma;
  return 0.5 * (std::erf((high - u) * scale) - std::erf((low - u) * scale)) / width;
}

/// REQUIRES: sigma > 0.
inline double blur_density(const RectUm& box, PointUm p, double sigma) {
  return blur_density_1d(p.x, box.x_min, box.x_max, sigma) *
         blur_density_1d(p.y, box.y_min, box.y_max, sigma);
}

}  // namespace yieldloop::tracing

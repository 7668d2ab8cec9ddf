/// \file
/// How two colours differ for normal, protan and deutan sight.
/// Source: G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, IEEE TVCG 15 (2009) 1291-1298,
/// matrices for severity 1.0, applied to linear sRGB; CIE 15 (2004), CIELAB and the CIE 1976
/// difference; IEC 61966-2-1 for sRGB.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "gui/charts/theme.h"

namespace yieldloop::charts::test {

using Triple = std::array<double, 3>;
using Matrix = std::array<Triple, 3>;

inline constexpr Matrix kNormal{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
inline constexpr Matrix kProtan{{{0.152286, 1.052583, -0.204868},
                                 {0.114503, 0.786281, 0.099216},
                                 {-0.003882, -0.048116, 1.051998}}};
inline constexpr Matrix kDeutan{{{0.367322, 0.860646, -0.227968},
                                 {0.280085, 0.672501, 0.047413},
                                 {-0.011820, 0.042940, 0.968881}}};

inline Triple times(const Matrix& m, const Triple& v) {
  Triple out{};
  for (std::size_t i = 0; i < 3; ++i) out[i] = m[i][0] * v[0] + m[i][1] * v[1] + m[i][2] * v[2];
  return out;
}

inline Triple linear_rgb(Rgb colour) {
  Triple out{};
  for (std::size_t i = 0; i < 3; ++i) {
    const double c = ((colour >> (16 - 8 * i)) & 0xffU) / 255.0;
    out[i] = c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
  }
  return out;
}

inline Triple lab(Triple linear) {
  for (double& c : linear) c = std::clamp(c, 0.0, 1.0);
  constexpr Matrix kXyz{{{0.4124564, 0.3575761, 0.1804375},
                         {0.2126729, 0.7151522, 0.0721750},
                         {0.0193339, 0.1191920, 0.9503041}}};
  const Triple xyz = times(kXyz, linear);
  const Triple white{0.95047, 1.0, 1.08883};
  Triple f{};
  for (std::size_t i = 0; i < 3; ++i) {
    const double t = xyz[i] / white[i];
    f[i] = t > 216.0 / 24389 ? std::cbrt(t) : (24389.0 / 27 * t + 16) / 116;
  }
  return {116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])};
}

inline double difference(Rgb a, Rgb b, const Matrix& sight) {
  const Triple p = lab(times(sight, linear_rgb(a)));
  const Triple q = lab(times(sight, linear_rgb(b)));
  return std::hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
}

inline double least_difference(Rgb a, Rgb b) {
  return std::min(
      {difference(a, b, kNormal), difference(a, b, kProtan), difference(a, b, kDeutan)});
}

}  // namespace yieldloop::charts::test

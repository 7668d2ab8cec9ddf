/// \file
/// Limits of an individuals chart that one bad lot in the history cannot widen.
///
///   centre = median(x),  sigma = median(|x_i - x_{i-1}|) / 0.9539,  limits = centre -+ k * sigma
///
/// Source: D. C. Montgomery, "Introduction to Statistical Quality Control", 7th ed., section 6.4
/// (individuals chart; 0.9539 is d4, the median of the range of two); B. Iglewicz, D. C.
/// Hoaglin, "How to Detect and Handle Outliers" (1993), for the modified z score
/// 0.6745 (x - median) / MAD, outlying beyond 3.5.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace yieldloop::report {

inline constexpr std::size_t kFewestReferences = 5;

struct ControlLimits {
  double centre = 0.0;
  double sigma = 0.0;
  friend bool operator==(const ControlLimits&, const ControlLimits&) = default;
};

/// Shape: values is [n], in order of time. Nothing with fewer than kFewestReferences values.
std::optional<ControlLimits> individuals_limits(std::span<const double> values);

/// Median and MAD / 0.6745, for values without order. Nothing with too few values.
std::optional<ControlLimits> robust_limits(std::span<const double> values);

/// Of a copy; the mean of the middle two when even. REQUIRES: not empty.
double median(std::vector<double> values);

}  // namespace yieldloop::report

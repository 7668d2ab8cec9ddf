/// \file
/// Straight lines through points: least squares, and Theil-Sen for data with outliers.
///
/// OLS: slope = Sxy/Sxx with Student's interval. Theil-Sen: median of all pairwise slopes,
/// interval from the order statistics of Kendall's S (normal law, ties corrected for).
///
/// Source: P. K. Sen, JASA 63 (1968) 1379.
#pragma once

#include <span>

#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::stats {

struct Line {
  double slope = 0.0;
  double intercept = 0.0;
  Interval slope_ci{0.0, 0.0};
  double p_value = 1.0;  ///< Of slope == 0, two-sided.
  friend bool operator==(const Line&, const Line&) = default;
};

/// Shape: x and y are [n], n >= 3. Errors: kNoData (STAT-0003) when n < 3 or all x are equal.
Result<Line> least_squares_line(std::span<const double> x, std::span<const double> y);
/// Cost: O(n^2) time and memory.
Result<Line> theil_sen_line(std::span<const double> x, std::span<const double> y);

}  // namespace yieldloop::stats

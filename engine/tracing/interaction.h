/// \file
/// Does one piece of layout fail more on some wafers than on others, beyond what the wafers' other
/// defects do?
///
/// For every inspected wafer: n defects at the places in question, o elsewhere, on e inspected die.
/// Exposed wafers (those that met a tool, a recipe, a time) against the others:
///
///   rate ratio      R = rate of n exposed / unexposed
///   other ratio     Q = the same of o: a tool that makes all defects more frequent is no
///   interaction specific ratio  R / Q
///
/// Where lots are split between the two, R comes from within lots: given a lot's total T, its
/// exposed count is binomial with p = R E1 / (R E1 + E0), and R solves sum (n1 - T p) = 0; lots'
/// own rates then do not matter. Else lots are pooled. The variance of log R is the larger of the
/// quasi-Poisson one (dispersion of the wafers' counts, at least 1) and the sandwich over lots;
/// tests and intervals use Student's t with as many degrees as clusters allow.
///
///   excess = n1 (1 - 1/R)      defects that the exposed wafers would not have at the others' rate
///
/// `slope` is the same for a number of each wafer (a dose, a CD, a sensor): log-linear
/// quasi-Poisson regression with the sandwich over lots.
///
/// Units: defects, inspected die.
/// Source: P. McCullagh, J. A. Nelder, "Generalized Linear Models", 2nd ed. (1989), 6.2, 7.3
/// and 9.2 (quasi-likelihood, conditioning on totals); K.-Y. Liang, S. Zeger, Biometrika 73
/// (1986) 13.
#pragma once

#include <cstdint>
#include <span>

#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::tracing {

struct WaferPatternCount {
  std::uint32_t wafer = 0;
  std::uint32_t lot = 0;
  double at_places = 0.0;  ///< n.
  double elsewhere = 0.0;  ///< o.
  double exposure = 0.0;   ///< e > 0.
  friend bool operator==(const WaferPatternCount&, const WaferPatternCount&) = default;
};

/// A ratio of rates with what is known of it.
struct CountRatio {
  double ratio = 1.0;
  Interval ci{0.0, 0.0};  ///< High may be infinity.
  double p_value = 1.0;   ///< Two-sided, of ratio = 1.
  double log_se = 0.0;
  double degrees = 0.0;
  double dispersion = 1.0;
  bool within_lots = false;
  friend bool operator==(const CountRatio&, const CountRatio&) = default;
};

struct InteractionContrast {
  CountRatio pattern;                               ///< R.
  CountRatio other;                                 ///< Q.
  CountRatio specific;                              ///< R / Q.
  double rate_exposed = 0.0, rate_unexposed = 0.0;  ///< n for each inspected die.
  double count_exposed = 0.0, count_unexposed = 0.0;
  double excess = 0.0;
  Interval excess_ci{0.0, 0.0};
  std::int64_t wafers_exposed = 0, wafers_unexposed = 0, lots = 0;
  friend bool operator==(const InteractionContrast&, const InteractionContrast&) = default;
};

/// Shape: exposed is [wafers]. Wafers may come in any order.
/// Errors: kInvalidOptions (INTR-0001) for other shapes or negative counts; kNoData (INTR-0002)
/// when one side has no wafer or there is no defect at the places.
Result<InteractionContrast> interaction_contrast(std::span<const WaferPatternCount> wafers,
                                                 std::span<const char> exposed);

struct InteractionSlope {
  CountRatio pattern;  ///< Rate at `high` over rate at `low`.
  CountRatio other;
  double low = 0.0, high = 0.0;  ///< 10th and 90th percentile of the values.
  double excess = 0.0;           ///< Defects beyond those at the better end.
  std::int64_t wafers = 0, lots = 0;
  friend bool operator==(const InteractionSlope&, const InteractionSlope&) = default;
};

/// Shape: values is [wafers]; NaN where a wafer has none. Errors: as interaction_contrast; kNoData
/// (INTR-0002) when fewer than 8 wafers have a value or all values are one.
Result<InteractionSlope> interaction_slope(std::span<const WaferPatternCount> wafers,
                                           std::span<const double> values);

}  // namespace yieldloop::tracing

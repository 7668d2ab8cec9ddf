/// \file
/// How the defect rate depends on continuous properties of the layout: density, its gradient,
/// border, width, space, distance to an edge, vias near by, radius on the wafer.
///
/// Defects (cases) against points drawn uniformly over the inspected area (controls): for defects
/// that fall as a Poisson process with rate exp(f(x)) the chance that a row is a case is logistic,
///
///   logit P(case | x) = constant + sum over columns of f_c(x_c)
///
/// so that differences of f are logarithms of rate ratios. Every column is taken on its own rank
/// scale u in [0, 1] (the share of inspected area below the value), f_c is a natural cubic spline
/// in u with knots at 0.05, 0.35, 0.65 and 0.95, so that effects that rise and fall are seen and a
/// monotone change of a column's unit changes nothing; columns of a few values have a step for
/// each. Where a value does not exist (the width off metal) the row has a constant of its own.
///
/// A column is asked by its score, given the columns accepted before it. Its p-value is the largest
/// of three: the model's own chi-squared; Hotelling's T-squared of the wafers' scores, which lets
/// the defects of a wafer hang together; and that of the layout tiles' scores, which asks whether
/// the effect holds all over the die and not at a few places that have another cause. q:
/// Benjamini-Hochberg over the columns asked. Of those with q <= alpha the column that explains
/// most is accepted, and the rest is asked again; what is explained by it drops out (density of a
/// place beside its gradient). Columns that would explain as much, and are nothing beside it, are
/// named as its rivals.
///
/// Intervals use the largest of the three variances and Student's t. Beside that, one penalised
/// model of all columns: ridge with the penalty of the largest Laplace-approximated marginal
/// likelihood; its ratios show what is left of each column when all share the credit.
///
/// Source: A. Baddeley et al., "Spatial logistic regression and change-of-support in Poisson point
/// processes", Electronic J. Statist. 4 (2010) 1151; F. E. Harrell, "Regression Modeling
/// Strategies", 2nd ed. (2015), 2.4.5 (natural splines); H. Hotelling, Ann. Math. Stat. 2 (1931)
/// 360; D. Boos, American Statistician 46 (1992) 327 (generalised score tests); D. MacKay, Neural
/// Computation 4 (1992) 415 (marginal likelihood of the penalty).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::tracing {

/// Rows 0 .. cases-1 are defects, the others controls.
struct RegressionTable {
  std::vector<std::string> columns;
  std::size_t cases = 0;
  std::vector<double> values;        ///< Shape: [rows, columns], row by row; NaN: does not exist.
  std::vector<std::uint32_t> wafer;  ///< Shape: [cases].
  std::vector<std::uint32_t> lot;    ///< Shape: [cases].
  std::vector<std::uint32_t> tile;   ///< Shape: [rows]; of the layout window.
  std::size_t rows() const { return tile.size(); }
  double at(std::size_t row, std::size_t column) const {
    return values[row * columns.size() + column];
  }
  friend bool operator==(const RegressionTable&, const RegressionTable&) = default;
};

struct RegressionOptions {
  double alpha = 0.05;  ///< In (0, 0.5].
  std::size_t most_causes = 4;
  std::size_t min_cases = 50;
};

/// The rate at a value against the mean over the inspected area.
struct CurvePoint {
  double share = 0.0;  ///< Of the inspected area that lies below.
  double value = 0.0;
  double rate = 1.0;
  Interval rate_ci{0.0, 0.0};
  friend bool operator==(const CurvePoint&, const CurvePoint&) = default;
};

enum class Direction : std::uint8_t { kFlat, kRises, kFalls, kPeaks, kDips };
std::string direction_name(Direction direction);  ///< "rises", "falls", ...

struct ColumnEffect {
  std::string column;
  std::size_t degrees = 0;  ///< Of its test; 0 when it was not asked.
  std::string not_asked;    ///< Why, when it was not.
  double p_alone = 1.0;     ///< Without any other column.
  double q_alone = 1.0;
  double p_beside = 1.0;         ///< Beside the accepted columns (without itself).
  double low = 0.0, high = 0.0;  ///< 10th and 90th percentile over the inspected area.
  double rate_ratio = 1.0;       ///< Rate at `high` over rate at `low`: alone, or in the joint
  Interval rate_ratio_ci{0, 0};  ///< model of the accepted columns.
  double extreme_ratio = 1.0;    ///< Highest over lowest rate of the curve.
  Interval extreme_ratio_ci{0, 0};
  double ridge_ratio = 1.0;  ///< As rate_ratio, in the penalised model of all columns.
  Direction direction = Direction::kFlat;
  std::vector<CurvePoint> curve;  ///< By rising share.
  friend bool operator==(const ColumnEffect&, const ColumnEffect&) = default;
};

struct AcceptedColumn {
  std::size_t column = 0;
  double p_value = 1.0;  ///< When it was accepted.
  double q_value = 1.0;
  double deviance = 0.0;            ///< Explained, by its score.
  double share_of_cases = 0.0;      ///< Cases beyond those at the rate of the best tenth.
  std::vector<std::size_t> rivals;  ///< Ascending.
  friend bool operator==(const AcceptedColumn&, const AcceptedColumn&) = default;
};

struct RegressionResult {
  std::vector<ColumnEffect> effects;     ///< In the order of the columns.
  std::vector<AcceptedColumn> accepted;  ///< In the order of acceptance.
  std::size_t cases = 0, controls = 0, wafers = 0, tiles = 0;
  double ridge = 0.0;  ///< Penalty of the joint model, per squared standard deviation.
  std::vector<std::string> caveats;
  friend bool operator==(const RegressionResult&, const RegressionResult&) = default;
};

/// The result does not depend on the order of the cases, nor on that of the controls, but for
/// rounding. Errors: kInvalidOptions (LREG-0001) for options or shapes; kNoData (LREG-0002) with
/// too few cases or controls, or when the cases lie on fewer than 2 wafers and 8 tiles.
Result<RegressionResult> layout_regression(const RegressionTable& table,
                                           const RegressionOptions& options = {});

}  // namespace yieldloop::tracing

/// \file
/// A column on its rank scale and the basis of its effect; private to layout_regression.
#pragma once

#include <Eigen/Core>
#include <span>
#include <vector>

namespace yieldloop::tracing {

/// Made from the controls' values; gives basis rows for any value.
class RankSpline {
 public:
  /// `controls` may hold NaN.
  explicit RankSpline(std::vector<double> controls);

  bool constant() const { return levels_.size() < 2; }
  double missing_share() const { return missing_share_; }
  /// Columns of the basis.
  Eigen::Index columns() const;
  /// Share of the controls below the value, ties halved.
  double rank(double value) const;
  /// The value with this share of the controls below it.
  double quantile(double share) const;
  /// Writes the basis at a value (NaN: the constant of what does not exist).
  void row(double value, Eigen::Ref<Eigen::RowVectorXd> out) const;

 private:
  bool stepped() const { return levels_.size() <= kMostLevels; }
  bool has_missing() const { return missing_share_ > 0.01 && missing_share_ < 0.99; }

  static constexpr std::size_t kMostLevels = 5;
  std::vector<double> sorted_;  ///< Controls that exist, ascending.
  std::vector<double> levels_;  ///< Distinct values, at most kMostLevels + 1 kept.
  double missing_share_ = 0.0;
};

}  // namespace yieldloop::tracing

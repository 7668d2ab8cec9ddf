/// \file
/// Do groups of measurements differ, and do two columns move together?
///
/// Mann-Whitney: U = pairs won by the first group, ties half; exact law without ties up to 49
/// in each group, otherwise normal with tie and continuity correction. Kruskal-Wallis: H with
/// tie correction against chi-squared(k-1). Welch: t with Satterthwaite's degrees. One-way
/// ANOVA: F. Spearman: Pearson's r of mid-ranks, t with n-2 degrees.
///
/// Source: H. Mann and D. Whitney, Ann. Math. Stat. 18 (1947) 50; W. Kruskal and W. Wallis,
/// JASA 47 (1952) 583; B. Welch, Biometrika 34 (1947) 28; R. A. Fisher (1925);
/// C. Spearman, Am. J. Psychol. 15 (1904) 72.
#pragma once

#include <span>
#include <vector>

#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::stats {

/// Mid-ranks from 1; equal values share the mean of their ranks.
std::vector<double> mid_ranks(std::span<const double> values);

/// Blom's normal scores of the mid-ranks: quantile((rank - 3/8) / (n + 1/4)).
/// Source: G. Blom, Statistical Estimates and Transformed Beta-Variables (1958).
std::vector<double> normal_scores(std::span<const double> values);

struct TestResult {
  double statistic = 0.0;
  double degrees = 0.0;   ///< Of the (first) reference distribution; 0 when it has none.
  double degrees2 = 0.0;  ///< Of F.
  double p_value = 1.0;   ///< Two-sided where that has a meaning.
  double effect = 0.0;    ///< Difference of means; P(X > Y) + P(X = Y)/2 for Mann-Whitney;
                          ///< eta squared for ANOVA, epsilon squared for Kruskal-Wallis; rho.
  Interval effect_ci{0.0, 0.0};  ///< Where the method gives one (Welch).
  friend bool operator==(const TestResult&, const TestResult&) = default;
};

/// Errors: kNoData (STAT-0002) when a group is too small for the test.
Result<TestResult> mann_whitney(std::span<const double> x, std::span<const double> y);
Result<TestResult> welch_t(std::span<const double> x, std::span<const double> y);

/// Shape: values and groups are [n]; groups holds 0..k-1.
Result<TestResult> kruskal_wallis(std::span<const double> values, std::span<const int> groups);
Result<TestResult> one_way_anova(std::span<const double> values, std::span<const int> groups);

/// Shape: x and y are [n], n >= 4. Errors: kNoData (STAT-0002).
Result<TestResult> spearman(std::span<const double> x, std::span<const double> y);

}  // namespace yieldloop::stats

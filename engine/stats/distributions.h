/// \file
/// Tail probabilities and quantiles of the usual distributions, through Boost.Math.
///
/// Every p-value in the program comes from here. Arguments outside a distribution's support
/// give the limit (0 or 1), degenerate parameters (no degrees of freedom, NaN) give p = 1, so
/// that a table without information never looks like evidence.
///
/// Source: Boost.Math, "Statistical Distributions".
#pragma once

#include <cstdint>

#include "engine/core/finding.h"

namespace yieldloop::stats {

double normal_cdf(double z);
double normal_density(double z);
/// REQUIRES: 0 < p < 1.
double normal_quantile(double p);
/// P(|Z| >= |z|).
double normal_two_sided_p(double z);
/// P(Z >= z).
double normal_upper_p(double z);

double student_t_two_sided_p(double t, double degrees);
double student_t_upper_p(double t, double degrees);
/// The p quantile. REQUIRES: 0 < p < 1.
double student_t_quantile(double p, double degrees);
/// The normal deviate with the same tail as t, sign kept; exact, finite to |z| about 37.
double student_t_to_z(double t, double degrees);

double chi_squared_upper_p(double x, double degrees);
double f_upper_p(double f, double degrees1, double degrees2);

/// P(X <= k) and P(X >= k).
double binomial_lower_p(std::int64_t k, std::int64_t n, double p);
double binomial_upper_p(std::int64_t k, std::int64_t n, double p);
double poisson_lower_p(std::int64_t k, double mean);
double poisson_upper_p(std::int64_t k, double mean);

/// P(X >= k), X = marked items in a draw of `draws` from `total` items of which `marked` are
/// marked. Exact sum of point probabilities; Cost: O(min(draws, marked)).
double hypergeometric_upper_p(std::int64_t k, std::int64_t draws, std::int64_t marked,
                              std::int64_t total);
double hypergeometric_point_p(std::int64_t k, std::int64_t draws, std::int64_t marked,
                              std::int64_t total);

/// Quantile of the beta distribution. REQUIRES: a, b > 0, 0 <= p <= 1.
double beta_quantile(double p, double a, double b);
/// Quantile of the gamma distribution with scale 1. REQUIRES: shape > 0, 0 <= p < 1.
double gamma_quantile(double p, double shape);

}  // namespace yieldloop::stats

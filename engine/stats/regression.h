/// \file
/// Logistic and Poisson regression by iteratively reweighted least squares.
///
///   logistic: logit(p) = X b, successes ~ Binomial(trials, p)
///   Poisson:  log(mu) = X b + log(exposure), counts ~ Poisson(mu)
///
/// The penalty ridge * |b|^2 / 2 (the first column, by custom the intercept, is left out
/// unless asked for) keeps separated data finite. Steps are halved when the penalised
/// deviance would grow.
///
/// Source: P. McCullagh and J. Nelder, Generalized Linear Models, 2nd ed. (1989) 2.5;
/// A. Hoerl and R. Kennard, Technometrics 12 (1970) 55. Known point: Dobson's counts
/// 18,17,15,20,10,20,25,13,12 in a 3x3 layout, deviance 5.1291.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "engine/core/result.h"

namespace yieldloop::stats {

struct GlmOptions {
  double ridge = 0.0;  ///< >= 0.
  bool penalise_first = false;
  int max_iterations = 50;
  double tolerance = 1e-10;  ///< Relative change of the penalised deviance.
};

struct GlmFit {
  std::vector<double> coefficients;  ///< Shape: [p].
  std::vector<double> covariance;    ///< Shape: [p, p], row-major; inverse penalised information.
  std::vector<double> fitted;        ///< Shape: [n]; probability, or expected count.
  double deviance = 0.0;
  double dispersion = 1.0;  ///< Pearson chi-squared / (n - p); multiply the covariance by it
                            ///< for a quasi-likelihood.
  int iterations = 0;
  bool converged = false;
  double standard_error(std::size_t j) const;
  friend bool operator==(const GlmFit&, const GlmFit&) = default;
};

/// Shape: design is [n, p]; successes and trials are [n], 0 <= successes <= trials.
/// Errors: kInvalidOptions (STAT-0004) for shapes or values outside these; kNoData
/// (STAT-0005) when the information matrix is singular (give a ridge).
Result<GlmFit> fit_logistic(const Eigen::Ref<const Eigen::MatrixXd>& design,
                            const Eigen::Ref<const Eigen::VectorXd>& successes,
                            const Eigen::Ref<const Eigen::VectorXd>& trials,
                            const GlmOptions& options = {});

/// Shape: counts and exposure are [n], counts >= 0, exposure > 0. Errors: as fit_logistic.
Result<GlmFit> fit_poisson(const Eigen::Ref<const Eigen::MatrixXd>& design,
                           const Eigen::Ref<const Eigen::VectorXd>& counts,
                           const Eigen::Ref<const Eigen::VectorXd>& exposure,
                           const GlmOptions& options = {});

}  // namespace yieldloop::stats

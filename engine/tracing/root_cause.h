/// \file
/// Root-cause deconvolution: which mix of causes explains what failed, when every single report
/// could come from several of them.
///
/// A report (a failing die, a failing block, a diagnosed site) has a probability P(report | cause)
/// under each cause, known from the layout. With mixture weights pi_c
///
///   log L = sum over reports of w log(sum over c of pi_c P(report | c)),   sum pi_c = 1
///
/// which is concave; EM climbs it:
///
///   posterior(c | report) = pi_c P(report | c) / sum_k pi_k P(report | k)
///   pi_c <- (sum of w posterior(c) + prior) / (sum of w + causes * prior)
///
/// `prior` pseudo-reports a cause (a Dirichlet prior) keep shares off the edge when reports are
/// few; 0 gives the maximum likelihood. Intervals are profile likelihood: the cause's share is held
/// and the rest fitted again, 2 * drop = 3.841 * dispersion. The p-value of pi_c = 0 is that of the
/// likelihood ratio against the half-and-half mixture of a point at zero and chi-squared with one
/// degree, because 0 is the edge of what is possible.
///
/// Mixtures of causes that give every report the same probability cannot be told apart by any
/// number of reports. `same_cause_groups` names those: causes whose profiles point the same way,
/// and all that take part when the profiles are linearly dependent.
///
/// Value at a known point: P = [[.8 .1 0] [.5 .5 0] [0 .3 .6] [.9 0 .05]] gives
/// pi = (0.74534, 0, 0.25466), log L = -3.763243455.
/// Source: A. P. Dempster, N. M. Laird, D. B. Rubin, J. R. Statist. Soc. B 39 (1977) 1,
/// section 4.3; S. G. Self, K.-Y. Liang, JASA 82 (1987) 605 (the mixture); R. B. Benware et al.,
/// "Determining a failure root cause distribution from a population of layout-aware scan diagnosis
/// results", IEEE Design & Test 29 (2012) 8 (the application).
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::tracing {

struct RootCauseOptions {
  double prior = 0.0;       ///< Pseudo-reports for each cause, >= 0.
  double dispersion = 1.0;  ///< Of the reports against independent ones, >= 1.
  bool intervals = true;
};

struct RootCauseShare {
  double share = 0.0;  ///< pi_c.
  Interval share_ci{0.0, 1.0};
  double p_value = 1.0;  ///< Of pi_c = 0.
  friend bool operator==(const RootCauseShare&, const RootCauseShare&) = default;
};

struct RootCauseResult {
  std::vector<RootCauseShare> shares;  ///< In the order of the causes.
  double log_likelihood = 0.0;
  double reports = 0.0;  ///< Sum of weights.
  int rounds = 0;
  bool converged = false;
  friend bool operator==(const RootCauseResult&, const RootCauseResult&) = default;
};

/// Shape: likelihood is [reports, causes], entries >= 0; weights are [reports], >= 0.
/// Errors: kInvalidOptions (ROOT-0001) for other shapes or values; kNoData (ROOT-0002) when a
/// report of positive weight is impossible under every cause, or there is none.
Result<RootCauseResult> root_causes(const Eigen::Ref<const Eigen::MatrixXd>& likelihood,
                                    const Eigen::Ref<const Eigen::VectorXd>& weights,
                                    const RootCauseOptions& options = {});

/// Shape: profile is [reports, causes]. Groups of causes (ascending positions) that the reports
/// cannot tell apart; each cause is in exactly one group. Two profiles are alike when their cosine
/// is at least `cosine`; what is left is searched for linear dependence.
std::vector<std::vector<std::size_t>> same_cause_groups(
    const Eigen::Ref<const Eigen::MatrixXd>& profile, double cosine = 0.9995);

}  // namespace yieldloop::tracing

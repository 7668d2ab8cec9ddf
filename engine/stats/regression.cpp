#include "engine/stats/regression.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

namespace yieldloop::stats {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

double x_log_ratio(double x, double mu) { return x > 0 ? x * std::log(x / mu) : 0.0; }

/// One row's mean, its derivative and its share of the deviance, for a linear predictor.
struct Logistic {
  const VectorXd& y;
  const VectorXd& n;
  double mean(Eigen::Index i, double eta) const { return n[i] / (1 + std::exp(-eta)); }
  double slope(Eigen::Index i, double mu) const { return mu * (1 - mu / std::max(n[i], 1e-300)); }
  double deviance(Eigen::Index i, double mu) const {
    if (n[i] <= 0) return 0.0;
    const double inside = std::clamp(mu, n[i] * 1e-15, n[i] * (1 - 1e-15));
    return 2 * (x_log_ratio(y[i], inside) + x_log_ratio(n[i] - y[i], n[i] - inside));
  }
  double variance(Eigen::Index i, double mu) const { return slope(i, mu); }
  double start(Eigen::Index i) const { return std::log((y[i] + 0.5) / (n[i] - y[i] + 0.5)); }
};

struct PoissonLaw {
  const VectorXd& y;
  const VectorXd& exposure;
  double mean(Eigen::Index i, double eta) const {
    return exposure[i] * std::exp(std::min(eta, 600.0));
  }
  double slope(Eigen::Index, double mu) const { return mu; }
  double deviance(Eigen::Index i, double mu) const {
    return 2 * (x_log_ratio(y[i], std::max(mu, 1e-300)) - (y[i] - mu));
  }
  double variance(Eigen::Index, double mu) const { return mu; }
  double start(Eigen::Index i) const { return std::log((y[i] + 0.5) / exposure[i]); }
};

template <class Law>
class Irls {
 public:
  Irls(const Eigen::Ref<const MatrixXd>& x, const VectorXd& y, const Law& law,
       const GlmOptions& options)
      : x_(x), y_(y), law_(law), options_(options), penalty_(VectorXd::Zero(x.cols())) {
    penalty_.setConstant(options.ridge);
    if (!options.penalise_first && x.cols() > 0) penalty_[0] = 0.0;
  }

  Result<GlmFit> run() {
    VectorXd eta(x_.rows());
    for (Eigen::Index i = 0; i < x_.rows(); ++i) eta[i] = law_.start(i);
    GlmFit fit;
    VectorXd beta;
    double objective = 0.0;
    for (fit.iterations = 1; fit.iterations <= options_.max_iterations; ++fit.iterations) {
      VectorXd next;
      if (!solve(eta, next)) return singular();
      double next_objective = value(next);
      for (int half = 0; fit.iterations > 1 && half < 30; ++half) {
        if (std::isfinite(next_objective) && next_objective <= objective * (1 + 1e-12) + 1e-12) {
          break;
        }
        next = (next + beta) / 2;
        next_objective = value(next);
      }
      const bool done = fit.iterations > 1 && std::abs(next_objective - objective) <=
                                                  options_.tolerance * (std::abs(objective) + 0.1);
      beta = next;
      objective = next_objective;
      eta = x_ * beta;
      if (done) {
        fit.converged = true;
        break;
      }
    }
    return finish(fit, beta, eta);
  }

 private:
  static Error singular() {
    return {Errc::kNoData, "STAT-0005",
            "The columns of the regression are linearly dependent; drop one or give a ridge."};
  }

  double value(const VectorXd& beta) const {
    const VectorXd eta = x_ * beta;
    double sum = (penalty_.array() * beta.array().square()).sum();
    for (Eigen::Index i = 0; i < x_.rows(); ++i) sum += law_.deviance(i, law_.mean(i, eta[i]));
    return sum;
  }

  MatrixXd information(const VectorXd& weights) const {
    MatrixXd matrix = x_.transpose() * weights.asDiagonal() * x_;
    matrix.diagonal() += penalty_;
    return matrix;
  }

  bool solve(const VectorXd& eta, VectorXd& beta) const {
    VectorXd weights(x_.rows()), score(x_.rows());
    for (Eigen::Index i = 0; i < x_.rows(); ++i) {
      const double mu = law_.mean(i, eta[i]);
      weights[i] = std::max(law_.slope(i, mu), 1e-12);
      score[i] = weights[i] * eta[i] + (y_[i] - mu);
    }
    const Eigen::LDLT<MatrixXd> factor(information(weights));
    const VectorXd d = factor.vectorD();
    if (factor.info() != Eigen::Success || !(d.minCoeff() > 1e-12 * d.maxCoeff())) return false;
    beta = factor.solve(x_.transpose() * score);
    return beta.allFinite();
  }

  Result<GlmFit> finish(GlmFit fit, const VectorXd& beta, const VectorXd& eta) const {
    VectorXd weights(x_.rows());
    double pearson = 0.0;
    fit.fitted.resize(static_cast<std::size_t>(x_.rows()));
    for (Eigen::Index i = 0; i < x_.rows(); ++i) {
      const double mu = law_.mean(i, eta[i]);
      weights[i] = law_.slope(i, mu);
      fit.deviance += law_.deviance(i, mu);
      const double variance = law_.variance(i, mu);
      if (variance > 1e-12) pearson += (y_[i] - mu) * (y_[i] - mu) / variance;
      fit.fitted[static_cast<std::size_t>(i)] = mu;
    }
    const Eigen::LDLT<MatrixXd> factor(information(weights));
    const MatrixXd inverse = factor.solve(MatrixXd::Identity(x_.cols(), x_.cols()));
    if (!inverse.allFinite()) return singular();
    const auto degrees = static_cast<double>(x_.rows() - x_.cols());
    fit.dispersion = degrees > 0 ? pearson / degrees : 1.0;
    fit.coefficients.assign(beta.data(), beta.data() + beta.size());
    fit.covariance.assign(inverse.data(), inverse.data() + inverse.size());
    return fit;
  }

  const Eigen::Ref<const MatrixXd>& x_;
  const VectorXd& y_;
  Law law_;
  GlmOptions options_;
  VectorXd penalty_;
};

Error bad_shape() {
  return {Errc::kInvalidOptions, "STAT-0004",
          "A regression needs as many rows in each column, at least one column, finite values, "
          "counts of at least 0 and no more successes than trials."};
}

}  // namespace

double GlmFit::standard_error(std::size_t j) const {
  const std::size_t p = coefficients.size();
  return std::sqrt(std::max(0.0, covariance[j * p + j]));
}

Result<GlmFit> fit_logistic(const Eigen::Ref<const MatrixXd>& design,
                            const Eigen::Ref<const VectorXd>& successes,
                            const Eigen::Ref<const VectorXd>& trials, const GlmOptions& options) {
  const VectorXd y = successes, n = trials;
  if (design.cols() == 0 || design.rows() == 0 || design.rows() != y.size() ||
      y.size() != n.size() || !design.allFinite() || !n.allFinite() || !y.allFinite() ||
      (y.array() < 0).any() || (y.array() > n.array()).any() || options.ridge < 0) {
    return bad_shape();
  }
  auto fit = Irls<Logistic>(design, y, Logistic{y, n}, options).run();
  if (!fit) return fit;
  for (Eigen::Index i = 0; i < n.size(); ++i) {
    fit->fitted[static_cast<std::size_t>(i)] /= std::max(n[i], 1e-300);
  }
  return fit;
}

Result<GlmFit> fit_poisson(const Eigen::Ref<const MatrixXd>& design,
                           const Eigen::Ref<const VectorXd>& counts,
                           const Eigen::Ref<const VectorXd>& exposure, const GlmOptions& options) {
  const VectorXd y = counts, e = exposure;
  if (design.cols() == 0 || design.rows() == 0 || design.rows() != y.size() ||
      y.size() != e.size() || !design.allFinite() || !e.allFinite() || !y.allFinite() ||
      (y.array() < 0).any() || !(e.array() > 0).all() || options.ridge < 0) {
    return bad_shape();
  }
  // The offset is inside the law's mean, so the working response is the predictor without it.
  return Irls<PoissonLaw>(design, y, PoissonLaw{y, e}, options).run();
}

}  // namespace yieldloop::stats

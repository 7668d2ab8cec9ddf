#include "engine/tracing/root_cause.h"

#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/stats/distributions.h"

namespace yieldloop::tracing {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kProfileDrop = 3.841458820694124;  // 95 % point of chi-squared, one degree.
constexpr int kMostRounds = 200'000;
constexpr Index kNoHeld = -1;

/// The mixture and what climbs it; one cause may be held at a share.
class Mixture {
 public:
  Mixture(const MatrixXd& p, const VectorXd& w, double prior) : p_(p), w_(w), prior_(prior) {}

  double log_likelihood(const VectorXd& pi) const {
    const VectorXd mix = p_ * pi;
    double sum = 0.0;
    for (Index i = 0; i < mix.size(); ++i) {
      if (w_[i] <= 0.0) continue;
      if (!(mix[i] > 0.0)) return -INFINITY;
      sum += w_[i] * std::log(mix[i]);
    }
    return sum;
  }

  /// What EM raises: the log-likelihood and the prior's part.
  double objective(const VectorXd& pi) const {
    double sum = log_likelihood(pi);
    for (Index c = 0; prior_ > 0.0 && c < pi.size(); ++c) sum += prior_ * std::log(pi[c]);
    return sum;
  }

  /// Climbs from `pi`; returns rounds, negative when the limit was reached.
  int climb(VectorXd& pi, Index held) const {
    double before = objective(pi);
    for (int round = 1; round <= kMostRounds; ++round) {
      // Two plain steps and one along their line (SQUAREM), taken only where it climbs.
      const VectorXd one = step(pi, held), two = step(one, held);
      VectorXd next = two;
      const VectorXd r = one - pi, v = two - one - r;
      if (v.norm() > 1e-300) {
        const double length = -std::max(1.0, r.norm() / v.norm());
        VectorXd far = pi - 2.0 * length * r + length * length * v;
        far = step(on_simplex(far, pi, held), held);
        if (objective(far) > objective(two)) next = far;
      }
      const double after = objective(next);
      const double moved = (next - pi).cwiseAbs().maxCoeff();
      pi = next;
      if (moved < 1e-13 || (after - before < 1e-14 * (1.0 + std::abs(after)) && moved < 1e-9)) {
        return round;
      }
      before = after;
    }
    return -kMostRounds;
  }

  VectorXd even(Index held, double share) const {
    const Index n = p_.cols();
    VectorXd pi = VectorXd::Constant(n, 1.0 / static_cast<double>(n));
    if (held == kNoHeld) return pi;
    pi.setConstant(n > 1 ? (1.0 - share) / static_cast<double>(n - 1) : 0.0);
    pi[held] = share;
    return pi;
  }

  /// The best log-likelihood with one share held.
  double profile(Index held, double share) const {
    VectorXd pi = even(held, share);
    if (!std::isfinite(log_likelihood(pi))) return -INFINITY;
    climb(pi, held);
    return log_likelihood(pi);
  }

 private:
  VectorXd step(const VectorXd& pi, Index held) const {
    const VectorXd mix = p_ * pi;
    VectorXd ratio = VectorXd::Zero(mix.size());
    for (Index i = 0; i < mix.size(); ++i) {
      if (w_[i] > 0.0 && mix[i] > 0.0) ratio[i] = w_[i] / mix[i];
    }
    VectorXd next = (p_.transpose() * ratio).cwiseProduct(pi);
    next.array() += prior_;
    double free = 1.0;
    if (held != kNoHeld) {
      free = 1.0 - pi[held];
      next[held] = 0.0;
    }
    const double sum = next.sum();
    if (sum > 0.0) next *= free / sum;
    if (held != kNoHeld) next[held] = pi[held];
    return next;
  }

  static VectorXd on_simplex(VectorXd pi, const VectorXd& origin, Index held) {
    pi = pi.cwiseMax(1e-300);
    const double free = held == kNoHeld ? 1.0 : 1.0 - origin[held];
    if (held != kNoHeld) pi[held] = 0.0;
    const double sum = pi.sum();
    if (sum > 0.0) pi *= free / sum;
    if (held != kNoHeld) pi[held] = origin[held];
    return pi;
  }

  const MatrixXd& p_;
  const VectorXd& w_;
  double prior_;
};

Interval profile_interval(const Mixture& mixture, Index cause, double share, double best,
                          double dispersion) {
  const auto outside = [&](double s) {
    return 2.0 * (best - mixture.profile(cause, s)) > kProfileDrop * dispersion;
  };
  const auto crossing = [&](double in, double out) {
    if (!outside(out)) return out;
    for (int i = 0; i < 40; ++i) {
      const double middle = 0.5 * (in + out);
      (outside(middle) ? out : in) = middle;
    }
    return 0.5 * (in + out);
  };
  return {crossing(share, 0.0), crossing(share, 1.0)};
}

Status check(const Eigen::Ref<const MatrixXd>& p, const Eigen::Ref<const VectorXd>& w,
             const RootCauseOptions& options) {
  if (p.cols() == 0 || p.rows() != w.size() || !p.allFinite() || !w.allFinite() ||
      (p.array() < 0.0).any() || (w.array() < 0.0).any() || !(options.prior >= 0.0) ||
      !(options.dispersion >= 1.0)) {
    return Error{
        Errc::kInvalidOptions, "ROOT-0001",
        "A deconvolution needs at least one cause, a weight for each report, finite values "
        "of at least 0, a prior of at least 0 and a dispersion of at least 1."};
  }
  double total = 0.0;
  for (Index i = 0; i < w.size(); ++i) {
    total += w[i];
    if (w[i] > 0.0 && !(p.row(i).maxCoeff() > 0.0)) {
      return Error{Errc::kNoData, "ROOT-0002",
                   "A report is impossible under every cause that was given: add the cause that "
                   "can explain it, such as area."};
    }
  }
  if (total > 0.0) return Ok{};
  return Error{Errc::kNoData, "ROOT-0002", "There is no report to explain: widen the scope."};
}

}  // namespace

Result<RootCauseResult> root_causes(const Eigen::Ref<const MatrixXd>& likelihood,
                                    const Eigen::Ref<const VectorXd>& weights,
                                    const RootCauseOptions& options) {
  YL_TRY(check(likelihood, weights, options));
  const MatrixXd p = likelihood;
  const VectorXd w = weights;
  const Mixture mixture(p, w, options.prior);
  VectorXd pi = mixture.even(kNoHeld, 0.0);
  RootCauseResult result;
  const int rounds = mixture.climb(pi, kNoHeld);
  result.rounds = std::abs(rounds);
  result.converged = rounds > 0;
  result.reports = w.sum();
  result.log_likelihood = mixture.log_likelihood(pi);
  // Profiles are of the likelihood alone: a prior is no evidence.
  const Mixture plain(p, w, 0.0);
  VectorXd top = pi;
  if (options.prior > 0.0) plain.climb(top, kNoHeld);
  const double best = plain.log_likelihood(top);
  for (Index c = 0; c < p.cols(); ++c) {
    RootCauseShare share{.share = pi[c]};
    if (options.intervals) {
      share.share_ci = profile_interval(plain, c, top[c], best, options.dispersion);
      const double drop = 2.0 * (best - plain.profile(c, 0.0)) / options.dispersion;
      share.p_value = drop > 0.0 ? 0.5 * stats::chi_squared_upper_p(drop, 1.0) : 1.0;
    }
    result.shares.push_back(share);
  }
  return result;
}

std::vector<std::vector<std::size_t>> same_cause_groups(const Eigen::Ref<const MatrixXd>& profile,
                                                        double cosine) {
  const auto n = static_cast<std::size_t>(profile.cols());
  MatrixXd unit = profile;
  for (Index c = 0; c < unit.cols(); ++c) {
    const double norm = unit.col(c).norm();
    if (norm > 0.0) unit.col(c) /= norm;
  }
  std::vector<std::size_t> group(n);
  std::iota(group.begin(), group.end(), std::size_t{0});
  const auto join = [&](std::size_t a, std::size_t b) {
    const std::size_t low = std::min(group[a], group[b]), high = std::max(group[a], group[b]);
    std::ranges::replace(group, high, low);
  };
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      if (unit.col(static_cast<Index>(a)).dot(unit.col(static_cast<Index>(b))) >= cosine)
        join(a, b);
    }
  }
  // One column a group; a null direction joins all that take part in it.
  std::vector<std::size_t> leaders;
  for (std::size_t c = 0; c < n; ++c) {
    if (group[c] == c && unit.col(static_cast<Index>(c)).norm() > 0.0) leaders.push_back(c);
  }
  MatrixXd reduced(profile.rows(), static_cast<Index>(leaders.size()));
  for (std::size_t k = 0; k < leaders.size(); ++k) {
    reduced.col(static_cast<Index>(k)) = unit.col(static_cast<Index>(leaders[k]));
  }
  if (reduced.cols() > 0) {
    const Eigen::JacobiSVD<MatrixXd> svd(reduced, Eigen::ComputeFullV);
    const VectorXd& values = svd.singularValues();
    for (Index v = 0; v < reduced.cols(); ++v) {
      if (v < values.size() && values[v] > 1e-6 * values[0]) continue;
      std::size_t first = n;
      for (std::size_t k = 0; k < leaders.size(); ++k) {
        if (std::abs(svd.matrixV()(static_cast<Index>(k), v)) < 1e-6) continue;
        if (first == n) first = leaders[k];
        join(first, leaders[k]);
      }
    }
  }
  std::vector<std::vector<std::size_t>> groups;
  for (std::size_t c = 0; c < n; ++c) {
    if (group[c] == c) groups.push_back({});
  }
  std::vector<std::size_t> place(n, 0);
  std::size_t next = 0;
  for (std::size_t c = 0; c < n; ++c) {
    if (group[c] == c) place[c] = next++;
    groups[place[group[c]]].push_back(c);
  }
  return groups;
}

}  // namespace yieldloop::tracing

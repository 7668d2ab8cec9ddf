#include "engine/tracing/layout_regression.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>

#include "engine/stats/distributions.h"
#include "engine/stats/multiplicity.h"
#include "engine/stats/regression.h"
#include "engine/tracing/cluster_score.h"
#include "engine/tracing/rank_spline.h"

namespace yieldloop::tracing {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr std::array<double, 11> kShares{0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98};
constexpr double kTinyRidge = 1e-4;
constexpr std::size_t kFewestWafers = 6;
constexpr std::size_t kFewestTiles = 8;
constexpr double kRivalDrop = 3.841458820694124;  // 95 % point of chi-squared(1).

/// What a set of columns explains and how surely.
struct Score {
  double p_value = 1.0;
  double drop = 0.0;  ///< Model chi-squared.
  Index degrees = 0;
};

class Regression {
 public:
  Regression(const RegressionTable& table, const RegressionOptions& options)
      : table_(table),
        options_(options),
        n_(static_cast<Index>(table.rows())),
        cases_(static_cast<Index>(table.cases)),
        wafers_(dense_clusters(table.wafer)),
        tiles_(dense_clusters(table.tile)) {
    y_ = VectorXd::Zero(n_);
    y_.head(cases_).setOnes();
    wafer_cases_ = VectorXd::Zero(static_cast<Index>(wafers_.count));
    for (const std::uint32_t w : wafers_.of) wafer_cases_[w] += 1.0;
  }

  Result<RegressionResult> run() {
    describe_scope();
    make_bases();
    YL_TRY(ask_alone());
    YL_TRY(accept());
    YL_TRY(describe_effects());
    YL_TRY(penalised());
    return std::move(result_);
  }

 private:
  void describe_scope() {
    result_.cases = table_.cases;
    result_.controls = table_.rows() - table_.cases;
    result_.wafers = wafers_.count;
    const std::vector<std::uint32_t> case_tiles(
        tiles_.of.begin(), tiles_.of.begin() + static_cast<std::ptrdiff_t>(table_.cases));
    result_.tiles = dense_clusters(case_tiles).count;
    if (wafers_.count < kFewestWafers) {
      result_.caveats.push_back(fmt::format(
          "The defects lie on {} wafer{}: whether a rate holds from wafer to wafer is not tested.",
          wafers_.count, wafers_.count == 1 ? "" : "s"));
    }
  }

  void make_bases() {
    for (std::size_t c = 0; c < table_.columns.size(); ++c) {
      std::vector<double> controls;
      for (std::size_t r = table_.cases; r < table_.rows(); ++r)
        controls.push_back(table_.at(r, c));
      splines_.emplace_back(std::move(controls));
      const RankSpline& spline = splines_.back();
      MatrixXd basis(n_, spline.columns());
      Eigen::RowVectorXd row(spline.columns());
      for (Index r = 0; r < n_; ++r) {
        spline.row(table_.at(static_cast<std::size_t>(r), c), row);
        basis.row(r) = row;
      }
      bases_.push_back(std::move(basis));
      ColumnEffect effect{.column = table_.columns[c]};
      effect.low = spline.quantile(0.1);
      effect.high = spline.quantile(0.9);
      if (spline.missing_share() >= 0.99) {
        effect.not_asked = "it exists nearly nowhere in the inspected area";
      } else if (spline.constant() && spline.columns() == 0) {
        effect.not_asked = "it is the same everywhere in the inspected area";
      }
      result_.effects.push_back(std::move(effect));
    }
  }

  bool askable(std::size_t c) const { return result_.effects[c].not_asked.empty(); }

  MatrixXd design(const std::vector<std::size_t>& columns) const {
    Index p = 1;
    for (const std::size_t c : columns) p += bases_[c].cols();
    MatrixXd x(n_, p);
    x.col(0).setOnes();
    Index at = 1;
    for (const std::size_t c : columns) {
      x.middleCols(at, bases_[c].cols()) = bases_[c];
      at += bases_[c].cols();
    }
    return x;
  }

  Result<stats::GlmFit> fit(const MatrixXd& x, double ridge = kTinyRidge) const {
    return stats::fit_logistic(x, y_, VectorXd::Ones(n_), {.ridge = ridge});
  }

  /// Score of column c given a fitted model with design x.
  Score score(const MatrixXd& x, const stats::GlmFit& null, std::size_t c) const {
    const VectorXd p = Eigen::Map<const VectorXd>(null.fitted.data(), n_);
    const VectorXd w = p.array() * (1.0 - p.array());
    const MatrixXd xtw = x.transpose() * w.asDiagonal();
    MatrixXd information = xtw * x;
    information.diagonal().array() += kTinyRidge;
    const MatrixXd z = bases_[c] - x * information.ldlt().solve(xtw * bases_[c]);
    const MatrixXd own = z.transpose() * w.asDiagonal() * z;
    const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(own);
    const VectorXd& values = eigen.eigenvalues();
    // What the model holds already, to rounding, is nothing new.
    const MatrixXd raw = bases_[c].transpose() * w.asDiagonal() * bases_[c];
    const double least = 1e-7 * std::max(1e-300, raw.diagonal().maxCoeff());
    Index k = 0;
    for (Index i = 0; i < values.size(); ++i) k += values[i] > least ? 1 : 0;
    Score result{.degrees = k};
    if (k == 0) return result;
    const MatrixXd whiten =
        eigen.eigenvectors().rightCols(k) * values.tail(k).cwiseSqrt().cwiseInverse().asDiagonal();
    return score_of(z * whiten, p, result);
  }

  Score score_of(const MatrixXd& z, const VectorXd& p, Score result) const {
    const Index k = z.cols();
    const VectorXd residual = y_ - p;
    const VectorXd sum = z.transpose() * residual;
    result.drop = sum.squaredNorm();
    result.p_value = stats::chi_squared_upper_p(result.drop, static_cast<double>(k));
    MatrixXd by_tile = MatrixXd::Zero(static_cast<Index>(tiles_.count), k);
    for (Index i = 0; i < n_; ++i) {
      by_tile.row(tiles_.of[static_cast<std::size_t>(i)]) += residual[i] * z.row(i);
    }
    result.p_value = std::max(result.p_value, hotelling_p(by_tile, sum, MatrixXd::Zero(k, k)));
    if (wafers_.count >= kFewestWafers) {
      const VectorXd controls = z.bottomRows(n_ - cases_).transpose() * p.tail(n_ - cases_);
      const MatrixXd weighted = p.tail(n_ - cases_).asDiagonal() * z.bottomRows(n_ - cases_);
      MatrixXd by_wafer = -(wafer_cases_ / static_cast<double>(cases_)) * controls.transpose();
      for (Index i = 0; i < cases_; ++i) {
        by_wafer.row(wafers_.of[static_cast<std::size_t>(i)]) += residual[i] * z.row(i);
      }
      result.p_value =
          std::max(result.p_value, hotelling_p(by_wafer, sum, weighted.transpose() * weighted));
    }
    return result;
  }

  Status ask_alone() {
    const MatrixXd x = design({});
    YL_ASSIGN(const auto null, fit(x));
    std::vector<double> p;
    std::vector<std::size_t> at;
    for (std::size_t c = 0; c < bases_.size(); ++c) {
      if (!askable(c)) continue;
      const Score s = score(x, null, c);
      result_.effects[c].degrees = static_cast<std::size_t>(s.degrees);
      result_.effects[c].p_alone = s.p_value;
      p.push_back(s.p_value);
      at.push_back(c);
    }
    const auto q = stats::benjamini_hochberg(p);
    for (std::size_t i = 0; i < at.size(); ++i) result_.effects[at[i]].q_alone = q[i];
    return Ok{};
  }

  Status accept() {
    while (accepted_.size() < options_.most_causes) {
      const MatrixXd x = design(accepted_);
      YL_ASSIGN(const auto null, fit(x));
      std::vector<std::size_t> at;
      std::vector<Score> scores;
      std::vector<double> p;
      for (std::size_t c = 0; c < bases_.size(); ++c) {
        if (!askable(c) || std::ranges::find(accepted_, c) != accepted_.end()) continue;
        at.push_back(c);
        scores.push_back(score(x, null, c));
        p.push_back(scores.back().p_value);
      }
      if (at.empty()) break;
      const auto q = stats::benjamini_hochberg(p);
      // Where several are beyond doubt the one that explains most is taken.
      std::size_t best = at.size();
      for (std::size_t i = 0; i < at.size(); ++i) {
        if (q[i] > options_.alpha) continue;
        if (best == at.size() || scores[i].drop > scores[best].drop) best = i;
      }
      if (best == at.size()) break;
      AcceptedColumn a{.column = at[best],
                       .p_value = p[best],
                       .q_value = q[best],
                       .deviance = scores[best].drop};
      YL_ASSIGN(a.rivals, rivals_of(at, scores, best));
      accepted_.push_back(a.column);
      result_.accepted.push_back(std::move(a));
    }
    return Ok{};
  }

  /// Columns that explain as much as the best within chance and are nothing beside it.
  Result<std::vector<std::size_t>> rivals_of(const std::vector<std::size_t>& at,
                                             const std::vector<Score>& scores,
                                             std::size_t best) const {
    std::vector<std::size_t> rivals;
    for (std::size_t i = 0; i < at.size(); ++i) {
      if (i == best || scores[best].drop - scores[i].drop > kRivalDrop) continue;
      std::vector<std::size_t> with = accepted_;
      with.push_back(at[i]);
      const MatrixXd x = design(with);
      YL_ASSIGN(const auto null, fit(x));
      if (score(x, null, at[best]).p_value > options_.alpha) rivals.push_back(at[i]);
    }
    return rivals;
  }

  /// Covariances of a fit: the model's, the wafers' and the tiles' sandwich.
  struct Spread {
    std::vector<MatrixXd> covariances;
    double degrees = 0.0;
  };

  Spread spread_of(const MatrixXd& x, const stats::GlmFit& f) const {
    const VectorXd p = Eigen::Map<const VectorXd>(f.fitted.data(), n_);
    const Index k = x.cols();
    const MatrixXd bread = Eigen::Map<const MatrixXd>(f.covariance.data(), k, k);
    const VectorXd residual = y_ - p;
    Spread s{.covariances = {bread}, .degrees = 1e6};
    const auto add = [&](const MatrixXd& scores, const MatrixXd& extra) {
      const auto c = static_cast<double>(scores.rows());
      if (c < 3.0) return;
      const MatrixXd meat = scores.transpose() * scores * (c / (c - 1.0)) + extra;
      s.covariances.push_back(bread * meat * bread);
      s.degrees = std::min(s.degrees, c - 1.0);
    };
    MatrixXd by_tile = MatrixXd::Zero(static_cast<Index>(tiles_.count), k);
    for (Index i = 0; i < n_; ++i) {
      by_tile.row(tiles_.of[static_cast<std::size_t>(i)]) += residual[i] * x.row(i);
    }
    add(by_tile, MatrixXd::Zero(k, k));
    if (wafers_.count >= kFewestWafers) {
      const VectorXd controls = x.bottomRows(n_ - cases_).transpose() * p.tail(n_ - cases_);
      const MatrixXd weighted = p.tail(n_ - cases_).asDiagonal() * x.bottomRows(n_ - cases_);
      MatrixXd by_wafer = -(wafer_cases_ / static_cast<double>(cases_)) * controls.transpose();
      for (Index i = 0; i < cases_; ++i) {
        by_wafer.row(wafers_.of[static_cast<std::size_t>(i)]) += residual[i] * x.row(i);
      }
      add(by_wafer, weighted.transpose() * weighted);
    }
    return s;
  }

  struct Ratio {
    double value = 1.0;
    Interval ci{1.0, 1.0};
  };

  static Ratio ratio_of(const VectorXd& contrast, const VectorXd& beta, const Spread& spread) {
    double variance = 0.0;
    for (const MatrixXd& v : spread.covariances)
      variance = std::max(variance, contrast.dot(v * contrast));
    const double half = stats::student_t_quantile(0.975, spread.degrees) * std::sqrt(variance);
    const double log_ratio = contrast.dot(beta);
    return {std::exp(log_ratio), {std::exp(log_ratio - half), std::exp(log_ratio + half)}};
  }

  /// Fills curve and ratios of column c from a model where its basis begins at `first`.
  void describe(std::size_t c, Index first, const VectorXd& beta, const Spread& spread) {
    const RankSpline& spline = splines_[c];
    ColumnEffect& effect = result_.effects[c];
    const Index k = bases_[c].cols();
    const auto contrast_at = [&](double value) {
      Eigen::RowVectorXd row(k);
      spline.row(value, row);
      VectorXd full = VectorXd::Zero(beta.size());
      full.segment(first, k) = row.transpose();
      return full;
    };
    // Relative to the mean rate over the controls.
    double mean = 0.0;
    const VectorXd own = beta.segment(first, k);
    const VectorXd centre = bases_[c].bottomRows(n_ - cases_).colwise().mean().transpose();
    for (Index i = cases_; i < n_; ++i)
      mean += std::exp((bases_[c].row(i) - centre.transpose()).dot(own));
    mean /= static_cast<double>(n_ - cases_);
    VectorXd middle = VectorXd::Zero(beta.size());
    middle.segment(first, k) = centre;
    effect.curve.clear();
    std::vector<VectorXd> rows;
    for (const double share : kShares) {
      const double value = spline.quantile(share);
      rows.push_back(contrast_at(value));
      const Ratio r = ratio_of(rows.back() - middle, beta, spread);
      effect.curve.push_back({share, value, r.value / mean, {r.ci.low / mean, r.ci.high / mean}});
    }
    const Ratio main = ratio_of(contrast_at(effect.high) - contrast_at(effect.low), beta, spread);
    effect.rate_ratio = main.value;
    effect.rate_ratio_ci = main.ci;
    const auto [low, high] = std::ranges::minmax_element(effect.curve, {}, &CurvePoint::rate);
    const Ratio extreme = ratio_of(rows[static_cast<std::size_t>(high - effect.curve.begin())] -
                                       rows[static_cast<std::size_t>(low - effect.curve.begin())],
                                   beta, spread);
    effect.extreme_ratio = extreme.value;
    effect.extreme_ratio_ci = extreme.ci;
    effect.direction = direction_of(effect.curve);
  }

  static Direction direction_of(const std::vector<CurvePoint>& curve) {
    double up = 0.0, down = 0.0, lowest = INFINITY, highest = -INFINITY;
    std::size_t top = 0;
    for (std::size_t i = 0; i < curve.size(); ++i) {
      const double f = std::log(curve[i].rate);
      up = std::max(up, f - lowest);
      down = std::max(down, highest - f);
      lowest = std::min(lowest, f);
      if (f > highest) {
        highest = f;
        top = i;
      }
    }
    if (std::max(up, down) < 1e-6) return Direction::kFlat;
    if (down < 0.25 * up) return Direction::kRises;
    if (up < 0.25 * down) return Direction::kFalls;
    return top > 0 && top + 1 < curve.size() ? Direction::kPeaks : Direction::kDips;
  }

  Status describe_effects() {
    for (std::size_t c = 0; c < bases_.size(); ++c) {
      if (!askable(c)) continue;
      std::vector<std::size_t> others = accepted_;
      std::erase(others, c);
      const MatrixXd beside = design(others);
      YL_ASSIGN(const auto null, fit(beside));
      result_.effects[c].p_beside = score(beside, null, c).p_value;
      if (others.size() != accepted_.size()) continue;
      const MatrixXd x = design({c});
      YL_ASSIGN(const auto f, fit(x));
      describe(c, 1, Eigen::Map<const VectorXd>(f.coefficients.data(), x.cols()), spread_of(x, f));
    }
    if (accepted_.empty()) return Ok{};
    const MatrixXd x = design(accepted_);
    YL_ASSIGN(const auto f, fit(x));
    const Spread spread = spread_of(x, f);
    const VectorXd beta = Eigen::Map<const VectorXd>(f.coefficients.data(), x.cols());
    Index first = 1;
    for (AcceptedColumn& a : result_.accepted) {
      describe(a.column, first, beta, spread);
      a.share_of_cases = share_of_cases(a.column, first, beta);
      first += bases_[a.column].cols();
    }
    return Ok{};
  }

  /// 1 - what would be left if the rate were everywhere that of the best tenth of the area.
  double share_of_cases(std::size_t c, Index first, const VectorXd& beta) const {
    const VectorXd f = bases_[c] * beta.segment(first, bases_[c].cols());
    std::vector<double> controls(f.data() + cases_, f.data() + n_);
    const auto tenth = controls.begin() + static_cast<std::ptrdiff_t>(controls.size() / 10);
    std::ranges::nth_element(controls, tenth);
    double left = 0.0;
    for (Index i = 0; i < cases_; ++i) left += std::min(1.0, std::exp(*tenth - f[i]));
    return std::clamp(1.0 - left / static_cast<double>(cases_), 0.0, 1.0);
  }

  /// Ridge over all columns, standardised; the penalty of the largest marginal likelihood.
  Status penalised() {
    std::vector<std::size_t> all;
    for (std::size_t c = 0; c < bases_.size(); ++c) {
      if (askable(c)) all.push_back(c);
    }
    if (all.empty()) return Ok{};
    MatrixXd x = design(all);
    VectorXd scale = VectorXd::Ones(x.cols());
    for (Index j = 1; j < x.cols(); ++j) {
      const double mean = x.col(j).mean();
      x.col(j).array() -= mean;
      scale[j] = std::max(1e-12, std::sqrt(x.col(j).squaredNorm() / static_cast<double>(n_)));
      x.col(j) /= scale[j];
    }
    double best = -INFINITY;
    VectorXd beta;
    for (const double ridge : {1.0, 10.0, 100.0, 1'000.0, 10'000.0}) {
      YL_ASSIGN(const auto f, fit(x, ridge));
      const VectorXd b = Eigen::Map<const VectorXd>(f.coefficients.data(), x.cols());
      const MatrixXd cov = Eigen::Map<const MatrixXd>(f.covariance.data(), x.cols(), x.cols());
      const double penalty = ridge * b.tail(b.size() - 1).squaredNorm();
      const double log_det = cov.ldlt().vectorD().array().max(1e-300).log().sum();
      const double evidence = -0.5 * (f.deviance + penalty) + 0.5 * log_det +
                              0.5 * static_cast<double>(b.size() - 1) * std::log(ridge);
      if (evidence <= best) continue;
      best = evidence;
      result_.ridge = ridge;
      beta = b.cwiseQuotient(scale);
    }
    Index first = 1;
    for (const std::size_t c : all) {
      const Index k = bases_[c].cols();
      Eigen::RowVectorXd low(k), high(k);
      splines_[c].row(result_.effects[c].low, low);
      splines_[c].row(result_.effects[c].high, high);
      result_.effects[c].ridge_ratio = std::exp((high - low).dot(beta.segment(first, k)));
      first += k;
    }
    return Ok{};
  }

  const RegressionTable& table_;
  const RegressionOptions& options_;
  Index n_, cases_;
  Clusters wafers_, tiles_;
  VectorXd y_, wafer_cases_;
  std::vector<RankSpline> splines_;
  std::vector<MatrixXd> bases_;
  std::vector<std::size_t> accepted_;
  RegressionResult result_;
};

Status check(const RegressionTable& t, const RegressionOptions& options) {
  const std::size_t rows = t.rows();
  if (!(options.alpha > 0.0) || options.alpha > 0.5 || t.columns.empty() ||
      t.values.size() != rows * t.columns.size() || t.wafer.size() != t.cases ||
      t.lot.size() != t.cases || t.cases > rows ||
      std::ranges::any_of(t.values, [](double v) { return std::isinf(v); })) {
    return Error{
        Errc::kInvalidOptions, "LREG-0001",
        "A layout regression needs a false discovery rate in (0, 0.5], at least one column, "
        "a value or NaN for each row and column, and wafer, lot and tile of the rows."};
  }
  const std::set<std::uint32_t> wafers(t.wafer.begin(), t.wafer.end());
  const std::set<std::uint32_t> tiles(t.tile.begin(),
                                      t.tile.begin() + static_cast<std::ptrdiff_t>(t.cases));
  if (t.cases < options.min_cases || rows - t.cases < 10 * t.columns.size() + 100 ||
      (wafers.size() < 2 && tiles.size() < kFewestTiles)) {
    return Error{
        Errc::kNoData, "LREG-0002",
        fmt::format("{} defects on {} wafers and {} parts of the die, with {} control points, are "
                    "too few to ask how their rate depends on the layout.",
                    t.cases, wafers.size(), tiles.size(), rows - t.cases)};
  }
  return Ok{};
}

}  // namespace

std::string direction_name(Direction direction) {
  switch (direction) {
    case Direction::kRises: return "rises";
    case Direction::kFalls: return "falls";
    case Direction::kPeaks: return "peaks";
    case Direction::kDips: return "dips";
    case Direction::kFlat: break;
  }
  return "flat";
}

Result<RegressionResult> layout_regression(const RegressionTable& table,
                                           const RegressionOptions& options) {
  YL_TRY(check(table, options));
  return Regression(table, options).run();
}

}  // namespace yieldloop::tracing

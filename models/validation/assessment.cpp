#include "models/validation/assessment.h"

#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "engine/core/random.h"
#include "engine/stats/regression.h"
#include "engine/stats/resampling.h"

namespace yieldloop::models {
namespace {

std::vector<float> targets_of(const FeatureTable& table, const RowSet& rows) {
  std::vector<float> y;
  y.reserve(rows.size());
  for (const std::uint32_t row : rows) y.push_back(table.target[row]);
  return y;
}

double mean_target(const FeatureTable& table, const RowSet& rows) {
  double sum = 0.0;
  for (const std::uint32_t row : rows) sum += static_cast<double>(table.target[row]);
  return rows.empty() ? 0.0 : sum / static_cast<double>(rows.size());
}

RowSet taught(const LotSplit& split) {
  RowSet rows = split.train;
  rows.insert(rows.end(), split.held_out.begin(), split.held_out.end());
  return rows;
}

/// A statistic of test rows under row weights; interval by resampling whole lots.
class LotBootstrap {
 public:
  LotBootstrap(const FeatureTable& table, const LotSplit& split, const AssessmentOptions& options)
      : options_(options), rows_(split.test.size()) {
    std::map<std::uint32_t, std::size_t> position;
    for (std::size_t i = 0; i < split.test.size(); ++i) {
      const auto [at, added] = position.try_emplace(table.lot[split.test[i]], by_lot_.size());
      if (added) by_lot_.emplace_back();
      by_lot_[at->second].push_back(i);
    }
  }

  std::size_t lots() const { return by_lot_.size(); }

  using Statistic = std::function<double(std::span<const double> weights)>;

  std::optional<Interval> interval(double observed, const Statistic& statistic) const {
    if (by_lot_.size() < 2 || options_.bootstrap_draws == 0) return std::nullopt;
    std::vector<double> weights(rows_);
    return stats::bootstrap_interval(
        by_lot_.size(), options_.bootstrap_draws, options_.seed,
        [&](std::span<const std::size_t> lots) {
          std::ranges::fill(weights, 0.0);
          for (const std::size_t lot : lots) {
            for (const std::size_t row : by_lot_[lot]) weights[row] += 1.0;
          }
          const double value = statistic(weights);
          return std::isnan(value) ? observed : value;  // A draw without failing die says nothing.
        });
  }

  Metric metric(std::string name, const Statistic& statistic) const {
    Metric m{.name = std::move(name), .value = statistic({}), .ci = std::nullopt};
    m.ci = interval(m.value, statistic);
    return m;
  }

 private:
  AssessmentOptions options_;
  std::size_t rows_;
  std::vector<std::vector<std::size_t>> by_lot_;
};

double weighted_mean(std::span<const double> terms, std::span<const double> weights) {
  double sum = 0.0, total = 0.0;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const double w = weights.empty() ? 1.0 : weights[i];
    sum += w * terms[i];
    total += w;
  }
  return total > 0.0 ? sum / total : 0.0;
}

std::vector<double> squared_errors(std::span<const double> p, std::span<const float> y) {
  std::vector<double> errors(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) {
    errors[i] = (p[i] - static_cast<double>(y[i])) * (p[i] - static_cast<double>(y[i]));
  }
  return errors;
}

std::vector<double> log_losses(std::span<const double> p, std::span<const float> y) {
  std::vector<double> losses(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) losses[i] = log_loss(p.subspan(i, 1), y.subspan(i, 1));
  return losses;
}

/// Fail probability by distance from the centre alone; nothing when the table has no radius or
/// the fit fails.
std::optional<std::vector<double>> radius_baseline(const FeatureTable& table,
                                                   const LotSplit& split) {
  const auto column =
      std::ranges::find(table.schema.columns, Source::kRadius, &FeatureColumn::source);
  if (column == table.schema.columns.end()) return std::nullopt;
  const auto c = static_cast<std::size_t>(column - table.schema.columns.begin());
  std::map<float, std::pair<double, double>> by_radius;  // Fails, die.
  for (const std::uint32_t row : taught(split)) {
    auto& [fails, die] = by_radius[table.row(row)[c]];
    fails += static_cast<double>(table.target[row]);
    die += 1.0;
  }
  const auto n = static_cast<Eigen::Index>(by_radius.size());
  Eigen::MatrixXd design(n, 3);
  Eigen::VectorXd fails(n), die(n);
  Eigen::Index i = 0;
  for (const auto& [radius, counts] : by_radius) {
    const auto r = static_cast<double>(radius);
    design.row(i) << 1.0, r, r * r;
    fails(i) = counts.first;
    die(i) = counts.second;
    ++i;
  }
  const auto fit = stats::fit_logistic(design, fails, die, {.ridge = 1e-3});
  if (!fit) return std::nullopt;
  const auto& b = fit->coefficients;
  std::vector<double> predicted;
  for (const std::uint32_t row : split.test) {
    const auto r = static_cast<double>(table.row(row)[c]);
    predicted.push_back(1.0 / (1.0 + std::exp(-(b[0] + b[1] * r + b[2] * r * r))));
  }
  return predicted;
}

std::string as_text(const Metric& m) {
  if (!m.ci) return fmt::format("{:.3f}", m.value);
  return fmt::format("{:.3f}, 95 % interval {:.3f} to {:.3f}", m.value, m.ci->low, m.ci->high);
}

std::string verdict_of(const Assessment& a, std::string_view figure) {
  if (!a.gain.ci) {
    return fmt::format(
        "{} {} against {:.3f} for {}; one test lot gives no interval, so no claim is "
        "made.",
        figure, as_text(a.leading()), a.baselines.front().metrics.front().value,
        a.baselines.front().name);
  }
  const std::string_view relation = a.better_than_baseline ? "better than" : "no better than";
  return fmt::format("On {} later lots the model is {} {}: {} {:.3f} against {:.3f}, gain {}.",
                     a.test_lots, relation, a.baselines.front().name, figure, a.leading().value,
                     a.baselines.front().metrics.front().value, as_text(a.gain));
}

bool has_both(const std::vector<float>& y) {
  const auto fails = std::ranges::count_if(y, [](float v) { return v > 0.5F; });
  return fails > 0 && fails < std::ssize(y);
}

std::vector<Metric> die_metrics(const LotBootstrap& lots, std::span<const double> p,
                                std::span<const float> y) {
  const AucCounter counter(p, y);
  const auto losses = log_losses(p, y);
  const auto squares = squared_errors(p, y);
  return {lots.metric("auc", counter),
          lots.metric("log_loss", [&](auto w) { return weighted_mean(losses, w); }),
          lots.metric("brier", [&](auto w) { return weighted_mean(squares, w); }),
          {"ece", expected_calibration_error(calibration(p, y)), std::nullopt}};
}

Result<Assessment> assess_die(const FeatureTable& table, const LotSplit& split,
                              const std::vector<double>& p, const AssessmentOptions& options) {
  const auto y = targets_of(table, split.test);
  if (!has_both(targets_of(table, taught(split))) || !has_both(y)) {
    return Error{Errc::kNoData, "VALD-0005",
                 "The training lots and the test lots must each have passing and failing die; add "
                 "lots or widen the scope."};
  }
  const LotBootstrap lots(table, split, options);
  Assessment a{.test_rows = y.size(), .test_lots = lots.lots()};
  a.metrics = die_metrics(lots, p, y);
  a.calibration = calibration(p, y);
  const std::vector<double> rate(y.size(), mean_target(table, taught(split)));
  auto radius = radius_baseline(table, split);
  if (radius)
    a.baselines.push_back({"distance from the wafer centre", die_metrics(lots, *radius, y)});
  a.baselines.push_back({"the training fail rate", die_metrics(lots, rate, y)});
  const AucCounter model(p, y), simple(radius ? *radius : rate, y);
  a.gain = lots.metric("auc_gain", [&](auto w) { return model(w) - simple(w); });
  a.better_than_baseline = a.gain.ci && a.gain.ci->low > 0.0;
  a.verdict = verdict_of(a, "AUC");
  return a;
}

Result<Assessment> assess_yield(const FeatureTable& table, const LotSplit& split,
                                const std::vector<double>& p, const AssessmentOptions& options) {
  const auto y = targets_of(table, split.test);
  const double mean = mean_target(table, taught(split));
  const std::vector<double> constant(y.size(), mean);
  const LotBootstrap lots(table, split, options);
  Assessment a{.test_rows = y.size(), .test_lots = lots.lots()};
  const auto squares = squared_errors(p, y), base = squared_errors(constant, y);
  const auto root = [](const std::vector<double>& terms) {
    return [&terms](std::span<const double> w) { return std::sqrt(weighted_mean(terms, w)); };
  };
  std::vector<double> absolute, base_absolute;
  for (const double e : squares) absolute.push_back(std::sqrt(e));
  for (const double e : base) base_absolute.push_back(std::sqrt(e));
  a.metrics = {lots.metric("rmse", root(squares)),
               lots.metric("r2",
                           [&](auto w) {
                             const double total = weighted_mean(base, w);
                             return total > 0.0 ? 1.0 - weighted_mean(squares, w) / total : 0.0;
                           }),
               lots.metric("mae", [&](auto w) { return weighted_mean(absolute, w); })};
  a.baselines = {{"the training mean",
                  {lots.metric("rmse", root(base)),
                   {"r2", 0.0, std::nullopt},
                   lots.metric("mae", [&](auto w) { return weighted_mean(base_absolute, w); })}}};
  a.gain = lots.metric("rmse_gain", [&](auto w) {
    return std::sqrt(weighted_mean(base, w)) - std::sqrt(weighted_mean(squares, w));
  });
  a.better_than_baseline = a.gain.ci && a.gain.ci->low > 0.0;
  a.verdict = verdict_of(a, "RMSE");
  return a;
}

}  // namespace

Result<Assessment> assess(const FeatureTable& table, const LotSplit& split,
                          const std::vector<double>& predicted, const AssessmentOptions& options) {
  return table.schema.target == Target::kDieFail ? assess_die(table, split, predicted, options)
                                                 : assess_yield(table, split, predicted, options);
}

Result<ShuffledCheck> shuffled_check(const FeatureTable& table, const LotSplit& split,
                                     BoostOptions boost, Progress& progress) {
  FeatureTable shuffled = table;
  Random random(boost.seed ^ 0x5348554646ULL);
  random.shuffle(shuffled.target);
  boost.rounds = std::min(boost.rounds, 30);
  boost.early_stopping_rounds = 0;
  YL_ASSIGN(const BoostFit fit_result, fit(shuffled, taught(split), {}, boost, progress));
  YL_ASSIGN(const Booster booster,
            Booster::load(fit_result.model_json, table.columns(), boost.threads));
  YL_ASSIGN(const auto predicted, booster.predict(shuffled, split.test));
  const auto y = targets_of(shuffled, split.test);
  ShuffledCheck check;
  double chance = 0.0;
  if (table.schema.target == Target::kDieFail) {
    const double fails = mean_target(shuffled, split.test) * static_cast<double>(y.size());
    const double passes = static_cast<double>(y.size()) - fails;
    check.metric = "auc";
    chance = 0.5;
    check.value = fails > 0.0 && passes > 0.0 ? auc(predicted, y) : chance;
    // Variance of the Mann-Whitney statistic under chance (Hanley and McNeil 1982).
    check.tolerance = fails > 0.0 && passes > 0.0
                          ? 4.0 * std::sqrt((fails + passes + 1.0) / (12.0 * fails * passes))
                          : 0.5;
  } else {
    check.metric = "correlation";
    check.value = correlation(predicted, y);
    check.tolerance = 4.0 / std::sqrt(std::max(1.0, static_cast<double>(y.size()) - 1.0));
  }
  check.passed = std::abs(check.value - chance) <= check.tolerance;
  return check;
}

}  // namespace yieldloop::models

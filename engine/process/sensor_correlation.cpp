#include "engine/process/sensor_correlation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "engine/stats/distributions.h"
#include "engine/stats/group_tests.h"
#include "engine/stats/multiplicity.h"

namespace yieldloop::process {
namespace {

struct ColumnKey {
  bool metrology = false;
  NameId step{}, sensor{}, statistic{};
  friend auto operator<=>(const ColumnKey&, const ColumnKey&) = default;
};

struct Mean {
  double sum = 0, n = 0;
};
using Column = std::map<std::uint32_t, Mean>;

std::map<ColumnKey, Column> columns_of(const FabData& data) {
  std::map<ColumnKey, Column> columns;
  const auto add = [&columns](const ColumnKey& key, WaferId wafer, double value) {
    if (!std::isfinite(value)) return;
    Mean& mean = columns[key][wafer.raw()];
    mean.sum += value;
    mean.n += 1;
  };
  for (const FdcValue& v : data.fdc) add({false, v.step, v.sensor, v.statistic}, v.wafer, v.value);
  for (const MetrologyValue& v : data.metrology) {
    add({true, v.step, v.parameter, NameId{}}, v.wafer, v.value);
  }
  return columns;
}

/// Correlation of two columns of centred scores.
struct Correlation {
  double z = 0, degrees = 0;
};

Correlation correlate(const std::vector<double>& x, const std::vector<double>& y, double degrees) {
  double sxx = 0, syy = 0, sxy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sxx += x[i] * x[i];
    syy += y[i] * y[i];
    sxy += x[i] * y[i];
  }
  if (degrees < 1 || !(sxx > 1e-9) || !(syy > 1e-9)) return {};
  const double r = std::clamp(sxy / std::sqrt(sxx * syy), -1 + 1e-12, 1 - 1e-12);
  return {stats::student_t_to_z(r * std::sqrt(degrees / (1 - r * r)), degrees), degrees};
}

std::vector<double> scores_within(const std::vector<double>& v, const std::vector<std::size_t>& lot,
                                  std::size_t lots) {
  const auto centre = [&](std::vector<double>& values) {
    std::vector<double> sum(lots, 0.0), n(lots, 0.0);
    for (std::size_t i = 0; i < values.size(); ++i) {
      sum[lot[i]] += values[i];
      n[lot[i]] += 1;
    }
    for (std::size_t i = 0; i < values.size(); ++i) values[i] -= sum[lot[i]] / n[lot[i]];
  };
  std::vector<double> residual = v;
  centre(residual);
  double largest = 0;
  for (const double x : v) largest = std::max(largest, std::abs(x));
  for (double& x : residual) {
    if (std::abs(x) < 1e-12 * (1 + largest)) x = 0.0;  // Rounding must not be ranked.
  }
  std::vector<double> scores = stats::normal_scores(residual);
  centre(scores);
  return scores;
}

std::vector<double> scores_between(const std::vector<double>& v,
                                   const std::vector<std::size_t>& lot, std::size_t lots) {
  std::vector<double> sum(lots, 0.0), n(lots, 0.0);
  for (std::size_t i = 0; i < v.size(); ++i) {
    sum[lot[i]] += v[i];
    n[lot[i]] += 1;
  }
  for (std::size_t l = 0; l < lots; ++l) sum[l] /= n[l];
  return stats::normal_scores(sum);
}

SensorCorrelation compare(const FabData& data, const Response& response, const ColumnKey& key,
                          const Column& column) {
  SensorCorrelation out{.metrology = key.metrology,
                        .step = key.step,
                        .sensor = key.sensor,
                        .statistic = key.statistic};
  std::vector<double> x, y;
  std::vector<std::size_t> lot;
  std::map<NameId, std::size_t> lots;
  for (const auto& [wafer, mean] : column) {
    if (std::isnan(response.value[wafer])) continue;
    x.push_back(mean.sum / mean.n);
    y.push_back(response.value[wafer]);
    lot.push_back(lots.try_emplace(data.wafers[wafer].lot, lots.size()).first->second);
  }
  if (x.size() < 8) return out;
  out.wafers = static_cast<std::int64_t>(x.size());
  out.lots = static_cast<std::int64_t>(lots.size());
  const auto n = static_cast<double>(x.size()), l = static_cast<double>(lots.size());
  const Correlation within =
      correlate(scores_within(x, lot, lots.size()), scores_within(y, lot, lots.size()), n - l - 1);
  Correlation between;
  if (lots.size() >= 4) {
    between =
        correlate(scores_between(x, lot, lots.size()), scores_between(y, lot, lots.size()), l - 2);
  }
  const double weight = within.degrees + between.degrees;
  if (!(weight > 0)) return out;
  out.z = (std::sqrt(within.degrees) * within.z + std::sqrt(between.degrees) * between.z) /
          std::sqrt(weight);
  out.p_value = stats::normal_two_sided_p(out.z);
  if (const auto spearman = stats::spearman(x, y)) out.rho = spearman->effect;
  double mean = 0, squares = 0;
  for (const double v : y) mean += v / n;
  for (const double v : y) squares += (v - mean) * (v - mean);
  const double sd = std::sqrt(squares / (n - 1));
  out.effect_per_sd = out.rho * sd * response.scale;
  // The interval keeps the evidence: it excludes 0 exactly when |z| > 1.96.
  const double se = std::abs(out.z) > 1e-9 ? std::abs(out.effect_per_sd / out.z)
                                           : sd * response.scale / std::sqrt(weight);
  out.effect_ci = {out.effect_per_sd - 1.959963984540054 * se,
                   out.effect_per_sd + 1.959963984540054 * se};
  return out;
}

}  // namespace

Result<SensorCorrelationResult> sensor_correlations(const FabData& data, const Response& response) {
  if (response.value.size() != data.wafers.size()) {
    return Error{Errc::kInvalidOptions, "SENS-0001",
                 "The response must have one value for each wafer of the scope."};
  }
  SensorCorrelationResult result;
  std::vector<double> p;
  for (const auto& [key, column] : columns_of(data)) {
    const SensorCorrelation c = compare(data, response, key, column);
    if (c.wafers == 0 || c.z == 0.0) continue;
    result.columns.push_back(c);
    p.push_back(c.p_value);
  }
  if (p.empty()) {
    return Error{Errc::kNoData, "SENS-0002",
                 "No sensor or metrology column varies over 8 or more wafers with " +
                     response.name + "; load fdc_summary.csv or metrology.csv."};
  }
  const std::vector<double> q = stats::benjamini_hochberg(p);
  for (std::size_t i = 0; i < q.size(); ++i) result.columns[i].q_value = q[i];
  result.family = p.size();
  result.family_text = fmt::format("{} sensor and metrology columns, Benjamini-Hochberg", p.size());
  std::ranges::stable_sort(result.columns, [](const auto& a, const auto& b) {
    return a.p_value != b.p_value ? a.p_value < b.p_value : std::abs(a.z) > std::abs(b.z);
  });
  return result;
}

}  // namespace yieldloop::process

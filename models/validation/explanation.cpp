#include "models/validation/explanation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace yieldloop::models {
namespace {

constexpr double kTwinCorrelation = 0.98;
constexpr std::size_t kTwinsSought = 12;

std::string shown(const FeatureColumn& column, float value) {
  if (std::isnan(value)) return {};
  if (!is_category(column.source)) return fmt::format("{:.4g}", value);
  const auto code = static_cast<std::size_t>(value);
  return code < column.categories.size() ? column.categories[code] : std::string();
}

/// True when two columns split the rows alike: each value of one meets one value of the other.
bool same_partition(const FeatureTable& table, const RowSet& rows, std::size_t a, std::size_t b) {
  std::map<float, float> forward, backward;
  for (const std::uint32_t row : rows) {
    const float x = table.row(row)[a], y = table.row(row)[b];
    if (std::isnan(x) != std::isnan(y)) return false;
    if (std::isnan(x)) continue;
    if (forward.try_emplace(x, y).first->second != y) return false;
    if (backward.try_emplace(y, x).first->second != x) return false;
  }
  return forward.size() > 1;
}

bool correlated(const FeatureTable& table, const RowSet& rows, std::size_t a, std::size_t b) {
  std::vector<double> x;
  std::vector<float> y;
  for (const std::uint32_t row : rows) {
    const float u = table.row(row)[a], v = table.row(row)[b];
    if (std::isnan(u) || std::isnan(v)) continue;
    x.push_back(static_cast<double>(u));
    y.push_back(v);
  }
  return x.size() >= 20 && 2 * x.size() >= rows.size() &&
         std::abs(correlation(x, y)) >= kTwinCorrelation;
}

std::vector<std::string> twins_of(const FeatureTable& table, const RowSet& rows,
                                  std::size_t column) {
  const auto& columns = table.schema.columns;
  std::vector<std::string> twins;
  for (std::size_t other = 0; other < columns.size(); ++other) {
    if (other == column) continue;
    const bool categories =
        is_category(columns[column].source) || is_category(columns[other].source);
    const bool twin = categories ? same_partition(table, rows, column, other)
                                 : correlated(table, rows, column, other);
    if (twin) twins.push_back(columns[other].name);
  }
  return twins;
}

void sort_by_value(std::vector<Importance>& ranked) {
  std::erase_if(ranked, [](const Importance& i) { return !(i.value > 0.0); });
  std::ranges::stable_sort(ranked, std::greater{}, &Importance::value);
}

}  // namespace

Result<std::vector<Explained>> explain(const FabData& data, const FeatureTable& table,
                                       const Booster& booster, const RowSet& rows,
                                       const std::vector<double>& predicted, std::size_t reasons) {
  YL_ASSIGN(const auto values, booster.contributions(table, rows));
  const std::size_t width = table.columns() + 1;
  std::vector<Explained> explained;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const RowKey& key = table.rows[rows[i]];
    Explained e{
        .wafer = data.wafer_label(key.wafer), .die = key.die, .predicted = predicted[i], .top = {}};
    std::vector<std::size_t> order(table.columns());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto strength = [&](std::size_t c) { return std::abs(values[i * width + c]); };
    std::ranges::stable_sort(order, std::greater{}, strength);
    for (const std::size_t c : order) {
      if (e.top.size() == reasons || !(strength(c) > 0.0)) break;
      const FeatureColumn& column = table.schema.columns[c];
      e.top.push_back(
          {column.name, column.group, shown(column, table.row(rows[i])[c]), values[i * width + c]});
    }
    explained.push_back(std::move(e));
  }
  return explained;
}

Result<Importances> rank_importances(const FeatureTable& table, const Booster& booster,
                                     const RowSet& rows) {
  YL_ASSIGN(const auto values, booster.contributions(table, rows));
  const std::size_t columns = table.columns(), width = columns + 1;
  std::map<std::string, std::vector<std::size_t>> members;
  for (std::size_t c = 0; c < columns; ++c) members[table.schema.columns[c].group].push_back(c);

  Importances result;
  const auto n = static_cast<double>(std::max<std::size_t>(rows.size(), 1));
  std::vector<std::pair<double, std::size_t>> strongest;
  for (std::size_t c = 0; c < columns; ++c) {
    double sum = 0.0;
    for (std::size_t i = 0; i < rows.size(); ++i) sum += std::abs(values[i * width + c]);
    strongest.emplace_back(-sum, c);
    result.features.push_back({table.schema.columns[c].name, sum / n, {}});
  }
  std::ranges::sort(strongest);
  for (std::size_t k = 0; k < std::min(kTwinsSought, strongest.size()); ++k) {
    if (strongest[k].first < 0.0) {
      const std::size_t c = strongest[k].second;
      result.features[c].twins = twins_of(table, rows, c);
    }
  }
  for (const auto& [group, of_group] : members) {
    double sum = 0.0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      double row = 0.0;
      for (const std::size_t c : of_group) row += values[i * width + c];
      sum += std::abs(row);
    }
    result.groups.push_back({group, sum / n, {}});
  }
  sort_by_value(result.features);
  sort_by_value(result.groups);
  return result;
}

}  // namespace yieldloop::models

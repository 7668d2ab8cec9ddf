#include "engine/defects/density.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/defects/inspected_area.h"
#include "engine/stats/distributions.h"
#include "engine/stats/intervals.h"

namespace yieldloop::defects {
namespace {

/// Garwood's interval with counts that need not be whole.
Interval scaled_interval(double events, double exposure) {
  const double low = events > 0.0 ? stats::gamma_quantile(0.025, events) : 0.0;
  return {low / exposure, stats::gamma_quantile(0.975, events + 1.0) / exposure};
}

StepDensity step_density(NameId step, const std::vector<InspectionDensity>& rows) {
  StepDensity s{.step = step, .inspections = static_cast<std::int64_t>(rows.size())};
  for (const InspectionDensity& row : rows) {
    s.defects += row.defects;
    s.area_cm2 += row.area_cm2;
  }
  s.density_per_cm2 = static_cast<double>(s.defects) / s.area_cm2;
  if (rows.size() > 1 && s.defects > 0) {
    double chi = 0.0;
    for (const InspectionDensity& row : rows) {
      const double expected = s.density_per_cm2 * row.area_cm2;
      chi += std::pow(static_cast<double>(row.defects) - expected, 2) / expected;
    }
    s.dispersion = std::max(1.0, chi / static_cast<double>(rows.size() - 1));
  }
  s.density_ci =
      scaled_interval(static_cast<double>(s.defects) / s.dispersion, s.area_cm2 / s.dispersion);
  return s;
}

}  // namespace

Result<DensityResult> defect_density(const FabData& data, std::span<const char> exclude) {
  std::vector<std::int64_t> counts(data.inspections.size(), 0);
  for (std::size_t d = 0; d < data.defects.size(); ++d) {
    if (d < exclude.size() && exclude[d] != 0) continue;
    ++counts[data.defects[d].inspection];
  }
  DensityResult result;
  std::map<NameId, std::vector<InspectionDensity>> by_step;
  for (std::size_t i = 0; i < data.inspections.size(); ++i) {
    InspectionDensity row{.inspection = static_cast<std::uint32_t>(i),
                          .defects = counts[i],
                          .area_cm2 = inspected_area_cm2(data, data.inspections[i])};
    if (row.area_cm2 <= 0.0) {
      ++result.without_area;
      continue;
    }
    row.density_per_cm2 = static_cast<double>(row.defects) / row.area_cm2;
    row.density_ci = stats::poisson_rate_interval(row.defects, row.area_cm2);
    by_step[data.inspections[i].step].push_back(row);
    result.inspections.push_back(row);
  }
  if (result.inspections.empty()) {
    return Error{Errc::kNoData, "DDEN-0001",
                 "No inspection has a known area; load KLARF files with a sample test plan or give "
                 "the die size in product.toml."};
  }
  for (const auto& [step, rows] : by_step) result.steps.push_back(step_density(step, rows));
  std::ranges::sort(result.steps, {}, [&](const StepDensity& s) { return data.names[s.step]; });
  return result;
}

}  // namespace yieldloop::defects

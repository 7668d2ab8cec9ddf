#include "engine/defects/pareto.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "engine/defects/inspected_area.h"
#include "engine/stats/intervals.h"

namespace yieldloop::defects {
namespace {

struct Bar {
  std::string label;
  std::int64_t defects = 0;
  double area_cm2 = 0.0;
};

Status check(const FabData& data, const ParetoOptions& options, std::span<const char> exclude) {
  if (std::ranges::adjacent_find(options.size_edges_um, std::ranges::greater_equal{}) !=
      options.size_edges_um.end()) {
    return Error{Errc::kInvalidOptions, "DPAR-0002", "The size edges must rise; reorder them."};
  }
  if (!exclude.empty() && exclude.size() != data.defects.size()) {
    return Error{Errc::kInvalidOptions, "DPAR-0002",
                 "The list of excluded defects is not as long as the list of defects; make it "
                 "from the same data."};
  }
  return Ok{};
}

/// Position and label of the bar a defect belongs to; positions order the size bars.
std::pair<std::size_t, std::string> bar_of(const FabData& data, const ParetoOptions& options,
                                           const Defect& d) {
  if (options.by == ParetoBy::kStep) {
    return {0, data.names[data.inspections[d.inspection].step]};
  }
  if (options.by == ParetoBy::kClass) {
    const std::string& name = data.names[d.class_name];
    return {0, name.empty() ? fmt::format("class {}", d.class_number) : name};
  }
  const auto& edges = options.size_edges_um;
  const auto above = std::ranges::upper_bound(edges, d.size_um);
  const auto at = static_cast<std::size_t>(above - edges.begin());
  if (d.size_um <= 0.0 || at == 0) return {0, "no size"};
  if (at == edges.size()) return {at, fmt::format("{:g} um and more", edges.back())};
  return {at, fmt::format("{:g} to {:g} um", edges[at - 1], edges[at])};
}

void finish(std::vector<Bar> bars, bool keep_order, DefectPareto& pareto) {
  if (!keep_order) {
    std::ranges::stable_sort(bars, std::ranges::greater{}, &Bar::defects);
  }
  double cumulative = 0.0;
  for (const Bar& bar : bars) {
    ParetoBar out{.label = bar.label, .defects = bar.defects, .area_cm2 = bar.area_cm2};
    if (bar.area_cm2 > 0.0) {
      out.density_per_cm2 = static_cast<double>(bar.defects) / bar.area_cm2;
      out.density_ci = stats::poisson_rate_interval(bar.defects, bar.area_cm2);
    }
    if (pareto.defects > 0) {
      out.share = static_cast<double>(bar.defects) / static_cast<double>(pareto.defects);
    }
    out.cumulative_share = cumulative += out.share;
    pareto.bars.push_back(std::move(out));
  }
}

}  // namespace

Result<DefectPareto> defect_pareto(const FabData& data, const ParetoOptions& options,
                                   std::span<const char> exclude) {
  YL_TRY(check(data, options, exclude));
  DefectPareto pareto;
  std::vector<char> used(data.inspections.size(), 0);
  std::map<std::pair<std::size_t, std::string>, Bar> bars;
  bool any = false;
  for (std::size_t i = 0; i < data.inspections.size(); ++i) {
    const std::string& step = data.names[data.inspections[i].step];
    if (!options.step.empty() && step != options.step) continue;
    used[i] = 1;
    any = true;
    const double area = inspected_area_cm2(data, data.inspections[i]);
    pareto.area_cm2 += area;
    if (options.by == ParetoBy::kStep) bars[{0, step}].area_cm2 += area;
  }
  if (!any) {
    return Error{Errc::kNoData, "DPAR-0001",
                 "No inspection is in the selection; load KLARF files or widen the selection."};
  }
  for (std::size_t d = 0; d < data.defects.size(); ++d) {
    if (!used[data.defects[d].inspection]) continue;
    if (!exclude.empty() && exclude[d] != 0) {
      ++pareto.excluded;
      continue;
    }
    ++bars[bar_of(data, options, data.defects[d])].defects;
    ++pareto.defects;
  }
  std::vector<Bar> list;
  for (auto& [key, bar] : bars) {
    bar.label = key.second;
    if (options.by != ParetoBy::kStep) bar.area_cm2 = pareto.area_cm2;
    list.push_back(bar);
  }
  finish(std::move(list), options.by == ParetoBy::kSize, pareto);
  return pareto;
}

}  // namespace yieldloop::defects

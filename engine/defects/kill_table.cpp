#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <unordered_map>

#include "engine/defects/inspected_area.h"
#include "engine/defects/kill_ratio.h"

namespace yieldloop::defects {
namespace {

using WaferDie = std::pair<WaferId, DieIndex>;

/// Good means: the final result of every insertion passed.
std::map<WaferDie, bool> tested_die(const FabData& data) {
  std::map<WaferDie, bool> good;
  for (const DieResult& r : data.die_results) {
    if (!r.final_result) continue;
    const auto [it, added] = good.try_emplace({r.wafer, r.die}, r.pass);
    if (!added) it->second = it->second && r.pass;
  }
  return good;
}

int zone_of(const FabData& data, const Inspection& inspection, DieIndex die, int zones) {
  const DiePitch pitch = die_pitch(data, inspection);
  const double x = (die.x + 0.5) * pitch.x_um - inspection.sample_center_x_um;
  const double y = (die.y + 0.5) * pitch.y_um - inspection.sample_center_y_um;
  const double radius = data.product.wafer_diameter_mm * 500.0;
  const double share = radius > 0.0 ? (x * x + y * y) / (radius * radius) : 0.0;
  return std::clamp(static_cast<int>(share * zones), 0, zones - 1);
}

std::string class_label(const FabData& data, const Defect& defect) {
  const std::string& name = data.names[defect.class_name];
  return name.empty() ? "class " + std::to_string(defect.class_number) : name;
}

std::string size_label(const std::vector<double>& edges, double size_um) {
  if (edges.empty()) return {};
  const auto above = std::ranges::upper_bound(edges, size_um);
  if (above == edges.begin()) return fmt::format("< {:g} um", edges.front());
  if (above == edges.end()) return fmt::format(">= {:g} um", edges.back());
  return fmt::format("{:g}-{:g} um", *(above - 1), *above);
}

KillFacets facets_of(const FabData& data, const KillTableOptions& options, std::size_t position) {
  const Defect& d = data.defects[position];
  return {.step = options.by_step ? data.names[data.inspections[d.inspection].step] : std::string(),
          .class_name = class_label(data, d),
          .size = size_label(options.size_edges_um, d.size_um),
          .pattern = options.pattern.empty() ? std::string() : options.pattern[position]};
}

/// "M1_INSP: Particle, 0.2-0.5 um, p-12"; only the class where nothing else is asked.
std::string label_of(const KillFacets& f) {
  std::string label = f.step.empty() ? f.class_name : f.step + ": " + f.class_name;
  if (!f.size.empty()) label += ", " + f.size;
  if (!f.pattern.empty()) label += ", " + f.pattern;
  return label;
}

struct DieDefects {
  int zone = 0;
  std::set<NameId> steps;  ///< It was inspected at.
  std::map<KillFacets, int> counts;
};

/// Inspected and tested die with their defects by type.
std::map<WaferDie, DieDefects> inspected_die(const FabData& data, const KillTableOptions& options,
                                             const std::map<WaferDie, bool>& good) {
  std::map<WaferDie, DieDefects> die;
  std::vector<char> used(data.inspections.size(), 0);
  for (std::size_t i = 0; i < data.inspections.size(); ++i) {
    const Inspection& inspection = data.inspections[i];
    if (!options.step.empty() && data.names[inspection.step] != options.step) continue;
    used[i] = 1;
    const auto first = good.lower_bound({inspection.wafer, DieIndex{INT16_MIN, INT16_MIN}});
    for (auto it = first; it != good.end() && it->first.first == inspection.wafer; ++it) {
      if (!was_inspected(inspection, it->first.second)) continue;
      DieDefects& d = die[it->first];
      d.zone = zone_of(data, inspection, it->first.second, options.zones);
      if (options.by_step) d.steps.insert(inspection.step);
    }
  }
  for (std::size_t p = 0; p < data.defects.size(); ++p) {
    const Defect& d = data.defects[p];
    if (!used[d.inspection]) continue;
    const auto it = die.find({d.wafer, d.die});
    if (it != die.end()) ++it->second.counts[facets_of(data, options, p)];
  }
  return die;
}

/// Types on enough die get a name of their own; the rest of a step share its "other".
std::map<KillFacets, std::size_t> name_types(const std::map<WaferDie, DieDefects>& die,
                                             const KillTableOptions& options, KillTable& table) {
  std::map<KillFacets, std::int64_t> seen;
  for (const auto& [key, d] : die) {
    for (const auto& [facets, count] : d.counts) ++seen[facets];
  }
  std::vector<std::pair<std::int64_t, KillFacets>> frequent;
  for (const auto& [facets, count] : seen) {
    if (count >= options.min_die) frequent.emplace_back(-count, facets);
  }
  std::ranges::sort(frequent);
  if (frequent.size() > options.most_types) frequent.resize(options.most_types);
  std::set<KillFacets> named;
  for (const auto& [count, facets] : frequent) named.insert(facets);
  std::map<KillFacets, std::size_t> index;
  const auto add = [&](const KillFacets& facets) {
    table.types.push_back(label_of(facets));
    table.facets.push_back(facets);
    return table.types.size() - 1;
  };
  for (const KillFacets& facets : named) index[facets] = add(facets);
  std::map<std::string, std::size_t> others;
  for (const auto& [facets, count] : seen) {
    if (named.contains(facets)) continue;
    auto other = others.find(facets.step);
    if (other == others.end()) {
      other = others.emplace(facets.step, add({.step = facets.step, .class_name = "other"})).first;
    }
    index[facets] = other->second;
  }
  return index;
}

}  // namespace

Result<KillTable> kill_table(const FabData& data, const KillTableOptions& options) {
  if (options.zones < 1 || options.max_count < 1 ||
      !std::ranges::is_sorted(options.size_edges_um) ||
      (!options.pattern.empty() && options.pattern.size() != data.defects.size())) {
    return Error{Errc::kInvalidOptions, "KILL-0003",
                 "Kill ratios need at least one zone, a count limit of at least one, rising size "
                 "edges and one pattern for each defect or none; correct the options."};
  }
  const auto good = tested_die(data);
  const auto die = inspected_die(data, options, good);
  if (die.empty()) {
    return Error{Errc::kNoData, "KILL-0001",
                 "No die was both inspected and tested; load the inspections and the test results "
                 "of the same wafers."};
  }
  KillTable table;
  table.strata = options.zones;
  table.die = static_cast<std::int64_t>(die.size());
  const auto index = name_types(die, options, table);
  // A stratum for each zone and set of steps.
  std::map<std::pair<std::set<NameId>, int>, int> strata;
  for (const auto& [key, d] : die) strata.try_emplace({d.steps, d.zone}, 0);
  int next = 0;
  for (auto& [key, stratum] : strata) stratum = options.by_step ? next++ : key.second;
  if (options.by_step) table.strata = std::max(1, next);
  std::map<std::pair<int, std::vector<int>>, KillCell> cells;
  for (const auto& [key, d] : die) {
    std::vector<int> counts(table.types.size(), 0);
    for (const auto& [facets, count] : d.counts) {
      int& c = counts[index.at(facets)];
      c = std::min(options.max_count, c + count);
    }
    KillCell& cell = cells[{strata.at({d.steps, d.zone}), counts}];
    ++(good.at(key) ? cell.good : cell.bad);
  }
  for (auto& [key, cell] : cells) {
    cell.stratum = key.first;
    cell.counts = key.second;
    table.cells.push_back(std::move(cell));
  }
  return table;
}

}  // namespace yieldloop::defects

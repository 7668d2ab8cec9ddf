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

struct DieDefects {
  int zone = 0;
  std::map<std::string, int> counts;
};

/// Inspected and tested die with their defects by class.
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
      die[it->first].zone = zone_of(data, inspection, it->first.second, options.zones);
    }
  }
  for (const Defect& d : data.defects) {
    if (!used[d.inspection]) continue;
    const auto it = die.find({d.wafer, d.die});
    if (it != die.end()) ++it->second.counts[class_label(data, d)];
  }
  return die;
}

/// Classes on enough die get a name of their own; the rest share "other".
std::map<std::string, std::size_t> name_types(const std::map<WaferDie, DieDefects>& die,
                                              std::int64_t min_die,
                                              std::vector<std::string>& types) {
  std::map<std::string, std::int64_t> seen;
  for (const auto& [key, d] : die) {
    for (const auto& [name, count] : d.counts) ++seen[name];
  }
  std::map<std::string, std::size_t> index;
  for (const auto& [name, count] : seen) {
    if (count < min_die) continue;
    index[name] = types.size();
    types.push_back(name);
  }
  if (index.size() < seen.size()) types.push_back("other");
  for (const auto& [name, count] : seen) index.try_emplace(name, types.size() - 1);
  return index;
}

}  // namespace

Result<KillTable> kill_table(const FabData& data, const KillTableOptions& options) {
  if (options.zones < 1 || options.max_count < 1) {
    return Error{Errc::kInvalidOptions, "KILL-0003",
                 "Kill ratios need at least one zone and a count limit of at least one; correct "
                 "the options."};
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
  const auto index = name_types(die, options.min_die, table.types);
  std::map<std::pair<int, std::vector<int>>, KillCell> cells;
  for (const auto& [key, d] : die) {
    std::vector<int> counts(table.types.size(), 0);
    for (const auto& [name, count] : d.counts) {
      int& c = counts[index.at(name)];
      c = std::min(options.max_count, c + count);
    }
    KillCell& cell = cells[{d.zone, counts}];
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

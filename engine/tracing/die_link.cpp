#include "engine/tracing/die_link.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/stats/contingency.h"

namespace yieldloop::tracing {
namespace {

using WaferDie = std::pair<WaferId, DieIndex>;

/// Whether each tested die failed; it must pass every insertion.
std::map<WaferDie, bool> tested_die(const FabData& data) {
  std::map<WaferDie, bool> failed;
  for (const DieResult& r : data.die_results) {
    if (!r.final_result) continue;
    const auto [it, added] = failed.try_emplace({r.wafer, r.die}, !r.pass);
    if (!added) it->second = it->second || !r.pass;
  }
  return failed;
}

/// One wafer's die by what they carry: the given defects, other defects only, none.
struct WaferTables {
  stats::Table2x2 given;  ///< Given against all others.
  stats::Table2x2 other;  ///< Other defects only against none.
};

void count_die(bool fail, bool with, bool with_other, WaferTables& t, DieLink& link) {
  (with ? (fail ? t.given.a : t.given.b) : (fail ? t.given.c : t.given.d)) += 1.0;
  ++(with ? link.die_with : link.die_without);
  (with ? link.fails_with : link.fails_without) += fail ? 1 : 0;
  if (with) return;
  (with_other ? (fail ? t.other.a : t.other.b) : (fail ? t.other.c : t.other.d)) += 1.0;
}

stats::CmhResult within_wafers(const std::map<WaferId, WaferTables>& tables,
                               stats::Table2x2 WaferTables::*table) {
  std::vector<stats::Table2x2> strata;
  for (const auto& [wafer, t] : tables) strata.push_back(t.*table);
  return stats::cochran_mantel_haenszel(strata);
}

}  // namespace

DieLink link_to_die(const FabData& data, const StepExposure& exposure,
                    std::span<const std::size_t> defects, double attributable_share) {
  DieLink link;
  std::set<WaferDie> carriers, others;
  std::set<WaferId> wafers;
  for (const LocatedDefect& d : exposure.defects) others.insert({d.wafer, d.die});
  for (const std::size_t d : defects) {
    carriers.insert({exposure.defects[d].wafer, exposure.defects[d].die});
    wafers.insert(exposure.defects[d].wafer);
  }
  link.wafers.assign(wafers.begin(), wafers.end());
  const auto failed = tested_die(data);
  std::set<WaferId> tested_wafers;
  for (const auto& [key, fail] : failed) tested_wafers.insert(key.first);
  std::map<WaferId, WaferTables> tables;
  std::set<WaferDie> seen;
  for (const std::uint32_t i : exposure.inspections) {
    for (const DieIndex die : data.inspections[i].inspected) {
      const auto it = failed.find({data.inspections[i].wafer, die});
      if (it == failed.end() || !seen.insert(it->first).second) continue;
      count_die(it->second, carriers.contains(it->first), others.contains(it->first),
                tables[it->first.first], link);
    }
  }
  if (link.die_with == 0 || link.die_without == 0) return link;
  const auto given = within_wafers(tables, &WaferTables::given);
  const double s = std::clamp(attributable_share, 0.01, 1.0);
  const double by_background =
      (1.0 - s) * std::max(0.0, within_wafers(tables, &WaferTables::other).risk_difference);
  const auto attributed = [&](double risk) {
    return std::clamp((risk - by_background) / s, -1.0, 1.0);
  };
  link.known = true;
  link.kill = attributed(given.risk_difference);
  link.kill_ci = {attributed(given.risk_difference_ci.low),
                  attributed(given.risk_difference_ci.high)};
  link.p_value = given.p_value;
  const double share =
      static_cast<double>(link.die_with) / static_cast<double>(link.die_with + link.die_without);
  const double scale =
      share * s * static_cast<double>(failed.size()) / static_cast<double>(tested_wafers.size());
  link.die_per_wafer = -link.kill * scale;
  link.die_per_wafer_ci = {-link.kill_ci.high * scale, -link.kill_ci.low * scale};
  link.loss_die_total =
      std::max(0.0, -link.die_per_wafer) * static_cast<double>(tested_wafers.size());
  return link;
}

}  // namespace yieldloop::tracing

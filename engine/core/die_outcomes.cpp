#include "engine/core/die_outcomes.h"

#include <algorithm>
#include <tuple>

namespace yieldloop {

std::vector<DieOutcome> die_outcomes(const FabData& data, TestPass which, NameId insertion) {
  std::vector<const DieResult*> rows;
  rows.reserve(data.die_results.size());
  for (const DieResult& row : data.die_results) {
    if (!(which == TestPass::kFinal ? row.final_result : row.first_pass)) continue;
    if (!has_place(row.die) || (insertion != NameId{} && row.insertion != insertion)) continue;
    rows.push_back(&row);
  }
  const auto before = [](const DieResult* a, const DieResult* b) {
    return std::tie(a->wafer, a->die, a->tested_at, a->insertion, a->part_sequence, a->hard_bin) <
           std::tie(b->wafer, b->die, b->tested_at, b->insertion, b->part_sequence, b->hard_bin);
  };
  if (!std::ranges::is_sorted(rows, before)) std::ranges::sort(rows, before);
  std::vector<DieOutcome> outcomes;
  outcomes.reserve(rows.size());
  for (const DieResult* row : rows) {
    const bool same =
        !outcomes.empty() && outcomes.back().wafer == row->wafer && outcomes.back().die == row->die;
    if (!same) {
      outcomes.push_back({.wafer = row->wafer, .die = row->die, .pass = true});
    } else if (!outcomes.back().pass) {
      continue;  // The first insertion it failed at has spoken.
    }
    DieOutcome& out = outcomes.back();
    out.hard_bin = row->hard_bin;
    out.soft_bin = row->soft_bin;
    out.site = row->site;
    out.pass = row->pass;
  }
  return outcomes;
}

}  // namespace yieldloop

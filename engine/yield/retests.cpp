#include "engine/yield/retests.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <vector>

#include "engine/core/die_outcomes.h"

namespace yieldloop::yield {

RetestCounts resolve_retests(std::span<DieResult> rows) {
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto before = [&rows](std::size_t i, std::size_t j) {
    const DieResult &a = rows[i], &b = rows[j];
    return std::tie(a.wafer, a.insertion, a.die, a.tested_at, a.part_sequence, i) <
           std::tie(b.wafer, b.insertion, b.die, b.tested_at, b.part_sequence, j);
  };
  if (!std::ranges::is_sorted(order, before)) std::ranges::sort(order, before);

  RetestCounts counts{.rows = rows.size()};
  const auto same_die = [&rows](std::size_t i, std::size_t j) {
    const DieResult &a = rows[i], &b = rows[j];
    return a.wafer == b.wafer && a.insertion == b.insertion && a.die == b.die && has_place(a.die);
  };
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && same_die(order[begin], order[end])) ++end;
    for (std::size_t k = begin; k < end; ++k) {
      rows[order[k]].first_pass = k == begin;
      rows[order[k]].final_result = k + 1 == end;
    }
    const bool first = rows[order[begin]].pass, last = rows[order[end - 1]].pass;
    ++counts.die;
    counts.superseded += end - begin - 1;
    counts.recovered += !first && last;
    counts.lost += first && !last;
    begin = end;
  }
  return counts;
}

}  // namespace yieldloop::yield

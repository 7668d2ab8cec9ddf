#include <algorithm>

#include "engine/report/report_parts.h"
#include "engine/stats/distributions.h"
#include "engine/stats/intervals.h"
#include "engine/stats/overdispersion.h"

namespace yieldloop::report {
namespace {

constexpr std::int64_t kHalfDay = kMicrosPerDay / 2;

std::vector<Tally> tally(const FabData& data, const std::vector<DieOutcome>& dies) {
  std::vector<Tally> tallies(data.wafers.size());
  for (const DieOutcome& die : dies) {
    ++tallies[die.wafer.raw()].tested;
    tallies[die.wafer.raw()].good += die.pass ? 1 : 0;
  }
  return tallies;
}

void sort_lots(ReportBasis& basis) {
  for (const DieOutcome& die : basis.final_dies) {
    basis.last_test.try_emplace(basis.data.wafers[die.wafer.raw()].lot, UtcMicros{});
  }
  for (const DieResult& row : basis.data.die_results) {
    const auto it = basis.last_test.find(basis.data.wafers[row.wafer.raw()].lot);
    if (it != basis.last_test.end()) it->second = std::max(it->second, row.tested_at);
  }
  for (const auto& [lot, time] : basis.last_test) basis.lots.push_back(lot);
  std::ranges::sort(basis.lots, [&](NameId a, NameId b) {
    const UtcMicros ta = basis.last_test[a], tb = basis.last_test[b];
    return ta != tb ? ta < tb : basis.data.names[a] < basis.data.names[b];
  });
}

void split_by_night(ReportBasis& basis) {
  const auto night = parse_iso8601(basis.options.night);
  for (const NameId lot : basis.lots) {
    if (!night) {
      basis.tonight.insert(lot);
      continue;
    }
    const UtcMicros time = basis.last_test[lot];
    if (time.known() && time.count >= night->count + kHalfDay) continue;
    const bool tonight = time.known() && time.count >= night->count - kHalfDay;
    (tonight ? basis.tonight : basis.earlier).insert(lot);
  }
}

}  // namespace

bool is_tonight(const ReportBasis& basis, WaferId wafer) {
  return basis.tonight.contains(basis.data.wafers[wafer.raw()].lot);
}

ReportBasis make_basis(const FabData& data, const FindingsDocument& findings,
                       const ReportOptions& options) {
  ReportBasis basis{.data = data, .findings = findings, .options = options};
  basis.final_dies = die_outcomes(data, TestPass::kFinal);
  basis.final_tally = tally(data, basis.final_dies);
  basis.first_tally = tally(data, die_outcomes(data, TestPass::kFirst));
  sort_lots(basis);
  split_by_night(basis);
  return basis;
}

YieldFigure pooled_yield(const ReportBasis& basis, const std::vector<Tally>& tallies,
                         const std::set<NameId>& lots) {
  std::map<NameId, std::pair<double, double>> by_lot;
  std::vector<std::pair<double, double>> by_wafer;
  YieldFigure figure;
  for (std::size_t w = 0; w < tallies.size(); ++w) {
    const NameId lot = basis.data.wafers[w].lot;
    if (tallies[w].tested == 0 || !lots.contains(lot)) continue;
    figure.tested += tallies[w].tested;
    figure.good += tallies[w].good;
    const std::pair count{static_cast<double>(tallies[w].good),
                          static_cast<double>(tallies[w].tested)};
    by_wafer.push_back(count);
    by_lot[lot].first += count.first;
    by_lot[lot].second += count.second;
  }
  figure.lots = static_cast<std::int64_t>(by_lot.size());
  if (figure.tested == 0) return figure;
  figure.yield = static_cast<double>(figure.good) / static_cast<double>(figure.tested);
  figure.ci =
      stats::wilson_interval(static_cast<double>(figure.good), static_cast<double>(figure.tested));
  std::vector<double> good, tested;
  if (by_lot.size() >= kFewestReferences) {
    by_wafer.clear();
    for (const auto& [lot, count] : by_lot) by_wafer.push_back(count);
  }
  for (const auto& [k, n] : by_wafer) {
    good.push_back(k);
    tested.push_back(n);
  }
  const auto scatter = stats::estimate_overdispersion(good, tested);
  if (!scatter) return figure;
  const double half =
      scatter->share_se * stats::student_t_quantile(0.975, static_cast<double>(good.size()) - 1);
  // Never tighter than independent dies would allow.
  figure.ci = {std::clamp(figure.yield - half, 0.0, figure.ci.low),
               std::clamp(figure.yield + half, figure.ci.high, 1.0)};
  return figure;
}

std::vector<StackedDie> stack_of(const std::vector<DieOutcome>& dies,
                                 const std::vector<bool>& wafer_taken) {
  std::map<DieIndex, StackedDie> places;
  for (const DieOutcome& die : dies) {
    if (!wafer_taken[die.wafer.raw()]) continue;
    StackedDie& place = places[die.die];
    place.die = die.die;
    ++place.n;
    place.good += die.pass ? 1 : 0;
  }
  std::vector<StackedDie> stack;
  for (const auto& [index, place] : places) stack.push_back(place);
  return stack;
}

}  // namespace yieldloop::report

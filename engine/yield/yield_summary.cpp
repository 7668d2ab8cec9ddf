#include "engine/yield/yield_summary.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/core/die_outcomes.h"
#include "engine/stats/distributions.h"
#include "engine/stats/intervals.h"
#include "engine/stats/overdispersion.h"

namespace yieldloop::yield {
namespace {

void count(YieldCount& into, bool pass) {
  ++into.tested;
  into.good += pass ? 1 : 0;
}

void add(YieldCount& into, const YieldCount& from) {
  into.tested += from.tested;
  into.good += from.good;
}

std::vector<BinShare> pareto(const std::vector<DieOutcome>& outcomes, int DieOutcome::*bin) {
  std::map<std::pair<bool, int>, std::int64_t> counts;
  std::int64_t failed = 0;
  for (const DieOutcome& die : outcomes) {
    ++counts[{die.pass, die.*bin}];
    failed += die.pass ? 0 : 1;
  }
  std::vector<BinShare> shares;
  for (const auto& [key, die] : counts) {
    shares.push_back({.bin = key.second, .pass = key.first, .die = die});
  }
  std::ranges::stable_sort(shares, [](const BinShare& a, const BinShare& b) {
    return a.pass != b.pass ? !a.pass : a.die > b.die;
  });
  std::int64_t so_far = 0;
  for (BinShare& share : shares) {
    share.share = static_cast<double>(share.die) / static_cast<double>(outcomes.size());
    if (share.pass) continue;
    so_far += share.die;
    share.cumulative = static_cast<double>(so_far) / static_cast<double>(failed);
  }
  return shares;
}

/// Of the die-weighted yield: lots scatter, or wafers within one lot, or die on one wafer.
Interval clustered_interval(const YieldSummary& summary) {
  std::vector<double> good, tested;
  const auto take = [&](const auto& units) {
    good.clear();
    tested.clear();
    for (const auto& unit : units) {
      good.push_back(static_cast<double>(unit.final.good));
      tested.push_back(static_cast<double>(unit.final.tested));
    }
  };
  take(summary.lots);
  if (good.size() < 2) take(summary.wafers);
  const auto scatter = stats::estimate_overdispersion(good, tested);
  const Interval wilson = stats::wilson_interval(static_cast<double>(summary.final.good),
                                                 static_cast<double>(summary.final.tested));
  if (!scatter) return wilson;
  const double t = stats::student_t_quantile(0.975, static_cast<double>(good.size()) - 1);
  const double half = t * scatter->share_se;
  // Never tighter than independent die would allow.
  return {std::clamp(scatter->share - half, 0.0, wilson.low),
          std::clamp(scatter->share + half, wilson.high, 1.0)};
}

void add_wafers(const FabData& data, const YieldSummaryOptions& options, YieldSummary& summary,
                const std::vector<DieOutcome>& outcomes) {
  std::vector<WaferYield> by_wafer(data.wafers.size());
  for (const DieOutcome& die : outcomes) count(by_wafer[die.wafer.raw()].final, die.pass);
  for (const DieOutcome& die : die_outcomes(data, TestPass::kFirst, options.insertion)) {
    count(by_wafer[die.wafer.raw()].first_pass, die.pass);
  }
  for (std::size_t w = 0; w < by_wafer.size(); ++w) {
    by_wafer[w].wafer = WaferId{static_cast<std::uint32_t>(w)};
    if (by_wafer[w].final.tested > 0) summary.wafers.push_back(by_wafer[w]);
  }
}

void add_lots(const FabData& data, YieldSummary& summary) {
  std::map<NameId, std::size_t> position;
  double sum = 0;
  for (const WaferYield& wafer : summary.wafers) {
    const NameId lot = data.wafers[wafer.wafer.raw()].lot;
    const auto [it, is_new] = position.try_emplace(lot, summary.lots.size());
    if (is_new) summary.lots.push_back({.lot = lot});
    LotYield& entry = summary.lots[it->second];
    ++entry.wafers;
    add(entry.first_pass, wafer.first_pass);
    add(entry.final, wafer.final);
    entry.mean_wafer_yield += wafer.final.yield();
    add(summary.first_pass, wafer.first_pass);
    add(summary.final, wafer.final);
    sum += wafer.final.yield();
  }
  for (LotYield& lot : summary.lots) lot.mean_wafer_yield /= static_cast<double>(lot.wafers);
  summary.mean_wafer_yield = sum / static_cast<double>(summary.wafers.size());
}

}  // namespace

Result<YieldSummary> yield_summary(const FabData& data, const YieldSummaryOptions& options) {
  const std::vector<DieOutcome> outcomes = die_outcomes(data, TestPass::kFinal, options.insertion);
  if (outcomes.empty()) {
    return Error{Errc::kNoData, "YIEL-0005",
                 "No tested die was found; load test results of this product first."};
  }
  YieldSummary summary;
  for (const DieResult& row : data.die_results) {
    if (options.insertion != NameId{} && row.insertion != options.insertion) continue;
    ++summary.rows;
    if (!has_place(row.die)) {
      ++summary.unplaced;
    } else if (!row.final_result) {
      ++summary.superseded;
    }
  }
  add_wafers(data, options, summary, outcomes);
  add_lots(data, summary);
  summary.final_ci = clustered_interval(summary);
  summary.hard_bins = pareto(outcomes, &DieOutcome::hard_bin);
  summary.soft_bins = pareto(outcomes, &DieOutcome::soft_bin);
  return summary;
}

}  // namespace yieldloop::yield

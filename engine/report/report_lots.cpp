#include <algorithm>
#include <cmath>

#include "engine/core/number_text.h"
#include "engine/report/report_parts.h"

namespace yieldloop::report {
namespace {

LotRow lot_row(const ReportBasis& basis, NameId lot) {
  const std::vector<Tally>& first = basis.first_tally;
  const std::vector<Tally>& final_counts = basis.final_tally;
  LotRow row{.lot = basis.data.names[lot],
             .last_tested = basis.last_test.at(lot),
             .of_the_night = basis.tonight.contains(lot)};
  Tally first_sum, final_sum;
  for (std::size_t w = 0; w < basis.data.wafers.size(); ++w) {
    if (basis.data.wafers[w].lot != lot || final_counts[w].tested == 0) continue;
    ++row.wafers;
    first_sum.tested += first[w].tested;
    first_sum.good += first[w].good;
    final_sum.tested += final_counts[w].tested;
    final_sum.good += final_counts[w].good;
    row.mean_wafer_yield += final_counts[w].yield();
    row.wafer_rows.push_back(
        {.label = basis.data.wafer_label(WaferId{static_cast<std::uint32_t>(w)}),
         .tested = final_counts[w].tested,
         .first_pass = first[w].yield(),
         .final_yield = final_counts[w].yield()});
  }
  row.tested = final_sum.tested;
  row.first_pass = first_sum.yield();
  row.final_yield = final_sum.yield();
  row.final_ci = pooled_yield(basis, basis.final_tally, {lot}).ci;
  if (row.wafers > 0) row.mean_wafer_yield /= static_cast<double>(row.wafers);
  const std::int64_t recovered = final_sum.good - first_sum.good;
  if (recovered != 0) {
    row.flags.push_back("retest changed " + format_count(std::abs(recovered)) +
                        (std::abs(recovered) == 1 ? " die" : " dies"));
  }
  return row;
}

std::map<int, std::int64_t> fail_bins(const ReportBasis& basis, const std::set<NameId>& lots,
                                      std::int64_t& tested) {
  std::map<int, std::int64_t> counts;
  tested = 0;
  for (const DieOutcome& die : basis.final_dies) {
    if (!lots.contains(basis.data.wafers[die.wafer.raw()].lot)) continue;
    ++tested;
    if (!die.pass) ++counts[die.hard_bin];
  }
  return counts;
}

void apply_limits(const ReportBasis& basis, ReportContent& content) {
  std::vector<double> reference;
  for (const LotRow& row : content.trend) {
    if (basis.earlier.empty() || !row.of_the_night) reference.push_back(row.final_yield);
  }
  const auto limits = individuals_limits(reference);
  if (!limits) return;
  content.centre = limits->centre;
  content.lower_limit = std::max(0.0, limits->centre - 3 * limits->sigma);
  content.upper_limit = std::min(1.0, limits->centre + 3 * limits->sigma);
}

}  // namespace

void add_lots(const ReportBasis& basis, ReportContent& content) {
  content.headline.final_yield = pooled_yield(basis, basis.final_tally, basis.tonight);
  content.headline.first_pass = pooled_yield(basis, basis.first_tally, basis.tonight);
  if (basis.earlier.size() >= 2) {
    content.headline.baseline = pooled_yield(basis, basis.final_tally, basis.earlier);
  }
  for (const NameId lot : basis.lots) {
    const bool tonight = basis.tonight.contains(lot);
    if (!tonight && !basis.earlier.contains(lot)) continue;  // Tested after the night.
    LotRow row = lot_row(basis, lot);
    if (content.headline.baseline) {
      row.against_baseline = row.final_yield - content.headline.baseline->yield;
    }
    if (tonight) content.lots.push_back(row);
    row.wafer_rows.clear();
    content.trend.push_back(std::move(row));
  }
  apply_limits(basis, content);
  if (content.headline.baseline) {
    const double expected =
        content.headline.baseline->yield * static_cast<double>(content.headline.final_yield.tested);
    content.headline.die_lost =
        std::max(0.0, expected - static_cast<double>(content.headline.final_yield.good));
  }
}

void add_bins(const ReportBasis& basis, ReportContent& content) {
  std::int64_t tested = 0, tested_before = 0;
  const auto counts = fail_bins(basis, basis.tonight, tested);
  const auto before = fail_bins(basis, basis.earlier, tested_before);
  std::int64_t failed = 0;
  for (const auto& [bin, die] : counts) {
    BinRow row{.bin = bin, .die = die};
    const auto name = basis.options.bin_names.find(bin);
    if (name != basis.options.bin_names.end()) row.name = name->second;
    row.share = static_cast<double>(die) / static_cast<double>(tested);
    if (content.headline.baseline && tested_before > 0) {
      const auto it = before.find(bin);
      const double share =
          it == before.end() ? 0.0
                             : static_cast<double>(it->second) / static_cast<double>(tested_before);
      row.expected = share * static_cast<double>(tested);
    }
    failed += die;
    content.bins.push_back(std::move(row));
  }
  std::ranges::stable_sort(content.bins, std::ranges::greater{}, &BinRow::die);
  std::int64_t sum = 0;
  for (BinRow& row : content.bins) {
    sum += row.die;
    row.cumulative = static_cast<double>(sum) / static_cast<double>(failed);
  }
}

}  // namespace yieldloop::report

#include <algorithm>
#include <cmath>

#include "engine/core/number_text.h"
#include "engine/report/report_parts.h"

namespace yieldloop::report {
namespace {

constexpr double kLotSigmas = 3.0;
constexpr double kWaferScore = 3.5;
constexpr std::size_t kMapsEach = 4;
constexpr double kFewestDies = 10.0;  // Fewer dies than this in a lot are not worth an alarm.

/// The spread between lots, or that of counting dies where it is larger.
double sigma_with_counting(double sigma, double share, std::int64_t n) {
  const double counting = std::sqrt(std::max(0.0, share * (1 - share)) /
                                    static_cast<double>(std::max<std::int64_t>(1, n)));
  return std::max(sigma, counting);
}

std::vector<std::string> worst_wafers(const LotRow& lot) {
  std::vector<const WaferRow*> rows;
  for (const WaferRow& row : lot.wafer_rows) rows.push_back(&row);
  std::ranges::stable_sort(rows, {}, [](const WaferRow* row) { return row->final_yield; });
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < std::min(kMapsEach, rows.size()); ++i) {
    labels.push_back(rows[i]->label);
  }
  return labels;
}

LotRow* find_lot(std::vector<LotRow>& rows, const std::string& lot) {
  const auto it = std::ranges::find(rows, lot, &LotRow::lot);
  return it == rows.end() ? nullptr : &*it;
}

void mark(ReportContent& content, const std::string& lot, const std::string& flag) {
  for (auto* rows : {&content.lots, &content.trend}) {
    if (LotRow* row = find_lot(*rows, lot)) {
      row->excursion = true;
      row->flags.push_back(flag);
    }
  }
}

/// Exposure counts from the first lot beyond the limit on, so neighbours join one excursion.
void lot_excursions(const ReportBasis& basis, ReportContent& content) {
  if (!content.centre) return;
  std::vector<double> reference;
  for (const LotRow& row : content.trend) {
    if (basis.earlier.empty() || !row.of_the_night) reference.push_back(row.final_yield);
  }
  const auto limits = individuals_limits(reference);
  Excursion* open = nullptr;
  std::vector<std::string> marked;
  for (const LotRow& row : content.lots) {
    const double sigma = sigma_with_counting(limits->sigma, limits->centre, row.tested);
    const double limit = limits->centre - kLotSigmas * sigma;
    const double lost = (limits->centre - row.final_yield) * static_cast<double>(row.tested);
    if (row.final_yield >= limit || lost < kFewestDies) {
      open = nullptr;
      continue;
    }
    if (open == nullptr) {
      content.excursions.push_back(
          {.rule = "final yield of a lot below its lower limit (median of the reference lots "
                   "less 3 sigma)",
           .subject = "lot " + row.lot,
           .first_lot = row.lot,
           .value = row.final_yield,
           .centre = limits->centre,
           .limit = limit,
           .maps = worst_wafers(row)});
      open = &content.excursions.back();
    } else {
      open->subject = "lots " + open->first_lot + " to " + row.lot;
      open->value = std::min(open->value, row.final_yield);
    }
    open->wafers += row.wafers;
    open->die_lost += lost;
    marked.push_back(row.lot);
  }
  for (const std::string& lot : marked) mark(content, lot, "yield below limit");
}

/// Wafers far below the others, in lots that are not already marked as a whole.
void wafer_excursions(const ReportBasis& basis, ReportContent& content) {
  std::vector<double> yields;
  for (std::size_t w = 0; w < basis.final_tally.size(); ++w) {
    if (basis.final_tally[w].tested == 0) continue;
    const NameId lot = basis.data.wafers[w].lot;
    const auto& reference = basis.earlier.empty() ? basis.tonight : basis.earlier;
    if (reference.contains(lot)) yields.push_back(basis.final_tally[w].yield());
  }
  const auto limits = robust_limits(yields);
  if (!limits) return;
  for (LotRow& lot : content.lots) {
    if (lot.excursion) continue;
    Excursion found{.rule =
                        "final yield of a wafer far below the others (modified z score "
                        "beyond 3.5)",
                    .first_lot = lot.lot,
                    .value = 1.0,
                    .centre = limits->centre};
    for (WaferRow& wafer : lot.wafer_rows) {
      const double sigma = sigma_with_counting(limits->sigma, limits->centre, wafer.tested);
      const double lost = (limits->centre - wafer.final_yield) * static_cast<double>(wafer.tested);
      found.limit = limits->centre - kWaferScore * sigma;
      if (wafer.final_yield >= found.limit || lost < kFewestDies) continue;
      wafer.flags.push_back("outlying wafer");
      ++found.wafers;
      found.value = std::min(found.value, wafer.final_yield);
      found.die_lost += lost;
      if (found.maps.size() < kMapsEach) found.maps.push_back(wafer.label);
    }
    if (found.wafers == 0) continue;
    found.subject = found.wafers == 1 ? "wafer " + found.maps.front()
                                      : format_count(found.wafers) + " wafers of lot " + lot.lot;
    lot.flags.push_back(found.wafers == 1 ? "1 outlying wafer"
                                          : format_count(found.wafers) + " outlying wafers");
    content.excursions.push_back(std::move(found));
  }
}

struct BinSeries {
  std::map<std::string, std::map<int, double>> counts;  // By lot, then bin.
  std::map<std::string, double> tested;
};

BinSeries bin_series(const ReportBasis& basis) {
  BinSeries series;
  for (const DieOutcome& die : basis.final_dies) {
    const std::string& lot = basis.data.names[basis.data.wafers[die.wafer.raw()].lot];
    series.tested[lot] += 1;
    if (!die.pass) series.counts[lot][die.hard_bin] += 1;
  }
  return series;
}

void bin_excursions(const ReportBasis& basis, ReportContent& content) {
  BinSeries series = bin_series(basis);
  for (const BinRow& bin : content.bins) {
    std::vector<double> reference;
    for (const LotRow& row : content.trend) {
      if (!basis.earlier.empty() && row.of_the_night) continue;
      reference.push_back(series.counts[row.lot][bin.bin] / series.tested[row.lot]);
    }
    const auto limits = individuals_limits(reference);
    if (!limits) return;
    for (const LotRow& row : content.lots) {
      const double count = series.counts[row.lot][bin.bin];
      const double share = count / series.tested[row.lot];
      const double sigma = sigma_with_counting(
          limits->sigma, std::max(limits->centre, 1.0 / series.tested[row.lot]), row.tested);
      const double limit = limits->centre + kLotSigmas * sigma;
      const double lost = (share - limits->centre) * static_cast<double>(row.tested);
      if (share <= limit || lost < kFewestDies) continue;
      content.excursions.push_back(
          {.rule = "share of a bin in a lot above its upper limit (median of the reference lots "
                   "plus 3 sigma)",
           .subject = "bin " + std::to_string(bin.bin) + " in lot " + row.lot,
           .first_lot = row.lot,
           .value = share,
           .centre = limits->centre,
           .limit = limit,
           .wafers = row.wafers,
           .die_lost = lost,
           .maps = worst_wafers(row)});
    }
  }
}

}  // namespace

void add_excursions(const ReportBasis& basis, ReportContent& content) {
  lot_excursions(basis, content);
  wafer_excursions(basis, content);
  bin_excursions(basis, content);
  std::ranges::stable_sort(content.excursions, std::ranges::greater{}, &Excursion::die_lost);
}

}  // namespace yieldloop::report

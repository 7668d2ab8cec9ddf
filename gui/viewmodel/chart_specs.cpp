#include "gui/viewmodel/chart_specs.h"

#include <algorithm>
#include <map>

#include "engine/core/number_text.h"
#include "engine/stats/intervals.h"
#include "gui/charts/theme.h"

namespace yieldloop::viewmodel {
namespace {

constexpr std::size_t kLegendBins = 10;

charts::WaferMapSpec frame_of(const FabData& data, const MapOptions& options) {
  const Product& product = data.product;
  charts::WaferMapSpec spec;
  spec.die_width_um = product.die_width_um;
  spec.die_height_um = product.die_height_um;
  spec.wafer_diameter_mm = product.wafer_diameter_mm;
  spec.edge_exclusion_mm = product.edge_exclusion_mm;
  spec.colouring = options.colouring;
  spec.quarter_turns = options.quarter_turns;
  spec.mirrored = options.mirrored;
  if (options.reticle_grid && product.reticle_columns * product.reticle_rows > 1) {
    spec.reticle_columns = product.reticle_columns;
    spec.reticle_rows = product.reticle_rows;
    spec.reticle_origin = product.reticle_origin;
  }
  for (const Inspection& inspection : data.inspections) {
    if (!(inspection.die_pitch_x_um > 0) || !(inspection.die_pitch_y_um > 0)) continue;
    if (!(spec.die_width_um > 0)) spec.die_width_um = inspection.die_pitch_x_um;
    if (!(spec.die_height_um > 0)) spec.die_height_um = inspection.die_pitch_y_um;
    spec.centre_x_um = inspection.sample_center_x_um;
    spec.centre_y_um = inspection.sample_center_y_um;
    break;
  }
  return spec;
}

void add_outcomes(const OpenedFab& fab, WaferId wafer, const Selection& selection,
                  charts::WaferMapSpec& spec) {
  const std::string label = fab.data().wafer_label(wafer);
  for (const DieOutcome& o : fab.outcomes_of(wafer)) {
    spec.dies.push_back({.die = o.die,
                         .bin = o.hard_bin,
                         .pass = o.pass,
                         .selected = selection.dies.contains({label, o.die})});
  }
  spec.isolated_bins.assign(selection.bins.begin(), selection.bins.end());
}

/// Die that were inspected but never tested are on the wafer too, without a result.
void add_untested(const OpenedFab& fab, WaferId wafer, charts::WaferMapSpec& spec) {
  std::set<DieIndex> known;
  for (const charts::MapDie& die : spec.dies) known.insert(die.die);
  for (const Inspection& inspection : fab.data().inspections) {
    if (inspection.wafer != wafer) continue;
    for (const DieIndex die : inspection.inspected) {
      if (!known.insert(die).second) continue;
      spec.dies.push_back({.die = die, .n = 0, .state = charts::DieState::kNoData});
    }
  }
}

void add_defects(const OpenedFab& fab, WaferId wafer, const Selection& selection, MapChart& chart) {
  const FabData& data = fab.data();
  for (const Defect& defect : data.defects) {
    if (defect.wafer != wafer || defect.inspection >= data.inspections.size()) continue;
    const Inspection& inspection = data.inspections[defect.inspection];
    if (!(inspection.die_pitch_x_um > 0)) continue;
    const DefectKey key{inspection.id, defect.defect_id};
    chart.spec.defects.push_back({.x_um = defect.die.x * inspection.die_pitch_x_um + defect.x_um -
                                          inspection.sample_center_x_um,
                                  .y_um = defect.die.y * inspection.die_pitch_y_um + defect.y_um -
                                          inspection.sample_center_y_um,
                                  .size_um = defect.size_um,
                                  .category = defect.class_number,
                                  .selected = selection.defects.contains(key)});
    chart.defects.push_back(key);
  }
}

std::int64_t unplaced_on(const FabData& data, WaferId wafer) {
  return std::ranges::count_if(data.die_results, [&](const DieResult& r) {
    return r.wafer == wafer && r.final_result && !has_place(r.die);
  });
}

std::string yield_text(const yield::WaferYield& y) {
  return "final yield " + format_percent(y.final.yield()) + " of " + format_count(y.final.tested) +
         " die, first pass " + format_percent(y.first_pass.yield());
}

bool has_bin(const OpenedFab& fab, WaferId wafer, const std::set<int>& bins) {
  if (bins.empty()) return true;
  return std::ranges::any_of(fab.outcomes_of(wafer),
                             [&](const DieOutcome& o) { return bins.contains(o.hard_bin); });
}

std::vector<WaferId> ordered_wafers(const OpenedFab& fab, GalleryOrder order) {
  std::vector<WaferId> wafers;
  for (std::uint32_t w = 0; w < fab.data().wafers.size(); ++w) wafers.emplace_back(w);
  const auto& data = fab.data();
  if (order == GalleryOrder::kLowestYield) {
    std::ranges::stable_sort(wafers, {}, [&](WaferId w) {
      const auto* y = fab.yield_of(w);
      return y == nullptr ? 2.0 : y->final.yield();  // Untested wafers come last.
    });
  } else {
    std::ranges::stable_sort(wafers, {}, [&](WaferId w) {
      const Wafer& wafer = data.wafers[w.raw()];
      return std::pair(std::string_view(data.names[wafer.lot]), wafer.slot);
    });
  }
  return wafers;
}

void add_point(const yield::YieldCount& count, std::string label, std::set<std::string> wafers,
               const Selection& selection, TrendChart& chart) {
  const Interval ci =
      stats::wilson_interval(static_cast<double>(count.good), static_cast<double>(count.tested));
  const bool selected = std::ranges::any_of(
      wafers, [&](const std::string& wafer) { return selection.wafers.contains(wafer); });
  chart.spec.points.push_back({.label = std::move(label),
                               .value = count.yield(),
                               .low = ci.low,
                               .high = ci.high,
                               .n = count.tested,
                               .selected = selected});
  chart.wafers.push_back(std::move(wafers));
}

}  // namespace

MapChart wafer_map(const OpenedFab& fab, WaferId wafer, const Selection& selection,
                   const MapOptions& options) {
  MapChart chart{
      .spec = frame_of(fab.data(), options), .wafer = fab.data().wafer_label(wafer), .defects = {}};
  add_outcomes(fab, wafer, selection, chart.spec);
  add_untested(fab, wafer, chart.spec);
  if (options.defects) add_defects(fab, wafer, selection, chart);
  chart.spec.title = chart.wafer;
  const auto* y = fab.yield_of(wafer);
  chart.spec.subtitle = y == nullptr ? "not tested" : yield_text(*y);
  chart.spec.unpositioned = unplaced_on(fab.data(), wafer);
  chart.spec.show_legend = false;  // The window has one legend for maps and gallery.
  return chart;
}

GalleryChart wafer_gallery(const OpenedFab& fab, const Selection& selection, GalleryOrder order,
                           const MapOptions& options) {
  GalleryChart chart;
  chart.spec.common = frame_of(fab.data(), options);
  chart.spec.common.isolated_bins.assign(selection.bins.begin(), selection.bins.end());
  for (const WaferId wafer : ordered_wafers(fab, order)) {
    if (!has_bin(fab, wafer, selection.bins)) {
      ++chart.hidden;
      continue;
    }
    charts::WaferMapSpec map = frame_of(fab.data(), options);
    add_outcomes(fab, wafer, {}, map);
    if (map.dies.empty()) add_untested(fab, wafer, map);
    map.title = fab.data().wafer_label(wafer);
    const auto* y = fab.yield_of(wafer);
    map.subtitle = y == nullptr ? "not tested" : format_percent(y->final.yield());
    if (selection.wafers.contains(map.title)) chart.spec.selected.push_back(chart.wafers.size());
    chart.wafers.push_back(map.title);
    chart.spec.maps.push_back(std::move(map));
  }
  return chart;
}

ParetoChart bin_pareto(const OpenedFab& fab, const Selection& selection) {
  ParetoChart chart;
  chart.spec.title = selection.wafers.empty()
                         ? "Failing hard bins, all wafers"
                         : "Failing hard bins, " +
                               format_count(static_cast<std::int64_t>(selection.wafers.size())) +
                               " selected wafers";
  chart.spec.y_title = "die, final result";
  std::map<int, std::int64_t> counts;
  for (const DieOutcome& o : fab.outcomes) {
    if (o.pass) continue;
    if (!selection.wafers.empty() && !selection.wafers.contains(fab.data().wafer_label(o.wafer))) {
      continue;
    }
    ++counts[o.hard_bin];
  }
  for (const auto& [bin, count] : counts) {
    chart.spec.bars.push_back({.label = "bin " + std::to_string(bin),
                               .count = static_cast<double>(count),
                               .colour = charts::bin_colour(bin, false),
                               .selected = selection.bins.contains(bin)});
    chart.bins.push_back(bin);
  }
  return chart;
}

TrendChart yield_trend(const OpenedFab& fab, const Selection& selection) {
  TrendChart chart;
  chart.spec.y_title = "final yield";
  chart.spec.percent = true;
  if (!fab.yields) return chart;
  const FabData& data = fab.data();
  chart.spec.baseline = fab.yields->final.yield();
  chart.spec.baseline_low = fab.yields->final_ci.low;
  chart.spec.baseline_high = fab.yields->final_ci.high;
  chart.spec.baseline_title = "die-weighted yield of the scope";
  if (fab.yields->lots.size() > 1) {
    chart.spec.title = "Final yield by lot, die-weighted";
    chart.spec.x_title = "lot; whiskers: 95 % interval of the binomial";
    std::map<NameId, std::set<std::string>> wafers;
    for (const yield::WaferYield& y : fab.yields->wafers) {
      wafers[data.wafers[y.wafer.raw()].lot].insert(data.wafer_label(y.wafer));
    }
    for (const yield::LotYield& lot : fab.yields->lots) {
      add_point(lot.final, data.names[lot.lot], wafers[lot.lot], selection, chart);
    }
    return chart;
  }
  chart.spec.title = "Final yield by wafer";
  chart.spec.x_title = "wafer; whiskers: 95 % interval of the binomial";
  for (const yield::WaferYield& y : fab.yields->wafers) {
    const std::string label = data.wafer_label(y.wafer);
    add_point(y.final, label, {label}, selection, chart);
  }
  return chart;
}

std::vector<LegendItem> bin_legend(const OpenedFab& fab, const MapOptions& options) {
  std::vector<LegendItem> items;
  if (options.colouring == charts::DieColouring::kPassFail) {
    items = {{"pass", charts::kPassColour}, {"fail", charts::kFailColour}};
  } else if (fab.yields) {
    auto bins = fab.yields->hard_bins;
    std::ranges::stable_sort(bins, [](const yield::BinShare& a, const yield::BinShare& b) {
      return std::pair(!a.pass, -a.die) < std::pair(!b.pass, -b.die);
    });
    for (const yield::BinShare& bin : bins) {
      if (items.size() == kLegendBins) {
        items.push_back({"and " + std::to_string(bins.size() - kLegendBins) + " more bins", 0});
        break;
      }
      items.push_back({"bin " + std::to_string(bin.bin) + (bin.pass ? " pass" : ""),
                       charts::bin_colour(bin.bin, bin.pass)});
    }
  }
  items.push_back({"no result", charts::light_theme().no_data});
  return items;
}

}  // namespace yieldloop::viewmodel

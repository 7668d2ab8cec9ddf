#include <algorithm>
#include <cmath>
#include <memory>

#include "engine/core/number_text.h"
#include "gui/charts/bar_charts.h"
#include "gui/charts/layout_clip.h"
#include "gui/charts/palette.h"
#include "gui/charts/point_charts.h"
#include "gui/charts/wafer_gallery.h"
#include "gui/report/report_document.h"

namespace yieldloop::gui_report {
namespace {

using report::ReportContent;

constexpr int kWidth = 720;

template <class Spec>
ReportChart chart(Spec spec, charts::ChartSize size, const std::string& alt, bool vector = true) {
  auto shared = std::make_shared<const Spec>(std::move(spec));
  return {.alt = alt,
          .size = size,
          .vector = vector,
          .paint = [shared](QPainter& painter, const QRectF& rect, const charts::Theme& theme) {
            charts::paint(painter, rect, *shared, theme);
          }};
}

charts::WaferMapSpec map_frame(const ReportContent& content) {
  const report::ReportGeometry& g = content.geometry;
  charts::WaferMapSpec map;
  map.die_width_um = g.die_width_um;
  map.die_height_um = g.die_height_um;
  map.centre_x_um = g.centre_x_um;
  map.centre_y_um = g.centre_y_um;
  map.wafer_diameter_mm = g.wafer_diameter_mm;
  map.edge_exclusion_mm = g.edge_exclusion_mm;
  map.colouring = charts::DieColouring::kBin;
  return map;
}

charts::WaferMapSpec wafer_map(const ReportContent& content, const report::ReportMap& source) {
  charts::WaferMapSpec map = map_frame(content);
  map.title = source.label;
  map.subtitle = format_percent(source.final_yield);
  for (const report::MapResult& die : source.dies) {
    map.dies.push_back({.die = die.die, .bin = die.bin, .pass = die.pass});
  }
  return map;
}

charts::WaferMapSpec stack_map(const ReportContent& content,
                               const std::vector<report::StackedDie>& dies,
                               const std::string& title, double low) {
  charts::WaferMapSpec map = map_frame(content);
  map.title = title;
  map.colouring = charts::DieColouring::kRate;
  map.scale = {.low = low, .high = 1.0, .percent = true, .title = "pass rate"};
  map.show_labels = false;
  map.reticle_columns = content.geometry.reticle_columns;
  map.reticle_rows = content.geometry.reticle_rows;
  map.reticle_origin = content.geometry.reticle_origin;
  std::int64_t most = 0;
  for (const report::StackedDie& die : dies) {
    most = std::max(most, die.n);
    map.dies.push_back({.die = die.die,
                        .value = static_cast<double>(die.good) / static_cast<double>(die.n),
                        .n = die.n});
  }
  map.subtitle = "up to " + format_count(most) + " wafers a die";
  return map;
}

double lowest_rate(const std::vector<report::StackedDie>& dies) {
  double lowest = 1.0;
  for (const report::StackedDie& die : dies) {
    lowest = std::min(lowest, static_cast<double>(die.good) / static_cast<double>(die.n));
  }
  return std::floor(lowest * 10) / 10;
}

charts::WaferGallerySpec gallery(const ReportContent& content,
                                 const std::vector<const report::ReportMap*>& maps,
                                 const std::string& title) {
  charts::WaferGallerySpec spec;
  spec.title = title;
  spec.common.colouring = charts::DieColouring::kBin;
  for (const report::ReportMap* map : maps) spec.maps.push_back(wafer_map(content, *map));
  return spec;
}

const std::string& value_or(const std::map<std::string, std::string>& map, const char* key) {
  static const std::string empty;
  const auto it = map.find(key);
  return it == map.end() ? empty : it->second;
}

}  // namespace

std::string subject_text(const Finding& finding) {
  std::string text;
  for (const char* key : {"tool", "chamber"}) {
    const std::string& value = value_or(finding.subject, key);
    if (!value.empty()) text += (text.empty() ? "" : "/") + value;
  }
  for (const auto& [key, value] : finding.subject) {
    if (key == "tool" || key == "chamber" || key == "step" || key == "from" || key == "to")
      continue;
    if (!value.empty()) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", key, value);
  }
  const std::string& step = value_or(finding.subject, "step");
  if (!step.empty()) text += (text.empty() ? "" : " at ") + step;
  return text.empty() ? finding.kind : text;
}

void add_trend_chart(const ReportContent& content, std::vector<Block>& blocks) {
  if (content.trend.empty()) return;
  charts::TrendSpec spec;
  spec.title = "Final yield by lot, die-weighted";
  spec.y_title = "final yield";
  spec.x_title = "lot, in order of last test; whiskers: 95 % interval";
  spec.percent = true;
  spec.baseline = content.centre;
  spec.baseline_low = content.lower_limit;
  spec.baseline_high = content.upper_limit;
  spec.band_title = "control limits";
  spec.baseline_title = "median of the reference lots";
  for (const report::LotRow& row : content.trend) {
    spec.points.push_back({.label = row.lot,
                           .value = row.final_yield,
                           .low = row.final_ci.low,
                           .high = row.final_ci.high,
                           .n = row.tested,
                           .excursion = row.excursion});
  }
  blocks.push_back(chart(std::move(spec), {kWidth, 300},
                         "Trend of the final yield over " +
                             format_count(static_cast<std::int64_t>(content.trend.size())) +
                             " lots; the lots table holds the figures."));
}

void add_map_charts(const ReportContent& content, std::vector<Block>& blocks) {
  if (!content.stack.empty()) {
    blocks.push_back(
        chart(stack_map(content, content.stack, "All wafers stacked", lowest_rate(content.stack)),
              {520, 400}, "Pass rate of each die place over all wafers.", false));
  }
  std::vector<const report::ReportMap*> maps;
  for (const report::ReportMap& map : content.maps) maps.push_back(&map);
  if (maps.empty()) return;
  const int rows = static_cast<int>((maps.size() + 6) / 7);
  auto spec = gallery(content, maps, "Wafers by hard bin, lowest yield first");
  spec.columns = 7;
  blocks.push_back(chart(std::move(spec), {kWidth, 90 + rows * 128},
                         "Wafer maps by hard bin of " +
                             format_count(static_cast<std::int64_t>(maps.size())) +
                             " wafers, lowest yield first.",
                         false));
}

void add_excursion_chart(const ReportContent& content, const report::Excursion& excursion,
                         std::vector<Block>& blocks) {
  std::vector<const report::ReportMap*> maps;
  for (const report::ReportMap& map : content.maps) {
    if (std::ranges::find(excursion.maps, map.label) != excursion.maps.end()) maps.push_back(&map);
  }
  if (maps.empty()) return;
  auto spec = gallery(content, maps, "Lowest wafers, lot " + excursion.first_lot);
  spec.columns = 4;
  blocks.push_back(chart(std::move(spec), {560, 222},
                         "Maps of the wafers with the lowest yield of " + excursion.subject + ".",
                         false));
}

void add_driver_chart(const ReportContent& content, const report::LossDriver& driver,
                      std::vector<Block>& blocks) {
  if (driver.affected.empty() || driver.others.empty()) return;
  const double low = std::min(lowest_rate(driver.affected), lowest_rate(driver.others));
  charts::WaferGallerySpec spec;
  spec.common.colouring = charts::DieColouring::kRate;
  spec.common.scale = {.low = low, .high = 1.0, .percent = true, .title = "pass rate"};
  spec.maps = {stack_map(content, driver.affected, "wafers that met it", low),
               stack_map(content, driver.others, "all other wafers", low)};
  blocks.push_back(chart(std::move(spec), {460, 290},
                         "Pass rate by die place: wafers that met the cause beside all others.",
                         false));
}

void add_bin_chart(const ReportContent& content, std::vector<Block>& blocks) {
  if (content.bins.empty()) return;
  charts::ParetoSpec spec;
  spec.title = "Failing hard bins, final results";
  for (const report::BinRow& row : content.bins) {
    std::string label = "bin " + std::to_string(row.bin);
    if (!row.name.empty()) label += " " + row.name;
    spec.bars.push_back({.label = std::move(label),
                         .count = static_cast<double>(row.die),
                         .baseline = row.expected,
                         .colour = charts::bin_colour(row.bin, false)});
  }
  blocks.push_back(chart(std::move(spec), {kWidth, 320},
                         "Pareto of failing bins with cumulative share; the table below holds "
                         "the figures."));
}

void add_suspect_chart(const ReportContent& content, std::vector<Block>& blocks) {
  if (content.suspects.empty()) return;
  charts::ForestSpec spec;
  spec.title = "Effect of each suspect";
  spec.x_title = "change of good die per wafer, with 95 % interval";
  for (const Finding& finding : content.suspects) {
    spec.rows.push_back({.label = subject_text(finding),
                         .effect = finding.die_per_wafer,
                         .low = finding.die_per_wafer_ci.low,
                         .high = finding.die_per_wafer_ci.high,
                         .n = static_cast<std::int64_t>(finding.wafers.size()),
                         .q_value = finding.q_value});
  }
  const int rows = static_cast<int>(std::min<std::size_t>(spec.rows.size(), spec.max_rows));
  blocks.push_back(chart(std::move(spec), {kWidth, 96 + rows * 30},
                         "Effects with intervals of the suspects; the table holds the figures."));
}

void add_density_chart(const ReportContent& content, std::vector<Block>& blocks) {
  if (content.density.empty()) return;
  charts::ForestSpec spec;
  spec.title = "Defect density by inspection";
  spec.x_title = "defects per cm\u00b2, with 95 % interval";
  spec.q_column = false;
  spec.n_title = "inspections";
  for (const report::DensityRow& row : content.density) {
    std::string label = row.step;
    if (!row.layers.empty()) label += " (" + row.layers + ")";
    spec.rows.push_back({.label = std::move(label),
                         .effect = row.density_per_cm2,
                         .low = row.density_ci.low,
                         .high = row.density_ci.high,
                         .n = row.inspections});
  }
  const int rows = static_cast<int>(std::min<std::size_t>(spec.rows.size(), spec.max_rows));
  blocks.push_back(chart(std::move(spec), {kWidth, 96 + rows * 30},
                         "Defect density of each inspection step; the table holds the figures."));
}

void add_clip_chart(const report::Hotspot& hotspot, std::vector<Block>& blocks) {
  if (!hotspot.clip) return;
  charts::LayoutClipSpec spec;
  const LayoutLocation& place = hotspot.clip->place;
  spec.title = place.layer + " at (" + format_number(place.x_um, 7) + ", " +
               format_number(place.y_um, 7) + ") \u00b5m";
  std::size_t index = 0;
  for (const auto& [name, shapes] : hotspot.clip->layers) {
    charts::ClipLayer layer{.name = name, .colour_index = index++};
    for (const report::ClipShape& shape : shapes) {
      std::vector<charts::ClipPoint> polygon;
      for (const auto& [x, y] : shape.points) polygon.push_back({x, y});
      layer.polygons.push_back(std::move(polygon));
    }
    spec.layers.push_back(std::move(layer));
  }
  spec.markers.push_back({.box = {place.x_um, place.y_um, place.w_um, place.h_um}});
  blocks.push_back(chart(std::move(spec), {360, 300},
                         "Layout around a location of: " + hotspot.finding.statement));
}

}  // namespace yieldloop::gui_report

/// \file
/// A fab made by hand: two lots, 25 wafers of 37 die, two findings, a layout of two layers.
#pragma once

#include <QApplication>

#include "engine/layout/layout_builder.h"
#include "gui/viewmodel/opened_fab.h"

namespace yieldloop::test {

/// Widgets need one application, made before the first and kept.
inline QApplication& application() {
  static int argc = 1;
  static char name[] = "test_desktop";
  static char* argv[] = {name, nullptr};
  static auto* application = new QApplication(argc, argv);  // Outlives every static.
  return *application;
}

inline constexpr int kWafers = 25;
inline constexpr int kDiePerWafer = 37;  ///< Places of a 7 x 7 grid inside a circle.

inline std::shared_ptr<const layout::Layout> sample_layout() {
  layout::LayoutBuilder builder(0.001);
  const auto top = builder.add_cell("TOP");
  const auto wire = builder.add_cell("WIRE");
  builder.add_box(wire, {10, 0}, {0, 0, 200, 2000});
  builder.add_box(top, {20, 0}, {0, 0, 10'000'000, 10'000'000});
  const layout::Point32 triangle[] = {{2'000'000, 0}, {3'000'000, 0}, {2'500'000, 1'000'000}};
  builder.add_polygon(top, {10, 0}, triangle);
  layout::Instance array;
  array.cell = wire;
  array.displacement = {1'000'000, 5'000'000};
  array.columns = 1000;
  array.rows = 100;
  array.column_step = {400, 0};
  array.row_step = {0, 2400};
  builder.add_instance(top, array);
  auto layout = builder.build();
  if (!layout) return nullptr;
  return std::make_shared<const layout::Layout>(std::move(layout).value());
}

inline void add_wafer(FabData& data, const char* lot, int number) {
  const auto id =
      data.names.intern("W" + std::string(number < 10 ? "0" : "") + std::to_string(number));
  const WaferId wafer{static_cast<std::uint32_t>(data.wafers.size())};
  data.wafers.push_back({data.names.intern(lot), id, number});
  int k = 0;
  for (int y = -3; y <= 3; ++y) {
    for (int x = -3; x <= 3; ++x) {
      if (x * x + y * y > 11) continue;
      // The k-th die of wafer n fails when (k + n) is a multiple of 5; bins 5 and 6 in turn.
      const bool fail = (k++ + number) % 5 == 0;
      const int bin = !fail ? 1 : number % 2 == 0 ? 5 : 6;
      data.die_results.push_back(
          {.wafer = wafer,
           .die = {static_cast<std::int16_t>(x), static_cast<std::int16_t>(y)},
           .hard_bin = bin,
           .soft_bin = bin,
           .pass = !fail,
           .first_pass = true,
           .final_result = true});
    }
  }
}

inline FabData sample_data() {
  FabData data;
  data.product.name = "chip";
  data.product.die_width_um = data.product.die_height_um = 10'000.0;
  data.product.wafer_diameter_mm = 100;
  data.product.pass_hard_bins = {1};
  data.product.layout_file = "chip.gds";
  data.product.top_cell = "TOP";
  data.product.layers = {{.name = "M1", .gds_layer = 10}, {.name = "M2", .gds_layer = 20}};
  data.product.inspections = {{.step = "M1_INSP", .layers = {"M1"}}};
  for (int w = 1; w <= kWafers; ++w) add_wafer(data, w <= 13 ? "L1" : "L2", w);
  for (std::uint32_t w = 0; w < 2; ++w) {
    data.inspections.push_back({.id = "I" + std::to_string(w),
                                .wafer = WaferId{w},
                                .step = data.names.intern("M1_INSP"),
                                .die_pitch_x_um = 10'000.0,
                                .die_pitch_y_um = 10'000.0,
                                .sample_center_x_um = 5'000.0,
                                .sample_center_y_um = 5'000.0});
    // One at the pattern of the finding, one elsewhere.
    data.defects.push_back({.inspection = w,
                            .wafer = WaferId{w},
                            .die = {0, 0},
                            .x_um = 1000.5,
                            .y_um = 5001.0,
                            .size_um = 0.3,
                            .defect_id = 1});
    data.defects.push_back({.inspection = w,
                            .wafer = WaferId{w},
                            .die = {1, 2},
                            .x_um = 8000.0,
                            .y_um = 8000.0,
                            .size_um = 0.2,
                            .defect_id = 2});
  }
  return data;
}

inline std::vector<Finding> sample_findings() {
  Finding pattern;
  pattern.rank = 1;
  pattern.id = "f-000000000001";
  pattern.kind = "layout_pattern";
  pattern.subject = {{"layer", "M1"}, {"pattern_id", "p-01"}};
  pattern.statement = "Lines <0.2 um> apart bridge.";
  pattern.wafers = {"L1/W01", "L1/W02"};
  pattern.locations = {{"M1", 1000.0, 5000.0, 0.6, 2.0}, {"M1", 1200.0, 5100.0, 0.6, 2.0}};
  pattern.locations_total = 2;
  pattern.rate_ratio = 9.0;
  pattern.rate_ratio_ci = {5.0, 16.0};
  pattern.evidence = {{.analysis = "case_control",
                       .test = "Fisher's exact test",
                       .n = {40, 400},
                       .p_value = 1e-9,
                       .detail = {}}};
  Finding chamber;
  chamber.rank = 2;
  chamber.id = "f-000000000002";
  chamber.kind = "chamber";
  chamber.subject = {{"tool", "ETCH02"}, {"chamber", "B"}};
  chamber.statement = "Chamber B of ETCH02 loses die.";
  chamber.wafers = {"L2/W14", "L2/W15", "L2/W16"};
  return {pattern, chamber};
}

inline session::Analysis sample_analysis() {
  session::Analysis analysis;
  analysis.fab.data = sample_data();
  analysis.layout = sample_layout();
  analysis.findings.product = "chip";
  analysis.findings.findings = sample_findings();
  return analysis;
}

inline viewmodel::FabPointer sample_fab() { return viewmodel::prepare(sample_analysis(), "run-1"); }

}  // namespace yieldloop::test

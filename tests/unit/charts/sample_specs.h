/// \file
/// Specs with known content, shared by the chart tests.
#pragma once

#include <cmath>
#include <string>

#include "gui/charts/bar_charts.h"
#include "gui/charts/distribution_charts.h"
#include "gui/charts/layout_clip.h"
#include "gui/charts/palette.h"
#include "gui/charts/point_charts.h"
#include "gui/charts/wafer_gallery.h"
#include "gui/charts/wafer_map.h"

namespace yieldloop::charts::test {

/// A 300 mm wafer of 12 x 10 mm dies: an edge ring fails with bin 5, every 17th die with bin 3.
inline WaferMapSpec edge_wafer(const std::string& title = "L012/W03") {
  WaferMapSpec spec;
  spec.title = title;
  spec.subtitle = "final yield of the drawn dies";
  spec.die_width_um = 12'000;
  spec.die_height_um = 10'000;
  spec.centre_x_um = 6'000;
  spec.centre_y_um = 5'000;
  spec.edge_exclusion_mm = 3;
  spec.colouring = DieColouring::kBin;
  int count = 0;
  for (int y = -15; y <= 15; ++y) {
    for (int x = -13; x <= 13; ++x) {
      const double far = std::hypot((std::abs(x) + 0.5) * 12.0, (std::abs(y) + 0.5) * 10.0);
      if (far > 147) continue;
      MapDie die{.die = {static_cast<std::int16_t>(x), static_cast<std::int16_t>(y)}};
      const double r = std::hypot(x * 12.0, y * 10.0);
      die.pass = r < 122 || (x + y) % 3 != 0;
      die.bin = die.pass ? 1 : 5;
      if (++count % 17 == 0) die.pass = false, die.bin = 3;
      die.value = 1.0 - r / 300.0;
      spec.dies.push_back(die);
    }
  }
  return spec;
}

inline int index_of(const WaferMapSpec& spec, DieIndex die) {
  for (std::size_t i = 0; i < spec.dies.size(); ++i) {
    if (spec.dies[i].die == die) return static_cast<int>(i);
  }
  return -1;
}

inline WaferGallerySpec lot_gallery() {
  WaferGallerySpec gallery;
  gallery.title = "Lot L012, 25 wafers";
  gallery.common.colouring = DieColouring::kValue;
  for (int i = 1; i <= 25; ++i) {
    WaferMapSpec map = edge_wafer("W" + std::string(i < 10 ? "0" : "") + std::to_string(i));
    map.subtitle = "91.3 %";
    for (MapDie& die : map.dies) die.value += i * 0.01;
    gallery.maps.push_back(map);
  }
  gallery.common.scale = shared_scale(gallery);
  gallery.common.scale.title = "leakage, µA";
  return gallery;
}

inline ParetoSpec bin_pareto() {
  ParetoSpec spec;
  spec.title = "Failing bins, final results";
  const char* names[] = {"5 M1 short",       "3 continuity", "7 IDDQ", "9 speed",   "12 scan chain",
                         "4 leakage",        "8 memory",     "10 PLL", "11 ADC",    "14 USB",
                         "15 thermal diode", "16 OTP",       "17 DAC", "18 IO cell"};
  double count = 412;
  int bin = 2;
  for (const char* name : names) {
    spec.bars.push_back({name, std::round(count), count * 0.6, bin_colour(bin++, false)});
    count *= 0.7;
  }
  return spec;
}

inline TrendSpec yield_trend() {
  TrendSpec spec;
  spec.title = "Final yield by lot";
  spec.y_title = "die-weighted yield";
  spec.x_title = "lot, in order of test";
  spec.percent = true;
  spec.baseline = 0.913;
  spec.baseline_low = 0.905;
  spec.baseline_high = 0.921;
  for (int i = 0; i < 24; ++i) {
    const double y = 0.913 + 0.012 * std::sin(i * 1.7) - (i > 18 ? 0.06 : 0);
    spec.points.push_back({"L" + std::to_string(100 + i), y, y - 0.012, y + 0.012, 10'000, i > 18});
  }
  spec.points[5].selected = true;
  return spec;
}

inline ForestSpec tool_forest() {
  ForestSpec spec;
  spec.title = "M1_ETCH: good die per wafer by chamber";
  spec.x_title = "change of good die per wafer, 95 % interval";
  spec.rows = {{"ETCH02 / B", -24.4, -27.0, -21.9, 110, 1.2e-19},
               {"ETCH01 / A", 1.2, -2.0, 4.4, 322, 0.61},
               {"ETCH01 / B with a rather long name", 2.2, -1.1, 5.4, 301, 0.31},
               {"ETCH03 / A", -6.0, -22.0, 10.0, 4, 0.8, true}};
  return spec;
}

inline LayoutClipSpec bridge_clip() {
  LayoutClipSpec spec;
  spec.title = "p-07 at (1204.2, 883.1) µm";
  ClipLayer metal{.name = "M1", .colour_index = 1};
  for (int i = 0; i < 6; ++i) {
    const double y = i * 0.14;
    metal.polygons.push_back({{0, y}, {2, y}, {2, y + 0.07}, {0, y + 0.07}});
  }
  metal.polygons.push_back({{0.9, 0.35}, {1.1, 0.35}, {1.1, 0.40}, {0.9, 0.40}});
  ClipLayer via{.name = "VIA1",
                .polygons = {{{0.3, 0.15}, {0.36, 0.15}, {0.36, 0.21}, {0.3, 0.21}}},
                .colour_index = 5};
  spec.layers = {metal, via};
  spec.markers = {{{0.88, 0.33, 0.24, 0.10}, "space 50 nm", false}, {{1.5, 0.2, 0, 0}, "", false}};
  return spec;
}

}  // namespace yieldloop::charts::test

/// \file
/// Light and dark dress of every chart: colours of paper and ink, type sizes. Colours that carry
/// meaning (bins, layers, scales) are in palette.h and are the same in both themes.
#pragma once

#include <cstdint>
#include <string>

namespace yieldloop::charts {

/// 0xAARRGGBB, as QRgb, so that `QColor(rgb)` takes it.
using Rgb = std::uint32_t;

struct Theme {
  bool dark = false;
  Rgb background = 0xffffffff;  ///< Behind the chart; every paint() fills its rectangle with it.
  Rgb panel = 0xfff6f7f8;       ///< Plot area and wafer body.
  Rgb text = 0xff1b1f24;
  Rgb muted = 0xff57606a;  ///< Second-rank text: axis titles, notes.
  Rgb grid = 0xffdfe3e8;
  Rgb axis = 0xff8c959f;
  Rgb no_data = 0xffc8c8c8;       ///< Not tested: never a fail colour.
  Rgb accent = 0xff0072b2;        ///< Data of one series.
  Rgb alert = 0xffd55e00;         ///< Excursions, losses.
  Rgb select_inner = 0xffffffff;  ///< Selection outline is drawn black and white, so that it
  Rgb select_outer = 0xff000000;  ///< shows on every colour.
  std::string font_family = "DejaVu Sans";
  double title_px = 14.0;
  double text_px = 11.0;
  double small_px = 9.5;  ///< The smallest text ever drawn, apart from die labels.
};

const Theme& light_theme();
const Theme& dark_theme();

}  // namespace yieldloop::charts

#include "gui/charts/theme.h"

namespace yieldloop::charts {

const Theme& light_theme() {
  static const Theme theme;
  return theme;
}

const Theme& dark_theme() {
  static const Theme theme{.dark = true,
                           .background = 0xff14181d,
                           .panel = 0xff1d232a,
                           .text = 0xffe8ebee,
                           .muted = 0xffa3adb8,
                           .grid = 0xff2f3740,
                           .axis = 0xff76808b,
                           .no_data = 0xff5a5f66,
                           .accent = 0xff56b4e9,
                           .alert = 0xfff08030};
  return theme;
}

}  // namespace yieldloop::charts

#include "gui/charts/palette.h"

#include <vector>

#include "catch_portable.h"
#include "colour_vision.h"

using namespace yieldloop::charts;
using namespace yieldloop::charts::test;

TEST_CASE("palette: the simulation knows that red and green are alike to a deutan eye",
          "[charts][palette]") {
  // The traditional pair: far apart for normal sight, close for deutan sight.
  CHECK(difference(0xff4caf50, 0xfff44336, kNormal) > 100);
  CHECK(difference(0xff4caf50, 0xfff44336, kDeutan) < 20);
  CHECK(difference(0xff123456, 0xff123456, kProtan) == 0);
}

TEST_CASE("palette: pass, fail and no data differ for every sight", "[charts][palette]") {
  for (const Theme* theme : {&light_theme(), &dark_theme()}) {
    CHECK(least_difference(kPassColour, kFailColour) >= 15);
    CHECK(least_difference(kPassColour, theme->no_data) >= 15);
    CHECK(least_difference(kFailColour, theme->no_data) >= 15);
    CHECK(least_difference(theme->text, theme->background) >= 60);
    CHECK(least_difference(theme->muted, theme->background) >= 40);
  }
}

TEST_CASE("palette: the first eight failing bins differ from each other and from passing ones",
          "[charts][palette]") {
  std::vector<Rgb> colours;
  for (int bin = 2; bin <= 9; ++bin) colours.push_back(bin_colour(bin, false));
  for (int bin = 1; bin <= 3; ++bin) colours.push_back(bin_colour(bin, true));
  for (std::size_t i = 0; i < colours.size(); ++i) {
    for (std::size_t j = i + 1; j < colours.size(); ++j) {
      CAPTURE(i, j);
      CHECK(least_difference(colours[i], colours[j]) >= 15);
    }
    CHECK(least_difference(colours[i], light_theme().no_data) >= 15);
    CHECK(least_difference(colours[i], dark_theme().no_data) >= 15);
  }
}

TEST_CASE("palette: passing bins are blue and failing ones never are", "[charts][palette]") {
  const auto blue = [](Rgb c) {
    const Rgb r = c >> 16 & 0xffU, g = c >> 8 & 0xffU, b = c & 0xffU;
    return b > r && b > g;
  };
  for (int bin = -3; bin <= 70'000; bin = bin < 40 ? bin + 1 : bin * 3) {
    CAPTURE(bin);
    CHECK(blue(bin_colour(bin, true)));
    const Rgb fail = bin_colour(bin, false);
    const Rgb r = fail >> 16 & 0xffU, b = fail & 0xffU;
    CHECK(b < r + 0x30U);  // Purples lean to red; none is blue.
    CHECK(bin_colour(bin, false) == fail);
  }
}

TEST_CASE("palette: scales end where they should and take any number", "[charts][palette]") {
  CHECK(viridis(0) == 0xff440154);
  CHECK(viridis(1) == 0xfffde725);
  CHECK(viridis(-5) == viridis(0));
  CHECK(viridis(7) == viridis(1));
  CHECK(viridis(std::nan("")) == light_theme().no_data);
  CHECK(diverging(0.5) == 0xfff2f2f0);
  CHECK(blend(0xff000000, 0xffffffff, 1) == 0xffffffff);
  CHECK(ink_on(0xffffffff) == 0xff000000);
  CHECK(ink_on(0xff440154) == 0xffffffff);
}

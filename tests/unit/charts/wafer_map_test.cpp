#include "gui/charts/wafer_map.h"

#include <QImage>
#include <QPointF>
#include <QPolygonF>
#include <QRectF>

#include "catch_portable.h"
#include "gui/charts/render.h"
#include "sample_specs.h"

using namespace yieldloop;
using namespace yieldloop::charts;
using namespace yieldloop::charts::test;

namespace {

constexpr ChartSize kSize{600, 500};
const QRectF kRect(0, 0, 600, 500);

QImage drawn(const WaferMapSpec& spec, const Theme& theme = light_theme()) {
  return paint_image(painter_of(spec, theme), kSize, 1.0);
}

/// Away from the middle, where the origin ring or a label may lie.
Rgb pixel_of(const QImage& image, const QRectF& die) {
  return image.pixel(static_cast<int>(die.left() + die.width() * 0.25),
                     static_cast<int>(die.top() + die.height() * 0.75));
}

WaferMapSpec plain_wafer() {
  ensure_gui_application();
  WaferMapSpec spec = edge_wafer();
  spec.show_labels = false;
  return spec;
}

}  // namespace

TEST_CASE("wafer map: every die is painted in its colour at its place", "[charts][wafer_map]") {
  const auto turns = GENERATE(0, 1, 2, 3);
  const auto mirrored = GENERATE(false, true);
  CAPTURE(turns, mirrored);
  WaferMapSpec spec = plain_wafer();
  spec.edge_exclusion_mm = 0;
  spec.quarter_turns = turns;
  spec.mirrored = mirrored;
  spec.show_axes = false;
  const QImage image = drawn(spec);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < spec.dies.size(); ++i) {
    wrong += pixel_of(image, die_rect(spec, kRect, i)) == die_colour(spec, spec.dies[i]) ? 0U : 1U;
  }
  CHECK(wrong == 0);
}

TEST_CASE("wafer map: a hit test finds the die that was painted", "[charts][wafer_map]") {
  const auto turns = GENERATE(0, 1, 2, 3, -1, 7);
  WaferMapSpec spec = plain_wafer();
  spec.quarter_turns = turns;
  spec.mirrored = turns % 2 != 0;
  for (std::size_t i = 0; i < spec.dies.size(); ++i) {
    CHECK(hit_test(spec, kRect, die_rect(spec, kRect, i).center()) == static_cast<int>(i));
  }
  CHECK(hit_test(spec, kRect, QPointF(1, 1)) == -1);
}

TEST_CASE("wafer map: a quarter turn moves the notch and the die, not the label",
          "[charts][wafer_map]") {
  WaferMapSpec spec = plain_wafer();
  const auto index = static_cast<std::size_t>(index_of(spec, {3, -2}));
  const QPointF centre(notch_point(spec, kRect).x(), 0);
  const QPointF before = die_rect(spec, kRect, index).center();
  const QPointF notch = notch_point(spec, kRect);
  const std::string label = die_tooltip(spec, index);
  CHECK(label == "die (3, \u22122): bin 1, pass");

  spec.quarter_turns = 1;
  const QPointF turned_notch = notch_point(spec, kRect);
  const QPointF after = die_rect(spec, kRect, index).center();
  CHECK(turned_notch.x() < notch.x());
  CHECK(turned_notch.y() < notch.y());
  // Clockwise: right of the centre goes below it, below goes left.
  const QPointF middle(notch.x(), turned_notch.y());
  CHECK_THAT(after.x() - middle.x(), WithinAbs(-(before.y() - middle.y()), 1e-9));
  CHECK_THAT(after.y() - middle.y(), WithinAbs(before.x() - middle.x(), 1e-9));
  CHECK(die_tooltip(spec, index) == label);
  CHECK(hit_test(spec, kRect, after) == static_cast<int>(index));
}

TEST_CASE("wafer map: what has no data is grey, what does not count is dimmed",
          "[charts][wafer_map]") {
  WaferMapSpec spec = plain_wafer();
  MapDie die{.die = {0, 0}, .bin = 5};
  const Rgb fail = die_colour(spec, die);
  die.state = DieState::kNoData;
  CHECK(die_colour(spec, die) == light_theme().no_data);
  die.state = DieState::kSuperseded;
  CHECK(die_colour(spec, die) != fail);
  CHECK(die_colour(spec, die) != light_theme().no_data);
  die.state = DieState::kTested;
  spec.isolated_bins = {3};
  CHECK(die_colour(spec, die) != fail);
  spec.isolated_bins = {5};
  CHECK(die_colour(spec, die) == fail);
  spec.colouring = DieColouring::kValue;
  CHECK(die_colour(spec, die) == blend(light_theme().no_data, light_theme().panel, 0.0));
  die.n = 0;
  die.value = 0.5;
  CHECK(die_colour(spec, die) == light_theme().no_data);
}

TEST_CASE("wafer map: a bin has one colour in both themes and any lot", "[charts][wafer_map]") {
  WaferMapSpec spec = plain_wafer();
  const MapDie die{.die = {4, 4}, .bin = 7};
  CHECK(die_colour(spec, die, light_theme()) == die_colour(spec, die, dark_theme()));
  WaferMapSpec other = spec;
  other.title = "L099/W01";
  other.dies.resize(10);
  CHECK(die_colour(other, die) == die_colour(spec, die));
}

TEST_CASE("wafer map: a selected die has a black and white outline", "[charts][wafer_map]") {
  WaferMapSpec spec = plain_wafer();
  const auto index = static_cast<std::size_t>(index_of(spec, {-5, 4}));
  spec.dies[index].selected = true;
  const QImage image = drawn(spec);
  const QRectF box = die_rect(spec, kRect, index);
  bool black = false, white = false;
  for (int dx = -3; dx <= 3; ++dx) {
    const Rgb p =
        image.pixel(static_cast<int>(box.left()) + dx, static_cast<int>(box.center().y()));
    black = black || (p & 0xffffffU) < 0x202020;
    white = white || (p & 0xffU) > 0xe0;
  }
  CHECK(black);
  CHECK(white);
}

TEST_CASE("wafer map: defects are found near their place", "[charts][wafer_map]") {
  WaferMapSpec spec = plain_wafer();
  spec.defects = {{0, 0, 1.0, 0, false}, {60'000, 30'000, 25.0, 1, true}};
  const QPointF notch = notch_point(spec, kRect);
  const double radius = kRect.height();
  (void)radius;
  const auto die = static_cast<std::size_t>(index_of(spec, {5, 3}));  // x 54..66, y 25..35 mm.
  const QPointF at = die_rect(spec, kRect, die).center();
  CHECK(defect_at(spec, kRect, at) == 1);
  CHECK(defect_at(spec, kRect, notch) == -1);
}

TEST_CASE("wafer map: a lasso takes the dies whose centres it holds", "[charts][wafer_map]") {
  const WaferMapSpec spec = plain_wafer();
  const QRectF a = die_rect(spec, kRect, static_cast<std::size_t>(index_of(spec, {-2, 2})));
  const QRectF b = die_rect(spec, kRect, static_cast<std::size_t>(index_of(spec, {2, -1})));
  const auto inside = dies_within(spec, kRect, QPolygonF(a.united(b)));
  CHECK(inside.size() == 5 * 4);
  CHECK(dies_within(spec, kRect, QPolygonF()).empty());
}

TEST_CASE("wafer map: a stack gives rates with n and counts only what was tested",
          "[charts][wafer_map]") {
  std::vector<WaferMapSpec> maps(4, plain_wafer());
  const auto index = static_cast<std::size_t>(index_of(maps[0], {0, 0}));
  for (std::size_t i = 0; i < 4; ++i) maps[i].dies[index].pass = i == 0;
  maps[3].dies[index].state = DieState::kNoData;
  const WaferMapSpec stack = stacked_map(maps);
  const auto at = static_cast<std::size_t>(index_of(stack, {0, 0}));
  CHECK(stack.dies[at].n == 3);
  CHECK_THAT(stack.dies[at].value, WithinAbs(1.0 / 3, 1e-15));
  CHECK(die_tooltip(stack, at) == "die (0, 0): 33.3 % of 3");
  CHECK(stacked_map({}).dies.empty());
}

TEST_CASE("wafer map: unknown geometry still shows every die inside the picture",
          "[charts][wafer_map]") {
  WaferMapSpec spec = plain_wafer();
  spec.die_width_um = spec.die_height_um = 0;
  spec.centre_x_um.reset();
  spec.centre_y_um.reset();
  for (std::size_t i = 0; i < spec.dies.size(); ++i) {
    CHECK(kRect.contains(die_rect(spec, kRect, i)));
  }
}

#include "engine/layout/what_if.h"

#include "catch_portable.h"
#include "tests/unit/layout/random_layout.h"

using namespace yieldloop;
using namespace yieldloop::layout;
using namespace yieldloop::layout::test;

namespace {

NoProgress quiet;
const Box kWindow{-2000, -2000, 5000, 5000};

std::vector<Box> random_wires(Random& random, int count) {
  std::vector<Box> boxes;
  for (int i = 0; i < count; ++i) {
    const Coord x = draw(random, 0, 2500);
    const Coord y = draw(random, 0, 2500);
    const Coord length = draw(random, 150, 900);
    const Coord width = draw(random, 40, 110);
    boxes.push_back(random.chance(0.5) ? Box{x, y, x + length, y + width}
                                       : Box{x, y, x + width, y + length});
  }
  return boxes;
}

CriticalArea full(const std::vector<Box>& boxes, FaultKind kind) {
  const Layout layout = layout_of(boxes);
  CriticalAreaOptions options;
  options.kind = kind;
  options.x_max_um = 0.4;
  options.window = kWindow;
  options.tile_um = 100.0;
  return critical_area(FlatView(layout, 0), 0, options, quiet).value();
}

BoxEdit random_edit(Random& random, const std::vector<Box>& boxes) {
  BoxEdit edit;
  const Box& b = boxes[random.below(boxes.size())];
  const Coord by = draw(random, 5, 60);
  if (random.chance(0.6)) edit.removed.push_back({b.x_min, b.y_min, b.x_min + by, b.y_max});
  if (random.chance(0.3)) edit.removed.push_back(b.enlarged(-10));
  const Coord x = draw(random, b.x_min, b.x_max);
  if (edit.removed.empty() || random.chance(0.5))
    edit.added.push_back({x, b.y_max, x + draw(random, 30, 200), b.y_max + by});
  return edit;
}

/// Metal below on 1/0, cuts on 2/0, metal above on 3/0.
struct Crossing {
  std::vector<Box> below, cuts, above;
  Layout build() const {
    LayoutBuilder builder(0.001);
    const CellIndex top = builder.add_cell("top");
    for (const Box& b : below) builder.add_box(top, {1, 0}, b);
    for (const Box& b : cuts) builder.add_box(top, {2, 0}, b);
    for (const Box& b : above) builder.add_box(top, {3, 0}, b);
    return builder.build().value();
  }
};
const ViaLayer kVia{1, 0, 2};

}  // namespace

TEST_CASE("what-if: the change is that of a full recomputation", "[layout][what_if]") {
  int local = 0, whole = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const auto boxes = random_wires(random, 35);
    const BoxEdit edit = random_edit(random, boxes);
    auto edited = boxes;
    apply_edit(edit, edited);
    const Layout layout = layout_of(boxes);
    WhatIf what_if(FlatView(layout, 0), {.x_max_um = 0.4, .rules = {}, .vias = {}});
    const auto effect = what_if.effect(std::span(&edit, 1), quiet).value();
    REQUIRE(effect.layers.size() == 1);
    ++(effect.layers[0].whole_layer ? whole : local);
    for (const FaultKind kind : {FaultKind::kShort, FaultKind::kOpen}) {
      const CriticalArea before = full(boxes, kind);
      const CriticalArea after = full(edited, kind);
      FaultCurve change = after.curve;
      change.add(before.curve, -1);
      const bool is_short = kind == FaultKind::kShort;
      CHECK((is_short ? effect.layers[0].shorts : effect.layers[0].opens) == change);
      CHECK((is_short ? effect.layers[0].shorts_um2 : effect.layers[0].opens_um2) ==
            Approx(after.um2 - before.um2).margin(1e-9 * before.um2));
    }
  }
  // Both ways were taken.
  CHECK(local >= 5);
  CHECK(whole >= 5);
}

TEST_CASE("what-if: edits that are far apart add up", "[layout][what_if]") {
  const std::vector<Box> boxes{
      {0, 0, 10000, 100}, {0, 200, 10000, 300}, {0, 9000, 10000, 9100}, {0, 9200, 10000, 9300}};
  const Layout layout = layout_of(boxes);
  WhatIf what_if(FlatView(layout, 0), {.x_max_um = 1.0, .rules = {}, .vias = {}});
  const BoxEdit one{0, {{2000, 80, 4000, 100}}, {}};
  const BoxEdit two{0, {{5000, 9080, 7000, 9100}}, {}};
  BoxEdit both = one;
  both.removed.push_back(two.removed[0]);
  const auto a = what_if.effect(std::span(&one, 1), quiet).value().layers[0];
  const auto b = what_if.effect(std::span(&two, 1), quiet).value().layers[0];
  const auto joint = what_if.effect(std::span(&both, 1), quiet).value().layers[0];
  FaultCurve sum = a.shorts;
  sum.add(b.shorts);
  CHECK(joint.shorts == sum);
  CHECK(a.shorts_um2 < 0.0);
  CHECK(a.opens_um2 > 0.0);
  CHECK(joint.opens_um2 == Approx(a.opens_um2 + b.opens_um2).epsilon(1e-9));
}

TEST_CASE("what-if: violations of space and width that an edit makes or mends",
          "[layout][what_if]") {
  const Layout layout = layout_of({{0, 0, 5000, 100}, {0, 160, 5000, 260}});
  WhatIf what_if(FlatView(layout, 0),
                 {.x_max_um = 0.5, .rules = {{0, {.width = 70, .space = 80}}}, .vias = {}});
  const BoxEdit mend{0, {{-100, 75, 5100, 100}}, {}};
  const auto mended = what_if.effect(std::span(&mend, 1), quiet).value().layers[0];
  CHECK(mended.space_violations == -1);
  CHECK(mended.width_violations == 0);
  const BoxEdit thin{0, {{-100, 65, 5100, 100}}, {}};
  CHECK(what_if.effect(std::span(&thin, 1), quiet).value().layers[0].width_violations == 1);
}

TEST_CASE("what-if: a second cut makes q of a connection q squared", "[layout][what_if][vias]") {
  const Crossing crossing{
      .below = {{0, 0, 1000, 200}}, .cuts = {{50, 50, 150, 150}}, .above = {{0, -500, 400, 500}}};
  const Layout layout = crossing.build();
  WhatIf what_if(FlatView(layout, 0),
                 {.x_max_um = 1.0, .via_fail_rate = 1e-3, .rules = {}, .vias = {kVia}});
  const BoxEdit second{1, {}, {{250, 50, 350, 150}}};
  const auto effect = what_if.effect(std::span(&second, 1), quiet).value();
  REQUIRE(effect.vias.size() == 1);
  CHECK(effect.layers.empty());
  CHECK(effect.vias[0].cuts == 1);
  CHECK(effect.vias[0].connections == 0);
  CHECK(effect.vias[0].expected_fails == Approx(1e-6 - 1e-3).epsilon(1e-12));
  CHECK(effect.vias[0].um2 < 0.0);
  auto after = crossing;
  after.cuts.push_back(second.added[0]);
  const Layout drawn = after.build();
  const CriticalViaOptions options{.fail_rate = 1e-3, .x_max_um = 1.0};
  const auto was = critical_vias(FlatView(layout, 0), kVia, options, quiet).value();
  const auto is = critical_vias(FlatView(drawn, 0), kVia, options, quiet).value();
  CHECK(effect.vias[0].um2 == Approx(is.um2 - was.um2).epsilon(1e-9));
  CHECK(effect.vias[0].expected_fails ==
        Approx(is.expected_fails - was.expected_fails).epsilon(1e-9));
}

TEST_CASE("what-if: metal cut off under a via takes its connection away",
          "[layout][what_if][vias]") {
  const Crossing crossing{.below = {{0, 0, 1000, 200}},
                          .cuts = {{50, 50, 150, 150}, {800, 50, 900, 150}},
                          .above = {{0, -500, 1000, 500}}};
  const Layout layout = crossing.build();
  WhatIf what_if(FlatView(layout, 0),
                 {.x_max_um = 0.3, .via_fail_rate = 0.01, .rules = {}, .vias = {kVia}});
  const BoxEdit cut{0, {{400, 0, 500, 200}}, {}};
  const auto effect = what_if.effect(std::span(&cut, 1), quiet).value();
  // One connection of two cuts became two of one each.
  CHECK(effect.vias[0].connections == 1);
  CHECK(effect.vias[0].expected_fails == Approx(0.02 - 0.0001).epsilon(1e-12));
}

TEST_CASE("what-if: what it refuses", "[layout][what_if][error]") {
  const Layout layout = layout_of({{0, 0, 1000, 100}});
  const BoxEdit edit{0, {{0, 0, 10, 100}}, {}};
  const std::vector<BoxEdit> twice{edit, edit};
  const BoxEdit none;
  WhatIf good(FlatView(layout, 0), {.rules = {}, .vias = {}});
  CHECK(good.effect(twice, quiet).error().id == "LAYO-0031");
  CHECK(good.effect(std::span(&none, 1), quiet).error().id == "LAYO-0031");
  WhatIf bad(FlatView(layout, 0), {.x_max_um = 2000.0, .rules = {}, .vias = {}});
  CHECK(bad.effect(std::span(&edit, 1), quiet).error().id == "LAYO-0031");
}

TEST_CASE("critical vias: cuts between the same pieces stand for each other",
          "[layout][critical_vias]") {
  const Crossing crossing{.below = {{0, 0, 1000, 200}, {2000, 0, 3000, 200}},
                          .cuts = {{50, 50, 150, 150},
                                   {250, 50, 350, 150},
                                   {2050, 50, 2150, 150},
                                   {5000, 0, 5100, 100}},
                          .above = {{0, -500, 400, 500}, {2000, -500, 2200, 500}}};
  const Layout layout = crossing.build();
  const auto vias =
      critical_vias(FlatView(layout, 0), kVia, {.fail_rate = 0.01, .x_max_um = 1.0}, quiet).value();
  CHECK(vias.cuts == 4);
  CHECK(vias.unconnected == 1);
  CHECK(vias.by_cuts == std::map<std::uint32_t, std::uint64_t>{{1, 1}, {2, 1}});
  CHECK(vias.expected_fails == Approx(0.01 + 0.0001).epsilon(1e-12));
  // (x - 100)^2 for the single, (x - 300)(x - 100) for the pair.
  CHECK(vias.curve.area(200) == Approx(100.0 * 100.0));
  CHECK(vias.curve.area(500) == Approx(400.0 * 400.0 + 200.0 * 400.0));
  CHECK(critical_vias(FlatView(layout, 0), kVia, {.fail_rate = 2.0}, quiet).error().id ==
        "LAYO-0030");
}

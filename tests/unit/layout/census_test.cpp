#include "engine/layout/census.h"

#include "catch_portable.h"
#include "tests/unit/layout/random_layout.h"

using namespace yieldloop;
using namespace yieldloop::layout;
using namespace yieldloop::layout::test;

namespace {

NoProgress quiet;

class Cancelled final : public Progress {
 public:
  void report(std::string_view, std::uint64_t, std::uint64_t) override {}
  bool cancelled() const override { return true; }
};

/// Layers 1/0 below, 2/0 cut, 3/0 above.
Layout via_layout(const std::vector<Box>& below, const std::vector<Box>& cuts,
                  const std::vector<Box>& above) {
  LayoutBuilder builder(0.001);
  const CellIndex top = builder.add_cell("top");
  for (const Box& b : below) builder.add_box(top, {1, 0}, b);
  for (const Box& b : cuts) builder.add_box(top, {2, 0}, b);
  for (const Box& b : above) builder.add_box(top, {3, 0}, b);
  return builder.build().value();
}

}  // namespace

TEST_CASE("via census: single, redundant and unconnected cuts", "[layout][census]") {
  const Layout layout =
      via_layout({{0, 0, 1000, 100}, {0, 300, 1000, 400}},
                 {{20, 20, 80, 80},  // single
                  {500, 20, 560, 80},
                  {620, 20, 680, 80},  // a pair, 60 apart
                  {20, 320, 80, 380},
                  {180, 320, 240, 380},   // near each other, different metal above
                  {900, 600, 960, 660}},  // no metal
                 {{0, 0, 100, 100}, {480, 0, 700, 100}, {0, 300, 100, 400}, {160, 300, 260, 400}});
  const FlatView view(layout, 0);
  const auto census = census_vias(view, {1, 0, 2}, {.redundancy_distance = 110}, quiet).value();
  CHECK(census.cuts.size() == 6);
  CHECK(census.singles == 3);
  CHECK(census.redundant == 2);
  CHECK(census.unconnected == 1);
  const auto small = census_vias(view, {1, 0, 2}, {.redundancy_distance = 110, .tile = 70}, quiet);
  CHECK(small.value() == census);
  CHECK(census_vias(view, {1, 0, 2}, {.redundancy_distance = 50}, quiet).value().redundant == 0);
  CHECK(census_vias(view, {1, 0, 2}, {.redundancy_distance = 0}, quiet).error().id == "LAYO-0006");
  Cancelled stop;
  CHECK(census_vias(view, {1, 0, 2}, {}, stop).error().id == "LAYO-0007");
}

TEST_CASE("space census: parallel wires, a line end and a notch", "[layout][census]") {
  // Two long wires 60 apart; a line end 50 from a bar; a U whose notch is no space.
  const Layout layout = layout_of({{0, 0, 2000, 100},
                                   {0, 160, 2000, 260},
                                   {5000, 0, 6000, 100},
                                   {6050, -500, 6150, 600},
                                   {0, 5000, 300, 5100},
                                   {0, 5100, 100, 5500},
                                   {150, 5100, 300, 5500}});
  const FlatView view(layout, 0);
  const auto census = census_spaces(view, 0, {.below = 80}, quiet).value();
  REQUIRE(census.count == 2);
  CHECK(census.pairs[0].box == Box{0, 100, 2000, 160});
  CHECK(census.pairs[0].distance == 60);
  CHECK(census.pairs[0].run == 2000);
  CHECK_FALSE(census.pairs[0].horizontal);
  CHECK_FALSE(census.pairs[0].line_end);
  CHECK(census.pairs[1].box == Box{6000, 0, 6050, 100});
  CHECK(census.pairs[1].horizontal);
  CHECK(census.pairs[1].line_end);
  CHECK(census.line_ends == 1);
  CHECK(census.total_run == 2100.0);
  CHECK(census_spaces(view, 0, {.below = 60}, quiet).value().count == 1);
  const auto widths = census_widths(view, 0, {.below = 101}, quiet).value();
  // Every wire is 100 wide: two long ones, the short one, the bar, the U's foot and left leg.
  CHECK(widths.count >= 5);
  CHECK(std::all_of(widths.pairs.begin(), widths.pairs.end(),
                    [](const EdgePair& p) { return p.distance == 100; }));
  CHECK(census_spaces(view, 0, {.below = 0}, quiet).error().id == "LAYO-0006");
}

TEST_CASE("space census: what stands between hides what is behind", "[layout][census]") {
  const Layout layout = layout_of({{0, 0, 100, 1000}, {200, 0, 300, 1000}, {120, 400, 150, 600}});
  const auto census = census_spaces(FlatView(layout, 0), 0, {.below = 101}, quiet).value();
  // 0-120 once, 150-200 once, and the open stretches of the 100 wide gap above and below.
  REQUIRE(census.count == 4);
  double run = 0.0;
  for (const EdgePair& p : census.pairs) run += static_cast<double>(p.run);
  CHECK(run == 200.0 + 200.0 + 400.0 + 400.0);
}

TEST_CASE("space census: tiles change nothing", "[layout][census]") {
  Random random(9);
  for (int trial = 0; trial < 10; ++trial) {
    CAPTURE(trial);
    std::vector<Box> boxes;
    for (int i = 0; i < 120; ++i) {
      const Coord x = draw(random, 0, 2000);
      const Coord y = draw(random, 0, 2000);
      boxes.push_back({x, y, x + draw(random, 20, 300), y + draw(random, 20, 60)});
    }
    const Layout layout = layout_of(boxes);
    const FlatView view(layout, 0);
    // Pieces that meet outside of a tile's margin may differ, so that compare within it.
    const auto whole = census_widths(view, 0, {.below = 40, .tile = 100000}, quiet).value();
    const auto tiled = census_widths(view, 0, {.below = 40, .tile = 333}, quiet).value();
    CHECK(whole == tiled);
  }
}

TEST_CASE("connectivity: vias join what touches", "[layout][nets]") {
  const Layout layout = via_layout({{0, 0, 1000, 100}, {0, 300, 1000, 400}, {0, 600, 1000, 700}},
                                   {{20, 20, 80, 80}, {20, 320, 80, 380}, {500, 620, 560, 680}},
                                   {{0, 0, 100, 400}, {480, 600, 600, 700}});
  const FlatView view(layout, 0);
  const Nets nets = connect(view, {0, 2}, {{1, 0, 2}}, view.bbox());
  CHECK(nets.pieces.size() == 5);
  CHECK(nets.count == 2);
  CHECK(nets.at(0, {900, 50}) == nets.at(0, {900, 350}));
  CHECK(nets.at(0, {900, 50}) == nets.at(2, {50, 200}));
  CHECK(nets.at(0, {900, 650}) == nets.at(2, {490, 690}));
  CHECK(nets.at(0, {900, 50}) != nets.at(0, {900, 650}));
  CHECK_FALSE(nets.at(0, {900, 200}));
  CHECK(connect(view, {0, 2}, {}, view.bbox()).count == 5);
}

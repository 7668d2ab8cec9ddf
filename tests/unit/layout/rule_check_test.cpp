#include "engine/layout/rule_check.h"

#include "catch_portable.h"
#include "tests/unit/layout/random_layout.h"

using namespace yieldloop;
using namespace yieldloop::layout;
using namespace yieldloop::layout::test;

namespace {

NoProgress quiet;

std::uint64_t spaces(const std::vector<Box>& boxes, Coord rule) {
  const Layout layout = layout_of(boxes);
  RuleCheckOptions options;
  options.space = rule;
  return check_rules(FlatView(layout, 0), 0, options, quiet).value().space.count;
}

std::uint64_t widths(const std::vector<Box>& boxes, Coord rule) {
  const Layout layout = layout_of(boxes);
  RuleCheckOptions options;
  options.width = rule;
  return check_rules(FlatView(layout, 0), 0, options, quiet).value().width.count;
}

RuleCheck both(const FlatView& view, Coord rule, Coord tile) {
  RuleCheckOptions options;
  options.width = options.space = rule;
  options.tile = tile;
  return check_rules(view, 0, options, quiet).value();
}

}  // namespace

// The counts are those of KLayout 0.28.5, Region::space_check and width_check.
TEST_CASE("rule check: spaces as KLayout counts them", "[layout][rules]") {
  const std::vector<Box> diagonal{{0, 0, 100, 100}, {130, 140, 200, 200}};
  CHECK(spaces(diagonal, 50) == 0);  // 30, 40, 50: not below
  CHECK(spaces(diagonal, 51) == 2);
  CHECK(spaces({{0, 0, 100, 100}, {100, 100, 200, 200}}, 10) == 2);  // meet in a corner
  CHECK(spaces({{0, 0, 100, 100}, {120, 100, 200, 200}}, 30) == 1);
  CHECK(spaces({{0, 0, 100, 100}, {120, 101, 200, 200}}, 30) == 2);
  CHECK(spaces({{0, 0, 1000, 100}, {0, 160, 1000, 260}}, 80) == 1);
  CHECK(spaces({{0, 0, 1000, 100}, {0, 160, 1000, 260}}, 60) == 0);
  // What stands between hides a pair only when it crosses all of it.
  const Box left{0, 0, 100, 1000};
  const Box right{200, 0, 300, 1000};
  CHECK(spaces({left, right, {120, 400, 150, 600}}, 101) == 3);
  CHECK(spaces({left, right, {120, -10, 150, 1010}}, 101) == 2);
  CHECK(spaces({left, right, {120, 0, 150, 1000}}, 101) == 2);
  CHECK(spaces({left, right, {120, 0, 150, 999}}, 101) == 3);
  // A notch is a space.
  CHECK(spaces({{0, 0, 300, 100}, {0, 100, 100, 500}, {150, 100, 300, 500}}, 60) == 1);
  CHECK(spaces({{0, 0, 100, 30}, {0, 30, 30, 100}, {70, 30, 100, 100}, {0, 70, 100, 100}}, 60) ==
        2);
  CHECK(spaces({{0, 0, 100, 20}, {0, 50, 40, 70}, {60, 50, 100, 70}}, 40) == 3);
  CHECK(spaces({{0, 0, 1000, 100}, {400, 120, 420, 200}}, 30) == 1);
}

TEST_CASE("rule check: widths as KLayout counts them", "[layout][rules]") {
  CHECK(widths({{0, 0, 50, 50}}, 60) == 2);
  CHECK(widths({{0, 0, 50, 50}}, 50) == 0);
  CHECK(widths({{0, 0, 50, 300}, {50, 0, 300, 40}}, 60) == 2);
  CHECK(widths({{0, 0, 100, 50}, {80, 50, 200, 100}}, 60) == 3);
  CHECK(widths({{0, 0, 100, 50}, {95, 50, 200, 100}}, 60) == 3);
  CHECK(widths({{0, 0, 500, 50}, {200, 50, 230, 300}}, 60) == 3);
  CHECK(widths({{0, 0, 500, 40}, {0, 40, 40, 300}, {460, 40, 500, 300}, {0, 260, 500, 300}}, 60) ==
        4);
  CHECK(widths({{0, 0, 100, 100}, {100, 100, 200, 200}}, 10) == 2);
}

TEST_CASE("rule check: a violation names the parts that are too near", "[layout][rules]") {
  const Layout layout = layout_of({{0, 0, 100, 100}, {130, 140, 200, 200}});
  RuleCheckOptions options;
  options.space = 60;
  const RuleCheck check = check_rules(FlatView(layout, 0), 0, options, quiet).value();
  REQUIRE(check.space.count == 2);
  CHECK(check.space.listed[0].first == EdgePart{100, 85, 100});
  CHECK(check.space.listed[0].second == EdgePart{140, 130, 145});
  CHECK(check.space.listed[0].distance == 50.0);
  CHECK(check.space.listed[1].first == EdgePart{100, 88, 100});
  CHECK(check.space.listed[1].upright);
}

TEST_CASE("rule check: tiles and orientation change nothing", "[layout][rules]") {
  Random random(12);
  for (int trial = 0; trial < 12; ++trial) {
    CAPTURE(trial);
    std::vector<Box> boxes;
    for (int i = 0; i < 60; ++i) {
      const Coord x = draw(random, 0, 1000);
      const Coord y = draw(random, 0, 1000);
      // Some are far longer than a tile.
      const Coord length = random.chance(0.2) ? draw(random, 300, 900) : draw(random, 10, 60);
      boxes.push_back(random.chance(0.5) ? Box{x, y, x + length, y + draw(random, 8, 25)}
                                         : Box{x, y, x + draw(random, 8, 25), y + length});
    }
    const Layout layout = layout_of(boxes);
    const RuleCheck whole = both(FlatView(layout, 0), 20, 100000);
    CHECK(whole.space.count > 0);
    CHECK(whole.width.count > 0);
    CHECK(both(FlatView(layout, 0), 20, 90) == whole);
    for (int o = 1; o < 8; ++o) {
      const geometry::Transform turn{static_cast<geometry::Orientation>(o), {7, -3}};
      std::vector<Box> turned;
      for (const Box& box : boxes) turned.push_back(turn(box));
      const Layout other = layout_of(turned);
      const RuleCheck check = both(FlatView(other, 0), 20, 333);
      CHECK(check.space.count == whole.space.count);
      CHECK(check.width.count == whole.width.count);
    }
  }
}

TEST_CASE("rule check: what it refuses", "[layout][rules]") {
  const Layout layout = layout_of({{0, 0, 10, 10}});
  RuleCheckOptions options;
  options.width = -1;
  CHECK(check_rules(FlatView(layout, 0), 0, options, quiet).error().id == "LAYO-0023");
  options.width = 20;
  options.listed = 1;
  const RuleCheck check = check_rules(FlatView(layout, 0), 0, options, quiet).value();
  CHECK(check.width.count == 2);
  CHECK(check.width.listed.size() == 1);
}

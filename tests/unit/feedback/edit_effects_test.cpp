#include "engine/feedback/edit_effects.h"

#include "catch_portable.h"
#include "engine/layout/layout_builder.h"

using namespace yieldloop;
using namespace yieldloop::feedback;
using geometry::Box;

namespace {

NoProgress quiet;

/// Two wires of 100 um, 0.1 um apart, 0.2 um wide.
layout::Layout wires() {
  layout::LayoutBuilder builder(0.001);
  const auto cell = builder.add_cell("TOP");
  builder.add_box(cell, {1, 0}, {0, 0, 100000, 200});
  builder.add_box(cell, {1, 0}, {0, 300, 100000, 500});
  return builder.build().value();
}

/// 0.05 um taken off the lower wire over 10 um in its middle.
EditPlan thinned() {
  EditPlan plan;
  plan.places = plan.edited = 1;
  plan.edits = {{.layer = 0, .removed = {{45000, 150, 55000, 200}}, .added = {}}};
  return plan;
}

}  // namespace

TEST_CASE("edit effects: a wider space has fewer shorts and more opens", "[feedback][edits]") {
  const auto layout = wires();
  const layout::FlatView view(layout, 0);
  EditPlan plan = thinned();
  EditEffectOptions options{.removed_per_place = 1e-3, .defects = {}, .vias = {}};
  options.defects[0] = {.density_per_cm2 = 10.0, .x0_um = 0.05};
  const auto effects = judge_edits(view, options, plan, quiet).value();
  CHECK(effects.places == 1);
  CHECK(plan.edits.size() == 1);
  REQUIRE(effects.shorts);
  REQUIRE(effects.opens);
  CHECK(*effects.shorts < 0.0);
  CHECK(*effects.opens > 0.0);
  // Without ends the opens grow by L x0^2 (1/0.15 - 1/0.2) = 10 * 0.0025 * 1.667 um^2.
  CHECK(effects.opens_um2 == Approx(10.0 * 0.0025 / 0.6).epsilon(0.05));
  CHECK(effects.shorts_um2 == Approx(-10.0 * 0.0025 * (1 / 0.1 - 1 / 0.15)).epsilon(0.05));
  CHECK(*effects.opens == Approx(effects.opens_um2 * 1e-8 * 10.0));
  CHECK(effects.net() == Approx(-1e-3 + *effects.shorts + *effects.opens));
}

TEST_CASE("edit effects: an edit that breaks more than it mends is taken out",
          "[feedback][edits]") {
  // A lone wire is thinned: nothing to win.
  layout::LayoutBuilder builder(0.001);
  builder.add_box(builder.add_cell("TOP"), {1, 0}, {0, 0, 100000, 200});
  const auto layout = builder.build().value();
  EditPlan plan = thinned();
  EditEffectOptions options{.removed_per_place = 1e-12, .defects = {}, .vias = {}};
  options.defects[0] = {.density_per_cm2 = 10.0, .x0_um = 0.05};
  const auto effects = judge_edits(layout::FlatView(layout, 0), options, plan, quiet).value();
  CHECK(effects.places == 0);
  CHECK(effects.withdrawn == 1);
  CHECK(plan.edits.empty());
  CHECK(plan.edited == 0);
  CHECK(plan.refused.size() == 1);
}

TEST_CASE("edit effects: without densities the areas are known and their price is not",
          "[feedback][edits]") {
  const auto layout = wires();
  EditPlan plan = thinned();
  const auto effects =
      judge_edits(layout::FlatView(layout, 0),
                  {.removed_per_place = 1e-3, .defects = {}, .vias = {}}, plan, quiet)
          .value();
  CHECK_FALSE(effects.opens);
  CHECK(effects.opens_um2 > 0.0);
  CHECK(effects.net() == -1e-3);
}

TEST_CASE("edit effects: doubling a via leaves q squared of q", "[feedback][edits]") {
  layout::LayoutBuilder builder(0.001);
  const auto cell = builder.add_cell("TOP");
  builder.add_box(cell, {1, 0}, {0, 0, 1000, 200});
  builder.add_box(cell, {2, 0}, {50, 50, 150, 150});
  builder.add_box(cell, {3, 0}, {0, -500, 200, 500});
  const auto layout = builder.build().value();
  EditPlan plan;
  plan.places = plan.edited = 1;
  plan.edits = {{.layer = 1, .removed = {}, .added = {{250, 50, 350, 150}}},
                {.layer = 2, .removed = {}, .added = {{0, 0, 400, 200}}}};
  EditEffectOptions options{
      .defects = {}, .vias = {{.cut = 1, .below = 0, .above = 2}}, .via_fail_rate = 1e-3};
  const auto effects = judge_edits(layout::FlatView(layout, 0), options, plan, quiet).value();
  CHECK(effects.vias == Approx(1e-6 - 1e-3).epsilon(1e-12));
  CHECK(effects.places == 1);
  options.via_fail_rate = 2.0;
  CHECK(judge_edits(layout::FlatView(layout, 0), options, plan, quiet).error().id == "EDIT-0003");
}

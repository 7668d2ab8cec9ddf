#include "engine/feedback/layout_edits.h"

#include <algorithm>
#include <functional>

#include "catch_portable.h"
#include "engine/geometry/rectangles.h"
#include "engine/layout/layout_builder.h"

using namespace yieldloop;
using namespace yieldloop::feedback;
using geometry::Box;
using geometry::Coord;

namespace {

constexpr layout::LayerKey kM1{1, 0}, kVia{2, 0}, kM2{3, 0};

/// Turns and mirrors a drawing: one of the 8 orientations about the origin.
Box turned(const Box& b, int orientation) {
  Box r = b;
  if ((orientation & 1) != 0) r = {-r.x_max, r.y_min, -r.x_min, r.y_max};
  if ((orientation & 2) != 0) r = {r.x_min, -r.y_max, r.x_max, -r.y_min};
  if ((orientation & 4) != 0) r = {r.y_min, r.x_min, r.y_max, r.x_max};
  return r;
}

struct Drawing {
  std::vector<std::pair<layout::LayerKey, Box>> boxes;

  layout::Layout build(int orientation) const {
    layout::LayoutBuilder builder(0.001);
    const auto cell = builder.add_cell("TOP");
    for (const auto& [key, box] : boxes) builder.add_box(cell, key, turned(box, orientation));
    return builder.build().value();
  }
};

double area(const std::vector<Box>& boxes) {
  std::vector<geometry::Rect> rects;
  for (const Box& b : boxes) rects.push_back(geometry::to_rect(b));
  return geometry::coverage(rects).once;
}

EditPlan widen(const Drawing& drawing, const Box& gap, int orientation, bool with_cuts = false) {
  const auto layout = drawing.build(orientation);
  const auto view = layout::view_of(layout).value();
  WidenOptions options{.goal = 300, .rules = {.width = 200, .space = 200}, .cuts = {}};
  if (with_cuts) options.cuts = {*layout.find_layer(kVia)};
  NoProgress progress;
  const std::vector<Box> gaps{turned(gap, orientation)};
  return widen_spaces(view, *layout.find_layer(kM1), gaps, options, progress).value();
}

EditPlan double_one(const Drawing& drawing, const Box& cut, int orientation) {
  const auto layout = drawing.build(orientation);
  const auto view = layout::view_of(layout).value();
  const layout::ViaLayer layers{.cut = *layout.find_layer(kVia),
                                .below = *layout.find_layer(kM1),
                                .above = *layout.find_layer(kM2)};
  const DoubleViaOptions options{.below = {200, 200}, .above = {200, 200}, .cut_space = 200};
  NoProgress progress;
  const std::vector<Box> cuts{turned(cut, orientation)};
  return double_vias(view, layers, cuts, options, progress).value();
}

/// A wire along y from the left, its end 200 from a long wire along x above it.
const Drawing kEndToSide{{{kM1, {0, -2000, 200, 0}}, {kM1, {-2000, 200, 2000, 600}}}};
const Box kEndGap{0, 0, 200, 200};

}  // namespace

TEST_CASE("edits: a line end is pulled back to the goal, in all orientations") {
  for (int orientation = 0; orientation < 8; ++orientation) {
    CAPTURE(orientation);
    const EditPlan plan = widen(kEndToSide, kEndGap, orientation);
    CHECK(plan.edited == 1);
    REQUIRE(plan.edits.size() == 1);
    CHECK(plan.edits[0].removed == std::vector<Box>{turned({0, -100, 200, 0}, orientation)});
    CHECK(plan.edits[0].added.empty());
  }
}

TEST_CASE("edits: a cut at the line end keeps its metal, so the side gives way") {
  Drawing drawing = kEndToSide;
  drawing.boxes.emplace_back(kVia, Box{50, -150, 150, -50});  // 50 of metal on three sides.
  for (int orientation = 0; orientation < 8; ++orientation) {
    CAPTURE(orientation);
    const EditPlan plan = widen(drawing, kEndGap, orientation, true);
    CHECK(plan.edited == 1);
    REQUIRE(plan.edits.size() == 1);
    // The goal to both sides of the gap, 100 deep.
    CHECK(plan.edits[0].removed == std::vector<Box>{turned({-300, 200, 500, 300}, orientation)});
  }
}

TEST_CASE("edits: nothing is thinned below the smallest width") {
  // Both wires as narrow as they may be, the ends held by cuts.
  const Drawing drawing{
      {{kM1, {0, -2000, 200, 0}}, {kM1, {-2000, 200, 2000, 400}}, {kVia, {50, -150, 150, -50}}}};
  const EditPlan plan = widen(drawing, kEndGap, 0, true);
  CHECK(plan.edits.empty());
  CHECK(plan.edited + plan.partly == 0);
  REQUIRE(plan.refused.size() == 1);
  CHECK(plan.refused.begin()->second == 1);
}

TEST_CASE("edits: a place that is no gap is refused with its reason") {
  CHECK(widen(kEndToSide, {3000, 3000, 3200, 3200}, 0).refused.size() == 1);
  CHECK(widen(kEndToSide, {0, -500, 200, -300}, 0).edits.empty());
}

TEST_CASE("edits: a wide enough space is left alone") {
  const Drawing drawing{{{kM1, {0, -2000, 200, -150}}, {kM1, {-2000, 200, 2000, 600}}}};
  const EditPlan plan = widen(drawing, {0, -150, 200, 200}, 0);
  CHECK(plan.edited == 1);
  CHECK(plan.edits.empty());
}

TEST_CASE("edits: a second cut goes where it needs the least metal, in all orientations") {
  // M1 runs to the right, M2 up and down: right of the cut only M2 needs new metal.
  const Drawing drawing{{{kM1, {-100, -200, 4000, 200}},
                         {kVia, {0, -100, 200, 100}},
                         {kM2, {-100, -200, 300, 200}},
                         {kM2, {0, -3000, 200, 3000}}}};
  for (int orientation = 0; orientation < 8; ++orientation) {
    CAPTURE(orientation);
    const EditPlan plan = double_one(drawing, {0, -100, 200, 100}, orientation);
    CHECK(plan.edited == 1);
    REQUIRE(plan.edits.size() >= 2);
    CHECK(plan.edits[0].added == std::vector<Box>{turned({400, -100, 600, 100}, orientation)});
    for (const LayerEdit& edit : plan.edits) CHECK(edit.removed.empty());
    CHECK(area(plan.edits[1].added) > 0);
  }
}

TEST_CASE("edits: a neighbour of another net turns the second cut away") {
  Drawing drawing{{{kM1, {-100, -200, 4000, 200}},
                   {kVia, {0, -100, 200, 100}},
                   {kM2, {-100, -200, 300, 200}},
                   {kM2, {600, -3000, 800, 3000}}}};
  const EditPlan left = double_one(drawing, {0, -100, 200, 100}, 0);
  REQUIRE(left.edited == 1);
  CHECK(left.edits[0].added != std::vector<Box>{{400, -100, 600, 100}});
  // Walled in on every side and on both metals.
  for (const auto& key : {kM1, kM2}) {
    drawing.boxes.emplace_back(key, Box{-3000, 400, 3000, 600});
    drawing.boxes.emplace_back(key, Box{-3000, -600, 3000, -400});
  }
  drawing.boxes.emplace_back(kM2, Box{-500, -300, -300, 300});
  drawing.boxes.emplace_back(kM2, Box{500, -300, 600, 300});
  const EditPlan none = double_one(drawing, {0, -100, 200, 100}, 0);
  CHECK(none.edits.empty());
  CHECK(none.refused.size() == 1);
}

TEST_CASE("edits: a cut without metal on one side is not doubled") {
  const Drawing drawing{
      {{kM1, {-100, -200, 4000, 200}}, {kVia, {0, -100, 200, 100}}, {kM2, {100, -200, 300, 200}}}};
  CHECK(double_one(drawing, {0, -100, 200, 100}, 0).refused.size() == 1);
}

TEST_CASE("edits: rules that are missing are asked for") {
  const auto layout = kEndToSide.build(0);
  const auto view = layout::view_of(layout).value();
  NoProgress progress;
  const std::vector<Box> gaps{kEndGap};
  const auto plan = widen_spaces(view, *layout.find_layer(kM1), gaps,
                                 {.goal = 300, .rules = {0, 200}, .cuts = {}}, progress);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().id == "EDIT-0001");
}

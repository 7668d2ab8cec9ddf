#include "engine/tracing/pattern_census.h"

#include <set>

#include "catch_portable.h"
#include "small_chip.h"

using namespace yieldloop;
using namespace yieldloop::tracing;
using namespace yieldloop::tracing::testing;

namespace {

/// One asymmetric figure placed in all 8 orientations, far apart, through the hierarchy.
layout::Layout eight_ways() {
  layout::LayoutBuilder builder(0.001);
  const auto top = builder.add_cell("TOP"), cell = builder.add_cell("C");
  builder.add_box(cell, kM1, {-1000, -101, -50, 100});
  builder.add_box(cell, kM1, {51, -101, 900, 100});
  builder.add_box(cell, kM1, {-200, 301, 400, 555});
  for (int o = 0; o < 8; ++o) {
    layout::Instance instance;
    instance.cell = cell;
    instance.orientation = static_cast<geometry::Orientation>(o);
    instance.displacement = {o * 10'000 + o * 3, 77 * o};
    builder.add_instance(top, instance);
  }
  return builder.build().value();
}

}  // namespace

TEST_CASE("census: a figure is one class in all eight orientations", "[tracing][census]") {
  const auto chip = eight_ways();
  const auto view = layout::view_of(chip).value();
  NoProgress progress;
  const auto census = census_patterns(view, 0, view.bbox(),
                                      {.min_space_um = 0.11, .radii_um = {0.3, 0.6, 1.2}}, progress)
                          .value();
  int whole = 0;
  for (const PatternClass& c : census.classes) {
    CHECK(c.anchors.size() % 8 == 0);
    whole += c.radius_um == 1.2 && c.kind == GapKind::kLineEnd;
  }
  CHECK(whole >= 1);
  CHECK(census.anchors.size() % 8 == 0);
}

TEST_CASE("census: a nanometre makes another class", "[tracing][census]") {
  layout::LayoutBuilder builder(0.001);
  const auto top = builder.add_cell("TOP");
  for (const std::int32_t i : {0, 1, 2}) {
    const std::int32_t x = i * 20'000, extra = i == 2 ? 1 : 0;
    builder.add_box(top, kM1, {x, 0, x + 1000, 200});
    builder.add_box(top, kM1, {x + 1100, 0, x + 2000, 200});
    builder.add_box(top, kM1, {x, 400 + extra, x + 2000, 600});
  }
  const auto chip = builder.build().value();
  const auto view = layout::view_of(chip).value();
  const auto text = [&](std::int64_t x) {
    return canonical_clip(view, 0, {2 * x + 2100, 200}, 500);
  };
  CHECK(text(0) == text(20'000));
  CHECK(text(0) != text(40'000));
}

TEST_CASE("census: how a shape is cut into boxes does not matter", "[tracing][census]") {
  layout::LayoutBuilder builder(0.001);
  const auto top = builder.add_cell("TOP");
  builder.add_box(top, kM1, {0, 0, 1000, 200});
  builder.add_box(top, kM1, {20'000, 0, 20'600, 200});
  builder.add_box(top, kM1, {20'500, 0, 21'000, 200});
  const auto chip = builder.build().value();
  const auto view = layout::view_of(chip).value();
  CHECK(canonical_clip(view, 0, {1000, 200}, 700) == canonical_clip(view, 0, {41'000, 200}, 700));
}

TEST_CASE("census: corners across an empty box are places, across a wire they are not",
          "[tracing][census]") {
  layout::LayoutBuilder builder(0.001);
  const auto top = builder.add_cell("TOP");
  builder.add_box(top, kM1, {0, 0, 1000, 1000});
  builder.add_box(top, kM1, {1100, 1100, 2000, 2000});
  builder.add_box(top, kM1, {20'000, 0, 21'000, 1000});
  builder.add_box(top, kM1, {21'100, 1100, 22'000, 2000});
  builder.add_box(top, kM1, {21'040, 1040, 21'060, 1060});
  const auto chip = builder.build().value();
  const auto view = layout::view_of(chip).value();
  NoProgress progress;
  const auto anchors = find_anchors(view, 0, view.bbox(), {200, 500, 0}, progress).value();
  std::multiset<std::int64_t> corners;
  for (const Anchor& a : anchors) {
    if (a.kind == GapKind::kCorner) corners.insert(a.space);
  }
  CHECK(corners == std::multiset<std::int64_t>{57, 57, 141});
}

TEST_CASE("census: long stretches have as many places as they are long", "[tracing][census]") {
  layout::LayoutBuilder builder(0.001);
  const auto top = builder.add_cell("TOP");
  builder.add_box(top, kM1, {0, 0, 100'000, 200});
  builder.add_box(top, kM1, {0, 400, 100'000, 600});
  const auto chip = builder.build().value();
  const auto view = layout::view_of(chip).value();
  NoProgress progress;
  const auto anchors = find_anchors(view, 0, view.bbox(), {200, 500, 0}, progress).value();
  CHECK(anchors.size() == 2 + 99);
  CHECK(smallest_space(view, 0, view.bbox(), 1000, progress).value() == 200);
  CHECK(census_patterns(view, 0, view.bbox(), {.radii_um = {-1.0}}, progress).error().id ==
        "PATC-0002");
  CHECK(census_patterns(view, 0, view.bbox(), {.search_um = 0.1}, progress).error().id ==
        "PATC-0001");
}

#include "engine/layout/pattern_classes.h"

#include <oneapi/tbb/global_control.h>

#include <map>
#include <set>

#include "catch_portable.h"
#include "random_layout.h"

using namespace yieldloop;
using namespace yieldloop::layout;
using namespace yieldloop::layout::test;
using geometry::Orientation;

namespace {

ClipCensusOptions options_of(Coord radius) {
  ClipCensusOptions options;
  options.spec.layers = {0};
  options.spec.radius = radius;
  return options;
}

ClipCensus census_of(const Layout& layout, const ClipCensusOptions& options) {
  NoProgress progress;
  return census_clips(view_of(layout).value(), options, progress).value();
}

/// Places of merged polygons by the words of the definition, one by one.
std::map<Point, PointKindSet> places_by_hand(const FlatView& view, const PatternSpec& spec) {
  std::map<Point, PointKindSet> places;
  geometry::ShapeHeap heap;
  const Box all = view.bbox().enlarged(10);
  view.for_each_shape(spec.layers[0], all,
                      [&](const FlatShape& s) { s.is_box ? heap.add(s.box) : heap.add(s.points); });
  const auto covered = [&](Coord x4, Coord y4) {  // At a quarter unit, never on an edge.
    return std::ranges::any_of(heap.boxes, [&](const Box& b) {
      return 4 * b.x_min < x4 && x4 < 4 * b.x_max && 4 * b.y_min < y4 && y4 < 4 * b.y_max;
    });
  };
  struct Edge {
    Point a, b;
  };
  std::vector<Edge> edges;
  const auto add_ring = [&](const Polygon& ring) {
    const std::size_t n = ring.size();
    const auto convex = [&](std::size_t i) {
      return geometry::cross(ring[i % n] - ring[(i + n - 1) % n], ring[(i + 1) % n] - ring[i % n]) >
             0;
    };
    for (std::size_t i = 0; i < n; ++i) {
      const Point a = ring[i], b = ring[(i + 1) % n];
      edges.push_back({a, b});
      places[{2 * a.x, 2 * a.y}] |=
          set_of(convex(i) ? PointKind::kOuterCorner : PointKind::kInnerCorner);
      const Coord length = std::abs(b.x - a.x) + std::abs(b.y - a.y);
      if (convex(i) && convex(i + 1) && length <= spec.line_end) {
        places[{a.x + b.x, a.y + b.y}] |= set_of(PointKind::kLineEnd);
      }
      if (convex(i) != convex(i + 1) && length <= spec.jog) {
        places[{a.x + b.x, a.y + b.y}] |= set_of(PointKind::kJog);
      }
    }
  };
  for (const auto& piece : geometry::merge(heap, all)) {
    add_ring(piece.outer);
    for (const Polygon& hole : piece.holes) add_ring(hole);
  }
  // Facing runs, unit by unit along each pair of columns or rows.
  for (const bool turned : {false, true}) {
    std::map<std::tuple<Coord, Coord, bool>, std::vector<Coord>> units;  // from, to, space: along
    const Coord x0 = turned ? all.y_min : all.x_min, x1 = turned ? all.y_max : all.x_max;
    const Coord y0 = turned ? all.x_min : all.y_min, y1 = turned ? all.x_max : all.y_max;
    for (Coord y = y0; y < y1; ++y) {
      Coord since = x0 - 100'000;
      bool before = false;
      for (Coord x = x0; x < x1; ++x) {
        const bool now = turned ? covered(4 * y + 2, 4 * x + 2) : covered(4 * x + 2, 4 * y + 2);
        if (now == before) continue;
        if (x - since <= (now ? spec.space : spec.width)) units[{since, x, now}].push_back(y);
        since = x;
        before = now;
      }
    }
    for (const auto& [pair, along] : units) {
      const auto& [from, to, space] = pair;
      const auto kind = space ? PointKind::kNarrowSpace : PointKind::kNarrowWidth;
      for (std::size_t i = 0; i < along.size();) {
        std::size_t end = i + 1;
        while (end < along.size() && along[end] == along[end - 1] + 1) ++end;
        const Coord low = along[i], high = along[end - 1] + 1;
        const auto put = [&](Coord twice) {
          const Point p = turned ? Point{twice, from + to} : Point{from + to, twice};
          places[p] |= set_of(kind);
        };
        if (high - low <= spec.radius) {
          put(low + high);
        } else {
          put(2 * low), put(2 * high);
        }
        i = end;
      }
    }
  }
  return places;
}

/// id -> places, each clip merged by itself.
std::map<std::string, std::uint64_t> classes_by_hand(const FlatView& view,
                                                     const PatternSpec& spec) {
  std::map<std::string, std::uint64_t> classes;
  for (const auto& [twice, kinds] : places_by_hand(view, spec)) {
    ++classes[pattern_id(clip_at(view, spec.layers, twice, spec.radius), spec.radius,
                         spec.layers.size())];
  }
  return classes;
}

std::map<std::string, std::uint64_t> classes_of(const ClipCensus& census) {
  std::map<std::string, std::uint64_t> classes;
  for (const ClipClass& c : census.classes) classes[c.id] += c.occurrences;
  return classes;
}

Layout turned(const std::vector<Box>& boxes, Orientation o, Point by) {
  std::vector<Box> moved;
  for (const Box& b : boxes) moved.push_back(geometry::Transform{o, by}(b));
  return layout_of(moved);
}

std::vector<Box> random_boxes(Random& random, int count, Coord extent) {
  std::vector<Box> boxes;
  for (int i = 0; i < count; ++i) {
    const Coord x = draw(random, 0, extent), y = draw(random, 0, extent);
    boxes.push_back({x, y, x + draw(random, 1, 14), y + draw(random, 1, 14)});
  }
  return boxes;
}

}  // namespace

TEST_CASE("pattern census: every place and class of random layouts is that found by hand",
          "[layout][pattern]") {
  Random random(11);
  for (int round = 0; round < 12; ++round) {
    const auto layout = layout_of(random_boxes(random, 60, 90));
    const auto view = view_of(layout).value();
    auto options = options_of(draw(random, 2, 11));
    options.spec.space = draw(random, 1, 9);
    options.tile = draw(random, 16, 60);
    const auto census = census_of(layout, options);
    CHECK(classes_of(census) == classes_by_hand(view, census.spec));
    const auto places = places_by_hand(view, census.spec);
    CHECK(census.places == places.size());
    std::array<std::uint64_t, kPointKinds> by_kind{};
    for (const auto& [at, kinds] : places) {
      for (std::size_t k = 0; k < kPointKinds; ++k) by_kind[k] += kinds >> k & 1u;
    }
    CHECK(census.by_kind == by_kind);
  }
}

TEST_CASE("pattern census: the same in all eight orientations and anywhere", "[layout][pattern]") {
  Random random(12);
  const auto boxes = random_boxes(random, 120, 150);
  const auto options = options_of(7);
  const auto whole = census_of(layout_of(boxes), options);
  for (int o = 0; o < 8; ++o) {
    const Point by{draw(random, -9999, 9999), draw(random, -9999, 9999)};
    const auto other = census_of(turned(boxes, static_cast<Orientation>(o), by), options);
    CHECK(other.classes == whole.classes);
    CHECK(other.by_kind == whole.by_kind);
  }
}

TEST_CASE("pattern census: hierarchy, tiles and threads change nothing", "[layout][pattern]") {
  Random random(13);
  std::uint64_t reused = 0;
  for (int round = 0; round < 20; ++round) {
    // A cell large enough to be counted in parts, in any orientation, now and then overlapping;
    // a middle cell of several of them; wires of the top cell across.
    LayoutBuilder builder(0.001);
    const auto leaf = builder.add_cell("leaf"), middle = builder.add_cell("middle"),
               top = builder.add_cell("top");
    for (const Box& b : random_boxes(random, 150, 130)) builder.add_box(leaf, {1, 0}, b);
    const auto place = [&](CellIndex parent, CellIndex child, Point at, bool array) {
      Instance instance;
      instance.cell = child;
      instance.orientation = static_cast<Orientation>(random.below(8));
      instance.displacement = geometry::narrow(at);
      if (array) {
        instance.columns = 2, instance.rows = 2;
        instance.column_step = {400, 0}, instance.row_step = {0, 400};
      }
      builder.add_instance(parent, instance);
    };
    place(middle, leaf, {0, 0}, false);
    place(middle, leaf, {draw(random, 120, 400), draw(random, 0, 30)}, false);
    for (const Box& b : random_boxes(random, 10, 300)) builder.add_box(middle, {1, 0}, b);
    place(top, middle, {0, 0}, false);
    place(top, middle, {draw(random, 300, 900), draw(random, 300, 900)}, round % 2 == 0);
    place(top, leaf, {draw(random, -400, 400), -700}, true);
    builder.add_box(top, {1, 0}, {-500, 40, 900, 45});
    const auto layout = builder.build().value();
    auto options = options_of(draw(random, 3, 6));
    options.tile = draw(random, 16, 80);
    const auto hierarchical = census_of(layout, options);
    options.reuse = false;
    options.tile = draw(random, 16, 300);
    const auto flat = census_of(layout, options);
    CHECK(hierarchical.classes == flat.classes);
    CHECK(hierarchical.by_kind == flat.by_kind);
    CHECK(hierarchical.places == flat.places);
    reused += hierarchical.places - std::min(hierarchical.places, hierarchical.looked_at);
    const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
    CHECK(census_of(layout, options).classes == flat.classes);
  }
  CHECK(reused > 0);
}

TEST_CASE("pattern census: an array of overlapping copies counts as its union",
          "[layout][pattern]") {
  LayoutBuilder builder(0.001), plain(0.001);
  const auto cell = builder.add_cell("cell"), top = builder.add_cell("top");
  builder.add_box(cell, {1, 0}, {0, 0, 300, 100});
  builder.add_box(cell, {1, 0}, {0, 200, 150, 240});
  Instance array;
  array.cell = cell;
  array.columns = 6, array.rows = 3;
  array.column_step = {200, 0}, array.row_step = {0, 90};
  builder.add_instance(top, array);
  const auto flat = plain.add_cell("top");
  for (std::int32_t c = 0; c < 6; ++c) {
    for (std::int32_t r = 0; r < 3; ++r) {
      plain.add_box(flat, {1, 0}, Box{0, 0, 300, 100}.moved({200 * c, 90 * r}));
      plain.add_box(flat, {1, 0}, Box{0, 200, 150, 240}.moved({200 * c, 90 * r}));
    }
  }
  const auto arrayed = builder.build().value(), drawn = plain.build().value();
  for (const Coord radius : {5, 60}) {
    const auto options = options_of(radius);
    CHECK(census_of(arrayed, options).classes == census_of(drawn, options).classes);
  }
}

TEST_CASE("pattern census: planted repeats are all found, in clips of metal and via",
          "[layout][pattern]") {
  Random random(14);
  LayoutBuilder builder(0.001);
  const auto top = builder.add_cell("top"), figure = builder.add_cell("figure");
  builder.add_box(figure, {1, 0}, {0, 0, 700, 100});
  builder.add_box(figure, {1, 0}, {0, 180, 260, 280});
  builder.add_box(figure, {2, 0}, {30, 30, 70, 70});
  for (int i = 0; i < 64; ++i) {
    Instance instance;
    instance.cell = figure;
    instance.orientation = static_cast<Orientation>(random.below(8));
    instance.displacement = {2000 * (i % 8) + static_cast<std::int32_t>(random.below(100)),
                             2000 * (i / 8) + static_cast<std::int32_t>(random.below(100))};
    builder.add_instance(top, instance);
  }
  const auto layout = builder.build().value();
  const auto view = view_of(layout).value();
  NoProgress progress;
  ClipCensusOptions options;
  options.spec.layers = {0, 1};
  options.spec.via_layers = {1};
  options.spec.radius = 150;
  options.spec.kinds = set_of(PointKind::kVia);
  const auto census = census_clips(view, options, progress).value();
  REQUIRE(census.classes.size() == 1);
  CHECK(census.classes[0].occurrences == 64);
  CHECK(census.by_kind[static_cast<std::size_t>(PointKind::kVia)] == 64);
  const std::vector<ClipWords> wanted{census.classes[0].words};
  const auto found =
      find_patterns(view, options.spec, wanted, std::nullopt, 1'000, progress).value();
  CHECK(found.counts == std::vector<std::uint64_t>{64});
  CHECK(found.places.size() == 64);
  std::vector<Point> places;
  for (const PatternPlace& p : found.places) places.push_back(p.point.twice);
  const auto classes = classify_places(view, options.spec.layers, 150, places, progress).value();
  CHECK(classes.classes == wanted);
}

TEST_CASE("pattern census: shapes of other angles are the same in all orientations",
          "[layout][pattern]") {
  const std::vector<Polygon> shapes{{{0, 0}, {400, 0}, {500, 100}, {500, 300}, {0, 300}},
                                    {{600, 0}, {900, 133}, {870, 280}, {610, 300}},
                                    {{-300, -50}, {100, -350}, {170, -200}}};
  std::optional<ClipCensus> first;
  for (int o = 0; o < 8; ++o) {
    LayoutBuilder builder(0.001);
    const auto top = builder.add_cell("top");
    for (const Polygon& shape : shapes) {
      std::vector<Point32> points;
      for (const Point p : shape) {
        points.push_back(
            geometry::narrow(geometry::Transform{static_cast<Orientation>(o), {37, -11}}(p)));
      }
      builder.add_polygon(top, {1, 0}, points);
    }
    builder.add_box(
        top, {1, 0},
        geometry::Transform{static_cast<Orientation>(o), {37, -11}}(Box{-200, 100, -40, 220}));
    const auto layout = builder.build().value();
    for (const Coord tile : {Coord{97}, Coord{5000}}) {
      auto options = options_of(120);
      options.tile = tile;
      const auto census = census_of(layout, options);
      if (!first) first = census;
      CHECK(census.by_kind == first->by_kind);
      CHECK(census.classes == first->classes);
    }
  }
  CHECK(first->places >= 15);
}

TEST_CASE("pattern clip: rings give back the clip, its area is that drawn", "[layout][pattern]") {
  Random random(15);
  for (int round = 0; round < 60; ++round) {
    const auto layout = layout_of(random_boxes(random, 40, 60));
    const auto view = view_of(layout).value();
    const Coord radius = draw(random, 3, 20);
    const Point at{draw(random, 0, 60), draw(random, 0, 60)};
    const std::vector<LayerIndex> layers{0};
    const auto words = clip_at(view, layers, {2 * at.x, 2 * at.y}, radius);
    CHECK(words_of_rings({clip_rings(words, 0, radius)}, radius) == words);
    double area = 0.0;
    for (const auto& r : clip_rects(words, 0, radius)) {
      area += (r.x_max - r.x_min) * (r.y_max - r.y_min);
    }
    CHECK(area / 4.0 ==
          view.area(0, Box{at.x - radius, at.y - radius, at.x + radius, at.y + radius}));
  }
}

TEST_CASE("pattern census: what cannot be counted is said", "[layout][pattern]") {
  const auto layout = layout_of({{0, 0, 10, 10}});
  const auto view = view_of(layout).value();
  NoProgress progress;
  const auto id = [&](const ClipCensusOptions& o) {
    return census_clips(view, o, progress).error().id;
  };
  CHECK(id(options_of(0)) == "PATT-0001");
  CHECK(id(options_of(kMaxClipRadius + 1)) == "PATT-0001");
  auto options = options_of(10);
  options.spec.layers = {};
  CHECK(id(options) == "PATT-0002");
  options.spec.layers = {0, 0};
  CHECK(id(options) == "PATT-0002");
  options = options_of(10);
  options.spec.kinds = 0;
  CHECK(id(options) == "PATT-0003");
  options = options_of(10);
  options.spec.jog = -1;
  CHECK(id(options) == "PATT-0003");
  options = options_of(10);
  options.tile = -5;
  CHECK(id(options) == "PATT-0004");
  // A window where nothing is drawn, and a single box.
  options = options_of(10);
  options.window = Box{500, 500, 600, 600};
  CHECK(census_of(layout, options).places == 0);
  const auto box = census_of(layout, options_of(10));
  CHECK(box.by_kind == std::array<std::uint64_t, kPointKinds>{4, 4, 0, 0, 0, 0, 0});
  CHECK(box.classes.size() == 2);
}

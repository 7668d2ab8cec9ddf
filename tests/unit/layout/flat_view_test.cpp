#include "engine/layout/flat_view.h"

#include <cmath>

#include "catch_portable.h"
#include "tests/unit/layout/random_layout.h"

using namespace yieldloop;
using namespace yieldloop::layout;
using namespace yieldloop::layout::test;

namespace {

Polygon corners(const Box& b) {
  return {{b.x_min, b.y_min}, {b.x_max, b.y_min}, {b.x_max, b.y_max}, {b.x_min, b.y_max}};
}

/// The same ring whatever corner or sense it starts with.
Polygon normal(Polygon p) {
  if (geometry::signed_area2(p) < 0) std::reverse(p.begin(), p.end());
  std::rotate(p.begin(), std::min_element(p.begin(), p.end()), p.end());
  return p;
}

Box bbox(const Polygon& p) {
  Box b;
  for (const Point q : p) b.include(q);
  return b;
}

geometry::ShapeHeap heap_of(const std::vector<Polygon>& polygons) {
  geometry::ShapeHeap heap;
  for (const Polygon& p : polygons) heap.add(p);
  return heap;
}

}  // namespace

TEST_CASE("flat view: windows of random hierarchies equal brute-force flattening",
          "[layout][view]") {
  Random random(42);
  for (int trial = 0; trial < 60; ++trial) {
    CAPTURE(trial);
    const auto plain = PlainLayout::draw_one(random, 1 + random.below(6), 3, trial % 2 == 0);
    const Layout layout = plain.build();
    const FlatView view(layout, *layout.find_cell("c" + std::to_string(plain.cells.size() - 1)));
    const auto flat = plain.flatten();
    CHECK(view.count_shapes_expanded(0) == flat.size());
    Box all;
    for (const Polygon& p : flat) all.include(bbox(p));
    CHECK(view.bbox() == all);
    for (int q = 0; q < 5; ++q) {
      const Point at{draw(random, -150, 150), draw(random, -150, 150)};
      const Box window{at.x, at.y, at.x + draw(random, 0, 120), at.y + draw(random, 0, 120)};
      std::multiset<Polygon> expected;
      for (const Polygon& p : flat)
        if (bbox(p).touches(window)) expected.insert(normal(p));
      std::multiset<Polygon> found;
      for (const PlacedShape& s : view.shapes_in(0, window))
        found.insert(normal(s.is_box ? corners(s.box) : s.points));
      CHECK(found == expected);
      CHECK(view.area(0, window) == geometry::union_area(heap_of(flat), window));
      CHECK(view.perimeter(0, window) ==
            Approx(geometry::union_perimeter(heap_of(flat), window)).margin(1e-9));
    }
  }
}

TEST_CASE("flat view: the path leads to the cell and the place", "[layout][view]") {
  LayoutBuilder builder(0.001);
  const CellIndex leaf = builder.add_cell("leaf");
  builder.add_box(leaf, {1, 0}, {0, 0, 10, 10});
  const CellIndex top = builder.add_cell("top");
  Instance array;
  array.cell = leaf;
  array.displacement = {1000, 2000};
  array.columns = 1000;
  array.rows = 2000;
  array.column_step = {20, 0};
  array.row_step = {0, 30};
  builder.add_instance(top, array);
  const Layout layout = builder.build().value();
  const FlatView view = view_of(layout).value();
  CHECK(view.top() == *layout.find_cell("top"));
  CHECK(view.instances_expanded() == 2000000);
  CHECK(view.count_shapes(0) == 1);
  CHECK(view.count_shapes_expanded(0) == 2000000);
  int seen = 0;
  view.for_each_shape(0, {1000 + 20 * 7, 2000 + 30 * 11, 1000 + 20 * 7 + 5, 2000 + 30 * 11 + 5},
                      [&](const FlatShape& shape) {
                        ++seen;
                        CHECK(shape.cell == *layout.find_cell("leaf"));
                        REQUIRE(shape.path.size() == 1);
                        CHECK(shape.path[0] == PathStep{0, 7, 11});
                        CHECK(shape.box == Box{1140, 2330, 1150, 2340});
                      });
  CHECK(seen == 1);
  CHECK(view.density(0, {1000, 2000, 1000 + 20 * 10, 2000 + 30 * 10}) == Approx(100.0 / 600.0));
}

TEST_CASE("flat view: counts saturate instead of wrapping", "[layout][view]") {
  LayoutBuilder builder(0.001);
  CellIndex below = builder.add_cell("c0");
  builder.add_box(below, {1, 0}, {0, 0, 1, 1});
  for (int level = 1; level <= 6; ++level) {
    const CellIndex cell = builder.add_cell("c" + std::to_string(level));
    Instance array;
    array.cell = below;
    array.columns = 32767;
    array.rows = 32767;
    builder.add_instance(cell, array);
    below = cell;
  }
  const Layout layout = builder.build().value();
  const FlatView view(layout, below);
  CHECK(view.count_shapes_expanded(0) == ~std::uint64_t{0});
  CHECK(view.instances_expanded() == ~std::uint64_t{0});
  CHECK(layout.shapes_expanded()[0] == ~std::uint64_t{0});
}

TEST_CASE("flat view: odd angles and magnifications", "[layout][view]") {
  LayoutBuilder builder(0.001);
  const CellIndex leaf = builder.add_cell("leaf");
  builder.add_box(leaf, {1, 0}, {0, 0, 1000, 500});
  const CellIndex top = builder.add_cell("top");
  Instance instance;
  instance.cell = leaf;
  instance.displacement = {100, 200};
  builder.add_instance(top, instance, false, 2.0, 30.0);
  const Layout layout = builder.build().value();
  const FlatView view(layout, top);
  CHECK(view.area(0, view.bbox()) == Approx(2000.0 * 1000.0).epsilon(2e-3));
  const auto shapes = view.shapes_in(0, view.bbox());
  REQUIRE(shapes.size() == 1);
  CHECK_FALSE(shapes[0].is_box);
  CHECK(shapes[0].points[0] == Point{100, 200});
  CHECK(shapes[0].points[1] == Point{100 + 1732, 200 + 1000});
  // A window beside the turned box finds nothing although the bounding boxes meet.
  CHECK(view.area(0, {100 + 1600, 200 + 10, 100 + 1700, 200 + 50}) == 0.0);
}

TEST_CASE("flat view: texts are placed", "[layout][view]") {
  LayoutBuilder builder(0.001);
  const CellIndex leaf = builder.add_cell("leaf");
  builder.add_text(leaf, {5, 1}, {10, 0}, "VDD");
  const CellIndex top = builder.add_cell("top");
  Instance instance;
  instance.cell = leaf;
  instance.orientation = geometry::Orientation::kR90;
  instance.displacement = {100, 100};
  builder.add_instance(top, instance);
  const Layout layout = builder.build().value();
  const FlatView view(layout, top);
  int seen = 0;
  view.for_each_text({100, 110, 100, 110}, [&](const FlatText& text) {
    ++seen;
    CHECK(text.string == "VDD");
    CHECK(text.key == LayerKey{5, 1});
    CHECK(text.at == Point{100, 110});
  });
  CHECK(seen == 1);
  CHECK(view.bbox().empty());
}

TEST_CASE("local features: wires of width 100 at space 60", "[layout][features]") {
  const Layout layout = layout_of({{0, 0, 5000, 100}, {0, 160, 5000, 260}, {6000, 0, 6100, 260}});
  const FlatView view(layout, 0);
  const auto inside = view.local_features(0, {2500, 30}, 500);
  CHECK(inside.covered);
  CHECK(inside.width == 100);
  CHECK(inside.space == 60);
  CHECK(inside.edge_distance == 30.0);
  const auto between = view.local_features(0, {2500, 120}, 500);
  CHECK_FALSE(between.covered);
  CHECK(between.width == -1);
  CHECK(between.space == 60);
  CHECK(between.edge_distance == 20.0);
  const auto far = view.local_features(0, {2500, 2000}, 500);
  CHECK(far == LocalFeatures{});
  const auto corner = view.local_features(0, {5030, 300}, 500);
  CHECK(corner.edge_distance == Approx(50.0));
  CHECK(view.local_features(0, {5500, 50}, 500).space == -1);
  CHECK(view.local_features(0, {5500, 50}, 1000).space == 1000);
}

TEST_CASE("local features: agree with a pixel walk on random layouts", "[layout][features]") {
  Random random(5);
  for (int trial = 0; trial < 30; ++trial) {
    CAPTURE(trial);
    const auto plain = PlainLayout::draw_one(random, 3, 4, true);
    const Layout layout = plain.build();
    const FlatView view(layout, *layout.find_cell("c2"));
    std::vector<Box> boxes;
    for (const Polygon& p : plain.flatten()) geometry::append_boxes(p, boxes);
    const auto drawn = [&](Point p) {
      return std::any_of(boxes.begin(), boxes.end(), [p](const Box& b) { return b.contains(p); });
    };
    for (int q = 0; q < 30; ++q) {
      const Point at{draw(random, -80, 80), draw(random, -80, 80)};
      const auto features = view.local_features(0, at, 40);
      CHECK(features.covered == drawn(at));
      double nearest = HUGE_VAL;
      for (const Box& b : boxes) nearest = std::min(nearest, geometry::distance(b, at));
      if (!features.covered) {
        CHECK(features.edge_distance == Approx(nearest <= 40.0 ? nearest : -1.0));
        const auto reach = [&](Point d) {
          for (Coord k = 1; k <= 100; ++k)
            if (drawn({at.x + k * d.x, at.y + k * d.y})) return k;
          return Coord{100000};
        };
        const Coord gap = std::min(reach({1, 0}) + reach({-1, 0}), reach({0, 1}) + reach({0, -1}));
        CHECK(features.space == (gap <= 40 ? gap : -1));
      }
    }
  }
}

TEST_CASE("clip: polygons of the union relative to the window", "[layout][view]") {
  const Layout layout = layout_of({{0, 0, 100, 100}, {50, 50, 200, 80}, {500, 500, 600, 600}});
  const FlatView view(layout, 0);
  const auto polygons = view.clip(0, {40, 40, 160, 160});
  REQUIRE(polygons.size() == 1);
  CHECK(std::abs(geometry::signed_area2(polygons[0])) / 2.0 == 60.0 * 60.0 + 60.0 * 30.0);
  CHECK(bbox(polygons[0]) == Box{0, 0, 120, 60});
}

TEST_CASE("layout builder: what it refuses and what it counts", "[layout][builder]") {
  {
    LayoutBuilder builder(0.001);
    const CellIndex a = builder.add_cell("a");
    const CellIndex b = builder.add_cell("b");
    Instance to;
    to.cell = b;
    builder.add_instance(a, to);
    to.cell = a;
    builder.add_instance(b, to);
    CHECK(builder.build().error().id == "LAYO-0001");
  }
  {
    LayoutBuilder builder(0.001);
    for (int i = 0; i <= kMaxDepth + 1; ++i) {
      const CellIndex cell = builder.add_cell("c" + std::to_string(i));
      if (i == 0) continue;
      Instance to;
      to.cell = cell - 1;
      builder.add_instance(cell, to);
    }
    CHECK(builder.build().error().id == "LAYO-0002");
  }
  LayoutBuilder builder(0.001);
  const CellIndex top = builder.add_cell("top");
  CHECK(builder.add_box(top, {9, 0}, {0, 0, 10, 10}) == Added::kBox);
  CHECK(builder.add_box(top, {9, 0}, {0, 0, 10, 0}) == Added::kNothing);
  CHECK(builder.add_box(top, {9, 0}, {0, 0, Coord{1} << 40, 1}) == Added::kTooFar);
  const std::vector<Point32> rectangle{{0, 0}, {0, 5}, {7, 5}, {7, 0}, {0, 0}};
  CHECK(builder.add_polygon(top, {3, 0}, rectangle) == Added::kBox);
  const std::vector<Point32> line{{0, 0}, {100, 0}};
  CHECK(builder.add_path(top, {3, 1}, line, {.width = 20}) == Added::kBox);
  const std::vector<Point32> edge{{0, 0}, {2147483647, 0}};
  CHECK(builder.add_path(top, {3, 1}, edge, {.width = 20, .ends = PathStyle::Ends::kHalfWidth}) ==
        Added::kTooFar);
  Instance ghost;
  ghost.cell = builder.cell("elsewhere");
  builder.add_instance(top, ghost);
  const Layout layout = builder.build().value();
  CHECK(layout.layers() == std::vector<LayerKey>{{3, 0}, {3, 1}, {9, 0}});
  CHECK(layout.unresolved_cells() == 1);
  CHECK(layout.top_cells() == std::vector<CellIndex>{*layout.find_cell("top")});
  CHECK(layout.shape_records() == std::vector<std::uint64_t>{1, 1, 2});
  CHECK(layout.cell(*layout.find_cell("top")).bbox == Box{0, -10, 100, 10});
  CHECK(view_of(layout, "nowhere").error().id == "LAYO-0004");
  CHECK(require_layer(layout, {4, 4}).error().id == "LAYO-0005");
  CHECK(view_of(LayoutBuilder(1.0).build().value()).error().id == "LAYO-0003");
  CHECK(parse_layer_key("68/20") == LayerKey{68, 20});
  CHECK(parse_layer_key("7") == LayerKey{7, 0});
  CHECK_FALSE(parse_layer_key("M1"));
  CHECK_FALSE(parse_layer_key("1/2/3"));
}

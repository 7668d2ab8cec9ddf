#include "engine/layout/shape_search.h"

#include <tbb/global_control.h>

#include <cmath>
#include <map>

#include "catch_portable.h"
#include "engine/layout/density_map.h"
#include "engine/layout/point_features.h"
#include "tests/unit/layout/random_layout.h"

using namespace yieldloop;
using namespace yieldloop::layout;
using namespace yieldloop::layout::test;

namespace {

NoProgress quiet;

CellIndex top_of(const Layout& layout, const PlainLayout& plain) {
  return *layout.find_cell("c" + std::to_string(plain.cells.size() - 1));
}

double distance_to(const Polygon& polygon, Point p) {
  return geometry::contains(polygon, p) ? 0.0 : geometry::distance_to_border(polygon, p);
}

std::multiset<double> near(const ShapeSearch& search, Point at, Coord radius) {
  std::multiset<double> found;
  search.for_each_near(at, radius, [&](const FlatShape&, double d) { found.insert(d); });
  return found;
}

}  // namespace

TEST_CASE("shape search: the shapes within a distance are those of the flattened layout",
          "[layout][search]") {
  Random random(21);
  for (int trial = 0; trial < 20; ++trial) {
    CAPTURE(trial);
    // Many shapes a cell in some, so that grids and trees are used.
    const PlainLayout plain = PlainLayout::draw_one(random, 5, trial % 3 == 0 ? 80 : 4, true);
    const Layout layout = plain.build();
    const std::vector<Polygon> flat = plain.flatten();
    const FlatView view(layout, top_of(layout, plain));
    const ShapeSearch search(view, {0});
    std::vector<Point> points;
    std::vector<Coord> radii;
    for (int k = 0; k < 40; ++k) {
      points.push_back({draw(random, view.bbox().x_min - 20, view.bbox().x_max + 20),
                        draw(random, view.bbox().y_min - 20, view.bbox().y_max + 20)});
      radii.push_back(draw(random, 0, 15));
    }
    const auto counts = count_shapes_near(search, points, radii, quiet).value();
    std::vector<std::multiset<double>> visited(points.size());
    std::size_t next = 0;
    const auto visit = [&](std::size_t i, std::span<const NearShape> shapes) {
      CHECK(i == next++);
      for (const NearShape& s : shapes) visited[i].insert(s.distance);
    };
    REQUIRE(shapes_near(search, points, radii, visit, quiet));
    for (std::size_t k = 0; k < points.size(); ++k) {
      std::multiset<double> expected;
      for (const Polygon& polygon : flat) {
        const double d = distance_to(polygon, points[k]);
        if (d <= static_cast<double>(radii[k])) expected.insert(d);
      }
      CHECK(near(search, points[k], radii[k]) == expected);
      CHECK(visited[k] == expected);
      CHECK(counts[k] == expected.size());
    }
  }
}

TEST_CASE("shape search: boxes on several layers, whatever the number of threads",
          "[layout][search]") {
  Random random(22);
  LayoutBuilder builder(0.001);
  const CellIndex leaf = builder.add_cell("leaf");
  const CellIndex top = builder.add_cell("top");
  for (int layer = 1; layer <= 3; ++layer)
    for (int i = 0; i < 30; ++i) {
      const Coord x = draw(random, 0, 400);
      const Coord y = draw(random, 0, 400);
      builder.add_box(leaf, {layer, 0}, {x, y, x + draw(random, 1, 90), y + draw(random, 1, 9)});
    }
  Instance instance;
  instance.cell = leaf;
  instance.columns = 30;
  instance.rows = 20;
  instance.column_step = {450, 0};
  instance.row_step = {0, 430};
  builder.add_instance(top, instance);
  instance = Instance{};
  instance.cell = leaf;
  instance.displacement = {9000, -4000};
  builder.add_instance(top, instance, true, 1.5, 30.0);
  const Layout layout = builder.build().value();
  const FlatView view(layout, top);
  const ShapeSearch search(view, {2, 0});
  std::vector<Point> points;
  std::vector<Coord> radii;
  for (int k = 0; k < 20000; ++k) {
    points.push_back({draw(random, 0, 13500), draw(random, -5000, 8600)});
    radii.push_back(draw(random, 1, 60));
  }
  const auto counts = count_shapes_near(search, points, radii, quiet).value();
  {
    const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
    CHECK(count_shapes_near(search, points, radii, quiet).value() == counts);
  }
  for (std::size_t k = 0; k < 400; ++k) {
    const Box window = Box{points[k].x, points[k].y, points[k].x, points[k].y}.enlarged(radii[k]);
    std::map<LayerIndex, std::multiset<Box>> expected;
    for (const LayerIndex layer : {2U, 0U})
      view.for_each_shape(layer, window,
                          [&](const FlatShape& s) { expected[layer].insert(s.box); });
    std::map<LayerIndex, std::multiset<Box>> found;
    search.for_each_in(window, [&](const FlatShape& s) { found[s.layer].insert(s.box); });
    CHECK(found == expected);
    std::uint32_t within = 0;
    search.for_each_near(points[k], radii[k],
                         [&](const FlatShape& s, double) { within += s.layer == 2 ? 1U : 0U; });
    CHECK(counts[2 * k] == within);
  }
}

TEST_CASE("shape search: odd shapes and odd questions", "[layout][search]") {
  LayoutBuilder builder(0.001);
  const CellIndex top = builder.add_cell("top");
  // A bow tie: both wings are inside. A diamond. Nothing on the second layer but a point.
  builder.add_polygon(top, {1, 0}, std::vector<Point32>{{0, 0}, {100, 100}, {100, 0}, {0, 100}});
  builder.add_polygon(top, {1, 0},
                      std::vector<Point32>{{300, 0}, {400, 100}, {300, 200}, {200, 100}});
  builder.add_polygon(top, {2, 0}, std::vector<Point32>{{5, 5}, {5, 5}, {5, 5}});
  builder.add_box(top, {3, 0}, {0, 0, 10, 10});
  const Layout layout = builder.build().value();
  const FlatView view(layout, top);
  const LayerIndex one = *layout.find_layer({1, 0});
  const ShapeSearch search(view, {one});
  CHECK(near(search, {10, 50}, 0).size() == 1);
  CHECK(near(search, {90, 50}, 0).size() == 1);
  CHECK(near(search, {50, 10}, 0).empty());
  // 50 from the bow tie's right side, 70.7 less its half diagonal from the diamond.
  const auto found = near(search, {150, 50}, 71);
  REQUIRE(found.size() == 2);
  CHECK(*found.begin() == 50.0);
  CHECK(*found.rbegin() == Approx(std::sqrt(2.0) * 50.0));
  CHECK(near(search, {150, 50}, 70).size() == 1);
  CHECK(ShapeSearch(view, {}).bbox().empty());
  CHECK(near(ShapeSearch(view, {}), {0, 0}, 100).empty());
  if (const auto two = layout.find_layer({2, 0}))
    CHECK(near(ShapeSearch(view, {*two}), {5, 5}, 100).empty());
  const std::vector<Point> points{{0, 0}};
  const std::vector<Coord> none;
  CHECK(count_shapes_near(search, points, none, quiet).error().id == "LAYO-0021");
  const std::vector<Coord> negative{-1};
  CHECK(count_shapes_near(search, points, negative, quiet).error().id == "LAYO-0021");
  CHECK(count_shapes_near(search, {}, {}, quiet).value().empty());
}

TEST_CASE("nearest edge: the border of the union, not of the shapes", "[layout][search]") {
  const Layout layout = layout_of({{0, 0, 100, 100}, {90, 0, 300, 100}, {500, 0, 600, 100}});
  const ShapeSearch search(FlatView(layout, 0), {0});
  const NearestEdge inside = search.nearest_edge(0, {95, 60}, 1000).value();
  CHECK(inside.inside);
  CHECK(inside.distance == 40.0);
  CHECK(inside.foot_x == 95.0);
  CHECK(inside.foot_y == 100.0);
  const NearestEdge corner = search.nearest_edge(0, {330, 140}, 1000).value();
  CHECK_FALSE(corner.inside);
  CHECK(corner.distance == 50.0);
  CHECK(corner.foot_x == 300.0);
  CHECK(corner.foot_y == 100.0);
  CHECK_FALSE(search.nearest_edge(0, {400, 50}, 99));
  CHECK(search.nearest_edge(0, {400, 50}, 100));
}

TEST_CASE("density map: every tile as measured by itself", "[layout][density]") {
  Random random(23);
  for (int trial = 0; trial < 10; ++trial) {
    CAPTURE(trial);
    const PlainLayout plain = PlainLayout::draw_one(random, 5, 5, true);
    const Layout layout = plain.build();
    const FlatView view(layout, top_of(layout, plain));
    DensityMapOptions options;
    options.tile = 37;
    options.perimeter = true;
    const DensityMap map = density_map(view, {0}, options, quiet).value();
    double area = 0.0;
    double border = 0.0;
    for (std::size_t row = 0; row < map.rows; ++row)
      for (std::size_t column = 0; column < map.columns; ++column) {
        const Box tile = map.tile_box(column, row);
        CHECK(map.area[map.at(0, column, row)] == view.area(0, tile));
        CHECK(map.density(0, column, row) == view.density(0, tile));
        area += map.area[map.at(0, column, row)];
        border += map.perimeter[map.at(0, column, row)];
      }
    CHECK(area == view.area(0, view.bbox()));
    CHECK(border == view.perimeter(0, view.bbox()));
  }
  const Layout layout = layout_of({{0, 0, 10, 10}});
  DensityMapOptions options;
  options.tile = 0;
  CHECK(density_map(FlatView(layout, 0), {0}, options, quiet).error().id == "LAYO-0022");
  options.tile = 10;
  options.window = Box{};
  CHECK(density_map(FlatView(layout, 0), {0}, options, quiet).value().area.empty());
}

namespace {

PointFeatureOptions small_options() {
  PointFeatureOptions options;
  options.layers = {{0, "m1"}};
  options.density_radii_um = {0.015, 0.04};
  options.gradient_radius_um = 0.01;
  options.count_radius_um = 0.02;
  options.reach_um = 0.03;
  options.line_end_um = 0.006;
  options.cell_reach_um = 0.05;
  options.smallest_cell_um = 0.002;
  return options;
}

double value(const PointFeatures& table, std::size_t row, std::string_view name) {
  const auto it = std::find(table.names.begin(), table.names.end(), name);
  REQUIRE(it != table.names.end());
  return table
      .values[row * table.names.size() + static_cast<std::size_t>(it - table.names.begin())];
}

}  // namespace

TEST_CASE("point features: as the flat view measures them", "[layout][features]") {
  Random random(24);
  for (int trial = 0; trial < 6; ++trial) {
    CAPTURE(trial);
    const PlainLayout plain = PlainLayout::draw_one(random, 4, 6, true);
    const Layout layout = plain.build();
    const FlatView view(layout, top_of(layout, plain));
    const PointFeatureOptions options = small_options();
    std::vector<Point> points;
    for (int k = 0; k < 40; ++k)
      points.push_back({draw(random, view.bbox().x_min, view.bbox().x_max),
                        draw(random, view.bbox().y_min, view.bbox().y_max)});
    const PointFeatures table = point_features(view, options, points, quiet).value();
    CHECK(table.names == point_feature_names(layout, options));
    REQUIRE(table.values.size() == points.size() * table.names.size());
    for (std::size_t k = 0; k < points.size(); ++k) {
      CAPTURE(k);
      const Point p = points[k];
      const Box window = Box{p.x, p.y, p.x, p.y}.enlarged(15);
      CHECK(value(table, k, "m1.density_r0.015um") == Approx(view.density(0, window)));
      geometry::ShapeHeap heap;
      for (const PlacedShape& s : view.shapes_in(0, window.enlarged(2)))
        s.is_box ? heap.add(s.box) : heap.add(s.points);
      CHECK(value(table, k, "m1.perimeter_r0.015um") ==
            Approx(geometry::union_perimeter(heap, window, true, true) / 900.0 / 0.001));
      const LocalFeatures local = view.local_features(0, p, 30);
      CHECK(value(table, k, "m1.covered") == (local.covered ? 1.0 : 0.0));
      CHECK(value(table, k, "m1.space_um") ==
            Approx(local.space < 0 ? 0.03 : 0.001 * static_cast<double>(local.space)));
      const double width = !local.covered    ? 0.0
                           : local.width < 0 ? 0.06
                                             : 0.001 * static_cast<double>(local.width);
      CHECK(value(table, k, "m1.width_um") == Approx(width));
    }
    // A row does not depend on the others.
    const PointFeatures alone =
        point_features(view, options, std::span(points).subspan(7, 1), quiet).value();
    CHECK(std::equal(alone.values.begin(), alone.values.end(),
                     table.values.begin() + static_cast<std::ptrdiff_t>(7 * table.names.size())));
    CHECK(alone.cells.front() == table.cells[7]);
  }
}

TEST_CASE("point features: a hand-worked place", "[layout][features]") {
  LayoutBuilder builder(0.001);
  const CellIndex leaf = builder.add_cell("leaf");
  const CellIndex top = builder.add_cell("top");
  // Two wires 60 apart, the lower with a line end at x = 1000; a cut near it.
  builder.add_box(leaf, {1, 0}, {0, 0, 1000, 100});
  builder.add_box(leaf, {1, 0}, {0, 160, 2000, 260});
  builder.add_box(leaf, {2, 0}, {900, 20, 960, 80});
  builder.add_box(leaf, {3, 0}, {880, 0, 1000, 400});
  Instance instance;
  instance.cell = leaf;
  instance.displacement = {5000, 5000};
  builder.add_instance(top, instance);
  const Layout layout = builder.build().value();
  const FlatView view(layout, top);
  PointFeatureOptions options;
  options.layers = {{0, "m1"}};
  options.vias = {{{1, 0, 2}, "v1"}};
  options.density_radii_um = {0.1};
  options.count_radius_um = 0.2;
  options.reach_um = 0.5;
  options.line_end_um = 0.1;
  const std::vector<Point> points{{5930, 5130}, {5500, 5050}, {9000, 9000}};
  const PointFeatures table = point_features(view, options, points, quiet).value();
  CHECK(value(table, 0, "m1.covered") == 0.0);
  CHECK(value(table, 0, "m1.space_um") == Approx(0.06));
  CHECK(value(table, 0, "m1.edge_um") == Approx(0.03));
  // The gap's edges face each other from 500 left of the point to the line end 70 right of it.
  CHECK(value(table, 0, "m1.facing_run_um") == Approx(0.57));
  CHECK(value(table, 0, "m1.line_ends") == 1.0);
  CHECK(value(table, 0, "m1.outer_corners") == 2.0);
  CHECK(value(table, 0, "m1.inner_corners") == 0.0);
  CHECK(value(table, 0, "m1.density_r0.1um") == Approx(1.0 - 60.0 / 200.0 - 0.35 * 0.15));
  CHECK(value(table, 0, "v1.cuts") == 1.0);
  CHECK(value(table, 0, "v1.single_cuts") == 1.0);
  CHECK(value(table, 0, "v1.cut_um") == Approx(0.05));
  CHECK(value(table, 0, "v1.enclosure_um") == Approx(0.02));
  CHECK(value(table, 0, "cell_edge_um") == Approx(0.13));
  CHECK(value(table, 0, "macro_edge_um") == Approx(5.0));
  CHECK(table.cells[0] == leaf);
  CHECK(table.cells[2] == top);
  CHECK(cell_path_at(view, points[0]) == "top/leaf");
  CHECK(value(table, 1, "m1.covered") == 1.0);
  CHECK(value(table, 1, "m1.width_um") == Approx(0.1));
  CHECK(value(table, 1, "m1.space_um") == Approx(0.06));
  CHECK(value(table, 2, "m1.space_um") == Approx(0.5));
  CHECK(value(table, 2, "v1.cut_um") == Approx(0.5));
  PointFeatureOptions bad = options;
  bad.reach_um = 0.0;
  CHECK(point_features(view, bad, points, quiet).error().id == "LAYO-0020");
  bad = options;
  bad.layers = {{99, ""}};
  CHECK(point_features(view, bad, points, quiet).error().id == "LAYO-0020");
}

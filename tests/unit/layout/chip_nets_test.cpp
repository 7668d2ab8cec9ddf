#include "engine/layout/chip_nets.h"

#include <map>
#include <set>

#include "catch_portable.h"
#include "engine/layout/net_touch.h"
#include "tests/unit/layout/net_layouts.h"

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

ChipNets nets_of(const FlatView& view, const NetOptions& options = {}) {
  return extract_nets(view, two_metals(view.layout()), options, quiet).value();
}

/// Counts, the partition of all shapes, and what for_each_net and measure say, against the slow
/// way. Points that shapes of several nets hold after rounding say nothing.
void check_against_slow(const FlatView& view, const NetOptions& options, bool rounded) {
  const NetStack stack = two_metals(view.layout());
  const SlowNets slow(view, stack, options.window);
  const ChipNets nets = extract_nets(view, stack, options, quiet).value();
  const auto [count, cuts] = slow.count();
  CHECK(nets.summary().nets == count);
  CHECK(nets.summary().lone_cuts == cuts);
  if (rounded) return;
  std::map<NetId, std::size_t> group_of;
  std::map<std::size_t, NetId> net_of;
  std::map<std::size_t, std::pair<std::uint64_t, Box>> drawn;
  for (std::size_t i = 0; i < slow.shapes.size(); ++i) {
    const Polygon seen = slow.seen(slow.shapes[i], 0);
    const auto net = nets.net_at(slow.shapes[i].layer, seen[0]);
    REQUIRE(net.has_value());
    const std::size_t group = slow.root(i);
    CHECK(group_of.try_emplace(*net, group).first->second == group);
    CHECK(net_of.try_emplace(group, *net).first->second == *net);
    drawn[group].first += slow.conducts(i);
    drawn[group].second.include(SlowNets::hull(seen));
  }
  std::set<NetId> listed;
  nets.for_each_net([&](NetId net) { return listed.insert(net).second; });
  CHECK(listed.size() == count);
  for (const auto& [group, net] : net_of) {
    const NetMeasure measure = nets.measure(net);
    CHECK(measure.shapes == drawn[group].first);
    CHECK(measure.bbox == drawn[group].second);
    CHECK((listed.count(net) == 1) == (measure.shapes > 0));
    std::uint64_t walked = 0;
    nets.for_each_shape(net, [&](LayerIndex, const PlacedShape&) { ++walked; });
    CHECK(walked == measure.shapes + measure.cuts);
  }
}

Layout boxes_and_texts(const std::vector<std::pair<LayerKey, Box>>& boxes,
                       const std::vector<std::tuple<LayerKey, Point32, std::string>>& texts = {}) {
  LayoutBuilder builder(0.001);
  const CellIndex top = builder.add_cell("top");
  for (const auto& [key, box] : boxes) builder.add_box(top, key, box);
  for (const auto& [key, at, text] : texts) builder.add_text(top, key, at, text);
  return builder.build().value();
}

}  // namespace

TEST_CASE("net touch: closed shapes that share a point, and only those", "[layout][nets]") {
  const std::vector<Point> triangle{{0, 0}, {10, 0}, {0, 10}};
  CHECK(touching(Box{5, 5, 9, 9}, triangle));        // Its corner lies on the long side.
  CHECK_FALSE(touching(Box{6, 5, 9, 9}, triangle));  // One unit off.
  CHECK(touching(Box{1, 1, 2, 2}, triangle));        // Inside.
  CHECK(touching(Box{-5, -5, 20, 20}, triangle));    // Around.
  CHECK(touching(Box{10, -4, 12, 0}, triangle));     // Corner to corner.
  CHECK_FALSE(touching(Box{11, -4, 12, 0}, triangle));
  const std::vector<Point> far{{10, 10}, {5, 5}, {12, 4}};  // A corner on the long side.
  CHECK(touching(triangle, far));
  const std::vector<Point> inner{{1, 1}, {2, 1}, {1, 2}};
  CHECK(touching(triangle, inner));
  CHECK(touching(inner, triangle));
  const std::vector<Point> ring{{-9, -9}, {30, -9}, {30, 30}, {-9, 30}, {-9, -9},
                                {-5, -5}, {-5, 25}, {25, 25}, {25, -5}, {-5, -5}};
  CHECK_FALSE(touching(triangle, ring));  // In its hole.
  CHECK_FALSE(touching(Box{0, 0, 1, 1}, ring));
}

TEST_CASE("chip nets: edges and corners connect, a gap of one unit does not", "[layout][nets]") {
  const LayerKey m1{1, 0}, m2{2, 0}, cut{10, 0};
  const auto count = [](const std::vector<std::pair<LayerKey, Box>>& boxes) {
    const Layout layout = boxes_and_texts(boxes);
    return nets_of(view_of(layout).value()).summary().nets;
  };
  CHECK(count({{m1, {0, 0, 10, 10}}, {m1, {10, 0, 20, 10}}}) == 1);
  CHECK(count({{m1, {0, 0, 10, 10}}, {m1, {10, 10, 20, 20}}}) == 1);
  CHECK(count({{m1, {0, 0, 10, 10}}, {m1, {11, 0, 20, 10}}}) == 2);
  CHECK(count({{m1, {0, 0, 10, 10}}, {m2, {0, 0, 10, 10}}}) == 2);
  CHECK(count({{m1, {0, 0, 10, 10}}, {m2, {0, 0, 10, 10}}, {cut, {4, 4, 6, 6}}}) == 1);
  CHECK(count({{m1, {0, 0, 10, 10}}, {m2, {20, 0, 30, 10}}, {cut, {10, 10, 20, 12}}}) == 1);
}

TEST_CASE("chip nets: random hierarchies equal the flat, slow way", "[layout][nets]") {
  Random random(7);
  for (int trial = 0; trial < 120; ++trial) {
    CAPTURE(trial);
    const Layout layout =
        draw_net_layout(random, 1 + random.below(4), 3, {.arrays = trial % 2 == 0, .reach = 60});
    check_against_slow(view_of(layout, "top").value(), {}, false);
  }
}

TEST_CASE("chip nets: large overlapping arrays equal the flat, slow way", "[layout][nets]") {
  Random random(11);
  for (int trial = 0; trial < 12; ++trial) {
    CAPTURE(trial);
    LayoutBuilder builder(0.001);
    const CellIndex leaf = builder.add_cell("leaf");
    for (int i = 0; i < 3; ++i) draw_shape(random, builder, leaf);
    const CellIndex top = builder.add_cell("top");
    for (int i = 0; i < 2; ++i) {
      Instance array;
      array.cell = leaf;
      array.orientation = static_cast<geometry::Orientation>(random.below(8));
      array.columns = 3 + static_cast<std::uint32_t>(random.below(9));
      array.rows = 3 + static_cast<std::uint32_t>(random.below(9));
      // From copies that cover several others to copies that just miss.
      array.column_step = {static_cast<std::int32_t>(draw(random, 4, 70)),
                           static_cast<std::int32_t>(draw(random, -3, 3))};
      array.row_step = {static_cast<std::int32_t>(draw(random, -3, 3)),
                        static_cast<std::int32_t>(draw(random, -70, 70))};
      builder.add_instance(top, array);
    }
    draw_shape(random, builder, top);
    const Layout layout = builder.build().value();
    check_against_slow(view_of(layout, "top").value(), {}, false);
  }
}

TEST_CASE("chip nets: cells at odd angles", "[layout][nets]") {
  Random random(13);
  for (int trial = 0; trial < 60; ++trial) {
    CAPTURE(trial);
    const Layout layout = draw_net_layout(random, 2 + random.below(3), 3,
                                          {.arrays = trial % 3 == 0, .degrees = 37.0, .reach = 40});
    check_against_slow(view_of(layout, "top").value(), {}, true);
  }
}

TEST_CASE("chip nets: a window sees what touches it", "[layout][nets]") {
  Random random(17);
  for (int trial = 0; trial < 60; ++trial) {
    CAPTURE(trial);
    const Layout layout =
        draw_net_layout(random, 1 + random.below(4), 4, {.arrays = trial % 2 == 0});
    const Point at{draw(random, -120, 120), draw(random, -120, 120)};
    const Box window{at.x, at.y, at.x + draw(random, 0, 150), at.y + draw(random, 0, 150)};
    check_against_slow(view_of(layout, "top").value(), {.window = window}, false);
  }
}

TEST_CASE("chip nets: every orientation of a chip has the same nets", "[layout][nets]") {
  Random random(19);
  const Layout drawn = draw_net_layout(random, 4, 5, {.arrays = true});
  const std::uint64_t expected = nets_of(view_of(drawn, "top").value()).summary().nets;
  for (int o = 0; o < 8; ++o) {
    Random again(19);
    const Layout layout = draw_net_layout(again, 4, 5, {.arrays = true});
    const FlatView view = view_of(layout, "top").value();
    LayoutBuilder builder(0.001);
    const CellIndex flat = builder.add_cell("flat");
    const CellIndex top = builder.add_cell("turned");
    const NetStack stack = two_metals(layout);
    const auto copy = [&](LayerIndex layer) {
      view.for_each_shape(layer, view.bbox(), [&](const FlatShape& s) {
        if (s.is_box) {
          builder.add_box(flat, layout.layers()[layer], s.box);
          return;
        }
        std::vector<Point32> points;
        for (const Point p : s.points) points.push_back(geometry::narrow(p));
        builder.add_polygon(flat, layout.layers()[layer], points);
      });
    };
    for (const LayerIndex layer : stack.conductors) copy(layer);
    for (const ViaLayer& via : stack.vias) copy(via.cut);
    Instance placed;
    placed.cell = flat;
    placed.orientation = static_cast<geometry::Orientation>(o);
    builder.add_instance(top, placed);
    const Layout turned = builder.build().value();
    CHECK(nets_of(view_of(turned, "turned").value()).summary().nets == expected);
  }
}

TEST_CASE("chip nets: an array of many cells costs its borders", "[layout][nets]") {
  // Words run through 30,000 columns of 20,000 rows; each copy also has a piece of its own.
  LayoutBuilder builder(0.001);
  const CellIndex bit = builder.add_cell("bit");
  builder.add_box(bit, {1, 0}, {0, 0, 10, 2});
  builder.add_box(bit, {1, 0}, {3, 4, 5, 6});
  const CellIndex top = builder.add_cell("top");
  Instance array;
  array.cell = bit;
  array.columns = 30'000;
  array.rows = 20'000;
  array.column_step = {10, 0};
  array.row_step = {0, 10};
  builder.add_instance(top, array);
  builder.add_box(top, {1, 0}, {-10, 0, -5, 35});  // Beside the first four words.
  builder.add_box(top, {1, 0}, {-5, 0, 0, 1});     // Joins the first.
  builder.add_text(top, {1, 5}, {-7, 20}, "word");
  const Layout layout = builder.build().value();
  const ChipNets nets = nets_of(view_of(layout).value());
  CHECK(nets.summary().nets == 20'000ULL + 30'000ULL * 20'000ULL);
  CHECK(nets.summary().cells < 200);
  const LayerIndex metal = *layout.find_layer({1, 0});
  const auto word = nets.net_at(metal, {299'999, 1});
  REQUIRE(word.has_value());
  CHECK(nets.net_at(metal, {-10, 35}) == word);
  CHECK(nets.measure(*word).shapes == 30'002);
  CHECK(nets.measure(*word).bbox == Box{-10, 0, 300'000, 35});
  CHECK(nets.names(*word).first == "word");
  CHECK(nets.named("word") == std::vector<NetId>{*word});
  CHECK(nets.net_at(metal, {0, 11}) != word);
  CHECK(nets.net_at(metal, {0, 11}) == nets.net_at(metal, {299'999, 12}));
  CHECK(nets.net_at(metal, {14, 5}) != nets.net_at(metal, {24, 5}));
  CHECK_FALSE(nets.net_at(metal, {2, 5}).has_value());
}

TEST_CASE("chip nets: repeated shapes are connected among themselves", "[layout][nets]") {
  LayoutBuilder builder(0.001);
  const CellIndex top = builder.add_cell("top");
  Repetition grid;
  grid.columns = 4'000;
  grid.rows = 3'000;
  grid.column_step = {6, 0};
  grid.row_step = {0, 20};
  builder.add_box(top, {1, 0}, {0, 0, 6, 4}, grid);
  grid.columns = 5;
  grid.rows = 5;
  builder.add_box(top, {2, 0}, {0, 0, 5, 4}, grid);
  const Layout layout = builder.build().value();
  const ChipNets nets = nets_of(view_of(layout).value());
  CHECK(nets.summary().nets == 3'000 + 25);
}

TEST_CASE("chip nets: texts name nets and tell opens", "[layout][nets]") {
  const LayerKey m1{1, 0};
  const Layout layout = boxes_and_texts(
      {{m1, {0, 0, 10, 10}}, {m1, {20, 0, 30, 10}}, {m1, {40, 0, 50, 10}}, {{2, 0}, {0, 0, 9, 9}}},
      {{{1, 16}, {5, 5}, "vdd"},
       {{1, 5}, {10, 10}, "power"},
       {{1, 5}, {25, 5}, "vdd"},
       {{1, 5}, {35, 5}, "nothing"},
       {{7, 0}, {45, 5}, "out"},
       {{8, 0}, {45, 5}, "unused"}});
  NetStack stack = two_metals(layout);
  stack.labels.push_back({{7, 0}, stack.conductors[0]});
  const ChipNets nets = extract_nets(view_of(layout).value(), stack, {}, quiet).value();
  const auto at = [&](Point p) { return nets.names(*nets.net_at(stack.conductors[0], p)); };
  CHECK(at({1, 1}) == NetNames{"power", {"power", "vdd"}, 2});
  CHECK(at({21, 1}) == NetNames{"vdd", {"vdd"}, 1});
  CHECK(at({41, 1}).first == "out");
  CHECK(nets.names(*nets.net_at(stack.conductors[1], {1, 1})) == NetNames{});
  CHECK(nets.summary().labels == 5);
  CHECK(nets.summary().loose_labels == 1);
  CHECK(nets.summary().possible_opens == std::vector<PossibleOpen>{{0, "vdd", 2}});
  CHECK(nets.named("vdd").size() == 2);
  CHECK(nets.named("unused").empty());
  CHECK(net_caveats(nets.summary(), layout).size() == 2);
}

TEST_CASE("chip nets: names of lower cells, and texts that stand on metal drawn above",
          "[layout][nets]") {
  LayoutBuilder builder(0.001);
  const CellIndex leaf = builder.add_cell("leaf");
  builder.add_box(leaf, {1, 0}, {0, 0, 10, 10});
  builder.add_box(leaf, {1, 0}, {20, 0, 30, 10});
  builder.add_text(leaf, {1, 5}, {5, 5}, "a");
  builder.add_text(leaf, {1, 5}, {15, 5}, "through");
  builder.add_text(leaf, {1, 5}, {25, 5}, "a");
  const CellIndex top = builder.add_cell("top");
  for (const Point32 at : {Point32{0, 0}, Point32{100, 0}}) {
    Instance placed;
    placed.cell = leaf;
    placed.displacement = at;
    builder.add_instance(top, placed);
  }
  builder.add_box(top, {1, 0}, {110, 4, 120, 6});
  const Layout layout = builder.build().value();
  const ChipNets nets = nets_of(view_of(layout).value());
  CHECK(nets.summary().nets == 3);
  CHECK(nets.summary().loose_labels == 1);
  const auto joined = nets.net_at(0, {101, 1});
  CHECK(nets.net_at(0, {121, 1}) == joined);
  CHECK(nets.names(*joined).all == std::vector<std::string>{"leaf/a", "leaf/through"});
  CHECK(nets.named("leaf/a").size() == 3);
  // Joined by one placement, but by that one both pieces: it may be meant so.
  CHECK(nets.summary().possible_opens.empty());
}

TEST_CASE("chip nets: what a net measures", "[layout][nets]") {
  // A cross of two wires of width 2 with a pad inside, and a via to a square.
  const LayerKey m1{1, 0}, m2{2, 0}, cut{10, 0};
  const Layout layout = boxes_and_texts({{m1, {0, 9, 20, 11}},
                                         {m1, {9, 0, 11, 20}},
                                         {m1, {9, 9, 11, 11}},
                                         {cut, {10, 10, 11, 11}},
                                         {m2, {9, 9, 13, 13}}});
  const ChipNets nets = nets_of(view_of(layout).value());
  const NetMeasure measure = nets.measure(*nets.net_at(*layout.find_layer(m1), {0, 9}));
  CHECK(measure.shapes == 4);
  CHECK(measure.cuts == 1);
  CHECK(measure.bbox == Box{0, 0, 20, 20});
  REQUIRE(measure.layers.size() == 2);
  CHECK(measure.layers[0] == NetLayer{*layout.find_layer(m1), 76.0, 40.0});
  CHECK(measure.layers[1] == NetLayer{*layout.find_layer(m2), 16.0, 4.0});
}

TEST_CASE("chip nets: what it refuses", "[layout][nets][error]") {
  const LayerKey m1{1, 0}, m2{2, 0}, cut{10, 0};
  const Layout layout =
      boxes_and_texts({{m1, {0, 0, 1, 1}}, {m2, {0, 0, 1, 1}}, {cut, {0, 0, 1, 1}}});
  const FlatView view = view_of(layout).value();
  const LayerIndex a = *layout.find_layer(m1), b = *layout.find_layer(m2),
                   c = *layout.find_layer(cut);
  const auto id = [&](const NetStack& stack) {
    return extract_nets(view, stack, {}, quiet).error().id;
  };
  CHECK(id({}) == "NETS-0001");
  CHECK(id({.conductors = {a, a}, .vias = {}, .labels = {}}) == "NETS-0002");
  CHECK(id({.conductors = {a}, .vias = {{c, a, b}}, .labels = {}}) == "NETS-0002");
  CHECK(id({.conductors = {a, b}, .vias = {{a, a, b}}, .labels = {}}) == "NETS-0002");
  CHECK(id({.conductors = {a}, .vias = {}, .labels = {{{1, 5}, b}}}) == "NETS-0002");
  Cancelled stop;
  CHECK(extract_nets(view, {.conductors = {a}, .vias = {}, .labels = {}}, {}, stop).error().id ==
        "LAYO-0007");
}

TEST_CASE("chip nets: copies beyond numbering are refused, an empty window is not",
          "[layout][nets][error]") {
  LayoutBuilder builder(0.001);
  CellIndex below = builder.add_cell("c0");
  builder.add_box(below, {1, 0}, {0, 0, 1, 1});
  for (int level = 1; level <= 3; ++level) {
    const CellIndex cell = builder.add_cell("c" + std::to_string(level));
    Instance array;
    array.cell = below;
    array.columns = 30'000;
    array.rows = 30'000;
    array.column_step = {level == 1 ? 2 : 60'000, 0};
    array.row_step = {0, level == 1 ? 2 : 60'000};
    builder.add_instance(cell, array);
    below = cell;
  }
  const Layout layout = builder.build().value();
  const NetStack stack = two_metals(layout);
  CHECK(nets_of(view_of(layout, "c1").value()).summary().nets == 900'000'000);
  const Box far{-500, -500, -400, -400};
  const ChipNets none = nets_of(view_of(layout, "c1").value(), {.window = far});
  CHECK(none.summary() == NetSummary{});
  CHECK_FALSE(none.net_at(0, {0, 0}).has_value());
}

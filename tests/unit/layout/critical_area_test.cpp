#include "engine/layout/critical_area.h"

#include <cmath>
#include <functional>
#include <numeric>

#include "catch_portable.h"
#include "engine/layout/layer_pieces.h"
#include "tests/unit/layout/random_layout.h"

using namespace yieldloop;
using namespace yieldloop::layout;
using namespace yieldloop::layout::test;

namespace {

NoProgress quiet;

/// Two wires of 1000 um, 100 nm wide, `space` nm apart, drawn along x.
Layout two_wires(Coord space) {
  return layout_of({{0, 0, 1000000, 100}, {0, 100 + space, 1000000, 200 + space}});
}

double compute(const Layout& layout, const CriticalAreaOptions& options) {
  return critical_area(FlatView(layout, layout.top_cells()[0]), 0, options, quiet).value().um2;
}

std::vector<Box> random_wires(Random& random, int count) {
  std::vector<Box> boxes;
  for (int i = 0; i < count; ++i) {
    const Coord x = draw(random, 0, 1500);
    const Coord y = draw(random, 0, 1500);
    const Coord length = draw(random, 150, 900);
    const Coord width = draw(random, 40, 110);
    boxes.push_back(random.chance(0.5) ? Box{x, y, x + length, y + width}
                                       : Box{x, y, x + width, y + length});
  }
  return boxes;
}

/// Which net each box belongs to: boxes that share an edge's length or area are one.
std::vector<std::size_t> nets_of(const std::vector<Box>& boxes) {
  std::vector<std::size_t> net(boxes.size());
  std::iota(net.begin(), net.end(), std::size_t{0});
  const std::function<std::size_t(std::size_t)> root = [&](std::size_t i) {
    return net[i] == i ? i : net[i] = root(net[i]);
  };
  for (std::size_t i = 0; i < boxes.size(); ++i)
    for (std::size_t k = 0; k < i; ++k) {
      const Box common = boxes[i].intersection(boxes[k]);
      if (!common.empty() && (common.width() > 0 || common.height() > 0)) net[root(i)] = root(k);
    }
  for (std::size_t i = 0; i < boxes.size(); ++i) net[i] = root(i);
  return net;
}

}  // namespace

TEST_CASE("critical area: two parallel wires without ends", "[layout][critical_area]") {
  // L x0^2 / s up to infinity; the part above x_max = 100 um is 2 x0^2 L (1/x_max - s/(2 x_max^2)).
  for (const double s : {0.1, 0.2}) {
    const Layout layout = two_wires(static_cast<Coord>(std::lround(s * 1000)));
    CriticalAreaOptions options;
    options.x_max_um = 100.0;
    options.tile_um = 2000.0;
    options.window = Box{0, -100000, 1000000, 100000};
    const double tail = 2.0 * 0.0025 * 1000.0 * (1.0 / 100.0 - s / 2e4);
    const double short_area = compute(layout, options);
    CHECK(short_area + tail == Approx(1000.0 * 0.0025 / s).epsilon(1e-9));
    options.law = SizeLaw::kPeaked;
    CHECK(compute(layout, options) == Approx(short_area / 2.0).epsilon(1e-9));
  }
  CriticalAreaOptions options;
  options.x_max_um = 100.0;
  options.tile_um = 2000.0;
  options.window = Box{0, -100000, 1000000, 100000};
  CHECK(compute(two_wires(100), options) == Approx(24.950025).epsilon(1e-9));
  options.tile_um = 30.0;
  options.x_max_um = 2.0;
  const double tiled = compute(two_wires(100), options);
  options.tile_um = 2000.0;
  CHECK(compute(two_wires(100), options) == Approx(tiled).epsilon(1e-9));
}

TEST_CASE("critical area: two parallel wires with their ends", "[layout][critical_area]") {
  CriticalAreaOptions options;
  options.x_max_um = 2.0;
  CHECK(compute(two_wires(100), options) == Approx(22.57272866).epsilon(1e-9));
  const auto full = critical_area(FlatView(two_wires(100), 0), 0, options, quiet).value();
  CHECK(full.x_max_um == 2.0);
  CHECK(full.tiles_done == full.tiles_total);
  CHECK(full.standard_error_um2 == 0.0);
}

TEST_CASE("critical area: opens of one wire", "[layout][critical_area]") {
  const Layout wire = layout_of({{0, 0, 1000000, 100}});
  CriticalAreaOptions options;
  options.kind = FaultKind::kOpen;
  options.x_max_um = 100.0;
  options.tile_um = 2000.0;
  options.end_effects = false;
  CHECK(compute(wire, options) == Approx(24.950025).epsilon(1e-9));
  options.end_effects = true;
  options.x_max_um = 2.0;
  CHECK(compute(wire, options) == Approx(22.57272866).epsilon(1e-9));
  options.law = SizeLaw::kPeaked;
  CHECK(compute(wire, options) == Approx(22.57272866 / 2.0).epsilon(1e-9));
}

TEST_CASE("critical area: below the smallest space or width there is none",
          "[layout][critical_area]") {
  const Layout layout = two_wires(100);
  const FlatView view(layout, 0);
  const Box window = view.bbox().enlarged(1000);
  CHECK(fault_area(view, 0, FaultKind::kShort, 0.0999, window) == 0.0);
  CHECK(fault_area(view, 0, FaultKind::kShort, 0.1, window) == 0.0);
  CHECK(fault_area(view, 0, FaultKind::kShort, 0.15, window) ==
        Approx((1000.0 + 0.15) * 0.05).epsilon(1e-9));
  CHECK(fault_area(view, 0, FaultKind::kOpen, 0.1, window) == 0.0);
  CHECK(fault_area(view, 0, FaultKind::kOpen, 0.15, window) ==
        Approx(2.0 * (1000.0 + 0.15) * 0.05).epsilon(1e-9));
}

TEST_CASE("critical area: bumps are no wires and touching shapes are one net",
          "[layout][critical_area]") {
  const Layout bumped = layout_of({{0, 0, 100, 10000}, {100, 5000, 110, 5060}});
  const Layout plain = layout_of({{0, 0, 100, 10000}});
  const Box window{-500, -500, 700, 10500};
  // Where the bump is, the wire is 110 wide; the area near it may only shrink.
  CHECK(fault_area(FlatView(bumped, 0), 0, FaultKind::kOpen, 0.09, window) == 0.0);
  CHECK(fault_area(FlatView(bumped, 0), 0, FaultKind::kOpen, 0.105, window) <=
        fault_area(FlatView(plain, 0), 0, FaultKind::kOpen, 0.105, window));
  const Layout u = layout_of({{0, 0, 100, 1000}, {200, 0, 300, 1000}, {0, 0, 300, 100}});
  CHECK(fault_area(FlatView(u, 0), 0, FaultKind::kShort, 0.5, window) == 0.0);
}

TEST_CASE("critical area: grows with the defect and not with turning or mirroring",
          "[layout][critical_area]") {
  Random random(21);
  const auto boxes = random_wires(random, 25);
  const FaultKind kind = GENERATE(FaultKind::kShort, FaultKind::kOpen);
  const Box window{-1000, -1000, 3500, 3500};
  double last = 0.0;
  const Layout layout = layout_of(boxes);
  for (double x = 0.02; x < 1.0; x += 0.02) {
    const double area = fault_area(FlatView(layout, 0), 0, kind, x, window);
    CHECK(area >= last * (1.0 - 1e-12));
    last = area;
  }
  CriticalAreaOptions options;
  options.kind = kind;
  options.x_max_um = 0.6;
  const double expected = compute(layout, options);
  CHECK(expected > 0.0);
  for (int o = 1; o < 8; ++o) {
    std::vector<Box> turned;
    for (const Box& b : boxes)
      turned.push_back(geometry::Transform{static_cast<geometry::Orientation>(o), {7, -3}}(b));
    CHECK(compute(layout_of(turned), options) == Approx(expected).epsilon(1e-12));
  }
  options.tile_um = 1.3;
  const double tiled = compute(layout, options);
  // What joins beyond a tile's margin makes two nets of one; with this margin it is a small part.
  CHECK(tiled == Approx(expected).epsilon(0.05));
  CHECK(tiled >= expected * (1.0 - 1e-12));
}

TEST_CASE("critical area: random spot defects agree within three sigma",
          "[layout][critical_area]") {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    CAPTURE(seed);
    Random random(seed);
    const auto boxes = random_wires(random, 20);
    const auto net = nets_of(boxes);
    const Layout layout = layout_of(boxes);
    const Box window{-300, -300, 2700, 2700};
    CriticalAreaOptions options;
    options.x_max_um = 0.6;
    options.window = window;
    options.tile_um = 100.0;
    const double expected = compute(layout, options);
    // x from 2 x0^2 / x^3: P(X > x) = x0^2 / x^2.
    const int n = 200000;
    int faults = 0;
    for (int i = 0; i < n; ++i) {
      const double x = 50.0 / std::sqrt(1.0 - random.uniform());
      const double cx = random.uniform(-300.0, 2700.0);
      const double cy = random.uniform(-300.0, 2700.0);
      if (x > 600.0) continue;
      std::set<std::size_t> touched;
      for (std::size_t k = 0; k < boxes.size(); ++k) {
        const geometry::Rect r = geometry::to_rect(boxes[k]);
        if (cx + x / 2 > r.x_min && cx - x / 2 < r.x_max && cy + x / 2 > r.y_min &&
            cy - x / 2 < r.y_max)
          touched.insert(net[k]);
      }
      faults += touched.size() >= 2 ? 1 : 0;
    }
    const double p = static_cast<double>(faults) / n;
    const double sigma = std::sqrt(p * (1.0 - p) / n) * 9.0;
    CHECK(std::abs(p * 9.0 - expected) < 3.0 * sigma);
  }
}

TEST_CASE("critical area: shorts agree with a sweep over the grown nets at every size",
          "[layout][critical_area]") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const auto boxes = random_wires(random, 10 + static_cast<int>(random.below(60)));
    const auto net = nets_of(boxes);
    const Layout layout = layout_of(boxes);
    const Box window{-400, -400, 2800, 2800};
    CriticalAreaOptions options;
    options.x_max_um = 1.2;
    options.window = window;
    options.tile_um = 100.0;
    const auto result = critical_area(FlatView(layout, 0), 0, options, quiet).value();
    for (const double x : {30.0, 77.0, 150.0, 333.5, 640.0, 1199.0}) {
      CAPTURE(x);
      std::vector<geometry::Rect> covered;
      for (std::size_t n = 0; n < boxes.size(); ++n) {
        std::vector<geometry::Rect> mine;
        for (std::size_t i = 0; i < boxes.size(); ++i)
          if (net[i] == n)
            mine.push_back(intersection(grown(geometry::to_rect(boxes[i]), x / 2, x / 2),
                                        geometry::to_rect(window)));
        const auto parts = geometry::disjoint(mine);
        covered.insert(covered.end(), parts.begin(), parts.end());
      }
      CHECK(result.curve.area(x) == Approx(geometry::coverage(covered).twice).epsilon(1e-12));
    }
  }
}

TEST_CASE("critical area: random spot defects open straight wires within three sigma",
          "[layout][critical_area]") {
  Random random(17);
  std::vector<Box> boxes;
  for (const Box& b : random_wires(random, 60)) {
    const bool free = std::none_of(boxes.begin(), boxes.end(),
                                   [&](const Box& other) { return other.touches(b); });
    if (free) boxes.push_back(b);
  }
  const Layout layout = layout_of(boxes);
  CriticalAreaOptions options;
  options.kind = FaultKind::kOpen;
  options.x_max_um = 0.6;
  options.window = Box{-300, -300, 2700, 2700};
  options.tile_um = 100.0;
  const double expected = compute(layout, options);
  const int n = 200000;
  double faults = 0.0, squares = 0.0;
  for (int i = 0; i < n; ++i) {
    const double x = 50.0 / std::sqrt(1.0 - random.uniform());
    const double cx = random.uniform(-300.0, 2700.0);
    const double cy = random.uniform(-300.0, 2700.0);
    if (x > 600.0) continue;
    int opened = 0;
    for (const Box& box : boxes) {
      const geometry::Rect r = geometry::to_rect(box);
      const bool over_x = cx - x / 2 < r.x_max && cx + x / 2 > r.x_min;
      const bool over_y = cy - x / 2 < r.y_max && cy + x / 2 > r.y_min;
      const bool across_x = cx - x / 2 < r.x_min && cx + x / 2 > r.x_max;
      const bool across_y = cy - x / 2 < r.y_min && cy + x / 2 > r.y_max;
      const bool along_y = r.y_max - r.y_min >= r.x_max - r.x_min;
      opened += (along_y ? across_x && over_y : across_y && over_x) ? 1 : 0;
    }
    faults += opened;
    squares += opened * opened;
  }
  const double mean = faults / n;
  const double sigma = std::sqrt((squares / n - mean * mean) / n) * 9.0;
  CHECK(std::abs(mean * 9.0 - expected) < 3.0 * sigma);
}

TEST_CASE("critical area: shapes of one net never short, by a finder that knows more",
          "[layout][critical_area]") {
  const Layout layout = two_wires(100);
  CriticalAreaOptions options;
  options.nets = [](LayerIndex, Point) { return std::optional<std::uint64_t>(7); };
  const auto joined = critical_area(FlatView(layout, 0), 0, options, quiet).value();
  CHECK(joined.um2 == 0.0);
  CHECK(joined.net_aware);
  options.nets = [](LayerIndex, Point p) {
    return std::optional<std::uint64_t>(p.y > 150 ? 1 : 2);
  };
  CHECK(compute(layout, options) == Approx(22.57272866).epsilon(1e-9));
}

TEST_CASE("critical area: tiles do not matter when nets are known", "[layout][critical_area]") {
  Random random(5);
  const auto boxes = random_wires(random, 40);
  const Layout layout = layout_of(boxes);
  const FlatView view(layout, 0);
  const LayerPieces pieces = LayerPieces::of(view, 0);
  const FaultKind kind = GENERATE(FaultKind::kShort, FaultKind::kOpen);
  CriticalAreaOptions options;
  options.kind = kind;
  options.x_max_um = 0.5;
  options.nets = pieces.finder();
  options.tile_um = 100.0;
  const auto one = critical_area(view, 0, options, quiet).value();
  options.tile_um = 0.37;
  const auto many = critical_area(view, 0, options, quiet).value();
  CHECK(many.tiles_total > 30);
  CHECK(many.curve == one.curve);
  CHECK(many.um2 == one.um2);
}

TEST_CASE("critical area: an array is worked out once and equals its flat drawing",
          "[layout][critical_area]") {
  Random random(3);
  const auto boxes = random_wires(random, 30);
  LayoutBuilder builder(0.001);
  const CellIndex top = builder.add_cell("top");
  const CellIndex block = builder.add_cell("block");
  for (const Box& b : boxes) builder.add_box(block, {1, 0}, b);
  Instance instance;
  instance.cell = block;
  instance.columns = 6;
  instance.rows = 5;
  instance.column_step = {3000, 0};
  instance.row_step = {0, 2800};
  builder.add_instance(top, instance);
  const Layout array = builder.build().value();
  std::vector<Box> all;
  for (Coord c = 0; c < 6; ++c)
    for (Coord r = 0; r < 5; ++r)
      for (const Box& b : boxes) all.push_back(b.moved({3000 * c, 2800 * r}));
  const Layout flat = layout_of(all);
  CriticalAreaOptions options;
  options.kind = GENERATE(FaultKind::kShort, FaultKind::kOpen);
  options.x_max_um = 0.3;
  options.tile_um = 0.45;
  const auto hierarchical =
      critical_area(FlatView(array, *array.find_cell("top")), 0, options, quiet).value();
  CHECK(hierarchical.tiles_repeated > hierarchical.tiles_total / 3);
  options.tile_um = 0.2;  // What divides the steps of the array.
  const auto plain = critical_area(FlatView(flat, 0), 0, options, quiet).value();
  CHECK(plain.tiles_repeated == 0);
  CHECK(hierarchical.curve == plain.curve);
}

TEST_CASE("critical area: wires at 45 degrees are right to the stated step",
          "[layout][critical_area]") {
  // Two parallel wires at 45 degrees, 141 nm apart measured along x and y.
  LayoutBuilder builder(0.001);
  const CellIndex top = builder.add_cell("top");
  const auto wire = [&](Coord x) {
    const std::vector<Point32> points{{static_cast<std::int32_t>(x), 0},
                                      {static_cast<std::int32_t>(x + 200), 0},
                                      {static_cast<std::int32_t>(x + 20200), 20000},
                                      {static_cast<std::int32_t>(x + 20000), 20000}};
    builder.add_polygon(top, {1, 0}, points);
  };
  wire(0);
  wire(400);
  const Layout layout = builder.build().value();
  // A square of side x touches both where |gap along x| = 200 < 2 x: the band is 2 x - 200 wide
  // along x for each y.
  const Box middle{-1000, 5000, 30000, 15000};
  for (const double x : {0.15, 0.3, 0.5}) {
    const double step = std::floor(x * 1000.0 / 4.0) / 1000.0;
    const double area = fault_area(FlatView(layout, 0), 0, FaultKind::kShort, x, middle);
    CHECK(area >= 10.0 * (2.0 * (x - 2.0 * step) - 0.2));
    CHECK(area <= 10.0 * (2.0 * (x + 2.0 * step) - 0.2));
  }
  CriticalAreaOptions options;
  options.x_max_um = 1.0;
  options.window = middle;
  const auto result = critical_area(FlatView(layout, 0), 0, options, quiet).value();
  // Integral of 10 (2 x - 0.2) 2 x0^2 / x^3 from 0.1 to 1.
  const double exact = 10.0 * 2.0 * 0.0025 * (2.0 * (10.0 - 1.0) - 0.1 * (100.0 - 1.0));
  CHECK(result.um2 == Approx(exact).epsilon(0.1));
  CHECK(result.tiles_oblique > 0);
}

TEST_CASE("critical area: sampled tiles state their error and repeat by seed",
          "[layout][critical_area]") {
  std::vector<Box> boxes;
  Random random(8);
  for (Coord y = 0; y < 40000; y += 220 + 10 * draw(random, 0, 8))
    boxes.push_back({0, y, 40000, y + 100});
  const Layout layout = layout_of(boxes);
  const FlatView view(layout, 0);
  CriticalAreaOptions options;
  options.tile_um = 4.0;
  options.x_max_um = 1.0;
  const auto all = critical_area(view, 0, options, quiet).value();
  options.max_tiles = 30;
  const auto some = critical_area(view, 0, options, quiet).value();
  CHECK(some.tiles_done == 30);
  CHECK(some.tiles_total == all.tiles_total);
  CHECK(some.standard_error_um2 > 0.0);
  CHECK(std::abs(some.um2 - all.um2) < 4.0 * some.standard_error_um2);
  CHECK(some == critical_area(view, 0, options, quiet).value());
}

TEST_CASE("critical area: spreading two wires raises neither term", "[layout][critical_area]") {
  CriticalAreaOptions options;
  options.x_max_um = 2.0;
  CHECK(compute(two_wires(120), options) < compute(two_wires(100), options));
  options.kind = FaultKind::kOpen;
  CHECK(compute(two_wires(120), options) == Approx(compute(two_wires(100), options)).epsilon(1e-9));
}

TEST_CASE("critical area: what it refuses", "[layout][critical_area][error]") {
  const Layout layout = two_wires(100);
  const FlatView view(layout, 0);
  CHECK(critical_area(view, 0, {.x0_um = 0.0}, quiet).error().id == "LAYO-0008");
  CHECK(critical_area(view, 0, {.x_max_um = 0.01}, quiet).error().id == "LAYO-0008");
  CHECK(critical_area(view, 0, {.tile_um = 0.0}, quiet).error().id == "LAYO-0008");
  // Nanometres given as micrometres.
  CHECK(critical_area(view, 0, {.x0_um = 50.0, .x_max_um = 2000.0}, quiet).error().id ==
        "LAYO-0008");
  LayoutBuilder builder(0.001);
  const CellIndex empty = builder.add_cell("empty");
  const CellIndex other = builder.add_cell("other");
  builder.add_box(other, {1, 0}, {0, 0, 1, 1});
  const Layout two = builder.build().value();
  CHECK(critical_area(FlatView(two, empty), 0, {}, quiet).error().id == "LAYO-0009");
}

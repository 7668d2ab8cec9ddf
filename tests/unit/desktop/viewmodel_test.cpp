#include "catch_portable.h"
#include "gui/viewmodel/chart_specs.h"
#include "gui/viewmodel/finding_text.h"
#include "gui/viewmodel/layout_raster.h"
#include "gui/viewmodel/viewport.h"
#include "sample_fab.h"

using namespace yieldloop;
using namespace yieldloop::viewmodel;

namespace {

int covered_pixels(const QImage& image) {
  int covered = 0;
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) covered += image.pixel(x, y) != 0xffffffff ? 1 : 0;
  }
  return covered;
}

RasterRequest request_for(const FabPointer& fab, QRectF window, int layer) {
  auto layers = layer_styles(*fab->view, fab->data().product);
  for (int i = 0; i < static_cast<int>(layers.size()); ++i) {
    layers[static_cast<std::size_t>(i)].visible = i == layer;
  }
  return {.layout = fab->analysis.layout,
          .top = fab->view->top(),
          .layers = layers,
          .window = window,
          .width = 200,
          .height = 200};
}

}  // namespace

TEST_CASE("selection: a pick replaces, adds or toggles, and Esc clears", "[desktop]") {
  SelectionModel model;
  int changes = 0;
  QObject::connect(&model, &SelectionModel::changed, [&] { ++changes; });
  using Names = std::set<std::string>;

  model.pick_wafers({"A", "B"}, PickMode::kReplace);
  model.pick_wafers({"C"}, PickMode::kAdd);
  CHECK(model.current().wafers == Names{"A", "B", "C"});
  model.pick_wafers({"A", "D"}, PickMode::kToggle);
  CHECK(model.current().wafers == Names{"B", "C", "D"});
  model.pick_wafers({"A"}, PickMode::kReplace);
  CHECK(model.current().wafers == Names{"A"});
  CHECK(model.current().wafer == "A");
  CHECK(changes == 4);
  model.pick_wafers({"A"}, PickMode::kAdd);
  CHECK(changes == 4);  // Nothing changed, nothing is said.

  model.pick_bins({5}, PickMode::kReplace);
  model.clear();
  CHECK(model.current().wafers.empty());
  CHECK(model.current().bins.empty());
  CHECK(model.current().wafer == "A");  // The map keeps its wafer.
}

TEST_CASE("selection: keyboard modifiers", "[desktop]") {
  CHECK(pick_mode(Qt::NoModifier) == PickMode::kReplace);
  CHECK(pick_mode(Qt::ShiftModifier) == PickMode::kAdd);
  CHECK(pick_mode(Qt::ControlModifier) == PickMode::kToggle);
}

TEST_CASE("selection: a reload forgets only what is no longer there", "[desktop]") {
  const auto fab = test::sample_fab();
  SelectionModel model;
  model.pick_wafers({"L1/W01", "L9/W01"}, PickMode::kReplace);
  model.pick_bins({5, 77}, PickMode::kReplace);
  model.pick_dies({{"L1/W01", {1, 1}}, {"L9/W01", {1, 1}}}, PickMode::kReplace);
  const auto wafers = model.current().wafers;
  model.show_finding("f-000000000002", wafers, model.current().dies, {});

  model.keep_known(fab->known_names());

  CHECK(model.current().wafers == std::set<std::string>{"L1/W01"});
  CHECK(model.current().bins == std::set<int>{5});
  CHECK(model.current().dies.size() == 1);
  CHECK(model.current().finding == "f-000000000002");
}

TEST_CASE("charts: the gallery conserves die and shares one scale", "[desktop]") {
  const auto fab = test::sample_fab();
  const auto gallery = wafer_gallery(*fab, {}, GalleryOrder::kSlot);

  REQUIRE(gallery.spec.maps.size() == test::kWafers);
  REQUIRE(gallery.wafers.size() == test::kWafers);
  std::size_t die = 0, pass = 0;
  for (std::size_t i = 0; i < gallery.spec.maps.size(); ++i) {
    const auto map = charts::gallery_map(gallery.spec, i);
    die += map.dies.size();
    for (const auto& d : map.dies) pass += d.pass ? 1 : 0;
    CHECK(map.scale == gallery.spec.common.scale);
    CHECK(map.colouring == gallery.spec.common.colouring);
    CHECK(map.die_width_um == 10'000.0);
  }
  CHECK(die == static_cast<std::size_t>(test::kWafers * test::kDiePerWafer));
  REQUIRE(fab->yields);
  CHECK(static_cast<std::int64_t>(die) == fab->yields->final.tested);
  CHECK(static_cast<std::int64_t>(pass) == fab->yields->final.good);
}

TEST_CASE("charts: the lowest yield comes first when asked", "[desktop]") {
  const auto fab = test::sample_fab();
  const auto gallery = wafer_gallery(*fab, {}, GalleryOrder::kLowestYield);
  double last = 0.0;
  for (const auto& label : gallery.wafers) {
    const double y = fab->yield_of(fab->wafer_of.at(label))->final.yield();
    CHECK(y >= last);
    last = y;
  }
}

TEST_CASE("charts: a selected bin limits gallery and map, and the rest is counted", "[desktop]") {
  const auto fab = test::sample_fab();
  Selection selection;
  selection.bins = {5};  // Even wafers only.
  const auto gallery = wafer_gallery(*fab, selection, GalleryOrder::kSlot);
  CHECK(gallery.wafers.size() == 12);
  CHECK(gallery.hidden == 13);
  CHECK(gallery.spec.common.isolated_bins == std::vector<int>{5});
  CHECK(wafer_map(*fab, WaferId{0}, selection).spec.isolated_bins == std::vector<int>{5});
}

TEST_CASE("charts: the Pareto counts every failed die once", "[desktop]") {
  const auto fab = test::sample_fab();
  const auto all = bin_pareto(*fab, {});
  double sum = 0;
  for (const auto& bar : all.spec.bars) sum += bar.count;
  CHECK(sum == static_cast<double>(fab->yields->final.tested - fab->yields->final.good));
  CHECK(all.bins == std::vector<int>{5, 6});

  Selection one;
  one.wafers = {"L1/W01"};
  const auto few = bin_pareto(*fab, one);
  REQUIRE(few.bins == std::vector<int>{6});
  const auto* y = fab->yield_of(WaferId{0});
  CHECK(few.spec.bars[0].count == static_cast<double>(y->final.tested - y->final.good));
}

TEST_CASE("charts: the trend has a point a lot whose n sum to the tested die", "[desktop]") {
  const auto fab = test::sample_fab();
  Selection selection;
  selection.wafers = {"L2/W20"};
  const auto trend = yield_trend(*fab, selection);
  REQUIRE(trend.spec.points.size() == 2);
  CHECK(trend.spec.points[0].n + trend.spec.points[1].n == fab->yields->final.tested);
  CHECK_FALSE(trend.spec.points[0].selected);
  CHECK(trend.spec.points[1].selected);
  for (const auto& p : trend.spec.points) CHECK((*p.low < p.value && p.value < *p.high));
}

TEST_CASE("charts: a map shows its defects where the wafer has them", "[desktop]") {
  const auto fab = test::sample_fab();
  Selection selection;
  selection.defects = {{"I0", 1}};
  const auto map = wafer_map(*fab, WaferId{0}, selection);
  REQUIRE(map.spec.defects.size() == 2);
  CHECK_THAT(map.spec.defects[0].x_um, WithinAbs(1000.5 - 5000.0, 1e-9));
  CHECK_THAT(map.spec.defects[1].y_um, WithinAbs(20'000.0 + 8000.0 - 5000.0, 1e-9));
  CHECK(map.spec.defects[0].selected);
  CHECK_FALSE(map.spec.defects[1].selected);
  CHECK(wafer_map(*fab, WaferId{0}, selection, {.defects = false}).spec.defects.empty());
}

TEST_CASE("finding: its defects are those at its places", "[desktop]") {
  const auto fab = test::sample_fab();
  const auto parts = parts_of(*fab, *fab->finding("f-000000000001"));
  CHECK(parts.defects == std::set<DefectKey>{{"I0", 1}, {"I1", 1}});
  CHECK(parts.wafers == std::set<std::string>{"L1/W01", "L1/W02"});

  // An inspection that does not see the layer has no part in it.
  auto analysis = test::sample_analysis();
  analysis.fab.data.product.inspections[0].layers = {"M2"};
  const auto other = prepare(std::move(analysis), "");
  CHECK(parts_of(*other, *other->finding("f-000000000001")).defects.empty());
}

TEST_CASE("finding: a field place and a tester site are die", "[desktop]") {
  auto analysis = test::sample_analysis();
  analysis.fab.data.product.reticle_columns = 2;
  analysis.fab.data.product.reticle_rows = 1;
  auto& f = analysis.findings.findings[1];
  f.subject = {{"field_x", "1"}, {"field_y", "0"}};
  f.wafers = {"L2/W14"};
  const auto fab = prepare(std::move(analysis), "");
  const auto parts = parts_of(*fab, *fab->finding("f-000000000002"));
  CHECK_FALSE(parts.dies.empty());
  for (const auto& die : parts.dies) CHECK(std::abs(die.die.x) % 2 == 1);
}

TEST_CASE("finding: the words escape what the data say", "[desktop]") {
  const auto fab = test::sample_fab();
  const std::string html = evidence_html(*fab, *fab->finding("f-000000000001"));
  CHECK_THAT(html, Contains("&lt;0.2 um&gt;"));
  CHECK_THAT(html, Contains("Fisher"));
  CHECK_THAT(html, Contains("40 and 400"));
  CHECK_THAT(html, Contains("[5, 16]"));
  CHECK_THAT(overview_html(*fab), Contains("Mean wafer yield"));
}

TEST_CASE("viewport: zooming keeps the point under the pointer", "[desktop]") {
  Viewport port;
  port.size = {800, 600};
  port.fit(QRectF(0, 0, 1000, 1000));
  const QPointF at(123, 456);
  for (const double factor : {1.3, 7.0, 0.01, 1e-12, 1e12}) {
    const QPointF before = port.to_map(at);
    port.zoom_at(at, factor);
    const QPointF after = port.to_map(at);
    CHECK_THAT(after.x(), WithinAbs(before.x(), 1e-6 * std::abs(before.x()) + 1e-6));
    CHECK_THAT(after.y(), WithinAbs(before.y(), 1e-6 * std::abs(before.y()) + 1e-6));
  }
}

TEST_CASE("viewport: a drag right and down zooms in, left and up zooms out", "[desktop]") {
  Viewport port;
  port.size = {800, 800};
  port.fit(QRectF(0, 0, 1000, 1000));
  Viewport in = port, out = port;
  in.drag_zoom({100, 100}, {300, 300});
  CHECK(in.scale > 3.9 * port.scale);
  const QPointF middle = port.to_map({200, 200});
  CHECK_THAT(in.to_screen(middle).x(), WithinAbs(400, 1e-6));
  out.drag_zoom({300, 300}, {100, 100});
  CHECK(out.scale < 0.26 * port.scale);
}

TEST_CASE("layout picture: layers have names and keep their order", "[desktop]") {
  const auto fab = test::sample_fab();
  REQUIRE(fab->view);
  const auto layers = layer_styles(*fab->view, fab->data().product);
  REQUIRE(layers.size() == 2);
  CHECK(layers[0].name == "M1 (10/0)");
  CHECK(layers[1].short_name == "M2");
  CHECK(layers[0].colour != layers[1].colour);
}

TEST_CASE("layout picture: covers what the window's shapes cover", "[desktop]") {
  const auto fab = test::sample_fab();
  const auto never = [] { return false; };

  // The plate of M2 fills every pixel of a window inside it, and a quarter of one twice as wide.
  const auto inside = draw_layout(request_for(fab, {1000, 1000, 500, 500}, 1), never);
  CHECK(covered_pixels(inside.image) == 200 * 200);
  const auto corner = draw_layout(request_for(fab, {-5000, -5000, 10'000, 10'000}, 1), never);
  CHECK(std::abs(covered_pixels(corner.image) - 100 * 100) <= 401);

  // Wires of 0.2 um, 0.4 um apart: half of the pixels of a window of 20 wires.
  const auto wires = draw_layout(request_for(fab, {1000.0, 5000.0, 2.0, 2.0}, 0), never);
  CHECK(wires.complete);
  CHECK(std::abs(covered_pixels(wires.image) - 200 * 100) < 2200);

  // A triangle of 1 mm by 1 mm fills half of its box.
  const auto triangle = draw_layout(request_for(fab, {2000, 0, 1000, 1000}, 0), never);
  CHECK(std::abs(covered_pixels(triangle.image) - 200 * 100) < 400);
}

TEST_CASE("layout picture: far away an array is one box, not a hundred thousand", "[desktop]") {
  const auto fab = test::sample_fab();
  const auto far = draw_layout(request_for(fab, {0, 0, 100'000, 100'000}, 0), [] { return false; });
  CHECK(far.drawn < 10);
  CHECK(covered_pixels(far.image) > 0);
}

TEST_CASE("layout picture: says when it stopped early, and stops when asked", "[desktop]") {
  const auto fab = test::sample_fab();
  auto request = request_for(fab, {1000, 5000, 100, 100}, 0);
  request.most_shapes = 50;
  CHECK_FALSE(draw_layout(request, [] { return false; }).complete);
  request.most_shapes = 30'000'000;
  CHECK(draw_layout(request, [] { return true; }).cancelled);
}

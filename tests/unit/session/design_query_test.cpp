#include "engine/session/design_query.h"

#include "catch_portable.h"
#include "engine/core/random.h"
#include "engine/layout/layout_builder.h"

using namespace yieldloop;
using namespace yieldloop::session;

namespace {

NoProgress quiet;

/// A chip of 400 x 400 um on 1/0: "weak" and "good" cells of 5 x 5 um with a wire each stand in
/// turn every 20 um; the wire of the first row of cells is lengthened to one net, named "bus".
layout::Layout chip() {
  layout::LayoutBuilder builder(0.001);
  const auto weak = builder.add_cell("weak");
  const auto good = builder.add_cell("good");
  for (const auto cell : {weak, good}) builder.add_box(cell, {1, 0}, {0, 2'000, 5'000, 3'000});
  for (const auto cell : {weak, good}) builder.add_box(cell, {9, 0}, {0, 0, 5'000, 5'000});
  const auto top = builder.add_cell("chip");
  for (int i = 0; i < 400; ++i) {
    layout::Instance placed;
    placed.cell = (i % 20 + i / 20) % 2 == 0 ? weak : good;
    placed.displacement = {i % 20 * 20'000, i / 20 * 20'000};
    builder.add_instance(top, placed);
  }
  builder.add_box(top, {1, 0}, {0, 2'400, 400'000, 2'600});
  builder.add_box(top, {9, 0}, {0, 0, 400'000, 400'000});
  builder.add_text(top, {1, 5}, {100'000, 2'500}, "bus");
  return builder.build().value();
}

/// `background` defects anywhere and `planted` in weak cells, on 20 wafers of 10 die.
Analysis fab(std::int64_t background, std::int64_t planted) {
  Analysis analysis;
  analysis.layout = std::make_shared<const layout::Layout>(chip());
  FabData& data = analysis.fab.data;
  data.product.name = "p";
  data.product.layout_file = "chip.gds";
  data.product.die_width_um = data.product.die_height_um = 400.0;
  data.product.layers = {{.name = "m1", .kind = LayerKind::kMetal, .gds_layer = 1}};
  data.product.inspections = {{"aei", {"m1"}}};
  data.product.test_blocks = {{"weak_test", "weak"}};
  const NameId step = data.names.intern("aei"), bridge = data.names.intern("bridge");
  for (std::uint32_t w = 0; w < 20; ++w) {
    data.wafers.push_back({data.names.intern("L1"), data.names.intern(std::to_string(w)), 0});
    Inspection inspection;
    inspection.id = std::to_string(w);
    inspection.wafer = WaferId{w};
    inspection.step = step;
    for (std::int16_t d = 0; d < 10; ++d) inspection.inspected.push_back(DieIndex{d, 0});
    data.inspections.push_back(inspection);
  }
  Random random(3);
  const auto add = [&](double x, double y) {
    Defect d;
    d.inspection = static_cast<std::uint32_t>(random.below(20));
    d.wafer = WaferId{d.inspection};
    d.die = DieIndex{static_cast<std::int16_t>(random.below(10)), 0};
    d.x_um = x;
    d.y_um = y;
    d.class_name = bridge;
    data.defects.push_back(d);
  };
  for (std::int64_t i = 0; i < background; ++i) add(random.uniform(0, 400), random.uniform(0, 400));
  for (std::int64_t i = 0; i < planted; ++i) {
    const auto row = random.below(20), column = 2 * random.below(10) + row % 2;
    add(20.0 * static_cast<double>(column) + random.uniform(0, 5),
        20.0 * static_cast<double>(row) + random.uniform(0, 5));
  }
  std::ranges::stable_sort(data.defects, {}, &Defect::inspection);
  return analysis;
}

}  // namespace

TEST_CASE("design query: a cell that suffers is told from one that does not", "[session][query]") {
  const Analysis analysis = fab(1'000, 150);
  const auto weak = what_happened(analysis, {.cell = "weak"}, quiet);
  REQUIRE(weak);
  REQUIRE(weak->rates.size() == 1);
  const SiliconRate& rate = weak->rates[0];
  CHECK(rate.instances == 200);
  CHECK(rate.die_inspections == 200);
  CHECK(rate.area_um2 == Approx(200 * 25.0));
  CHECK(rate.defects >= 150);
  CHECK(rate.defects + rate.others == 1'150);
  CHECK(rate.expected == Approx(1'000 * 5'000.0 / 160'000.0).epsilon(0.15));
  CHECK(rate.per_cm2 == Approx(static_cast<double>(rate.defects) / (5'000.0 * 200) * 1e8));
  CHECK(rate.per_instance == Approx(static_cast<double>(rate.defects) / (200.0 * 200)));
  CHECK(rate.rate_ratio > 4.0);
  CHECK(rate.rate_ratio_ci.low > 3.0);
  CHECK(rate.p_value < 1e-20);
  std::int64_t listed = 0;
  for (const HitPlace& p : rate.places) listed += p.defects;
  CHECK(rate.places.size() == 20);
  CHECK(listed <= rate.defects);
  const auto good = what_happened(analysis, {.cell = "good"}, quiet);
  REQUIRE(good);
  CHECK(good->rates[0].rate_ratio < 1.5);
  CHECK(good->rates[0].p_value > 0.01);
  CHECK(what_happened(analysis, {.region = "weak_test"}, quiet)->rates[0].defects == rate.defects);
}

TEST_CASE("design query: cells are ranked by what they suffer, and nothing by chance",
          "[session][query]") {
  const auto ranked = which_suffer(fab(1'000, 100), RankBy::kCells, {}, quiet);
  REQUIRE(ranked);
  REQUIRE(ranked->rates.size() == 2);
  CHECK(ranked->asked == 2);
  CHECK(ranked->rates[0].name == "weak");
  CHECK(ranked->rates[0].q_value < 1e-10);
  CHECK(ranked->rates[1].q_value > 0.01);
  const auto null = which_suffer(fab(1'000, 0), RankBy::kCells, {}, quiet);
  REQUIRE(null);
  for (const SiliconRate& r : null->rates) CHECK(r.q_value > 0.01);
}

TEST_CASE("design query: a box counts what lies in it", "[session][query]") {
  const Analysis analysis = fab(500, 0);
  const tracing::RectUm box{30.0, 40.0, 130.0, 240.0};
  std::int64_t inside = 0;
  for (const Defect& d : analysis.fab.data.defects) inside += box.contains({d.x_um, d.y_um});
  const auto answer = what_happened(analysis, {.box = box}, quiet);
  REQUIRE(answer);
  CHECK(answer->rates[0].defects == inside);
  CHECK(answer->rates[0].area_um2 == Approx(box.area()));
  CHECK(answer->rates[0].rate_ratio == Approx(1.0).margin(0.5));
}

TEST_CASE("design query: nets by the layout's texts", "[session][query]") {
  Analysis analysis = fab(300, 0);
  Defect on_bus = analysis.fab.data.defects.back();
  on_bus.y_um = 2.5;
  for (int i = 0; i < 60; ++i) {
    on_bus.x_um = 3.0 + 6.5 * i;
    on_bus.die = DieIndex{static_cast<std::int16_t>(i % 10), 0};
    analysis.fab.data.defects.push_back(on_bus);
  }
  const auto net = what_happened(analysis, {.net = "bus", .reach_um = 0.5}, quiet);
  REQUIRE(net);
  CHECK(net->rates[0].instances == 21);
  CHECK(net->rates[0].defects >= 60);
  CHECK(net->rates[0].rate_ratio > 5.0);
  const auto ranked = which_suffer(analysis, RankBy::kNets, {.reach_um = 0.5}, quiet);
  REQUIRE(ranked);
  CHECK(ranked->rates[0].name == "bus");
  CHECK(ranked->asked == 381);
}

TEST_CASE("design query: what it refuses", "[session][query][error]") {
  const Analysis analysis = fab(50, 0);
  const auto id = [&](const DesignQuery& query) {
    return what_happened(analysis, query, quiet).error().id;
  };
  CHECK(id({}) == "SESS-0015");
  CHECK(id({.cell = "weak", .net = "bus"}) == "SESS-0015");
  CHECK(id({.cell = "none"}) == "SESS-0013");
  CHECK(id({.net = "none"}) == "SESS-0014");
  CHECK(id({.pattern = "p-0000000000"}) == "SESS-0016");
  CHECK(id({.region = "none"}) == "SESS-0016");
  CHECK(id({.cell = "weak", .step = "none"}) == "SESS-0016");
  CHECK(id({.cell = "weak", .defect_class = "none"}) == "SESS-0016");
  CHECK(what_happened(Analysis{}, {.cell = "weak"}, quiet).error().id == "SESS-0017");
}

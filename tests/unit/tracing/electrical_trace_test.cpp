#include "engine/tracing/electrical_trace.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "catch_portable.h"
#include "engine/core/random.h"
#include "engine/layout/layout_builder.h"

using namespace yieldloop;
using namespace yieldloop::tracing;

namespace {

/// Blocks B00.. with area, two kinds of vias, a length that goes by area, and a second name of the
/// single vias.
BlockExposures exposures(std::size_t blocks, std::uint64_t seed) {
  Random random(seed);
  BlockExposures e;
  e.causes = {{"area", {}},
              {"via", {{"layer", "VIA1"}, {"feature", "single_via"}}},
              {"via", {{"layer", "VIA1"}, {"feature", "double_via"}}},
              {"net_or_cell", {{"layer", "M1"}, {"feature", "wire_length"}}}};
  for (std::size_t b = 0; b < blocks; ++b) {
    e.blocks.push_back(fmt::format("B{:02}", b));
    const double area = random.uniform(5e4, 2e5);
    e.amount.insert(e.amount.end(), {area, std::floor(random.uniform(100, 3000)),
                                     std::floor(random.uniform(100, 3000)), 2.0 * area});
  }
  return e;
}

/// `wafers` wafers of 100 die; block b fails by Poisson with mean rate . exposures on each die.
BlockTests fabricate(const BlockExposures& e, const std::vector<double>& rates, int wafers,
                     Random& random, double block_scatter = 0.0) {
  BlockTests tests;
  for (const auto& block : e.blocks) tests.tests.push_back({"SCAN_" + block, block});
  std::vector<double> hazard;
  for (std::size_t b = 0; b < e.blocks.size(); ++b) {
    double mean = 0.0;
    for (std::size_t c = 0; c < rates.size(); ++c) mean += rates[c] * e.at(b, c);
    hazard.push_back(mean * std::exp(random.normal(0.0, block_scatter)));
  }
  for (std::uint32_t w = 0; w < static_cast<std::uint32_t>(wafers); ++w) {
    for (std::uint32_t b = 0; b < e.blocks.size(); ++b) {
      BlockTestCount c{.wafer = WaferId{w}, .test = b, .executed = 100};
      for (int die = 0; die < 100; ++die) c.failed += random.chance(1.0 - std::exp(-hazard[b]));
      tests.failing_die += c.failed;
      tests.counts.push_back(c);
    }
  }
  return tests;
}

}  // namespace

TEST_CASE("electrical: planted single vias are found with their rate", "[tracing][electrical]") {
  int found = 0, covered = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto e = exposures(12, seed);
    Random random(50 + seed);
    const auto t = fabricate(e, {1e-7, 5e-5}, 50, random);
    const auto r = trace_electrical(t, e).value();
    CHECK(!r.tests[3].distinct);
    if (r.verdicts.empty() || r.verdicts[0].best != 1 || !r.verdicts[0].rivals.empty()) continue;
    ++found;
    const Interval ci = r.tests[1].rate_per_opportunity_ci;
    covered += ci.low <= 5e-5 && 5e-5 <= ci.high;
    CHECK(r.verdicts[0].die_per_wafer < 0.0);
  }
  CHECK(found >= 38);
  CHECK(covered >= 0.87 * found);
}

TEST_CASE("electrical: fails by area accuse nothing, also when blocks differ for other reasons",
          "[tracing][electrical][null]") {
  const double scatter = GENERATE(0.0, 0.3);
  int accused = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto e = exposures(seed % 2 == 0 ? 5 : 14, 1000 + seed);
    Random random(7000 + seed);
    const auto r = trace_electrical(fabricate(e, {3e-7}, 20, random, scatter), e).value();
    accused += !r.verdicts.empty();
  }
  CHECK(accused <= 16);  // 5 % of 200 and two standard errors.
}

TEST_CASE("electrical: causes with one profile are undecided and named", "[tracing][electrical]") {
  auto e = exposures(10, 3);
  const std::size_t n = e.causes.size();
  BlockExposures twice{.blocks = e.blocks, .causes = e.causes};
  twice.causes.push_back({"net_or_cell", {{"cell", "TWIN"}}});
  for (std::size_t b = 0; b < e.blocks.size(); ++b) {
    for (std::size_t c = 0; c < n; ++c) twice.amount.push_back(e.at(b, c));
    twice.amount.push_back(3.0 * e.at(b, 1));
  }
  Random random(4);
  const auto r = trace_electrical(fabricate(e, {1e-7, 5e-5}, 50, random), twice).value();
  REQUIRE(r.verdicts.size() == 1);
  std::vector<std::size_t> group = r.verdicts[0].rivals;
  group.push_back(r.verdicts[0].best);
  std::ranges::sort(group);
  CHECK(group == std::vector<std::size_t>{1, 4});
}

TEST_CASE("electrical: the order of the counts does not matter", "[tracing][electrical]") {
  const auto e = exposures(8, 5);
  Random random(6);
  auto t = fabricate(e, {1e-7, 0.0, 5e-5}, 30, random);
  const auto forward = trace_electrical(t, e).value();
  std::ranges::reverse(t.counts);
  CHECK(trace_electrical(t, e).value() == forward);
  REQUIRE(forward.verdicts.size() == 1);
  CHECK(forward.verdicts[0].best == 2);
}

TEST_CASE("electrical: shares of one cause add up to all fails", "[tracing][electrical]") {
  const auto e = exposures(9, 8);
  Random random(9);
  const auto r = trace_electrical(fabricate(e, {2e-7, 4e-5}, 40, random), e).value();
  REQUIRE(r.verdicts.size() == 1);
  CHECK_THAT(r.tests[0].share + r.tests[1].share, WithinAbs(1.0, 1e-9));
}

TEST_CASE("electrical: what it refuses", "[tracing][electrical][error]") {
  const auto e = exposures(4, 1);
  Random random(2);
  const auto t = fabricate(e, {3e-7}, 5, random);
  CHECK(trace_electrical(t, e, {.alpha = 0.9}).error().id == "ELEC-0001");
  CHECK(trace_electrical(t, exposures(2, 1)).error().id == "ELEC-0002");
  CHECK(trace_electrical(t, e, {.min_fails = 1'000'000}).error().id == "ELEC-0002");
  BlockTests none;
  none.why_empty = "No test names a block.";
  CHECK(trace_electrical(none, e).error().message == "No test names a block.");
}

TEST_CASE("electrical: exposures are counted in the blocks, times their placements",
          "[tracing][electrical]") {
  layout::LayoutBuilder builder(0.001);
  const auto top = builder.add_cell("TOP"), a = builder.add_cell("BLKA"),
             b = builder.add_cell("BLKB"), leaf = builder.add_cell("LEAF");
  const layout::LayerKey m1{31, 0}, via{32, 0}, m2{33, 0};
  // A leaf: a wire of 10 x 1 um on both metals, one cut between them.
  builder.add_box(leaf, m1, {0, 0, 10'000, 1'000});
  builder.add_box(leaf, m2, {0, 0, 10'000, 1'000});
  builder.add_box(leaf, via, {5'000, 400, 5'200, 600});
  const auto place = [&](layout::CellIndex in, layout::CellIndex what, std::int32_t x,
                         std::int32_t y) {
    layout::Instance instance;
    instance.cell = what;
    instance.displacement = {x, y};
    builder.add_instance(in, instance);
  };
  place(a, leaf, 0, 0);
  for (int k = 0; k < 3; ++k) place(b, leaf, 0, 5'000 * k);
  place(top, a, 0, 0), place(top, a, 100'000, 0), place(top, b, 0, 100'000);
  const auto layout = builder.build().value();
  Product product;
  product.layers = {
      {.name = "M1", .kind = LayerKind::kMetal, .gds_layer = 31},
      {.name = "VIA1", .kind = LayerKind::kVia, .gds_layer = 32, .connects = {"M1", "M2"}},
      {.name = "M2", .kind = LayerKind::kMetal, .gds_layer = 33}};
  NoProgress progress;
  const auto e = block_exposures(layout::view_of(layout).value(), product, {"BLKB", "BLKA", "GONE"},
                                 {}, progress)
                     .value();
  CHECK(e.blocks == std::vector<std::string>{"BLKA", "BLKB"});
  CHECK(e.caveats.size() == 1);
  const auto column = [&](const ElectricalCause& cause) {
    const auto it = std::ranges::find(e.causes, cause);
    REQUIRE(it != e.causes.end());
    const auto c = static_cast<std::size_t>(it - e.causes.begin());
    return std::pair(e.at(0, c), e.at(1, c));
  };
  CHECK(column({"area", {}}) == std::pair(20.0, 110.0));
  CHECK(column({"via", {{"layer", "VIA1"}, {"feature", "single_via"}}}) == std::pair(2.0, 3.0));
  CHECK(column({"net_or_cell", {{"cell", "LEAF"}}}) == std::pair(2.0, 3.0));
  CHECK(column({"net_or_cell", {{"layer", "M1"}, {"feature", "wire_length"}}}) ==
        std::pair(22.0, 33.0));
  CHECK(block_exposures(layout::view_of(layout).value(), product, {"GONE"}, {}, progress)
            .error()
            .id == "ELEX-0001");
}

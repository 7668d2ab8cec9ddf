#include <cmath>
#include <numbers>

#include "catch_portable.h"
#include "engine/core/random.h"
#include "engine/defects/adders.h"
#include "engine/defects/clusters.h"
#include "engine/defects/density.h"
#include "engine/defects/inspected_area.h"
#include "engine/defects/kill_ratio.h"
#include "engine/defects/pareto.h"

using namespace yieldloop;
using namespace yieldloop::defects;

namespace {

/// One wafer, steps "A" then "B", 10 x 10 die of 1 mm.
FabData two_inspections() {
  FabData data;
  data.product.die_width_um = data.product.die_height_um = 1000.0;
  data.wafers.push_back({data.names.intern("L1"), data.names.intern("W1"), 1});
  for (const char* step : {"A", "B"}) {
    Inspection i;
    i.id = step;
    i.step = data.names.intern(step);
    i.inspected_at = {static_cast<std::int64_t>(data.inspections.size())};
    for (std::int16_t x = 0; x < 10; ++x) {
      for (std::int16_t y = 0; y < 10; ++y) i.inspected.push_back({x, y});
    }
    data.inspections.push_back(std::move(i));
  }
  return data;
}

void add_defect(FabData& data, std::uint32_t inspection, double x, double y,
                const char* name = "P") {
  Defect d;
  d.inspection = inspection;
  d.die = {static_cast<std::int16_t>(std::floor(x / 1000.0)),
           static_cast<std::int16_t>(std::floor(y / 1000.0))};
  d.x_um = x - d.die.x * 1000.0;
  d.y_um = y - d.die.y * 1000.0;
  d.size_um = 0.3;
  d.class_name = data.names.intern(name);
  data.defects.push_back(d);
}

std::vector<std::int32_t> brute_dbscan(const std::vector<WaferPoint>& p, double r, int m) {
  const auto near = [&](std::size_t i, std::size_t j) {
    return std::pow(p[i].x_um - p[j].x_um, 2) + std::pow(p[i].y_um - p[j].y_um, 2) <= r * r;
  };
  std::vector<bool> core(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) {
    int n = 0;
    for (std::size_t j = 0; j < p.size(); ++j) n += near(i, j);
    core[i] = n >= m;
  }
  std::vector<std::int32_t> label(p.size(), -1);
  std::int32_t next = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!core[i] || label[i] >= 0) continue;
    label[i] = next;
    for (bool grew = true; grew;) {
      grew = false;
      for (std::size_t a = 0; a < p.size(); ++a) {
        for (std::size_t b = 0; b < p.size() && label[a] == next && core[a]; ++b) {
          if (core[b] && label[b] < 0 && near(a, b)) label[b] = next, grew = true;
        }
      }
    }
    ++next;
  }
  return label;  // Cores only; borders stay -1.
}

}  // namespace

TEST_CASE("clusters: the grid finds what comparing all pairs finds", "[defects][clusters]") {
  Random random(7);
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<WaferPoint> points;
    for (int i = 0; i < 120; ++i) {
      points.push_back({random.uniform(-50.0, 50.0), random.uniform(-50.0, 50.0)});
    }
    const auto fast = dbscan(points, 7.0, 4);
    const auto slow = brute_dbscan(points, 7.0, 4);
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (slow[i] < 0) continue;
      REQUIRE(fast[i] >= 0);
      for (std::size_t j = 0; j < points.size(); ++j) {
        if (slow[j] >= 0) REQUIRE((fast[i] == fast[j]) == (slow[i] == slow[j]));
      }
    }
  }
}

TEST_CASE("clusters: a line of defects is a scratch, a blob is not", "[defects][clusters]") {
  FabData data = two_inspections();
  Random random(3);
  for (int i = 0; i < 60; ++i) add_defect(data, 0, 1000.0 + 30.0 * i, 2000.0 + 15.0 * i);
  for (int i = 0; i < 60; ++i) {
    add_defect(data, 0, 8000.0 + random.normal(0.0, 40.0), 8000.0 + random.normal(0.0, 40.0));
  }
  for (int i = 0; i < 50; ++i) {
    add_defect(data, 0, random.uniform(0.0, 9999.0), random.uniform(0.0, 9999.0));
  }
  const auto found = find_clusters(data, {.radius_um = 80.0}).value();
  REQUIRE(found.clusters.size() == 2);
  CHECK(found.clusters[0].is_scratch);
  CHECK_FALSE(found.clusters[1].is_scratch);
  CHECK(found.cluster_of[0] == 0);
  CHECK(find_clusters(data, {.min_points = 1}).error().id == "CLUS-0001");
}

TEST_CASE("clusters: uniform defects seldom cluster at the chosen radius", "[defects][clusters]") {
  Random random(11);
  int clustered = 0, all = 0;
  for (int trial = 0; trial < 40; ++trial) {
    FabData data = two_inspections();
    for (int i = 0; i < 200; ++i) {
      add_defect(data, 0, random.uniform(0.0, 9999.9), random.uniform(0.0, 9999.9));
    }
    const auto found = find_clusters(data).value();
    for (const auto c : found.cluster_of) clustered += c >= 0;
    all += 200;
  }
  CHECK(clustered < all * 0.01);
}

TEST_CASE("adders: carried-over defects are told from new ones", "[defects][adders]") {
  FabData data = two_inspections();
  Random random(5);
  for (int i = 0; i < 300; ++i) {
    add_defect(data, 0, random.uniform(0.0, 9999.0), random.uniform(0.0, 9999.0));
  }
  for (int i = 0; i < 100; ++i) {
    const Defect d = data.defects[static_cast<std::size_t>(i)];
    add_defect(data, 1, d.die.x * 1000.0 + d.x_um + random.normal(0.0, 0.5),
               d.die.y * 1000.0 + d.y_um + random.normal(0.0, 0.5));
  }
  for (int i = 0; i < 200; ++i) {
    add_defect(data, 1, random.uniform(0.0, 9999.0), random.uniform(0.0, 9999.0));
  }
  const auto r = find_adders(data, {.tolerance_um = 5.0}).value();
  REQUIRE(r.steps.size() == 2);
  CHECK(r.steps[0].adders == 300);
  CHECK(r.steps[1].carried >= 100);
  CHECK(r.steps[1].carried <= 102);
  CHECK(r.steps[1].carried + r.steps[1].missing == 300);
  CHECK(r.carried_from[300] == 0);
  CHECK_THAT(r.steps[1].chance_matches,
             WithinRel(300.0 * -std::expm1(-300.0 * std::numbers::pi * 25.0 / 1e8), 1e-12));
  CHECK(find_adders(data, {.tolerance_um = 0.0}).error().id == "ADDR-0001");
}

TEST_CASE("adders: chance matches of random layers are as many as stated", "[defects][adders]") {
  Random random(9);
  double carried = 0.0, expected = 0.0;
  for (int trial = 0; trial < 30; ++trial) {
    FabData data = two_inspections();
    for (std::uint32_t step = 0; step < 2; ++step) {
      for (int i = 0; i < 300; ++i) {
        add_defect(data, step, random.uniform(0.0, 9999.9), random.uniform(0.0, 9999.9));
      }
    }
    const auto r = find_adders(data, {.tolerance_um = 60.0}).value();
    carried += static_cast<double>(r.steps[1].carried);
    expected += r.steps[1].chance_matches;
  }
  CHECK_THAT(carried / expected, WithinAbs(1.0, 0.06));  // Two standard errors, and edges.
}

TEST_CASE("density: defects over the area that was inspected", "[defects][density]") {
  FabData data = two_inspections();
  for (int i = 0; i < 12; ++i) add_defect(data, 0, 100.0 + i, 100.0, i < 8 ? "P" : "Q");
  const auto d = defect_density(data).value();
  REQUIRE(d.steps.size() == 2);
  CHECK_THAT(d.steps[0].area_cm2, WithinRel(1.0, 1e-12));  // 100 die of 1 mm^2.
  CHECK_THAT(d.steps[0].density_per_cm2, WithinRel(12.0, 1e-12));
  CHECK_THAT(d.steps[0].density_ci.low, WithinAbs(6.2006, 1e-3));  // Garwood, k = 12.
  CHECK_THAT(d.steps[0].density_ci.high, WithinAbs(20.9616, 1e-3));
  const auto p = defect_pareto(data).value();
  REQUIRE(p.bars.size() == 2);
  CHECK(p.bars[0].label == "P");
  CHECK(p.bars[0].defects == 8);
  CHECK_THAT(p.bars[0].density_per_cm2, WithinRel(4.0, 1e-12));  // Over both inspections.
  CHECK(p.bars[1].cumulative_share == 1.0);
  const auto steps = defect_pareto(data, {.by = ParetoBy::kStep}).value();
  CHECK(steps.bars[0].label == "A");
  CHECK(steps.bars[1].defects == 0);
  const auto sizes = defect_pareto(data, {.by = ParetoBy::kSize}).value();
  CHECK(sizes.bars[0].label == "0.2 to 0.5 um");
  std::vector<char> exclude(data.defects.size(), 0);
  exclude[0] = 1;
  CHECK(defect_pareto(data, {}, exclude).value().excluded == 1);
  CHECK(defect_pareto(data, {.step = "C"}).error().id == "DPAR-0001");
  CHECK(defect_pareto(data, {.size_edges_um = {1.0, 1.0}}).error().id == "DPAR-0002");
  FabData bare;
  CHECK(defect_density(bare).error().id == "DDEN-0001");
}

TEST_CASE("kill ratio: the exact table gives back its own Y and K", "[defects][kill]") {
  // Y = 0.9, K = 0.4: 0.9, 0.54, 0.324, 0.1944 for n = 0..3 defects, times 10,000 die.
  KillTable table{.types = {"X"}, .strata = 1, .cells = {}, .die = 40000};
  const std::int64_t good[] = {9000, 5400, 3240, 1944};
  for (int n = 0; n < 4; ++n) table.cells.push_back({{n}, 0, good[n], 10000 - good[n]});
  const auto r = kill_ratios(table).value();
  CHECK_THAT(r.base_yield[0], WithinAbs(0.9, 1e-6));
  CHECK_THAT(r.ratios[0].kill, WithinAbs(0.4, 1e-6));
  CHECK(r.ratios[0].kill_ci.low < 0.4);
  CHECK(r.ratios[0].kill_ci.high > 0.4);
  CHECK(r.ratios[0].p_value < 1e-100);
  CHECK_THAT(r.ratios[0].die_lost + r.base_die_lost, WithinAbs(40000 - 19584, 0.1));
}

TEST_CASE("kill ratio: intervals cover the truth and nuisance defects contain zero",
          "[defects][kill]") {
  Random random(2);
  int covered = 0, zero = 0;
  const int trials = 200;
  for (int t = 0; t < trials; ++t) {
    KillTable table{.types = {"killer", "nuisance"}, .strata = 2, .cells = {}, .die = 0};
    for (int stratum = 0; stratum < 2; ++stratum) {
      for (int a = 0; a < 3; ++a) {
        for (int b = 0; b < 3; ++b) {
          const double yield = (stratum == 0 ? 0.92 : 0.8) * std::pow(0.65, a);
          const std::uint64_t die = a + b == 0 ? 1500 : 60;
          const auto good = static_cast<std::int64_t>(random.binomial(die, yield));
          table.cells.push_back({{a, b}, stratum, good, static_cast<std::int64_t>(die) - good});
        }
      }
    }
    const auto r = kill_ratios(table).value();
    covered += r.ratios[0].kill_ci.low <= 0.35 && r.ratios[0].kill_ci.high >= 0.35;
    zero += r.ratios[1].kill_ci.low <= 0.0;
  }
  CHECK(covered >= trials * 0.91);  // 95 % less three standard errors.
  CHECK(zero >= trials * 0.93);     // One-sided at the edge: 97.5 % expected.
}

TEST_CASE("kill ratio: Shapley shares add up to the loss", "[defects][kill]") {
  const auto two = shapley_losses({0.5, 0.5});
  CHECK_THAT(two[0], WithinAbs(0.375, 1e-15));
  const auto many = shapley_losses({0.9, 0.5, 1.0, 0.0, 0.3});
  double sum = 0.0;
  for (const double v : many) sum += v;
  CHECK_THAT(sum, WithinAbs(1.0, 1e-12));
  CHECK(many[2] == 0.0);
}

TEST_CASE("kill ratio: die lost are shared out whole, by layer, size and pattern",
          "[defects][kill]") {
  FabData data = two_inspections();
  Random random(21);
  // 60 more wafers at both steps; big defects of step A kill, those of step B and small ones do
  // not.
  std::int64_t bad = 0;
  for (std::uint32_t w = 0; w < 60; ++w) {
    const WaferId wafer{static_cast<std::uint32_t>(data.wafers.size())};
    data.wafers.push_back({data.names.intern("L9"), data.names.intern(std::to_string(w)), 1});
    for (const char* step : {"A", "B"}) {
      // Every second wafer is not inspected at B.
      if (step[0] == 'B' && w % 2 == 1) continue;
      Inspection i = data.inspections[0];
      i.id = step + std::to_string(w);
      i.wafer = wafer;
      i.step = data.names.intern(step);
      data.inspections.push_back(i);
    }
    const auto of_a = static_cast<std::uint32_t>(data.inspections.size() - (w % 2 == 1 ? 1 : 2));
    for (const DieIndex die : data.inspections[0].inspected) {
      const auto add = [&](std::uint32_t inspection, double size) {
        Defect d;
        d.inspection = inspection;
        d.wafer = wafer;
        d.die = die;
        d.size_um = size;
        d.class_number = 7;
        d.defect_id = static_cast<std::int64_t>(data.defects.size());
        data.defects.push_back(d);
      };
      double good = 0.9;
      if (random.chance(0.2)) add(of_a, 2.0), good *= 0.5;
      if (random.chance(0.2)) add(of_a, 0.2);
      if (w % 2 == 0 && random.chance(0.2)) add(of_a + 1, 2.0);
      DieResult r;
      r.wafer = wafer;
      r.die = die;
      r.pass = random.chance(good);
      r.final_result = true;
      bad += r.pass ? 0 : 1;
      data.die_results.push_back(r);
    }
  }
  std::vector<std::string> pattern(data.defects.size());
  for (std::size_t p = 0; p < pattern.size(); p += 2) pattern[p] = "p-1";
  const auto overlay =
      kill_overlay(data, {.zones = 1, .by_step = true, .size_edges_um = {1.0}, .pattern = pattern})
          .value();
  CHECK(overlay.die_lost == bad);
  double shared = 0.0;
  for (const LayerLoss& layer : overlay.layers) shared += layer.die_shared;
  CHECK_THAT(shared, WithinAbs(static_cast<double>(bad), 1e-6));
  REQUIRE(overlay.layers.size() == 3);
  CHECK(overlay.layers[1].step == "A");
  CHECK(overlay.layers[1].die_lost > 5.0 * overlay.layers[2].die_lost);
  for (std::size_t j = 0; j < overlay.table.types.size(); ++j) {
    const KillFacets& f = overlay.table.facets[j];
    const KillRatio& k = overlay.result.ratios[j];
    CAPTURE(overlay.table.types[j]);
    const bool killer = f.step == "A" && f.size == ">= 1 um";
    if (killer) {
      CHECK(k.kill_ci.low > 0.3);
      CHECK(k.kill_ci.high < 0.7);
    } else if (f.class_name != "other") {
      CHECK(k.kill < 0.15);
    }
  }
  CHECK(kill_overlay(data, {.size_edges_um = {2.0, 1.0}}).error().id == "KILL-0003");
  CHECK(kill_overlay(data, {.pattern = {"p-1"}}).error().id == "KILL-0003");
}

TEST_CASE("kill ratio: only die inspected and tested count", "[defects][kill]") {
  FabData data = two_inspections();
  data.product.wafer_diameter_mm = 20.0;
  for (std::int16_t x = 0; x < 12; ++x) {
    DieResult r;
    r.die = {x, 0};
    r.pass = x != 3;
    r.final_result = true;
    data.die_results.push_back(r);
  }
  add_defect(data, 0, 3500.0, 500.0);
  add_defect(data, 0, 4500.0, 500.0);
  const auto table = kill_table(data, {.step = "A", .zones = 1, .min_die = 1}).value();
  CHECK(table.die == 10);
  const auto r = kill_ratios(table).value();
  CHECK(r.ratios[0].die == 2);
  CHECK_THAT(r.ratios[0].simple, WithinAbs(0.5, 1e-12));
  FabData untested = two_inspections();
  CHECK(kill_table(untested).error().id == "KILL-0001");
  CHECK(kill_ratios(KillTable{}).error().id == "KILL-0002");
  CHECK(kill_table(data, {.zones = 0}).error().id == "KILL-0003");
}

#include <algorithm>
#include <cmath>

#include "catch_portable.h"
#include "engine/core/die_outcomes.h"
#include "engine/core/random.h"
#include "engine/yield/retests.h"
#include "engine/yield/yield_models.h"
#include "engine/yield/yield_summary.h"

using namespace yieldloop;
using namespace yieldloop::yield;

namespace {

double y(YieldModel model, double m, double alpha = 2, double layers = 1) {
  return model_yield(m, {.model = model, .alpha = alpha, .layers = layers}).value();
}

/// Two lots of two wafers, four die each; die (0,0) of the first wafer was tested twice.
FabData small_fab() {
  FabData data;
  const NameId a = data.names.intern("A"), b = data.names.intern("B");
  const NameId cp = data.names.intern("CP1");
  for (const NameId lot : {a, a, b, b}) data.wafers.push_back({lot, NameId{}, 0});
  for (std::uint32_t w = 0; w < 4; ++w) {
    for (std::int16_t x = 0; x < 4; ++x) {
      DieResult row;
      row.wafer = WaferId{w};
      row.die = {x, 0};
      row.insertion = cp;
      row.pass = x >= static_cast<std::int16_t>(w);
      row.hard_bin = row.pass ? 1 : 5 + x;
      row.soft_bin = row.hard_bin;
      row.tested_at = {1000 + x};
      data.die_results.push_back(row);
    }
  }
  data.die_results[0].pass = false;
  data.die_results[0].hard_bin = 9;
  DieResult again = data.die_results[0];
  again.pass = true;
  again.hard_bin = 1;
  again.tested_at = {5000};
  data.die_results.push_back(again);
  return data;
}

}  // namespace

TEST_CASE("yield models: the published table", "[yield][models]") {
  const double m[] = {0.1, 0.5, 1, 2};
  const double table[4][8] = {{0.904837418, 0.905591701, 0.906346235, 0.909090909, 0.728893414,
                               0.912870929, 0.907029478, 0.905730810},
                              {0.606530660, 0.619272487, 0.632120559, 0.666666667, 0.493068691,
                               0.707106781, 0.640000000, 0.620921323},
                              {0.367879441, 0.399576401, 0.432332358, 0.500000000, 0.367879441,
                               0.577350269, 0.444444444, 0.401877572},
                              {0.135335283, 0.186911268, 0.245421090, 0.333333333, 0.243116734,
                               0.447213595, 0.250000000, 0.185934432}};
  for (int i = 0; i < 4; ++i) {
    const double got[] = {y(YieldModel::kPoisson, m[i]),
                          y(YieldModel::kMurphy, m[i]),
                          y(YieldModel::kRectangular, m[i]),
                          y(YieldModel::kExponential, m[i]),
                          y(YieldModel::kMoore, m[i]),
                          y(YieldModel::kNegativeBinomial, m[i], 0.5),
                          y(YieldModel::kNegativeBinomial, m[i], 2),
                          y(YieldModel::kNegativeBinomial, m[i], 5)};
    for (int j = 0; j < 8; ++j) {
      CAPTURE(i, j);
      CHECK_THAT(got[j], WithinAbs(table[i][j], 1e-9));
    }
  }
  CHECK_THAT(y(YieldModel::kBoseEinstein, 0.5, 2, 10), WithinAbs(0.613913254, 1e-9));
}

TEST_CASE("yield models: identities", "[yield][models]") {
  for (const double m : {1e-6, 0.01, 0.3, 1.0, 4.0}) {
    CHECK_THAT(y(YieldModel::kNegativeBinomial, m, 1e9), WithinAbs(std::exp(-m), 1e-7));
    CHECK_THAT(y(YieldModel::kNegativeBinomial, m, 1), WithinAbs(1 / (1 + m), 1e-14));
    CHECK_THAT(y(YieldModel::kBoseEinstein, m, 2, 1), WithinAbs(1 / (1 + m), 1e-14));
  }
  for (const auto& info : yield_models()) {
    if (info.model == YieldModel::kMoore) continue;
    CHECK_THAT(1 - y(info.model, 1e-6), WithinRel(1e-6, 1e-5));
  }
  const double layers[] = {0.1, 0.2};
  CHECK_THAT(layered_yield(layers).value(), WithinAbs(std::exp(-0.3), 1e-14));
}

TEST_CASE("yield models: inverse is a round trip", "[yield][models]") {
  for (const auto& info : yield_models()) {
    for (const double m : {1e-6, 1e-3, 0.1, 0.7, 2.0, 6.0}) {
      CAPTURE(info.name, m);
      const YieldModelOptions options{
          .model = info.model, .alpha = 1.7, .layers = 8, .systematic = 0.9};
      const double back = model_mean_defects(model_yield(m, options).value(), options).value();
      // Near yield 1 the yield itself holds only 1e-16/m of m.
      CHECK_THAT(back, WithinRel(m, std::max(1e-12, 5e-16 / m)));
    }
  }
}

TEST_CASE("defect density: interval is Clopper-Pearson's through the model", "[yield][models]") {
  const auto d = defect_density(682, 925, 0.5);
  REQUIRE(d);
  CHECK_THAT(d->d0, WithinRel(-std::log(682.0 / 925) / 0.5, 1e-12));
  CHECK_THAT(d->d0_ci.low, WithinAbs(-std::log(0.7654066) / 0.5, 1e-6));
  CHECK_THAT(d->d0_ci.high, WithinAbs(-std::log(0.7076683) / 0.5, 1e-6));
  CHECK(defect_density(10, 10, 1)->d0 == 0.0);
}

TEST_CASE("yield models: what they refuse", "[yield][models][error]") {
  CHECK(model_yield(-1).error().id == "YIEL-0001");
  CHECK(model_yield(1, {.alpha = 0}).error().id == "YIEL-0001");
  CHECK(model_yield(1, {.systematic = 1.1}).error().id == "YIEL-0001");
  CHECK(model_mean_defects(0).error().id == "YIEL-0002");
  CHECK(model_mean_defects(0.95, {.systematic = 0.9}).error().id == "YIEL-0002");
  CHECK(defect_density(5, 4, 1).error().id == "YIEL-0003");
  CHECK(defect_density(1, 4, 0).error().id == "YIEL-0003");
  CHECK(defect_density(0, 4, 1).error().id == "YIEL-0004");
}

TEST_CASE("retests: the first row is the first pass, the last the final", "[yield][retest]") {
  FabData data = small_fab();
  const RetestCounts counts = resolve_retests(data.die_results);
  CHECK(counts == RetestCounts{.rows = 17, .die = 16, .superseded = 1, .recovered = 1, .lost = 0});
  CHECK(data.die_results[0].first_pass);
  CHECK_FALSE(data.die_results[0].final_result);
  CHECK(data.die_results[16].final_result);
  CHECK_FALSE(data.die_results[16].first_pass);
  CHECK(data.die_results[1].first_pass);
  CHECK(data.die_results[1].final_result);
}

TEST_CASE("retests: without times the part sequence decides", "[yield][retest]") {
  std::vector<DieResult> rows(2);
  rows[0].part_sequence = 2;
  rows[1].part_sequence = 1;
  resolve_retests(rows);
  CHECK(rows[0].final_result);
  CHECK(rows[1].first_pass);
}

TEST_CASE("retests: die without a place are never merged", "[yield][retest]") {
  std::vector<DieResult> rows(3);
  for (auto& row : rows) row.die = {INT16_MIN, INT16_MIN};
  CHECK(resolve_retests(rows).die == 3);
  CHECK(std::ranges::all_of(rows, &DieResult::final_result));
}

TEST_CASE("yield summary: first pass, final, and the two averages", "[yield][summary]") {
  FabData data = small_fab();
  resolve_retests(data.die_results);
  const auto s = yield_summary(data);
  REQUIRE(s);
  CHECK(s->first_pass == YieldCount{16, 9});
  CHECK(s->final == YieldCount{16, 10});
  CHECK(s->rows == 17);
  CHECK(s->superseded == 1);
  REQUIRE(s->lots.size() == 2);
  CHECK(s->lots[0].final == YieldCount{8, 7});
  CHECK_THAT(s->mean_wafer_yield, WithinAbs((1 + 0.75 + 0.5 + 0.25) / 4, 1e-15));
  CHECK(s->final_ci.low < s->final.yield());
  CHECK(s->final_ci.high > s->final.yield());
  // Bins: 5 three times, 6 twice, 7 once, then the pass bin.
  REQUIRE(s->hard_bins.size() == 4);
  CHECK(s->hard_bins[0].bin == 5);
  CHECK(s->hard_bins[0].die == 3);
  CHECK_THAT(s->hard_bins[1].cumulative, WithinAbs(5.0 / 6, 1e-15));
  CHECK(s->hard_bins[3].pass);
}

TEST_CASE("yield summary: counts are conserved and the order of rows does not matter",
          "[yield][summary]") {
  FabData data = small_fab();
  resolve_retests(data.die_results);
  const auto before = yield_summary(data).value();
  Random random(3);
  random.shuffle(data.die_results);
  resolve_retests(data.die_results);
  const auto after = yield_summary(data).value();
  CHECK(before == after);
  std::int64_t bins = 0, wafers = 0;
  for (const auto& bin : after.hard_bins) bins += bin.die;
  for (const auto& wafer : after.wafers) wafers += wafer.final.tested;
  CHECK(bins == after.final.tested);
  CHECK(wafers == after.final.tested);
}

TEST_CASE("yield summary: a die must pass every insertion", "[yield][summary]") {
  FabData data = small_fab();
  const NameId cp2 = data.names.intern("CP2");
  DieResult row;
  row.die = {3, 0};
  row.hard_bin = 7;
  row.insertion = cp2;
  row.tested_at = {90'000};
  data.die_results.push_back(row);
  resolve_retests(data.die_results);
  CHECK(yield_summary(data)->final == YieldCount{16, 9});
  CHECK(yield_summary(data, {.insertion = data.names.find("CP1")})->final == YieldCount{16, 10});
  CHECK(yield_summary(data, {.insertion = cp2})->final == YieldCount{1, 0});
  CHECK(yield_summary(FabData{}).error().id == "YIEL-0005");
}

#include <algorithm>
#include <cmath>

#include "catch_portable.h"
#include "models/validation/training.h"
#include "virtual_fab.h"

using namespace yieldloop;
using namespace yieldloop::models;

namespace {

FeatureTable table_of(const FabData& data, Target target = Target::kDieFail) {
  return build_features(data, describe_features(data, {.target = target}).value().schema, {})
      .value();
}

double metric(const Assessment& a, std::string_view name) {
  const auto at = std::ranges::find(a.metrics, name, &Metric::name);
  REQUIRE(at != a.metrics.end());
  return at->value;
}

}  // namespace

TEST_CASE("metrics: closed forms", "[models][metrics]") {
  const std::vector<double> p{0.1, 0.4, 0.35, 0.8};
  const std::vector<float> y{0, 0, 1, 1};

  CHECK(auc(p, y) == 0.75);  // Three of four pairs are in order.
  CHECK(auc(std::vector<double>{1, 1, 1, 1}, y) == 0.5);
  CHECK(auc(std::vector<double>{0, 0, 1, 1}, y) == 1.0);
  CHECK(std::isnan(auc(p, std::vector<float>{1, 1, 1, 1})));
  CHECK(auc(p, y, std::vector<double>{1, 0, 1, 1}) == 1.0);
  CHECK_THAT(brier_score(p, y), WithinAbs((0.01 + 0.16 + 0.4225 + 0.04) / 4, 1e-12));
  CHECK_THAT(
      log_loss(p, y),
      WithinAbs(-(std::log(0.9) + std::log(0.6) + std::log(0.35) + std::log(0.8)) / 4, 1e-12));
  CHECK_THAT(rmse(p, y), WithinAbs(std::sqrt(0.6325 / 4), 1e-12));
  CHECK_THAT(mean_absolute_error(p, y), WithinAbs((0.1 + 0.4 + 0.65 + 0.2) / 4, 1e-12));
  CHECK_THAT(r_squared(p, y, 0.5), WithinAbs(1 - 0.6325 / 1.0, 1e-12));
  CHECK(std::isnan(r_squared(p, std::vector<float>{1, 1, 1, 1}, 1.0)));
}

TEST_CASE("metrics: the AUC equals the count over all pairs", "[models][metrics]") {
  Random random(2);
  std::vector<double> p;
  std::vector<float> y;
  for (int i = 0; i < 200; ++i) {
    p.push_back(std::floor(random.uniform() * 20));
    y.push_back(random.chance(0.3) ? 1.0F : 0.0F);
  }
  double wins = 0, pairs = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    for (std::size_t j = 0; j < p.size(); ++j) {
      if (y[i] < 0.5F || y[j] > 0.5F) continue;
      wins += p[i] > p[j] ? 1.0 : p[i] == p[j] ? 0.5 : 0.0;
      pairs += 1;
    }
  }
  CHECK_THAT(auc(p, y), WithinAbs(wins / pairs, 1e-12));
}

TEST_CASE("metrics: calibration bins hold every row once", "[models][metrics]") {
  std::vector<double> p;
  std::vector<float> y;
  for (int i = 0; i < 1000; ++i) {
    p.push_back(i < 500 ? 0.2 : 0.6);
    y.push_back(i % 5 == 0 || (i >= 500 && i % 5 < 3) ? 1.0F : 0.0F);
  }
  const auto bins = calibration(p, y, 10);

  REQUIRE(bins.size() == 2);  // Equal predictions share a bin.
  CHECK(bins[0].n == 500);
  CHECK_THAT(bins[0].observed, WithinAbs(0.2, 1e-12));
  CHECK_THAT(bins[1].observed, WithinAbs(0.6, 1e-12));
  CHECK_THAT(expected_calibration_error(bins), WithinAbs(0.0, 1e-12));
}

TEST_CASE("split: later lots judge and no lot is in two parts", "[models][split]") {
  const auto table = table_of(test::virtual_fab({.lots = 10, .wafers = 2}));

  const auto split = split_by_lots(table, {}).value();

  CHECK(split.train_lots.size() == 6);
  CHECK(split.held_out_lots.size() == 1);
  CHECK(split.test_lots == std::vector<std::string>{"L007", "L008", "L009"});
  CHECK(split.train.size() + split.held_out.size() + split.test.size() == table.rows.size());
  CHECK(check_split(table, split));
}

TEST_CASE("split: a leaky split is caught", "[models][split][leak]") {
  const auto table = table_of(test::virtual_fab({.lots = 6, .wafers = 2}));
  auto split = split_by_lots(table, {}).value();

  auto within = split;  // One die of a judging lot teaches.
  within.train.push_back(within.test.back());
  within.test.pop_back();
  CHECK(check_split(table, within).error().id == "VALD-0003");

  auto backwards = split;  // The future predicts the past.
  std::swap(backwards.train, backwards.test);
  CHECK(check_split(table, backwards).error().id == "VALD-0004");
}

TEST_CASE("split: what it refuses", "[models][split][error]") {
  const auto table = table_of(test::virtual_fab({.lots = 3, .wafers = 1}));
  CHECK(split_by_lots(table, {.test_share = 0.0}).error().id == "VALD-0001");
  CHECK(split_by_lots(table_of(test::virtual_fab({.lots = 1})), {}).error().id == "VALD-0002");
  CHECK(split_by_lots(table_of(test::virtual_fab({.lots = 2})), {}).value().held_out.empty());
}

TEST_CASE("split: lot-grouped judging sees through what a random split rewards",
          "[models][split][leak]") {
  // Fails depend on a level of the lot alone, and a sensor reads that level: nothing transfers to
  // other lots, so an honest split must find chance while a split within lots finds skill.
  auto data = test::virtual_fab({.lots = 16, .wafers = 4, .is_null = true, .seed = 4});
  Random random(8);
  std::vector<double> fail_rate, fingerprint;
  for (int lot = 0; lot < 16; ++lot) {
    fail_rate.push_back(lot % 2 == 0 ? 0.05 : 0.5);
    fingerprint.push_back(random.uniform(0.0, 1000.0));
  }
  for (auto& v : data.fdc) v.value = fingerprint[v.wafer.raw() / 4] + random.normal(0.0, 0.01);
  for (auto& r : data.die_results) r.pass = !random.chance(fail_rate[r.wafer.raw() / 4]);
  const auto table = table_of(data);
  NoProgress progress;
  const auto judged = [&](const RowSet& train, const RowSet& test) {
    const auto fitted = fit(table, train, {}, {.rounds = 20}, progress).value();
    const auto p =
        Booster::load(fitted.model_json, table.columns()).value().predict(table, test).value();
    std::vector<float> y;
    for (const auto row : test) y.push_back(table.target[row]);
    return auc(p, y);
  };
  RowSet train, test;
  for (std::uint32_t i = 0; i < table.rows.size(); ++i)
    (random.chance(0.67) ? train : test).push_back(i);
  const auto honest = split_by_lots(table, {}).value();

  CHECK(judged(train, test) > 0.7);
  CHECK(judged(honest.train, honest.test) < 0.65);
}

TEST_CASE("train_die_fail: finds planted causes and beats the radius", "[models][training]") {
  const auto data = test::virtual_fab({.lots = 12, .wafers = 6});
  NoProgress progress;

  const auto model = train_die_fail(data, {}, progress).value();
  const auto& m = model.manifest;

  CHECK(metric(m.assessment, "auc") > 0.75);
  CHECK(m.assessment.better_than_baseline);
  CHECK(m.assessment.gain.ci->low > 0.0);
  CHECK_THAT(m.assessment.verdict, Contains("better than distance from the wafer centre"));
  CHECK(metric(m.assessment, "ece") < 0.05);
  REQUIRE(m.groups_ranked.size() >= 3);
  std::vector<std::string> top;
  for (std::size_t i = 0; i < 3; ++i) top.push_back(m.groups_ranked[i].name);
  CHECK(std::ranges::find(top, "step M1_ETCH") != top.end());
  CHECK(std::ranges::find(top, "inspection M1_CMP_INSP") != top.end());
  CHECK(m.assessment.shuffled->passed);
  CHECK_THAT(m.assessment.shuffled->value, WithinAbs(0.5, 0.08));
  CHECK(m.examples.size() == 20);
  CHECK(m.examples.front().predicted >= m.examples.back().predicted);
  CHECK(m.trained_at == test::day(11, 48));
  CHECK(m.test_lots.back() == "L011");
}

TEST_CASE("train_die_fail: says so when nothing can be predicted", "[models][training]") {
  NoProgress progress;
  const auto data = test::virtual_fab({.lots = 10, .wafers = 6, .is_null = true, .seed = 9});

  const auto model = train_die_fail(data, {}, progress).value();

  CHECK_FALSE(model.manifest.assessment.better_than_baseline);
  CHECK_THAT(model.manifest.assessment.verdict, Contains("no better than"));
  CHECK_THAT(metric(model.manifest.assessment, "auc"), WithinAbs(0.5, 0.06));
}

TEST_CASE("train: same data and seed give the same bytes on one thread and two",
          "[models][training]") {
  const auto data = test::virtual_fab();
  NoProgress progress;
  TrainOptions one, two;
  one.boost.threads = 1;
  two.boost.threads = 2;

  const auto a = train_die_fail(data, one, progress).value();
  const auto b = train_die_fail(data, two, progress).value();

  CHECK(a == b);
  TrainOptions other;
  other.seed = 2;
  CHECK(train_die_fail(data, other, progress).value().manifest.seed == 2);
}

TEST_CASE("train_wafer_yield: a chamber's loss is learned and explained", "[models][training]") {
  const auto data = test::virtual_fab({.lots = 20, .wafers = 10, .chamber_loss = 0.6});
  NoProgress progress;

  const auto model =
      train_wafer_yield(data, default_train_options(Target::kWaferYield), progress).value();
  const auto& m = model.manifest;

  CHECK(metric(m.assessment, "r2") > 0.6);
  CHECK(m.assessment.better_than_baseline);
  CHECK(m.groups_ranked.front().name == "step M1_ETCH");
  REQUIRE_FALSE(m.examples.empty());
  CHECK(m.examples.front().top.front().feature == "chamber at M1_ETCH");
  CHECK(m.examples.front().top.front().shown == "ETCH01/B");
  CHECK(m.examples.front().top.front().value < 0.0);
  CHECK(m.assessment.shuffled->passed);
}

TEST_CASE("train: confounded twins are named together", "[models][training]") {
  auto data = test::virtual_fab({.lots = 16, .wafers = 8, .chamber_loss = 0.6});
  const auto runs = data.step_runs;
  for (const StepRun& run : runs) {  // A second step that always follows the etch chamber.
    if (data.names[run.step] != "M1_ETCH") continue;
    StepRun strip = run;
    strip.step = data.names.intern("M1_STRIP");
    strip.step_seq = 11;
    data.step_runs.push_back(strip);
  }
  NoProgress progress;

  const auto m = train_wafer_yield(data, default_train_options(Target::kWaferYield), progress)
                     .value()
                     .manifest;

  const auto etch = std::ranges::find(m.features_ranked, "chamber at M1_ETCH", &Importance::name);
  const auto strip = std::ranges::find(m.features_ranked, "chamber at M1_STRIP", &Importance::name);
  const auto& found = etch != m.features_ranked.end() ? *etch : *strip;
  REQUIRE(found.twins.size() == 1);
  CHECK_THAT(found.twins.front() + found.name, Contains("M1_ETCH") && Contains("M1_STRIP"));
}

TEST_CASE("predict: every die, the worst with reasons, no look at results", "[models][predict]") {
  auto data = test::virtual_fab();
  NoProgress progress;
  const auto model = train_die_fail(data, {}, progress).value();

  const auto prediction = predict(model, data).value();

  CHECK(prediction.rows.size() == data.die_results.size());
  CHECK(prediction.explained.size() == 100);
  CHECK(prediction.explained.front().predicted >= prediction.explained.back().predicted);
  CHECK_FALSE(prediction.explained.front().top.empty());
  for (auto& r : data.die_results) r.pass = !r.pass;
  CHECK(predict(model, data).value() == prediction);
  data.product.name = "OTHER";
  CHECK(predict(model, data).error().id == "VALD-0006");
}

TEST_CASE("train: what it refuses", "[models][training][error]") {
  NoProgress progress;
  CHECK(train_die_fail(FabData{}, {}, progress).error().id == "FEAT-0002");
  CHECK(train_die_fail(test::virtual_fab({.lots = 1}), {}, progress).error().id == "VALD-0002");
  auto perfect = test::virtual_fab({.lots = 4, .wafers = 2});
  for (auto& r : perfect.die_results) r.pass = true;
  CHECK(train_die_fail(perfect, {}, progress).error().id == "VALD-0005");
}

#include <algorithm>
#include <cmath>
#include <numeric>

#include "catch_portable.h"
#include "models/predictors/booster.h"
#include "models/predictors/model_json.h"
#include "virtual_fab.h"

using namespace yieldloop;
using namespace yieldloop::models;

namespace {

FeatureTable table_of(const FabData& data) {
  return build_features(data, describe_features(data, {}).value().schema, {}).value();
}

RowSet all_rows(const FeatureTable& table) {
  RowSet rows(table.rows.size());
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const auto at = text.find(what);
  INFO("looking for " << what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

std::string small_model() {
  const auto table = table_of(test::virtual_fab({.lots = 3, .wafers = 4}));
  NoProgress progress;
  return fit(table, all_rows(table), {}, {.rounds = 3, .depth = 3}, progress).value().model_json;
}

}  // namespace

TEST_CASE("booster: one thread and two give the same bytes", "[models][predictors]") {
  const auto table = table_of(test::virtual_fab());
  NoProgress progress;
  RowSet train, held_out;
  for (std::uint32_t i = 0; i < table.rows.size(); ++i)
    (table.lot[i] < 6 ? train : held_out).push_back(i);

  const auto one = fit(table, train, held_out, {.threads = 1}, progress).value();
  const auto two = fit(table, train, held_out, {.threads = 2}, progress).value();
  const auto four = fit(table, train, held_out, {.threads = 4}, progress).value();

  CHECK(one == two);
  CHECK(one == four);
  CHECK(one.rounds_used >= 5);
  CHECK(one.model_json.size() > 1000);
}

TEST_CASE("booster: early stopping keeps the rounds with the least held-out loss",
          "[models][predictors]") {
  const auto table = table_of(test::virtual_fab());
  NoProgress progress;
  RowSet train, held_out;
  for (std::uint32_t i = 0; i < table.rows.size(); ++i)
    (table.lot[i] < 6 ? train : held_out).push_back(i);

  const auto fitted =
      fit(table, train, held_out, {.rounds = 200, .learning_rate = 0.5}, progress).value();
  const auto least = std::ranges::min_element(fitted.held_out_loss);

  CHECK(fitted.held_out_loss.size() < 200);
  CHECK(least - fitted.held_out_loss.begin() + 1 == fitted.rounds_used);
  CHECK(check_model_json(fitted.model_json).value().trees ==
        static_cast<std::size_t>(fitted.rounds_used));
  // The cut model's own predictions give that very loss.
  const auto booster = Booster::load(fitted.model_json, table.columns()).value();
  const auto p = booster.predict(table, held_out).value();
  double loss = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    loss -= std::log(table.target[held_out[i]] > 0.5F ? p[i] : 1.0 - p[i]);
  }
  CHECK_THAT(loss / static_cast<double>(p.size()), WithinAbs(*least, 1e-6));
}

TEST_CASE("booster: contributions add up to the margin", "[models][predictors]") {
  const auto table = table_of(test::virtual_fab());
  NoProgress progress;
  const auto fitted = fit(table, all_rows(table), {}, {}, progress).value();
  const auto booster = Booster::load(fitted.model_json, table.columns()).value();

  const auto p = booster.predict(table, all_rows(table)).value();
  const auto contributions = booster.contributions(table, all_rows(table)).value();

  const std::size_t width = table.columns() + 1;
  REQUIRE(contributions.size() == p.size() * width);
  double worst = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double sum =
        std::accumulate(contributions.begin() + static_cast<std::ptrdiff_t>(i * width),
                        contributions.begin() + static_cast<std::ptrdiff_t>((i + 1) * width), 0.0);
    worst = std::max(worst, std::abs(1.0 / (1.0 + std::exp(-sum)) - p[i]));
  }
  CHECK(worst < 1e-5);
}

TEST_CASE("booster: one stump is Newton's step, worked by hand", "[models][predictors]") {
  // Ten rows, x = 0 for five that pass and 1 for five that fail: base 0.5, margin 0, gradient
  // +-0.5, Hessian 0.25. A leaf is -sum(g) / (sum(h) + l2) = -2.5 / (1.25 + 1) = -+1.1111,
  // times the learning rate 0.3 is -+0.33333.
  FeatureTable table;
  table.schema.columns = {make_column(Source::kSlot, {})};
  for (int i = 0; i < 10; ++i) {
    table.rows.push_back({WaferId{static_cast<std::uint32_t>(i)}, {}});
    table.values.push_back(i < 5 ? 0.0F : 1.0F);
    table.target.push_back(i < 5 ? 0.0F : 1.0F);
  }
  NoProgress progress;

  const auto fitted =
      fit(table, all_rows(table), {},
          {.rounds = 1, .depth = 1, .learning_rate = 0.3, .min_child_weight = 0.0}, progress)
          .value();
  const auto p =
      Booster::load(fitted.model_json, 1).value().predict(table, all_rows(table)).value();

  CHECK(fitted.base_score == 0.5);
  CHECK_THAT(std::log(p[0] / (1 - p[0])), WithinAbs(-1.0 / 3.0, 1e-5));
  CHECK_THAT(std::log(p[9] / (1 - p[9])), WithinAbs(1.0 / 3.0, 1e-5));
}

TEST_CASE("booster: what it refuses to train", "[models][predictors][error]") {
  const auto table = table_of(test::virtual_fab({.lots = 2, .wafers = 2}));
  NoProgress progress;
  CHECK(fit(table, all_rows(table), {}, {.rounds = 0}, progress).error().id == "PRED-0001");
  CHECK(fit(table, {}, {}, {}, progress).error().id == "PRED-0002");

  struct Stop final : Progress {
    void report(std::string_view, std::uint64_t, std::uint64_t) override {}
    bool cancelled() const override { return true; }
  } stop;
  CHECK(fit(table, all_rows(table), {}, {}, stop).error().code == Errc::kCancelled);
}

TEST_CASE("model check: a good model passes and predicts the same afterwards",
          "[models][predictors]") {
  const auto table = table_of(test::virtual_fab({.lots = 3, .wafers = 4}));
  const auto json = small_model();

  const auto checked = check_model_json(json).value();

  CHECK(checked.trees == 3);
  CHECK(checked.features == table.columns());
  CHECK(checked.depth <= 3);
  CHECK(checked.objective == "binary:logistic");
  CHECK(check_model_json(checked.text).value().text == checked.text);
  const auto first =
      Booster::load(json, table.columns()).value().predict(table, all_rows(table)).value();
  const auto again =
      Booster::load(checked.text, table.columns()).value().predict(table, all_rows(table)).value();
  CHECK(first == again);
}

TEST_CASE("model check: damaged models are refused by name", "[models][predictors][damage]") {
  const auto json = small_model();
  const auto id = [](const std::string& text) { return check_model_json(text).error().id; };

  CHECK(id("") == "MODL-0002");
  CHECK(id(json.substr(0, json.size() / 2)) == "MODL-0002");
  CHECK(id(std::string(100, '[')) == "MODL-0001");
  CHECK(id("{}") == "MODL-0003");
  CHECK(id(replaced(json, "gbtree\"", "gblinear\"")) == "MODL-0003");
  CHECK(id(replaced(json, "binary:logistic", "rank:pairwise")) == "MODL-0003");
  CHECK(id(replaced(json, "\"left_children\":[1", "\"left_children\":[0")) == "MODL-0006");
  CHECK(id(replaced(json, "\"left_children\":[1", "\"left_children\":[2")) == "MODL-0006");
  CHECK(id(replaced(json, "\"left_children\":[1", "\"left_children\":[999999")) == "MODL-0004");
  CHECK(id(replaced(json, "\"left_children\":[1,", "\"left_children\":[")) == "MODL-0005");
  CHECK(id(replaced(json, "\"parents\":[2147483647", "\"parents\":[0")) == "MODL-0006");
  CHECK(id(replaced(json, "\"split_indices\":[", "\"split_indices\":[99999,")) == "MODL-0005");
  CHECK(id(replaced(json, "\"split_conditions\":[", "\"split_conditions\":[1E999,")) ==
        "MODL-0002");
  CHECK(id(replaced(json, "\"split_conditions\":[", "\"split_conditions\":[1E39,")) == "MODL-0005");
  CHECK(id(replaced(json, "\"num_trees\":\"3\"", "\"num_trees\":\"4\"")) == "MODL-0005");
  CHECK(id(replaced(json, "\"version\":[", "\"version\":[1,")) == "MODL-0003");
}

TEST_CASE("model check: a single changed byte never crashes", "[models][predictors][damage]") {
  const auto table = table_of(test::virtual_fab({.lots = 3, .wafers = 4}));
  const auto json = small_model();
  Random random(11);
  int accepted = 0;
  for (int trial = 0; trial < 400; ++trial) {
    auto text = json;
    text[random.below(text.size())] ^= static_cast<char>(1U << random.below(7));
    const auto booster = Booster::load(text, table.columns(), 1);
    if (!booster) continue;
    ++accepted;  // A changed digit of a leaf is still a model; the package's hash catches that.
    const auto p = booster->predict(table, {0, 1, 2});
    REQUIRE(p);
    CHECK(std::ranges::all_of(*p, [](double v) { return v >= 0.0 && v <= 1.0; }));
  }
  CHECK(accepted < 400);
}

TEST_CASE("booster: a model of another width is refused", "[models][predictors][error]") {
  const auto json = small_model();
  CHECK(Booster::load(json, 1).error().id == "MODL-0008");
}

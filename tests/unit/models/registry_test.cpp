#include <unistd.h>

#include <algorithm>

#include "catch_portable.h"
#include "engine/core/sha256.h"
#include "engine/store/store.h"
#include "models/registry/package.h"
#include "models/registry/quality_report.h"
#include "models/registry/registry.h"
#include "virtual_fab.h"

using namespace yieldloop;
using namespace yieldloop::models;

namespace {

TrainedModel small_model(std::uint64_t seed = 1, int rounds = 4) {
  NoProgress progress;
  TrainOptions options;
  options.seed = seed;
  options.boost.rounds = rounds;
  options.boost.depth = 2;
  options.boost.early_stopping_rounds = 0;
  options.examples = 3;
  options.snapshot = 7;
  return train_die_fail(test::virtual_fab({.lots = 10, .wafers = 4}), options, progress).value();
}

/// A store of its own in a folder that goes with it.
class TemporaryStore {
 public:
  TemporaryStore()
      : folder_(fs::temp_directory_path() /
                fmt::format("yieldloop-models-{}-{}", getpid(), ++count_)),
        store_(store::Store::create(real_file_system(), folder_).value()) {}
  ~TemporaryStore() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  std::string save(const TrainedModel& model) {
    auto tx = store_.begin().value();
    auto id = save_model(tx, model).value();
    REQUIRE(tx.commit("model"));
    return id;
  }
  Status promote(std::string_view id, bool force) {
    auto tx = store_.begin().value();
    YL_TRY(promote_model(tx, snapshot(), id, force));
    REQUIRE(tx.commit("promote"));
    return Ok{};
  }
  store::Snapshot snapshot() const { return store_.snapshot().value(); }

 private:
  static inline int count_ = 0;
  fs::path folder_;
  store::Store store_;
};

}  // namespace

TEST_CASE("package: comes back as it was, with the same bytes", "[models][package]") {
  const auto model = small_model();
  const auto bytes = to_package(model);

  const auto again = from_package(bytes).value();

  CHECK(again == model);
  CHECK(to_package(again) == bytes);
  CHECK(bytes == to_package(small_model()));
}

TEST_CASE("package: every single-bit change is refused", "[models][package][damage]") {
  auto bytes = to_package(small_model(1, 1));
  CAPTURE(bytes.size());
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < bytes.size(); i += bytes.size() / 500 + 1) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] ^= static_cast<char>(1 << bit);
      accepted += from_package(bytes) ? 1U : 0U;
      bytes[i] ^= static_cast<char>(1 << bit);
    }
  }
  CHECK(accepted == 0);
  CHECK(from_package(bytes));
  for (std::size_t i = 0; i < 120; ++i) CHECK_FALSE(from_package(bytes.substr(0, i)));
}

TEST_CASE("package: damage with a mended checksum is still refused", "[models][package][damage]") {
  const auto bytes = to_package(small_model());
  const auto body = bytes.substr(bytes.find('\n') + 1);
  const auto resealed = [&](std::string_view what, std::string_view by) {
    auto text = body;
    const auto at = text.find(what);
    INFO(what);
    REQUIRE(at != std::string::npos);
    text.replace(at, what.size(), by);
    return from_package("yieldloop-model/1 " + Sha256::of(text).hex() + "\n" + text).error().id;
  };

  CHECK(resealed("{", "") == "MODL-0010");
  CHECK(resealed("\"data_hash\"", "\"data_hush\"") == "MODL-0010");
  CHECK(resealed("\"target\":\"die_fail\"", "\"target\":\"wafer_yield\"") == "MODL-0010");
  CHECK(resealed("\"source\":\"radius\"", "\"source\":\"radios\"") == "MODL-0010");
  CHECK(resealed("\"source\":\"radius\"", "\"source\":\"tool\"") == "MODL-0010");
  CHECK(resealed("left_children\\\":[1", "left_children\\\":[0") == "MODL-0006");
  CHECK(from_package("yieldloop-model/2 " + std::string(64, '0') + "\n{}").error().id ==
        "MODL-0011");
}

TEST_CASE("registry: save, list, load, promote", "[models][registry]") {
  TemporaryStore store;
  CHECK(list_models(store.snapshot()).value().empty());
  CHECK(current_model(store.snapshot(), "DEMO28", Target::kDieFail).error().id == "MREG-0003");
  const auto first = small_model(1), second = small_model(2, 6);

  const auto id1 = store.save(first);
  const auto id2 = store.save(second);
  CHECK(store.save(first) == id1);  // The same model again.

  auto models = list_models(store.snapshot()).value();
  REQUIRE(models.size() == 2);
  CHECK(models[0].id == id1);
  CHECK(models[0].target == "die_fail");
  CHECK(models[0].metric == "auc");
  CHECK(models[0].rows == static_cast<std::int64_t>(first.manifest.rows));
  CHECK(models[1].seed == 2);
  CHECK_FALSE(models[0].promoted);
  CHECK(load_model(store.snapshot(), id2).value() == second);
  CHECK(load_model(store.snapshot(), id1.substr(0, 10)).value() == first);
  CHECK(current_model(store.snapshot(), "DEMO28", Target::kDieFail).value().id == id2);

  CHECK(store.promote(id1, true));
  CHECK(current_model(store.snapshot(), "DEMO28", Target::kDieFail).value().id == id1);
  CHECK(store.promote(id2, true));
  models = list_models(store.snapshot(), "DEMO28").value();
  REQUIRE(models.size() == 2);
  CHECK_FALSE(models[0].promoted);
  CHECK(models[1].promoted);
  CHECK(list_models(store.snapshot(), "OTHER").value().empty());
  CHECK(load_model(store.snapshot(), "ffff0000").error().id == "MREG-0001");
}

TEST_CASE("registry: a model that is no better than its baseline is not promoted",
          "[models][registry]") {
  TemporaryStore store;
  auto model = small_model();
  model.manifest.assessment.better_than_baseline = false;
  const auto id = store.save(model);

  CHECK(store.promote(id, false).error().id == "MREG-0004");
  CHECK(store.promote(id, true));

  auto leaky = small_model().manifest.assessment;
  REQUIRE(leaky.shuffled);
  leaky.shuffled->passed = false;
  CHECK_THAT(quality_gate(leaky).error().message, Contains("leak"));
}

TEST_CASE("quality report: says the figures, the verdict and the limits", "[models][report]") {
  const auto model = small_model();
  const auto text = quality_report_text(model);

  CHECK_THAT(text, Contains(model.manifest.assessment.verdict));
  CHECK_THAT(text, Contains("snapshot 7") && Contains("95 % interval") && Contains("Calibration"));
  CHECK_THAT(text, Contains("not causes"));
  CHECK(text == quality_report_text(from_package(to_package(model)).value()));
  CHECK_THAT(quality_report_json(model), Contains("yieldloop.model_quality/1"));
}

TEST_CASE("compare: names the metrics and whether they may be compared", "[models][report]") {
  const auto a = small_model(1), b = small_model(1, 8);
  const auto same = compare_models(a, b).value();

  CHECK(same.same_test);
  CHECK(same.metrics.front().name == "auc");
  CHECK(same.only_first.empty());
  auto other = b;
  other.manifest.test_lots.pop_back();
  CHECK_THAT(compare_models(a, other).value().statement, Contains("not comparable"));
  other.manifest.product = "X";
  CHECK(compare_models(a, other).error().id == "MREG-0005");
}

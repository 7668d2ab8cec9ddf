#include "models/registry/manifest_json.h"

#include <stdexcept>

namespace yieldloop::models {
namespace {

using Json = nlohmann::json;

template <class Item, class Convert>
Json list(const std::vector<Item>& items, Convert&& convert) {
  Json array = Json::array();
  for (const Item& item : items) array.push_back(convert(item));
  return array;
}

template <class Item, class Convert>
std::vector<Item> items(const Json& array, Convert&& convert) {
  std::vector<Item> result;
  for (const Json& element : array) result.push_back(convert(element));
  return result;
}

std::vector<std::string> texts(const Json& array) { return array.get<std::vector<std::string>>(); }

Json interval_json(const Interval& ci) { return Json::array({ci.low, ci.high}); }
Interval interval_from(const Json& json) {
  return {json.at(0).get<double>(), json.at(1).get<double>()};
}

Json metric_json(const Metric& m) {
  return {{"name", m.name}, {"value", m.value}, {"ci95", m.ci ? interval_json(*m.ci) : Json()}};
}

Metric metric_from(const Json& json) {
  Metric m{json.at("name").get<std::string>(), json.at("value").get<double>(), std::nullopt};
  if (!json.at("ci95").is_null()) m.ci = interval_from(json.at("ci95"));
  return m;
}

Json column_json(const FeatureColumn& c) {
  return {{"source", source_name(c.source)},
          {"keys", c.keys},
          {"name", c.name},
          {"group", c.group},
          {"categories", c.categories}};
}

FeatureColumn column_from(const Json& json) {
  const auto source = find_source(json.at("source").get<std::string>());
  if (!source) throw std::invalid_argument("a feature of a source that is not known");
  return {*source, texts(json.at("keys")), json.at("name").get<std::string>(),
          json.at("group").get<std::string>(), texts(json.at("categories"))};
}

Json importance_json(const Importance& i) {
  return {{"name", i.name}, {"value", i.value}, {"twins", i.twins}};
}

Importance importance_from(const Json& json) {
  return {json.at("name").get<std::string>(), json.at("value").get<double>(),
          texts(json.at("twins"))};
}

Json explained_json(const Explained& e) {
  return {
      {"wafer", e.wafer},
      {"die", Json::array({e.die.x, e.die.y})},
      {"predicted", e.predicted},
      {"top", list(e.top, [](const Contribution& c) -> Json {
         return {
             {"feature", c.feature}, {"group", c.group}, {"shown", c.shown}, {"value", c.value}};
       })}};
}

Explained explained_from(const Json& json) {
  return {json.at("wafer").get<std::string>(),
          {json.at("die").at(0).get<std::int16_t>(), json.at("die").at(1).get<std::int16_t>()},
          json.at("predicted").get<double>(),
          items<Contribution>(json.at("top"), [](const Json& c) -> Contribution {
            return {c.at("feature").get<std::string>(), c.at("group").get<std::string>(),
                    c.at("shown").get<std::string>(), c.at("value").get<double>()};
          })};
}

Json boost_json(const BoostOptions& b) {
  return {{"rounds", b.rounds},
          {"depth", b.depth},
          {"learning_rate", b.learning_rate},
          {"min_child_weight", b.min_child_weight},
          {"l2", b.l2},
          {"early_stopping_rounds", b.early_stopping_rounds},
          {"seed", b.seed}};
}

BoostOptions boost_from(const Json& json) {
  BoostOptions b;
  b.rounds = json.at("rounds").get<int>();
  b.depth = json.at("depth").get<int>();
  b.learning_rate = json.at("learning_rate").get<double>();
  b.min_child_weight = json.at("min_child_weight").get<double>();
  b.l2 = json.at("l2").get<double>();
  b.early_stopping_rounds = json.at("early_stopping_rounds").get<int>();
  b.seed = json.at("seed").get<std::uint64_t>();
  b.threads = 1;
  return b;
}

Assessment assessment_from(const Json& json) {
  Assessment a;
  a.test_rows = json.at("test_rows").get<std::size_t>();
  a.test_lots = json.at("test_lots").get<std::size_t>();
  a.metrics = items<Metric>(json.at("metrics"), metric_from);
  if (a.metrics.empty()) throw std::invalid_argument("no metrics");
  a.baselines = items<BaselineResult>(json.at("baselines"), [](const Json& b) -> BaselineResult {
    return {b.at("name").get<std::string>(), items<Metric>(b.at("metrics"), metric_from)};
  });
  a.gain = metric_from(json.at("gain"));
  a.better_than_baseline = json.at("better_than_baseline").get<bool>();
  a.calibration =
      items<CalibrationBin>(json.at("calibration"), [](const Json& b) -> CalibrationBin {
        return {b.at("n").get<std::size_t>(), b.at("predicted").get<double>(),
                b.at("observed").get<double>(), interval_from(b.at("observed_ci95"))};
      });
  if (const Json& s = json.at("shuffled"); !s.is_null()) {
    a.shuffled = ShuffledCheck{s.at("metric").get<std::string>(), s.at("value").get<double>(),
                               s.at("tolerance").get<double>(), s.at("passed").get<bool>()};
  }
  a.verdict = json.at("verdict").get<std::string>();
  return a;
}

}  // namespace

Json to_json(const Assessment& a) {
  Json json = {
      {"test_rows", a.test_rows},
      {"test_lots", a.test_lots},
      {"metrics", list(a.metrics, metric_json)},
      {"baselines", list(a.baselines,
                         [](const BaselineResult& b) -> Json {
                           return {{"name", b.name}, {"metrics", list(b.metrics, metric_json)}};
                         })},
      {"gain", metric_json(a.gain)},
      {"better_than_baseline", a.better_than_baseline},
      {"calibration", list(a.calibration,
                           [](const CalibrationBin& b) -> Json {
                             return {{"n", b.n},
                                     {"predicted", b.predicted},
                                     {"observed", b.observed},
                                     {"observed_ci95", interval_json(b.observed_ci)}};
                           })},
      {"shuffled", Json()},
      {"verdict", a.verdict}};
  if (a.shuffled) {
    json["shuffled"] = {{"metric", a.shuffled->metric},
                        {"value", a.shuffled->value},
                        {"tolerance", a.shuffled->tolerance},
                        {"passed", a.shuffled->passed}};
  }
  return json;
}

Json to_json(const Manifest& m) {
  return {{"target", target_name(m.target())},
          {"product", m.product},
          {"features", list(m.features.columns, column_json)},
          {"data_hash", m.data_hash},
          {"snapshot", m.snapshot},
          {"seed", m.seed},
          {"trained_at", m.trained_at.known() ? Json(m.trained_at.count) : Json()},
          {"library", m.library},
          {"parameters", boost_json(m.boost)},
          {"rounds_used", m.rounds_used},
          {"base_score", m.base_score},
          {"rows", m.rows},
          {"wafers", m.wafers},
          {"train_lots", m.train_lots},
          {"held_out_lots", m.held_out_lots},
          {"test_lots", m.test_lots},
          {"assessment", to_json(m.assessment)},
          {"feature_importance", list(m.features_ranked, importance_json)},
          {"group_importance", list(m.groups_ranked, importance_json)},
          {"examples", list(m.examples, explained_json)},
          {"notes", m.notes}};
}

Manifest manifest_from_json(const Json& json) {
  Manifest m;
  const auto target = find_target(json.at("target").get<std::string>());
  if (!target) throw std::invalid_argument("a target that is not known");
  m.features = {*target, items<FeatureColumn>(json.at("features"), column_from)};
  m.product = json.at("product").get<std::string>();
  m.data_hash = json.at("data_hash").get<std::string>();
  m.snapshot = json.at("snapshot").get<std::int64_t>();
  m.seed = json.at("seed").get<std::uint64_t>();
  if (!json.at("trained_at").is_null())
    m.trained_at.count = json.at("trained_at").get<std::int64_t>();
  m.library = json.at("library").get<std::string>();
  m.boost = boost_from(json.at("parameters"));
  m.rounds_used = json.at("rounds_used").get<int>();
  m.base_score = json.at("base_score").get<double>();
  m.rows = json.at("rows").get<std::size_t>();
  m.wafers = json.at("wafers").get<std::size_t>();
  m.train_lots = texts(json.at("train_lots"));
  m.held_out_lots = texts(json.at("held_out_lots"));
  m.test_lots = texts(json.at("test_lots"));
  m.assessment = assessment_from(json.at("assessment"));
  m.features_ranked = items<Importance>(json.at("feature_importance"), importance_from);
  m.groups_ranked = items<Importance>(json.at("group_importance"), importance_from);
  m.examples = items<Explained>(json.at("examples"), explained_from);
  m.notes = texts(json.at("notes"));
  return m;
}

}  // namespace yieldloop::models

#include "models/validation/training.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "engine/core/random.h"
#include "models/validation/explanation.h"

namespace yieldloop::models {
namespace {

/// At most `limit` rows drawn by seed, in table order.
RowSet draw(RowSet rows, std::size_t limit, std::uint64_t seed) {
  if (rows.size() <= limit) return rows;
  Random random(seed);
  random.shuffle(rows);
  rows.resize(limit);
  std::ranges::sort(rows);
  return rows;
}

/// Positions of the worst predictions: highest fail probability, or lowest yield.
std::vector<std::size_t> worst(Target target, const std::vector<double>& predicted,
                               std::size_t limit) {
  std::vector<std::size_t> order(predicted.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const double sign = target == Target::kDieFail ? -1.0 : 1.0;
  const auto before = [&](std::size_t a, std::size_t b) {
    return std::pair(sign * predicted[a], a) < std::pair(sign * predicted[b], b);
  };
  const std::size_t kept = std::min(limit, order.size());
  std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(kept), before);
  order.resize(kept);
  return order;
}

Result<std::vector<Explained>> explain_worst(const FabData& data, const FeatureTable& table,
                                             const Booster& booster, const RowSet& rows,
                                             const std::vector<double>& predicted,
                                             std::size_t limit, std::size_t reasons) {
  RowSet chosen;
  std::vector<double> values;
  for (const std::size_t i : worst(table.schema.target, predicted, limit)) {
    chosen.push_back(rows[i]);
    values.push_back(predicted[i]);
  }
  return explain(data, table, booster, chosen, values, reasons);
}

Result<FeatureTable> training_table(const FabData& data, const TrainOptions& options) {
  YL_ASSIGN(auto described, describe_features(data, options.features));
  YL_ASSIGN(auto table,
            build_features(
                data, described.schema,
                {.only_with_target = true, .max_rows = options.max_rows, .seed = options.seed}));
  table.notes.insert(table.notes.begin(), described.notes.begin(), described.notes.end());
  return table;
}

Manifest manifest_of(const FabData& data, const FeatureTable& table, const LotSplit& split,
                     const TrainOptions& options) {
  Manifest m;
  m.features = table.schema;
  m.product = data.product.name;
  m.data_hash = hash_of(data, table);
  m.snapshot = options.snapshot;
  m.seed = options.seed;
  for (const TableLot& lot : table.lots) m.trained_at = std::max(m.trained_at, lot.at);
  m.library = "xgboost " + boosting_library_version();
  m.boost = options.boost;
  m.boost.threads = 1;
  m.rows = table.rows.size();
  m.wafers = table.wafers_used;
  m.train_lots = split.train_lots;
  m.held_out_lots = split.held_out_lots;
  m.test_lots = split.test_lots;
  m.notes = table.notes;
  return m;
}

/// The held-out lots choose the number of rounds, then teach as well: they are the latest lots
/// that the model may know.
Result<BoostFit> fit_stopped_in_time(const FeatureTable& table, const LotSplit& split,
                                     BoostOptions boost, Progress& progress) {
  YL_ASSIGN(BoostFit first, fit(table, split.train, split.held_out, boost, progress));
  if (split.held_out.empty() || boost.early_stopping_rounds == 0) return first;
  RowSet both = split.train;
  both.insert(both.end(), split.held_out.begin(), split.held_out.end());
  boost.rounds = first.rounds_used;
  boost.early_stopping_rounds = 0;
  YL_ASSIGN(BoostFit second, fit(table, both, {}, boost, progress));
  second.held_out_loss = std::move(first.held_out_loss);
  return second;
}

Result<TrainedModel> train(const FabData& data, TrainOptions options, Target target,
                           Progress& progress) {
  options.features.target = target;
  options.boost.seed = options.seed;
  YL_ASSIGN(const FeatureTable table, training_table(data, options));
  YL_ASSIGN(const LotSplit split, split_by_lots(table, options.split));
  YL_TRY(check_split(table, split));

  YL_ASSIGN(BoostFit fitted, fit_stopped_in_time(table, split, options.boost, progress));
  YL_ASSIGN(const Booster booster,
            Booster::load(fitted.model_json, table.columns(), options.boost.threads));
  YL_ASSIGN(const auto predicted, booster.predict(table, split.test));

  TrainedModel model{.manifest = manifest_of(data, table, split, options), .model_json = {}};
  Manifest& m = model.manifest;
  m.rounds_used = fitted.rounds_used;
  m.base_score = fitted.base_score;
  YL_ASSIGN(m.assessment,
            assess(table, split, predicted,
                   {.bootstrap_draws = options.bootstrap_draws, .seed = options.seed}));
  if (options.shuffled_check) {
    YL_ASSIGN(auto check, shuffled_check(table, split, options.boost, progress));
    m.assessment.shuffled = std::move(check);
  }
  progress.report("explaining", 0, 0);
  YL_ASSIGN(
      auto importances,
      rank_importances(table, booster, draw(split.test, options.explained_rows, options.seed)));
  m.features_ranked = std::move(importances.features);
  m.groups_ranked = std::move(importances.groups);
  YL_ASSIGN(m.examples,
            explain_worst(data, table, booster, split.test, predicted, options.examples, 6));
  model.model_json = std::move(fitted.model_json);
  return model;
}

}  // namespace

TrainOptions default_train_options(Target target) {
  TrainOptions options;
  options.features.target = target;
  if (target == Target::kWaferYield) {
    options.boost.rounds = 150;
    options.boost.depth = 3;
    options.boost.learning_rate = 0.1;
  }
  return options;
}

Result<TrainedModel> train_die_fail(const FabData& data, const TrainOptions& options,
                                    Progress& progress) {
  return train(data, options, Target::kDieFail, progress);
}

Result<TrainedModel> train_wafer_yield(const FabData& data, const TrainOptions& options,
                                       Progress& progress) {
  return train(data, options, Target::kWaferYield, progress);
}

Result<Prediction> predict(const TrainedModel& model, const FabData& data,
                           const PredictOptions& options) {
  const Manifest& m = model.manifest;
  if (m.product != data.product.name) {
    return Error{Errc::kInvalidOptions, "VALD-0006",
                 fmt::format("The model was trained for product {} and cannot predict {}; name a "
                             "model of that product.",
                             m.product, data.product.name)};
  }
  YL_ASSIGN(
      const FeatureTable table,
      build_features(data, m.features, {.only_with_target = false, .max_rows = 0, .seed = 1}));
  YL_ASSIGN(const Booster booster,
            Booster::load(model.model_json, m.features.columns.size(), options.threads));
  RowSet rows(table.rows.size());
  std::iota(rows.begin(), rows.end(), 0U);
  YL_ASSIGN(const auto predicted, booster.predict(table, rows));
  Prediction prediction{.target = m.target(), .rows = {}, .explained = {}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    prediction.rows.push_back({table.rows[i], predicted[i]});
  }
  YL_ASSIGN(prediction.explained, explain_worst(data, table, booster, rows, predicted,
                                                options.explained, options.reasons));
  return prediction;
}

}  // namespace yieldloop::models

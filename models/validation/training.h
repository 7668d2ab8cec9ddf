/// \file
/// From fab data to a model that says how good it is, and from a model to predictions that say why.
///
/// What is measured is what is kept: the model trained on the earlier lots and judged on the later
/// ones is the model returned; it is not trained again on everything afterwards.
/// Same data, options and seed give the same bytes on any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "models/features/feature_table.h"
#include "models/predictors/booster.h"
#include "models/validation/assessment.h"

namespace yieldloop::models {

struct TrainOptions {
  FeatureOptions features;        ///< `target` is set by the function called.
  std::size_t max_rows = 60'000;  ///< 0 is no limit; whole wafers are drawn by seed.
  std::uint64_t seed = 1;
  BoostOptions boost;  ///< `seed` is set from the one above.
  SplitOptions split;
  std::size_t bootstrap_draws = 200;
  bool shuffled_check = true;
  std::size_t explained_rows = 1'000;  ///< Test rows drawn for the importances.
  std::size_t examples = 20;           ///< Worst predicted test rows kept with their reasons.
  std::int64_t snapshot = 0;           ///< Store snapshot that `data` came from, for the manifest.
};

/// Defaults that suit the target: many die want deeper trees, few wafers shallow ones.
TrainOptions default_train_options(Target target);

struct Importance {
  std::string name;    ///< A feature or a group.
  double value = 0.0;  ///< Mean |contribution|: log-odds (die fail) or yield (wafer yield).
  /// Features that the data cannot tell from this one (|correlation| >= 0.98, or the same
  /// partition of the rows); features only.
  std::vector<std::string> twins;
  friend bool operator==(const Importance&, const Importance&) = default;
};

struct Contribution {
  std::string feature;
  std::string group;
  std::string shown;   ///< The feature's value as text: "ETCH02/B", "3"; "" when missing.
  double value = 0.0;  ///< Log-odds or yield.
  friend bool operator==(const Contribution&, const Contribution&) = default;
};

/// One prediction with its strongest reasons.
struct Explained {
  std::string wafer;  ///< "L012/W03".
  DieIndex die;       ///< (0, 0) for wafers.
  double predicted = 0.0;
  std::vector<Contribution> top;  ///< By falling |value|.
  friend bool operator==(const Explained&, const Explained&) = default;
};

/// All that is said about a model; everything but the trees.
struct Manifest {
  FeatureSchema features;
  std::string product;
  std::string data_hash;  ///< hash_of the training table.
  std::int64_t snapshot = 0;
  std::uint64_t seed = 1;
  UtcMicros trained_at;  ///< Time of the newest lot in the table, never of the clock.
  std::string library;   ///< "xgboost 1.7.4".
  BoostOptions boost;    ///< `threads` is not part of a manifest and reads as 1.
  int rounds_used = 0;
  double base_score = 0.0;
  std::size_t rows = 0, wafers = 0;  ///< Of the whole table.
  std::vector<std::string> train_lots, held_out_lots, test_lots;
  Assessment assessment;
  std::vector<Importance> features_ranked;  ///< By falling value; zeros left out.
  std::vector<Importance> groups_ranked;
  std::vector<Explained> examples;
  std::vector<std::string> notes;  ///< What was left out or sampled.
  friend bool operator==(const Manifest&, const Manifest&) = default;

  Target target() const { return features.target; }
};

struct TrainedModel {
  Manifest manifest;
  std::string model_json;
  friend bool operator==(const TrainedModel&, const TrainedModel&) = default;
};

/// Cost: about 2 s for 60,000 die with 140 features on one core (XGBoost 1.7.4).
/// Errors: those of describe_features, build_features, split_by_lots, fit and assess.
Result<TrainedModel> train_die_fail(const FabData& data, const TrainOptions& options,
                                    Progress& progress);
Result<TrainedModel> train_wafer_yield(const FabData& data, const TrainOptions& options,
                                       Progress& progress);

struct PredictOptions {
  std::size_t explained = 100;  ///< Worst predictions given reasons (exact TreeSHAP is dear).
  std::size_t reasons = 6;      ///< Per explained row.
  int threads = 2;
};

struct PredictedRow {
  RowKey row;
  double predicted = 0.0;  ///< Probability of failing, or yield.
  friend bool operator==(const PredictedRow&, const PredictedRow&) = default;
};

struct Prediction {
  Target target{};
  std::vector<PredictedRow> rows;    ///< Sorted by wafer, then die.
  std::vector<Explained> explained;  ///< Worst first: highest probability, or lowest yield.
  friend bool operator==(const Prediction&, const Prediction&) = default;
};

/// Predicts every die (or wafer) of the data, tested or not; test results are never looked at.
/// Errors: kInvalidOptions (VALD-0006) when the model is of another product; those of
/// build_features and Booster::load.
Result<Prediction> predict(const TrainedModel& model, const FabData& data,
                           const PredictOptions& options = {});

}  // namespace yieldloop::models

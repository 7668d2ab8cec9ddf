/// \file
/// Boosted trees: the one door to XGBoost.
///
/// Training is deterministic by construction, not by luck: gradients are computed here and
/// rounded to multiples of 2^-24, so that every histogram sum XGBoost makes of them is exact in
/// double precision (up to 2^29 rows) and the order in which threads add cannot change a bit.
/// No row or column sampling is used. Models leave and enter as JSON only, and nothing reaches
/// XGBoost before `check_model_json` has passed it.
///
///   die fail:    margin m = logit(base) + sum of leaves,  p = 1 / (1 + exp(-m)),
///                gradient p - y, Hessian max(p (1 - p), 2^-24)
///   wafer yield: prediction m = base + sum of leaves, gradient m - y, Hessian 1
///
/// Source: T. Chen and C. Guestrin, "XGBoost: a scalable tree boosting system", KDD 2016, eq.
/// (2)-(6). Contributions: S. Lundberg et al., "From local explanations to global understanding
/// with explainable AI for trees", Nature Machine Intelligence 2 (2020) 56, exact TreeSHAP.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "models/features/feature_table.h"

namespace yieldloop::models {

/// Positions of rows in a FeatureTable.
using RowSet = std::vector<std::uint32_t>;

struct BoostOptions {
  int rounds = 80;                 ///< At most; in [1, 2000].
  int depth = 5;                   ///< In [1, 12].
  double learning_rate = 0.15;     ///< In (0, 1].
  double min_child_weight = 5.0;   ///< Least sum of Hessians in a leaf; >= 0.
  double l2 = 1.0;                 ///< Ridge penalty on leaves; >= 0.
  int early_stopping_rounds = 12;  ///< Rounds without a better held-out loss; 0 runs all rounds.
  std::uint64_t seed = 1;
  int threads = 2;  ///< In [1, 64]; never changes the model.
  friend bool operator==(const BoostOptions&, const BoostOptions&) = default;
};

/// What training came to.
struct BoostFit {
  std::string model_json;  ///< XGBoost's JSON, cut to `rounds_used`.
  int rounds_used = 0;
  double base_score = 0.0;  ///< Mean of the training target (clamped to (0, 1) for die fail).
  std::vector<double>
      held_out_loss;  ///< By round: log loss or mean square; empty without held-out.
  friend bool operator==(const BoostFit&, const BoostFit&) = default;
};

/// Trains on `train`; stops early by the loss on `held_out` when that is not empty.
/// REQUIRES: rows within the table, targets known and in [0, 1].
/// Errors: kInvalidOptions (PRED-0001); kNoData (PRED-0002) when `train` is empty or the table has
/// no column; kCancelled (PRED-0004); kInternal (PRED-0003) with XGBoost's sentence.
Result<BoostFit> fit(const FeatureTable& table, const RowSet& train, const RowSet& held_out,
                     const BoostOptions& options, Progress& progress);

/// A loaded model. Move-only; not thread-safe.
class Booster {
 public:
  /// Errors: kDamaged (MODL-0001..) from check_model_json, also when the model's feature count is
  /// not `features`; kInternal (PRED-0003).
  static Result<Booster> load(std::string_view json, std::size_t features, int threads = 2);
  ~Booster();
  Booster(Booster&&) noexcept;
  Booster& operator=(Booster&&) noexcept;

  /// Shape: [rows.size()]; probability of failing, or yield.
  Result<std::vector<double>> predict(const FeatureTable& table, const RowSet& rows) const;
  /// Shape: [rows.size(), columns + 1]; the last column is the base. A row sums to its margin:
  /// the log-odds of failing, or the yield.
  Result<std::vector<double>> contributions(const FeatureTable& table, const RowSet& rows) const;

 private:
  struct Handle;
  explicit Booster(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

/// "1.7.4".
std::string boosting_library_version();

}  // namespace yieldloop::models

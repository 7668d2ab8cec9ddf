/// \file
/// Models kept in the store: saved, listed, loaded, promoted.
///
/// A model's name is the SHA-256 of its package, which is a blob of the store; every act on it is
/// a row of the table `models`, so that nothing is ever overwritten: the latest row of a model
/// tells its state, and the latest promoted row of a product and target tells which model
/// `predict` uses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"
#include "engine/store/snapshot.h"
#include "engine/store/transaction.h"
#include "models/validation/training.h"

namespace yieldloop::models {

/// One model as the store lists it.
struct ModelRecord {
  std::string id;  ///< SHA-256 of the package.
  std::string product;
  std::string target;
  UtcMicros trained_at;  ///< Time of the newest data it knows.
  std::string data_hash;
  std::int64_t seed = 0;
  std::int64_t rows = 0;
  std::string metric;  ///< "auc" or "rmse".
  double quality = 0.0;
  bool promoted = false;  ///< Of all models of its product and target, the one `predict` uses.
  friend bool operator==(const ModelRecord&, const ModelRecord&) = default;
};

/// Adds the model to the transaction and returns its id; the caller commits. The same model twice
/// is one entry in the list. Errors: kNoSpace, kIo.
Result<std::string> save_model(store::Transaction& transaction, const TrainedModel& model);

/// In the order they were first saved. `product` empty: all. Errors: of Snapshot::read.
Result<std::vector<ModelRecord>> list_models(const store::Snapshot& snapshot,
                                             std::string_view product = {});

/// The model of that id, or of the only id that begins so (at least four characters).
/// Errors: kNotFound (MREG-0001); kInvalidOptions (MREG-0002) when several begin so.
Result<ModelRecord> find_model(const store::Snapshot& snapshot, std::string_view id);

/// The promoted model of a product and target, else the one saved last.
/// Errors: kNotFound (MREG-0003) when there is none.
Result<ModelRecord> current_model(const store::Snapshot& snapshot, std::string_view product,
                                  Target target);

/// Errors: find_model's, Snapshot::blob's and from_package's.
Result<TrainedModel> load_model(const store::Snapshot& snapshot, std::string_view id);

/// Whether a model may be used without a person saying so: it beats its baseline with its whole
/// interval and the shuffled check passed.
/// Errors: kInvalidOptions (MREG-0004) with the reason.
Status quality_gate(const Assessment& assessment);

/// Makes the model the one `predict` uses; the caller commits. `force` passes the quality gate by.
/// Errors: load_model's and quality_gate's.
Status promote_model(store::Transaction& transaction, const store::Snapshot& snapshot,
                     std::string_view id, bool force = false);

}  // namespace yieldloop::models

/// \file
/// Trains a predictor on loaded data and files it in the store; promotes it when it earns it.
#pragma once

#include <string>

#include "engine/core/fab_data.h"
#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/store/store.h"
#include "models/validation/training.h"

namespace yieldloop::session {

struct FiledModel {
  models::TrainedModel model;
  std::string id;
  bool promoted = false;
  std::string why_not;  ///< The quality gate's sentence when it was not promoted.
};

/// Errors: those of training and of the store.
Result<FiledModel> train_and_keep(store::Store& store, const FabData& data, std::int64_t snapshot,
                                  models::Target target, std::uint64_t seed, Progress& progress);

}  // namespace yieldloop::session

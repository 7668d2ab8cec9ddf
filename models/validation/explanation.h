/// \file
/// Contributions of features to predictions, summed up for people; private to models/validation.
#pragma once

#include "models/validation/training.h"

namespace yieldloop::models {

/// Reasons of the given rows, one Explained each, in their order.
Result<std::vector<Explained>> explain(const FabData& data, const FeatureTable& table,
                                       const Booster& booster, const RowSet& rows,
                                       const std::vector<double>& predicted, std::size_t reasons);

struct Importances {
  std::vector<Importance> features, groups;
};

/// Mean |contribution| over the rows; a group's contribution to a row is the sum of its features'.
Result<Importances> rank_importances(const FeatureTable& table, const Booster& booster,
                                     const RowSet& rows);

}  // namespace yieldloop::models

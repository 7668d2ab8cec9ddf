/// \file
/// Which lots teach and which lots judge.
///
/// Wafers of a lot share tools, days and masks, so a split within a lot lets a model recognise
/// the lot instead of the cause. And a fab predicts the future from the past. Hence: whole lots
/// only, ordered by time; the earliest train, the next decide when to stop, the latest judge.
///
///   lots by time:  [ train ........ | held out .. | test ..... ]
#pragma once

#include <string>
#include <vector>

#include "engine/core/result.h"
#include "models/predictors/booster.h"

namespace yieldloop::models {

struct SplitOptions {
  double test_share = 0.33;     ///< Of the lots, at least one; in (0, 1).
  double held_out_share = 0.2;  ///< Of the remaining lots, at least one when two remain; in [0, 1).
  friend bool operator==(const SplitOptions&, const SplitOptions&) = default;
};

struct LotSplit {
  RowSet train, held_out, test;
  std::vector<std::string> train_lots, held_out_lots, test_lots;  ///< In time order.
  friend bool operator==(const LotSplit&, const LotSplit&) = default;
};

/// Errors: kInvalidOptions (VALD-0001); kNoData (VALD-0002) with fewer than two lots.
Result<LotSplit> split_by_lots(const FeatureTable& table, const SplitOptions& options);

/// Proves that a split does not leak; training refuses one that does.
/// Errors: kInternal VALD-0003 when a lot is in two parts, VALD-0004 when a later lot teaches
/// what an earlier one is judged by.
Status check_split(const FeatureTable& table, const LotSplit& split);

}  // namespace yieldloop::models

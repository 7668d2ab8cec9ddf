/// \file
/// Checks a model file before XGBoost sees it.
///
/// XGBoost trusts its model files: one wrong child index makes it read wild memory or walk for
/// ever. So a model is parsed here first, every part it may have is known by name, every tree is
/// proven to be a tree, and the text that goes to XGBoost is written anew from what was checked.
///
/// What holds of a checked model: the gbtree booster with one output; 1..10,000 trees of
/// 1..1,000,000 nodes and depth <= 64; all arrays of a tree have its node count; both children
/// of a node lie after it and in range, or both are absent; every node but the root is the
/// child of exactly one node, the one its `parents` entry names; split features are below
/// the feature count; categories are in range; all numbers are finite and fit a float.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/core/result.h"

namespace yieldloop::models {

struct CheckedModel {
  std::string text;  ///< The model, written anew: what XGBoost may load.
  std::size_t trees = 0;
  std::size_t features = 0;
  std::size_t nodes = 0;
  std::size_t depth = 0;
  std::string objective;  ///< "binary:logistic" or "reg:squarederror".
  double base_score = 0.0;
};

/// Cost: O(bytes).
/// Errors, all kDamaged: MODL-0001 larger than 32 MiB or nested deeper than 32; MODL-0002 not JSON;
/// MODL-0003 a part is missing, unknown or of the wrong type; MODL-0004 a number is out of its
/// range or not finite; MODL-0005 a tree's arrays differ in length; MODL-0006 a tree is not a tree;
/// MODL-0007 a split names a feature or category that does not exist.
Result<CheckedModel> check_model_json(std::string_view json);

}  // namespace yieldloop::models

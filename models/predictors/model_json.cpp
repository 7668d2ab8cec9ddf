#include "models/predictors/model_json.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace yieldloop::models {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxBytes = 32U << 20;
constexpr int kMaxNesting = 32;
constexpr std::int64_t kMaxTrees = 10'000;
constexpr std::int64_t kMaxNodes = 1'000'000;
constexpr std::int64_t kMaxFeatures = 100'000;
constexpr std::int64_t kMaxCategory = 1 << 16;
constexpr std::size_t kMaxDepth = 64;
constexpr std::int64_t kNoParent = 2'147'483'647;

Error damaged(std::string_view id, std::string what) {
  return {Errc::kDamaged, std::string(id),
          "The model file is damaged: " + std::move(what) +
              "; train again or restore it from a backup."};
}

bool nests_too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
      continue;
    }
    if (c == '"')
      in_string = true;
    else if (c == '{' || c == '[') {
      if (++depth > kMaxNesting) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

/// An object with exactly these members.
Status has_exactly(const Json& object, std::string_view where,
                   std::initializer_list<std::string_view> members) {
  if (!object.is_object()) return damaged("MODL-0003", fmt::format("{} is not an object", where));
  for (const std::string_view member : members) {
    if (!object.contains(member)) {
      return damaged("MODL-0003", fmt::format("{} has no \"{}\"", where, member));
    }
  }
  if (object.size() != members.size()) {
    return damaged("MODL-0003", fmt::format("{} has parts that are not known", where));
  }
  return Ok{};
}

/// XGBoost writes its parameters as texts: "12", "5E-1".
Result<double> text_number(const Json& object, std::string_view member, double low, double high) {
  const Json& value = object.at(std::string(member));
  if (!value.is_string()) return damaged("MODL-0003", fmt::format("{} is not a text", member));
  const Json number = Json::parse(value.get_ref<const std::string&>(), nullptr, false);
  if (!number.is_number()) {
    return damaged("MODL-0004", fmt::format("{} is not a number", member));
  }
  const double v = number.get<double>();
  if (!(v >= low && v <= high))
    return damaged("MODL-0004", fmt::format("{} is out of range", member));
  return v;
}

Result<std::vector<std::int64_t>> integers(const Json& tree, std::string_view member,
                                           std::int64_t low, std::int64_t high) {
  const Json& array = tree.at(std::string(member));
  if (!array.is_array()) return damaged("MODL-0003", fmt::format("{} is not an array", member));
  std::vector<std::int64_t> values;
  values.reserve(array.size());
  for (const Json& element : array) {
    // XGBoost writes flags as true and false in some arrays and as 0 and 1 in others.
    if (!element.is_number_integer() && !element.is_boolean()) {
      return damaged("MODL-0003", fmt::format("{} holds something that is no integer", member));
    }
    const bool too_large =
        element.is_number_unsigned() && element.get<std::uint64_t>() > (1ULL << 62);
    const std::int64_t v = too_large              ? std::numeric_limits<std::int64_t>::max()
                           : element.is_boolean() ? static_cast<std::int64_t>(element.get<bool>())
                                                  : element.get<std::int64_t>();
    if (v < low || v > high) return damaged("MODL-0004", fmt::format("{} is out of range", member));
    values.push_back(v);
  }
  return values;
}

Status reals(const Json& tree, std::string_view member, std::size_t size) {
  const Json& array = tree.at(std::string(member));
  if (!array.is_array()) return damaged("MODL-0003", fmt::format("{} is not an array", member));
  if (array.size() != size) {
    return damaged("MODL-0005",
                   fmt::format("{} has {} entries for {} nodes", member, array.size(), size));
  }
  for (const Json& element : array) {
    if (!element.is_number_float()) {
      return damaged("MODL-0003", fmt::format("{} holds something that is no real number", member));
    }
    const double v = element.get<double>();
    if (!(std::abs(v) <= static_cast<double>(std::numeric_limits<float>::max()))) {
      return damaged("MODL-0004", fmt::format("{} holds a number that is not finite", member));
    }
  }
  return Ok{};
}

struct TreeShape {
  std::vector<std::int64_t> left, right, parents, features, split_type;
  std::size_t depth = 0;
};

Status check_topology(TreeShape& tree) {
  const std::size_t n = tree.left.size();
  std::vector<std::size_t> depth(n, 0);
  std::vector<bool> has_parent(n, false);
  const auto adopt = [&](std::size_t parent, std::int64_t child) {
    const auto c = static_cast<std::size_t>(child);
    if (child < 0 || c <= parent || c >= n || has_parent[c]) return false;
    if (tree.parents[c] != static_cast<std::int64_t>(parent)) return false;
    has_parent[c] = true;
    depth[c] = depth[parent] + 1;
    tree.depth = std::max(tree.depth, depth[c]);
    return true;
  };
  for (std::size_t i = 0; i < n; ++i) {
    if (tree.left[i] == -1 && tree.right[i] == -1) continue;
    if (!adopt(i, tree.left[i]) || !adopt(i, tree.right[i])) {
      return damaged("MODL-0006", fmt::format("the children of node {} are impossible", i));
    }
  }
  if (tree.parents[0] != kNoParent) return damaged("MODL-0006", "a root has a parent");
  for (std::size_t i = 1; i < n; ++i) {
    if (!has_parent[i]) return damaged("MODL-0006", fmt::format("node {} hangs in the air", i));
  }
  if (tree.depth > kMaxDepth) return damaged("MODL-0006", "a tree is too deep");
  return Ok{};
}

/// Category sets: node categories_nodes[k] owns categories[segments[k] .. + sizes[k]).
Status check_categories(const Json& json, const TreeShape& tree) {
  const auto n = static_cast<std::int64_t>(tree.left.size());
  YL_ASSIGN(const auto values, integers(json, "categories", 0, kMaxCategory));
  const auto total = static_cast<std::int64_t>(values.size());
  YL_ASSIGN(const auto nodes, integers(json, "categories_nodes", 0, n - 1));
  YL_ASSIGN(const auto segments, integers(json, "categories_segments", 0, total));
  YL_ASSIGN(const auto sizes, integers(json, "categories_sizes", 1, total));
  if (segments.size() != nodes.size() || sizes.size() != nodes.size()) {
    return damaged("MODL-0005", "the category arrays differ in length");
  }
  std::int64_t next = 0;
  std::int64_t last_node = -1;
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    const bool in_order = nodes[k] > last_node && segments[k] == next;
    if (!in_order || tree.split_type[static_cast<std::size_t>(nodes[k])] != 1) {
      return damaged("MODL-0007", "a category set does not belong to its split");
    }
    last_node = nodes[k];
    next += sizes[k];
  }
  if (next != total) return damaged("MODL-0007", "category sets do not cover the categories");
  std::size_t splits = 0;
  for (std::size_t i = 0; i < tree.left.size(); ++i) {
    if (tree.split_type[i] == 0) continue;
    if (tree.left[i] == -1) return damaged("MODL-0007", "a leaf has a category split");
    ++splits;
  }
  if (splits != nodes.size()) return damaged("MODL-0007", "a category split has no categories");
  return Ok{};
}

Status check_tree(const Json& json, std::int64_t id, std::int64_t features, CheckedModel& model) {
  YL_TRY(has_exactly(
      json, "a tree",
      {"base_weights", "categories", "categories_nodes", "categories_segments", "categories_sizes",
       "default_left", "id", "left_children", "loss_changes", "parents", "right_children",
       "split_conditions", "split_indices", "split_type", "sum_hessian", "tree_param"}));
  const Json& param = json.at("tree_param");
  YL_TRY(has_exactly(param, "tree_param",
                     {"num_deleted", "num_feature", "num_nodes", "size_leaf_vector"}));
  YL_ASSIGN(const double nodes, text_number(param, "num_nodes", 1, static_cast<double>(kMaxNodes)));
  const auto width = static_cast<double>(features);
  YL_TRY(text_number(param, "num_deleted", 0, 0));
  YL_TRY(text_number(param, "num_feature", width, width));
  YL_TRY(text_number(param, "size_leaf_vector", 0, 1));
  if (!json.at("id").is_number_integer() || json.at("id") != Json(id)) {
    return damaged("MODL-0003", "the trees are not in order");
  }

  const auto n = static_cast<std::size_t>(nodes);
  const auto last = static_cast<std::int64_t>(n) - 1;
  TreeShape tree;
  YL_ASSIGN(tree.left, integers(json, "left_children", -1, last));
  YL_ASSIGN(tree.right, integers(json, "right_children", -1, last));
  YL_ASSIGN(tree.parents, integers(json, "parents", 0, kNoParent));
  YL_ASSIGN(tree.features, integers(json, "split_indices", 0, kMaxFeatures));
  YL_ASSIGN(tree.split_type, integers(json, "split_type", 0, 1));
  YL_ASSIGN(const auto default_left, integers(json, "default_left", 0, 1));
  for (const std::size_t size :
       {tree.left.size(), tree.right.size(), tree.parents.size(), tree.features.size(),
        tree.split_type.size(), default_left.size()}) {
    if (size != n) return damaged("MODL-0005", "a tree's arrays differ in length");
  }
  for (const char* member : {"base_weights", "loss_changes", "split_conditions", "sum_hessian"}) {
    YL_TRY(reals(json, member, n));
  }
  YL_TRY(check_topology(tree));
  for (const std::int64_t feature : tree.features) {
    if (feature >= features) {
      return damaged("MODL-0007", fmt::format("a split names feature {} of {}", feature, features));
    }
  }
  YL_TRY(check_categories(json, tree));
  model.nodes += n;
  model.depth = std::max(model.depth, tree.depth);
  return Ok{};
}

Status check_feature_info(const Json& learner, std::size_t features) {
  for (const char* member : {"feature_names", "feature_types"}) {
    const Json& array = learner.at(member);
    if (!array.is_array() || (!array.empty() && array.size() != features)) {
      return damaged("MODL-0003", fmt::format("{} does not name every feature", member));
    }
    for (const Json& text : array) {
      if (!text.is_string()) return damaged("MODL-0003", fmt::format("{} holds no texts", member));
    }
  }
  return Ok{};
}

Status check_objective(const Json& objective, CheckedModel& model) {
  YL_TRY(has_exactly(objective, "the objective", {"name", "reg_loss_param"}));
  YL_TRY(has_exactly(objective.at("reg_loss_param"), "reg_loss_param", {"scale_pos_weight"}));
  YL_TRY(text_number(objective.at("reg_loss_param"), "scale_pos_weight", 1, 1));
  const Json& name = objective.at("name");
  if (name != "binary:logistic" && name != "reg:squarederror") {
    return damaged("MODL-0003", "its objective is not one that is used here");
  }
  model.objective = name.get<std::string>();
  return Ok{};
}

Status check_trees(const Json& booster, CheckedModel& model) {
  YL_TRY(has_exactly(booster, "gradient_booster", {"model", "name"}));
  if (booster.at("name") != "gbtree") return damaged("MODL-0003", "it is not a gbtree model");
  const Json& forest = booster.at("model");
  YL_TRY(has_exactly(forest, "the trees", {"gbtree_model_param", "tree_info", "trees"}));
  const Json& param = forest.at("gbtree_model_param");
  YL_TRY(has_exactly(param, "gbtree_model_param",
                     {"num_parallel_tree", "num_trees", "size_leaf_vector"}));
  YL_TRY(text_number(param, "num_parallel_tree", 1, 1));
  YL_TRY(text_number(param, "size_leaf_vector", 0, 1));
  YL_ASSIGN(const double count, text_number(param, "num_trees", 1, static_cast<double>(kMaxTrees)));
  YL_ASSIGN(const auto info, integers(forest, "tree_info", 0, 0));
  const Json& trees = forest.at("trees");
  if (!trees.is_array() || static_cast<double>(trees.size()) != count ||
      info.size() != trees.size()) {
    return damaged("MODL-0005", "the number of trees is not the one stated");
  }
  model.trees = trees.size();
  for (std::size_t i = 0; i < trees.size(); ++i) {
    YL_TRY(check_tree(trees[i], static_cast<std::int64_t>(i),
                      static_cast<std::int64_t>(model.features), model));
  }
  return Ok{};
}

Status check_learner(const Json& learner, CheckedModel& model) {
  YL_TRY(has_exactly(learner, "the learner",
                     {"attributes", "feature_names", "feature_types", "gradient_booster",
                      "learner_model_param", "objective"}));
  if (!learner.at("attributes").is_object() || !learner.at("attributes").empty()) {
    return damaged("MODL-0003", "it has attributes");
  }
  const Json& param = learner.at("learner_model_param");
  YL_TRY(
      has_exactly(param, "learner_model_param",
                  {"base_score", "boost_from_average", "num_class", "num_feature", "num_target"}));
  YL_TRY(text_number(param, "boost_from_average", 0, 1));
  YL_TRY(text_number(param, "num_class", 0, 0));
  YL_TRY(text_number(param, "num_target", 1, 1));
  YL_ASSIGN(const double features,
            text_number(param, "num_feature", 1, static_cast<double>(kMaxFeatures)));
  if (features != std::floor(features)) return damaged("MODL-0004", "num_feature is no integer");
  model.features = static_cast<std::size_t>(features);
  YL_TRY(check_objective(learner.at("objective"), model));
  YL_ASSIGN(model.base_score, text_number(param, "base_score", -1e6, 1e6));
  if (model.objective == "binary:logistic" && !(model.base_score > 0.0 && model.base_score < 1.0)) {
    return damaged("MODL-0004", "base_score is no probability");
  }
  YL_TRY(check_feature_info(learner, model.features));
  return check_trees(learner.at("gradient_booster"), model);
}

Status check_version(const Json& version) {
  const bool is_triple = version.is_array() && version.size() == 3 &&
                         version[0].is_number_integer() && version[1].is_number_integer() &&
                         version[2].is_number_integer();
  if (!is_triple) return damaged("MODL-0003", "it does not say its version");
  return Ok{};
}

}  // namespace

Result<CheckedModel> check_model_json(std::string_view json) {
  if (json.size() > kMaxBytes || nests_too_deep(json)) {
    return damaged("MODL-0001", "it is larger or nested deeper than any model may be");
  }
  const Json document = Json::parse(json, nullptr, false);
  if (document.is_discarded()) return damaged("MODL-0002", "it is not JSON");
  YL_TRY(has_exactly(document, "the file", {"learner", "version"}));
  YL_TRY(check_version(document.at("version")));
  CheckedModel model;
  YL_TRY(check_learner(document.at("learner"), model));
  // Duplicate members, odd spellings of numbers and the like end here: this text holds only what
  // was looked at above.
  model.text = document.dump(-1, ' ', true, Json::error_handler_t::replace);
  return model;
}

}  // namespace yieldloop::models

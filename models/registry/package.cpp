#include "models/registry/package.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engine/core/sha256.h"
#include "models/predictors/model_json.h"
#include "models/registry/manifest_json.h"

namespace yieldloop::models {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kFamily = "yieldloop-model/";
constexpr std::string_view kHead = "yieldloop-model/1 ";
constexpr std::size_t kHashSize = 64;

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Error broken_manifest(std::string_view what) {
  return {
      Errc::kDamaged, "MODL-0010",
      fmt::format("The model's manifest is damaged ({}); train again or restore it from a backup.",
                  what)};
}

Status check_schema(const FeatureSchema& schema) {
  for (const FeatureColumn& column : schema.columns) {
    const bool fits = column.keys.size() == key_count(column.source) &&
                      is_category(column.source) == !column.categories.empty() &&
                      std::ranges::is_sorted(column.categories) &&
                      (schema.target == Target::kDieFail || !is_die_level(column.source));
    if (!fits) return broken_manifest(fmt::format("feature \"{}\"", column.name));
  }
  return Ok{};
}

}  // namespace

std::string manifest_json(const Manifest& manifest) { return dumped(to_json(manifest)); }

std::string to_package(const TrainedModel& model) {
  const Json body = {{"manifest", to_json(model.manifest)}, {"model", model.model_json}};
  const std::string text = dumped(body);
  return fmt::format("{}{}\n{}", kHead, Sha256::of(text).hex(), text);
}

Result<TrainedModel> from_package(std::string_view bytes) {
  if (bytes.starts_with(kFamily) && !bytes.starts_with(kHead)) {
    return Error{
        Errc::kUnsupported, "MODL-0011",
        "The model was written by another version of the program; use that version or train "
        "again."};
  }
  const std::size_t body_at = kHead.size() + kHashSize + 1;
  const bool framed =
      bytes.size() > body_at && bytes.starts_with(kHead) && bytes[body_at - 1] == '\n';
  const std::string_view body = framed ? bytes.substr(body_at) : std::string_view();
  if (!framed || Sha256::of(body).hex() != bytes.substr(kHead.size(), kHashSize)) {
    return Error{
        Errc::kDamaged, "MODL-0009",
        "This is not a model package, or a byte of it was changed; restore it from a backup "
        "or train again."};
  }
  const Json json = Json::parse(body, nullptr, false);
  if (json.is_discarded()) return broken_manifest("it is not JSON");
  TrainedModel model;
  try {
    model.manifest = manifest_from_json(json.at("manifest"));
    model.model_json = json.at("model").get<std::string>();
  } catch (const std::exception& error) {
    return broken_manifest(error.what());
  }
  YL_TRY(check_schema(model.manifest.features));
  YL_ASSIGN(const CheckedModel checked, check_model_json(model.model_json));
  if (checked.features != model.manifest.features.columns.size()) {
    return broken_manifest("it names another number of features than the trees have");
  }
  const bool is_logistic = checked.objective == "binary:logistic";
  if (is_logistic != (model.manifest.target() == Target::kDieFail)) {
    return broken_manifest("its target is not the one the trees were grown for");
  }
  return model;
}

}  // namespace yieldloop::models

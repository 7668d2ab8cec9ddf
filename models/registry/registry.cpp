#include "models/registry/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/sha256.h"
#include "models/registry/package.h"

namespace yieldloop::models {
namespace {

store::Table row_of(const std::string& id, std::int64_t source, const Manifest& m, bool promoted) {
  store::Table table = store::Table::of("models");
  table["model"].add_text(id);
  table["product"].add_text(m.product);
  table["target"].add_text(target_name(m.target()));
  // The column is required; a log without any time is of the epoch.
  table["trained_at"].add_time(m.trained_at.known() ? m.trained_at : UtcMicros{0});
  table["data_hash"].add_text(m.data_hash);
  table["seed"].add_int(static_cast<std::int64_t>(m.seed & 0x7FFFFFFFFFFFFFFFULL));
  table["rows"].add_int(static_cast<std::int64_t>(m.rows));
  table["metric"].add_text(m.assessment.leading().name);
  table["quality"].add_real(m.assessment.leading().value);
  table["promoted"].add_bool(promoted);
  table["manifest"].add_text(manifest_json(m));
  table[store::kSourceColumn].add_int(source);
  table[store::kSourceRowColumn].add_int(1);
  return table;
}

Status add_row(store::Transaction& transaction, const TrainedModel& model, bool promoted) {
  const auto digest = Sha256::of(to_package(model));
  return transaction.add(row_of(digest.hex(), digest.short_id(), model.manifest, promoted),
                         model.manifest.product);
}

ModelRecord record_of(const store::Table& rows, std::size_t i) {
  return {.id = std::string(rows["model"].as_text(i)),
          .product = std::string(rows["product"].as_text(i)),
          .target = std::string(rows["target"].as_text(i)),
          .trained_at = rows["trained_at"].as_time(i),
          .data_hash = std::string(rows["data_hash"].as_text(i)),
          .seed = rows["seed"].as_int(i),
          .rows = rows["rows"].as_int(i),
          .metric = std::string(rows["metric"].as_text(i)),
          .quality = rows["quality"].as_real(i),
          .promoted = rows["promoted"].as_int(i) != 0};
}

}  // namespace

Result<std::string> save_model(store::Transaction& transaction, const TrainedModel& model) {
  const std::string package = to_package(model);
  YL_ASSIGN(std::string id, transaction.put_blob(std::as_bytes(std::span(package)), "model"));
  YL_TRY(add_row(transaction, model, false));
  return id;
}

Result<std::vector<ModelRecord>> list_models(const store::Snapshot& snapshot,
                                             std::string_view product) {
  const std::vector<std::string> columns = {"model", "product", "target", "trained_at", "data_hash",
                                            "seed",  "rows",    "metric", "quality",    "promoted"};
  YL_ASSIGN(const store::Table rows, snapshot.read("models", columns));
  std::vector<ModelRecord> models;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    ModelRecord record = record_of(rows, i);
    if (!product.empty() && record.product != product) continue;
    if (record.promoted) {
      for (ModelRecord& other : models) {
        if (other.product == record.product && other.target == record.target)
          other.promoted = false;
      }
    }
    const auto known = std::ranges::find(models, record.id, &ModelRecord::id);
    if (known == models.end())
      models.push_back(std::move(record));
    else
      known->promoted = known->promoted || record.promoted;  // Saving again changes nothing.
  }
  return models;
}

Result<ModelRecord> find_model(const store::Snapshot& snapshot, std::string_view id) {
  YL_ASSIGN(const auto models, list_models(snapshot));
  const ModelRecord* found = nullptr;
  for (const ModelRecord& model : models) {
    if (id.size() < 4 || !model.id.starts_with(id)) continue;
    if (found) {
      return Error{Errc::kInvalidOptions, "MREG-0002",
                   fmt::format("Several models begin with \"{}\"; give more characters.", id)};
    }
    found = &model;
  }
  if (!found) {
    return Error{
        Errc::kNotFound, "MREG-0001",
        fmt::format("There is no model \"{}\"; `yieldloop models list` shows those there are.",
                    id)};
  }
  return *found;
}

Result<ModelRecord> current_model(const store::Snapshot& snapshot, std::string_view product,
                                  Target target) {
  YL_ASSIGN(const auto models, list_models(snapshot, product));
  const ModelRecord* best = nullptr;
  for (const ModelRecord& model : models) {
    if (model.target != target_name(target)) continue;
    if (!best || model.promoted || !best->promoted) best = &model;
  }
  if (!best) {
    return Error{Errc::kNotFound, "MREG-0003",
                 fmt::format("There is no {} model of product {}; train one first.",
                             target_name(target), product)};
  }
  return *best;
}

Result<TrainedModel> load_model(const store::Snapshot& snapshot, std::string_view id) {
  YL_ASSIGN(const ModelRecord record, find_model(snapshot, id));
  YL_ASSIGN(const auto blob, snapshot.blob(record.id));
  const auto bytes = blob->bytes();
  return from_package({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Status quality_gate(const Assessment& assessment) {
  if (assessment.shuffled && !assessment.shuffled->passed) {
    return Error{
        Errc::kInvalidOptions, "MREG-0004",
        fmt::format("The model may not be promoted: trained on a shuffled target it still has "
                    "{} {:.3f}, which points to a leak.",
                    assessment.shuffled->metric, assessment.shuffled->value)};
  }
  if (!assessment.better_than_baseline) {
    return Error{
        Errc::kInvalidOptions, "MREG-0004",
        fmt::format("The model may not be promoted without force: {}", assessment.verdict)};
  }
  return Ok{};
}

Status promote_model(store::Transaction& transaction, const store::Snapshot& snapshot,
                     std::string_view id, bool force) {
  YL_ASSIGN(const TrainedModel model, load_model(snapshot, id));
  if (!force) YL_TRY(quality_gate(model.manifest.assessment));
  return add_row(transaction, model, true);
}

}  // namespace yieldloop::models

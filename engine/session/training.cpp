#include "engine/session/training.h"

#include "models/registry/registry.h"

namespace yieldloop::session {

namespace {

Result<std::string> keep(store::Store& store, const models::TrainedModel& model) {
  YL_ASSIGN(auto transaction, store.begin());
  YL_ASSIGN(const std::string id, models::save_model(transaction, model));
  YL_ASSIGN([[maybe_unused]] const auto saved, transaction.commit("model " + id.substr(0, 12)));
  return id;
}

Status promote(store::Store& store, const std::string& id) {
  YL_ASSIGN(const auto now, store.snapshot());
  YL_ASSIGN(auto transaction, store.begin());
  YL_TRY(models::promote_model(transaction, now, id));
  YL_ASSIGN([[maybe_unused]] const auto promoted,
            transaction.commit("promote " + id.substr(0, 12)));
  return Ok{};
}

}  // namespace

Result<FiledModel> train_and_keep(store::Store& store, const FabData& data, std::int64_t snapshot,
                                  models::Target target, std::uint64_t seed, Progress& progress) {
  auto options = models::default_train_options(target);
  options.seed = seed;
  options.snapshot = snapshot;
  progress.report(fmt::format("Training the {} predictor", models::target_name(target)), 0, 0);
  FiledModel filed;
  YL_ASSIGN(filed.model, target == models::Target::kDieFail
                             ? models::train_die_fail(data, options, progress)
                             : models::train_wafer_yield(data, options, progress));
  YL_ASSIGN(filed.id, keep(store, filed.model));
  if (auto gate = models::quality_gate(filed.model.manifest.assessment); !gate) {
    filed.why_not = gate.error().message;
    return filed;
  }
  YL_TRY(promote(store, filed.id));
  filed.promoted = true;
  return filed;
}

}  // namespace yieldloop::session

#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"
#include "engine/cli/console.h"
#include "engine/cli/open_scope.h"
#include "engine/session/training.h"
#include "models/registry/quality_report.h"
#include "models/registry/registry.h"

namespace yieldloop::cli {
namespace {

using Json = nlohmann::ordered_json;

/// REQUIRES: the command line took one of the two names.
models::Target target_of(const std::string& name) {
  return name == "wafer_yield" ? models::Target::kWaferYield : models::Target::kDieFail;
}

Json contribution_json(const models::Contribution& c) {
  return {{"feature", c.feature}, {"group", c.group}, {"shown", c.shown}, {"value", c.value}};
}

Json prediction_json(const models::Prediction& p, const FabData& data, const std::string& model) {
  const bool die = p.target == models::Target::kDieFail;
  Json rows = Json::array(), explained = Json::array();
  for (const auto& r : p.rows) {
    Json row = {{"wafer", data.wafer_label(r.row.wafer)}};
    if (die) row.update({{"die_x", r.row.die.x}, {"die_y", r.row.die.y}});
    row[die ? "fail_probability" : "yield"] = r.predicted;
    rows.push_back(std::move(row));
  }
  for (const auto& e : p.explained) {
    Json reasons = Json::array();
    for (const auto& c : e.top) reasons.push_back(contribution_json(c));
    Json row = {{"wafer", e.wafer}};
    if (die) row.update({{"die_x", e.die.x}, {"die_y", e.die.y}});
    row["predicted"] = e.predicted;
    row["reasons"] = std::move(reasons);
    explained.push_back(std::move(row));
  }
  return {{"schema", "yieldloop.predictions/1"},
          {"model", model},
          {"target", models::target_name(p.target)},
          {"rows", std::move(rows)},
          {"explained", std::move(explained)}};
}

std::string prediction_text(const models::Prediction& p, const std::string& model) {
  constexpr std::size_t kShown = 15;
  const bool die = p.target == models::Target::kDieFail;
  std::string out = fmt::format("{} {} scored by model {}; the worst with their reasons:\n",
                                p.rows.size(), die ? "die" : "wafers", model.substr(0, 12));
  for (std::size_t i = 0; i < std::min(kShown, p.explained.size()); ++i) {
    const auto& e = p.explained[i];
    const std::string where =
        die ? fmt::format("{} die ({}, {})", e.wafer, e.die.x, e.die.y) : e.wafer;
    out += fmt::format(" {}: {} {:.3f}\n", where, die ? "fails with probability" : "yield",
                       e.predicted);
    for (const auto& c : e.top) {
      out += fmt::format("     {:+.3f}  {}{}\n", c.value, c.feature,
                         c.shown.empty() ? "" : " = " + c.shown);
    }
  }
  return out;
}

Json record_json(const models::ModelRecord& m) {
  return {{"model", m.id},
          {"product", m.product},
          {"target", m.target},
          {"trained_at", to_iso8601(m.trained_at)},
          {"data_hash", m.data_hash},
          {"seed", m.seed},
          {"rows", m.rows},
          {"metric", m.metric},
          {"quality", m.quality},
          {"promoted", m.promoted}};
}

std::string list_text(const std::vector<models::ModelRecord>& list) {
  if (list.empty()) return "No model was trained yet: run `yieldloop train`.\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& m : list) {
    rows.push_back({m.id.substr(0, 12), m.product, m.target, to_iso8601(m.trained_at),
                    fmt::format("{}", m.rows), m.metric, fmt::format("{:.4f}", m.quality),
                    m.promoted ? "in use" : ""});
  }
  return text_table({"model", "product", "target", "data until", "rows", "metric", "quality", ""},
                    rows);
}

Error needs_models(std::string_view action, std::size_t n) {
  return {Errc::kInvalidOptions, "CLIC-0011",
          fmt::format("`models {}` needs {} model id{}; `models list` shows them.", action, n,
                      n == 1 ? "" : "s")};
}

Result<std::string> list(const Context& context, const store::Snapshot& snapshot,
                         const ModelArguments& a) {
  YL_ASSIGN(const auto found, models::list_models(snapshot, a.scope.product));
  if (!context.json) return list_text(found);
  Json rows = Json::array();
  for (const auto& m : found) rows.push_back(record_json(m));
  return Json{{"schema", "yieldloop.models/1"}, {"models", std::move(rows)}}.dump(1);
}

Result<std::string> compare(const Context& context, const store::Snapshot& snapshot,
                            const ModelArguments& a) {
  if (a.models.size() != 2) return needs_models("compare", 2);
  YL_ASSIGN(const auto first, models::load_model(snapshot, a.models[0]));
  YL_ASSIGN(const auto second, models::load_model(snapshot, a.models[1]));
  YL_ASSIGN(const auto c, models::compare_models(first, second));
  if (!context.json) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& m : c.metrics)
      rows.push_back({m.name, fmt::format("{:.5f}", m.first), fmt::format("{:.5f}", m.second)});
    return c.statement + "\n" + text_table({"metric", a.models[0], a.models[1]}, rows);
  }
  Json metrics = Json::array();
  for (const auto& m : c.metrics)
    metrics.push_back({{"name", m.name}, {"first", m.first}, {"second", m.second}});
  return Json{{"schema", "yieldloop.model_comparison/1"},
              {"statement", c.statement},
              {"same_test", c.same_test},
              {"metrics", std::move(metrics)},
              {"only_first", c.only_first},
              {"only_second", c.only_second}}
      .dump(1);
}

Result<std::string> quality(const Context& context, const store::Snapshot& snapshot,
                            const ModelArguments& a) {
  if (a.models.size() != 1) return needs_models("quality", 1);
  YL_ASSIGN(const auto model, models::load_model(snapshot, a.models[0]));
  return context.json ? models::quality_report_json(model) : models::quality_report_text(model);
}

Result<std::string> promote(const Context& context, const ModelArguments& a) {
  if (a.models.size() != 1) return needs_models("promote", 1);
  YL_ASSIGN(auto store,
            store::Store::open(real_file_system(), context.store, store::Store::Mode::kWrite));
  YL_ASSIGN(const auto snapshot, store.snapshot());
  YL_ASSIGN(const auto record, models::find_model(snapshot, a.models[0]));
  YL_ASSIGN(auto transaction, store.begin());
  YL_TRY(models::promote_model(transaction, snapshot, record.id));
  YL_ASSIGN([[maybe_unused]] const auto number,
            transaction.commit("promote " + record.id.substr(0, 12)));
  if (context.json) return Json{{"schema", "yieldloop.promotion/1"}, {"model", record.id}}.dump();
  return fmt::format("Model {} is now used for {} of {}.", record.id.substr(0, 12), record.target,
                     record.product);
}

}  // namespace

ExitStatus run_train(const Context& context, const ModelArguments& arguments) {
  ConsoleProgress progress(context.quiet);
  const auto run = [&]() -> Result<std::string> {
    YL_ASSIGN(auto opened, open_for(context, arguments.scope, store::Store::Mode::kWrite));
    YL_ASSIGN(const auto fab, session::load_fab(opened.snapshot, opened.scope));
    YL_ASSIGN(const auto trained,
              session::train_and_keep(opened.store, fab.data, opened.snapshot.number(),
                                      target_of(arguments.target), arguments.seed, progress));
    if (context.json) {
      auto json = Json::parse(models::quality_report_json(trained.model));
      json["model"] = trained.id;
      json["promoted"] = trained.promoted;
      return json.dump(1);
    }
    return models::quality_report_text(trained.model) +
           fmt::format("\nFiled as model {}; {}\n", trained.id.substr(0, 12),
                       trained.promoted ? "in use from now on." : "not in use: " + trained.why_not);
  };
  const auto text = run();
  return text ? print(*text) : fail(text.error());
}

ExitStatus run_predict(const Context& context, const ModelArguments& arguments) {
  ConsoleProgress progress(context.quiet);
  const auto run = [&]() -> Result<std::string> {
    YL_ASSIGN(auto opened, open_for(context, arguments.scope, store::Store::Mode::kRead));
    YL_ASSIGN(const auto fab, session::load_fab(opened.snapshot, opened.scope));
    const auto wanted = arguments.models.empty()
                            ? models::current_model(opened.snapshot, fab.data.product.name,
                                                    target_of(arguments.target))
                            : models::find_model(opened.snapshot, arguments.models.front());
    if (!wanted) return wanted.error();
    YL_ASSIGN(const auto model, models::load_model(opened.snapshot, wanted->id));
    progress.report("Predicting", 0, 0);
    YL_ASSIGN(const auto prediction, models::predict(model, fab.data));
    return context.json ? prediction_json(prediction, fab.data, wanted->id).dump(1)
                        : prediction_text(prediction, wanted->id);
  };
  const auto text = run();
  return text ? print(*text) : fail(text.error());
}

ExitStatus run_models(const Context& context, const ModelArguments& arguments) {
  const auto run = [&]() -> Result<std::string> {
    if (arguments.action == "promote") return promote(context, arguments);
    YL_ASSIGN(auto opened, open_for(context, {}, store::Store::Mode::kRead));
    if (arguments.action == "compare") return compare(context, opened.snapshot, arguments);
    if (arguments.action == "quality") return quality(context, opened.snapshot, arguments);
    return list(context, opened.snapshot, arguments);
  };
  const auto text = run();
  return text ? print(*text) : fail(text.error());
}

}  // namespace yieldloop::cli

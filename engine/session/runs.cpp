// Runs kept in the store: findings and suggestions as rows, and back.

#include <nlohmann/json.hpp>

#include "engine/core/sha256.h"
#include "engine/findings/findings_json.h"
#include "engine/session/analysis.h"

namespace yieldloop::session {
namespace {

store::Table findings_rows(const Analysis& a, const std::string& run, UtcMicros at) {
  store::Table t = store::Table::of("findings");
  const auto add = [&](int rank, const std::string& id, const std::string& kind,
                       const std::string& statement, const Finding* f,
                       const std::string& document) {
    t["run"].add_text(run);
    t["run_at"].add_time(at);
    t["product"].add_text(a.findings.product);
    t["rank"].add_int(rank);
    t["finding"].add_text(id);
    t["kind"].add_text(kind);
    t["statement"].add_text(statement);
    if (f != nullptr) {
      t["die_per_wafer"].add_real(f->die_per_wafer);
      t["ci_low"].add_real(f->die_per_wafer_ci.low);
      t["ci_high"].add_real(f->die_per_wafer_ci.high);
      t["loss_die_total"].add_real(f->loss_die_total);
      t["q_value"].add_real(f->q_value);
    }
    t["document"].add_text(document);
    t["source"].add_int(0);
    t["source_row"].add_int(rank);
    t.finish_row();
  };
  // Rank 0 is the run itself, so that a run without findings is a run too.
  add(0, "", "run", "", nullptr, findings::to_json(a.findings));
  for (const Finding& f : a.findings.findings) {
    add(f.rank, f.id, f.kind, f.statement, &f, findings::to_json(f));
  }
  return t;
}

store::Table suggestion_rows(const Analysis& a, const std::string& run, UtcMicros at) {
  store::Table t = store::Table::of("suggestions");
  const auto document = nlohmann::ordered_json::parse(feedback::suggestions_json(a.suggestions));
  for (std::size_t i = 0; i < a.suggestions.suggestions.size(); ++i) {
    const Suggestion& s = a.suggestions.suggestions[i];
    t["run"].add_text(run);
    t["run_at"].add_time(at);
    t["product"].add_text(a.findings.product);
    t["rank"].add_int(s.rank);
    t["suggestion"].add_text(s.id);
    t["side"].add_text(s.side);
    t["action"].add_text(s.action);
    t["good_die_per_wafer"].add_real(s.good_die_per_wafer);
    t["document"].add_text(document.at("suggestions").at(i).dump());
    t["source"].add_int(0);
    t["source_row"].add_int(s.rank);
    t.finish_row();
  }
  return t;
}

}  // namespace

Status save_run(store::Store& store, const Analysis& analysis) {
  YL_ASSIGN(const auto snapshot, store.snapshot(analysis.snapshot));
  const std::string run = "r-" + Sha256::of(findings::to_json(analysis.findings) +
                                            feedback::suggestions_json(analysis.suggestions))
                                     .hex()
                                     .substr(0, 12);
  // It may have been saved since the snapshot that was analysed.
  YL_ASSIGN(const auto latest, store.snapshot());
  YL_ASSIGN(const auto known,
            latest.read("findings", {"run"}, "run = " + store::sql_text(run) + " AND rank = 0"));
  if (known.rows() > 0) return Ok{};
  YL_ASSIGN(auto transaction, store.begin());
  YL_TRY(transaction.add(findings_rows(analysis, run, snapshot.at()), analysis.findings.product));
  store::Table suggestions = suggestion_rows(analysis, run, snapshot.at());
  if (suggestions.rows() > 0)
    YL_TRY(transaction.add(std::move(suggestions), analysis.findings.product));
  YL_ASSIGN([[maybe_unused]] const auto number, transaction.commit("findings " + run));
  return Ok{};
}

Result<SavedRun> newest_run(const store::Snapshot& snapshot, const std::string& product) {
  std::string where = "rank = 0";
  if (!product.empty()) where += " AND product = " + store::sql_text(product);
  YL_ASSIGN(const auto rows, snapshot.query("SELECT run, document FROM findings WHERE " + where +
                                            " ORDER BY run_at DESC, run LIMIT 1"));
  if (rows.rows() == 0) {
    return Error{
        Errc::kNoData, "SESS-0005",
        "No findings were saved yet: run `yieldloop findings` or `yieldloop run` on this store."};
  }
  YL_ASSIGN(auto document, findings::document_from_json(rows["document"].as_text(0)));
  return SavedRun{std::string(rows["run"].as_text(0)), std::move(document)};
}

}  // namespace yieldloop::session

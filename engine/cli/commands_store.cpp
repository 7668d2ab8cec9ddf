#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"
#include "engine/cli/console.h"
#include "engine/cli/table_output.h"
#include "engine/core/text.h"
#include "engine/session/quality.h"
#include "engine/store/care.h"
#include "engine/store/schema_page.h"
#include "engine/store/store.h"

namespace yieldloop::cli {
namespace {

using Json = nlohmann::ordered_json;
using Mode = store::Store::Mode;

struct Answer {
  std::string text;
  Json json;
  ExitStatus status = ExitStatus::kDone;
};

Json unresolved_json(const session::Unresolved& u) {
  Json first = Json::array();
  for (const std::string& wafer : u.first) first.push_back(to_valid_utf8(wafer));
  return {{"wafers", u.wafers}, {"first", std::move(first)}};
}

Answer describe(const session::Quality& q) {
  Json sources = Json::array();
  std::vector<std::vector<std::string>> rows;
  std::size_t clean = 0;
  for (const session::SourceQuality& s : q.sources) {
    sources.push_back({{"name", to_valid_utf8(s.name)},
                       {"reader", s.reader},
                       {"rows", s.rows},
                       {"rejects", s.rejects},
                       {"completeness", s.completeness},
                       {"duplicates", s.duplicates},
                       {"out_of_range", s.out_of_range},
                       {"time_order", s.time_order},
                       {"defects_outside_die", s.defects_outside_die},
                       {"die_outside_wafer", s.die_outside_wafer}});
    clean += s.clean() ? 1U : 0U;
    if (s.clean()) continue;
    rows.push_back({one_line(s.name), fmt::format("{}", s.rows), fmt::format("{}", s.rejects),
                    fmt::format("{:.1f} %", 100.0 * s.completeness),
                    fmt::format("{}", s.duplicates), fmt::format("{}", s.out_of_range),
                    fmt::format("{}", s.time_order), fmt::format("{}", s.defects_outside_die),
                    fmt::format("{}", s.die_outside_wafer)});
  }
  std::string text = fmt::format("{} of {} source files are clean.\n", clean, q.sources.size());
  for (const std::string& sentence : session::quality_sentences(q)) text += " - " + sentence + "\n";
  if (!rows.empty()) {
    text += text_table({"source", "rows", "rejects", "complete", "repeated", "range", "order",
                        "off die", "off wafer"},
                       rows);
  }
  return {std::move(text),
          {{"schema", "yieldloop.quality/1"},
           {"sources", std::move(sources)},
           {"unresolved", unresolved_json(q.unresolved)}}};
}

Answer describe(const store::StoreInfo& i, const session::Unresolved& unresolved) {
  Json tables = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& t : i.tables) {
    tables.push_back(
        {{"name", t.name}, {"rows", t.rows}, {"bytes", t.bytes}, {"segments", t.segments}});
    rows.push_back({t.name, fmt::format("{}", t.rows),
                    fmt::format("{:.2f}", static_cast<double>(t.bytes) * 1e-6),
                    fmt::format("{}", t.segments)});
  }
  const std::string text = fmt::format(
      "Snapshot {} of {}, store version {}\n{} source files ({} partial, {} rejects), {} in "
      "quarantine, {} blobs "
      "({:.1f} MB)\n",
      i.latest.number, to_iso8601(i.latest.at), i.version, i.sources, i.partial_sources, i.rejects,
      i.quarantined, i.blobs, static_cast<double>(i.blob_bytes) * 1e-6);
  const std::string waiting = session::quality_sentence(unresolved);
  return {text + (waiting.empty() ? "" : waiting + "\n") +
              text_table({"table", "rows", "MB", "segments"}, rows),
          {{"schema", "yieldloop.store/1"},
           {"version", i.version},
           {"snapshot", i.latest.number},
           {"at", to_iso8601(i.latest.at)},
           {"sources", i.sources},
           {"partial_sources", i.partial_sources},
           {"rejects", i.rejects},
           {"quarantined", i.quarantined},
           {"blobs", i.blobs},
           {"unresolved", unresolved_json(unresolved)},
           {"tables", std::move(tables)}}};
}

Answer describe(const store::VerifyReport& v) {
  std::string text = fmt::format(
      "{} files with {} bytes read; {}\n", v.files, v.bytes,
      v.problems.empty() ? "all are whole" : fmt::format("{} problems:", v.problems.size()));
  for (const std::string& problem : v.problems) text += " - " + problem + "\n";
  return {std::move(text),
          {{"schema", "yieldloop.verify/1"},
           {"files", v.files},
           {"bytes", v.bytes},
           {"orphans", v.orphans},
           {"problems", v.problems}},
          v.problems.empty() ? ExitStatus::kDone : ExitStatus::kStore};
}

Answer describe(const store::CompactReport& c) {
  return {
      fmt::format(
          "{} segments merged, {} files removed{}; snapshot {}\n", c.merged, c.removed,
          c.kept_for_readers ? " (somebody reads: the old files go at the next compaction)" : "",
          c.snapshot),
      {{"schema", "yieldloop.compact/1"},
       {"merged", c.merged},
       {"removed", c.removed},
       {"kept_for_readers", c.kept_for_readers},
       {"snapshot", c.snapshot}}};
}

Error needs_folder(const std::string& action) {
  return {Errc::kInvalidOptions, "CLIC-0015",
          fmt::format("Name the folder: yieldloop store {} DIR.", action)};
}

Result<Answer> take_care(const Context& context, const StoreArguments& a, Progress& progress) {
  FileSystem& files = real_file_system();
  if ((a.action == "backup" || a.action == "restore") && a.folder.empty())
    return needs_folder(a.action);
  if (a.action == "restore") {
    YL_TRY(store::restore(files, a.folder, context.store, progress));
    return Answer{fmt::format("Restored {} from {}.", context.store.string(), a.folder),
                  {{"schema", "yieldloop.restore/1"}, {"store", context.store.string()}}};
  }
  YL_ASSIGN(auto store, store::Store::open(files, context.store,
                                           a.action == "compact" ? Mode::kWrite : Mode::kRead));
  if (a.action == "info") {
    YL_ASSIGN(const auto info, store::info(store));
    YL_ASSIGN(const auto snapshot, store.snapshot());
    // A damaged segment is `verify`'s to name; the rest is told all the same.
    const auto unresolved = session::unresolved_wafers(snapshot);
    return describe(info, unresolved ? *unresolved : session::Unresolved{});
  }
  if (a.action == "quality") {
    YL_ASSIGN(const auto snapshot, store.snapshot());
    YL_ASSIGN(const auto quality, session::assess_quality(snapshot));
    return describe(quality);
  }
  if (a.action == "verify") {
    YL_ASSIGN(const auto report, store::verify(store, progress));
    return describe(report);
  }
  if (a.action == "compact") {
    YL_ASSIGN(const auto report, store::compact(store, {}, progress));
    return describe(report);
  }
  YL_TRY(store::backup(store, a.folder, progress));
  return Answer{fmt::format("Backed up to {}.", a.folder),
                {{"schema", "yieldloop.backup/1"}, {"folder", a.folder}}};
}

}  // namespace

ExitStatus run_query(const Context& context, const std::string& sql) {
  constexpr std::size_t kShownRows = 1000;
  auto store = store::Store::open(real_file_system(), context.store, Mode::kRead);
  if (!store) return fail(store.error());
  const auto snapshot = store->snapshot();
  if (!snapshot) return fail(snapshot.error());
  const auto table = snapshot->query(sql);
  if (!table) return fail(table.error());
  return print(context.json ? table_json(*table) : table_text(*table, kShownRows));
}

ExitStatus run_store(const Context& context, const StoreArguments& arguments) {
  if (arguments.action == "schema") return print(store::schema_markdown());
  ConsoleProgress progress(context.quiet);
  const auto answer = take_care(context, arguments, progress);
  if (!answer) return fail(answer.error());
  const ExitStatus printed = print(context.json ? answer->json.dump() : answer->text);
  return printed == ExitStatus::kDone ? answer->status : printed;
}

}  // namespace yieldloop::cli

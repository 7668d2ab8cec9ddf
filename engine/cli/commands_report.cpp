#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"
#include "engine/cli/console.h"
#include "engine/cli/open_scope.h"
#include "engine/core/text.h"
#include "engine/session/training.h"

namespace yieldloop::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Written {
  std::vector<fs::path> paths;
  session::Analysis analysis;
};

Result<Written> write(const Context& context, const ReportArguments& a, store::Snapshot& snapshot,
                      const session::Scope& scope, Progress& progress) {
  const auto options = to_options(a.analysis);
  Written written;
  YL_ASSIGN(written.analysis, session::analyse(snapshot, scope, options, progress));
  YL_TRY(session::write_suggestion_files(written.analysis, real_file_system(),
                                         fs::path(a.folder) / "edits", progress));
  progress.report("Writing the report", 0, 0);
  YL_ASSIGN(const auto content,
            session::make_report(snapshot, written.analysis, options, a.night,
                                 fs::absolute(context.store).lexically_normal().filename().string(),
                                 "yieldloop report"));
  YL_ASSIGN(written.paths, context.surfaces.write_report(content, real_file_system(), a.folder));
  return written;
}

/// Early, so that a slip of the pen does not cost an analysis.
Status check_arguments(const ReportArguments& a) {
  constexpr std::size_t kDateLength = 10;
  if (!a.night.empty() && (a.night.size() != kDateLength || !parse_iso8601(a.night))) {
    return Error{Errc::kInvalidOptions, "CLIC-0017",
                 fmt::format("--night \"{}\" is not a date; write it as 2026-03-14.", a.night)};
  }
  std::error_code ignored;
  if (fs::exists(a.folder, ignored) && !fs::is_directory(a.folder, ignored)) {
    return Error{Errc::kInvalidOptions, "CLIC-0026",
                 fmt::format("{} is no folder: name one for the report with -o.", a.folder)};
  }
  return Ok{};
}

std::string paths_text(const std::vector<fs::path>& paths) {
  std::string out;
  for (const fs::path& path : paths) out += fmt::format("  {}\n", path.string());
  return out;
}

Json paths_json(const std::vector<fs::path>& paths) {
  Json json = Json::array();
  for (const fs::path& path : paths) json.push_back(path.string());
  return json;
}

/// A predictor that cannot be trained (one lot, no fails) does not stop the night's report.
std::string train(store::Store& store, const session::Analysis& analysis, models::Target target,
                  std::uint64_t seed, Progress& progress) {
  const auto trained =
      session::train_and_keep(store, analysis.fab.data, analysis.snapshot, target, seed, progress);
  if (!trained) {
    return fmt::format("  {}: not trained: {}\n", models::target_name(target),
                       trained.error().message);
  }
  return fmt::format("  {}: {}{}\n", models::target_name(target),
                     trained->model.manifest.assessment.verdict,
                     trained->promoted ? "" : " It is not used: " + trained->why_not);
}

}  // namespace

ExitStatus run_report(const Context& context, const ReportArguments& arguments) {
  if (const auto fine = check_arguments(arguments); !fine) return fail(fine.error());
  ConsoleProgress progress(context.quiet);
  const auto run = [&]() -> Result<std::string> {
    YL_ASSIGN(auto opened, open_for(context, arguments.analysis.scope, store::Store::Mode::kRead));
    YL_ASSIGN(const auto written,
              write(context, arguments, opened.snapshot, opened.scope, progress));
    if (context.json)
      return Json{{"schema", "yieldloop.written_report/1"}, {"files", paths_json(written.paths)}}
          .dump();
    return "Report:\n" + paths_text(written.paths);
  };
  const auto text = run();
  return text ? print(*text) : fail(text.error());
}

ExitStatus run_main_job(const Context& context, const ReportArguments& arguments) {
  constexpr std::size_t kTop = 5;
  if (const auto fine = check_arguments(arguments); !fine) return fail(fine.error());
  Ingested ingested;
  if (!arguments.paths.empty()) {
    auto done = ingest_files(context, {.paths = arguments.paths, .mapping = arguments.mapping});
    if (!done) return fail(done.error());
    ingested = std::move(*done);
    // As JSON it goes into the one document that is printed at the end.
    if (!context.json && print(ingested.text) != ExitStatus::kDone) return ExitStatus::kStore;
  }
  ConsoleProgress progress(context.quiet);
  const auto run = [&]() -> Result<std::string> {
    YL_ASSIGN(auto opened, open_for(context, arguments.analysis.scope, store::Store::Mode::kWrite));
    YL_ASSIGN(const auto written,
              write(context, arguments, opened.snapshot, opened.scope, progress));
    YL_TRY(session::save_run(opened.store, written.analysis));
    const std::uint64_t seed = arguments.analysis.seed;
    std::string models =
        train(opened.store, written.analysis, models::Target::kDieFail, seed, progress);
    models += train(opened.store, written.analysis, models::Target::kWaferYield, seed, progress);
    if (context.json) {
      return Json{{"schema", "yieldloop.run/1"},
                  {"files", paths_json(written.paths)},
                  {"ingest", ingested.text.empty() ? Json(nullptr) : Json::parse(ingested.text)},
                  {"findings", written.analysis.findings.findings.size()},
                  {"suggestions", written.analysis.suggestions.suggestions.size()}}
          .dump();
    }
    return "\nFINDINGS\n" + findings_text(written.analysis.findings, kTop) + "\nSUGGESTIONS\n" +
           suggestions_text(written.analysis.suggestions, kTop) + "\nPREDICTORS\n" + models +
           "\nREPORT\n" + paths_text(written.paths) +
           fmt::format("STORE\n  {}\n", context.store.string());
  };
  const auto text = run();
  if (!text) return fail(text.error());
  const ExitStatus printed = print(*text);
  return printed == ExitStatus::kDone ? ingested.status : printed;
}

ExitStatus run_serve(const Context& context, const std::string& config) {
  const auto served = context.surfaces.serve(context.store, config);
  return served ? ExitStatus::kDone : fail(served.error());
}

}  // namespace yieldloop::cli

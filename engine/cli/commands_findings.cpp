#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"
#include "engine/cli/console.h"
#include "engine/cli/open_scope.h"
#include "engine/findings/findings_json.h"

namespace yieldloop::cli {
namespace {

constexpr std::size_t kShown = 20;

/// Kept for the desktop and the service; a store that another process writes is no error here.
void keep_run(const Context& context, const session::Analysis& analysis) {
  auto store = store::Store::open(real_file_system(), context.store, store::Store::Mode::kWrite);
  if (store) (void)session::save_run(*store, analysis);
}

Result<session::Analysis> analyse(const Context& context, const AnalysisArguments& arguments,
                                  Progress& progress) {
  YL_ASSIGN(auto opened, open_for(context, arguments.scope, store::Store::Mode::kRead));
  return session::analyse(opened.snapshot, opened.scope, to_options(arguments), progress);
}

}  // namespace

ExitStatus run_findings(const Context& context, const AnalysisArguments& arguments) {
  ConsoleProgress progress(context.quiet);
  const auto analysis = analyse(context, arguments, progress);
  if (!analysis) return fail(analysis.error());
  keep_run(context, *analysis);
  return print(context.json ? findings::to_json(analysis->findings)
                            : findings_text(analysis->findings, kShown));
}

ExitStatus run_suggest(const Context& context, const AnalysisArguments& arguments) {
  ConsoleProgress progress(context.quiet);
  auto analysis = analyse(context, arguments, progress);
  if (!analysis) return fail(analysis.error());
  keep_run(context, *analysis);
  if (!arguments.edits_folder.empty()) {
    const auto written = session::write_suggestion_files(*analysis, real_file_system(),
                                                         arguments.edits_folder, progress);
    if (!written) return fail(written.error());
  }
  return print(context.json ? feedback::suggestions_json(analysis->suggestions)
                            : suggestions_text(analysis->suggestions, kShown));
}

}  // namespace yieldloop::cli

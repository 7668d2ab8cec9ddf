/// \file
/// A scope of the store analysed: findings, suggestions and what they rest on.
///
/// Everything the surfaces show comes from one `Analysis`; `save_run` keeps its findings and
/// suggestions in the store, so that the service and the desktop can show the newest run without
/// repeating it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/block_tests.h"
#include "engine/core/progress.h"
#include "engine/feedback/suggest.h"
#include "engine/findings/find_causes.h"
#include "engine/layout/layout.h"
#include "engine/report/build_report.h"
#include "engine/session/load.h"
#include "engine/session/named_design.h"
#include "engine/session/scope.h"
#include "engine/store/store.h"

namespace yieldloop::session {

inline constexpr const char* kVersion = "0.1.0";

struct AnalysisOptions {
  findings::FindOptions find;
  feedback::Budget budget;
};

struct Analysis {
  LoadedFab fab;
  std::shared_ptr<const layout::Layout> layout;  ///< Null when there is none.
  std::shared_ptr<const NamedDesign> design;     ///< Null without a DEF file.
  BlockTests block_tests;                        ///< Empty without a layout.
  std::int64_t snapshot = 0;
  FindingsDocument findings;
  feedback::SuggestionsDocument suggestions;

  /// The product's top cell seen flat; nothing without a layout.
  std::optional<layout::FlatView> view() const;
};

/// Reads the scope and its layout; runs nothing. Errors: load_fab's; a layout that cannot be read
/// is a caveat.
Result<Analysis> open_scope(store::Snapshot& snapshot, const Scope& scope, Progress& progress);

/// open_scope, then findings and suggestions. Errors: theirs.
Result<Analysis> analyse(store::Snapshot& snapshot, const Scope& scope,
                         const AnalysisOptions& options, Progress& progress);

/// Keeps findings and suggestions in the store as one run and commits. The run's id is the hash of
/// what was found, its time that of the snapshot: the same analysis twice is one run.
Status save_run(store::Store& store, const Analysis& analysis);

/// The newest saved run of a product; product empty: of the only one.
/// Errors: kNoData (SESS-0005) when none was saved.
struct SavedRun {
  std::string run;
  FindingsDocument findings;
};
Result<SavedRun> newest_run(const store::Snapshot& snapshot, const std::string& product);

/// Marker database (.lyrdb) of every suggestion with places, and where the drawing can be edited
/// (draw_edits.h) the edits as GDSII, written into `folder`; fills Suggestion::markers, ::edits
/// and ::edits_words.
Status write_suggestion_files(Analysis& analysis, FileSystem& files, const fs::path& folder,
                              Progress& progress);

/// The layout around the places of each layout finding, for the report.
std::vector<report::ReportClip> finding_clips(const Analysis& analysis);

/// Report content of an analysis. `night` as in report::ReportOptions.
Result<report::ReportContent> make_report(const store::Snapshot& snapshot, const Analysis& analysis,
                                          const AnalysisOptions& options, const std::string& night,
                                          const std::string& store_name,
                                          const std::string& command);

}  // namespace yieldloop::session

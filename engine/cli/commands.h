/// \file
/// The commands of `yieldloop`, one function each: parsed options in, exit status out. Command
/// line parsing itself is in app.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/cli/exit_status.h"
#include "engine/core/file_system.h"
#include "engine/report/report_content.h"
#include "engine/session/scope.h"

namespace yieldloop::cli {

/// Parts above this layer that the program hands in.
struct Surfaces {
  /// Writes report.html, report.pdf and report.json into the folder and returns their paths.
  std::function<Result<std::vector<fs::path>>(const report::ReportContent&, FileSystem&,
                                              const fs::path& folder)>
      write_report;
  /// Serves until a signal ends it.
  std::function<Status(const fs::path& store, const fs::path& config)> serve;
};

struct Context {
  fs::path store;
  bool json = false;
  bool quiet = false;
  unsigned threads = 0;      ///< 0: as many as cores.
  std::string command_line;  ///< For the report's provenance.
  Surfaces surfaces;
};

/// --product --lots --from --to as they were typed.
struct ScopeArguments {
  std::string product;
  std::string lots;  ///< Comma-separated globs.
  std::string from;
  std::string to;
};
/// Errors: kInvalidOptions (CLIC-0001) for a time that cannot be read, (CLIC-0024) for --from not
/// before --to.
Result<session::Scope> to_scope(const ScopeArguments& arguments);

struct IngestArguments {
  std::vector<std::string> paths;
  std::string mapping;
  bool dry_run = false;
};
struct Ingested {
  std::string text;  ///< What to print: words, or the JSON document.
  ExitStatus status = ExitStatus::kDone;
};
/// Errors: those of the mapping file, the store and ingest::ingest.
Result<Ingested> ingest_files(const Context& context, const IngestArguments& arguments);
ExitStatus run_ingest(const Context& context, const IngestArguments& arguments);
ExitStatus run_check(const Context& context, const IngestArguments& arguments);

struct SimulateArguments {
  std::string scenario;
  std::string folder;
  std::uint64_t seed = 1;
  std::string size = "small";
  bool list = false;
};
ExitStatus run_simulate(const Context& context, const SimulateArguments& arguments);

ExitStatus run_query(const Context& context, const std::string& sql);

struct StoreArguments {
  std::string action;  ///< info, verify, compact, backup, restore
  std::string folder;
};
ExitStatus run_store(const Context& context, const StoreArguments& arguments);

struct AnalysisArguments {
  ScopeArguments scope;
  double q = 0.05;
  std::uint64_t seed = 1;
  std::size_t shuffles = 20;  ///< Of the null audit.
  // suggest
  std::optional<double> budget_money;
  std::optional<int> budget_masks;
  std::string edits_folder;
};
ExitStatus run_findings(const Context& context, const AnalysisArguments& arguments);
ExitStatus run_suggest(const Context& context, const AnalysisArguments& arguments);

struct TraceArguments {
  AnalysisArguments analysis;
  std::string step;
  std::string layer;
  bool regression = false;  ///< These three limit what is asked beyond patterns; none: all.
  bool interactions = false;
  bool electrical = false;
  // A piece of the design (one of them), or a list of all that suffer.
  std::string cell;
  std::string net;
  std::string pattern;
  std::string region;
  std::string box;   ///< X0,Y0,X1,Y1 in um.
  std::string rank;  ///< cells, nets, layers or patterns.
  std::string defect_class;
  double reach_um = 1.0;
  std::size_t most = 50;
};
ExitStatus run_trace(const Context& context, const TraceArguments& arguments);

struct CommonalityArguments {
  AnalysisArguments analysis;
  std::string response = "yield";
};
ExitStatus run_commonality(const Context& context, const CommonalityArguments& arguments);

struct CriticalAreaArguments {
  std::string layout;  ///< Empty: the product's, from the store.
  ScopeArguments scope;
  std::vector<std::string> layers;
  double x0_um = 0.05;
  double xmax_um = 5.0;
  std::string law = "cubic";  ///< cubic or peaked
  double d0_per_cm2 = 0.0;    ///< For limited yield; 0: none is given.
  std::size_t tiles = 64;     ///< Sampled; 0: all.
  std::uint64_t seed = 1;
};
ExitStatus run_critical_area(const Context& context, const CriticalAreaArguments& arguments);

struct NetsArguments {
  std::string layout;  ///< Empty: the product's, from the store.
  ScopeArguments scope;
  std::string cell;                     ///< Empty: the top cell.
  std::vector<std::string> conductors;  ///< Empty: as product.toml says.
  std::vector<std::string> vias;        ///< CUT:BELOW:ABOVE.
  std::vector<std::string> labels;      ///< TEXTS:CONDUCTOR.
  std::string window;                   ///< X0,Y0,X1,Y1; empty: all.
  std::vector<std::string> at;          ///< X,Y,LAYER.
  std::vector<std::string> names;
  std::size_t most = 10;  ///< Longest nets listed when neither a place nor a name is asked for.
};
ExitStatus run_nets(const Context& context, const NetsArguments& arguments);

struct ModelArguments {
  ScopeArguments scope;
  std::string target = "die_fail";
  std::uint64_t seed = 1;
  std::string action = "list";  ///< list, promote, compare, quality
  std::vector<std::string> models;
};
ExitStatus run_train(const Context& context, const ModelArguments& arguments);
ExitStatus run_predict(const Context& context, const ModelArguments& arguments);
ExitStatus run_models(const Context& context, const ModelArguments& arguments);

struct ReportArguments {
  AnalysisArguments analysis;
  std::string night;
  std::string folder = "report";
  std::vector<std::string> paths;  ///< `run` ingests these first.
  std::string mapping;             ///< For that ingest.
};
ExitStatus run_report(const Context& context, const ReportArguments& arguments);
/// ingest -> findings -> models -> suggestions -> report.
ExitStatus run_main_job(const Context& context, const ReportArguments& arguments);

struct ExportArguments {
  AnalysisArguments analysis;
  std::string what;     ///< A table of the store, "findings", "suggestions" or "klarf".
  std::string format;   ///< csv, parquet, lyrdb, gds, oas
  std::string from;     ///< klarf: the file to give classes to, or its SHA-256; may be empty.
  std::string classes;  ///< klarf: a CSV file or a query; may be empty.
  std::string output;
};
ExitStatus run_export(const Context& context, const ExportArguments& arguments);

struct PatternArguments {
  std::string layout;  ///< Empty: the product's, from the store.
  ScopeArguments scope;
  std::vector<std::string> layers;
  std::vector<std::string> via_layers;
  std::vector<double> radii_um{0.5};
  std::string kinds;  ///< Comma-separated; empty: all.
  // Of docs/analyses/pattern_census.md; 0: from the radius.
  double line_end_um = 0.0, jog_um = 0.0, space_um = 0.0, width_um = 0.0, via_um = 0.0;
  std::optional<double> fuzzy_area;
  std::optional<double> fuzzy_edge_um;
  std::uint64_t min_occurrences = 1;
  std::size_t top = 20;
  std::size_t places = 0;  ///< Of each pattern, in libraries and matches.
  std::string library;     ///< Folder to add to.
  std::string exported;    ///< GDSII file of clips.
  std::string match;       ///< Folder of a library to look for.
};
ExitStatus run_patterns(const Context& context, const PatternArguments& arguments);

struct ConvertArguments {
  std::string input;
  std::string output;  ///< Its extension says what to write; ".gz" behind it packs.
};
ExitStatus run_convert(const Context& context, const ConvertArguments& arguments);

ExitStatus run_serve(const Context& context, const std::string& config);

}  // namespace yieldloop::cli

#include "engine/cli/app.h"

#include <oneapi/tbb/global_control.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>

#include "engine/cli/console.h"
#include "engine/cli/conversions.h"
#include "engine/core/log.h"

namespace yieldloop::cli {
namespace {

/// Everything that was typed; commands bind to their part of it.
struct Typed {
  std::string store;
  bool json = false, quiet = false, verbose = false;
  int threads = 0;
  IngestArguments ingest;
  SimulateArguments simulate;
  StoreArguments store_care;
  TraceArguments trace;  // Its `analysis` part serves findings and suggest too.
  CommonalityArguments commonality;
  CriticalAreaArguments critical_area;
  NetsArguments nets;
  ModelArguments model;
  ReportArguments report;
  ExportArguments exported;
  ConvertArguments convert;
  PatternArguments patterns;
  std::string sql, config;
};

/// "gdsii to .gds, ...": the rows of the conversion table.
std::string conversion_list() {
  std::string list;
  for (const ConversionRow& row : conversions())
    list += fmt::format("{}{} to {}", list.empty() ? "" : ", ", row.from, row.extension);
  return list;
}

using Action = std::function<ExitStatus(const Context&)>;

void add_scope(CLI::App& command, ScopeArguments& scope) {
  command.add_option("--product", scope.product,
                     "Product to look at; needed when the store holds several");
  command.add_option("--lots", scope.lots,
                     "Lots to look at, comma-separated, * and ? allowed; all when not given");
  command.add_option("--from", scope.from,
                     "Only wafers whose last event is at or after this time, e.g. 2026-03-14");
  command.add_option("--to", scope.to, "Only wafers whose last event is before this time");
}

void add_analysis(CLI::App& command, AnalysisArguments& analysis) {
  add_scope(command, analysis.scope);
  command
      .add_option("--q", analysis.q,
                  "Share of false findings accepted in each family of tests (false discovery rate)")
      ->check(CLI::Range(1e-6, 0.5))
      ->capture_default_str();
  command
      .add_option("--shuffles", analysis.shuffles,
                  "Shuffled copies on which false findings are measured; 0 skips it")
      ->check(CLI::Range(0, 10000))
      ->capture_default_str();
  command
      .add_option("--seed", analysis.seed,
                  "Seed of every random draw; the same seed gives the same answer")
      ->capture_default_str();
}

constexpr std::string_view kKinds =
    "Kinds, told by content and also packed as .gz: KLARF, STDF V4, GDSII, OASIS, "
    "product.toml, CSV logs (lots, wafers, "
    "lot_history, fdc, metrology, equipment_states, maintenance, die_results, assembly, "
    "package_results)";

void add_ingest(CLI::App& app, Typed& t, Action& action) {
  auto* ingest = app.add_subcommand("ingest", "Read files and folders into the store");
  ingest->add_option("paths", t.ingest.paths, "Files and folders. " + std::string(kKinds))
      ->required();
  ingest->add_option("--mapping", t.ingest.mapping,
                     "Names of this site's columns, steps and tools (mapping.toml)");
  ingest->add_flag("--dry-run", t.ingest.dry_run, "Say what would be stored; store nothing");
  ingest->callback([&] { action = [&](const Context& c) { return run_ingest(c, t.ingest); }; });

  auto* check =
      app.add_subcommand("check", "Read files without storing them and say what is in them");
  check->add_option("files", t.ingest.paths, "Files. " + std::string(kKinds))->required();
  check->add_option("--mapping", t.ingest.mapping,
                    "Names of this site's columns, steps and tools (mapping.toml)");
  check->callback([&] { action = [&](const Context& c) { return run_check(c, t.ingest); }; });
}

void add_simulate(CLI::App& app, Typed& t, Action& action) {
  auto* simulate = app.add_subcommand("simulate", "Write a virtual fab whose causes are known");
  simulate->add_option("scenario", t.simulate.scenario,
                       "What to plant; --list names the scenarios");
  simulate->add_option("-o,--output", t.simulate.folder, "Folder to write; must be empty or new");
  simulate->add_option("--seed", t.simulate.seed, "Seed; the same seed gives the same files")
      ->capture_default_str();
  simulate->add_option("--size", t.simulate.size, "small (12 lots) or medium (40 lots)")
      ->check(CLI::IsMember({"small", "medium"}))
      ->capture_default_str();
  simulate->add_flag("--list", t.simulate.list, "List the scenarios");
  simulate->callback(
      [&] { action = [&](const Context& c) { return run_simulate(c, t.simulate); }; });
}

void add_design_query(CLI::App& trace, TraceArguments& a) {
  trace.add_option("--cell", a.cell, "What happened on silicon to this cell");
  trace.add_option("--net", a.net, "... to this net (of the DEF file, else of the layout's texts)");
  trace.add_option("--pattern", a.pattern, "... to this pattern, as trace names it");
  trace.add_option("--region", a.region, "... to this test block of product.toml, or cell");
  trace.add_option("--box", a.box, "... to X0,Y0,X1,Y1 of the layout (um)");
  trace.add_option("--rank", a.rank, "Which suffer most: cells, nets, layers or patterns")
      ->check(CLI::IsMember({"cells", "nets", "layers", "patterns"}));
  trace.add_option("--class", a.defect_class, "Only defects of this class, by name");
  trace
      .add_option("--reach", a.reach_um, "How far from a net or pattern a defect still counts, um")
      ->check(CLI::Range(0.0, 1000.0))
      ->capture_default_str();
  trace.add_option("--most", a.most, "Rows listed")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
}

void add_findings(CLI::App& app, Typed& t, Action& action) {
  auto& analysis = t.trace.analysis;
  auto* findings = app.add_subcommand("findings", "Run every analysis and rank what costs yield");
  add_analysis(*findings, analysis);
  findings->callback([&] { action = [&](const Context& c) { return run_findings(c, analysis); }; });

  auto* suggest = app.add_subcommand("suggest", "Suggest design, process and test actions");
  add_analysis(*suggest, analysis);
  suggest->add_option(
      "--budget", analysis.budget_money,
      "Most money the chosen suggestions may cost, in the currency of product.toml");
  suggest->add_option("--masks", analysis.budget_masks,
                      "Most new mask layers the chosen suggestions may need");
  suggest->add_option(
      "--edits", analysis.edits_folder,
      "Write a marker file (.lyrdb) and a marker layer (.gds) of each suggestion into this folder");
  suggest->callback([&] { action = [&](const Context& c) { return run_suggest(c, analysis); }; });

  auto* trace = app.add_subcommand("trace", "Trace defects to layout features and patterns");
  add_analysis(*trace, analysis);
  trace->add_option("--step", t.trace.step,
                    "Inspection step, as product.toml names it; all when not given");
  trace->add_option("--layer", t.trace.layer,
                    "Layer, as product.toml names it; all that the step sees when not given");
  trace->add_flag("--regression", t.trace.regression,
                  "Beside patterns, ask for continuous causes only (density, its gradient, space)");
  trace->add_flag("--interactions", t.trace.interactions,
                  "Beside patterns, ask for interactions of layout and process only");
  trace->add_flag("--electrical", t.trace.electrical,
                  "Beside patterns, ask what block fails and kill ratios say only");
  add_design_query(*trace, t.trace);
  trace->callback([&] { action = [&](const Context& c) { return run_trace(c, t.trace); }; });

  auto* commonality = app.add_subcommand("commonality",
                                         "Compare yield, a bin, defects or a signature over tools, "
                                         "chambers, recipes, reticles, slots");
  add_analysis(*commonality, t.commonality.analysis);
  commonality
      ->add_option(
          "--response", t.commonality.response,
          "yield, bin:N, defects:STEP or signature:NAME (edge_ring, centre, donut, local, scratch)")
      ->capture_default_str();
  commonality->callback(
      [&] { action = [&](const Context& c) { return run_commonality(c, t.commonality); }; });
}

void add_critical_area(CLI::App& app, Typed& t, Action& action) {
  auto& a = t.critical_area;
  auto* command = app.add_subcommand("critical-area", "Critical area and limited yield per layer");
  command->add_option("layout", a.layout,
                      "Layout file; the product's from the store when not given");
  add_scope(*command, a.scope);
  command
      ->add_option("--layer", a.layers,
                   "Layer, e.g. 31/0 or a name of product.toml; may be given again; all metals "
                   "when not given")
      ->allow_extra_args(false);
  command->add_option("--x0", a.x0_um, "Smallest (or most frequent) defect size, um")
      ->capture_default_str();
  command->add_option("--xmax", a.xmax_um, "Largest defect size, um")->capture_default_str();
  command->add_option("--law", a.law, "Size law: cubic (2 x0^2/x^3 from x0) or peaked")
      ->check(CLI::IsMember({"cubic", "peaked"}))
      ->capture_default_str();
  command->add_option("--d0", a.d0_per_cm2,
                      "Defects per cm2, for the limited yield; none is computed when not given");
  command->add_option("--tiles", a.tiles, "Tiles sampled on a large layout; 0 computes all")
      ->capture_default_str();
  command->add_option("--seed", a.seed, "Seed of the tile sample")->capture_default_str();
  command->callback(
      [&] { action = [&](const Context& c) { return run_critical_area(c, t.critical_area); }; });
}

void add_nets(CLI::App& app, Typed& t, Action& action) {
  auto& a = t.nets;
  auto* command = app.add_subcommand("nets", "Find the nets of a layout");
  command->add_option("layout", a.layout,
                      "Layout file; the product's from the store when not given");
  add_scope(*command, a.scope);
  const auto add_list = [&](const char* name, std::vector<std::string>& list, const char* help) {
    command->add_option(name, list, help)->allow_extra_args(false);
  };
  add_list("--conductor", a.conductors,
           "Layer that conducts, e.g. 68/20; may be given again; those of product.toml when not "
           "given");
  add_list("--via", a.vias, "What joins two of them, CUT:BELOW:ABOVE; may be given again");
  add_list("--label", a.labels,
           "Texts that name a conductor, TEXTS:CONDUCTOR; texts on its layer number always do");
  add_list("--at", a.at, "The net at X,Y,LAYER (um); may be given again");
  add_list("--name", a.names, "Nets of this name, or CELL/NAME; may be given again");
  command->add_option("--cell", a.cell, "Cell to look at; the largest top cell when not given");
  command->add_option("--window", a.window, "Only what touches X0,Y0,X1,Y1 (um)");
  command->add_option("--most", a.most, "Longest nets listed when none is asked for")
      ->check(CLI::Range(0, 100000))
      ->capture_default_str();
  command->callback([&] { action = [&](const Context& c) { return run_nets(c, t.nets); }; });
}

void add_models(CLI::App& app, Typed& t, Action& action) {
  const auto add_target = [&](CLI::App& command) {
    command.add_option("--target", t.model.target, "What is predicted: failing die or wafer yield")
        ->check(CLI::IsMember({"die_fail", "wafer_yield"}))
        ->capture_default_str();
  };
  auto* train = app.add_subcommand("train", "Train a yield predictor and keep it in the store");
  add_scope(*train, t.model.scope);
  add_target(*train);
  train->add_option("--seed", t.model.seed, "Seed; the same seed and data give the same model")
      ->capture_default_str();
  train->callback([&] { action = [&](const Context& c) { return run_train(c, t.model); }; });

  auto* predict =
      app.add_subcommand("predict", "Predict failing die or wafer yield with a trained model");
  add_scope(*predict, t.model.scope);
  add_target(*predict);
  predict->add_option("--model", t.model.models, "Model id; the one in use when not given")
      ->expected(1);
  predict->callback([&] { action = [&](const Context& c) { return run_predict(c, t.model); }; });

  auto* models =
      app.add_subcommand("models", "List, compare and promote models; show the quality of one");
  models
      ->add_option("action", t.model.action,
                   "list, compare A B, promote A (use it from now on), quality A")
      ->check(CLI::IsMember({"list", "compare", "promote", "quality"}))
      ->capture_default_str();
  models->add_option("models", t.model.models, "Model ids; a unique beginning is enough");
  models->callback([&] { action = [&](const Context& c) { return run_models(c, t.model); }; });
}

void add_report(CLI::App& app, Typed& t, Action& action) {
  const auto add_common = [&](CLI::App& command) {
    add_analysis(command, t.report.analysis);
    command.add_option("-o,--output", t.report.folder, "Folder for the report")
        ->capture_default_str();
    command.add_option("--night", t.report.night,
                       "The night it reports on, YYYY-MM-DD; the last with data when not given");
  };
  auto* report = app.add_subcommand("report", "Write the overnight report: HTML, PDF, JSON");
  add_common(*report);
  report->callback([&] { action = [&](const Context& c) { return run_report(c, t.report); }; });

  auto* run_all =
      app.add_subcommand("run", "The main job: ingest, findings, models, suggestions, report");
  run_all->add_option("paths", t.report.paths, "Files and folders to ingest first");
  run_all->add_option("--mapping", t.report.mapping,
                      "Names of this site's columns, steps and tools (mapping.toml)");
  add_common(*run_all);
  run_all->callback([&] { action = [&](const Context& c) { return run_main_job(c, t.report); }; });
}

void add_patterns(CLI::App& app, Typed& t, Action& action) {
  auto& a = t.patterns;
  auto* command = app.add_subcommand(
      "patterns",
      "Count every place of a layer by its surroundings; group, keep and find patterns");
  command->add_option("layout", a.layout,
                      "Layout file; the product's from the store when not given");
  add_scope(*command, a.scope);
  const auto layers = [&](const char* name, std::vector<std::string>& to, const char* help) {
    command->add_option(name, to, help)->allow_extra_args(false);
  };
  layers("--layer", a.layers,
         "Layer of the clips, e.g. 68/20; places are sought on the first; may be given again");
  layers("--via-layer", a.via_layers, "Layer where vias are sought; it shows in the clips too");
  command->add_option("--radius", a.radii_um, "Half the side of a clip, um; may be given again")
      ->capture_default_str();
  command->add_option("--kinds", a.kinds,
                      "Places: line_end, corner, outer_corner, inner_corner, jog, narrow_space, "
                      "narrow_width, via, comma-separated; all when not given");
  const auto limit = [&](const char* name, double& to, const char* help) {
    command->add_option(name, to, help)->check(CLI::NonNegativeNumber);
  };
  limit("--line-end", a.line_end_um, "Longest line end, um; the radius when not given");
  limit("--jog", a.jog_um, "Longest jog, um; the radius when not given");
  limit("--space", a.space_um, "Widest narrow space, um; half the radius when not given");
  limit("--width", a.width_um, "Widest narrow width, um; half the radius when not given");
  limit("--via-size", a.via_um, "Largest via, um; the radius when not given");
  auto* area = command->add_option("--fuzzy-area", a.fuzzy_area,
                                   "Group clips that agree on this share of their area");
  auto* edge = command->add_option("--fuzzy-edge", a.fuzzy_edge_um,
                                   "Group clips whose edges differ by at most this, um");
  area->excludes(edge);
  command->add_option("--min-count", a.min_occurrences, "Leave out classes rarer than this")
      ->capture_default_str();
  command->add_option("--top", a.top, "Patterns to list, keep and export")->capture_default_str();
  command->add_option("--places", a.places, "Places to keep or print of each pattern")
      ->capture_default_str();
  command->add_option("--library", a.library, "Folder of a pattern library to add to");
  command->add_option("--export", a.exported, "Write clips to this .gds, an index beside it");
  command->add_option("--match", a.match, "Folder of a pattern library: where its patterns stand");
  command->callback(
      [&] { action = [&](const Context& c) { return run_patterns(c, t.patterns); }; });
}

void add_store(CLI::App& app, Typed& t, Action& action) {
  auto* query = app.add_subcommand("query", "Read-only SQL over the store's tables");
  query->add_option("sql", t.sql, "One SELECT; tables are those of docs/tables.md")->required();
  query->callback([&] { action = [&](const Context& c) { return run_query(c, t.sql); }; });

  auto* store = app.add_subcommand("store", "Care of the store");
  store
      ->add_option("action", t.store_care.action,
                   "info: what it holds; quality: how good each file is; verify: check every file; "
                   "compact: fewer, larger files; "
                   "backup DIR; restore DIR: a new store "
                   "from a copy; schema: its tables and columns")
      ->check(
          CLI::IsMember({"info", "quality", "verify", "compact", "backup", "restore", "schema"}))
      ->required();
  store->add_option("folder", t.store_care.folder, "Folder of the copy, for backup and restore");
  store->callback([&] { action = [&](const Context& c) { return run_store(c, t.store_care); }; });

  auto* exported = app.add_subcommand(
      "export", "Write a table, findings or suggestions as a file for other programs");
  exported
      ->add_option("what", t.exported.what, "A table of the store, findings, suggestions or klarf")
      ->required();
  exported->add_option("-o,--output", t.exported.output, "File to write")->required();
  exported
      ->add_option("--format", t.exported.format,
                   "csv, parquet, lyrdb, gds or oas; from the file's name when not given")
      ->check(CLI::IsMember({"csv", "parquet", "lyrdb", "gds", "oas"}));
  exported->add_option("--file", t.exported.from,
                       "klarf: the file to give classes to, or the SHA-256 of one that is stored");
  exported->add_option("--classes", t.exported.classes,
                       "klarf: CSV file or SELECT with defect_id and class_number, rough_bin, ...");
  add_analysis(*exported, t.exported.analysis);
  exported->callback([&] { action = [&](const Context& c) { return run_export(c, t.exported); }; });

  auto* convert = app.add_subcommand("convert", "Write a file in another format of its kind");
  convert->add_option("input", t.convert.input, "File to read, told by content")->required();
  convert
      ->add_option(
          "output", t.convert.output,
          "File to write; its extension says the format, .gz behind it packs: " + conversion_list())
      ->required();
  convert->callback([&] { action = [&](const Context& c) { return run_convert(c, t.convert); }; });

  auto* serve =
      app.add_subcommand("serve", "Take files from drop folders and over HTTP until stopped");
  serve->add_option("--config", t.config, "Configuration file (TOML), see docs/operations.md")
      ->required();
  serve->callback([&] { action = [&](const Context& c) { return run_serve(c, t.config); }; });
}

void add_common_options(CLI::App& app, Typed& t) {
  app.add_option("--store", t.store, "Folder of the store; ingest makes it")
      ->envname("YIELDLOOP_STORE")
      ->default_str("./yieldloop-store");
  app.add_flag("--json", t.json, "Print one JSON document and nothing else");
  app.add_flag("--quiet", t.quiet, "No progress");
  app.add_flag("--verbose", t.verbose, "Log what is done to stderr");
  app.add_option("--threads", t.threads, "Threads to use; results never depend on it")
      ->check(CLI::Range(1, 1024));
  app.set_version_flag("--version", "yieldloop 0.1.0");
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(
      "Exit status: 0 done; 1 done, some input refused; 2 usage; 3 no such thing or nothing to "
      "work on; 4 store "
      "busy or damaged, disk full; 5 no rights; 70 internal error.");
}

/// The parser's own words, with the page that says more.
Error usage_error(const CLI::App& app, const CLI::ParseError& e) {
  const auto commands = app.get_subcommands();
  if (!commands.empty()) {
    return {Errc::kInvalidOptions, "CLIC-0016",
            fmt::format("{} (`yieldloop {} --help` lists the options).", e.what(),
                        commands.front()->get_name())};
  }
  const auto unknown = app.remaining();
  if (!unknown.empty()) {
    return {Errc::kInvalidOptions, "CLIC-0021",
            fmt::format("There is no {} \"{}\"; `yieldloop --help` lists those there are.",
                        unknown.front().starts_with('-') ? "option" : "command", unknown.front())};
  }
  if (dynamic_cast<const CLI::RequiredError*>(&e) != nullptr) {
    return {Errc::kInvalidOptions, "CLIC-0022", "Name a command; `yieldloop --help` lists them."};
  }
  return {Errc::kInvalidOptions, "CLIC-0023",
          fmt::format("{} (`yieldloop --help` lists the options).", e.what())};
}

std::string join_arguments(int argc, char** argv) {
  std::string line = "yieldloop";
  for (int i = 1; i < argc; ++i) line += " " + std::string(argv[i]);
  return line;
}

ExitStatus parse_and_run(int argc, char** argv, Surfaces surfaces) {
  Typed typed;
  Action action;
  CLI::App app("Yield analytics and design feedback for semiconductor fabs", "yieldloop");
  add_common_options(app, typed);
  add_ingest(app, typed, action);
  add_simulate(app, typed, action);
  add_findings(app, typed, action);
  add_critical_area(app, typed, action);
  add_nets(app, typed, action);
  add_models(app, typed, action);
  add_report(app, typed, action);
  add_patterns(app, typed, action);
  add_store(app, typed, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return static_cast<ExitStatus>(app.exit(e));  // --help, --version
    return fail(usage_error(app, e));
  }
  log::configure(typed.verbose ? log::Level::kInfo : log::Level::kWarning);
  std::optional<tbb::global_control> limit;
  if (typed.threads > 0) {
    limit.emplace(tbb::global_control::max_allowed_parallelism,
                  static_cast<std::size_t>(typed.threads));
  }
  Context context{.store = typed.store.empty() ? "yieldloop-store" : typed.store,
                  .json = typed.json,
                  .quiet = typed.quiet || typed.json,
                  .threads = static_cast<unsigned>(std::max(0, typed.threads)),
                  .command_line = join_arguments(argc, argv),
                  .surfaces = std::move(surfaces)};
  return action(context);
}

}  // namespace

int run(int argc, char** argv, Surfaces surfaces) {
  try {
    return static_cast<int>(parse_and_run(argc, argv, std::move(surfaces)));
  } catch (const std::exception& e) {
    return static_cast<int>(
        fail({Errc::kInternal, "CLIC-0002",
              fmt::format("An internal error stopped the command: {}. Please report "
                          "it with the command line.",
                          e.what())}));
  }
}

}  // namespace yieldloop::cli

#include "engine/cli/commands.h"
#include "engine/cli/console.h"
#include "engine/cli/export_klarf.h"
#include "engine/cli/open_scope.h"
#include "engine/cli/table_output.h"
#include "engine/core/text.h"
#include "engine/feedback/gds_markers.h"
#include "engine/feedback/lyrdb.h"
#include "engine/store/parquet_writer.h"

namespace yieldloop::cli {
namespace {

std::string format_of(const ExportArguments& a) {
  if (!a.format.empty()) return a.format;
  std::string extension = fs::path(a.output).extension().string();
  return extension.empty() ? "" : to_lower(extension.substr(1));
}

/// A finished file is moved to its name, which would take the place of a device or a pipe.
Status check_output(const fs::path& output) {
  std::error_code ignored;
  if (!fs::exists(output, ignored) || fs::is_regular_file(output, ignored)) return Ok{};
  return Error{Errc::kInvalidOptions, "CLIC-0020",
               fmt::format("{} is no regular file and is not replaced: name a file to write.",
                           output.string())};
}

bool is_table(const std::string& name) { return store::find_table(name) != nullptr; }

/// Returns the rows written.
Result<std::size_t> write_table(const Context& context, const ExportArguments& a,
                                const std::string& format) {
  YL_ASSIGN(auto store,
            store::Store::open(real_file_system(), context.store, store::Store::Mode::kRead));
  YL_ASSIGN(const auto snapshot, store.snapshot());
  YL_ASSIGN(const auto table, snapshot.read(a.what));
  if (format == "csv") {
    YL_TRY(write_file_atomically(real_file_system(), a.output, table_csv(table)));
    return table.rows();
  }
  fs::path temporary = a.output;
  temporary += ".tmp";
  YL_ASSIGN([[maybe_unused]] const auto file,
            store::write_parquet(real_file_system(), temporary, table));
  YL_TRY(real_file_system().rename(temporary, a.output));
  return table.rows();
}

/// Returns the places written.
Result<std::size_t> write_markers(const Context& context, const ExportArguments& a,
                                  const std::string& format) {
  ConsoleProgress progress(context.quiet);
  YL_ASSIGN(auto opened, open_for(context, a.analysis.scope, store::Store::Mode::kRead));
  YL_ASSIGN(const auto analysis,
            session::analyse(opened.snapshot, opened.scope, to_options(a.analysis), progress));
  const auto view = analysis.view();
  if (!view) {
    return Error{Errc::kNoData, "CLIC-0012",
                 fmt::format("There is no layout of {}, so there are no places to mark.",
                             analysis.fab.data.product.name)};
  }
  const std::string top = view->layout().cell(view->top()).name;
  if (format == "lyrdb") {
    const auto markers = feedback::markers_of(analysis.findings, top);
    YL_ASSIGN(const std::string text, feedback::lyrdb_text(markers));
    YL_TRY(write_file_atomically(real_file_system(), a.output, text));
    return markers.items.size();
  }
  std::vector<feedback::MarkerRectangle> rectangles;
  for (const Finding& f : analysis.findings.findings) {
    for (const LayoutLocation& l : f.locations) {
      // One marker layer a finding, from 900 up: easy to tell apart and clear of drawn layers.
      rectangles.push_back({900 + f.rank, 0, l.x_um, l.y_um, l.w_um, l.h_um});
    }
  }
  YL_ASSIGN(const auto bytes, format == "gds" ? feedback::gds_markers(top, rectangles)
                                              : feedback::oasis_markers(top, rectangles));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  YL_TRY(write_file_atomically(real_file_system(), a.output, text));
  return rectangles.size();
}

/// Returns the defects written.
Result<std::size_t> write_klarf_file(const Context& context, const ExportArguments& a) {
  YL_ASSIGN(const auto written, klarf_export(context, a));
  YL_TRY(write_file_atomically(real_file_system(), a.output, written.text));
  for (const std::string& warning : written.warnings) std::fprintf(stderr, "%s\n", warning.c_str());
  return written.defects;
}

}  // namespace

ExitStatus run_export(const Context& context, const ExportArguments& arguments) {
  const std::string format = format_of(arguments);
  const bool places = arguments.what == "findings" || arguments.what == "suggestions";
  const bool marker_format = format == "lyrdb" || format == "gds" || format == "oas";
  const auto run = [&]() -> Result<std::size_t> {
    if (arguments.what == "klarf") {
      YL_TRY(check_output(arguments.output));
      return write_klarf_file(context, arguments);
    }
    if (!is_table(arguments.what)) {
      return Error{
          Errc::kNotFound, "CLIC-0013",
          fmt::format("The store has no table \"{}\"; `yieldloop store schema` lists them.",
                      arguments.what)};
    }
    YL_TRY(check_output(arguments.output));
    if (marker_format && places) return write_markers(context, arguments, format);
    if (format == "csv" || format == "parquet") return write_table(context, arguments, format);
    if (format.empty()) {
      return Error{Errc::kInvalidOptions, "CLIC-0018",
                   fmt::format("The name {} does not say what to write: end it in .csv, .parquet, "
                               ".lyrdb, .gds or .oas, or "
                               "give --format.",
                               arguments.output)};
    }
    return Error{Errc::kInvalidOptions, "CLIC-0014",
                 fmt::format("{} cannot be written as \"{}\": tables go to csv or parquet, "
                             "findings also to lyrdb, gds or oas.",
                             arguments.what, format)};
  };
  const auto written = run();
  if (!written) return fail(written.error());
  return context.json
             ? print(fmt::format(R"({{"schema":"yieldloop.export/1","items":{}}})", *written))
             : print(fmt::format("Wrote {} {} to {}.", *written,
                                 arguments.what == "klarf" ? "defects"
                                 : marker_format           ? "places"
                                                           : "rows",
                                 arguments.output));
}

}  // namespace yieldloop::cli

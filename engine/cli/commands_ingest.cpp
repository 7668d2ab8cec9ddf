#include <algorithm>

#include "engine/cli/commands.h"
#include "engine/cli/console.h"
#include "engine/core/text.h"
#include "ingest/pipeline/builtin_readers.h"
#include "ingest/pipeline/check.h"
#include "ingest/pipeline/ingest.h"
#include "ingest/readers/logs/mapping.h"

namespace yieldloop::cli {
namespace {

using ingest::CheckReport;
using ingest::FileStatus;
using ingest::IngestedFile;
using ingest::Outcome;

/// The mapping file, or none when none was named.
Result<std::optional<ingest::Mapping>> load(const std::string& path) {
  if (path.empty()) return std::optional<ingest::Mapping>{};
  YL_ASSIGN(auto mapping, ingest::load_mapping(real_file_system(), path));
  return std::optional(std::move(mapping));
}

std::string number(double value) {
  return value == std::floor(value) && std::abs(value) < 1e15 ? fmt::format("{:.0f}", value)
                                                              : fmt::format("{:.6g}", value);
}

std::string counts_text(const ingest::ReadSummary& summary) {
  std::vector<std::string> parts;
  for (const auto& [name, text] : summary.texts) parts.push_back(fmt::format("{} {}", name, text));
  for (const auto& [name, value] : summary.counts)
    parts.push_back(fmt::format("{} {}", name, number(value)));
  for (const auto& [group, values] : summary.grouped_counts) {
    std::vector<std::string> inner;
    for (const auto& [name, value] : values) inner.push_back(name + " " + number(value));
    parts.push_back(group + " {" + join(inner, ", ") + "}");
  }
  return join(parts, ", ");
}

void add_rejects(const CheckReport& report, std::size_t most, std::string& out) {
  const std::size_t shown = std::min(most, report.rejects.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const ingest::Reject& r = report.rejects[i];
    const std::string where =
        r.line ? fmt::format("line {}", *r.line) : fmt::format("byte {}", r.byte_offset);
    out += fmt::format("  rejected at {}: {} ({})\n", where, one_line(r.message), r.id);
  }
  if (report.rejects_total > shown) {
    out += fmt::format("  ... {} more rejects\n", report.rejects_total - shown);
  }
}

std::string check_text(const CheckReport& report) {
  constexpr std::size_t kShownRejects = 10;
  std::string out = fmt::format("{}: {}{}{}\n", one_line(report.path),
                                report.kind.empty() ? "not recognised" : report.kind,
                                report.summary.version.empty() ? "" : " " + report.summary.version,
                                report.status == FileStatus::kOk        ? ", ok"
                                : report.status == FileStatus::kPartial ? ", partial"
                                                                        : ", refused");
  if (report.status == FileStatus::kRefused) {
    return out + fmt::format("  {} ({})\n", one_line(report.message), report.id);
  }
  out += "  " + one_line(counts_text(report.summary)) + "\n";
  for (const std::string& warning : report.summary.warnings) {
    out += "  note: " + one_line(warning) + "\n";
  }
  add_rejects(report, kShownRejects, out);
  return out;
}

std::string ingest_text(const ingest::IngestReport& report) {
  constexpr std::size_t kShownRejects = 3;
  std::string out;
  for (const IngestedFile& file : report.files) {
    if (file.outcome == Outcome::kRefused) {
      out += fmt::format("refused {}: {} ({})\n", one_line(file.read.path),
                         one_line(file.read.message), file.read.id);
    } else if (file.read.rejects_total > 0) {
      out += fmt::format("partial {}: {} records rejected\n", one_line(file.read.path),
                         file.read.rejects_total);
      add_rejects(file.read, kShownRejects, out);
    } else if (file.outcome == Outcome::kSkipped) {
      out += fmt::format("skipped {}: {}\n", one_line(file.read.path), one_line(file.read.message));
    }
  }
  return out + fmt::format("{}{} files with {} rows, {} known already, {} refused, {} skipped.\n",
                           report.dry_run ? "Would store " : "Stored ",
                           report.count(Outcome::kStored), report.rows,
                           report.count(Outcome::kAlready), report.count(Outcome::kRefused),
                           report.count(Outcome::kSkipped));
}

std::vector<fs::path> to_paths(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

}  // namespace

ExitStatus run_check(const Context& context, const IngestArguments& arguments) {
  const auto mapping = load(arguments.mapping);
  if (!mapping) return fail(mapping.error());
  ConsoleProgress progress(context.quiet);
  const auto readers = ingest::builtin_readers();
  const ingest::ReadOptions options{.mapping = *mapping ? &**mapping : nullptr};
  std::vector<CheckReport> reports;
  for (std::size_t i = 0; i < arguments.paths.size(); ++i) {
    progress.report("Checking", i, arguments.paths.size());
    reports.push_back(
        ingest::check_file(real_file_system(), readers, arguments.paths[i], options, progress));
  }
  progress.report("Checking", arguments.paths.size(), arguments.paths.size());
  std::string text;
  for (const CheckReport& report : reports) text += check_text(report);
  const ExitStatus printed = print(context.json ? ingest::check_json(reports) : text);
  if (printed != ExitStatus::kDone) return printed;
  const bool all_fine = std::ranges::all_of(
      reports, [](const CheckReport& r) { return r.status == FileStatus::kOk; });
  return all_fine ? ExitStatus::kDone : ExitStatus::kSomeRefused;
}

Result<Ingested> ingest_files(const Context& context, const IngestArguments& arguments) {
  YL_ASSIGN(const auto mapping, load(arguments.mapping));
  ConsoleProgress progress(context.quiet);
  const auto readers = ingest::builtin_readers();
  const ingest::IngestOptions options{.mapping = mapping ? &*mapping : nullptr};
  const auto paths = to_paths(arguments.paths);
  const auto run = [&]() -> Result<ingest::IngestReport> {
    if (arguments.dry_run) {
      auto store = store::Store::open(real_file_system(), context.store, store::Store::Mode::kRead);
      if (!store && store.error().code != Errc::kNotFound) return store.error();
      return ingest::dry_run(real_file_system(), store ? &*store : nullptr, readers, paths, options,
                             progress);
    }
    YL_ASSIGN(auto store, store::Store::open_or_create(real_file_system(), context.store));
    return ingest::ingest(store, readers, paths, options, progress);
  };
  YL_ASSIGN(const auto report, run());
  const bool partial = std::ranges::any_of(report.files, [](const IngestedFile& f) {
    return f.outcome == Outcome::kStored && f.read.rejects_total > 0;
  });
  return Ingested{context.json ? ingest::ingest_json(report) : ingest_text(report),
                  report.any_refused() || partial ? ExitStatus::kSomeRefused : ExitStatus::kDone};
}

ExitStatus run_ingest(const Context& context, const IngestArguments& arguments) {
  const auto ingested = ingest_files(context, arguments);
  if (!ingested) return fail(ingested.error());
  const ExitStatus printed = print(ingested->text);
  return printed == ExitStatus::kDone ? ingested->status : printed;
}

}  // namespace yieldloop::cli

#include <algorithm>

#include "engine/cli/commands.h"
#include "engine/cli/console.h"
#include "engine/core/text.h"
#include "engine/session/quality.h"
#include "ingest/pipeline/builtin_readers.h"
#include "ingest/pipeline/check.h"
#include "ingest/pipeline/ingest.h"
#include "ingest/pipeline/worker_pool.h"
#include "ingest/readers/logs/mapping.h"

namespace yieldloop::cli {
namespace {

using ingest::CheckReport;
using ingest::FileStatus;
using ingest::IngestedFile;
using ingest::Outcome;

/// Results that came before their lot history wait for it; the user is told which.
Status name_unresolved(const store::Store& store, ingest::IngestReport& report) {
  if (!report.snapshot) return Ok{};
  YL_ASSIGN(const auto snapshot, store.snapshot());
  YL_ASSIGN(auto waiting, session::unresolved_wafers(snapshot));
  report.unresolved_wafers = waiting.wafers;
  report.unresolved_first = std::move(waiting.first);
  return Ok{};
}

/// How files are read: by which readers, with which mapping, in which processes.
struct Reading {
  ingest::ReaderRegistry readers = ingest::builtin_readers();
  std::optional<ingest::Mapping> mapping;
  std::unique_ptr<ingest::WorkerPool> workers;

  const ingest::Mapping* mapping_or_null() const { return mapping ? &*mapping : nullptr; }
};

/// Errors: those of the mapping file, if one was named.
Result<Reading> prepare(const Context& context, const std::string& mapping_path) {
  Reading reading;
  std::string text;
  if (!mapping_path.empty()) {
    YL_ASSIGN(text, read_text_file(real_file_system(), mapping_path));
    YL_ASSIGN(reading.mapping, ingest::parse_mapping(real_file_system(), text));
  }
  reading.workers = ingest::default_worker_pool(std::move(text), context.threads);
  return reading;
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
      out += fmt::format("partial {}: {} record{} rejected\n", one_line(file.read.path),
                         file.read.rejects_total, file.read.rejects_total == 1 ? "" : "s");
      add_rejects(file.read, kShownRejects, out);
    } else if (file.outcome == Outcome::kSkipped) {
      out += fmt::format("skipped {}: {}\n", one_line(file.read.path), one_line(file.read.message));
    }
  }
  const std::string waiting =
      session::quality_sentence({report.unresolved_wafers, report.unresolved_first});
  if (!waiting.empty()) out += waiting + "\n";
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
  const auto reading = prepare(context, arguments.mapping);
  if (!reading) return fail(reading.error());
  ConsoleProgress progress(context.quiet);
  std::vector<CheckReport> reports;
  for (std::size_t i = 0; i < arguments.paths.size(); ++i) {
    progress.report("Checking", i, arguments.paths.size());
    for (CheckReport& report : ingest::check_documents(
             real_file_system(), reading->readers, arguments.paths[i],
             {.mapping = reading->mapping_or_null()}, progress, reading->workers.get())) {
      reports.push_back(std::move(report));
    }
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
  YL_ASSIGN(const Reading reading, prepare(context, arguments.mapping));
  ConsoleProgress progress(context.quiet);
  const ingest::IngestOptions options{.mapping = reading.mapping_or_null(),
                                      .threads = context.threads,
                                      .workers = reading.workers.get()};
  const auto paths = to_paths(arguments.paths);
  const auto run = [&]() -> Result<ingest::IngestReport> {
    if (arguments.dry_run) {
      auto store = store::Store::open(real_file_system(), context.store, store::Store::Mode::kRead);
      if (!store && store.error().code != Errc::kNotFound) return store.error();
      return ingest::dry_run(real_file_system(), store ? &*store : nullptr, reading.readers, paths,
                             options, progress);
    }
    YL_ASSIGN(auto store, store::Store::open_or_create(real_file_system(), context.store));
    YL_ASSIGN(auto report, ingest::ingest(store, reading.readers, paths, options, progress));
    YL_TRY(name_unresolved(store, report));
    return report;
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

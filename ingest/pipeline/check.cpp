#include "ingest/pipeline/check.h"

#include <fmt/format.h>

#include <cmath>
#include <exception>
#include <new>

#include <nlohmann/json.hpp>

#include "engine/core/text.h"
#include "ingest/pipeline/documents.h"
#include "ingest/pipeline/worker_pool.h"

namespace yieldloop::ingest {
namespace {

using nlohmann::ordered_json;

/// Lets rows go, but stops a reader whose user has lost patience.
class DroppingSink final : public store::RowSink {
 public:
  explicit DroppingSink(const Progress& progress) : progress_(progress) {}
  bool put(store::Table) override { return !progress_.cancelled(); }

 private:
  const Progress& progress_;
};

CheckReport& refuse(CheckReport& report, const Error& error) {
  report.status = FileStatus::kRefused;
  report.code = error.code;
  report.id = error.id;
  report.message = error.message;
  return report;
}

/// The reader's answer, its exceptions included: a plug-in must not take the program with it.
Result<ReadSummary> call(const ReaderDeclaration& reader, Input& input, const ReadOptions& options,
                         store::RowSink& sink, Rejects& rejects) {
  try {
    return reader.read(input, options, sink, rejects);
  } catch (const std::bad_alloc&) {
    return Error{Errc::kFormat, "PIPE-0002",
                 fmt::format("{} needs more memory than there is; it was not read.", input.name())};
  } catch (const std::exception& failure) {
    return Error{Errc::kInternal, "PIPE-0003",
                 fmt::format("The reader {} failed on {} ({}); the file was not read.", reader.id,
                             input.name(), failure.what())};
  }
}

/// Whole numbers without a fraction, so that counts look like counts.
ordered_json number(double value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (value == std::floor(value) && std::abs(value) < kExact)
    return static_cast<std::int64_t>(value);
  return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr);
}

ordered_json counts_of(const ReadSummary& summary) {
  ordered_json counts = ordered_json::object();
  for (const auto& [key, value] : summary.texts) counts[to_valid_utf8(key)] = to_valid_utf8(value);
  for (const auto& [key, value] : summary.counts) counts[to_valid_utf8(key)] = number(value);
  for (const auto& [key, group] : summary.grouped_counts) {
    const std::size_t colon = key.find(':');
    ordered_json* at = &counts[to_valid_utf8(key.substr(0, colon))];
    if (colon != std::string::npos) at = &(*at)[to_valid_utf8(key.substr(colon + 1))];
    if (!at->is_object()) *at = ordered_json::object();
    for (const auto& [name, value] : group) (*at)[to_valid_utf8(name)] = number(value);
  }
  return counts;
}

ordered_json reject_json(const Reject& reject) {
  return {{"id", reject.id},
          {"byte_offset", reject.byte_offset},
          {"line", reject.line ? ordered_json(*reject.line) : ordered_json(nullptr)},
          {"message", to_valid_utf8(reject.message)}};
}

ordered_json text_or_null(const std::string& text) {
  return text.empty() ? ordered_json(nullptr) : ordered_json(to_valid_utf8(text));
}

}  // namespace

CheckReport read_input(const ReaderRegistry& readers, Input& input, std::string path,
                       const ReadOptions& options, store::RowSink& sink) {
  CheckReport report;
  report.path = std::move(path);
  const ReaderDeclaration* reader = readers.find(input.name(), input.head());
  if (reader == nullptr) {
    return refuse(report,
                  {Errc::kUnsupported, "PIPE-0001",
                   fmt::format("{} is of no kind that is read here (`yieldloop ingest --help` "
                               "lists them).",
                               escape_controls(input.name()))});
  }
  report.kind = reader->id;
  Rejects rejects;
  auto summary = call(*reader, input, options, sink, rejects);
  report.rejects = rejects.kept();
  report.rejects_total = rejects.total();
  if (!summary) return refuse(report, summary.error());
  report.summary = std::move(*summary);
  report.status = rejects.empty() ? FileStatus::kOk : FileStatus::kPartial;
  return report;
}

CheckReport check_file(FileSystem& files, const ReaderRegistry& readers, const fs::path& path,
                       const ReadOptions& options, const Progress& progress,
                       const UnpackLimits& limits) {
  CheckReport report;
  report.path = path.string();
  if (progress.cancelled()) {
    return refuse(report, {Errc::kCancelled, "PIPE-0004", "Stopped before the file was read."});
  }
  auto input = open_input(files, path, limits);
  if (!input) return refuse(report, input.error());
  DroppingSink sink(progress);
  return read_input(readers, **input, path.string(), options, sink);
}

namespace {

/// Keeps the reports and lets the rows go.
class Collecting final : public Receiver {
 public:
  Collecting(std::vector<CheckReport>& reports, const Progress& progress)
      : reports_(reports), progress_(progress) {}
  Answer begin(const Document&) override {
    return progress_.cancelled() ? Answer::kStop : Answer::kRead;
  }
  bool put(store::Table) override { return !progress_.cancelled(); }
  bool keep(Bytes) override { return true; }
  bool end(CheckReport report) override {
    reports_.push_back(std::move(report));
    return true;
  }

 private:
  std::vector<CheckReport>& reports_;
  const Progress& progress_;
};

}  // namespace

std::vector<CheckReport> check_documents(FileSystem& files, const ReaderRegistry& readers,
                                         const fs::path& path, const ReadOptions& options,
                                         const Progress& progress, WorkerPool* workers,
                                         const UnpackLimits& limits) {
  std::vector<CheckReport> reports;
  Collecting receiver(reports, progress);
  const auto refuse = [&](const Error& error) {
    reports.push_back(refused_report(path.string(), error));
    return reports;
  };
  if (progress.cancelled()) {
    return refuse({Errc::kCancelled, "PIPE-0004", "Stopped before the file was read."});
  }
  auto opened = files.map(path);
  if (!opened) return refuse(opened.error());
  auto file = std::move(*opened);
  Document whole{path.string(), {}, file->bytes().size(), false, true};
  const std::string name = path.filename().string();
  whole.digest = digest_of(*file);
  if (workers != nullptr && !file->bytes().empty()) {
    const auto status = workers->read(*file, whole, name, limits, receiver, progress);
    if (!status) return refuse(status.error());
  } else {
    read_documents(readers, whole, input_from_mapped(name, std::move(file), limits, &whole.digest),
                   {.read = options, .unpack = limits}, receiver);
  }
  return reports;
}

std::string_view to_word(FileStatus status) {
  switch (status) {
    case FileStatus::kOk: return "ok";
    case FileStatus::kPartial: return "partial";
    case FileStatus::kRefused: break;
  }
  return "refused";
}

std::string counts_json(const ReadSummary& summary) { return counts_of(summary).dump(); }

std::string check_json(std::span<const CheckReport> files) {
  ordered_json document{{"schema", "yieldloop.check/1"}, {"files", ordered_json::array()}};
  for (const CheckReport& file : files) {
    ordered_json rejects = ordered_json::array();
    for (const Reject& reject : file.rejects) rejects.push_back(reject_json(reject));
    ordered_json warnings = ordered_json::array();
    for (const std::string& warning : file.summary.warnings) {
      warnings.push_back(to_valid_utf8(warning));
    }
    document["files"].push_back({{"path", to_valid_utf8(file.path)},
                                 {"kind", text_or_null(file.kind)},
                                 {"version", text_or_null(file.summary.version)},
                                 {"status", to_word(file.status)},
                                 {"counts", counts_of(file.summary)},
                                 {"rejects", std::move(rejects)},
                                 {"rejects_total", file.rejects_total},
                                 {"warnings", std::move(warnings)},
                                 {"id", text_or_null(file.id)},
                                 {"message", text_or_null(file.message)}});
  }
  return document.dump(2);
}

}  // namespace yieldloop::ingest

#include "ingest/pipeline/ingest.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "engine/core/text.h"
#include "ingest/pipeline/file_reader.h"
#include "ingest/pipeline/find_files.h"

namespace yieldloop::ingest {
namespace {

using Clock = std::chrono::steady_clock;

store::SourceRecord source_of(const ReadDocument& file) {
  const CheckReport& read = file.file.read;
  store::SourceRecord source;
  source.digest = file.digest;
  source.name = file.name;
  source.size = file.file.bytes;
  if (file.container) source.container = file.container->hex();
  source.reader = read.kind;
  source.version = read.summary.version;
  source.status =
      read.status == FileStatus::kOk ? store::SourceStatus::kOk : store::SourceStatus::kPartial;
  source.rows = read.summary.rows;
  source.counts_json = counts_json(read.summary);
  source.message = join(read.summary.warnings, " ");
  source.rejects_total = read.rejects_total;
  for (const Reject& r : read.rejects) {
    source.rejects.push_back({r.id, r.byte_offset, r.line, r.record, r.bytes_dropped, r.message});
  }
  return source;
}

store::QuarantineRecord quarantine_of(const ReadDocument& file) {
  const CheckReport& read = file.file.read;
  return {.digest = file.digest,
          .name = file.name,
          .size = file.file.bytes,
          .reader = read.kind,
          .id = read.id,
          .message = read.message,
          .seen_at = {}};
}

/// The committing half of an ingest: takes read files in order and makes groups of them.
class Committer {
 public:
  Committer(store::Store& store, const IngestOptions& options, IngestReport& report)
      : store_(store), options_(options), report_(report) {}

  Status start() {
    YL_ASSIGN(const auto known, store_.quarantine());
    for (const auto& entry : known) quarantined_[entry.digest] = entry.message;
    return Ok{};
  }

  Status take(ReadDocument& file) {
    if (file.has_digest && file.file.outcome == Outcome::kStored &&
        !stored_.insert(file.digest).second) {
      file.file.outcome = Outcome::kAlready;
      file.rows.reset();
    }
    if (file.file.outcome == Outcome::kStored) return store_file(file);
    if (file.file.outcome == Outcome::kRefused && file.has_digest) return quarantine(file);
    return Ok{};
  }

  Status commit() {
    if (!transaction_ || transaction_->empty()) return Ok{};
    YL_ASSIGN(const std::int64_t number,
              transaction_->commit(fmt::format("ingest of {} files", files_)));
    report_.snapshot = number;
    transaction_.reset();
    files_ = 0;
    return Ok{};
  }

 private:
  Status begin() {
    if (transaction_) return Ok{};
    YL_ASSIGN(transaction_, store_.begin());
    begun_ = Clock::now();
    return Ok{};
  }

  Status store_file(ReadDocument& file) {
    YL_TRY(begin());
    if (file.has_layout) YL_TRY(store_layout(file));
    const std::uint64_t before = transaction_->rows();
    YL_TRY(transaction_->add(std::move(*file.rows)));
    file.rows.reset();
    report_.rows += transaction_->rows() - before;
    transaction_->add_source(source_of(file));
    ++files_;
    const bool full = transaction_->rows() >= options_.commit_rows ||
                      transaction_->bytes_in_memory() >= options_.commit_bytes ||
                      Clock::now() - begun_ >= options_.commit_interval;
    return full ? commit() : Status(Ok{});
  }

  /// The file as it came becomes a blob: layouts are read again by what needs their shapes.
  Status store_layout(const ReadDocument& file) {
    std::string sha256;
    if (file.container) {
      YL_ASSIGN(sha256,
                transaction_->put_blob(std::as_bytes(std::span(file.kept.data(), file.kept.size())),
                                       file.name));
    } else {
      YL_ASSIGN(const auto bytes, store_.files().map(file.file.read.path));
      YL_ASSIGN(sha256, transaction_->put_blob(bytes->bytes(), file.name));
    }
    if (sha256 == file.digest.hex()) return Ok{};
    return Error{Errc::kIo, "PIPE-0007",
                 fmt::format("{} changed while it was read; ingest it again when it is complete.",
                             file.file.read.path)};
  }

  Status quarantine(const ReadDocument& file) {
    const auto known = quarantined_.find(file.digest);
    if (known != quarantined_.end() && known->second == file.file.read.message) return Ok{};
    YL_TRY(begin());
    transaction_->quarantine(quarantine_of(file));
    ++files_;
    return Ok{};
  }

  store::Store& store_;
  const IngestOptions& options_;
  IngestReport& report_;
  std::optional<store::Transaction> transaction_;
  Clock::time_point begun_;
  std::size_t files_ = 0;
  std::set<Sha256Digest> stored_;
  std::map<Sha256Digest, std::string> quarantined_;
};

Result<std::vector<FoundFile>> find(FileSystem& files, const store::Store* store,
                                    const std::vector<fs::path>& paths) {
  auto found = find_files(files, paths, store == nullptr ? fs::path() : store->folder());
  if (!found.empty()) return found;
  return Error{Errc::kNotFound, "PIPE-0005",
               "There is no file in what was named; nothing was read."};
}

/// Reads everything in order, `take` each file, and keeps what is to be told about it.
template <class Take>
Status read_all(FileReader& reader, const std::vector<FoundFile>& found, IngestReport& report,
                Progress& progress, Take take) {
  std::uint64_t total = 0;
  std::uint64_t done = 0;
  for (const FoundFile& file : found) total += file.bytes;
  for (const FoundFile& file : found) {
    for (;;) {
      ReadItem item = reader.next();
      if (item.failure) return *item.failure;
      if (!item.document) break;
      YL_TRY(take(*item.document));
      report.files.push_back(std::move(item.document->file));
    }
    done += file.bytes;
    progress.report("reading files", done, total);
  }
  return Ok{};
}

}  // namespace

std::size_t IngestReport::count(Outcome outcome) const {
  return static_cast<std::size_t>(std::ranges::count(files, outcome, &IngestedFile::outcome));
}

bool IngestReport::any_refused() const {
  return std::ranges::any_of(files, [](const IngestedFile& file) {
    return file.outcome == Outcome::kRefused || file.read.rejects_total > 0;
  });
}

Result<IngestReport> ingest(store::Store& store, const ReaderRegistry& readers,
                            const std::vector<fs::path>& paths, const IngestOptions& options,
                            Progress& progress) {
  IngestReport report;
  YL_ASSIGN(const auto found, find(store.files(), &store, paths));
  Committer committer(store, options, report);
  YL_TRY(committer.start());
  FileReader reader(store.files(), &store, false, readers, found, options, progress);
  YL_TRY(read_all(reader, found, report, progress,
                  [&committer](ReadDocument& file) { return committer.take(file); }));
  YL_TRY(committer.commit());
  return report;
}

Result<IngestReport> dry_run(FileSystem& files, const store::Store* store,
                             const ReaderRegistry& readers, const std::vector<fs::path>& paths,
                             const IngestOptions& options, Progress& progress) {
  IngestReport report;
  report.dry_run = true;
  YL_ASSIGN(const auto found, find(files, store, paths));
  std::set<Sha256Digest> seen;
  FileReader reader(files, store, true, readers, found, options, progress);
  YL_TRY(read_all(reader, found, report, progress, [&](ReadDocument& file) -> Status {
    if (file.file.outcome != Outcome::kStored) return Ok{};
    if (!seen.insert(file.digest).second) {
      file.file.outcome = Outcome::kAlready;
    } else {
      report.rows += file.file.read.summary.rows;
    }
    return Ok{};
  }));
  return report;
}

std::string_view to_word(Outcome outcome) {
  switch (outcome) {
    case Outcome::kStored: return "stored";
    case Outcome::kAlready: return "already";
    case Outcome::kRefused: return "refused";
    case Outcome::kSkipped: break;
  }
  return "skipped";
}

std::string ingest_json(const IngestReport& report) {
  using nlohmann::ordered_json;
  ordered_json files = ordered_json::array();
  for (const IngestedFile& file : report.files) {
    const CheckReport& read = file.read;
    ordered_json warnings = ordered_json::array();
    for (const std::string& warning : read.summary.warnings) {
      warnings.push_back(to_valid_utf8(warning));
    }
    files.push_back(
        {{"path", to_valid_utf8(read.path)},
         {"kind", read.kind.empty() ? ordered_json(nullptr) : ordered_json(read.kind)},
         {"outcome", to_word(file.outcome)},
         {"status", to_word(read.status)},
         {"rows", read.summary.rows},
         {"rejects_total", read.rejects_total},
         {"warnings", std::move(warnings)},
         {"id", read.id.empty() ? ordered_json(nullptr) : ordered_json(read.id)},
         {"message", read.message.empty() ? ordered_json(nullptr)
                                          : ordered_json(to_valid_utf8(read.message))}});
  }
  ordered_json waiting = ordered_json::array();
  for (const std::string& wafer : report.unresolved_first) waiting.push_back(to_valid_utf8(wafer));
  const ordered_json document{
      {"schema", "yieldloop.ingest/1"},
      {"dry_run", report.dry_run},
      {"snapshot", report.snapshot ? ordered_json(*report.snapshot) : ordered_json(nullptr)},
      {"rows", report.rows},
      {"stored", report.count(Outcome::kStored)},
      {"already", report.count(Outcome::kAlready)},
      {"refused", report.count(Outcome::kRefused)},
      {"skipped", report.count(Outcome::kSkipped)},
      {"unresolved", {{"wafers", report.unresolved_wafers}, {"first", std::move(waiting)}}},
      {"files", std::move(files)}};
  return document.dump(2);
}

}  // namespace yieldloop::ingest

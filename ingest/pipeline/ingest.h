/// \file
/// Files and folders into the store: found, recognised, read several at once, committed in groups.
///
/// A file is taken whole or not at all, and once: its SHA-256 is its identity. What cannot be
/// read goes to the quarantine list with one sentence, and is tried again when it comes again.
/// An archive is a folder of files, each a source of its own (documents.h).
/// Files are committed in the order of their paths, whatever order they were read in, so the
/// same files give the same rows in the same order on any number of threads. Killed at any
/// moment, an ingest loses nothing it had committed; running it again does the rest.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/store/store.h"
#include "ingest/pipeline/check.h"

namespace yieldloop::ingest {

class WorkerPool;

struct IngestOptions {
  const Mapping* mapping = nullptr;  ///< May be null.
  unsigned threads = 0;              ///< 0: as many as cores.
  /// Where files are read; null: in this process. It must know the same mapping.
  WorkerPool* workers = nullptr;
  UnpackLimits unpack;
  /// A commit is made when any of these is passed, and at the end.
  std::uint64_t commit_rows = 2'000'000;
  std::size_t commit_bytes = std::size_t{256} << 20;
  std::chrono::milliseconds commit_interval{10'000};
};

enum class Outcome : std::uint8_t {
  kStored,
  kAlready,  ///< Its rows were in the store before, or came twice in this ingest.
  kRefused,  ///< Nothing was taken; `read.message` says why.
  kSkipped,  ///< Found in a folder and of no kind that is read here, or no regular file.
};

struct IngestedFile {
  CheckReport read;
  Outcome outcome = Outcome::kRefused;
  std::uint64_t bytes = 0;
};

struct IngestReport {
  std::vector<IngestedFile> files;       ///< By path; members of archives in their order.
  std::uint64_t rows = 0;                ///< Stored, or that a dry run would store.
  std::optional<std::int64_t> snapshot;  ///< The last one made; none when nothing changed.
  bool dry_run = false;
  /// Wafers of the store whose results wait for their lot history, and the first of them as
  /// "LOT/WAFER"; filled by who asks engine/session for them.
  std::uint64_t unresolved_wafers = 0;
  std::vector<std::string> unresolved_first;

  std::size_t count(Outcome outcome) const;
  bool any_refused() const;
};

/// Errors: kNotFound (PIPE-0005) when `paths` hold no file at all; kCancelled (PIPE-0004); those
/// of Transaction. Everything committed before an error stays.
Result<IngestReport> ingest(store::Store& store, const ReaderRegistry& readers,
                            const std::vector<fs::path>& paths, const IngestOptions& options,
                            Progress& progress);

/// What `ingest` would do, without a store's being changed. `store` may be null: then every file
/// is new.
Result<IngestReport> dry_run(FileSystem& files, const store::Store* store,
                             const ReaderRegistry& readers, const std::vector<fs::path>& paths,
                             const IngestOptions& options, Progress& progress);

/// The document "yieldloop.ingest/1" of docs/formats/json.md.
std::string ingest_json(const IngestReport& report);
/// "stored", "already", "refused", "skipped".
std::string_view to_word(Outcome outcome);

}  // namespace yieldloop::ingest

/// \file
/// Reads a file without storing anything and says what is in it: `yieldloop check`, and the first
/// half of every ingest.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/file_system.h"
#include "engine/core/progress.h"
#include "ingest/readers/input.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest {

enum class FileStatus : std::uint8_t {
  kOk,       ///< Everything was read.
  kPartial,  ///< Something was rejected; `rejects` says what.
  kRefused,  ///< Nothing was taken; `message` says why.
};

/// What reading one file came to.
struct CheckReport {
  std::string path;
  std::string kind;  ///< The reader's id; empty when no reader knows the file.
  FileStatus status = FileStatus::kRefused;
  ReadSummary summary;
  std::vector<Reject> rejects;  ///< The first ones.
  std::uint64_t rejects_total = 0;
  Errc code{};          ///< Of a refused file.
  std::string id;       ///< Of a refused file, e.g. "PIPE-0001".
  std::string message;  ///< Of a refused file: one sentence.
};

/// Finds the reader of an input and lets it read into `sink`. `path` is only reported.
/// Refused with: PIPE-0001 no reader knows the file; PIPE-0002 it needs more memory than there
/// is; PIPE-0003 the reader failed; or the reader's own error.
CheckReport read_input(const ReaderRegistry& readers, Input& input, std::string path,
                       const ReadOptions& options, store::RowSink& sink);

/// Never stores, never fails: what is wrong is in the report. Refused also with PIPE-0004 when
/// cancelled.
CheckReport check_file(FileSystem& files, const ReaderRegistry& readers, const fs::path& path,
                       const ReadOptions& options, const Progress& progress,
                       const UnpackLimits& limits = {});

class WorkerPool;

/// The same for a file or an archive with every file in it, in processes of their own where there
/// is a pool. `mapping` in the options must be the pool's.
std::vector<CheckReport> check_documents(FileSystem& files, const ReaderRegistry& readers,
                                         const fs::path& path, const ReadOptions& options,
                                         const Progress& progress, WorkerPool* workers,
                                         const UnpackLimits& limits = {});

/// The document "yieldloop.check/1" of docs/formats/json.md.
std::string check_json(std::span<const CheckReport> files);

/// "ok", "partial", "refused".
std::string_view to_word(FileStatus status);

/// The counts of a summary as one JSON object: flat counts, groups and texts together. A group
/// named "bbox_um:TOP" becomes {"bbox_um": {"TOP": {...}}}.
std::string counts_json(const ReadSummary& summary);

}  // namespace yieldloop::ingest

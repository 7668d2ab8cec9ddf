/// \file
/// Reads found files on several threads and hands them out in order. Internal to the pipeline.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "engine/store/store.h"
#include "ingest/pipeline/check.h"
#include "ingest/pipeline/find_files.h"
#include "ingest/pipeline/ingest.h"

namespace yieldloop::ingest {

/// A file that was looked at.
struct ReadFile {
  IngestedFile file;
  Sha256Digest digest;
  bool has_digest = false;
  bool has_layout = false;                ///< Its bytes belong into the store.
  std::optional<store::StagedRows> rows;  ///< Of a file to store.
  std::optional<Error> failure;           ///< The store's trouble or a cancellation: stop.
};

/// Reads ahead of the caller by a few files and a bounded number of bytes.
class FileReader {
 public:
  /// `store` null: nothing is staged and nothing is known. All arguments must outlive it.
  FileReader(FileSystem& files, const store::Store* store, bool dry_run,
             const ReaderRegistry& readers, const std::vector<FoundFile>& found,
             const IngestOptions& options, const Progress& progress);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;

  /// The next file in order. REQUIRES: called at most found.size() times.
  ReadFile next();

 private:
  void work(const std::stop_token& stop);
  ReadFile read(const FoundFile& found) const;

  FileSystem& files_;
  const store::Store* store_;
  bool dry_run_;
  const ReaderRegistry& readers_;
  const std::vector<FoundFile>& found_;
  const IngestOptions& options_;
  const Progress& progress_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t started_ = 0;
  std::size_t taken_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::size_t window_;
  std::map<std::size_t, ReadFile> done_;
  std::vector<std::jthread> threads_;
};

}  // namespace yieldloop::ingest

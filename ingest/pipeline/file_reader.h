/// \file
/// Reads found files several at once and hands out what they hold in order. Internal to the
/// pipeline.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "engine/store/store.h"
#include "ingest/pipeline/check.h"
#include "ingest/pipeline/documents.h"
#include "ingest/pipeline/find_files.h"
#include "ingest/pipeline/ingest.h"

namespace yieldloop::ingest {

/// A file, or a member of an archive, that was looked at.
struct ReadDocument {
  IngestedFile file;
  std::string name;  ///< Without folders: "lot.klarf", "night.zip!lot.klarf".
  Sha256Digest digest;
  bool has_digest = false;
  std::optional<Sha256Digest> container;  ///< The archive that it came in.
  bool has_layout = false;                ///< Its bytes belong into the store.
  std::string kept;                       ///< These bytes, for a member.
  std::optional<store::StagedRows> rows;  ///< Of a document to store.
};

/// What comes next: a document, the end of a file, or trouble that ends the ingest.
struct ReadItem {
  std::optional<ReadDocument> document;
  std::optional<Error> failure;
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

  /// The next document of the current file; neither document nor failure: the file is at its end
  /// and the next one becomes current. REQUIRES: fewer than found.size() files have ended.
  ReadItem next();

 private:
  class Staging;
  struct Progressing {
    std::deque<ReadDocument> documents;
    std::optional<Error> failure;
    bool complete = false;
  };
  void work(const std::stop_token& stop);
  std::optional<Error> read(std::size_t file);
  bool push(std::size_t file, ReadDocument document);

  FileSystem& files_;
  const store::Store* store_;
  bool dry_run_;
  const ReaderRegistry& readers_;
  const std::vector<FoundFile>& found_;
  const IngestOptions& options_;
  const Progress& progress_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool stopping_ = false;
  std::size_t started_ = 0;
  std::size_t taken_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::size_t window_;
  std::map<std::size_t, Progressing> progressing_;
  std::vector<std::jthread> threads_;
};

}  // namespace yieldloop::ingest

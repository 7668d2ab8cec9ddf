/// \file
/// The one interface through which the program touches files.
///
/// Everything the store writes goes through a `FileSystem`, so that a test can put one in its
/// place that drops unsynced writes, tears the last one, or fails any call (disk full, I/O
/// error). A write is durable only after `sync` on the file and, for a new name,
/// `sync_folder` on its folder.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"
#include "engine/core/sha256.h"

namespace yieldloop {

namespace fs = std::filesystem;

/// A file being written; closed by the destructor, which reports nothing: call `close`.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  /// Errors: kNoSpace (FILE-0003), kIo (FILE-0002); on error the content is undefined.
  virtual Status write(std::span<const std::byte> bytes) = 0;
  virtual Status sync() = 0;
  virtual Status close() = 0;
};

/// A whole file as memory; the bytes live as long as this does.
class MappedFile {
 public:
  virtual ~MappedFile() = default;
  virtual std::span<const std::byte> bytes() const = 0;
  /// Copies a range out without leaving it in this process's memory, for one pass over a large
  /// file. REQUIRES: from + out.size() <= bytes().size().
  virtual void copy(std::size_t from, std::span<std::byte> out) const {
    std::ranges::copy(bytes().subspan(from, out.size()), out.begin());
  }
  /// Of the open file, for reading only, to hand to another process; -1 when there is none.
  virtual int descriptor() const { return -1; }
};

/// SHA-256 of the whole file, in bounded memory.
Sha256Digest digest_of(const MappedFile& file);

struct FileInfo {
  fs::path path;
  bool is_folder = false;
  bool is_regular = false;  ///< Neither folder, link, device, socket nor pipe.
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
};

/// Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  /// Creates or empties the file. Errors: kIo, kNoSpace, kDenied.
  virtual Result<std::unique_ptr<WritableFile>> create(const fs::path& path) = 0;
  /// Maps a regular file. Errors: kNotFound (FILE-0001), kDenied (FILE-0004), kIo.
  virtual Result<std::unique_ptr<MappedFile>> map(const fs::path& path) = 0;
  virtual Result<FileInfo> info(const fs::path& path) = 0;
  /// Not recursive, sorted by name, links not followed.
  virtual Result<std::vector<FileInfo>> list(const fs::path& folder) = 0;
  virtual Status create_folders(const fs::path& path) = 0;
  virtual Status rename(const fs::path& from, const fs::path& to) = 0;
  virtual Status remove(const fs::path& path) = 0;
  virtual Status sync_folder(const fs::path& folder) = 0;
  virtual bool exists(const fs::path& path) = 0;
};

/// The operating system's files.
FileSystem& real_file_system();

/// Writes beside the target, syncs, renames over it and syncs the folder: a reader sees the
/// old content or the new, never a part.
Status write_file_atomically(FileSystem& files, const fs::path& path, std::string_view content);

/// The whole file as text. Errors: as map.
Result<std::string> read_text_file(FileSystem& files, const fs::path& path);

}  // namespace yieldloop

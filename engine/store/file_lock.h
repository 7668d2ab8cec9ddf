/// \file
/// Advisory locks on files (flock): one writer of a store, any number of readers. The operating
/// system lets go of them when the process ends, however it ends. Internal to the store.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "engine/core/result.h"

namespace yieldloop::store {

namespace fs = std::filesystem;

/// Held until destroyed.
class FileLock {
 public:
  /// Creates the file if need be, takes the lock alone and writes this process's id into it.
  /// Nothing when another process has it. Errors: kDenied, kIo (STOR-0008).
  static Result<std::optional<FileLock>> try_exclusive(const fs::path& path);
  /// Waits while another process has the lock alone. A place that cannot be written gives a
  /// lock that holds nothing: nobody can change the store there either.
  static Result<FileLock> shared(const fs::path& path);
  /// What the holder wrote, e.g. "4711"; "unknown" when it cannot be read.
  static std::string holder(const fs::path& path);

  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace yieldloop::store

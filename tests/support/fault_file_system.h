/// \file
/// A file system that fails on purpose and forgets what was never synced.
///
/// Two uses. `fail_at(n, error)`: the n-th call that changes something fails, everything else
/// works; a test counts n upward until nothing fails any more. `cut_power()`: files lose what was
/// written after their last sync, and names made since the last sync of their folder are gone, as
/// after a power cut on a disk that keeps only what it was told to.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/file_system.h"

namespace yieldloop::test {

class FaultFileSystem final : public FileSystem {
 public:
  /// From here on: the n-th (1-based) changing call fails with `error`.
  void fail_at(std::size_t n, Error error) {
    fail_at_ = n;
    error_ = std::move(error);
    calls_ = 0;
  }
  /// Whether the failing call has come.
  bool has_failed() const { return calls_ >= fail_at_ && fail_at_ > 0; }
  void heal() { fail_at_ = 0; }
  std::size_t calls() const { return calls_; }

  /// Claims to sync but does not: shows that a test would notice a forgotten sync.
  void ignore_file_sync() { ignore_file_sync_ = true; }
  void ignore_folder_sync() { ignore_folder_sync_ = true; }

  /// Nothing may be open. Undoes what was not made durable.
  void cut_power() {
    const std::lock_guard lock(mutex_);
    std::error_code ignored;
    for (auto it = names_.rbegin(); it != names_.rend(); ++it) it->undo();
    names_.clear();
    for (const auto& [path, size] : synced_) {
      if (fs::exists(path) && fs::file_size(path, ignored) > size)
        fs::resize_file(path, size, ignored);
    }
    synced_.clear();
  }

  Result<std::unique_ptr<WritableFile>> create(const fs::path& path) override {
    YL_TRY(count());
    const bool is_new = !fs::exists(path);
    YL_ASSIGN(auto file, real_file_system().create(path));
    const std::lock_guard lock(mutex_);
    synced_[path] = 0;
    if (is_new) {
      names_.push_back({path.parent_path(), [path] {
                          std::error_code ignored;
                          fs::remove(path, ignored);
                        }});
    }
    return std::unique_ptr<WritableFile>(std::make_unique<File>(*this, path, std::move(file)));
  }
  Result<std::unique_ptr<MappedFile>> map(const fs::path& path) override {
    return real_file_system().map(path);
  }
  Result<FileInfo> info(const fs::path& path) override { return real_file_system().info(path); }
  Result<std::vector<FileInfo>> list(const fs::path& folder) override {
    return real_file_system().list(folder);
  }
  Status create_folders(const fs::path& path) override {
    YL_TRY(count());
    std::vector<fs::path> missing;
    for (fs::path p = path; !p.empty() && !fs::exists(p); p = p.parent_path()) missing.push_back(p);
    YL_TRY(real_file_system().create_folders(path));
    const std::lock_guard lock(mutex_);
    for (auto it = missing.rbegin(); it != missing.rend(); ++it) {
      names_.push_back({it->parent_path(), [folder = *it] {
                          std::error_code ignored;
                          fs::remove_all(folder, ignored);
                        }});
    }
    return Ok{};
  }
  Status rename(const fs::path& from, const fs::path& to) override {
    YL_TRY(count());
    YL_TRY(real_file_system().rename(from, to));
    const std::lock_guard lock(mutex_);
    if (const auto it = synced_.find(from); it != synced_.end()) {
      synced_[to] = it->second;
      synced_.erase(from);
    }
    // The file keeps its old name until the new one's folder is synced.
    std::erase_if(names_, [&](const Name& name) {
      return name.folder == from.parent_path() && name.path == from;
    });
    names_.push_back({to.parent_path(), [from, to] {
                        std::error_code ignored;
                        fs::rename(to, from, ignored);
                      }});
    return Ok{};
  }
  Status remove(const fs::path& path) override {
    YL_TRY(count());
    return real_file_system().remove(path);
  }
  Status sync_folder(const fs::path& folder) override {
    YL_TRY(count());
    if (ignore_folder_sync_) return Ok{};
    YL_TRY(real_file_system().sync_folder(folder));
    const std::lock_guard lock(mutex_);
    const fs::path wanted = plain(folder);
    std::erase_if(names_, [&](const Name& name) { return plain(name.folder) == wanted; });
    return Ok{};
  }
  bool exists(const fs::path& path) override { return real_file_system().exists(path); }

 private:
  /// A directory entry that is not durable yet, and how to lose it.
  struct Name {
    fs::path folder;
    std::function<void()> undo;
    fs::path path = {};
  };

  class File final : public WritableFile {
   public:
    File(FaultFileSystem& owner, fs::path path, std::unique_ptr<WritableFile> real)
        : owner_(owner), path_(std::move(path)), real_(std::move(real)) {}
    Status write(std::span<const std::byte> bytes) override {
      YL_TRY(owner_.count());
      size_ += bytes.size();
      return real_->write(bytes);
    }
    Status sync() override {
      YL_TRY(owner_.count());
      if (owner_.ignore_file_sync_) return Ok{};
      const std::lock_guard lock(owner_.mutex_);
      owner_.synced_[path_] = size_;
      return Ok{};
    }
    Status close() override {
      YL_TRY(owner_.count());
      return real_->close();
    }

   private:
    FaultFileSystem& owner_;
    fs::path path_;
    std::unique_ptr<WritableFile> real_;
    std::uint64_t size_ = 0;
  };

  static fs::path plain(const fs::path& folder) {
    const fs::path normal = fs::absolute(folder).lexically_normal();
    return normal.has_filename() ? normal : normal.parent_path();
  }

  Status count() {
    if (++calls_ == fail_at_) return *error_;
    return Ok{};
  }

  std::atomic<std::size_t> calls_ = 0;
  std::size_t fail_at_ = 0;
  std::optional<Error> error_;
  bool ignore_file_sync_ = false;
  bool ignore_folder_sync_ = false;
  std::mutex mutex_;
  std::vector<Name> names_;
  std::map<fs::path, std::uint64_t> synced_;  ///< Bytes of each file that would survive.
};

}  // namespace yieldloop::test

/// \file
/// One shared library, opened by the very file that was checked; private to plugins/host.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "engine/core/result.h"
#include "plugins/sdk/yieldloop_plugin.h"

namespace yieldloop::plugins {

/// An opened file descriptor.
class OpenFile {
 public:
  OpenFile() = default;
  explicit OpenFile(int fd) : fd_(fd) {}
  OpenFile(OpenFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OpenFile& operator=(OpenFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OpenFile();
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

/// Opens without following links and checks owner, mode and kind. Errors: PLUG-0004.
Result<OpenFile> open_checked(const std::filesystem::path& path);

/// SHA-256 in hex of the whole file after a look at its ELF header. Errors: PLUG-0005, kIo.
Result<std::string> check_elf_and_hash(const OpenFile& file, const std::filesystem::path& path);

/// Loads, asks and sniffs in a child process. Errors: PLUG-0007..0010.
Status probe(const OpenFile& file, const std::filesystem::path& path,
             std::chrono::milliseconds timeout);

/// A loaded library with its table; unloaded when the last owner goes.
struct Library {
  void* handle = nullptr;
  const yieldloop_reader_v1* reader = nullptr;
  ~Library();
};

/// Loads into this process. Errors: PLUG-0008..0010.
Result<std::shared_ptr<Library>> load(const OpenFile& file, const std::filesystem::path& path);

}  // namespace yieldloop::plugins

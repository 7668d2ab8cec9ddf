/// \file
/// The folder a virtual fab is written into; counts what was written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/core/file_system.h"

namespace yieldloop::simulator {

class OutputFolder {
 public:
  /// Makes the folder. Errors: SIMU-0002 when it holds something; those of `files`.
  static Result<OutputFolder> open(FileSystem& files, fs::path folder);

  /// `name` is relative to the folder; folders in it are made.
  Status write(const std::string& name, std::string_view content);
  /// As write, gzip-compressed, ".gz" added to the name. Errors: SIMU-0004.
  Status write_gzip(const std::string& name, std::string_view content);

  std::size_t files_written() const { return files_written_; }
  std::uint64_t bytes_written() const { return bytes_written_; }

 private:
  OutputFolder(FileSystem& files, fs::path folder) : files_(&files), folder_(std::move(folder)) {}

  FileSystem* files_;
  fs::path folder_;
  std::size_t files_written_ = 0;
  std::uint64_t bytes_written_ = 0;
};

}  // namespace yieldloop::simulator

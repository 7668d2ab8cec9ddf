/// \file
/// Takes files from a drop folder when they are complete.
///
/// A file is complete when FILE.done stands beside it, or when its size and time of change have
/// stayed the same for the configured time. Names that start with a dot or end in .tmp, .part or
/// .done are never taken; links, pipes and devices are left alone. What was taken moves to
/// `taken/`, what was refused to `refused/`, both inside the drop folder: nothing is deleted.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/core/file_system.h"
#include "ingest/service/config.h"

namespace yieldloop::ingest::service {

class DropWatch {
 public:
  DropWatch(FileSystem& files, DropFolder drop) : files_(files), drop_(std::move(drop)) {}

  /// Looks once, at time `now_ns` (any clock that only grows), and returns the complete files,
  /// sorted. Errors: kIo, kNotFound when the folder cannot be listed.
  Result<std::vector<fs::path>> complete_files(std::int64_t now_ns);

  /// Moves a file (and its .done) away after the ingest. A name that is taken already gets a
  /// number.
  Status move_away(const fs::path& file, bool refused);

 private:
  struct Seen {
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    std::int64_t since_ns = 0;
  };
  FileSystem& files_;
  DropFolder drop_;
  std::map<fs::path, Seen> seen_;
};

}  // namespace yieldloop::ingest::service

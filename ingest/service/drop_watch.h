/// \file
/// Takes files from a drop folder when they are complete.
///
/// A file is complete by one of three signs; a drop folder may insist on one of them:
///   done     FILE.done stands beside it;
///   stable   its size and time of change have stayed the same for the configured time;
///   renamed  it came under its own name in one step: a look before, the same bytes (size and time
///            of change) stood there as .FILE, FILE.tmp or FILE.part. A folder that is told to go
///            by names takes every file at once that has no such name.
/// Names that start with a dot or end in .tmp, .part or .done are never taken; links, pipes and
/// devices are left alone. What was taken moves to `taken/`, what was refused to `refused/`, both
/// inside the drop folder: nothing is deleted.
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
    bool renamed = false;
  };
  FileSystem& files_;
  DropFolder drop_;
  bool is_complete(const Seen& seen, std::int64_t now_ns, bool marked) const;
  bool was_renamed(const fs::path& path, const Seen& seen) const;

  std::map<fs::path, Seen> seen_;
  std::map<fs::path, Seen> unfinished_;  ///< Under temporary names, at the last look.
};

}  // namespace yieldloop::ingest::service

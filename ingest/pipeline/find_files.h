/// \file
/// The files that paths stand for.
#pragma once

#include <string>
#include <vector>

#include "engine/core/file_system.h"

namespace yieldloop::ingest {

struct FoundFile {
  fs::path path;
  std::uint64_t bytes = 0;
  bool named = false;   ///< Given by name rather than found in a folder.
  std::string problem;  ///< Why it cannot be read; empty when it may be tried.
  std::string problem_id;
  Errc problem_code{};
};

/// Files by path, each once. Folders are searched to any depth; links, devices, pipes and the
/// like in them are named with a problem and not followed. `excluded` (the store itself) is left
/// out.
std::vector<FoundFile> find_files(FileSystem& files, const std::vector<fs::path>& paths,
                                  const fs::path& excluded);

}  // namespace yieldloop::ingest

/// \file
/// The files of `patterns`: a library's folder, and clips as GDSII with a marker database.
#pragma once

#include <vector>

#include "engine/core/file_system.h"
#include "engine/layout/pattern_library.h"

namespace yieldloop::cli {

/// FOLDER/patterns.json. Errors: those of reading and layout::parse_library, with the path.
Result<layout::PatternLibrary> read_pattern_library(const fs::path& folder);

/// Adds patterns to FOLDER/patterns.json, which is made when it is not there, and draws the whole
/// library anew as FOLDER/clips.gds and FOLDER/clips.lyrdb. Names and notes stay.
Status update_pattern_library(const fs::path& folder, std::vector<layout::KnownPattern> patterns);

/// The clips as a GDSII file and, beside it with the extension .lyrdb, an index of them that
/// KLayout opens: one category a pattern, one item for its clip.
/// Errors: kInvalidOptions CPAT-0006 when the name does not end in .gds; those of writing.
Status write_clips(const fs::path& path, const layout::PatternLibrary& library);

}  // namespace yieldloop::cli

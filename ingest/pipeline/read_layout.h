/// \file
/// A layout of whatever kind a file holds, for everything that works on geometry.
#pragma once

#include "engine/core/file_system.h"
#include "engine/layout/layout.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest {

/// By content: GDSII or OASIS.
/// Errors: those of the reader; kFormat INGE-0020 when it is neither.
Result<layout::Layout> read_layout(Bytes bytes, Rejects& rejects);
Result<layout::Layout> read_layout(Bytes bytes);

/// A file on disk, also packed. A plain one is read through a map whose pages are given back as
/// soon as they are behind, so that the layout alone decides how much memory it takes.
/// Errors: as above and as open_input.
Result<layout::Layout> read_layout(FileSystem& files, const fs::path& path, Rejects& rejects);

}  // namespace yieldloop::ingest

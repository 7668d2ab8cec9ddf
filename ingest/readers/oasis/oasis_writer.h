/// \file
/// Writes a Layout as a compact OASIS stream.
///
/// Equal shapes, texts and placements of a cell become repetitions, whatever they were before:
/// arrays where there are any, lists for the rest. Modal variables are used, positions are
/// relative, cells are packed into CBLOCKs, names stand in strict tables at the start with their
/// offsets in END, which signs the file with its CRC32. The same layout gives the same bytes.
///
/// What OASIS cannot say is written as the polygon of its outline: paths of odd width and paths
/// with round ends (a circle stays one).
/// Source: SEMI P39 (OASIS).
#pragma once

#include <vector>

#include "engine/layout/layout.h"
#include "ingest/readers/byte_sink.h"

namespace yieldloop::ingest::oasis {

/// Errors: those of the sink.
Status write_oasis(const layout::Layout& layout, ByteSink out);

/// The whole stream in memory, for small layouts. Errors: as above.
Result<std::vector<std::byte>> oasis_bytes(const layout::Layout& layout);

}  // namespace yieldloop::ingest::oasis

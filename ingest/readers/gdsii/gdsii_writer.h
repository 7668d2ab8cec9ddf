/// \file
/// Writes a Layout as a GDSII stream.
///
/// Cells come bottom-up and everything in a fixed order, dates are the epoch: the same layout
/// gives the same bytes. Repeated shapes and texts are written one by one, because the format has
/// arrays of cells only; arrays of more than 32767 columns or rows are cut. Polygons of more than
/// 8191 corners take several XY records, which every common reader joins.
/// Source: "GDSII Stream Format Manual", Calma Company, release 6.0.
#pragma once

#include <string>

#include "engine/layout/layout.h"
#include "ingest/readers/byte_sink.h"

namespace yieldloop::ingest::gdsii {

struct GdsiiWriteOptions {
  std::string library_name = "LIB";  ///< Used when the layout has none.
};

/// Errors: those of the sink; kUnsupported GDSI-0015 for a layer or data type above 65535,
/// GDSI-0016 for more than 2^32 shapes or texts in the cells when repetitions are written out,
/// GDSI-0017 for a name or text longer than a record, GDSI-0018 for an array past 32 bits.
Status write_gdsii(const layout::Layout& layout, ByteSink out,
                   const GdsiiWriteOptions& options = {});

/// The whole stream in memory, for small layouts. Errors: as above.
Result<std::vector<std::byte>> gdsii_bytes(const layout::Layout& layout,
                                           const GdsiiWriteOptions& options = {});

}  // namespace yieldloop::ingest::gdsii

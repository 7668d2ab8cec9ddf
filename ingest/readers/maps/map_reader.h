/// \file
/// Wafer maps into `wafer_maps`, a row a die in the wafer's own frame, and `wafer_map_headers`, a
/// row a map; docs/formats/maps.md says what becomes of what.
#pragma once

#include <string_view>
#include <vector>

#include "ingest/readers/maps/wafer_map.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest::maps {

/// Ids "sinf", "g85", "e142", "ascii_map", "csv_map".
/// Errors: kFormat WMAP-0020 (no map in it); kUnsupported WMAP-0021, WMAP-0023; kCancelled
/// WMAP-0022; the input's. Rejects: WMAP-0001 to WMAP-0012.
std::vector<ReaderDeclaration> map_readers();

/// The kind that the first bytes are surest of; "" for no map.
std::string_view map_kind_of(Bytes head);

/// The maps of a file of one kind, as it lists them, for conversion.
/// Errors: kNotFound WMAP-0024 for a kind that is none; as above.
Result<std::vector<WaferMap>> read_maps(Input& input, std::string_view kind, Rejects& rejects);

}  // namespace yieldloop::ingest::maps

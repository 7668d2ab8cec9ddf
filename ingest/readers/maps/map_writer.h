/// \file
/// Wafer maps as files: SINF, SEMI G85, SEMI E142 and CSV.
///
/// Maps are written as the wafer lies: notch down, seen from the front, first row at the top (E142:
/// LowerLeft, UpRight, first row at the bottom). Reading the file again gives the same rows of
/// `wafer_maps`; what a dialect has no word for is not in it: SINF has no unknown quality and no
/// code that is not a number of two or three hexadecimal digits.
///
/// Source: docs/formats/maps.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"
#include "ingest/readers/maps/wafer_map.h"

namespace yieldloop::ingest::maps {

/// The same wafer with the notch down, seen from the front, first row at the top.
WaferMap notch_down(const WaferMap& map);

/// `kind` is "sinf", "g85", "e142" or "csv_map". CSV holds one map.
/// Errors: kUnsupported WMAP-0030 (a bin code the dialect cannot hold), WMAP-0031 (several maps
/// into CSV), WMAP-0032 (a kind that is not written).
Result<std::string> write_maps(const std::vector<WaferMap>& maps, std::string_view kind);

}  // namespace yieldloop::ingest::maps

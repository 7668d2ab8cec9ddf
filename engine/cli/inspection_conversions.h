/// \file
/// Conversions of KLARF files and wafer maps, for the table of conversions.
#pragma once

#include "engine/cli/conversions.h"

namespace yieldloop::cli {

/// The flat dialect, KLARF 1.2.
Result<Conversion> klarf_to_flat(ingest::Input& input, ingest::ByteSink out);
/// The nested dialect, KLARF 1.8.
Result<Conversion> klarf_to_nested(ingest::Input& input, ingest::ByteSink out);

/// From any kind of map.
Result<Conversion> map_to_sinf(ingest::Input& input, ingest::ByteSink out);
Result<Conversion> map_to_g85(ingest::Input& input, ingest::ByteSink out);
Result<Conversion> map_to_e142(ingest::Input& input, ingest::ByteSink out);
Result<Conversion> map_to_csv(ingest::Input& input, ingest::ByteSink out);

}  // namespace yieldloop::cli

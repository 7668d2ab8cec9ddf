/// \file
/// STDF as ATDF and back, record by record, in bounded memory.
#pragma once

#include <string>
#include <vector>

#include "ingest/readers/byte_sink.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest::stdf {

/// Writes ATDF, unscaled, with a separator that occurs in no text. `warnings` gets what ATDF cannot
/// hold. Errors: those of RecordCursor, of the stream and of the sink. Rejects: as the reader's.
Status stdf_to_atdf(Input& input, ByteSink out, Rejects& rejects,
                    std::vector<std::string>& warnings);

/// Writes STDF V4 of CPU_TYPE 2. Errors and rejects: as the ATDF reader's, and the sink's errors.
Status atdf_to_stdf(Input& input, ByteSink out, Rejects& rejects);

}  // namespace yieldloop::ingest::stdf

/// \file
/// Reads STDF V4 (and the V4-2007 records, by length) into test_runs, die_results, test_values,
/// test_limits and test_bins; docs/formats/stdf.md says what becomes of every record.
#pragma once

#include "ingest/readers/reader.h"

namespace yieldloop::ingest::stdf {

/// Id "stdf". Memory is bounded for a file of any size.
/// Errors: kFormat STDF-0001 (no V4 FAR); STDF-0008 (wafers or tests
/// without end); kUnsupported STDF-0003 (VAX); kCancelled STDF-0007;
/// those of the input's stream. Rejects: STDF-0002 (cut short), STDF-0004 (hole), STDF-0006 (a
/// record shorter than its fields).
ReaderDeclaration stdf_reader();

}  // namespace yieldloop::ingest::stdf

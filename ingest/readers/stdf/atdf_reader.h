/// \file
/// Reads ATDF, the ASCII twin of STDF, into the same rows and counts: every line becomes the STDF
/// record it stands for. docs/formats/atdf.md says what is understood.
#pragma once

#include "ingest/readers/reader.h"

namespace yieldloop::ingest::stdf {

/// Id "atdf". Memory is bounded for a file of any size.
/// Errors: kFormat ATDF-0001 (no FAR line); those of FileReading and of the input's stream.
/// Rejects: ATDF-0002 (a field), ATDF-0003 (no record), ATDF-0004 (too long), ATDF-0005
/// (does not fit), ATDF-0006 (two in one line), those of the STDF
/// reader.
ReaderDeclaration atdf_reader();

}  // namespace yieldloop::ingest::stdf

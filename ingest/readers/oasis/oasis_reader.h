/// \file
/// The OASIS reader as the pipeline sees it; oasis_layout.h has the geometry.
///
/// The rows and counts are those of layout_summary.h.
#pragma once

#include "ingest/readers/reader.h"

namespace yieldloop::ingest::oasis {

ReaderDeclaration oasis_reader();

}  // namespace yieldloop::ingest::oasis

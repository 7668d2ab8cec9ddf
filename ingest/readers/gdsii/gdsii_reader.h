/// \file
/// The GDSII reader as the pipeline sees it; gdsii_layout.h has the geometry.
///
/// The rows and counts are those of layout_summary.h.
#pragma once

#include "ingest/readers/reader.h"

namespace yieldloop::ingest::gdsii {

ReaderDeclaration gdsii_reader();

}  // namespace yieldloop::ingest::gdsii

/// \file
/// The GDSII reader as the pipeline sees it; gdsii_layout.h has the geometry.
///
/// Puts one row into `layouts` and one per drawn layer into `layers`; the file itself becomes a
/// blob of the store. Counts of the check document: dbu_um, cells, placements, instances, texts,
/// unresolved_cells, top_cells; grouped: bbox_um:<top cell> (x_min, y_min, x_max, y_max), shapes
/// and shapes_expanded by "layer/datatype".
#pragma once

#include "ingest/readers/reader.h"

namespace yieldloop::ingest::gdsii {

ReaderDeclaration gdsii_reader();

}  // namespace yieldloop::ingest::gdsii

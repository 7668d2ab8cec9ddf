/// \file
/// What every reader of a layout format tells the pipeline: the same rows and counts.
///
/// One row into `layouts` and one per drawn layer into `layers`; the file itself becomes a blob of
/// the store. Counts of the check document: dbu_um, cells, placements, instances, texts,
/// unresolved_cells, top_cells; grouped: bbox_um:<top cell> (x_min, y_min, x_max, y_max), shapes
/// and shapes_expanded by "layer/datatype".
#pragma once

#include <string_view>

#include "engine/layout/layout.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest {

/// `kind` is "gdsii" or "oasis".
/// Takes an empty layout with a warning, unless `rejects` say that damage made it empty.
/// Errors: kNoData READ-0012 then; kCancelled READ-0011.
Result<ReadSummary> summarise_layout(const layout::Layout& layout, std::string_view kind,
                                     Input& input, const Rejects& rejects, store::RowSink& sink);

}  // namespace yieldloop::ingest

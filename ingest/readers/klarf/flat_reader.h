/// \file
/// The flat dialect, KLARF 1.0 to 1.2: statements that end with ';'.
///
/// A WaferID opens a section and inherits the header; InspectionTest, SampleTestPlan, AreaPerTest
/// and DefectList fill it. Rows of a DefectList are separated by nothing but their number of
/// values; where the file puts a row on a line (all known tools do), the line end guards against
/// a row with a value too few or too many.
///
/// Source: docs/formats/klarf.md.
#pragma once

#include <string_view>

#include "ingest/readers/klarf/inspection_rows.h"
#include "ingest/readers/klarf/lexer.h"

namespace yieldloop::ingest::klarf {

/// Errors: KLAR-0020 (no inspection in the file), KLAR-0022 (cancelled).
Result<ReadSummary> read_flat(std::string_view text, InspectionRows& rows, Complaints& complaints);

}  // namespace yieldloop::ingest::klarf

/// \file
/// Reads KLARF inspection results, flat (1.0 to 1.2) and nested (1.8), into inspections,
/// inspected_dies, defects and defect_classes; docs/formats/klarf.md says what becomes of what.
#pragma once

#include "ingest/readers/reader.h"

namespace yieldloop::ingest::klarf {

/// Id "klarf".
/// Errors: kFormat KLAR-0020 (no inspection in it), KLAR-0023 (nested too deeply),
/// KLAR-0024 (wafers without end);
/// kUnsupported KLAR-0021 (another major version); kCancelled KLAR-0022; the input's.
/// Rejects: KLAR-0001 to KLAR-0013.
ReaderDeclaration klarf_reader();

class Landmarks;

/// Reads the text and says where its rows and class lists stand. Slower than reading alone.
/// Errors: as klarf_reader.
Status read_with_landmarks(std::string_view text, Landmarks& landmarks, store::RowSink& sink,
                           Rejects& rejects);

}  // namespace yieldloop::ingest::klarf

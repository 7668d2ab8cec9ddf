/// \file
/// The nested dialect, KLARF 1.8: records within records, with fields and lists.
///
///   file   := record+ "EndOfFile" ";"
///   record := "Record" TYPE [text] "{" { field | list | record } "}"
///   field  := "Field" NAME n "{" value {"," value} "}"
///   list   := "List" NAME "{" "Columns" n "{" type NAME {"," ...} "}"
///                             "Data" m "{" { row ";" } "}" "}"
///
/// Counts are compared, never believed. Fields of a LotRecord often follow its WaferRecords and
/// apply to them.
///
/// Source: docs/formats/klarf.md.
#pragma once

#include <string_view>

#include "ingest/readers/klarf/inspection_rows.h"
#include "ingest/readers/klarf/lexer.h"

namespace yieldloop::ingest::klarf {

/// Errors: KLAR-0020 (no inspection in the file), KLAR-0022 (cancelled), KLAR-0023 (records
/// nested too deeply).
Result<ReadSummary> read_nested(std::string_view text, InspectionRows& rows,
                                Complaints& complaints);

}  // namespace yieldloop::ingest::klarf

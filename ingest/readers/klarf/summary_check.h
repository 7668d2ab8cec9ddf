/// \file
/// A file's own summary of its defects, compared with the defects it lists.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ingest/readers/klarf/inspection_rows.h"
#include "ingest/readers/klarf/lexer.h"

namespace yieldloop::ingest::klarf {

/// One row of SummaryList or TestSummaryList: TESTNO, NDEFECT, DEFDENSITY, NDIE, NDEFDIE, in
/// whatever columns the file has. `ordinal` stands for a TESTNO that is not there.
TestSummary summary_row(const std::vector<std::string_view>& columns,
                        const std::vector<std::string_view>& values, int ordinal);

/// NDEFECT that is neither what the wafer's list has, with or without its dropped rows, nor what
/// the file's wafers have together is a reject (KLAR-0014): rows are missing, or the count is
/// wrong. Returns a sentence for each NDIE that is not the number of the plan's die; tools differ
/// in what they count there, and more so in DEFDENSITY, which is kept and not compared.
std::vector<std::string> check_summaries(const WaferInspection& wafer,
                                         std::uint64_t earlier_defects, Complaints& complaints);

}  // namespace yieldloop::ingest::klarf

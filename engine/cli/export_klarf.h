/// \file
/// What `export klarf` writes.
#pragma once

#include <string>
#include <vector>

#include "engine/cli/commands.h"

namespace yieldloop::cli {

struct KlarfExport {
  std::string text;
  std::size_t defects = 0;  ///< Written, or given a class.
  std::vector<std::string> warnings;
};

/// With `from` (a file, or the SHA-256 of one that the store keeps) that file with the classes of
/// `classes` (a CSV file or a query), every other byte as it came; else the inspections in scope
/// from their rows, as KLARF 1.8 where the output's name ends in .klarf and as 1.2 otherwise.
/// Errors: kInvalidOptions CLIC-0033 (columns), CLIC-0035 (--classes without --from); kFormat
/// CLIC-0034 (a value); those of the store, the reader and the writers.
Result<KlarfExport> klarf_export(const Context& context, const ExportArguments& arguments);

}  // namespace yieldloop::cli

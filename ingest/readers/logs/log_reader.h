/// \file
/// Readers of the site's own logs: the CSV tables of docs/formats/logs.md and product.toml.
#pragma once

#include <string_view>
#include <vector>

#include "engine/store/schema.h"
#include "ingest/readers/logs/mapping.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest {

/// One reader, id "log", for all tables of the CSV contract. The table is told by mapping.toml,
/// else by the file's name (it begins with the table's), else by the header: the table of which
/// it has all required columns. Counts: rows, refused_rows, unknown_columns; text: table.
///
/// Errors: kFormat LOGS-0020 (empty), LOGS-0021 (no known table), LOGS-0022 (a required column
/// is missing), LOGS-0023 (a column occurs twice), LOGS-0024 (more than 5 % of the rows refused);
/// kCancelled LOGS-0025. Rejects: LOGS-0001 to LOGS-0010, one a row.
std::vector<ReaderDeclaration> log_table_readers();

/// Id "product": product.toml, one row of `products` and one of `layers` for each layer.
/// Errors: those of store::parse_product.
ReaderDeclaration product_reader();

/// The table of a header row by its columns alone, or nullptr: all required columns of exactly
/// one table (of several, the one that requires the most), and at least half of the header known.
const store::TableSchema* table_of_header(const std::vector<std::string_view>& header);
/// The table whose name begins the file's name ("lot_history_2026w11.csv"), or nullptr.
const store::TableSchema* table_of_name(std::string_view file_name);

}  // namespace yieldloop::ingest

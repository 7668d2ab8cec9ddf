/// \file
/// Readers of the site's own logs: the CSV tables of docs/formats/logs.md and product.toml.
#pragma once

#include <string_view>
#include <vector>

#include "engine/store/schema.h"
#include "ingest/readers/logs/mapping.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest {

/// One reader, id "log", for all tables of the contract, as CSV, JSON lines or Parquet. The table
/// is told by mapping.toml, else by the file's name (it begins with the table's), else by the
/// header: the table of which it has all required columns. Counts: rows, refused_rows,
/// unknown_columns; text: table.
///
/// Errors: kFormat LOGS-0020 (empty), LOGS-0021 (no known table), LOGS-0022 (a required column
/// is missing), LOGS-0023 (a column occurs twice), LOGS-0024 (more than 5 % of the rows refused);
/// kCancelled LOGS-0025. Rejects: LOGS-0001 to LOGS-0011, one a row. Parquet: those of
/// parquet_records.
std::vector<ReaderDeclaration> log_table_readers();

/// Id "sml": SECS-II messages as text. Collection events (S6F11) become rows of equipment_states,
/// maintenance or fdc_trace as `[[sml]]` of mapping.toml says, alarms that are set (S5F1) become
/// rows of maintenance. A state lasts until the next one of its tool and chamber; the last one to
/// the last message of the file. Counts: messages, events, alarms, unmapped_events, rows.
///
/// Errors: kFormat SECS-0010 (no message); kInvalidOptions SECS-0011 (no [[sml]] entry for the
/// file); kCancelled LOGS-0025. Rejects: SECS-0001 (damaged), SECS-0002 (not built as its number
/// says), SECS-0003 (no time), SECS-0004 (items outside of a message), and those of the table's
/// rules, LOGS-0001 to LOGS-0008.
ReaderDeclaration sml_reader();

/// Id "product": product.toml, one row of `products` and one of `layers` for each layer.
/// Errors: those of store::parse_product.
ReaderDeclaration product_reader();

/// The table of a header row by its columns alone, or nullptr: all required columns of exactly
/// one table (of several, the one that requires the most), and at least half of the header known.
const store::TableSchema* table_of_header(const std::vector<std::string_view>& header);
/// The table whose name begins the file's name ("lot_history_2026w11.csv"), or nullptr.
const store::TableSchema* table_of_name(std::string_view file_name);

}  // namespace yieldloop::ingest

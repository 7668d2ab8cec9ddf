/// \file
/// Query results as text for people, as JSON and as CSV.
#pragma once

#include <string>

#include "engine/store/table.h"

namespace yieldloop::cli {

/// Padded columns; past `most` rows the last line says how many are not shown.
std::string table_text(const store::Table& table, std::size_t most);

/// {"schema":"yieldloop.table/1","columns":[{"name","type"}],"rows":[[...]]}; null stays null.
std::string table_json(const store::Table& table);

/// RFC 4180, UTF-8, CRLF. A text that a spreadsheet would run as a formula (= + - @ tab or CR
/// first) gets a leading apostrophe.
std::string table_csv(const store::Table& table);

}  // namespace yieldloop::cli

#include "engine/store/schema_page.h"

#include <fmt/format.h>

#include "engine/store/schema.h"

namespace yieldloop::store {
namespace {

std::string_view type_word(ColumnType type) {
  switch (type) {
    case ColumnType::kBool: return "bool";
    case ColumnType::kInt32: return "int32";
    case ColumnType::kInt64: return "int64";
    case ColumnType::kFloat32: return "float32";
    case ColumnType::kFloat64: return "float64";
    case ColumnType::kTime: return "time (UTC)";
    case ColumnType::kText: break;
  }
  return "text";
}

}  // namespace

std::string schema_markdown() {
  std::string page =
      "# Tables\n\nThe tables of the store, as `yieldloop query` sees them and as Parquet segments "
      "hold them. Every "
      "row ends with\n`source` (which file it came from) and `source_row` (its line, record or "
      "element in it). Tables "
      "marked *log* are\nread from CSV files of that name (docs/formats/logs.md). This page is "
      "made by `yieldloop store "
      "schema`.\n";
  for (const TableSchema& table : all_tables()) {
    page += fmt::format(
        "\n## {}{}\n\n{}.\n\n| column | type | required | unit | meaning "
        "|\n|---|---|---|---|---|\n",
        table.name, table.from_log ? " (log)" : "", table.meaning);
    for (const ColumnSchema& c : table.columns) {
      page += fmt::format("| {} | {} | {} | {} | {} |\n", c.name, type_word(c.type),
                          c.required ? "yes" : "", c.unit, c.meaning);
    }
  }
  return page;
}

}  // namespace yieldloop::store

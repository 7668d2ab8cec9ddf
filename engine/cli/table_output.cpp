#include "engine/cli/table_output.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/cli/console.h"
#include "engine/core/text.h"

namespace yieldloop::cli {
namespace {

using store::Column;
using store::ColumnType;

std::string_view type_name(ColumnType type) {
  switch (type) {
    case ColumnType::kBool: return "bool";
    case ColumnType::kInt32:
    case ColumnType::kInt64: return "integer";
    case ColumnType::kFloat32:
    case ColumnType::kFloat64: return "real";
    case ColumnType::kTime: return "time";
    case ColumnType::kText: break;
  }
  return "text";
}

nlohmann::ordered_json cell_json(const Column& column, std::size_t row) {
  if (column.is_null(row)) return nullptr;
  switch (column.type()) {
    case ColumnType::kBool: return column.as_int(row) != 0;
    case ColumnType::kInt32:
    case ColumnType::kInt64: return column.as_int(row);
    case ColumnType::kFloat32:
    case ColumnType::kFloat64: {
      const double value = column.as_real(row);
      return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
    }
    default: return to_valid_utf8(column.to_text(row));
  }
}

std::string csv_cell(const Column& column, std::size_t row) {
  std::string text = column.to_text(row);
  if (column.type() != ColumnType::kText || text.empty()) return text;
  if (std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos)
    text = fmt::format("'{}", text);
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c;
    if (c == '"') quoted += c;
  }
  return quoted + "\"";
}

std::vector<std::string> names_of(const store::Table& table) {
  std::vector<std::string> names;
  for (std::size_t c = 0; c < table.columns(); ++c) names.push_back(table.column_name(c));
  return names;
}

}  // namespace

std::string table_text(const store::Table& table, std::size_t most) {
  const std::size_t shown = std::min(table.rows(), most);
  std::vector<std::vector<std::string>> rows(shown);
  for (std::size_t r = 0; r < shown; ++r) {
    for (std::size_t c = 0; c < table.columns(); ++c) {
      rows[r].push_back(one_line(table.column(c).to_text(r)));
    }
  }
  std::string text = text_table(names_of(table), rows);
  if (shown < table.rows()) {
    text += fmt::format("... {} more rows; use --json or export for all\n", table.rows() - shown);
  }
  return text;
}

std::string table_json(const store::Table& table) {
  using Json = nlohmann::ordered_json;
  Json columns = Json::array(), rows = Json::array();
  for (std::size_t c = 0; c < table.columns(); ++c) {
    columns.push_back(
        {{"name", table.column_name(c)}, {"type", type_name(table.column(c).type())}});
  }
  for (std::size_t r = 0; r < table.rows(); ++r) {
    Json row = Json::array();
    for (std::size_t c = 0; c < table.columns(); ++c) row.push_back(cell_json(table.column(c), r));
    rows.push_back(std::move(row));
  }
  return Json{{"schema", "yieldloop.table/1"}, {"columns", columns}, {"rows", rows}}.dump();
}

std::string table_csv(const store::Table& table) {
  std::string text;
  for (std::size_t c = 0; c < table.columns(); ++c)
    text += (c > 0 ? "," : "") + table.column_name(c);
  text += "\r\n";
  for (std::size_t r = 0; r < table.rows(); ++r) {
    for (std::size_t c = 0; c < table.columns(); ++c) {
      if (c > 0) text += ',';
      text += csv_cell(table.column(c), r);
    }
    text += "\r\n";
  }
  return text;
}

}  // namespace yieldloop::cli

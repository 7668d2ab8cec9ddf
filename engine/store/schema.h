/// \file
/// The tables of the store, as data: names, columns, types, units, keys. Readers fill them,
/// Parquet segments hold them, `yieldloop query` shows them and docs/tables.md is made from them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace yieldloop::store {

enum class ColumnType : std::uint8_t { kBool, kInt32, kInt64, kFloat32, kFloat64, kText, kTime };

struct ColumnSchema {
  std::string_view name;
  ColumnType type = ColumnType::kText;
  bool required = false;     ///< Never null; a log file without it is refused.
  std::string_view unit;     ///< "um", "cm2", "min", ...; empty when none.
  std::string_view meaning;  ///< One phrase.
};

struct TableSchema {
  std::string_view name;
  std::string_view meaning;
  bool from_log = false;              ///< A table of the CSV contract (canonical file NAME.csv).
  std::vector<ColumnSchema> columns;  ///< Without the provenance columns below.
};

/// Every stored row ends with these two: the source file (Sha256Digest::short_id) and the
/// 1-based line, record or element ordinal in it.
inline constexpr std::string_view kSourceColumn = "source";
inline constexpr std::string_view kSourceRowColumn = "source_row";

std::span<const TableSchema> all_tables();
/// nullptr when there is none of that name.
const TableSchema* find_table(std::string_view name);

}  // namespace yieldloop::store

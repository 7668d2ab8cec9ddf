#include "engine/store/duckdb_result.h"

#include <fmt/format.h>

#include <cassert>
#include <cmath>
#include <memory>
#include <span>

#include "engine/core/text.h"
#include "engine/core/time.h"
#include "engine/store/sql.h"

namespace yieldloop::store {
namespace {

/// Nothing for types that are written out as text by the query itself.
std::optional<ColumnType> column_type(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN: return ColumnType::kBool;
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT: return ColumnType::kInt32;
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_BIGINT: return ColumnType::kInt64;
    case DUCKDB_TYPE_FLOAT: return ColumnType::kFloat32;
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT:
    case DUCKDB_TYPE_DECIMAL: return ColumnType::kFloat64;
    case DUCKDB_TYPE_VARCHAR: return ColumnType::kText;
    case DUCKDB_TYPE_DATE:
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ: return ColumnType::kTime;
    default: return std::nullopt;
  }
}

/// One column of one chunk.
struct Slice {
  const void* data;
  std::uint64_t* valid;  ///< nullptr when no row is null.
  std::size_t rows;

  bool is_valid(std::size_t row) const {
    return valid == nullptr || duckdb_validity_row_is_valid(valid, row);
  }
  template <class T>
  std::span<const T> as() const {
    return {static_cast<const T*>(data), rows};
  }
};

std::vector<std::uint8_t> validity_bytes(const Slice& slice) {
  std::vector<std::uint8_t> bytes;
  if (slice.valid == nullptr) return bytes;
  bytes.resize(slice.rows);
  for (std::size_t i = 0; i < slice.rows; ++i) bytes[i] = (slice.valid[i / 64] >> (i % 64)) & 1;
  return bytes;
}

/// Adds the slice, each value through `convert`, as the column's stored type.
template <class From, class To, class Convert>
void add_converted(const Slice& slice, Column& column, Convert convert) {
  std::vector<To> values(slice.rows);
  const auto from = slice.as<From>();
  // What lies under a null is undefined and must not reach a file.
  for (std::size_t i = 0; i < slice.rows; ++i) {
    values[i] = slice.is_valid(i) ? convert(from[i]) : To{};
  }
  column.append_values(std::span<const To>(values), validity_bytes(slice));
}

template <class From, class To>
void add_cast(const Slice& slice, Column& column) {
  if constexpr (std::is_same_v<From, To>) {
    if (slice.valid == nullptr) return column.append_values(slice.as<To>());
  }
  add_converted<From, To>(slice, column, [](From value) { return static_cast<To>(value); });
}

void add_texts(const Slice& slice, Column& column) {
  auto* texts = const_cast<duckdb_string_t*>(static_cast<const duckdb_string_t*>(slice.data));
  for (std::size_t i = 0; i < slice.rows; ++i) {
    if (slice.is_valid(i)) {
      column.add_text({duckdb_string_t_data(&texts[i]), duckdb_string_t_length(texts[i])});
    } else {
      column.add_null();
    }
  }
}

/// Microseconds from a count of `per_second` units; infinite times are null.
void add_times(const Slice& slice, Column& column, std::int64_t numerator, std::int64_t divisor) {
  const auto from = slice.as<std::int64_t>();
  for (std::size_t i = 0; i < slice.rows; ++i) {
    const std::int64_t count = from[i];
    const bool finite = count != INT64_MAX && count != -INT64_MAX && count != INT64_MIN;
    if (slice.is_valid(i) && finite) {
      column.add_time(UtcMicros{count / divisor * numerator});
    } else {
      column.add_null();
    }
  }
}

void add_dates(const Slice& slice, Column& column) {
  const auto from = slice.as<duckdb_date>();
  for (std::size_t i = 0; i < slice.rows; ++i) {
    if (slice.is_valid(i) && duckdb_is_finite_date(from[i])) {
      column.add_time(UtcMicros{from[i].days * kMicrosPerDay});
    } else {
      column.add_null();
    }
  }
}

void add_decimals(const Slice& slice, Column& column, duckdb_logical_type type) {
  const double scale = std::pow(10.0, duckdb_decimal_scale(type));
  auto to_real = [scale](auto value) { return static_cast<double>(value) / scale; };
  switch (duckdb_decimal_internal_type(type)) {
    case DUCKDB_TYPE_SMALLINT: return add_converted<std::int16_t, double>(slice, column, to_real);
    case DUCKDB_TYPE_INTEGER: return add_converted<std::int32_t, double>(slice, column, to_real);
    case DUCKDB_TYPE_BIGINT: return add_converted<std::int64_t, double>(slice, column, to_real);
    default:
      return add_converted<duckdb_hugeint, double>(
          slice, column, [scale](duckdb_hugeint v) { return duckdb_hugeint_to_double(v) / scale; });
  }
}

void add_slice(const Slice& slice, duckdb_logical_type type, Column& column) {
  switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_BOOLEAN: return add_cast<bool, std::uint8_t>(slice, column);
    case DUCKDB_TYPE_TINYINT: return add_cast<std::int8_t, std::int32_t>(slice, column);
    case DUCKDB_TYPE_SMALLINT: return add_cast<std::int16_t, std::int32_t>(slice, column);
    case DUCKDB_TYPE_INTEGER: return add_cast<std::int32_t, std::int32_t>(slice, column);
    case DUCKDB_TYPE_UTINYINT: return add_cast<std::uint8_t, std::int32_t>(slice, column);
    case DUCKDB_TYPE_USMALLINT: return add_cast<std::uint16_t, std::int32_t>(slice, column);
    case DUCKDB_TYPE_UINTEGER: return add_cast<std::uint32_t, std::int64_t>(slice, column);
    case DUCKDB_TYPE_BIGINT: return add_cast<std::int64_t, std::int64_t>(slice, column);
    case DUCKDB_TYPE_FLOAT: return add_cast<float, float>(slice, column);
    case DUCKDB_TYPE_DOUBLE: return add_cast<double, double>(slice, column);
    case DUCKDB_TYPE_UBIGINT: return add_cast<std::uint64_t, double>(slice, column);
    case DUCKDB_TYPE_HUGEINT:
      return add_converted<duckdb_hugeint, double>(slice, column, duckdb_hugeint_to_double);
    case DUCKDB_TYPE_UHUGEINT:
      return add_converted<duckdb_uhugeint, double>(slice, column, duckdb_uhugeint_to_double);
    case DUCKDB_TYPE_DECIMAL: return add_decimals(slice, column, type);
    case DUCKDB_TYPE_VARCHAR: return add_texts(slice, column);
    case DUCKDB_TYPE_DATE: return add_dates(slice, column);
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ: return add_times(slice, column, 1, 1);
    case DUCKDB_TYPE_TIMESTAMP_S: return add_times(slice, column, kMicrosPerSecond, 1);
    case DUCKDB_TYPE_TIMESTAMP_MS: return add_times(slice, column, 1000, 1);
    case DUCKDB_TYPE_TIMESTAMP_NS: return add_times(slice, column, 1, 1000);
    default: assert(false && "wrap_for_reading writes other types out as text");
  }
}

}  // namespace

Table to_table(duckdb_result& result) {
  Table table("query");
  const idx_t columns = duckdb_column_count(&result);
  for (idx_t c = 0; c < columns; ++c) {
    const auto type = column_type(duckdb_column_type(&result, c));
    table.add_column(duckdb_column_name(&result, c), type.value_or(ColumnType::kText));
  }
  for (;;) {
    duckdb_data_chunk chunk = duckdb_fetch_chunk(result);
    if (chunk == nullptr) return table;
    const std::size_t rows = duckdb_data_chunk_get_size(chunk);
    for (idx_t c = 0; c < columns; ++c) {
      duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, c);
      const Slice slice{duckdb_vector_get_data(vector), duckdb_vector_get_validity(vector), rows};
      duckdb_logical_type type = duckdb_vector_get_column_type(vector);
      add_slice(slice, type, table.column(c));
      duckdb_destroy_logical_type(&type);
    }
    duckdb_destroy_data_chunk(&chunk);
  }
}

std::string wrap_for_reading(duckdb_prepared_statement prepared, std::string_view sql) {
  const idx_t columns = duckdb_prepared_statement_column_count(prepared);
  std::vector<std::string> inner;
  std::vector<std::string> outer;
  bool needed = false;
  for (idx_t c = 0; c < columns; ++c) {
    const bool known = column_type(duckdb_prepared_statement_column_type(prepared, c)).has_value();
    const char* raw = duckdb_prepared_statement_column_name(prepared, c);
    inner.push_back(fmt::format("c{}", c));
    outer.push_back(fmt::format("{}{} AS {}", inner.back(), known ? "" : "::VARCHAR",
                                sql_name(raw == nullptr ? "" : raw)));
    duckdb_free(const_cast<char*>(raw));
    needed = needed || !known;
  }
  if (!needed) return {};
  sql = trim(sql);
  while (!sql.empty() && sql.back() == ';') sql = trim(sql.substr(0, sql.size() - 1));
  // The line break ends a comment at the end of the statement.
  return fmt::format("SELECT {} FROM (\n{}\n) AS q({})", join(outer, ", "), sql, join(inner, ", "));
}

}  // namespace yieldloop::store

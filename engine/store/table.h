/// \file
/// Rows as columns in memory: what readers produce, segments hold and queries return.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "engine/core/time.h"
#include "engine/store/schema.h"

namespace yieldloop::store {

/// Dictionary-coded texts: `codes[row]` is a position in `values`.
class TextColumn {
 public:
  void add(std::string_view text);
  /// One text `rows` times.
  void add_many(std::string_view text, std::size_t rows);
  void append(const TextColumn& other);
  /// REQUIRES: every code < values.size().
  void append_coded(std::span<const std::uint32_t> codes, std::span<const std::string_view> values);
  void reserve(std::size_t rows) { codes_.reserve(rows); }
  std::size_t size() const { return codes_.size(); }
  std::string_view operator[](std::size_t row) const { return values_[codes_[row]]; }
  std::span<const std::uint32_t> codes() const { return codes_; }
  const std::vector<std::string>& values() const { return values_; }
  /// Roughly what the column takes in memory.
  std::size_t bytes() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::vector<std::uint32_t> codes_;
  std::vector<std::string> values_;
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> index_;
  std::uint32_t last_ = UINT32_MAX;  ///< Runs of one value skip the hash.
  std::size_t value_bytes_ = 0;      ///< Of the texts and their index.
};

/// One column; rows are added at the end, nulls included. Adding a value of another type than
/// the column's is a broken promise (assertion).
class Column {
 public:
  explicit Column(ColumnType type);

  ColumnType type() const { return type_; }
  std::size_t size() const { return size_; }
  void reserve(std::size_t rows);

  void add_bool(bool value);
  void add_int(std::int64_t value);  ///< kInt32 (REQUIRES: fits), kInt64.
  void add_real(double value);       ///< kFloat32, kFloat64.
  void add_time(UtcMicros value);    ///< kTime; an unknown time is a null.
  void add_text(std::string_view value);
  void add_null();
  /// `rows` nulls at once.
  void add_nulls(std::size_t rows);
  /// One text `rows` times. REQUIRES: a text column.
  void add_texts(std::string_view value, std::size_t rows);

  /// Adds all rows of another column. REQUIRES: the same type.
  void append(const Column& other);
  /// Adds many values of the stored representation (bools as bytes, times as microseconds);
  /// `valid` is empty (no null) or one byte a value. REQUIRES: not a text column.
  template <class T>
  void append_values(std::span<const T> values, std::span<const std::uint8_t> valid = {}) {
    auto& data = std::get<std::vector<T>>(data_);
    data.insert(data.end(), values.begin(), values.end());
    grown_by(values.size(), valid);
  }
  /// Adds texts by their positions in `values`. REQUIRES: kText; every code < values.size().
  void append_coded(std::span<const std::uint32_t> codes, std::span<const std::string_view> values,
                    std::span<const std::uint8_t> valid = {});
  /// As append_values of vectors that the caller needs no more. REQUIRES: the column is empty.
  template <class T>
  void adopt_values(std::vector<T>&& values, std::vector<std::uint8_t>&& valid = {}) {
    size_ = values.size();
    std::get<std::vector<T>>(data_) = std::move(values);
    valid_ = std::move(valid);
  }
  /// Replaces the content by `rows` times `value`. REQUIRES: kInt64.
  void fill_int(std::int64_t value, std::size_t rows);
  /// Roughly what the column takes in memory.
  std::size_t bytes() const;

  bool is_null(std::size_t row) const { return !valid_.empty() && valid_[row] == 0; }
  bool has_nulls() const { return !valid_.empty(); }
  /// bool, int and time columns; 0 for null.
  std::int64_t as_int(std::size_t row) const;
  /// Number columns; NaN for null.
  double as_real(std::size_t row) const;
  /// Text columns; "" for null.
  std::string_view as_text(std::size_t row) const;
  UtcMicros as_time(std::size_t row) const;
  /// Any type as text for people ("" for null).
  std::string to_text(std::size_t row) const;

  // Whole columns, for speed. REQUIRES: the matching type.
  std::vector<std::uint8_t>& bools() { return std::get<std::vector<std::uint8_t>>(data_); }
  const std::vector<std::uint8_t>& bools() const {
    return std::get<std::vector<std::uint8_t>>(data_);
  }
  const std::vector<std::int32_t>& int32s() const {
    return std::get<std::vector<std::int32_t>>(data_);
  }
  const std::vector<std::int64_t>& int64s() const {
    return std::get<std::vector<std::int64_t>>(data_);
  }
  const std::vector<float>& float32s() const { return std::get<std::vector<float>>(data_); }
  const std::vector<double>& float64s() const { return std::get<std::vector<double>>(data_); }
  const TextColumn& texts() const { return std::get<TextColumn>(data_); }
  /// Empty when there is no null, else one byte a row: 1 valid, 0 null.
  const std::vector<std::uint8_t>& validity() const { return valid_; }

 private:
  void grown() {
    ++size_;
    if (!valid_.empty()) valid_.push_back(1);
  }

  void grown_by(std::size_t rows, std::span<const std::uint8_t> valid);

  ColumnType type_;
  std::size_t size_ = 0;
  std::variant<std::vector<std::uint8_t>, std::vector<std::int32_t>, std::vector<std::int64_t>,
               std::vector<float>, std::vector<double>, TextColumn>
      data_;
  std::vector<std::uint8_t> valid_;
};

/// Named columns of equal length. Tables of the store carry `source` and `source_row` last;
/// query results have whatever columns the query named.
class Table {
 public:
  /// An empty table of the store. REQUIRES: find_table(name).
  static Table of(std::string_view name);
  /// A table with columns of its own; add columns with `add_column`.
  explicit Table(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  void rename(std::string name) { name_ = std::move(name); }
  std::size_t rows() const { return columns_.empty() ? 0 : columns_.front().size(); }
  std::size_t columns() const { return columns_.size(); }
  const std::string& column_name(std::size_t i) const { return column_names_[i]; }

  Column& add_column(std::string name, ColumnType type);
  Column& column(std::size_t i) { return columns_[i]; }
  const Column& column(std::size_t i) const { return columns_[i]; }
  /// Position of a column. REQUIRES: it is there (use find otherwise).
  std::size_t index(std::string_view column) const;
  std::optional<std::size_t> find(std::string_view column) const;
  Column& operator[](std::string_view column) { return columns_[index(column)]; }
  const Column& operator[](std::string_view column) const { return columns_[index(column)]; }

  /// Adds a null to every column that is shorter than the longest: ends a row in which only
  /// the known columns were set.
  void finish_row();
  /// Adds all rows of another table. REQUIRES: the same columns in the same order.
  void append(const Table& other);
  /// Roughly what the table takes in memory.
  std::size_t bytes() const;

 private:
  std::string name_;
  std::vector<std::string> column_names_;
  std::vector<Column> columns_;
};

/// Where a reader puts its rows, a batch at a time. Not thread-safe.
class RowSink {
 public:
  virtual ~RowSink() = default;
  /// Takes a batch of one table of the store (without the `source` column filled: the pipeline
  /// sets it). Returns false when the reader must stop (cancelled).
  virtual bool put(Table batch) = 0;
};

}  // namespace yieldloop::store

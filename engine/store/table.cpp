#include "engine/store/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <limits>

namespace yieldloop::store {
namespace {

/// What a text takes besides its characters: two copies and a hash node.
constexpr std::size_t kValueBytes = 2 * sizeof(std::string) + 48;

}  // namespace

void TextColumn::add(std::string_view text) {
  if (last_ == UINT32_MAX || values_[last_] != text) {
    const auto it = index_.find(text);
    if (it != index_.end()) {
      last_ = it->second;
    } else {
      last_ = static_cast<std::uint32_t>(values_.size());
      values_.emplace_back(text);
      value_bytes_ += kValueBytes + 2 * values_.back().capacity();
      index_.emplace(values_.back(), last_);
    }
  }
  codes_.push_back(last_);
}

void TextColumn::append_coded(std::span<const std::uint32_t> codes,
                              std::span<const std::string_view> values) {
  std::vector<std::uint32_t> position(values.size(), UINT32_MAX);
  for (const std::uint32_t code : codes) {
    if (position[code] == UINT32_MAX) {
      add(values[code]);
      position[code] = last_;
    } else {
      codes_.push_back(position[code]);
    }
  }
}

void TextColumn::add_many(std::string_view text, std::size_t rows) {
  if (rows == 0) return;
  add(text);
  codes_.insert(codes_.end(), rows - 1, last_);
}

void TextColumn::append(const TextColumn& other) {
  const std::vector<std::string_view> values(other.values_.begin(), other.values_.end());
  append_coded(other.codes_, values);
}

std::size_t TextColumn::bytes() const {
  return codes_.size() * sizeof(std::uint32_t) + value_bytes_;
}

Column::Column(ColumnType type) : type_(type) {
  switch (type) {
    case ColumnType::kBool: data_.emplace<std::vector<std::uint8_t>>(); break;
    case ColumnType::kInt32: data_.emplace<std::vector<std::int32_t>>(); break;
    case ColumnType::kInt64:
    case ColumnType::kTime: data_.emplace<std::vector<std::int64_t>>(); break;
    case ColumnType::kFloat32: data_.emplace<std::vector<float>>(); break;
    case ColumnType::kFloat64: data_.emplace<std::vector<double>>(); break;
    case ColumnType::kText: data_.emplace<TextColumn>(); break;
  }
}

void Column::reserve(std::size_t rows) {
  std::visit([rows](auto& data) { data.reserve(rows); }, data_);
}

void Column::add_bool(bool value) {
  std::get<std::vector<std::uint8_t>>(data_).push_back(value ? 1 : 0);
  grown();
}

void Column::add_int(std::int64_t value) {
  if (type_ == ColumnType::kInt32) {
    assert(value >= INT32_MIN && value <= INT32_MAX);
    std::get<std::vector<std::int32_t>>(data_).push_back(static_cast<std::int32_t>(value));
  } else {
    std::get<std::vector<std::int64_t>>(data_).push_back(value);
  }
  grown();
}

void Column::add_real(double value) {
  if (type_ == ColumnType::kFloat32) {
    std::get<std::vector<float>>(data_).push_back(static_cast<float>(value));
  } else {
    std::get<std::vector<double>>(data_).push_back(value);
  }
  grown();
}

void Column::add_time(UtcMicros value) {
  if (!value.known()) return add_null();
  std::get<std::vector<std::int64_t>>(data_).push_back(value.count);
  grown();
}

void Column::add_text(std::string_view value) {
  std::get<TextColumn>(data_).add(value);
  grown();
}

void Column::add_null() {
  if (valid_.empty()) valid_.assign(size_, 1);
  std::visit(
      [](auto& data) {
        if constexpr (std::is_same_v<std::decay_t<decltype(data)>, TextColumn>) {
          data.add({});
        } else {
          data.push_back({});
        }
      },
      data_);
  ++size_;
  valid_.push_back(0);
}

void Column::add_nulls(std::size_t rows) {
  if (rows == 0) return;
  if (valid_.empty()) valid_.assign(size_, 1);
  std::visit(
      [rows](auto& data) {
        if constexpr (std::is_same_v<std::decay_t<decltype(data)>, TextColumn>) {
          data.add_many({}, rows);
        } else {
          data.resize(data.size() + rows);
        }
      },
      data_);
  size_ += rows;
  valid_.resize(size_, 0);
}

void Column::add_texts(std::string_view value, std::size_t rows) {
  std::get<TextColumn>(data_).add_many(value, rows);
  grown_by(rows, {});
}

void Column::grown_by(std::size_t rows, std::span<const std::uint8_t> valid) {
  if (!valid.empty() || !valid_.empty()) {
    if (valid_.empty()) valid_.assign(size_, 1);
    if (valid.empty()) {
      valid_.resize(valid_.size() + rows, 1);
    } else {
      valid_.insert(valid_.end(), valid.begin(), valid.end());
    }
  }
  size_ += rows;
}

void Column::append(const Column& other) {
  assert(type_ == other.type_);
  std::visit(
      [&other](auto& data) {
        using Data = std::decay_t<decltype(data)>;
        const auto& more = std::get<Data>(other.data_);
        if constexpr (std::is_same_v<Data, TextColumn>) {
          data.append(more);
        } else {
          data.insert(data.end(), more.begin(), more.end());
        }
      },
      data_);
  grown_by(other.size_, other.valid_);
}

void Column::append_coded(std::span<const std::uint32_t> codes,
                          std::span<const std::string_view> values,
                          std::span<const std::uint8_t> valid) {
  std::get<TextColumn>(data_).append_coded(codes, values);
  grown_by(codes.size(), valid);
}

void Column::fill_int(std::int64_t value, std::size_t rows) {
  std::get<std::vector<std::int64_t>>(data_).assign(rows, value);
  valid_.clear();
  size_ = rows;
}

std::size_t Column::bytes() const {
  return valid_.size() + std::visit(
                             [](const auto& data) {
                               using Data = std::decay_t<decltype(data)>;
                               if constexpr (std::is_same_v<Data, TextColumn>) {
                                 return data.bytes();
                               } else {
                                 return data.size() * sizeof(typename Data::value_type);
                               }
                             },
                             data_);
}

std::int64_t Column::as_int(std::size_t row) const {
  if (is_null(row)) return 0;
  switch (type_) {
    case ColumnType::kBool: return bools()[row];
    case ColumnType::kInt32: return int32s()[row];
    case ColumnType::kInt64:
    case ColumnType::kTime: return int64s()[row];
    default: assert(false && "not an integer column"); return 0;
  }
}

double Column::as_real(std::size_t row) const {
  if (is_null(row)) return std::numeric_limits<double>::quiet_NaN();
  switch (type_) {
    case ColumnType::kFloat32: return float32s()[row];
    case ColumnType::kFloat64: return float64s()[row];
    default: return static_cast<double>(as_int(row));
  }
}

std::string_view Column::as_text(std::size_t row) const {
  return is_null(row) ? std::string_view() : texts()[row];
}

UtcMicros Column::as_time(std::size_t row) const {
  return is_null(row) ? UtcMicros{} : UtcMicros{int64s()[row]};
}

std::string Column::to_text(std::size_t row) const {
  if (is_null(row)) return {};
  switch (type_) {
    case ColumnType::kBool: return as_int(row) != 0 ? "true" : "false";
    case ColumnType::kInt32:
    case ColumnType::kInt64: return fmt::format("{}", as_int(row));
    case ColumnType::kFloat32: return fmt::format("{}", float32s()[row]);
    case ColumnType::kFloat64: return fmt::format("{}", float64s()[row]);
    case ColumnType::kTime: return to_iso8601(as_time(row));
    case ColumnType::kText: break;
  }
  return std::string(as_text(row));
}

Table Table::of(std::string_view name) {
  const TableSchema* schema = find_table(name);
  assert(schema != nullptr);
  Table table{std::string(name)};
  for (const ColumnSchema& c : schema->columns) table.add_column(std::string(c.name), c.type);
  table.add_column(std::string(kSourceColumn), ColumnType::kInt64);
  table.add_column(std::string(kSourceRowColumn), ColumnType::kInt64);
  return table;
}

Column& Table::add_column(std::string name, ColumnType type) {
  column_names_.push_back(std::move(name));
  return columns_.emplace_back(type);
}

std::size_t Table::index(std::string_view column) const {
  const auto position = find(column);
  assert(position.has_value());
  return *position;
}

std::optional<std::size_t> Table::find(std::string_view column) const {
  const auto it = std::ranges::find(column_names_, column);
  if (it == column_names_.end()) return std::nullopt;
  return static_cast<std::size_t>(it - column_names_.begin());
}

void Table::append(const Table& other) {
  assert(columns() == other.columns());
  for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].append(other.columns_[i]);
}

std::size_t Table::bytes() const {
  std::size_t total = 0;
  for (const Column& c : columns_) total += c.bytes();
  return total;
}

void Table::finish_row() {
  std::size_t longest = 0;
  for (const Column& c : columns_) longest = std::max(longest, c.size());
  for (Column& c : columns_) c.add_nulls(longest - c.size());
}

}  // namespace yieldloop::store

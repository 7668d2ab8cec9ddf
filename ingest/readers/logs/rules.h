/// \file
/// The rules of the CSV contract for one table: what a cell may say and how it is stored.
///
/// Rules (docs/formats/logs.md): blanks around a value do not count; an empty cell is null, and
/// so are NaN, NA, N/A, - and null in number and time columns; times are ISO 8601 (or the
/// mapping's format) in the site's zone unless they carry an offset; a required column is never
/// null, except that `lot_id` may be empty where `wafer_id` names the wafer, and `chamber` where
/// the tool has none; states, events, notches and kinds are words of a fixed list; slots are 0 to
/// 25; nothing ends before it starts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/time.h"
#include "engine/store/schema.h"
#include "engine/store/table.h"
#include "ingest/readers/logs/mapping.h"

namespace yieldloop::ingest {

/// Why a row was refused.
struct Refusal {
  std::string id;         ///< "LOGS-0001", ...
  std::string message;    ///< Names the column and the value.
  bool no_value = false;  ///< The measurement itself was missing: nothing is wrong with the row.
};

/// Parses the rows of one table. Not thread-safe.
class RowRules {
 public:
  /// `file` may be null. REQUIRES: schema, file and zone outlive the rules.
  /// `iso_too`: a time that is not in the mapping's format may be ISO 8601.
  RowRules(const store::TableSchema& schema, const FileMapping* file, const TimeZone& zone,
           bool iso_too = false);

  /// Forgets the cells of the row before.
  void begin();
  /// Sets the column at `position` of the schema; the text must live until append().
  std::optional<Refusal> set(std::size_t position, std::string_view text);
  /// Makes the column null again.
  void clear(std::size_t position) { values_[position] = Value{}; }
  bool has(std::size_t position) const { return !values_[position].null; }
  /// Sets the `attributes` column; "" is null, and the text must live until append().
  void set_attributes(std::string_view json);
  /// Checks what needs the whole row.
  std::optional<Refusal> check() const;
  /// Adds the row to a table made by Table::of for this schema. REQUIRES: check() was satisfied.
  void append(store::Table& table) const;

 private:
  enum class Rule : std::uint8_t { kNone, kWord, kSlot };
  struct Value {
    bool null = true;
    std::int64_t integer = 0;
    double real = 0.0;
    std::string_view text;
  };
  struct Plan {
    store::ColumnType type = store::ColumnType::kText;
    Rule rule = Rule::kNone;
    bool required = false;
    bool may_be_empty = false;
    const std::map<std::string, std::string>* meanings = nullptr;
  };

  std::optional<Refusal> set_number(std::size_t position, std::string_view text);
  std::optional<Refusal> set_time(std::size_t position, std::string_view text);
  std::optional<Refusal> set_bool(std::size_t position, std::string_view text);
  std::optional<Refusal> set_text(std::size_t position, std::string_view text);
  std::string_view name(std::size_t position) const { return schema_->columns[position].name; }

  const store::TableSchema* schema_;
  const TimeZone* zone_;
  std::string time_format_;
  bool iso_too_;
  std::vector<Plan> plans_;
  std::vector<Value> values_;
  std::optional<std::size_t> started_, ended_;
};

/// The time of a cell, UTC; a text without offset is in `zone`. `format` empty: ISO 8601.
std::optional<UtcMicros> parse_site_time(std::string_view text, std::string_view format,
                                         const TimeZone& zone);

}  // namespace yieldloop::ingest

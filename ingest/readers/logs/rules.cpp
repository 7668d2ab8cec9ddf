#include "ingest/readers/logs/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "engine/core/text.h"

namespace yieldloop::ingest {
namespace {

using store::ColumnType;

constexpr std::array<std::string_view, 6> kStates = {"productive",           "standby",
                                                     "engineering",          "scheduled_downtime",
                                                     "unscheduled_downtime", "nonscheduled"};
constexpr std::array<std::string_view, 6> kEvents = {
    "pm", "part_replaced", "recipe_changed", "calibration", "cleaning", "alarm"};
constexpr std::array<std::string_view, 4> kNotches = {"down", "up", "left", "right"};
constexpr std::array<std::string_view, 2> kKinds = {"inline", "wat"};

/// The fixed list of words of a column, empty when it is free text.
std::span<const std::string_view> words_of(std::string_view table, std::string_view column) {
  if (table == "equipment_states" && column == "state") return kStates;
  if (table == "maintenance" && column == "event") return kEvents;
  if (table == "wafers" && column == "notch") return kNotches;
  if (table == "metrology" && column == "kind") return kKinds;
  return {};
}

bool is_null_word(std::string_view text) {
  if (text.size() > 4 || (text.front() >= '0' && text.front() <= '9')) return false;
  return text == "-" || equals_ignoring_case(text, "nan") || equals_ignoring_case(text, "na") ||
         equals_ignoring_case(text, "n/a") || equals_ignoring_case(text, "null");
}

/// What a message shows of a cell: one line, not endless.
std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 60;
  std::string result = escape_controls(to_valid_utf8(text.substr(0, kMost)));
  return text.size() > kMost ? result + "..." : result;
}

std::optional<int> two_digits(std::string_view text, std::size_t at) {
  const int tens = text[at] - '0';
  const int ones = text[at + 1] - '0';
  if (tens < 0 || tens > 9 || ones < 0 || ones > 9) return std::nullopt;
  return tens * 10 + ones;
}

/// "2026-03-14T02:10:00" with or without a fraction, by far the commonest form.
std::optional<UtcMicros> plain_iso(std::string_view text) {
  if (text.size() < 19 || text.size() > 26 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != ' ') || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  std::int64_t fraction = 0;
  if (text.size() > 19) {
    if (text[19] != '.' || text.size() == 20) return std::nullopt;
    std::int64_t unit = kMicrosPerSecond;
    for (const char c : text.substr(20)) {
      if (c < '0' || c > '9') return std::nullopt;
      unit /= 10;
      fraction += (c - '0') * unit;
    }
  }
  std::array<int, 7> n{};
  constexpr std::array<std::size_t, 7> kAt = {0, 2, 5, 8, 11, 14, 17};
  for (std::size_t i = 0; i < n.size(); ++i) {
    const auto value = two_digits(text, kAt[i]);
    if (!value) return std::nullopt;
    n[i] = *value;
  }
  const auto days = days_from_civil(n[0] * 100 + n[1], n[2], n[3]);
  if (!days || n[4] > 23 || n[5] > 59 || n[6] > 60) return std::nullopt;
  const std::int64_t seconds = *days * 86'400 + n[4] * 3'600 + n[5] * 60 + n[6];
  return UtcMicros{seconds * kMicrosPerSecond + fraction};
}

/// Seconds, milliseconds or microseconds since 1970, a fraction included.
std::optional<UtcMicros> epoch_time(std::string_view text, double micros) {
  const auto value = parse_real(text);
  constexpr double kMost = 9e17;  // Beyond the year 30000.
  if (!value || std::abs(*value * micros) > kMost) return std::nullopt;
  return UtcMicros{std::llround(*value * micros)};
}

}  // namespace

std::optional<UtcMicros> parse_site_time(std::string_view text, std::string_view format,
                                         const TimeZone& zone) {
  if (format.empty()) {
    const bool utc = text.ends_with('Z');
    const auto time = plain_iso(utc ? text.substr(0, text.size() - 1) : text);
    if (time) return utc ? *time : zone.to_utc(*time);
  }
  if (format == "epoch_s") return epoch_time(text, 1e6);
  if (format == "epoch_ms") return epoch_time(text, 1e3);
  if (format == "epoch_us") return epoch_time(text, 1.0);
  const auto parse = [&](int offset) {
    return format.empty() ? parse_iso8601(text, offset) : parse_time(text, format, offset);
  };
  const auto local = parse(0);
  // A text with an offset of its own reads the same whatever offset is assumed.
  if (!local || local == parse(60)) return local;
  return zone.to_utc(*local);
}

RowRules::RowRules(const store::TableSchema& schema, const FileMapping* file, const TimeZone& zone,
                   bool iso_too)
    : schema_(&schema), zone_(&zone), iso_too_(iso_too), values_(schema.columns.size()) {
  if (file != nullptr) time_format_ = file->time_format;
  const bool has_wafer = std::ranges::any_of(
      schema.columns, [](const store::ColumnSchema& c) { return c.name == "wafer_id"; });
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    const store::ColumnSchema& column = schema.columns[i];
    Plan plan{.type = column.type, .required = column.required};
    if (!words_of(schema.name, column.name).empty()) plan.rule = Rule::kWord;
    if (column.name == "slot") plan.rule = Rule::kSlot;
    plan.may_be_empty = (column.name == "lot_id" && has_wafer) || column.name == "chamber";
    if (column.name == "started_at") started_ = i;
    if (column.name == "ended_at") ended_ = i;
    if (file != nullptr) {
      const auto it = file->value_map.find(std::string(column.name));
      if (it != file->value_map.end()) plan.meanings = &it->second;
    }
    plans_.push_back(plan);
  }
}

void RowRules::begin() { std::ranges::fill(values_, Value{}); }

std::optional<Refusal> RowRules::set(std::size_t position, std::string_view text) {
  const Plan& plan = plans_[position];
  text = trim(text);
  if (plan.meanings != nullptr) {
    const auto it = plan.meanings->find(std::string(text));
    if (it != plan.meanings->end()) text = it->second;
  }
  if (text.empty()) return std::nullopt;
  if (plan.type == ColumnType::kText) return set_text(position, text);
  if (is_null_word(text)) return std::nullopt;
  if (plan.type == ColumnType::kTime) return set_time(position, text);
  if (plan.type == ColumnType::kBool) return set_bool(position, text);
  return set_number(position, text);
}

std::optional<Refusal> RowRules::set_number(std::size_t position, std::string_view text) {
  const Plan& plan = plans_[position];
  Value& value = values_[position];
  const bool whole = plan.type == ColumnType::kInt32 || plan.type == ColumnType::kInt64;
  if (whole) {
    auto number = parse_int(text);
    if (!number) {
      // Spreadsheets and data frames write whole numbers as 3.0.
      const auto real = parse_real(text);
      if (real && *real == std::floor(*real) && std::abs(*real) < 9e15) {
        number = static_cast<std::int64_t>(*real);
      }
    }
    const std::int64_t most = plan.type == ColumnType::kInt32 ? INT32_MAX : INT64_MAX;
    if (!number || *number > most || *number < -most - 1) {
      return Refusal{"LOGS-0001", fmt::format("Column \"{}\": \"{}\" is not a whole number.",
                                              name(position), shown(text))};
    }
    if (plan.rule == Rule::kSlot && (*number < 0 || *number > 25)) {
      return Refusal{"LOGS-0006", fmt::format("Column \"{}\": {} is not a slot; slots are 0 to 25.",
                                              name(position), *number)};
    }
    value.integer = *number;
  } else {
    const auto number = parse_real(text);
    if (!number) {
      return Refusal{"LOGS-0002", fmt::format("Column \"{}\": \"{}\" is not a number.",
                                              name(position), shown(text))};
    }
    value.real = *number;
  }
  value.null = false;
  return std::nullopt;
}

std::optional<Refusal> RowRules::set_time(std::size_t position, std::string_view text) {
  auto time = parse_site_time(text, time_format_, *zone_);
  if (!time && iso_too_) time = parse_site_time(text, {}, *zone_);
  if (!time) {
    return Refusal{
        "LOGS-0003",
        fmt::format("Column \"{}\": \"{}\" is not a time; write it as {}.", name(position),
                    shown(text), time_format_.empty() ? "2026-03-14T02:10:00" : time_format_)};
  }
  values_[position].integer = time->count;
  values_[position].null = false;
  return std::nullopt;
}

std::optional<Refusal> RowRules::set_bool(std::size_t position, std::string_view text) {
  const bool yes = text == "1" || equals_ignoring_case(text, "true");
  if (!yes && text != "0" && !equals_ignoring_case(text, "false")) {
    return Refusal{"LOGS-0004", fmt::format("Column \"{}\": \"{}\" is neither 0 nor 1.",
                                            name(position), shown(text))};
  }
  values_[position].integer = yes ? 1 : 0;
  values_[position].null = false;
  return std::nullopt;
}

std::optional<Refusal> RowRules::set_text(std::size_t position, std::string_view text) {
  if (plans_[position].rule == Rule::kWord) {
    const auto words = words_of(schema_->name, name(position));
    const auto word = std::ranges::find_if(
        words, [&](std::string_view w) { return equals_ignoring_case(w, text); });
    if (word == words.end()) {
      return Refusal{"LOGS-0005", fmt::format("Column \"{}\": \"{}\" is not one of {}.",
                                              name(position), shown(text), fmt::join(words, ", "))};
    }
    text = *word;
  }
  values_[position].text = text;
  values_[position].null = false;
  return std::nullopt;
}

void RowRules::set_attributes(std::string_view json) {
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    if (name(i) == "attributes") values_[i] = Value{.null = json.empty(), .text = json};
  }
}

std::optional<Refusal> RowRules::check() const {
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    if (!plans_[i].required || !values_[i].null || plans_[i].may_be_empty) continue;
    return Refusal{"LOGS-0007",
                   fmt::format("Column \"{}\" is empty, but every row needs it.", name(i)),
                   name(i) == "value"};
  }
  if (started_ && ended_ && !values_[*started_].null && !values_[*ended_].null &&
      values_[*ended_].integer < values_[*started_].integer) {
    return Refusal{"LOGS-0008", fmt::format("Column \"ended_at\": {} is before \"started_at\", {}.",
                                            to_iso8601(UtcMicros{values_[*ended_].integer}),
                                            to_iso8601(UtcMicros{values_[*started_].integer}))};
  }
  return std::nullopt;
}

void RowRules::append(store::Table& table) const {
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    store::Column& column = table.column(i);
    const Value& value = values_[i];
    if (value.null && !(plans_[i].required && plans_[i].type == ColumnType::kText)) {
      column.add_null();
      continue;
    }
    switch (plans_[i].type) {
      case ColumnType::kText:
        if (std::ranges::all_of(value.text, [](char c) { return (c & 0x80) == 0; })) {
          column.add_text(value.text);
        } else {
          column.add_text(to_valid_utf8(value.text));
        }
        break;
      case ColumnType::kTime: column.add_time(UtcMicros{value.integer}); break;
      case ColumnType::kBool: column.add_bool(value.integer != 0); break;
      case ColumnType::kInt32:
      case ColumnType::kInt64: column.add_int(value.integer); break;
      case ColumnType::kFloat32:
      case ColumnType::kFloat64: column.add_real(value.real); break;
    }
  }
}

}  // namespace yieldloop::ingest

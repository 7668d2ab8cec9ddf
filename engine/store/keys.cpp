#include "engine/store/keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/text.h"
#include "engine/store/sql.h"

namespace yieldloop::store {
namespace {

constexpr char kBetween = '\x1F';  // No text of a fab holds a unit separator.

std::string key_of(const std::vector<std::string_view>& columns, const Table& rows,
                   std::size_t row) {
  std::string key;
  for (const std::string_view column : columns) {
    if (!key.empty() || column != columns.front()) key += kBetween;
    const Column& values = rows[column];
    key += values.type() == ColumnType::kText ? std::string(values.as_text(row))
           : values.is_null(row)              ? std::string()
                                              : fmt::format("{}", values.as_int(row));
  }
  return key;
}

bool is_set(const Column& column, std::size_t row) {
  if (column.is_null(row)) return false;
  return column.type() != ColumnType::kText || !column.as_text(row).empty();
}

}  // namespace

std::span<const DocumentKind> document_kinds() {
  static const std::vector<DocumentKind> kinds{
      {"inspections",
       "inspection",
       {"lot_id", "wafer_id", "step", "recipe", "inspected_at"},
       {"wafer_id", "inspected_at"},
       ""},
      {"test_runs",
       "test_run",
       {"lot_id", "wafer_id", "sublot", "insertion", "program", "tester", "started_at"},
       {"lot_id", "started_at"},
       "complete"},
      {"wafer_maps", "map", {"lot_id", "wafer_id", "kind"}, {"lot_id", "wafer_id"}, ""}};
  return kinds;
}

std::span<const RowKind> row_kinds() {
  static const std::vector<RowKind> kinds{
      {"lots", {"lot_id"}, "", ""},
      {"wafers", {"lot_id", "wafer_id"}, "", ""},
      {"lot_history",
       {"lot_id", "wafer_id", "step_seq", "step", "started_at", "position"},
       "started_at",
       ""},
      {"fdc_summary",
       {"lot_id", "wafer_id", "step", "tool", "chamber", "recipe_step", "sensor", "statistic",
        "started_at"},
       "started_at",
       ""},
      {"fdc_trace", {"tool", "chamber", "sensor", "time", "wafer_id"}, "time", ""},
      {"metrology",
       {"lot_id", "wafer_id", "step", "parameter", "site", "die_x", "die_y", "measured_at"},
       "measured_at",
       ""},
      {"equipment_states", {"tool", "chamber", "started_at"}, "started_at", ""},
      {"maintenance", {"tool", "chamber", "event", "part", "at"}, "at", ""},
      {"die_results",
       {"lot_id", "wafer_id", "insertion", "die_x", "die_y", "touchdown", "tested_at"},
       "tested_at",
       "test_run"},
      {"assembly", {"package_id", "position"}, "assembled_at", ""},
      {"package_results", {"package_id", "insertion", "tested_at"}, "tested_at", ""}};
  return kinds;
}

const RowKind* find_row_kind(std::string_view table) {
  const auto kinds = row_kinds();
  const auto it = std::ranges::find(kinds, table, &RowKind::table);
  return it == kinds.end() ? nullptr : &*it;
}

void KeyNotes::note(const Table& rows) {
  for (const DocumentKind& kind : document_kinds()) {
    if (kind.table == rows.name()) note_documents(kind, rows);
  }
  const RowKind* kind = find_row_kind(rows.name());
  if (kind == nullptr) return;
  kind->time.empty() ? note_keyed(*kind, rows) : note_timed(*kind, rows);
}

void KeyNotes::note_documents(const DocumentKind& kind, const Table& rows) {
  const Column& ids = rows[kind.id];
  const Column& sources = rows[kSourceColumn];
  std::vector<std::uint8_t> known(ids.texts().values().size(), 0);
  std::set<std::string>& seen = seen_[rows.name()];
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    std::uint8_t& done = known[ids.texts().codes()[r]];
    if (done != 0) continue;
    done = 1;
    if (!seen.emplace(ids.as_text(r)).second) continue;
    if (std::ranges::any_of(kind.must_be_set,
                            [&](std::string_view column) { return !is_set(rows[column], r); })) {
      continue;
    }
    const bool unfinished = !kind.complete.empty() && !rows[kind.complete].is_null(r) &&
                            rows[kind.complete].as_int(r) == 0;
    keys.push_back({rows.name(), key_of(kind.key, rows, r), std::string(ids.as_text(r)),
                    sources.as_int(r), unfinished ? 0 : 1});
  }
}

void KeyNotes::note_keyed(const RowKind& kind, const Table& rows) {
  const Column& sources = rows[kSourceColumn];
  std::set<std::string>& seen = seen_[rows.name()];
  std::string last;
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    std::string key = key_of(kind.key, rows, r);
    if (key == last && r > 0) continue;
    if (seen.insert(key).second) keys.push_back({rows.name(), key, "", sources.as_int(r), 1});
    last = std::move(key);
  }
}

void KeyNotes::note_timed(const RowKind& kind, const Table& rows) {
  const Column& times = rows[kind.time];
  const Column& sources = rows[kSourceColumn];
  const Column* unless_set = kind.unless_set.empty() ? nullptr : &rows[kind.unless_set];
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    if (unless_set != nullptr && is_set(*unless_set, r)) continue;
    ExtentRecord& extent = extents.try_emplace(rows.name()).first->second;
    extent.table = rows.name();
    extent.source = sources.as_int(r);
    const bool known = !times.is_null(r);
    extent.from = std::min(extent.from, known ? times.int64s()[r] : INT64_MIN);
    extent.to = std::max(extent.to, known ? times.int64s()[r] : INT64_MAX);
  }
}

std::string key_sql(const std::vector<std::string_view>& columns, std::string_view alias) {
  std::vector<std::string> parts;
  for (const std::string_view column : columns) {
    parts.push_back(fmt::format("coalesce({}.{}::VARCHAR, '')", alias, sql_name(column)));
  }
  return fmt::format("concat_ws(chr(31), {})", join(parts, ", "));
}

}  // namespace yieldloop::store

/// \file
/// A small store whose rows a test writes by hand, column by column.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "catch_portable.h"
#include "engine/session/load.h"
#include "engine/store/store.h"
#include "temporary_folder.h"

namespace yieldloop::test {

/// A cell as a test writes it; times as ISO 8601.
using Cell = std::variant<std::string, double, int, bool>;
using Row = std::vector<std::pair<std::string, Cell>>;

inline void set(store::Column& column, const Cell& cell) {
  if (const auto* flag = std::get_if<bool>(&cell)) return column.add_bool(*flag);
  if (const auto* whole = std::get_if<int>(&cell)) return column.add_int(*whole);
  if (const auto* real = std::get_if<double>(&cell)) return column.add_real(*real);
  const auto& text = std::get<std::string>(cell);
  if (column.type() != store::ColumnType::kTime) return column.add_text(text);
  const auto time = parse_iso8601(text);
  REQUIRE(time);
  column.add_time(*time);
}

class HandMadeStore {
 public:
  HandMadeStore() : store_(store::Store::create(real_file_system(), folder_ / "store").value()) {}

  /// Commits rows of one table; columns that a row does not name are null.
  void put(const std::string& table, const std::vector<Row>& rows) {
    store::Table t = store::Table::of(table);
    int line = 0;
    for (const Row& row : rows) {
      for (const auto& [column, cell] : row) set(t[column], cell);
      t["source"].add_int(1);
      t["source_row"].add_int(++line);
      t.finish_row();
    }
    auto transaction = store_.begin();
    REQUIRE(transaction);
    REQUIRE(transaction->add(std::move(t)));
    REQUIRE(transaction->commit("by hand"));
  }
  void put_product(const std::string& name, const std::string& rest = "",
                   const std::string& layout = "") {
    const std::string toml = "[product]\nname = \"" + name +
                             "\"\ndie_width_um = 1000.0\ndie_height_um = 2000.0\n" + rest +
                             (layout.empty() ? "" : "[layout]\nfile = \"" + layout + "\"\n");
    put("products", {{{"product", name}, {"toml", toml}, {"read_at", "2026-01-01T00:00:00Z"}}});
  }

  store::Store& store() { return store_; }
  store::Snapshot snapshot() { return store_.snapshot().value(); }
  Result<session::LoadedFab> load(const session::Scope& scope = {}) {
    auto now = snapshot();
    return session::load_fab(now, scope);
  }
  /// The id of the error that loading gives, "" for none.
  std::string load_error(const session::Scope& scope = {}) {
    const auto fab = load(scope);
    return fab ? "" : fab.error().id;
  }

 private:
  TemporaryFolder folder_;
  store::Store store_;
};

inline Row lot(const std::string& id, const std::string& product) {
  return {{"lot_id", id}, {"product", product}};
}
inline Row wafer(const std::string& lot, const std::string& id, int slot) {
  return {{"lot_id", lot}, {"wafer_id", id}, {"slot", slot}};
}
inline Row history(const std::string& lot, const std::string& id, int sequence = 10,
                   const std::string& ended = "2026-01-02T01:00:00Z") {
  return {{"lot_id", lot},    {"wafer_id", id},  {"step_seq", sequence},
          {"step", "ETCH"},   {"tool", "ETX01"}, {"started_at", "2026-01-01T00:00:00Z"},
          {"ended_at", ended}};
}
inline Row die(const std::string& lot, const std::string& id, int x, int y, int hard_bin,
               const std::string& run = "t1") {
  return {{"lot_id", lot},      {"wafer_id", id},
          {"insertion", "CP1"}, {"die_x", x},
          {"die_y", y},         {"hard_bin", hard_bin},
          {"test_run", run},    {"tested_at", "2026-01-05T00:00:00Z"}};
}
inline Row inspection(const std::string& id, const std::string& lot, const std::string& wafer,
                      const std::string& orientation = "DOWN") {
  return {{"inspection", id},
          {"lot_id", lot},
          {"wafer_id", wafer},
          {"step", "M1_INSP"},
          {"inspected_at", "2026-01-03T00:00:00Z"},
          {"orientation", orientation},
          {"die_pitch_x_um", 10.0},
          {"die_pitch_y_um", 20.0}};
}
inline Row defect(const std::string& inspection, const std::string& lot, const std::string& wafer,
                  int id, int die_x, int die_y, double x, double y) {
  return {{"inspection", inspection}, {"lot_id", lot},  {"wafer_id", wafer}, {"defect_id", id},
          {"die_x", die_x},           {"die_y", die_y}, {"x_um", x},         {"y_um", y}};
}

}  // namespace yieldloop::test

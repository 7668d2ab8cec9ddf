#include <fstream>

#include "catch_portable.h"
#include "engine/store/care.h"
#include "engine/store/store.h"
#include "temporary_folder.h"

using namespace yieldloop;
using store::Store;
using store::Table;

namespace {

constexpr std::int64_t kHour = 3'600 * kMicrosPerSecond;

struct Row {
  std::string lot, wafer, tool;
  std::int64_t at = 0;
};

/// One file of lot history.
void add_history(Store& store, store::Transaction& tx, const std::string& file,
                 const std::vector<Row>& rows) {
  const auto digest = Sha256::of(file);
  Table table = Table::of("lot_history");
  std::int64_t line = 1;
  for (const Row& row : rows) {
    table["lot_id"].add_text(row.lot);
    table["wafer_id"].add_text(row.wafer);
    table["step_seq"].add_int(10);
    table["step"].add_text("ETCH");
    table["tool"].add_text(row.tool);
    table["started_at"].add_time({row.at});
    table["ended_at"].add_time({row.at + 1});
    table["source"].add_int(digest.short_id());
    table["source_row"].add_int(++line);
    table.finish_row();
  }
  auto staged = store.stage();
  REQUIRE(staged.add(std::move(table)));
  REQUIRE(tx.add(std::move(staged)));
  tx.add_source({.digest = digest, .name = file, .rows = rows.size()});
}

/// One inspection with `defects` defects.
void add_inspection(Store& store, store::Transaction& tx, const std::string& file,
                    const std::string& wafer, int defects, std::int64_t at = 5 * kHour) {
  const auto digest = Sha256::of(file);
  Table inspections = Table::of("inspections");
  inspections["inspection"].add_text(file);
  inspections["lot_id"].add_text("L");
  inspections["wafer_id"].add_text(wafer);
  inspections["step"].add_text("S");
  if (at >= 0) inspections["inspected_at"].add_time({at});
  inspections["source"].add_int(digest.short_id());
  inspections["source_row"].add_int(1);
  inspections.finish_row();
  Table list = Table::of("defects");
  for (int d = 0; d < defects; ++d) {
    list["inspection"].add_text(file);
    list["lot_id"].add_text("L");
    list["wafer_id"].add_text(wafer);
    list["defect_id"].add_int(d);
    list["die_x"].add_int(0);
    list["die_y"].add_int(0);
    list["x_um"].add_real(1);
    list["y_um"].add_real(1);
    list["source"].add_int(digest.short_id());
    list["source_row"].add_int(d);
    list.finish_row();
  }
  auto staged = store.stage();
  REQUIRE(staged.add(std::move(inspections)));
  REQUIRE(staged.add(std::move(list)));
  REQUIRE(tx.add(std::move(staged)));
  tx.add_source({.digest = digest, .name = file});
}

void add_run(Store& store, store::Transaction& tx, const std::string& file, bool complete) {
  Table runs = Table::of("test_runs");
  runs["test_run"].add_text(file);
  runs["lot_id"].add_text("L");
  runs["wafer_id"].add_text("1");
  runs["started_at"].add_time({kHour});
  runs["complete"].add_bool(complete);
  runs["source"].add_int(Sha256::of(file).short_id());
  runs["source_row"].add_int(1);
  runs.finish_row();
  auto staged = store.stage();
  REQUIRE(staged.add(std::move(runs)));
  REQUIRE(tx.add(std::move(staged)));
  tx.add_source({.digest = Sha256::of(file), .name = file});
}

std::string answer(const Store& store, const std::string& sql,
                   std::optional<std::int64_t> number = std::nullopt) {
  const auto table = store.snapshot(number)->query(sql);
  if (!table) return table.error().message;
  std::string text;
  for (std::size_t r = 0; r < table->rows(); ++r) {
    for (std::size_t c = 0; c < table->columns(); ++c) text += table->column(c).to_text(r) + " ";
  }
  return text;
}

const std::string kHistory = "SELECT wafer_id, tool FROM lot_history ORDER BY ALL";

}  // namespace

TEST_CASE("corrections: an inspection sent again replaces its rows, the old ones stay in sight",
          "[store][corrections]") {
  const test::TemporaryFolder folder;
  auto store = Store::create(real_file_system(), folder / "s").value();
  {
    auto tx = store.begin().value();
    add_inspection(store, tx, "first", "1", 3);
    add_inspection(store, tx, "other", "2", 1);
    add_inspection(store, tx, "later", "1", 2, 9 * kHour);
    add_inspection(store, tx, "timeless", "1", 1, -1);
    REQUIRE(tx.commit("one"));
  }
  CHECK(answer(store, "SELECT count(*) FROM defects") == "7 ");
  {
    auto tx = store.begin().value();
    add_inspection(store, tx, "reviewed", "1", 4);
    add_inspection(store, tx, "timeless too", "1", 1, -1);
    REQUIRE(tx.commit("two"));
  }
  CHECK(answer(store, "SELECT DISTINCT inspection FROM defects ORDER BY 1") ==
        "later other reviewed timeless timeless too ");
  CHECK(answer(store, "SELECT count(*) FROM defects") == "9 ");
  CHECK(answer(store, "SELECT inspection FROM inspections ORDER BY 1") ==
        "later other reviewed timeless timeless too ");
  CHECK(answer(store, "SELECT inspection, superseded_by = " +
                          std::to_string(Sha256::of("reviewed").short_id()) +
                          " FROM inspections_all WHERE superseded_by IS NOT NULL") ==
        "first true ");
  CHECK(answer(store, "SELECT count(*) FROM defects_all") == "12 ");
  // A snapshot never changes.
  CHECK(answer(store, "SELECT count(*) FROM defects", 1) == "7 ");
}

TEST_CASE("corrections: what came whole is not replaced by what came cut short",
          "[store][corrections]") {
  const bool whole_first = GENERATE(true, false);
  const test::TemporaryFolder folder;
  auto store = Store::create(real_file_system(), folder / "s").value();
  auto tx = store.begin().value();
  add_run(store, tx, whole_first ? "whole" : "cut", whole_first);
  add_run(store, tx, whole_first ? "cut" : "whole", !whole_first);
  REQUIRE(tx.commit("both"));
  CHECK(answer(store, "SELECT test_run FROM test_runs") == "whole ");
  CHECK(answer(store, "SELECT test_run FROM test_runs_all ORDER BY 1") == "cut whole ");
}

TEST_CASE("corrections: log rows with the same key, in one commit or in several",
          "[store][corrections]") {
  const bool grouped = GENERATE(true, false);
  CAPTURE(grouped);
  const test::TemporaryFolder folder;
  auto store = Store::create(real_file_system(), folder / "s").value();
  std::optional<store::Transaction> tx;
  const auto add = [&](const std::string& file, const std::vector<Row>& rows) {
    if (!tx) tx = store.begin().value();
    add_history(store, *tx, file, rows);
    if (grouped) return;
    REQUIRE(tx->commit(file));
    tx.reset();
  };
  add("a", {{"L", "1", "T1", kHour}, {"L", "2", "T1", kHour}, {"L", "2", "T1b", kHour}});
  add("b", {{"L", "3", "T1", 2 * kHour}});
  add("c", {{"L", "1", "T2", kHour}, {"L", "4", "T2", 3 * kHour}});
  add("d", {{"L", "1", "T3", kHour}});
  add("far", {{"L", "1", "T9", 90 * kHour}});
  if (grouped) REQUIRE(tx->commit("all"));
  tx.reset();

  CHECK(answer(store, kHistory) == "1 T3 1 T9 2 T1 2 T1b 3 T1 4 T2 ");
  CHECK(answer(store, "SELECT count(*), count(superseded_by) FROM lot_history_all") == "8 2 ");
  CHECK(answer(store, "SELECT tool FROM lot_history_all WHERE superseded_by = " +
                          std::to_string(Sha256::of("d").short_id()) + " ORDER BY 1") ==
        (grouped ? "T1 T2 " : "T2 "));
  NoProgress quiet;
  REQUIRE(compact(store, {}, quiet));
  CHECK(answer(store, kHistory) == "1 T3 1 T9 2 T1 2 T1b 3 T1 4 T2 ");
  CHECK(verify(store, quiet)->problems.empty());
}

TEST_CASE("corrections: files that do not overlap cost no look at the others",
          "[store][corrections]") {
  const test::TemporaryFolder folder;
  auto store = Store::create(real_file_system(), folder / "s").value();
  for (int day = 0; day < 3; ++day) {
    auto tx = store.begin().value();
    add_history(store, tx, "day" + std::to_string(day), {{"L", "1", "T", day * 24 * kHour}});
    REQUIRE(tx.commit("day"));
    // The first day's segment is damaged: nobody reads it.
    if (day > 0) continue;
    const auto snapshot = store.snapshot().value();
    const auto segments = snapshot.segments();
    std::ofstream(folder / "s" / segments[0].path, std::ios::app) << "x";
  }
  CHECK(store.snapshot()->segments().size() == 3);
}

TEST_CASE("corrections: a store of the first version is brought up to date", "[store]") {
  const test::TemporaryFolder folder;
  {
    auto store = Store::create(real_file_system(), folder / "s").value();
    CHECK(info(store)->version == 2);
  }
}

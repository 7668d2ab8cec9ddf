#include "engine/store/care.h"

#include <sqlite3.h>

#include <fstream>

#include "catch_portable.h"
#include "temporary_folder.h"

using namespace yieldloop;
using store::Store;
using store::Table;

namespace {

NoProgress quiet;

void commit_lots(Store& store, const std::string& prefix, int rows,
                 std::string_view product = "P") {
  Table table = Table::of("lots");
  for (int i = 0; i < rows; ++i) {
    table["lot_id"].add_text(prefix + std::to_string(i));
    table["product"].add_text(product);
    table["source"].add_int(1);
    table["source_row"].add_int(i);
    table.finish_row();
  }
  auto tx = store.begin().value();
  REQUIRE(tx.add(std::move(table), product));
  tx.add_source({.digest = Sha256::of(prefix),
                 .name = prefix,
                 .reader = "test",
                 .rows = static_cast<std::uint64_t>(rows)});
  REQUIRE(tx.commit("test"));
}

std::string lots_of(const Store& store) {
  const auto rows =
      store.snapshot()->query("SELECT string_agg(lot_id, ' ' ORDER BY lot_id) FROM lots");
  return rows ? std::string(rows->column(0).as_text(0)) : rows.error().id;
}

/// Flips one bit of a file.
void damage(const fs::path& path, std::uint64_t bit) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(bit / 8));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(bit / 8));
  file.put(static_cast<char>(byte ^ (1 << (bit % 8))));
}

fs::path first_segment(const Store& store, std::string_view table) {
  const auto snapshot = store.snapshot().value();
  for (const auto& segment : snapshot.segments()) {
    if (segment.table == table) return store.folder() / segment.path;
  }
  FAIL("no segment");
  return {};
}

void execute(const fs::path& catalog, const char* sql) {
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(catalog.c_str(), &handle) == SQLITE_OK);
  CHECK(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(handle);
}

}  // namespace

TEST_CASE("care: info counts what is there", "[store][care]") {
  const test::TemporaryFolder folder;
  auto store = Store::create(real_file_system(), folder / "s").value();
  commit_lots(store, "A", 3);
  commit_lots(store, "B", 4, "Q");
  const auto about = info(store);
  REQUIRE(about);
  CHECK(about->latest.number == 2);
  CHECK(about->snapshots == 3);
  CHECK(about->sources == 2);
  REQUIRE(about->tables.size() == 1);
  CHECK(about->tables[0].name == "lots");
  CHECK(about->tables[0].rows == 7);
  CHECK(about->tables[0].segments == 2);
}

TEST_CASE("care: every flipped bit of a segment is noticed and nothing else suffers",
          "[store][care][damage]") {
  const test::TemporaryFolder folder;
  auto store = Store::create(real_file_system(), folder / "s").value();
  commit_lots(store, "A", 5);
  auto tx = store.begin().value();
  Table wafers = Table::of("wafers");
  wafers["lot_id"].add_text("A");
  wafers["wafer_id"].add_text("W1");
  wafers.finish_row();
  REQUIRE(tx.add(std::move(wafers)));
  REQUIRE(tx.commit("wafers"));
  const fs::path segment = first_segment(store, "lots");
  const std::uint64_t bits = fs::file_size(segment) * 8;

  for (std::uint64_t bit = 0; bit < bits; bit += 97) {
    damage(segment, bit);
    const auto report = verify(store, quiet);
    REQUIRE(report);
    CHECK(report->problems.size() == 1);
    damage(segment, bit);
  }
  damage(segment, bits / 2);
  const auto reader = Store::open(real_file_system(), folder / "s", Store::Mode::kRead).value();
  const auto snapshot = reader.snapshot().value();
  const auto read = snapshot.read("lots");
  REQUIRE_FALSE(read);
  CHECK(read.error().code == Errc::kDamaged);
  CHECK(read.error().id == "STOR-0011");
  CHECK_THAT(read.error().message, Contains(segment.filename().string()));
  CHECK(snapshot.query("SELECT * FROM \"LOTS\"").error().id == "STOR-0011");
  CHECK(snapshot.query("SELECT * FROM query_table('lo' || 'ts')").error().id == "STOR-0011");
  CHECK(snapshot.read("wafers")->rows() == 1);
  CHECK(store::backup(reader, folder / "copy", quiet).error().id == "STOR-0011");

  fs::remove(segment);
  CHECK(reader.snapshot()->read("lots").error().id == "STOR-0011");
  CHECK(reader.snapshot()->read("wafers")->rows() == 1);
}

TEST_CASE("care: compaction keeps the rows and drops the files", "[store][care]") {
  const test::TemporaryFolder folder;
  auto store = Store::create(real_file_system(), folder / "s").value();
  for (int i = 0; i < 6; ++i)
    commit_lots(store, "L" + std::to_string(i) + ".", 4, i % 2 ? "P" : "Q");
  const std::string before = lots_of(store);

  {
    const auto reading = store.snapshot().value();
    const auto report = compact(store, {}, quiet);
    if (!report) FAIL(report.error().message);
    CHECK(report->merged == 6);
    CHECK(report->kept_for_readers);
    CHECK(reading.read("lots")->rows() == 24);
  }
  CHECK(lots_of(store) == before);
  CHECK(store.snapshot()->segments().size() == 2);

  const auto again = compact(store, {}, quiet);
  REQUIRE(again);
  CHECK(again->merged == 0);
  CHECK(again->removed == 6);
  CHECK(lots_of(store) == before);
  CHECK(verify(store, quiet)->orphans == 0);
  CHECK(verify(store, quiet)->files == 2);
  CHECK(store.snapshot(2).error().id == "STOR-0007");
  commit_lots(store, "M", 1);
  CHECK(lots_of(store) == before + " M0");
}

TEST_CASE("care: a backup is a store, and comes back as one", "[store][care]") {
  const test::TemporaryFolder folder;
  auto store = Store::create(real_file_system(), folder / "s").value();
  commit_lots(store, "A", 3);
  const std::string then = lots_of(store);

  REQUIRE(backup(store, folder / "b", quiet));
  commit_lots(store, "B", 3);
  CHECK(backup(store, folder / "b", quiet).error().id == "STOR-0018");
  REQUIRE(store::restore(real_file_system(), folder / "b", folder / "r", quiet));
  CHECK(store::restore(real_file_system(), folder / "none", folder / "q", quiet).error().id ==
        "STOR-0001");

  auto restored = Store::open(real_file_system(), folder / "r", Store::Mode::kWrite);
  REQUIRE(restored);
  CHECK(lots_of(*restored) == then);
  CHECK(verify(*restored, quiet)->problems.empty());
  commit_lots(*restored, "C", 1);
  CHECK(lots_of(*restored) == then + " C0");
}

TEST_CASE("store: a newer version is refused, by readers and writers", "[store][error]") {
  const test::TemporaryFolder folder;
  { REQUIRE(Store::create(real_file_system(), folder / "s")); }
  execute(folder / "s/catalog.sqlite", "UPDATE meta SET value='3' WHERE key='schema_version'");
  for (const auto mode : {Store::Mode::kRead, Store::Mode::kWrite}) {
    const auto store = Store::open(real_file_system(), folder / "s", mode);
    REQUIRE_FALSE(store);
    CHECK(store.error().id == "STOR-0002");
    CHECK(store.error().code == Errc::kDamaged);
    CHECK_THAT(store.error().message, Contains("version 3"));
  }
}

TEST_CASE("store: hostile SQL changes nothing and reads nothing outside", "[store][hostile]") {
  const test::TemporaryFolder folder;
  auto store = Store::create(real_file_system(), folder / "s").value();
  commit_lots(store, "A", 3);
  std::ofstream(folder / "secret.csv") << "a,b\nsecret,1\n";
  const std::string out = (folder / "s/segments/stolen.parquet").string();
  const std::string secret = (folder / "secret.csv").string();
  const auto snapshot = store.snapshot().value();
  const std::vector<std::string> attacks{
      "",
      "-- nothing",
      "SELECT 1; SELECT 2",
      "DROP VIEW lots",
      "CREATE TABLE x AS SELECT 1",
      "INSERT INTO lots VALUES (1)",
      "WITH x AS (SELECT 1) DELETE FROM lots",
      "/* */ COPY lots TO '" + out + "'",
      "COPY (SELECT 1) TO '" + out + "' (FORMAT parquet)",
      "EXPLAIN ANALYZE COPY (SELECT 1) TO '" + out + "'",
      "EXPLAIN (ANALYZE) COPY (SELECT 1) TO '" + out + "'",
      "(COPY (SELECT 1) TO '" + out + "')",
      "EXPORT DATABASE '" + (folder / "s/segments/x").string() + "'",
      "ATTACH '" + (folder / "s/segments/x.db").string() + "'",
      "INSTALL httpfs",
      "LOAD httpfs",
      "SET threads=1",
      "RESET ALL",
      "PRAGMA database_list",
      "CALL pragma_version()",
      "PREPARE p AS SELECT 1",
      "CHECKPOINT",
      "SELECT * FROM read_csv('" + secret + "')",
      "SELECT * FROM '" + secret + "'",
      "SELECT * FROM read_text('" + secret + "')",
      "SELECT * FROM read_text('" + (folder / "s/segments/../../secret.csv").string() + "')",
      "SELECT * FROM glob('" + (folder / "*").string() + "')",
      "SELECT * FROM read_text('/etc/passwd')",
      "SELECT * FROM read_blob('" + (folder / "s/catalog.sqlite").string() + "')",
      "SELECT getenv('HOME')",
      "SELECT * FROM sqlite_scan('" + (folder / "s/catalog.sqlite").string() + "', 'meta')",
      std::string("SELECT 1\0; DROP VIEW lots", 25)};
  for (const std::string& sql : attacks) {
    CAPTURE(sql);
    const auto result = snapshot.query(sql);
    const bool nothing = !result || result->rows() == 0;
    CHECK(nothing);
    if (!result) CHECK(result.error().code == Errc::kInvalidOptions);
  }
  CHECK_FALSE(fs::exists(out));
  CHECK_FALSE(fs::exists(folder / "s/segments/x.db"));
  CHECK(snapshot.query("SELECT count(*) FROM lots")->column(0).as_int(0) == 3);
  CHECK(snapshot.query("select current_setting('lock_configuration')")->column(0).as_int(0) == 1);
}

TEST_CASE("store: reading statements of every kind, and what types become", "[store][query]") {
  const test::TemporaryFolder folder;
  auto store = Store::create(real_file_system(), folder / "s").value();
  commit_lots(store, "A", 3);
  const auto snapshot = store.snapshot().value();
  for (const char* sql : {"DESCRIBE lots", "SHOW TABLES", "EXPLAIN SELECT * FROM lots", "FROM lots",
                          "VALUES (1), (2)", "with x as (select 1) select * from x;",
                          "-- a comment\n(SELECT 1)", "SUMMARIZE lots"}) {
    CAPTURE(sql);
    const auto result = snapshot.query(sql);
    if (!result) FAIL(result.error().message);
    CHECK(result->rows() > 0);
  }

  const auto types = snapshot.query(
      "SELECT 1::TINYINT a, 2::UBIGINT b, 1.25::DECIMAL(9,3) c, 3::HUGEINT d, DATE '1970-01-02' e, "
      "[1,2] f, INTERVAL 1 DAY g, {'k': 'v'} h, NULL i, TIMESTAMP '1970-01-01 00:00:01' j, "
      "1.5::FLOAT k, true l, 'x' AS \"a \"\"b\", 170141183460469231731687303715884105727::HUGEINT "
      "n "
      "-- comment;");
  if (!types) FAIL(types.error().message);
  using store::ColumnType;
  CHECK(types->column(0).type() == ColumnType::kInt32);
  CHECK(types->column(1).as_real(0) == 2.0);
  CHECK(types->column(2).as_real(0) == 1.25);
  CHECK(types->column(3).as_real(0) == 3.0);
  CHECK(types->column(4).as_time(0).count == kMicrosPerDay);
  CHECK(types->column(5).as_text(0) == "[1, 2]");
  CHECK(types->column(6).as_text(0) == "1 day");
  CHECK(types->column(7).as_text(0) == "{'k': v}");
  CHECK(types->column(8).is_null(0));
  CHECK(types->column(9).as_time(0).count == kMicrosPerSecond);
  CHECK(types->column(10).type() == ColumnType::kFloat32);
  CHECK(types->column(11).type() == ColumnType::kBool);
  CHECK(types->column_name(12) == "a \"b");
  CHECK(types->column(13).as_real(0) == 170141183460469231731687303715884105727.0);
}

#include "engine/store/store.h"

#include <fstream>

#include "catch_portable.h"
#include "temporary_folder.h"

using namespace yieldloop;
using store::SourceRecord;
using store::Store;
using store::Table;

namespace {

Table lots(std::string_view lot, int count = 1, std::int64_t source = 1) {
  Table table = Table::of("lots");
  for (int i = 0; i < count; ++i) {
    table["lot_id"].add_text(std::string(lot) + (count > 1 ? std::to_string(i) : ""));
    table["product"].add_text("DEMO");
    table["quantity"].add_int(25);
    table["started_at"].add_time(UtcMicros{1'700'000'000'000'000});
    table["source"].add_int(source);
    table["source_row"].add_int(i + 1);
    table.finish_row();
  }
  return table;
}

SourceRecord source(std::string_view content) {
  return {.digest = Sha256::of(content),
          .name = std::string(content),
          .size = content.size(),
          .reader = "test",
          .version = "1"};
}

std::int64_t commit_lot(Store& store, std::string_view lot) {
  auto tx = store.begin();
  REQUIRE(tx);
  REQUIRE(tx->add(lots(lot)));
  tx->add_source(source(lot));
  const auto number = tx->commit("test");
  if (!number) FAIL(number.error().message);
  return *number;
}

std::size_t files_below(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    count += entry.is_regular_file();
  return count;
}

}  // namespace

TEST_CASE("store: what was committed is read, what was not is not there", "[store]") {
  const test::TemporaryFolder folder;
  auto store = Store::create(real_file_system(), folder / "s");
  if (!store) FAIL(store.error().message);
  CHECK(*store->latest_snapshot() == 0);

  {
    auto dropped = store->begin();
    REQUIRE(dropped);
    REQUIRE(dropped->add(lots("LOST")));
  }
  CHECK(files_below(folder / "s" / "staging") == 0);

  CHECK(commit_lot(*store, "A") == 1);
  CHECK(commit_lot(*store, "B") == 2);

  const auto snapshot = store->snapshot();
  REQUIRE(snapshot);
  CHECK(snapshot->number() == 2);
  const auto rows = snapshot->read("lots");
  if (!rows) FAIL(rows.error().message);
  REQUIRE(rows->rows() == 2);
  CHECK(rows->name() == "lots");
  CHECK((*rows)["lot_id"].as_text(0) == "A");
  CHECK((*rows)["lot_id"].as_text(1) == "B");
  CHECK((*rows)["quantity"].type() == store::ColumnType::kInt32);
  CHECK((*rows)["quantity"].as_int(1) == 25);
  CHECK((*rows)["started_at"].as_time(0) == UtcMicros{1'700'000'000'000'000});
  CHECK((*rows)["customer"].is_null(0));
  CHECK(store->has_source(Sha256::of("A")).value());
  CHECK_FALSE(store->has_source(Sha256::of("LOST")).value());
  CHECK(snapshot->sources()->size() == 2);
}

TEST_CASE("store: a snapshot does not change while a writer goes on", "[store]") {
  const test::TemporaryFolder folder;
  auto writer = Store::create(real_file_system(), folder / "s").value();
  commit_lot(writer, "A");
  auto reader = Store::open(real_file_system(), folder / "s", Store::Mode::kRead);
  REQUIRE(reader);
  const auto early = reader->snapshot().value();
  const auto also_early = writer.snapshot().value();

  commit_lot(writer, "B");

  CHECK(early.query("SELECT count(*) FROM lots")->column(0).as_int(0) == 1);
  CHECK(also_early.read("lots")->rows() == 1);
  CHECK(reader->snapshot()->read("lots")->rows() == 2);
  CHECK(reader->snapshot(1)->read("lots")->rows() == 1);
  CHECK(reader->snapshot(7).error().id == "STOR-0007");
}

TEST_CASE("store: selected columns, conditions and unknown names", "[store]") {
  const test::TemporaryFolder folder;
  auto store = Store::create(real_file_system(), folder / "s").value();
  auto tx = store.begin().value();
  REQUIRE(tx.add(lots("L", 100), "DEMO"));
  REQUIRE(tx.commit("test"));
  const auto snapshot = store.snapshot().value();

  const auto some =
      snapshot.read("lots", {"product", "lot_id"}, "lot_id = " + store::sql_text("L7"));
  REQUIRE(some);
  CHECK(some->columns() == 2);
  REQUIRE(some->rows() == 1);
  CHECK(some->column(1).as_text(0) == "L7");

  const auto nested =
      snapshot.read("lots", {"lot_id"}, "lot_id NOT IN (SELECT lot_id FROM wafers)");
  REQUIRE(nested);
  CHECK(nested->rows() == 100);

  CHECK(snapshot.rows("lots") == 100);
  CHECK(snapshot.read("nonsense").error().id == "STOR-0012");
  CHECK(snapshot.read("lots", {"nonsense"}).error().id == "STOR-0012");
  CHECK(snapshot.read("lots", {}, "nonsense = 1").error().id == "STOR-0010");
  CHECK(snapshot.read("lots", {}, "1=1); DROP VIEW lots; --").error().code ==
        Errc::kInvalidOptions);
}

TEST_CASE("store: an empty table has its columns and types", "[store]") {
  const test::TemporaryFolder folder;
  const auto store = Store::create(real_file_system(), folder / "s").value();
  const auto snapshot = store.snapshot().value();
  for (const store::TableSchema& schema : store::all_tables()) {
    CAPTURE(schema.name);
    const Table layout = Table::of(schema.name);
    const auto read = snapshot.read(schema.name);
    REQUIRE(read);
    const auto queried = snapshot.query("SELECT * FROM " + std::string(schema.name));
    if (!queried) FAIL(queried.error().message);
    for (const Table* table : {&*read, &*queried}) {
      CHECK(table->rows() == 0);
      REQUIRE(table->columns() == layout.columns());
      for (std::size_t c = 0; c < layout.columns(); ++c) {
        CHECK(table->column_name(c) == layout.column_name(c));
        CHECK(table->column(c).type() == layout.column(c).type());
      }
    }
  }
}

TEST_CASE("store: blobs come back by their checksum", "[store]") {
  const test::TemporaryFolder folder;
  auto store = Store::create(real_file_system(), folder / "s").value();
  const std::string content = "GDS bytes";
  const auto bytes = std::as_bytes(std::span(content));
  for (int i = 0; i < 2; ++i) {
    auto tx = store.begin().value();
    CHECK(tx.put_blob(bytes, "../../etc/passwd").value() == Sha256::of(content).hex());
    REQUIRE(tx.commit("blob"));
  }
  const auto snapshot = store.snapshot().value();

  const auto blob = snapshot.blob(Sha256::of(content).hex());
  REQUIRE(blob);
  CHECK(std::ranges::equal((*blob)->bytes(), bytes));
  CHECK(snapshot.blob("../catalog.sqlite").error().id == "STOR-0013");
  CHECK(files_below(folder / "s" / "blobs") == 1);
}

TEST_CASE("store: one writer at a time, and its id is named", "[store][error]") {
  const test::TemporaryFolder folder;
  auto first = Store::create(real_file_system(), folder / "s");
  REQUIRE(first);

  const auto second = Store::open(real_file_system(), folder / "s", Store::Mode::kWrite);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::kBusy);
  CHECK(second.error().id == "STOR-0003");
  CHECK_THAT(second.error().message, Contains(std::to_string(::getpid())));
  CHECK(Store::open(real_file_system(), folder / "s", Store::Mode::kRead));

  auto tx = first->begin();
  REQUIRE(tx);
  CHECK(first->begin().error().id == "STOR-0015");
}

TEST_CASE("store: what cannot be opened", "[store][error]") {
  const test::TemporaryFolder folder;
  const auto read = Store::Mode::kRead;
  CHECK(Store::open(real_file_system(), folder / "none", read).error().id == "STOR-0001");
  CHECK(Store::open(real_file_system(), folder / "none", Store::Mode::kWrite).error().id ==
        "STOR-0001");
  CHECK_FALSE(fs::exists(folder / "none"));

  std::ofstream(folder / "letter.txt") << "mine";
  CHECK(Store::create(real_file_system(), folder.path()).error().id == "STOR-0014");

  fs::create_directory(folder / "damaged");
  std::ofstream(folder / "damaged" / "catalog.sqlite") << std::string(10'000, 'x');
  const auto damaged = Store::open(real_file_system(), folder / "damaged", read);
  CHECK(damaged.error().code == Errc::kDamaged);

  fs::create_directory(folder / "born");
  std::ofstream(folder / "born" / "catalog.sqlite");
  CHECK(Store::open(real_file_system(), folder / "born", read).error().id == "STOR-0001");
  CHECK(Store::open_or_create(real_file_system(), folder / "born"));
}

TEST_CASE("store: files of unfinished commits are swept", "[store]") {
  const test::TemporaryFolder folder;
  {
    auto store = Store::create(real_file_system(), folder / "s").value();
    commit_lot(store, "A");
  }
  fs::create_directories(folder / "s/segments/lots/product=X");
  std::ofstream(folder / "s/segments/lots/product=X/00000002-0000.parquet") << "half";
  std::ofstream(folder / "s/staging/00000000.tmp") << "half";

  auto store = Store::open(real_file_system(), folder / "s", Store::Mode::kWrite).value();

  CHECK(files_below(folder / "s" / "segments") == 1);
  CHECK(files_below(folder / "s" / "staging") == 0);
  CHECK(store.snapshot()->read("lots")->rows() == 1);
}

TEST_CASE("store: a product's name never leaves its folder", "[store][hostile]") {
  const test::TemporaryFolder folder;
  auto store = Store::create(real_file_system(), folder / "s").value();
  auto tx = store.begin().value();
  const std::vector<std::string> names{"../../../evil",
                                       "/abs",
                                       "a/b",
                                       "..",
                                       ".",
                                       "-",
                                       "",
                                       std::string(300, 'x'),
                                       std::string("nul\0byte", 8),
                                       "it's",
                                       "日本",
                                       "a b\n",
                                       "A_B-1.2"};
  for (const std::string& name : names) REQUIRE(tx.add(lots("L"), name));
  REQUIRE(tx.commit("hostile"));

  const auto snapshot = store.snapshot().value();
  CHECK(snapshot.read("lots")->rows() == names.size());
  CHECK(snapshot.segments().size() == names.size());
  for (const auto& segment : snapshot.segments()) {
    CHECK(segment.path.find("..") == std::string::npos);
    CHECK(segment.path.starts_with("segments/lots/product="));
  }
  CHECK(files_below(folder / "s" / "segments") == names.size());
}

namespace {

/// Rows of `lots`, large enough batches to be coded while others are added.
Status stage_batches(store::StagedRows& staged) {
  for (int batch = 0; batch < 9; ++batch) {
    Table rows = Table::of("lots");
    constexpr std::size_t kRows = 131'072;
    rows["lot_id"].add_texts("LOT" + std::to_string(batch), kRows);
    rows["product"].add_texts("DEMO", kRows);
    rows["source"].fill_int(1, kRows);
    std::vector<std::int64_t> numbers(kRows);
    for (std::size_t i = 0; i < kRows; ++i) numbers[i] = static_cast<std::int64_t>(i);
    rows["source_row"].adopt_values(std::move(numbers));
    rows.finish_row();
    YL_TRY(staged.add(std::move(rows)));
  }
  return staged.add(lots("LAST"));
}

}  // namespace

TEST_CASE("store: rows staged in many batches are the same on one thread and on several",
          "[store]") {
  std::vector<std::string> digests;
  for (const unsigned threads : {1U, 2U}) {
    const test::TemporaryFolder folder;
    auto store =
        Store::open_or_create(real_file_system(), folder / "s", {.threads = threads}).value();
    auto tx = store.begin().value();
    auto staged = store.stage();
    REQUIRE(stage_batches(staged));
    REQUIRE(tx.add(std::move(staged)));
    REQUIRE(tx.commit("batches"));
    const auto counted = store.snapshot()->query(
        "SELECT count(*), count(DISTINCT lot_id), sum(source_row) FROM lots");
    REQUIRE(counted);
    CHECK(counted->column(0).as_int(0) == 9 * 131'072 + 1);
    CHECK(counted->column(1).as_int(0) == 10);
    std::string all;
    std::vector<fs::path> segments;
    for (const auto& entry : fs::recursive_directory_iterator(folder / "s" / "segments")) {
      if (entry.is_regular_file()) segments.push_back(entry.path());
    }
    std::ranges::sort(segments);
    for (const auto& path : segments) {
      const auto file = real_file_system().map(path);
      all += digest_of(**file).hex();
    }
    digests.push_back(all);
  }
  CHECK(digests[0] == digests[1]);
}

TEST_CASE("store: rows that were staged and dropped leave nothing behind", "[store]") {
  const test::TemporaryFolder folder;
  auto store = Store::create(real_file_system(), folder / "s").value();
  {
    auto staged = store.stage();
    REQUIRE(stage_batches(staged));
  }
  CHECK(files_below(folder / "s" / "staging") == 0);
}

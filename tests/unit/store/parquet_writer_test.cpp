#include "engine/store/parquet_writer.h"

#include <cmath>
#include <limits>

#include "catch_portable.h"
#include "engine/core/random.h"
#include "engine/store/parquet_encoding.h"
#include "engine/store/query_engine.h"
#include "engine/store/sql.h"
#include "temporary_folder.h"

using namespace yieldloop;
using store::Column;
using store::ColumnType;
using store::ParquetOptions;
using store::Table;

namespace {

/// Writes a table, reads it back through DuckDB.
Table round_trip(const Table& table, const ParquetOptions& options = {}) {
  const test::TemporaryFolder folder;
  const auto written = write_parquet(real_file_system(), folder / "t.parquet", table, options);
  REQUIRE(written);
  CHECK(written->rows == table.rows());
  CHECK(written->bytes == fs::file_size(folder / "t.parquet"));
  auto engine = store::QueryEngine::open(1);
  REQUIRE(engine);
  auto read = (*engine)->query("SELECT * FROM read_parquet(" +
                               store::sql_text((folder / "t.parquet").string()) + ")");
  if (!read) FAIL(read.error().message);
  return std::move(read).value();
}

void check_equal(const Table& a, const Table& b) {
  REQUIRE(a.columns() == b.columns());
  REQUIRE(a.rows() == b.rows());
  for (std::size_t c = 0; c < a.columns(); ++c) {
    CAPTURE(a.column_name(c));
    CHECK(a.column_name(c) == b.column_name(c));
    REQUIRE(a.column(c).type() == b.column(c).type());
    std::size_t different = 0;
    for (std::size_t r = 0; r < a.rows(); ++r) {
      different += a.column(c).is_null(r) != b.column(c).is_null(r) ||
                   a.column(c).to_text(r) != b.column(c).to_text(r);
    }
    CHECK(different == 0);
  }
}

constexpr std::array<ColumnType, 7> kTypes{
    ColumnType::kBool,    ColumnType::kInt32, ColumnType::kInt64, ColumnType::kFloat32,
    ColumnType::kFloat64, ColumnType::kText,  ColumnType::kTime};

Table one_of_each() {
  Table table("t");
  for (const char* name : {"b", "i", "l", "f", "d", "s", "t"}) {
    table.add_column(name, kTypes[table.columns()]);
  }
  return table;
}

void add_row(Table& t, Random& random, std::int64_t range) {
  const auto n = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(range)));
  t["b"].add_bool(n % 2 == 0);
  t["i"].add_int(n % 2'000'000'000 - 1'000'000'000);
  t["l"].add_int(n * 1'000'003 - 7);
  t["f"].add_real(static_cast<double>(n) / 3.0);
  t["d"].add_real(std::exp(-static_cast<double>(n % 500)));
  t["s"].add_text("text " + std::to_string(n));
  t["t"].add_time(UtcMicros{n * 1'000'000});
}

}  // namespace

TEST_CASE("parquet: every type comes back as it was", "[store][parquet]") {
  // Few different values take the dictionary, many do not; three row groups and a part of one.
  const std::int64_t range = GENERATE(1, 3, 300, 1'000'000'000);
  const double nulls = GENERATE(0.0, 0.2, 1.0);
  CAPTURE(range, nulls);
  Random random(7);
  Table table = one_of_each();
  for (int i = 0; i < 3500; ++i) {
    if (random.chance(nulls)) {
      table["l"].add_null();
      table.finish_row();
    } else {
      add_row(table, random, range);
    }
  }

  check_equal(round_trip(table, {.row_group_rows = 1000}), table);
}

TEST_CASE("parquet: an empty table keeps its columns and types", "[store][parquet]") {
  const Table table = one_of_each();
  check_equal(round_trip(table), table);
}

TEST_CASE("parquet: one row, and one row of nulls", "[store][parquet]") {
  Random random(1);
  Table table = one_of_each();
  add_row(table, random, 10);
  check_equal(round_trip(table), table);

  Table nulls = one_of_each();
  nulls["b"].add_null();
  nulls.finish_row();
  check_equal(round_trip(nulls), nulls);
}

TEST_CASE("parquet: extreme values", "[store][parquet]") {
  Table table = one_of_each();
  using Real = std::numeric_limits<double>;
  const std::array<double, 6> reals{0.0,         -0.0,  Real::infinity(), -Real::infinity(),
                                    Real::max(), 5e-324};
  for (std::size_t i = 0; i < 60; ++i) {
    table["b"].add_bool(true);
    table["i"].add_int(i % 2 == 0 ? INT32_MIN : INT32_MAX);
    table["l"].add_int(i % 2 == 0 ? INT64_MIN : INT64_MAX);
    table["f"].add_real(i % 2 == 0 ? 1e38 : -1e-45);
    table["d"].add_real(reals[i % reals.size()]);
    table["s"].add_text(i % 3 == 0 ? "" : "日本語 Ω µm 🙂");
    table["t"].add_time(UtcMicros{i % 2 == 0 ? -62'135'596'800'000'000 : 253'402'300'799'999'999});
  }
  check_equal(round_trip(table), table);
}

TEST_CASE("parquet: a NaN is a value and hides from no filter", "[store][parquet]") {
  Table table("t");
  table.add_column("d", ColumnType::kFloat64);
  for (const double v : {1.0, std::nan(""), 3.0}) table["d"].add_real(v);
  const test::TemporaryFolder folder;
  REQUIRE(write_parquet(real_file_system(), folder / "t.parquet", table));
  auto engine = store::QueryEngine::open(1).value();
  const auto found =
      engine->query("SELECT count(*) AS n FROM read_parquet(" +
                    store::sql_text((folder / "t.parquet").string()) + ") WHERE d > 1e300");
  REQUIRE(found);
  CHECK(found->column(0).as_int(0) == 1);  // DuckDB orders NaN above every number.
}

TEST_CASE("parquet: bytes that are not UTF-8 are replaced", "[store][parquet]") {
  Table table("t");
  table.add_column("s", ColumnType::kText).add_text("caf\xE9");
  CHECK(round_trip(table).column(0).as_text(0) == "caf\xEF\xBF\xBD");
}

TEST_CASE("parquet: rising integers, long texts and pages of many kinds", "[store][parquet]") {
  Table table("t");
  table.add_column("row", ColumnType::kInt64);
  table.add_column("part", ColumnType::kInt32);
  table.add_column("jump", ColumnType::kInt32);
  table.add_column("text", ColumnType::kText);
  for (int i = 0; i < 300'000; ++i) {
    table["row"].add_int(1'000'000'000'000 + i);
    table["part"].add_int(i / 7);
    table["jump"].add_int(i < 5000 ? i : (i % 2 == 0 ? INT32_MAX - i : INT32_MIN + i));
    i % 1000 == 5 ? table["text"].add_text(std::string(20'000, static_cast<char>('a' + i % 26)) +
                                           std::to_string(i))
                  : table["text"].add_null();
  }
  check_equal(round_trip(table), table);
}

TEST_CASE("parquet: columns of one value, of nulls alone and of noise", "[store][parquet]") {
  constexpr std::size_t kRows = 200'000;
  Random random(5);
  Table t("t");
  t.add_column("one", ColumnType::kInt64).fill_int(-7, kRows);
  t.add_column("none", ColumnType::kInt32).add_nulls(kRows);
  t.add_column("text", ColumnType::kText).add_texts("run-1", kRows / 2);
  t["text"].add_texts("run-2", kRows - kRows / 2);
  std::vector<float> noise(kRows);
  for (float& value : noise) value = static_cast<float>(random.uniform());
  t.add_column("noise", ColumnType::kFloat32).adopt_values(std::move(noise));
  std::vector<std::int32_t> some(kRows, 3);
  std::vector<std::uint8_t> valid(kRows);
  for (std::size_t i = 0; i < kRows; ++i) valid[i] = i % 3 == 0 ? 1 : 0;
  t.add_column("some", ColumnType::kInt32).adopt_values(std::move(some), std::move(valid));
  check_equal(round_trip(t), t);
  check_equal(round_trip(t, {.row_group_rows = 70'001, .threads = 1}), t);
}

TEST_CASE("parquet: bytes depend on the rows alone", "[store][parquet]") {
  Random random(3);
  Table table = one_of_each();
  for (int i = 0; i < 30'000; ++i) add_row(table, random, 1000);
  const test::TemporaryFolder folder;
  const auto one = write_parquet(real_file_system(), folder / "1", table, {.threads = 1});
  const auto two = write_parquet(real_file_system(), folder / "2", table, {.threads = 4});
  REQUIRE(one);
  REQUIRE(two);
  CHECK(one->digest == two->digest);
  CHECK(one->digest == Sha256::of(read_text_file(real_file_system(), folder / "1").value()));
}

TEST_CASE("parquet: row groups that cannot match are skipped", "[store][parquet]") {
  Table table("t");
  table.add_column("n", ColumnType::kInt32);
  table.add_column("s", ColumnType::kText);
  for (int i = 0; i < 4000; ++i) {
    table["n"].add_int(i);
    table["s"].add_text(i < 2000 ? "a" : "b");
  }
  const test::TemporaryFolder folder;
  REQUIRE(write_parquet(real_file_system(), folder / "t.parquet", table, {.row_group_rows = 1000}));
  auto engine = store::QueryEngine::open(1).value();
  const std::string file = store::sql_text((folder / "t.parquet").string());
  const auto bounds = engine->query(
      "SELECT stats_min_value, stats_max_value, stats_null_count FROM parquet_metadata(" + file +
      ") ORDER BY row_group_id, column_id");
  REQUIRE(bounds);
  REQUIRE(bounds->rows() == 8);
  CHECK(bounds->column(0).as_text(2) == "1000");
  CHECK(bounds->column(1).as_text(2) == "1999");
  CHECK(bounds->column(1).as_text(7) == "b");
  const auto found =
      engine->query("SELECT count(*) FROM read_parquet(" + file + ") WHERE n >= 3999 AND s = 'b'");
  REQUIRE(found);
  CHECK(found->column(0).as_int(0) == 1);
}

TEST_CASE("parquet encoding: known bytes of the hybrid and of varints", "[store][parquet]") {
  // Encodings.md: 0..7 in 3 bits are 10001000 11000110 11111010.
  store::parquet::Buffer packed;
  const std::array<std::uint32_t, 8> numbers{0, 1, 2, 3, 4, 5, 6, 7};
  store::parquet::put_packed(packed, numbers.data(), numbers.size(), 3);
  REQUIRE(packed.size() == 3);
  CHECK(std::to_integer<int>(packed.view()[0]) == 0x88);
  CHECK(std::to_integer<int>(packed.view()[1]) == 0xC6);
  CHECK(std::to_integer<int>(packed.view()[2]) == 0xFA);

  store::parquet::Buffer run;
  store::parquet::put_hybrid(run,
                             std::span<const std::uint32_t>(std::vector<std::uint32_t>(100, 4)), 3);
  REQUIRE(run.size() == 3);  // Varint 200, then the value.
  CHECK(std::to_integer<int>(run.view()[0]) == 0xC8);
  CHECK(std::to_integer<int>(run.view()[1]) == 0x01);
  CHECK(std::to_integer<int>(run.view()[2]) == 0x04);
}

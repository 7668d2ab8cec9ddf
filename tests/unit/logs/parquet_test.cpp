#include "ingest/readers/logs/parquet.h"

#include <fstream>
#include <iterator>

#include "catch_portable.h"
#include "engine/core/random.h"
#include "engine/store/query_engine.h"
#include "ingest/readers/logs/log_reader.h"
#include "reader_fixture.h"
#include "temporary_folder.h"

using namespace yieldloop;
using ingest::Confidence;
using test::read_text;
using test::sniff_text;

namespace {

const ingest::ReaderDeclaration kLog = ingest::log_table_readers().front();

/// A Parquet file that DuckDB writes of a query.
std::string written(const std::string& sql, const std::string& options) {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "x.parquet").string();
  auto engine = store::QueryEngine::open(1).value();
  const auto done =
      engine->run("COPY (" + sql + ") TO '" + path + "' (FORMAT parquet" + options + ")");
  REQUIRE(done);
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Rows of fdc_trace with repeated and unique texts, nulls, and times of their own types.
const std::string kTrace =
    "SELECT 'E' || (i % 3) AS tool, CASE WHEN i % 5 = 0 THEN NULL ELSE 'B' END AS chamber, "
    "'P' || i AS sensor, TIMESTAMP '2026-03-14 02:10:00.25' + INTERVAL (i) SECOND AS time, "
    "i * 0.5 - 3 AS value, (i % 7)::INTEGER AS recipe_step, [i] AS list "
    "FROM range(0, 5000) t(i)";

}  // namespace

TEST_CASE("parquet: what DuckDB writes is read back, however it is packed", "[logs][parquet]") {
  const auto options = GENERATE(as<std::string>{}, ", COMPRESSION uncompressed",
                                ", COMPRESSION snappy", ", COMPRESSION gzip", ", COMPRESSION zstd",
                                ", COMPRESSION lz4_raw", ", COMPRESSION snappy, PARQUET_VERSION V2",
                                ", COMPRESSION zstd, ROW_GROUP_SIZE 2048");
  CAPTURE(options);
  const auto r = read_text(kLog, "fdc_trace.parquet", written(kTrace, options));
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.summary->version == "parquet");
  REQUIRE(r.count("rows") == 5000);
  bool same = true;
  for (std::size_t i = 0; i < 5000; ++i) {
    same = same && r.sink.cell("fdc_trace", i, "tool") == "E" + std::to_string(i % 3) &&
           r.sink.cell("fdc_trace", i, "chamber") == (i % 5 == 0 ? "" : "B") &&
           r.sink.cell("fdc_trace", i, "sensor") == "P" + std::to_string(i) &&
           r.sink.cell("fdc_trace", i, "recipe_step") == std::to_string(i % 7);
  }
  CHECK(same);
  CHECK(r.sink.cell("fdc_trace", 61, "time") == "2026-03-14T02:11:01.250000Z");
  CHECK(r.sink.cell("fdc_trace", 61, "value") == "27.5");
  CHECK(r.sink.cell("fdc_trace", 61, "source_row") == "62");
}

TEST_CASE("parquet: every type as the text the rules read", "[logs][parquet]") {
  const std::string file = written(
      "SELECT 1::UTINYINT AS a, -5::BIGINT AS b, 1.25::FLOAT AS c, 'NaN'::DOUBLE AS d, "
      "true AS e, DATE '2026-03-14' AS f, TIMESTAMPTZ '2026-03-14 02:10:00+02' AS g, "
      "(-12.345)::DECIMAL(9,3) AS h, (-0.001)::DECIMAL(30,3) AS i, 'x\"y' AS j, NULL::INTEGER AS "
      "k, "
      "18446744073709551615::UBIGINT AS l, TIMESTAMP_MS '2026-03-14 02:10:00.5' AS m, "
      "TIMESTAMP_NS '2026-03-14 02:10:00.123456789' AS n",
      "");
  auto records = ingest::parquet_records(std::as_bytes(std::span(file.data(), file.size())));
  REQUIRE(records);
  REQUIRE((*records)->next().value());
  const std::vector<std::string> cells((*records)->cells().begin(), (*records)->cells().end());
  CHECK(cells[0] == "1");
  CHECK(cells[1] == "-5");
  CHECK(cells[2] == "1.25");
  CHECK(cells[3].empty());
  CHECK(cells[4] == "1");
  CHECK(cells[5] == "2026-03-14T00:00:00");
  CHECK(cells[6] == "2026-03-14T00:10:00Z");
  CHECK(cells[7] == "-12.345");
  CHECK(cells[8] == "-0.001");
  CHECK(cells[9] == "x\"y");
  CHECK(cells[10].empty());
  CHECK(cells[11] == "18446744073709551615");
  CHECK(cells[12] == "2026-03-14T02:10:00.500000");
  CHECK(cells[13] == "2026-03-14T02:10:00.123456");
  CHECK_FALSE((*records)->next().value());
}

TEST_CASE("parquet: mapping, rules and refusals are those of CSV", "[logs][parquet]") {
  const auto mapping = ingest::parse_mapping(real_file_system(), R"(
[site]
time_zone = "Asia/Tokyo"
[[file]]
match = "*.pq"
table = "lots"
columns = { lot_id = "LOT", product = "DEV", started_at = "AT" }
time_format = "%d/%m/%Y"
)")
                           .value();
  const std::string file = written(
      "SELECT 'L1' AS \"LOT\", 'P' AS \"DEV\", TIMESTAMP '2026-03-14 09:00:00' AS \"AT\"", "");
  const auto mapped = read_text(kLog, "a.pq", file, &mapping);
  REQUIRE(mapped.ok());
  CHECK(mapped.sink.cell("lots", 0, "started_at") ==
        "2026-03-14T00:00:00Z");  // Tokyo's wall clock.
  CHECK(read_text(kLog, "a.parquet", file).error_id() == "LOGS-0021");
  CHECK(read_text(kLog, "lots.parquet", file).error_id() == "LOGS-0022");
  CHECK(sniff_text(kLog, "anything", file) == Confidence::kCertain);
  CHECK(read_text(kLog, "lots.parquet", "PAR1 and nothing else PAR1").error_id() == "PARQ-0001");
}

TEST_CASE("parquet: the pieces of its encodings", "[logs][parquet]") {
  using namespace ingest::parquet;
  const auto bytes = [](std::initializer_list<int> values) {
    std::vector<std::byte> result;
    for (const int v : values) result.push_back(static_cast<std::byte>(v));
    return result;
  };
  std::vector<std::uint32_t> numbers;
  // The specification's example: 0 to 7 in three bits each, then a run of five fours.
  const auto hybrid = bytes({0x03, 0x88, 0xc6, 0xfa, 0x0a, 0x04});
  REQUIRE(read_hybrid(hybrid, 3, 13, numbers));
  CHECK(numbers == std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5, 6, 7, 4, 4, 4, 4, 4});
  std::vector<std::int64_t> deltas;
  // 7, 5, 3, 1, 2, 3, 4, 5 of the specification: deltas -2 -2 -2 1 1 1 1, least -2, two bits.
  const auto delta = bytes({0x08, 0x01, 0x08, 0x0e, 0x03, 0x02, 0xc0, 0x3f});
  ingest::Bytes rest = delta;
  REQUIRE(read_deltas(rest, 8, deltas));
  CHECK(deltas == std::vector<std::int64_t>{7, 5, 3, 1, 2, 3, 4, 5});
  // Snappy: "abc" as it is, then nine bytes copied from three back.
  std::vector<std::byte> out(12);
  bool known = false;
  REQUIRE(unpack(1, bytes({12, 2 << 2, 'a', 'b', 'c', 5 << 2 | 1, 3}), out, known));
  CHECK(std::string(reinterpret_cast<const char*>(out.data()), 12) == "abcabcabcabc");
  // LZ4: the same.
  REQUIRE(unpack(7, bytes({0x35, 'a', 'b', 'c', 3, 0}), out, known));
  CHECK(std::string(reinterpret_cast<const char*>(out.data()), 12) == "abcabcabcabc");
  CHECK_FALSE(unpack(4, out, out, known));
  CHECK_FALSE(known);
}

TEST_CASE("parquet: damage is refused or leaves as many rows, and always ends",
          "[logs][parquet][damage]") {
  const std::string clean = written(
      "SELECT 'E' || (i % 3) AS tool, 'B' AS chamber, 'P' || i AS sensor, "
      "TIMESTAMP '2026-03-14 02:10:00' AS time, i * 0.5 AS value FROM range(0, 300) t(i)",
      ", COMPRESSION snappy");
  for (std::size_t i = 0; i < 200; ++i) {
    CHECK_FALSE(read_text(kLog, "fdc_trace.parquet", clean.substr(0, clean.size() * i / 200)).ok());
  }
  Random random(11);
  for (int i = 0; i < 2000; ++i) {
    std::string text = clean;
    const std::size_t at = random.below(text.size());
    text[at] = static_cast<char>(random.below(256));
    const auto r = read_text(kLog, "fdc_trace.parquet", text);
    if (!r.ok() || !r.rejects.empty()) continue;
    CAPTURE(at, clean.size());
    CHECK(r.count("rows") == 300);
  }
}

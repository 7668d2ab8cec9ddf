#include "catch_portable.h"
#include "ingest/readers/logs/csv.h"
#include "ingest/readers/logs/log_reader.h"
#include "reader_fixture.h"

using namespace yieldloop;
using ingest::Confidence;
using test::read_text;
using test::sniff_text;

namespace {

const ingest::ReaderDeclaration kLog = ingest::log_table_readers().front();

const std::string kLine =
    R"({"tool":"E1","chamber":"B","sensor":"P","time":"2026-03-14T02:10:00.5Z","value":1.50e1})"
    "\n";

std::string many(const std::string& line, std::size_t n) {
  std::string text;
  for (std::size_t i = 0; i < n; ++i) text += line;
  return text;
}

ingest::Mapping mapping_of(std::string_view toml) {
  return ingest::parse_mapping(real_file_system(), toml).value();
}

}  // namespace

TEST_CASE("json lines: the same rows as CSV, whatever the order of the members", "[logs][jsonl]") {
  const auto r = read_text(
      kLog, "fdc_trace.jsonl",
      "\xef\xbb\xbf" + kLine + "\r\n\n" +
          R"( { "value": -2, "time" : "2026-03-14 02:10:01", "sensor":"\u00c4\"p", "tool":"E1" ,)"
          R"( "chamber":null, "wafer_id":"W01", "operator":"x y", "more":{"a":[1,2]} })"
          "\r\n");
  REQUIRE(r.ok());
  CHECK(r.summary->version == "jsonl");
  CHECK(r.summary->texts.at("table") == "fdc_trace");
  CHECK(r.count("rows") == 2);
  CHECK(r.count("unknown_columns") == 2);
  CHECK(r.sink.cell("fdc_trace", 0, "value") == "15");
  CHECK(r.sink.cell("fdc_trace", 0, "time") == "2026-03-14T02:10:00.500000Z");
  CHECK(r.sink.cell("fdc_trace", 0, "source_row") == "1");
  CHECK(r.sink.cell("fdc_trace", 1, "sensor") == "\u00c4\"p");
  CHECK(r.sink.cell("fdc_trace", 1, "value") == "-2");
  CHECK(r.sink.cell("fdc_trace", 1, "source_row") == "4");
  CHECK(r.sink.cell("fdc_trace", 1, "attributes") ==
        R"({"operator":"x y","more":"{\"a\":[1,2]}"})");
}

TEST_CASE("json lines: recognised by content", "[logs][jsonl]") {
  CHECK(sniff_text(kLog, "anything.txt", kLine) == Confidence::kCertain);
  CHECK(sniff_text(kLog, "anything.txt", "{\"a\":1}\n") == Confidence::kMaybe);
  CHECK(sniff_text(kLog, "anything.txt", "{\n \"a\": 1\n}\n") == Confidence::kNo);
}

TEST_CASE("json lines: a damaged line costs itself alone", "[logs][jsonl][damage]") {
  const auto line = GENERATE(as<std::string>{}, "{\"tool\":\"E1\"", "[1,2]", "{\"tool\":}", "{} {}",
                             "{\"tool\":\"a\",\"tool\":\"b\"}", "nonsense");
  CAPTURE(line);
  const auto r = read_text(kLog, "fdc_trace.jsonl", many(kLine, 40) + line + "\n" + kLine);
  REQUIRE(r.ok());
  CHECK(r.count("rows") == 41);
  REQUIRE(r.rejects.total() == 1);
  CHECK((r.rejects.kept()[0].id == "LOGS-0011" || r.rejects.kept()[0].id == "LOGS-0007"));
  CHECK(r.rejects.kept()[0].line == 41);
  CHECK(r.rejects.kept()[0].byte_offset == 40 * kLine.size());
}

TEST_CASE("json lines: rules, mapping and refusals are those of CSV", "[logs][jsonl]") {
  const auto bad = read_text(
      kLog, "fdc_trace.jsonl",
      many(kLine, 40) + R"({"tool":"E1","chamber":"B","sensor":"P","time":"today","value":1})"
                        "\n");
  REQUIRE(bad.ok());
  CHECK(bad.rejects.kept().at(0).id == "LOGS-0003");
  CHECK(read_text(kLog, "fdc_trace.jsonl", "{\"tool\":\"E1\"}\n").error_id() == "LOGS-0022");
  CHECK(read_text(kLog, "x.jsonl", "{\"a\":\"E1\"}\n").error_id() == "LOGS-0021");
  const auto mapping = mapping_of(R"(
[[file]]
match = "*.jsonl"
table = "lots"
columns = { lot_id = "LOT", product = "DEV" }
)");
  const auto mapped = read_text(kLog, "x.jsonl", "{\"LOT\":\"L1\",\"DEV\":\"P\"}\n", &mapping);
  REQUIRE(mapped.ok());
  CHECK(mapped.sink.cell("lots", 0, "product") == "P");
}

TEST_CASE("csv scanner: a text in pieces gives the records of the whole", "[logs][csv]") {
  const std::string text = "a,\"b\n\"\"c\",d\r\n\n\"open\n1,2,3\n\"x\"y,2\nlast,\"q\"";
  std::vector<std::vector<std::string>> whole, pieces;
  std::vector<std::uint64_t> whole_lines, piece_lines;
  for (ingest::CsvScanner s(text, ','); s.next();) {
    whole.emplace_back(s.cells().begin(), s.cells().end());
    whole_lines.push_back(s.line());
  }
  // A window that grows by one byte whenever the scanner wants more.
  std::size_t begin = 0, end = 1;
  auto s = ingest::CsvScanner::of_part(text.substr(0, 1), ',');
  std::string window = text.substr(0, 1);
  s.resume(window, 0, false);
  for (;;) {
    if (s.next()) {
      pieces.emplace_back(s.cells().begin(), s.cells().end());
      piece_lines.push_back(s.line());
      continue;
    }
    if (!s.starved()) break;
    const std::size_t used = s.position();
    begin += used;
    end = std::min(end + 1, text.size());
    window = text.substr(begin, end - begin);
    s.resume(window, used, end == text.size());
  }
  CHECK(pieces == whole);
  CHECK(piece_lines == whole_lines);
}

TEST_CASE("logs: a file of many megabytes is read through a window", "[logs]") {
  std::string text = "tool,chamber,sensor,time,value,unit\n";
  constexpr std::size_t kRows = 60'000;
  for (std::size_t i = 0; i < kRows; ++i) {
    text += "E1,B,\"P, \"\"" + std::to_string(i % 7) + "\"\"\",2026-03-14T02:10:00Z," +
            std::to_string(i) + ",Pa\n";
  }
  const auto r = read_text(kLog, "fdc_trace.csv", text);
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.count("rows") == kRows);
  CHECK(r.sink.cell("fdc_trace", kRows - 1, "value") == std::to_string(kRows - 1));
  CHECK(r.sink.cell("fdc_trace", kRows - 1, "source_row") == std::to_string(kRows + 1));
}

TEST_CASE("mapping: columns become rows, constants fill what the file lacks", "[logs][mapping]") {
  const auto mapping = mapping_of(R"(
[[file]]
match = "CMP-*.csv"
table = "fdc_trace"
columns = { tool = "MACHINE_ID", chamber = "CHAMBER", time = "TIMESTAMP", wafer_id = "WAFER_ID" }
time_format = "epoch_s"
constants = { step = "CMP" }
unpivot = { columns = "USAGE_* *_PRESSURE", name = "sensor", value = "value" }
)");
  const auto r = read_text(kLog, "CMP-training-000.csv",
                           "MACHINE_ID\tTIMESTAMP\tWAFER_ID\tSTAGE\tCHAMBER\tUSAGE_OF_FILM\t"
                           "RING_PRESSURE\n2\t481637082.333\t371447024\tA\t1.0\t9302.5\t\n"
                           "2\t481637083.25\t371447024\tA\t1.0\tx\t7\n",
                           &mapping);
  REQUIRE(r.ok());
  CHECK(r.count("rows") == 2);
  CHECK(r.count("unknown_columns") == 1);
  CHECK(r.rejects.total() == 1);  // "x" is no number; the row's other column stays.
  CHECK(r.sink.cell("fdc_trace", 0, "sensor") == "USAGE_OF_FILM");
  CHECK(r.sink.cell("fdc_trace", 0, "value") == "9302.5");
  CHECK(r.sink.cell("fdc_trace", 0, "step") == "CMP");
  CHECK(r.sink.cell("fdc_trace", 0, "time") == "1985-04-06T12:04:42.333000Z");
  CHECK(r.sink.cell("fdc_trace", 1, "sensor") == "RING_PRESSURE");
  CHECK(ingest::parse_mapping(real_file_system(),
                              "[[file]]\nmatch=\"*\"\ntable=\"fdc_trace\"\n"
                              "unpivot={columns=\"V*\",name=\"sensor\"}")
            .error()
            .id == "MAPP-0008");
}

TEST_CASE("mapping: rows may end early where the site says so", "[logs][mapping]") {
  const auto mapping = mapping_of(R"(
[[file]]
match = "WIP*"
table = "lots"
columns = { lot_id = "LOT", product = "PART", priority = "PRIOR", started_at = "START" }
time_format = "%m/%d/%y %H:%M:%S"
short_rows = true
)");
  const auto r = read_text(kLog, "WIP.txt",
                           "LOT\tPART\tPRIOR\tSTART\tHOTLOT\tTRACE\n"
                           "Init_Lot_3_2\tpart_3\t10\t01/31/18 00:00:00\n",
                           &mapping);
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.sink.cell("lots", 0, "started_at") == "2018-01-31T00:00:00Z");
}

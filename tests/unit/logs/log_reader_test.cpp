#include "ingest/readers/logs/log_reader.h"

#include "catch_portable.h"
#include "reader_fixture.h"

using namespace yieldloop;
using ingest::Confidence;
using test::read_text;
using test::sniff_text;

namespace {

const ingest::ReaderDeclaration kLog = ingest::log_table_readers().front();

const std::string kHistory = "lot_id,wafer_id,step_seq,step,tool,started_at,ended_at,slot\n";
const std::string kGood = "L1,W01,10,M1_ETCH,ETCH02,2026-03-14T02:10:00Z,2026-03-14T02:15:00Z,1\n";

test::Reading history(const std::string& rows) {
  return read_text(kLog, "lot_history.csv", kHistory + rows);
}

/// Enough good rows that one bad one is far below 5 %.
std::string many(std::size_t n = 40) {
  std::string text;
  for (std::size_t i = 0; i < n; ++i) text += kGood;
  return text;
}

ingest::Mapping mapping_of(std::string_view toml) {
  return ingest::parse_mapping(real_file_system(), toml).value();
}

}  // namespace

TEST_CASE("logs: a row arrives in its columns", "[logs]") {
  const auto r = history(kGood);
  REQUIRE(r.ok());
  CHECK(r.summary->texts.at("table") == "lot_history");
  CHECK(r.count("rows") == 1);
  CHECK(r.count("refused_rows") == 0);
  CHECK_FALSE(r.sink.ragged);
  CHECK(r.sink.cell("lot_history", 0, "tool") == "ETCH02");
  CHECK(r.sink.cell("lot_history", 0, "step_seq") == "10");
  CHECK(r.sink.cell("lot_history", 0, "started_at") == "2026-03-14T02:10:00Z");
  CHECK(r.sink.cell("lot_history", 0, "slot") == "1");
  CHECK(r.sink.cell("lot_history", 0, "chamber").empty());
  CHECK(r.sink.cell("lot_history", 0, "source_row") == "2");
}

TEST_CASE("logs: column order, case, blanks, delimiters and line ends are free", "[logs]") {
  const auto r =
      read_text(kLog, "lots_w11.csv", "\xef\xbb\xbfPRODUCT; lot_id ;quantity\r\nP1; L1;25.0\r\n");
  REQUIRE(r.ok());
  CHECK(r.sink.cell("lots", 0, "lot_id") == "L1");
  CHECK(r.sink.cell("lots", 0, "product") == "P1");
  CHECK(r.sink.cell("lots", 0, "quantity") == "25");
}

TEST_CASE("logs: the table comes from the name, else from the header", "[logs]") {
  using ingest::table_of_header;
  using ingest::table_of_name;
  CHECK(table_of_name("lot_history.csv")->name == "lot_history");
  CHECK(table_of_name("lot_history_2026w11.csv")->name == "lot_history");
  CHECK(table_of_name("die_results-A.csv")->name == "die_results");
  CHECK(table_of_name("lots2.csv") == nullptr);
  CHECK(table_of_header({"tool", "event", "at"})->name == "maintenance");
  CHECK(table_of_header({"lot_id", "wafer_id", "step", "tool", "sensor", "statistic", "value"})
            ->name == "fdc_summary");
  CHECK(table_of_header({"lot_id", "wafer_id", "slot"})->name == "wafers");
  CHECK(table_of_header({"lot_id", "wafer_id", "a", "b", "c", "d"}) == nullptr);
  CHECK(read_text(kLog, "export.csv", "tool,event,at\nT1,pm,2026-01-01\n")
            .summary->texts.at("table") == "maintenance");
  CHECK(read_text(kLog, "export.csv", "x,y\n1,2\n").error_id() == "LOGS-0021");
}

TEST_CASE("logs: content tells a log, never the ending alone", "[logs]") {
  CHECK(sniff_text(kLog, "a.dat", kHistory + kGood) == Confidence::kCertain);
  CHECK(sniff_text(kLog, "WIP_1.txt", "LOTID|WFR|X\nL1|W1|2\n") == Confidence::kMaybe);
  CHECK(sniff_text(kLog, "lots.csv", "lot_id,prod\nL1,P\n") == Confidence::kCertain);
  CHECK(sniff_text(kLog, "lots.csv", "FileVersion 1 2;\nLotID \"L\";\n") == Confidence::kNo);
  CHECK(sniff_text(kLog, "lots.csv", std::string_view("\x02\0\0\n\x02\x04", 6)) == Confidence::kNo);
  CHECK(sniff_text(kLog, "lots.csv", "") == Confidence::kNo);
}

TEST_CASE("logs: null words are null in number columns and text elsewhere", "[logs]") {
  const auto r = read_text(
      kLog, "metrology.csv",
      "lot_id,wafer_id,step,parameter,value,site,unit\nL,W,S,CD,1.5,NA,-\nL,W,S,CD,1e-3,NaN,nm\n");
  REQUIRE(r.ok());
  CHECK(r.sink.cell("metrology", 0, "site").empty());
  CHECK(r.sink.cell("metrology", 1, "site").empty());
  CHECK(r.sink.cell("metrology", 0, "unit") == "-");
  CHECK(r.sink.cell("metrology", 1, "value") == "0.001");
}

TEST_CASE("logs: a row that breaks a rule is refused alone", "[logs][reject]") {
  const auto [row, id, column] = GENERATE(table<std::string, std::string, std::string>({
      {"L1,W01,ten,S,T,2026-03-14,2026-03-15,1\n", "LOGS-0001", "step_seq"},
      {"L1,W01,99999999999,S,T,2026-03-14,2026-03-15,1\n", "LOGS-0001", "step_seq"},
      {"L1,W01,1,S,T,2026-02-30,2026-03-15,1\n", "LOGS-0003", "started_at"},
      {"L1,W01,1,S,T,2026-03-14,2026-03-15,26\n", "LOGS-0006", "slot"},
      {"L1,W01,1,S,T,2026-03-14,2026-03-15,-1\n", "LOGS-0006", "slot"},
      {"L1,,1,S,T,2026-03-14,2026-03-15,1\n", "LOGS-0007", "wafer_id"},
      {"L1,W01,1,S,T,2026-03-14T02:00:00,2026-03-14T01:59:59,1\n", "LOGS-0008", "ended_at"},
      {"L1,W01,1,S,\"T,2026-03-14,2026-03-15,1\n", "LOGS-0009", ""},
      {"L1,W01,1,S,T\n", "LOGS-0010", ""},
      {"L1,W01,1,S,T,2026-03-14,2026-03-15,1,extra\n", "LOGS-0010", ""},
  }));
  CAPTURE(row);
  const auto r = history(many() + row + kGood);
  REQUIRE(r.ok());
  REQUIRE(r.rejects.total() == 1);
  const auto& reject = r.rejects.kept()[0];
  CHECK(reject.id == id);
  CHECK(reject.line == 42);
  CHECK(reject.byte_offset == kHistory.size() + 40 * kGood.size());
  CHECK(reject.bytes_dropped == row.size());
  CHECK_THAT(reject.message, Contains(column));
  CHECK(r.count("rows") == 41);
  CHECK(r.count("refused_rows") == 1);
  CHECK(r.sink.rows("lot_history") == 41);
}

TEST_CASE("logs: words of a fixed list", "[logs][reject]") {
  const std::string header = "tool,state,started_at,ended_at\n";
  std::string good;
  for (int i = 0; i < 30; ++i) good += "T,Productive,2026-01-01,2026-01-02\n";
  const auto r =
      read_text(kLog, "equipment_states.csv", header + good + "T,running,2026-01-01,2026-01-02\n");
  REQUIRE(r.ok());
  CHECK(r.reject_id(0) == "LOGS-0005");
  CHECK(r.sink.cell("equipment_states", 0, "state") == "productive");
}

TEST_CASE("logs: pass is 0 or 1 and lot_id may be empty", "[logs]") {
  const auto r = read_text(kLog, "die_results.csv",
                           "lot_id,wafer_id,insertion,die_x,die_y,hard_bin,pass\n"
                           ",W1,CP1,-3,4,1,1\n,W1,CP1,-2,4,7,0\n,W1,CP1,-2,4,7,2\n");
  REQUIRE(r.ok());
  CHECK(r.sink.rows("die_results") == 2);
  CHECK(r.sink.cell("die_results", 0, "lot_id").empty());
  CHECK_FALSE(r.sink.tables.at("die_results")[0]["lot_id"].is_null(0));
  CHECK(r.sink.cell("die_results", 0, "pass") == "true");
  CHECK(r.sink.cell("die_results", 1, "pass") == "false");
  CHECK(r.reject_id(0) == "LOGS-0004");
}

TEST_CASE("logs: more than one row and more than 5 % refuse the file", "[logs][error]") {
  const std::string bad = "L1,W01,x,S,T,2026-03-14,2026-03-15,1\n";
  CHECK(history(many(38) + bad + bad).ok());                       // 2 of 40: exactly 5 %.
  CHECK(history(many(37) + bad + bad).error_id() == "LOGS-0024");  // 2 of 39.
  CHECK(history(kGood + bad).ok());                                // One row never does.
  CHECK_THAT(history(bad + bad).summary.error().message, Contains("line 2"));
}

TEST_CASE("logs: rows without a measured value do not count as broken", "[logs]") {
  const auto r = read_text(kLog, "fdc_summary.csv",
                           "lot_id,wafer_id,step,tool,sensor,statistic,value\n"
                           "L,W,S,T,P,mean,NaN\nL,W,S,T,P,mean,\nL,W,S,T,P,mean,3\n");
  REQUIRE(r.ok());
  CHECK(r.count("rows") == 1);
  CHECK(r.count("refused_rows") == 2);
  CHECK(r.rejects.total() == 2);
  CHECK(r.summary->warnings.size() == 1);
}

TEST_CASE("logs: a missing required column is named", "[logs][error]") {
  const auto r = read_text(kLog, "maintenance.csv", "tool,event\nT,pm\n");
  CHECK(r.error_id() == "LOGS-0022");
  CHECK_THAT(r.summary.error().message, Contains("\"at\""));
  CHECK(read_text(kLog, "lots.csv", "lot_id,product,LOT_ID\nL,P,L\n").error_id() == "LOGS-0023");
  CHECK(read_text(kLog, "lots.csv", "").error_id() == "LOGS-0020");
  CHECK(read_text(kLog, "lots.csv", "lot_id,product\n").count("rows") == 0);
}

TEST_CASE("logs: unknown columns are kept as attributes and named once", "[logs]") {
  const auto r =
      read_text(kLog, "lots.csv", "lot_id,product,shift,note\nL1,P,A,\"say \"\"hi\"\"\"\nL2,P,,\n");
  REQUIRE(r.ok());
  CHECK(r.count("unknown_columns") == 2);
  REQUIRE(r.summary->warnings.size() == 1);
  CHECK_THAT(r.summary->warnings[0], Contains("shift, note"));
  CHECK(r.sink.cell("lots", 0, "attributes") == R"({"shift":"A","note":"say \"hi\""})");
  CHECK(r.sink.tables.at("lots")[0]["attributes"].is_null(1));
}

TEST_CASE("logs: text that is not UTF-8 is kept readable", "[logs]") {
  const auto r = read_text(kLog, "lots.csv", "lot_id,product\nL\xff,\xce\xbc\n");
  REQUIRE(r.ok());
  CHECK(r.sink.cell("lots", 0, "lot_id") == "L\xef\xbf\xbd");
  CHECK(r.sink.cell("lots", 0, "product") == "\xce\xbc");
}

TEST_CASE("logs: a site's mapping turns its export into the contract", "[logs][mapping]") {
  const auto mapping = mapping_of(R"(
[[file]]
match = "WIP_MOVES_*.txt"
table = "lot_history"
delimiter = "|"
columns = { lot_id = "LOTID", wafer_id = "WFR", step = "OPER", tool = "EQPID", started_at = "TRKIN", ended_at = "TRKOUT", step_seq = "SEQ" }
time_format = "%Y/%m/%d %H:%M:%S"
[[file]]
match = "states*"
table = "equipment_states"
value_map = { state = { UP_RUN = "productive" } }
)");
  const auto r = read_text(kLog, "WIP_MOVES_7.txt",
                           "LOTID|WFR|SEQ|OPER|EQPID|TRKIN|TRKOUT|STEP\n"
                           "L1|W1|5|ETCH|E1|2026/03/14 02:10:00|2026/03/14 02:20:00|x\n",
                           &mapping);
  REQUIRE(r.ok());
  CHECK(r.sink.cell("lot_history", 0, "step") == "ETCH");
  CHECK(r.sink.cell("lot_history", 0, "started_at") == "2026-03-14T02:10:00Z");
  CHECK(r.sink.cell("lot_history", 0, "attributes") == R"({"STEP":"x"})");  // Mapped away from.
  const auto s =
      read_text(kLog, "states.csv",
                "tool,state,started_at,ended_at\nT,UP_RUN,2026-01-01,2026-01-02\n", &mapping);
  REQUIRE(s.ok());
  CHECK(s.sink.cell("equipment_states", 0, "state") == "productive");
}

TEST_CASE("logs: the mapping goes before a column of the same name", "[logs][mapping]") {
  const auto mapping = mapping_of(R"(
[[file]]
match = "moves*"
table = "lot_history"
columns = { chamber = "MODULE", tool = "EQP" }
)");
  const auto r = read_text(kLog, "moves.csv",
                           "lot_id,wafer_id,step_seq,step,EQP,MODULE,started_at,ended_at\n"
                           "L1,W1,5,ETCH,E1,PM2,2026-03-14T02:10:00Z,2026-03-14T02:20:00Z\n",
                           &mapping);
  REQUIRE(r.ok());
  CHECK(r.sink.cell("lot_history", 0, "chamber") == "PM2");
  CHECK(r.sink.cell("lot_history", 0, "tool") == "E1");
}

TEST_CASE("logs: local times become UTC by the site's zone, explicit offsets win", "[logs]") {
  if (!ingest::TimeZone::load(real_file_system(), "Asia/Tokyo")) return;
  const auto mapping = mapping_of("[site]\ntime_zone = \"Asia/Tokyo\"\n");
  const auto r = read_text(kLog, "maintenance.csv",
                           "tool,event,at\nT,pm,2026-03-14 09:00\nT,pm,2026-03-14T09:00:00\n"
                           "T,pm,2026-03-14T09:00:00Z\nT,pm,2026-03-14T09:00:00.25+02:00\n",
                           &mapping);
  REQUIRE(r.ok());
  CHECK(r.sink.cell("maintenance", 0, "at") == "2026-03-14T00:00:00Z");
  CHECK(r.sink.cell("maintenance", 1, "at") == "2026-03-14T00:00:00Z");
  CHECK(r.sink.cell("maintenance", 2, "at") == "2026-03-14T09:00:00Z");
  CHECK(r.sink.cell("maintenance", 3, "at") == "2026-03-14T07:00:00.250000Z");
}

TEST_CASE("logs: every row is kept or refused, whatever happens to the bytes", "[logs][damage]") {
  const std::string whole = kHistory + many(30);
  for (std::size_t n = 0; n < whole.size(); n += 3) {
    for (const char c : {'"', ',', '\n', '\xff'}) {
      std::string text = whole;
      text[n] = c;
      const auto r = read_text(kLog, "lot_history.csv", text);
      CHECK_FALSE(r.sink.ragged);
      if (!r.ok()) continue;
      CHECK(r.count("rows") == static_cast<double>(r.sink.rows()));
      CHECK(r.count("refused_rows") == static_cast<double>(r.rejects.total()));
    }
    const auto cut = read_text(kLog, "lot_history.csv", whole.substr(0, n));
    if (cut.ok()) CHECK(cut.count("rows") == static_cast<double>(cut.sink.rows()));
  }
}

TEST_CASE("logs: a reader that is told to stop says so", "[logs]") {
  test::MemoryInput input("lots.csv", "lot_id,product\nL,P\n");
  test::KeepingSink sink;
  sink.puts_left = 1;
  ingest::Rejects rejects;
  const auto result = kLog.read(input, {}, sink, rejects);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::kCancelled);
}

// What the command line prints and how it ends.

#include <nlohmann/json.hpp>

#include "catch_portable.h"
#include "engine/cli/console.h"
#include "engine/cli/open_scope.h"
#include "engine/cli/table_output.h"
#include "engine/core/text.h"

using namespace yieldloop;
using cli::ExitStatus;

namespace {

store::Table people() {
  store::Table t("people");
  t.add_column("name", store::ColumnType::kText);
  t.add_column("count", store::ColumnType::kInt64);
  t.add_column("share", store::ColumnType::kFloat64);
  t.add_column("fine", store::ColumnType::kBool);
  t.add_column("at", store::ColumnType::kTime);
  return t;
}

store::Table one_text(std::string_view text) {
  store::Table t("t");
  t.add_column("text", store::ColumnType::kText).add_text(text);
  return t;
}

std::string csv_of(std::string_view text) {
  const std::string csv = cli::table_csv(one_text(text));
  REQUIRE(csv.starts_with("text\r\n"));
  REQUIRE(csv.ends_with("\r\n"));
  return csv.substr(6, csv.size() - 8);
}

}  // namespace

TEST_CASE("cli: every kind of error has its exit status", "[cli]") {
  const std::vector<std::pair<Errc, int>> contract = {
      {Errc::kInvalidOptions, 2}, {Errc::kNotFound, 3},    {Errc::kNoData, 3},
      {Errc::kFormat, 3},         {Errc::kUnsupported, 3}, {Errc::kBusy, 4},
      {Errc::kDamaged, 4},        {Errc::kNoSpace, 4},     {Errc::kIo, 4},
      {Errc::kDenied, 5},         {Errc::kCancelled, 1},   {Errc::kInternal, 70}};
  for (const auto& [code, status] : contract) {
    CAPTURE(static_cast<int>(code));
    CHECK(static_cast<int>(cli::exit_status_of(code)) == status);
  }
}

TEST_CASE("cli: a table for people", "[cli]") {
  CHECK(cli::text_table({"tool", "wafers", "q"}, {{"ETX01", "7", "0.5"}, {"A", "1234", "-1"}}) ==
        "tool   wafers  q\n"
        "ETX01       7  0.5\n"
        "A        1234   -1\n");
  CHECK(cli::text_table({"only", "a header"}, {}) == "only  a header\n");
  // Widths count characters, not bytes; a dash alone is no number.
  CHECK(cli::text_table({"layer", "n"}, {{"\xc2\xb5m", "-"}, {"M1", "12"}}) ==
        "layer  n\n\xc2\xb5m     -\nM1     12\n");
}

TEST_CASE("cli: rows that are not shown are counted", "[cli]") {
  store::Table t("t");
  auto& column = t.add_column("n", store::ColumnType::kInt64);
  for (int i = 0; i < 5; ++i) column.add_int(i);
  CHECK(cli::table_text(t, 5) == "n\n0\n1\n2\n3\n4\n");
  CHECK_THAT(cli::table_text(t, 2), Contains("... 3 more rows"));
}

TEST_CASE("cli: data cannot steer the terminal or break the table's lines", "[cli]") {
  const std::string text = cli::table_text(one_text("a\x1b[31m\nb\xc2\x9b\xff\"c"), 10);
  CHECK(text == "text\na\\x1b[31m\\nb\\x9b\xef\xbf\xbd\"c\n");
}

TEST_CASE("cli: CSV quotes what it must and runs no formula", "[cli]") {
  CHECK(csv_of("plain") == "plain");
  CHECK(csv_of("") == "");
  CHECK(csv_of("a,b") == "\"a,b\"");
  CHECK(csv_of("say \"hi\"") == "\"say \"\"hi\"\"\"");
  CHECK(csv_of("two\nlines") == "\"two\nlines\"");
  CHECK(csv_of("=1+1") == "'=1+1");
  CHECK(csv_of("+cmd") == "'+cmd");
  CHECK(csv_of("-2") == "'-2");
  CHECK(csv_of("@SUM(A1)") == "'@SUM(A1)");
  CHECK(csv_of("\tx") == "'\tx");
  CHECK(csv_of("\rx") == "\"'\rx\"");
  CHECK(csv_of("=HYPERLINK(\"x\",\"y\")") == "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"");
  // Numbers are numbers: a minus sign needs no guard there.
  store::Table t("t");
  t.add_column("n", store::ColumnType::kInt64).add_int(-2);
  CHECK(cli::table_csv(t) == "n\r\n-2\r\n");
}

TEST_CASE("cli: a table as JSON keeps types and nulls", "[cli]") {
  store::Table t = people();
  t["name"].add_text("A \"quoted\"\n\xff");
  t["count"].add_int(INT64_C(9'007'199'254'740'993));
  t["share"].add_real(0.1);
  t["fine"].add_bool(true);
  t["at"].add_time(*parse_iso8601("2026-03-14T02:10:00Z"));
  t.finish_row();
  t["name"].add_null();
  t["count"].add_null();
  t["share"].add_real(std::numeric_limits<double>::infinity());
  t.finish_row();
  const auto json = nlohmann::json::parse(cli::table_json(t));
  CHECK(json["schema"] == "yieldloop.table/1");
  std::vector<std::string> types;
  for (const auto& column : json["columns"]) types.push_back(column["type"]);
  CHECK(types == std::vector<std::string>{"text", "integer", "real", "bool", "time"});
  REQUIRE(json["rows"].size() == 2);
  const auto& row = json["rows"][0];
  CHECK(row[0] == "A \"quoted\"\n\xef\xbf\xbd");
  CHECK(row[1] == INT64_C(9'007'199'254'740'993));
  CHECK(row[2] == 0.1);
  CHECK(row[3] == true);
  CHECK(row[4] == "2026-03-14T02:10:00Z");
  for (const auto& cell : json["rows"][1]) CHECK(cell.is_null());  // Infinity is no JSON number.
}

TEST_CASE("cli: the scope as it was typed", "[cli]") {
  const auto scope = cli::to_scope({.product = "P",
                                    .lots = "L1, L2* ,,",
                                    .from = "2026-03-14",
                                    .to = "2026-03-15T12:00:00+01:00"});
  REQUIRE(scope);
  CHECK(scope->product == "P");
  CHECK(scope->lots == std::vector<std::string>{"L1", "L2*"});
  CHECK(to_iso8601(scope->from) == "2026-03-14T00:00:00Z");
  CHECK(to_iso8601(scope->to) == "2026-03-15T11:00:00Z");
  const auto open = cli::to_scope({});
  REQUIRE(open);
  CHECK_FALSE(open->from.known());
  CHECK_FALSE(open->to.known());
  CHECK(open->lots.empty());
}

TEST_CASE("cli: times that cannot be meant are refused", "[cli][error]") {
  for (const char* text : {"yesterday", "2026-02-30", "14.03.2026", "2026-03-14T25:00"}) {
    CAPTURE(text);
    const auto from = cli::to_scope({.from = text});
    REQUIRE_FALSE(from);
    CHECK(from.error().id == "CLIC-0001");
    CHECK(from.error().code == Errc::kInvalidOptions);
    CHECK_THAT(from.error().message, Contains("--from") && Contains(text));
    CHECK_THAT(cli::to_scope({.to = text}).error().message, Contains("--to"));
  }
  CHECK(cli::to_scope({.from = "2026-03-14", .to = "2026-03-14"}).error().id == "CLIC-0024");
  CHECK(cli::to_scope({.from = "2026-03-15", .to = "2026-03-14"}).error().id == "CLIC-0024");
}

TEST_CASE("cli: findings in plain words", "[cli]") {
  FindingsDocument d;
  d.product = "DEMO";
  d.wafers = 300;
  d.lots = 12;
  d.baseline = {.yield = 0.815, .yield_ci = {0.81, 0.82}, .die = 1000};
  d.alarm_budget.expected_false_findings = 0.05;
  d.caveats = {"1 of 2 tested wafers have no lot history yet."};
  const std::string none = cli::findings_text(d, 5);
  for (const char* words : {"DEMO", "300 wafers", "12 lots", "81.50 %", "81.00 to 82.00",
                            "No cause of loss", "1 of 2 tested wafers", "0.05 false findings"}) {
    CHECK_THAT(none, Contains(words));
  }
  for (int rank = 1; rank <= 3; ++rank) {
    Finding f;
    f.rank = rank;
    f.id = "f-" + std::to_string(rank);
    f.kind = "chamber";
    f.statement = "Statement " + std::to_string(rank) + ".";
    f.loss_die_total = 120.0;
    f.q_value = 2e-7;
    f.evidence.push_back(
        {.analysis = "commonality", .test = "Mann-Whitney", .n = {100, 200}, .p_value = 1e-8});
    d.findings.push_back(f);
  }
  d.undecided.push_back({.candidates = {{{"tool", "A"}}, {{"tool", "B"}}},
                         .why = "Same wafers.",
                         .deciding_experiment = "Split a lot."});
  const std::string text = cli::findings_text(d, 2);
  for (const char* words :
       {" 1. Statement 1.", " 2. Statement 2.", "120 die lost", "q 2e-07", "f-1", "Mann-Whitney",
        "100 and 200", "... 1 more findings", "tool A", "tool B", "Same wafers.", "Split a lot."}) {
    CHECK_THAT(text, Contains(words));
  }
  CHECK_THAT(text, !Contains("Statement 3.") && !Contains("No cause of loss"));
}

TEST_CASE("cli: suggestions in plain words", "[cli]") {
  feedback::SuggestionsDocument d;
  d.notes = {"No finding in this scope, so nothing is suggested."};
  CHECK_THAT(cli::suggestions_text(d, 5), Contains("nothing is suggested"));
  d.notes.clear();
  Suggestion s;
  s.rank = 1;
  s.id = "s-1";
  s.side = "design";
  s.action = "widen_space";
  s.statement = "Widen the gap.";
  s.good_die_per_wafer = 4.2;
  s.good_die_per_wafer_ci = {2.0, 6.4};
  s.money_per_week = 12345.0;
  s.disproved_by = "no fewer bridges on the next mask";
  s.markers = "out/s-1.lyrdb";
  d.suggestions = {s, s};
  d.suggestions[1].rank = 2;
  d.portfolio.chosen = {"s-1"};
  d.portfolio.good_die_per_wafer = 4.2;
  const std::string text = cli::suggestions_text(d, 1);
  for (const char* words :
       {"[design] Widen the gap.", "+4.2 good die per wafer", "2.0 to 6.4", "12345 a week",
        "wrong if: no fewer bridges", "out/s-1.lyrdb", "... 1 more suggestions", "Together: s-1"}) {
    CHECK_THAT(text, Contains(words));
  }
}

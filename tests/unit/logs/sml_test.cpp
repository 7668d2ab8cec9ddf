#include "ingest/readers/logs/sml.h"

#include <cmath>

#include "catch_portable.h"
#include "engine/core/random.h"
#include "ingest/readers/logs/log_reader.h"
#include "reader_fixture.h"

using namespace yieldloop;
using ingest::Confidence;
using ingest::SmlMessage;
using ingest::SmlParser;
using test::read_text;
using test::sniff_text;

namespace {

const ingest::ReaderDeclaration kSml = ingest::sml_reader();

ingest::Mapping mapping() {
  return ingest::parse_mapping(real_file_system(), R"(
[site]
time_zone = "UTC"

[[sml]]
match = "ETCH02*"
tool = "ETCH02"

[sml.reports]
100 = ["CHAMBER", "LOT", "RECIPE"]
200 = ["CHAMBER", "PRESSURE", "POWER"]

[[sml.event]]
ceid = 4001
table = "equipment_states"
state = "productive"
columns = { chamber = "CHAMBER", lot_id = "LOT" }

[[sml.event]]
ceid = 4002
table = "equipment_states"
state = "standby"
columns = { chamber = "CHAMBER" }

[[sml.event]]
ceid = 5000
table = "maintenance"
event = "cleaning"
columns = { chamber = "CHAMBER", note = "RECIPE" }

[[sml.event]]
ceid = 6000
table = "fdc_trace"
columns = { chamber = "CHAMBER" }
values = ["PRESSURE", "POWER"]
)")
      .value();
}

const std::string kLog = R"(/* host trace of ETCH02, S6F11 follows */
2026-03-14 02:10:00.250 RECV EventReport: 'S6F11' W
  <L [3]
    <U4 [1] 17>  // DATAID
    <U4 [1] 4001>
    <L [1] <L [2] <U4 100> <L [3] <A "B"> <A [5] "LOT" 0x2D "7"> <A 'ETCH'>>>>
  >.
2026-03-14 02:12:00 RECV S6F11 W <L <U4 18> <U4 6000> <L <L <U4 200>
  <L <A "B"> <F4 12.5> <I2 -3>>>>> .
2026-03-14 02:15:00 SEND S6F12 <B 0x00> .
2026-03-14 02:20:00 RECV S6F11 W <L <U4 19> <U4 4002> <L <L <U4 100> <L <A "B"> <A> <A>>>>> .
2026-03-14 02:21:00 RECV S5F1 W <L [3] <B [1] 0x84> <U4 77> <A "Chamber leak">> .
2026-03-14 02:22:00 RECV S5F1 W <L [3] <B [1] 0x04> <U4 77> <A "Chamber leak">> .
2026-03-14 02:25:00 RECV S6F11 W <L <U4 20> <U4 5000> <L <L <U4 100> <L <A "B"> <A> <A "WET">>>>> .
2026-03-14 02:30:00 RECV S6F11 W <L <U4 21> <U4 9999> <L>> .
)";

test::Reading read(const std::string& text) {
  static const ingest::Mapping kMapping = mapping();
  return read_text(kSml, "ETCH02.sml", text, &kMapping);
}

std::vector<SmlMessage> parse(std::string_view text, ingest::Rejects& rejects) {
  std::vector<SmlMessage> messages;
  SmlParser parser(text);
  while (auto message = parser.next(rejects)) messages.push_back(std::move(*message));
  return messages;
}

}  // namespace

TEST_CASE("sml: every kind of item, lists in lists, comments, split texts", "[logs][sml]") {
  ingest::Rejects rejects;
  const auto messages = parse(
      "Name: S1F13 W\n<L [3] <A [2] \"MD\"> /* S9F9 <L> . */ <l <U1 1 2, 3> <BOOL TRUE>\n"
      "<F8 1.5e-3 -2> <B 0x0A 0b1>> <A \"line\" 0x0A \"two\">>\n.\nS1F14 .\n\"S2F25\" <B 0xFF>",
      rejects);
  CHECK(rejects.empty());
  REQUIRE(messages.size() == 3);
  CHECK(messages[0].wait);
  CHECK(messages[0].before == "Name:");
  const auto& items = messages[0].body->items;
  REQUIRE(items.size() == 3);
  REQUIRE(items[1].items.size() == 4);
  CHECK(items[1].items[0].text() == "1 2 3");
  CHECK(items[1].items[1].format == "BOOLEAN");
  CHECK(items[1].items[2].values == std::vector<std::string>{"1.5e-3", "-2"});
  CHECK(items[2].text() == "line\ntwo");
  CHECK_FALSE(messages[1].body.has_value());
  CHECK(messages[2].body->text() == "0xFF");
  CHECK(messages[2].line == 6);
}

TEST_CASE("sml: a damaged message is told and the next one is read", "[logs][sml][damage]") {
  const auto damaged = GENERATE(as<std::string>{}, "S6F11 <L <U4 1> .", "S6F11 <L <U9 1>> .",
                                "S6F11 <L [3] <U4 1>> .", "S6F11 <U4 <U4 1>> .", "S6F11 <L 5> .",
                                "S6F11 <A [2 \"ab\"> .");
  CAPTURE(damaged);
  ingest::Rejects rejects;
  const auto messages = parse(damaged + "\nS1F1 W .\n", rejects);
  REQUIRE(rejects.total() == 1);
  CHECK(rejects.kept()[0].id == "SECS-0001");
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].stream == 1);
}

TEST_CASE("sml: events become states, maintenance and traces; alarms are maintenance",
          "[logs][sml]") {
  const auto r = read(kLog);
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.count("messages") == 8);
  CHECK(r.count("events") == 5);
  CHECK(r.count("alarms") == 2);
  CHECK(r.count("unmapped_events") == 1);
  CHECK(r.summary->warnings.size() == 1);
  CHECK_FALSE(r.sink.ragged);

  REQUIRE(r.sink.rows("equipment_states") == 2);
  CHECK(r.sink.cell("equipment_states", 0, "tool") == "ETCH02");
  CHECK(r.sink.cell("equipment_states", 0, "state") == "productive");
  CHECK(r.sink.cell("equipment_states", 0, "chamber") == "B");
  CHECK(r.sink.cell("equipment_states", 0, "lot_id") == "LOT-7");
  CHECK(r.sink.cell("equipment_states", 0, "started_at") == "2026-03-14T02:10:00.250000Z");
  CHECK(r.sink.cell("equipment_states", 0, "ended_at") == "2026-03-14T02:20:00Z");
  CHECK(r.sink.cell("equipment_states", 1, "state") == "standby");
  CHECK(r.sink.cell("equipment_states", 1, "ended_at") == "2026-03-14T02:30:00Z");
  CHECK(r.sink.cell("equipment_states", 1, "attributes").find("\"open\":\"1\"") !=
        std::string::npos);

  REQUIRE(r.sink.rows("fdc_trace") == 2);
  CHECK(r.sink.cell("fdc_trace", 0, "sensor") == "PRESSURE");
  CHECK(r.sink.cell("fdc_trace", 0, "value") == "12.5");
  CHECK(r.sink.cell("fdc_trace", 1, "value") == "-3");

  REQUIRE(r.sink.rows("maintenance") == 2);
  CHECK(r.sink.cell("maintenance", 0, "event") == "alarm");
  CHECK(r.sink.cell("maintenance", 0, "note") == "Chamber leak");
  CHECK(r.sink.cell("maintenance", 0, "at") == "2026-03-14T02:21:00Z");
  CHECK(r.sink.cell("maintenance", 1, "event") == "cleaning");
  CHECK(r.sink.cell("maintenance", 1, "note") == "WET");
}

TEST_CASE("sml: what is refused and rejected", "[logs][sml][error]") {
  CHECK(read_text(kSml, "ETCH02.sml", kLog).error_id() == "SECS-0011");
  const auto other = mapping();
  CHECK(read_text(kSml, "LITHO.sml", kLog, &other).error_id() == "SECS-0011");
  CHECK(read("nothing here").error_id() == "SECS-0010");
  CHECK(read("S6F11 W <L <U4 1> <U4 4001> <L>> .\n").reject_id(0) == "SECS-0003");
  CHECK(read("2026-03-14 02:10:00 S6F11 W <L <U4 1> <U4 4001>> .\n").reject_id(0) == "SECS-0002");
  CHECK(read("2026-03-14 02:10:00 S5F1 W <B 0x84> .\n").reject_id(0) == "SECS-0002");
  const std::string bad =
      "2026-03-14 02:10:00 S6F11 <L <U4 1> <U4 6000> <L <L <U4 200> <L <A \"B\"> <A \"x\">>>>> .\n";
  CHECK(read(bad).reject_id(0) == "LOGS-0002");
  const auto wrong = GENERATE(as<std::string>{}, "[[sml]]\nmatch = \"*\"\n",
                              "[[sml]]\nmatch = \"*\"\ntool = \"T\"\n[[sml.event]]\nceid = 1\n",
                              "[[sml]]\nmatch = \"*\"\ntool = \"T\"\n[[sml.event]]\nceid = 1\n"
                              "table = \"maintenance\"\ncolour = \"red\"\n");
  CHECK(ingest::parse_mapping(real_file_system(), wrong).error().id == "MAPP-0009");
}

TEST_CASE("sml: recognised by its messages", "[logs][sml]") {
  CHECK(sniff_text(kSml, "trace.log", kLog) == Confidence::kCertain);
  CHECK(sniff_text(kSml, "a.csv", "tool,state\nS1F1,x\n") == Confidence::kNo);
  CHECK(sniff_text(kSml, "a.txt", "S6F11 was sent to <L>\n") == Confidence::kNo);
}

TEST_CASE("sml: damage never goes unsaid and always ends", "[logs][sml][damage]") {
  const auto clean = read(kLog).summary->counts;
  for (std::size_t i = 0; i < 200; ++i) {
    const auto r = read(kLog.substr(0, kLog.size() * i / 200));
    CHECK((!r.ok() || r.count("messages") <= 8));
  }
  Random random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string text = kLog;
    const std::size_t at = random.below(text.size());
    text[at] = static_cast<char>(random.below(256));
    const auto r = read(text);
    if (!r.ok() || !r.rejects.empty()) continue;
    CAPTURE(at, text.substr(at, 20), kLog.substr(at, 20));
    for (const char* count : {"messages", "events", "alarms"}) {
      // The words W and SxFy may become another number's.
      CHECK(std::abs(r.count(count) - clean.at(count)) <= 1);
    }
  }
}

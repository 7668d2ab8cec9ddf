// Tables of different sources become one fab: wafers joined, die judged, frames turned.

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "engine/core/text.h"
#include "hand_made_store.h"

using namespace yieldloop;
using namespace yieldloop::test;
using session::canonical_wafer;

namespace {

std::vector<std::string> labels(const FabData& data) {
  std::vector<std::string> all;
  for (std::uint32_t w = 0; w < data.wafers.size(); ++w)
    all.push_back(data.wafer_label(WaferId{w}));
  return all;
}

bool has_caveat(const session::LoadedFab& fab, std::string_view words) {
  return std::ranges::any_of(
      fab.caveats, [&](const std::string& c) { return c.find(words) != std::string::npos; });
}

/// Hard bins of the die that pass, in the order of their die.
std::vector<int> passing_bins(const FabData& data) {
  std::vector<int> bins;
  for (const DieResult& d : data.die_results) {
    if (d.pass) bins.push_back(d.hard_bin);
  }
  return bins;
}

using Labels = std::vector<std::string>;

}  // namespace

TEST_CASE("session: spellings of one wafer id", "[session]") {
  struct Case {
    const char* lot;
    const char* wafer;
    const char* canonical;
  };
  const Case c = GENERATE(values<Case>({{"L012", "W03", "3"},
                                        {"L012", "3", "3"},
                                        {"L012", "03", "3"},
                                        {"L012", "w3", "3"},
                                        {"L012", "L012-03", "3"},
                                        {"L012", "L012_W3", "3"},
                                        {"L012", "L012.3", "3"},
                                        {"L012", "L012/003", "3"},
                                        {"L012", " 07 ", "7"},
                                        {"L012", "000", "0"},
                                        {"", "W03", "3"},
                                        {"3", "3", "3"},
                                        // Not a number behind what is taken off: left alone.
                                        {"L012", "W", "W"},
                                        {"L012", "WA1", "WA1"},
                                        {"L012", "03A", "03A"},
                                        {"L012", "L01203", "L01203"},
                                        {"L012", "L013-03", "L013-03"},
                                        {"L012", "L012-", "L012-"},
                                        {"L012", "", ""}}));
  CAPTURE(c.lot, c.wafer);
  CHECK(canonical_wafer(c.lot, c.wafer) == c.canonical);
}

TEST_CASE("session: four sources that spell a wafer differently give one wafer", "[session]") {
  HandMadeStore s;
  s.put_product("P", "pass_hard_bins = [1]\n");
  s.put("lots", {lot("L012", "P")});
  s.put("wafers", {wafer("L012", "W03", 7), wafer("L012", "W04", 8)});
  s.put("lot_history", {history("L012", "3")});
  s.put("die_results", {die("L012", "L012-03", 0, 0, 1), die("L012", "L012-03", 1, 0, 5)});
  s.put("inspections", {inspection("i1", "L012", "w3")});
  s.put("defects", {defect("i1", "L012", "w3", 1, 0, 0, 1.0, 2.0)});
  const auto fab = s.load();
  REQUIRE(fab);
  const FabData& data = fab->data;
  // The strongest source's spelling is the label.
  CHECK(labels(data) == Labels{"L012/W03", "L012/W04"});
  CHECK(data.wafers[0].slot == 7);
  REQUIRE(data.step_runs.size() == 1);
  REQUIRE(data.die_results.size() == 2);
  REQUIRE(data.inspections.size() == 1);
  REQUIRE(data.defects.size() == 1);
  for (const WaferId w :
       {data.step_runs[0].wafer, data.die_results[0].wafer, data.die_results[1].wafer,
        data.inspections[0].wafer, data.defects[0].wafer}) {
    CHECK(w == WaferId{0});
  }
  CHECK_FALSE(has_caveat(*fab, "two spellings"));
}

TEST_CASE("session: two spellings within one source are named", "[session]") {
  HandMadeStore s;
  s.put("lots", {lot("L1", "P")});
  s.put("wafers", {wafer("L1", "3", 1), wafer("L1", "W03", 2), wafer("L1", "4", 3)});
  const auto fab = s.load();
  REQUIRE(fab);
  CHECK(fab->data.wafers.size() == 2);
  CHECK(has_caveat(*fab, "1 wafers come under two spellings"));
}

TEST_CASE("session: what a wafer met before its lot was split belongs to it", "[session]") {
  const auto split = [](const char* lot, const char* id, int slot, const char* mother) {
    Row row = wafer(lot, id, slot);
    row.emplace_back("parent_lot_id", mother);
    return row;
  };
  HandMadeStore s;
  s.put("lots", {lot("A", "P"), lot("A.1", "P"), lot("A.1.1", "P")});
  s.put("wafers", {wafer("A", "W1", 1), split("A.1", "W2", 2, "A"), split("A.1.1", "W3", 3, "A.1"),
                   wafer("A", "W4", 4), split("A.1", "W4", 4, "A")});
  s.put("lot_history",
        {history("A", "W1"), history("A", "W2"), history("A", "W3"), history("A.1", "W2"),
         history("A.1", "W3"), history("A.1.1", "3"), history("A", "W4"), history("A.1", "W4")});
  const auto fab = s.load();
  REQUIRE(fab);
  // Both lots list W4: then they are two wafers, whoever is wrong.
  CHECK(labels(fab->data) == Labels{"A/W1", "A/W4", "A.1/W2", "A.1/W4", "A.1.1/W3"});
  std::vector<int> runs(5, 0);
  for (const StepRun& run : fab->data.step_runs) ++runs[run.wafer.raw()];
  CHECK(runs == std::vector<int>{1, 1, 2, 1, 3});
}

TEST_CASE("session: the same numbers in different lots are different wafers", "[session]") {
  HandMadeStore s;
  s.put("lots", {lot("A", "P"), lot("B", "P")});
  s.put("wafers", {wafer("B", "1", 1), wafer("A", "1", 1), wafer("A", "02", 2)});
  s.put("lot_history", {history("B", "W1")});
  const auto fab = s.load();
  REQUIRE(fab);
  CHECK(labels(fab->data) == Labels{"A/1", "A/02", "B/1"});
  REQUIRE(fab->data.step_runs.size() == 1);
  CHECK(fab->data.step_runs[0].wafer == WaferId{2});
}

TEST_CASE("session: a lot belongs to a product by the log, the tester or the inspection",
          "[session]") {
  HandMadeStore s;
  s.put("lots", {lot("A", "P"), lot("D", "Q")});
  s.put("wafers", {wafer("A", "1", 1), wafer("B", "1", 1), wafer("C", "1", 1), wafer("D", "1", 1),
                   wafer("E", "1", 1)});
  s.put("test_runs", {{{"test_run", "t"}, {"lot_id", "B"}, {"wafer_id", "1"}, {"product", "P"}}});
  Row seen = inspection("i", "C", "1");
  seen.emplace_back("product", "P");
  s.put("inspections", {seen});

  auto snapshot = s.snapshot();
  CHECK(session::known_products(snapshot).value() == Labels{"P", "Q"});
  CHECK(labels(s.load({.product = "P"})->data) == Labels{"A/1", "B/1", "C/1"});
  CHECK(labels(s.load({.product = "Q"})->data) == Labels{"D/1"});
  CHECK(s.load_error() == "SESS-0002");
  const auto unknown = s.load({.product = "R"});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().id == "SESS-0001");
  CHECK(unknown.error().code == Errc::kNotFound);
  CHECK_THAT(unknown.error().message, Contains("\"R\"") && Contains("P, Q"));
}

TEST_CASE("session: a product file decides among part types", "[session]") {
  HandMadeStore s;
  s.put("lots", {lot("A", "P"), lot("B", "P-ENG")});
  s.put("wafers", {wafer("A", "1", 1), wafer("B", "1", 1)});
  CHECK(s.load_error() == "SESS-0002");
  s.put_product("P");
  const auto fab = s.load();
  REQUIRE(fab);
  CHECK(fab->data.product.name == "P");
  CHECK(labels(fab->data) == Labels{"A/1"});
}

TEST_CASE("session: one product file and logs that name no product", "[session]") {
  HandMadeStore s;
  s.put_product("P");
  s.put("lot_history", {history("A", "1")});
  const auto fab = s.load();
  REQUIRE(fab);
  CHECK(labels(fab->data) == Labels{"A/1"});
}

TEST_CASE("session: the newest product file counts", "[session]") {
  HandMadeStore s;
  s.put("lots", {lot("A", "P")});
  s.put("wafers", {wafer("A", "1", 1)});
  const auto toml = [](const std::string& bins) {
    return "[product]\nname = \"P\"\ndie_width_um = 1.0\ndie_height_um = 1.0\npass_hard_bins = [" +
           bins + "]\n";
  };
  s.put("products", {{{"product", "P"}, {"toml", toml("2")}, {"read_at", "2026-02-01T00:00:00Z"}}});
  s.put("products", {{{"product", "P"}, {"toml", toml("1")}, {"read_at", "2026-01-01T00:00:00Z"}}});
  CHECK(s.load()->data.product.pass_hard_bins == std::vector<int>{2});
}

TEST_CASE("session: nothing to work on is said", "[session][error]") {
  HandMadeStore s;
  CHECK(s.load_error() == "SESS-0003");
  s.put_product("P");
  CHECK(s.load_error() == "SESS-0003");  // A product without a lot.
  s.put("lots", {lot("A", "P")});
  CHECK(s.load_error() == "SESS-0003");  // A lot without a wafer.
  s.put("wafers", {wafer("A", "1", 1)});
  CHECK(s.load_error() == "");
  CHECK(s.load_error({.lots = {"B*"}}) == "SESS-0003");
}

TEST_CASE("session: scope by lots and by the last event of a wafer", "[session]") {
  HandMadeStore s;
  s.put("lots", {lot("A1", "P"), lot("A2", "P"), lot("B1", "P")});
  s.put("wafers", {wafer("B1", "9", 1)});  // Nothing tells when: always in.
  s.put("lot_history", {history("A1", "1", 10, "2026-01-02T00:00:00Z"),
                        history("A1", "2", 10, "2026-01-02T00:00:00Z"),
                        history("A1", "2", 20, "2026-01-04T00:00:00Z"),
                        history("A2", "1", 10, "2026-01-03T00:00:00Z")});
  CHECK(labels(s.load({.lots = {"A?"}})->data) == Labels{"A1/1", "A1/2", "A2/1"});
  CHECK(labels(s.load({.lots = {"A1", "B*"}})->data) == Labels{"A1/1", "A1/2", "B1/9"});
  const auto day = [](const char* text) { return *parse_iso8601(text); };
  // From is part of the scope, to is not.
  CHECK(labels(s.load({.from = day("2026-01-03")})->data) == Labels{"A1/2", "A2/1", "B1/9"});
  CHECK(labels(s.load({.to = day("2026-01-03")})->data) == Labels{"A1/1", "B1/9"});
  const auto both = s.load({.lots = {"A*"}, .from = day("2026-01-03"), .to = day("2026-01-04")});
  CHECK(labels(both->data) == Labels{"A2/1"});
  CHECK(both->data.step_runs.size() == 1);
  CHECK(s.load_error({.lots = {"A*"}, .from = day("2030-01-01")}) == "SESS-0003");
}

TEST_CASE(
    "session: which bins pass is asked of product.toml, the tester, the bin list, in this order",
    "[session]") {
  HandMadeStore s;
  s.put("lots", {lot("A", "P")});
  s.put("die_results", {die("A", "1", 0, 0, 1), die("A", "1", 1, 0, 2), die("A", "1", 2, 0, 3)});

  SECTION("nobody says") {
    const auto fab = s.load();
    REQUIRE_FALSE(fab);
    CHECK(fab.error().id == "SESS-0004");
    CHECK(fab.error().code == Errc::kNoData);
    CHECK_THAT(fab.error().message, Contains("pass_hard_bins"));
  }
  SECTION("the bin list says") {
    s.put("test_bins", {{{"test_run", "t1"}, {"kind", "hard"}, {"bin", 3}, {"pass", "P"}},
                        {{"test_run", "t1"}, {"kind", "hard"}, {"bin", 1}, {"pass", "F"}},
                        {{"test_run", "other"}, {"kind", "hard"}, {"bin", 2}, {"pass", "P"}},
                        {{"test_run", "t1"}, {"kind", "soft"}, {"bin", 2}, {"pass", "P"}}});
    CHECK(passing_bins(s.load()->data) == std::vector<int>{3});
  }
  SECTION("the tester's word is stronger than the bin list") {
    s.put("test_bins", {{{"test_run", "t1"}, {"kind", "hard"}, {"bin", 3}, {"pass", "P"}}});
    Row said = die("A", "1", 3, 0, 9);
    said.emplace_back("pass", true);
    Row denied = die("A", "1", 4, 0, 3);
    denied.emplace_back("pass", false);
    s.put("die_results", {said, denied});
    // Die (2,0), bin 3, has no word of the tester: its bin list still counts.
    CHECK(passing_bins(s.load()->data) == std::vector<int>{3, 9});
    SECTION("product.toml is stronger than both") {
      s.put_product("P", "pass_hard_bins = [1, 2]\n");
      CHECK(passing_bins(s.load()->data) == std::vector<int>{1, 2});
    }
  }
}

TEST_CASE("session: retests are resolved", "[session]") {
  HandMadeStore s;
  s.put_product("P", "pass_hard_bins = [1]\n");
  s.put("lots", {lot("A", "P")});
  Row again = die("A", "1", 0, 0, 1, "t2");
  std::ranges::find(again, "tested_at", &Row::value_type::first)->second = "2026-01-06T00:00:00Z";
  s.put("die_results", {again, die("A", "1", 0, 0, 5, "t1")});
  const auto fab = s.load();
  REQUIRE(fab->data.die_results.size() == 2);
  const DieResult& first = fab->data.die_results[0];
  const DieResult& last = fab->data.die_results[1];
  CHECK(first.hard_bin == 5);
  CHECK(first.first_pass);
  CHECK_FALSE(first.final_result);
  CHECK(last.final_result);
  CHECK(last.pass);
}

TEST_CASE("session: frames of inspections are turned notch down", "[session]") {
  struct Case {
    const char* mark;
    int quarters;  // Counter-clockwise, to bring the mark down.
  };
  const Case c = GENERATE(
      values<Case>({{"DOWN", 0}, {"LEFT", 1}, {"UP", 2}, {"RIGHT", 3}, {"left", 1}, {"", 0}}));
  CAPTURE(c.mark);
  HandMadeStore s;
  s.put("lots", {lot("A", "P")});
  s.put("inspections", {inspection("i", "A", "1", c.mark)});
  s.put("inspected_dies", {{{"inspection", "i"}, {"test", 1}, {"die_x", 2}, {"die_y", 1}},
                           {{"inspection", "i"}, {"test", 2}, {"die_x", 2}, {"die_y", 1}},
                           {{"inspection", "i"}, {"test", 1}, {"die_x", -3}, {"die_y", 0}}});
  s.put("defects", {defect("i", "A", "1", 1, 2, 1, 3.0, 4.0)});
  const auto fab = s.load();
  REQUIRE(fab);
  REQUIRE(fab->data.defects.size() == 1);
  const Defect& d = fab->data.defects.front();

  // The same place as a plane point about the centre of die (0,0), turned by hand.
  double x = 2 * 10.0 + 3.0 - 5.0, y = 1 * 20.0 + 4.0 - 10.0;
  double pitch_x = 10.0, pitch_y = 20.0;
  for (int q = 0; q < c.quarters; ++q) {
    const double turned = -y;
    y = x;
    x = turned;
    std::swap(pitch_x, pitch_y);
  }
  CHECK_THAT(d.die.x * pitch_x + d.x_um - pitch_x / 2, WithinAbs(x, 1e-9));
  CHECK_THAT(d.die.y * pitch_y + d.y_um - pitch_y / 2, WithinAbs(y, 1e-9));
  CHECK(d.x_um >= 0.0);
  CHECK(d.x_um < pitch_x);
  CHECK(d.y_um < pitch_y);

  const auto& inspected = fab->data.inspections.front().inspected;
  REQUIRE(inspected.size() == 2);  // A die of two tests is one die.
  CHECK(std::ranges::is_sorted(inspected));
  CHECK(std::ranges::find(inspected, d.die) != inspected.end());
}

TEST_CASE("session: a known turn", "[session]") {
  HandMadeStore s;
  s.put("lots", {lot("A", "P")});
  s.put("inspections", {inspection("i", "A", "1", "LEFT")});
  s.put("defects", {defect("i", "A", "1", 1, 2, 1, 3.0, 4.0)});
  const Defect d = s.load()->data.defects.front();
  CHECK(d.die == DieIndex{-1, 2});
  CHECK_THAT(d.x_um, WithinAbs(16.0, 1e-12));
  CHECK_THAT(d.y_um, WithinAbs(3.0, 1e-12));
}

TEST_CASE("session: a defect's size and class", "[session]") {
  HandMadeStore s;
  s.put("lots", {lot("A", "P")});
  s.put("inspections", {inspection("i", "A", "1"), inspection("j", "A", "2")});
  Row sized = defect("i", "A", "1", 1, 0, 0, 1.0, 1.0);
  sized.insert(sized.end(),
               {{"size_um", 0.7}, {"area_um2", 4.0}, {"size_x_um", 9.0}, {"class_number", 5}});
  Row area = defect("i", "A", "1", 2, 0, 0, 1.0, 1.0);
  area.insert(area.end(), {{"area_um2", 4.0}, {"size_x_um", 9.0}, {"class_number", 6}});
  Row box = defect("j", "A", "2", 3, 0, 0, 1.0, 1.0);
  box.insert(box.end(), {{"size_x_um", 0.3}, {"size_y_um", 0.5}, {"class_number", 5}});
  s.put("defects", {box, area, sized});
  s.put("defect_classes", {{{"inspection", "i"}, {"class_number", 5}, {"class_name", "bridge"}},
                           {{"inspection", "j"}, {"class_number", 5}, {"class_name", "scratch"}}});
  const auto fab = s.load();
  const FabData& data = fab->data;
  REQUIRE(data.defects.size() == 3);  // Sorted by inspection, then id.
  CHECK_THAT(data.defects[0].size_um, WithinAbs(0.7, 1e-12));
  CHECK_THAT(data.defects[1].size_um, WithinAbs(2.0, 1e-12));
  CHECK_THAT(data.defects[2].size_um, WithinAbs(0.5, 1e-12));
  CHECK(data.names[data.defects[0].class_name] == "bridge");
  CHECK(data.names[data.defects[1].class_name].empty());
  CHECK(data.names[data.defects[2].class_name] ==
        "scratch");  // Numbers mean what their own file says.
}

TEST_CASE("session: what could not be joined is said", "[session]") {
  HandMadeStore s;
  s.put_product("P", "pass_hard_bins = [1]\n", "p.gds");
  s.put("lots", {lot("A", "P")});
  s.put("lot_history", {history("A", "1"), history("A", "2")});
  s.put("die_results", {die("A", "2", 0, 0, 1), die("A", "3", 0, 0, 1)});
  s.put("inspections", {inspection("i", "A", "1"), inspection("j", "A", "2")});
  const auto fab = s.load();
  REQUIRE(fab);
  CHECK(has_caveat(*fab, "1 of 2 tested wafers have no lot history"));
  CHECK(has_caveat(*fab, "1 of 2 processed wafers have no test result"));
  CHECK(has_caveat(*fab, "1 of 2 inspected wafers have no test result"));
  CHECK(has_caveat(*fab, "The layout p.gds that product.toml names was not ingested"));
  CHECK(fab->layout_digest.empty());
}

TEST_CASE("session: the layout is found, packed or not", "[session]") {
  const std::string name = GENERATE("p.gds", "p.gds.gz");
  HandMadeStore s;
  s.put_product("P", "", "p.gds");
  s.put("lots", {lot("A", "P")});
  s.put("wafers", {wafer("A", "1", 1)});
  s.put("layouts", {{{"layout", "abc"}, {"file_name", name}}});
  const auto fab = s.load();
  REQUIRE(fab);
  CHECK(fab->layout_digest == "abc");
  CHECK(fab->caveats.empty());
}

TEST_CASE("session: without a product file that is said", "[session]") {
  HandMadeStore s;
  s.put("lots", {lot("A", "P")});
  s.put("wafers", {wafer("A", "1", 1)});
  CHECK(has_caveat(*s.load(), "No product.toml was ingested for P"));
}

TEST_CASE("session: the order of files does not change what is loaded", "[session]") {
  const auto fill = [](HandMadeStore& s, bool backwards) {
    std::vector<std::function<void()>> parts = {
        [&] {
          s.put("lots", {lot("A", "P"), lot("B", "P")});
        },
        [&] {
          s.put("lot_history", {history("A", "1", 10), history("B", "1", 10)});
        },
        [&] {
          s.put("lot_history", {history("B", "1", 20), history("A", "1", 20)});
        },
        [&] {
          s.put("die_results", {die("A", "1", 1, 0, 1, "t1"), die("A", "1", 0, 0, 1, "t1")});
        },
        [&] { s.put("die_results", {die("B", "W01", 0, 0, 1, "t2")}); },
        [&] { s.put("inspections", {inspection("i", "A", "1")}); },
        [&] { s.put("inspections", {inspection("j", "B", "1")}); },
        [&] {
          s.put("defects",
                {defect("j", "B", "1", 2, 0, 0, 1, 1), defect("j", "B", "1", 1, 0, 0, 1, 1)});
        },
        [&] { s.put("defects", {defect("i", "A", "1", 1, 0, 0, 1, 1)}); }};
    if (backwards) std::ranges::reverse(parts);
    s.put_product("P", "pass_hard_bins = [1]\n");
    for (const auto& part : parts) part();
  };
  HandMadeStore forwards, backwards;
  fill(forwards, false);
  fill(backwards, true);
  const auto a = forwards.load(), b = backwards.load();
  REQUIRE(a);
  REQUIRE(b);
  CHECK(labels(a->data) == labels(b->data));
  const auto keys = [](const FabData& data) {
    std::vector<std::string> all;
    for (const StepRun& r : data.step_runs)
      all.push_back(fmt::format("s {} {}", r.wafer.raw(), r.step_seq));
    for (const DieResult& d : data.die_results)
      all.push_back(fmt::format("d {} {} {}", d.wafer.raw(), d.die.x, data.names[d.test_run]));
    for (const Inspection& i : data.inspections) all.push_back("i " + i.id);
    for (const Defect& d : data.defects)
      all.push_back(fmt::format("f {} {}", d.inspection, d.defect_id));
    return all;
  };
  CHECK(keys(a->data) == keys(b->data));
}

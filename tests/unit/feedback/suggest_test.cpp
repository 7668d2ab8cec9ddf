#include "engine/feedback/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "catch_portable.h"
#include "engine/feedback/action_rules.h"
#include "engine/feedback/gds_markers.h"
#include "engine/feedback/lyrdb.h"
#include "engine/feedback/portfolio.h"

using namespace yieldloop;
using namespace yieldloop::feedback;

namespace {

Finding finding(std::string id, std::string kind, std::map<std::string, std::string> subject,
                double loss_total, std::vector<std::string> wafers = {}) {
  Finding f;
  f.id = std::move(id);
  f.kind = std::move(kind);
  f.subject = std::move(subject);
  f.die_per_wafer = -20.0;
  f.die_per_wafer_ci = {-25.0, -15.0};
  f.loss_die_total = loss_total;
  f.confidence = 0.9;
  f.wafers = std::move(wafers);
  return f;
}

Product product(bool prices) {
  Product p;
  p.name = "P";
  p.layers.push_back({.name = "M1", .kind = LayerKind::kMetal, .gds_layer = 31});
  p.layers.push_back(
      {.name = "VIA1", .kind = LayerKind::kVia, .gds_layer = 32, .connects = {"M1", "M2"}});
  if (prices) p.economics = {4.0, 3000.0, 120000.0, 400.0};
  return p;
}

FindingsDocument document() {
  FindingsDocument d;
  d.product = "P";
  d.wafers = 100;
  d.baseline.die = 30000;
  d.findings.push_back(
      finding("f-1", "layout_pattern", {{"layer", "M1"}, {"pattern_id", "p-1"}}, 800.0));
  d.findings.push_back(finding("f-2", "chamber",
                               {{"step", "M1_ETCH"}, {"tool", "E2"}, {"chamber", "B"}}, 500.0,
                               {"L1/W1", "L1/W2"}));
  d.findings.push_back(finding("f-3", "test_artefact", {{"site", "3"}}, 200.0));
  return d;
}

const Suggestion* find(const SuggestionsDocument& d, const std::string& action) {
  const auto it = std::ranges::find(d.suggestions, action, &Suggestion::action);
  return it == d.suggestions.end() ? nullptr : &*it;
}

}  // namespace

TEST_CASE("suggest: the largest gain comes first and says what it rests on", "[feedback]") {
  const auto d = suggest(document(), product(true));
  REQUIRE(d.suggestions.size() == 6);
  const Suggestion& first = d.suggestions[0];
  CHECK(first.action == "widen_space");
  CHECK(first.side == "design");
  CHECK(first.rank == 1);
  CHECK_THAT(first.good_die_per_wafer, WithinAbs(8.0, 1e-12));
  CHECK_THAT(first.good_die_per_wafer_ci.low, WithinAbs(6.0, 1e-12));    // 8 * 15/20
  CHECK_THAT(first.good_die_per_wafer_ci.high, WithinAbs(10.0, 1e-12));  // 8 * 25/20
  CHECK_THAT(first.money_per_week.value(), WithinAbs(8.0 * 4.0 * 400.0, 1e-9));
  CHECK(first.cost_layers == std::vector<std::string>{"M1"});
  CHECK(first.cost_money == 120000.0);
  CHECK(first.because == std::vector<std::string>{"f-1"});
  CHECK_THAT(first.side_effects.at("shorts"), WithinAbs(-std::log(300.0 / 292.0), 1e-12));
  CHECK(first.side_effects.count("opens") == 0);
  const Suggestion* hold = find(d, "hold_tool");
  REQUIRE(hold);
  CHECK(hold->alternatives.size() == 1);
  CHECK(hold->alternatives[0] == find(d, "maintain_tool")->id);
  CHECK(hold->rank < find(d, "maintain_tool")->rank);
  CHECK(find(d, "recalibrate_site")->side == "test");
  for (const Suggestion& s : d.suggestions) {
    CHECK_FALSE(s.disproved_by.empty());
    CHECK_FALSE(s.statement.empty());
    CHECK(std::ranges::find(suggestion_actions(), std::pair{s.side, s.action}) !=
          suggestion_actions().end());
  }
  CHECK(d == suggest(document(), product(true)));
}

TEST_CASE("suggest: every kind of finding has an answer known to the contract", "[feedback]") {
  for (const char* kind : {"tool",
                           "chamber",
                           "recipe",
                           "reticle",
                           "slot_or_position",
                           "queue_time",
                           "sensor_drift",
                           "metrology",
                           "maintenance",
                           "time_change",
                           "signature",
                           "repeater",
                           "layout_pattern",
                           "layout_feature",
                           "via",
                           "net_or_cell",
                           "design_process_interaction",
                           "test_artefact",
                           "outlier_wafer",
                           "assembly",
                           "supplier_lot"}) {
    const auto choices = actions_for(finding("f", kind, {}, 1.0));
    REQUIRE_FALSE(choices.empty());
    for (const ActionChoice& c : choices) {
      CHECK(std::ranges::find(suggestion_actions(), std::pair{c.side, c.action}) !=
            suggestion_actions().end());
    }
  }
  CHECK(actions_for(finding("f", "tool", {{"from", "2026-01-01T00:00:00Z"}}, 1.0))[0].action ==
        "maintain_tool");
  CHECK(actions_for(finding("f", "layout_feature", {{"feature", "single_via"}}, 1.0))[0].action ==
        "double_via");
}

TEST_CASE("suggest: an interaction is answered on both sides, each for its own gain",
          "[feedback]") {
  FindingsDocument d = document();
  d.findings = {finding("f-7", "design_process_interaction",
                        {{"layer", "M1"},
                         {"pattern_id", "p-1"},
                         {"feature", "line_end_gap"},
                         {"step", "M1_ETCH"},
                         {"tool", "E2"},
                         {"chamber", "B"}},
                        200.0)};
  d.findings[0].evidence.push_back({.analysis = "interaction",
                                    .detail = {{"design_gain", 2.0},
                                               {"design_gain_low", 1.5},
                                               {"design_gain_high", 2.5},
                                               {"process_gain", 1.2},
                                               {"process_gain_low", 0.8},
                                               {"process_gain_high", 1.6}}});
  const auto s = suggest(d, product(false));
  const Suggestion* widen = find(s, "widen_space");
  const Suggestion* hold = find(s, "hold_tool");
  REQUIRE(widen);
  REQUIRE(hold);
  REQUIRE(find(s, "replace_pattern"));
  REQUIRE(find(s, "maintain_tool"));
  CHECK(widen->good_die_per_wafer == 2.0);
  CHECK(widen->good_die_per_wafer_ci == Interval{1.5, 2.5});
  CHECK(widen->subject.at("pattern_id") == "p-1");
  CHECK(!widen->subject.contains("tool"));
  CHECK(hold->good_die_per_wafer == 1.2);
  CHECK(hold->subject.at("chamber") == "B");
  CHECK(!hold->subject.contains("pattern_id"));
  CHECK(std::ranges::find(hold->alternatives, widen->id) != hold->alternatives.end());
  d.findings[0].subject = {{"layer", "M1"}, {"pattern_id", "p-1"}, {"recipe", "R7"}};
  CHECK(find(suggest(d, product(false)), "change_recipe")->subject.at("recipe") == "R7");
}

TEST_CASE("suggest: one cause found twice is not gained twice", "[feedback]") {
  FindingsDocument d = document();
  d.findings = {d.findings[1]};
  d.findings.push_back(
      finding("f-9", "signature", {{"signature", "edge_ring"}}, 450.0, {"L1/W1", "L1/W2"}));
  const auto s = suggest(d, product(false));
  CHECK(s.suggestions.size() == 4);
  CHECK(s.suggestions[0].alternatives.size() == 3);
  CHECK(s.portfolio.chosen.size() == 1);
  CHECK_THAT(s.portfolio.good_die_per_wafer, WithinAbs(5.0, 1e-12));
}

TEST_CASE("suggest: widening a space is charged with the opens it makes", "[feedback]") {
  FeedbackOptions options;
  options.geometry["f-1"] = {0.2, 1.0, 0.2, 0.1};
  options.risks["M1"] = {1e4, 0.05};
  FindingsDocument d = document();
  d.findings[0].locations_total = 1000;
  const auto s = suggest(d, product(false), options);
  // 1000 um of facing length: 12.5 um^2 more critical area, times 1e4 per cm^2.
  CHECK_THAT(s.suggestions[0].side_effects.at("opens"), WithinAbs(12.5e-8 * 1e4, 1e-12));
  CHECK_THAT(s.suggestions[0].side_effects.at("net_lambda"),
             WithinAbs(-std::log(300.0 / 292.0) + 12.5e-4, 1e-12));
}

TEST_CASE("suggest: no finding, no suggestion, and it says so", "[feedback]") {
  const auto d = suggest({}, product(true));
  CHECK(d.suggestions.empty());
  REQUIRE(d.notes.size() == 1);
  CHECK_THAT(d.notes[0], Contains("No finding"));
  CHECK(nlohmann::json::parse(suggestions_json(d))["suggestions"].empty());
}

TEST_CASE("suggest: the JSON holds the contract's keys", "[feedback][json]") {
  const auto j = nlohmann::json::parse(suggestions_json(suggest(document(), product(true))));
  CHECK(j["schema"] == "yieldloop.suggestions/1");
  const auto& s = j["suggestions"][0];
  for (const char* key :
       {"rank", "id", "side", "action", "subject", "because", "expected_gain", "cost", "confidence",
        "edits", "markers", "side_effects", "disproved_by", "alternatives"}) {
    CHECK(s.contains(key));
  }
  CHECK(s["expected_gain"]["ci95"].size() == 2);
  CHECK(s["cost"]["kind"] == "mask_layers");
  CHECK(s["side_effects"]["opens"].is_null());
  for (const char* key : {"budget", "chosen", "expected_gain", "frontier"}) {
    CHECK(j["portfolio"].contains(key));
  }
}

TEST_CASE("portfolio: shared masks are paid once and the choice is the best there is",
          "[feedback][portfolio]") {
  const std::vector<PortfolioItem> items{{"a", 0, {"M1"}, 5.0, {4.0, 6.0}},
                                         {"b", 1, {"M1", "V1"}, 4.0, {3.0, 5.0}},
                                         {"c", 2, {"V1"}, 3.0, {2.0, 4.0}},
                                         {"d", 3, {"M5"}, 6.0, {5.0, 7.0}},
                                         {"e", 0, {}, 4.0, {3.0, 5.0}}};
  const auto two = choose_portfolio(items, {std::nullopt, 2}, {});
  CHECK(two.chosen == std::vector<std::string>{"c", "d", "e"});  // 13; M1 and V1 bring 12.
  CHECK_THAT(two.good_die_per_wafer, WithinAbs(13.0, 1e-12));
  const auto none = choose_portfolio(items, {0.0, std::nullopt}, {100.0, 1.0, 26.0});
  CHECK(none.chosen == std::vector<std::string>{"e"});
  const auto free = choose_portfolio(items, {}, {100.0, 1.0, 26.0});
  // All three masks: 18 * 26 - 300 = 168; M5 alone: 10 * 26 - 100 = 160.
  CHECK(free.chosen == std::vector<std::string>{"a", "b", "c", "d"});
  REQUIRE(free.frontier.size() == 4);
  for (std::size_t i = 1; i < free.frontier.size(); ++i) {
    CHECK(free.frontier[i].cost > free.frontier[i - 1].cost);
    CHECK(free.frontier[i].good_die_per_wafer > free.frontier[i - 1].good_die_per_wafer);
  }
}

TEST_CASE("lyrdb: declared first, quoted always, in um", "[feedback][lyrdb]") {
  FindingsDocument d = document();
  d.findings[0].rank = 1;
  d.findings[0].statement = "M1 isn't wide <enough> at 3 um";
  d.findings[0].locations = {{"M1", 1.5, 2.0, 0.2, 0.4}};
  const auto text = lyrdb_text(markers_of(d, "TOP CELL")).value();
  CHECK(text.find("<categories>") < text.find("<cells>"));
  CHECK(text.find("<cells>") < text.find("<items>"));
  CHECK_THAT(text, Contains("<value>box: (1.5000,2.0000;1.7000,2.4000)</value>"));
  CHECK_THAT(text, Contains("text: &#39;M1 isn\\&#39;t wide &lt;enough&gt; at 3 um&#39;") ||
                       Contains("text: &apos;M1 isn\\&apos;t wide &lt;enough&gt; at 3 um&apos;"));
  MarkerDatabase bad = markers_of(d, "TOP");
  bad.items[0].x_um = std::numeric_limits<double>::quiet_NaN();
  CHECK(lyrdb_text(bad).error().id == "LYRD-0001");
  bad = markers_of(d, "TOP");
  bad.items[0].category = 9;
  CHECK(lyrdb_text(bad).error().id == "LYRD-0002");
  CHECK(lyrdb_text(markers_of(d, "")).error().id == "LYRD-0003");
  CHECK(markers_of(d, "TOP", 0).items.empty());
}

TEST_CASE("gds markers: units and records as the format wants them", "[feedback][gds]") {
  const std::vector<MarkerRectangle> one{{900, 1, -1.0, 2.0, 0.5, 0.25}};
  const auto bytes = gds_markers("MARKS", one).value();
  CHECK(bytes.size() % 2 == 0);
  // UNITS 1e-3 and 1e-9 in excess-64: 3E4189374BC6A7F0 (rounded up) and 3944B82FA09B5A54.
  std::string hex;
  for (const auto b : bytes) hex += fmt::format("{:02x}", std::to_integer<unsigned>(b));
  CHECK_THAT(hex,
             Contains("00140305") && Contains("3e4189374bc6a7f") && Contains("3944b82fa09b5a5"));
  CHECK_THAT(hex, Contains("00060d020384"));              // LAYER 900
  CHECK_THAT(hex, Contains("002c1003fffffc18000007d0"));  // XY (-1000, 2000)
  CHECK(gds_markers("", one).error().id == "GDSM-0001");
  CHECK(gds_markers("M", std::vector<MarkerRectangle>{{1, 0, 0, 0, 0, 1}}).error().id ==
        "GDSM-0001");
}

#include "engine/findings/findings_json.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "catch_portable.h"
#include "engine/findings/candidate.h"

using namespace yieldloop;

namespace {

FindingsDocument example() {
  Finding f{.rank = 1,
            .id = "f-0123456789ab",
            .kind = "chamber",
            .subject = {{"step", "M1_ETCH"}, {"tool", "ETCH02"}, {"chamber", "B"}},
            .statement = "Wafers through ETCH02/B lose die",
            .die_per_wafer = -24.4,
            .die_per_wafer_ci = {-27.0, -21.9},
            .loss_die_total = 2684,
            .q_value = 1.2e-19,
            .confidence = 0.99,
            .evidence = {{"commonality", "lot contrast", {110, 890}, 1e-22, {{"effect", -24.4}}}},
            .confounded_with = {{{"tool", "ETCH07"}}},
            .wafers = {"L012/W03"}};
  f.locations = {{"M1", 1.5, 2.5, 0.25, 0.5}};
  f.locations_total = 412;
  f.rate_per_opportunity = 3e-5;
  f.rate_per_opportunity_ci = {2e-5, 4e-5};
  f.rate_ratio = 9.0;
  f.rate_ratio_ci = {7.0, std::numeric_limits<double>::infinity()};
  f.attributable_defects = 321.5;
  FindingsDocument d;
  d.product = "DEMO28";
  d.wafers = 1000;
  d.lots = 40;
  d.baseline = {0.873, {0.869, 0.877}, 400'000};
  d.findings = {f};
  d.undecided = {{{{{"step", "A"}, {"tool", "T1"}}, {{"step", "B"}, {"tool", "T7"}}},
                  "routing never separates them",
                  "split the next lots"}};
  d.alarm_budget = {0.05, 0.04};
  d.caveats = {"One lot has no history."};
  return d;
}

}  // namespace

TEST_CASE("findings document: what is written is read back, open intervals included",
          "[findings]") {
  const FindingsDocument d = example();
  const auto back = findings::document_from_json(findings::to_json(d));
  REQUIRE(back);
  CHECK(*back == d);
  CHECK(findings::finding_from_json(findings::to_json(d.findings[0])).value() == d.findings[0]);
}

TEST_CASE("findings document: it has the fields of its contract", "[findings]") {
  const auto json = nlohmann::json::parse(findings::to_json(example()));
  CHECK(json.at("schema") == "yieldloop.findings/1");
  CHECK(json.at("scope").at("lots") == 40);
  CHECK(json.at("baseline").at("ci95").at(1) == 0.877);
  const auto& f = json.at("findings").at(0);
  CHECK(f.at("effect").at("die_per_wafer") == -24.4);
  CHECK(f.at("evidence").at(0).at("n").at(1) == 890);
  CHECK(f.at("locations").at(0).at("w") == 0.25);
  CHECK(json.at("alarm_budget").at("measured_on_shuffled") == 0.04);
  CHECK(json.at("undecided").at(0).at("candidates").size() == 2);
}

TEST_CASE("findings document: names that are no UTF-8 do not break it", "[findings]") {
  FindingsDocument d = example();
  d.findings[0].subject["tool"] = "ETCH\xff\"<script>";
  const auto json = nlohmann::json::parse(findings::to_json(d));
  CHECK(json.at("findings").at(0).at("subject").at("tool") == "ETCH\xef\xbf\xbd\"<script>");
}

TEST_CASE("findings document: other texts are refused", "[findings][error]") {
  for (const char* text :
       {"", "[]", "{}", R"({"schema":"yieldloop.findings/2"})", "{\"schema\":"}) {
    CAPTURE(text);
    CHECK(findings::document_from_json(text).error().id == "FIND-0001");
  }
  CHECK(findings::finding_from_json("{}").error().id == "FIND-0002");
}

TEST_CASE("finding id: it names kind and subject, not the onset", "[findings]") {
  const auto id =
      findings::finding_id("chamber", {{"tool", "A"}, {"from", "2026-03-14T00:00:00Z"}});
  CHECK(id == findings::finding_id("chamber", {{"tool", "A"}, {"from", "2026-03-15T00:00:00Z"}}));
  CHECK(id != findings::finding_id("tool", {{"tool", "A"}}));
  CHECK(id != findings::finding_id("chamber", {{"tool", "B"}}));
  CHECK(id.size() == 14);
}

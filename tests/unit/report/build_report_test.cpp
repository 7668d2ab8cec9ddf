#include "engine/report/build_report.h"

#include <nlohmann/json.hpp>

#include "catch_portable.h"
#include "engine/report/control_limits.h"
#include "engine/report/report_json.h"
#include "tests/unit/report/report_fab.h"

using namespace yieldloop;
using namespace yieldloop::report;
using namespace yieldloop::test;

namespace {

ReportContent built(const ReportOptions& options = report_options()) {
  return build_report(report_fab(), report_findings(), report_suggestions(), options).value();
}

}  // namespace

TEST_CASE("report: the night's lots against the earlier ones", "[report]") {
  const ReportContent content = built();
  REQUIRE(content.lots.size() == 1);
  CHECK(content.lots[0].lot == "L008");
  CHECK(content.lots[0].tested == 300);
  CHECK_THAT(content.lots[0].final_yield, WithinAbs(0.6, 1e-12));
  CHECK(content.trend.size() == 8);
  REQUIRE(content.headline.baseline);
  CHECK(content.headline.baseline->tested == 2100);
  CHECK_THAT(content.headline.baseline->yield, WithinAbs(0.9, 1e-12));
  // 0.9 * 300 - 180.
  CHECK_THAT(content.headline.die_lost, WithinAbs(90, 1e-9));
  CHECK(content.headline.status == ReportStatus::kAlarm);
  CHECK_THAT(content.headline.sentence, Contains("60.0 %") && Contains("90 dies were lost"));
}

TEST_CASE("report: first pass and final are both named and differ by the retest", "[report]") {
  ReportOptions options = report_options();
  options.night = "2026-03-08";
  const ReportContent content = built(options);
  REQUIRE(content.lots.size() == 1);
  CHECK_THAT(content.lots[0].first_pass, WithinAbs(269.0 / 300, 1e-12));
  CHECK_THAT(content.lots[0].final_yield, WithinAbs(270.0 / 300, 1e-12));
  CHECK(content.lots[0].flags == std::vector<std::string>{"retest changed 1 die"});
  // Nothing came before, and what came after the night is not in the report.
  CHECK_FALSE(content.headline.baseline);
  CHECK(content.trend.size() == 1);
}

TEST_CASE("report: the lot that left its limit is an excursion with its dies", "[report]") {
  const ReportContent content = built();
  REQUIRE(content.excursions.size() >= 1);
  CHECK(content.excursions[0].first_lot == "L008");
  CHECK_THAT(content.excursions[0].die_lost, WithinAbs(90, 1e-9));
  const auto bin =
      std::find_if(content.excursions.begin(), content.excursions.end(),
                   [](const Excursion& e) { return e.subject == "bin 7 in lot L008"; });
  REQUIRE(bin != content.excursions.end());
  CHECK_THAT(bin->value, WithinAbs(0.3, 1e-12));
  CHECK(content.lots[0].excursion);
}

TEST_CASE("report: the bins' dies sum to the failed dies and know their baseline", "[report]") {
  const ReportContent content = built();
  REQUIRE(content.bins.size() == 2);
  CHECK(content.bins[0].bin == 7);
  CHECK(content.bins[0].name == "leakage");
  CHECK(content.bins[0].die == 90);
  CHECK(content.bins[0].expected == 0.0);
  CHECK_THAT(*content.bins[1].expected, WithinAbs(30, 1e-9));
  CHECK(content.bins[1].cumulative == 1.0);
}

TEST_CASE("report: drivers carry maps of the wafers that met them and of the others", "[report]") {
  const ReportContent content = built();
  REQUIRE(content.drivers.size() == 2);
  CHECK(content.drivers[0].owner == "M1_ETCH");
  CHECK(content.drivers[1].owner == "design");
  std::int64_t affected = 0, others = 0;
  for (const StackedDie& die : content.drivers[0].affected) affected += die.n;
  for (const StackedDie& die : content.drivers[0].others) others += die.n;
  CHECK(affected == 300);
  CHECK(others == 2100);
  CHECK(content.suspects.size() == 1);
  REQUIRE(content.hotspots.size() == 1);
  CHECK(content.hotspots[0].clip);
  CHECK(content.suggestions[0].because[0] == report_findings().findings[0].statement);
}

TEST_CASE("report: new and closed findings against the last report", "[report]") {
  ReportOptions options = report_options();
  options.previous = report_findings();
  options.previous->findings[1].id = "f-gone";
  options.previous->findings[1].statement = "An old finding";
  const ReportContent content = built(options);
  CHECK_FALSE(content.drivers[0].is_new);
  CHECK(content.drivers[1].is_new);
  CHECK(content.closed == std::vector<std::string>{"An old finding"});
}

TEST_CASE("report: a quiet night says that nothing happened", "[report]") {
  FabData data = report_fab(9);
  ReportOptions options = report_options();
  options.night = "2026-03-15";  // The eighth of nine lots: not the bad one.
  const ReportContent content = build_report(data, {}, {}, options).value();
  CHECK(content.headline.status == ReportStatus::kNormal);
  CHECK_THAT(content.headline.sentence, Contains("Nothing left its limits and no cause of loss"));
  options.night = "2027-01-01";
  const ReportContent none = build_report(data, {}, {}, options).value();
  CHECK(none.headline.status == ReportStatus::kNoNewData);
  CHECK_THAT(none.headline.sentence, Contains("No new test results"));
}

TEST_CASE("report: no data at all is a report, not an error", "[report]") {
  const auto content = build_report(FabData{}, {}, {});
  REQUIRE(content);
  CHECK(content->headline.status == ReportStatus::kNoNewData);
  CHECK(content->maps.empty());
}

TEST_CASE("report: the order of rows does not matter", "[report]") {
  FabData data = report_fab();
  const auto forward = report_json(built());
  std::ranges::reverse(data.die_results);
  const auto content =
      build_report(data, report_findings(), report_suggestions(), report_options()).value();
  CHECK(report_json(content) == forward);
}

TEST_CASE("report: options it refuses", "[report][error]") {
  const auto refused = [](auto change) {
    ReportOptions options;
    change(options);
    return build_report(FabData{}, {}, {}, options).error().id;
  };
  CHECK(refused([](ReportOptions& o) { o.night = "tonight"; }) == "REPT-0001");
  CHECK(refused([](ReportOptions& o) { o.night = "2026-02-30"; }) == "REPT-0001");
  CHECK(refused([](ReportOptions& o) { o.top_drivers = 0; }) == "REPT-0002");
  CHECK(refused([](ReportOptions& o) { o.max_maps = 1001; }) == "REPT-0002");
}

TEST_CASE("report json: the keys of the contract, readable and repeatable", "[report][json]") {
  const std::string text = report_json(built());
  CHECK(text == report_json(built()));
  const auto json = nlohmann::json::parse(text);
  CHECK(json["schema"] == "yieldloop.report/1");
  for (const char* key : {"headline", "lots", "excursions", "loss_drivers", "bins", "suspects",
                          "defect_density", "hotspots", "suggestions", "caveats", "provenance"}) {
    CHECK(json.contains(key));
  }
  CHECK(json["provenance"]["config_sha256"].get<std::string>().size() == 64);
  CHECK(json["headline"]["status"] == "alarm");
}

TEST_CASE("report json: text that is not UTF-8 and numbers that are not finite", "[report][json]") {
  ReportContent content = built();
  content.caveats.push_back("torn \xff\xfe");
  content.drivers[0].finding.die_per_wafer_ci = {-INFINITY, 3};
  const auto json = nlohmann::json::parse(report_json(content));
  CHECK(json["loss_drivers"][0]["finding"]["die_per_wafer_ci95"][0].is_null());
}

TEST_CASE("control limits: one bad lot does not widen them", "[report][limits]") {
  const std::vector<double> quiet{1, 2, 1, 2, 1, 2, 1};
  CHECK_THAT(individuals_limits(quiet)->sigma, WithinAbs(1 / 0.9539, 1e-12));
  CHECK(individuals_limits(quiet)->centre == 1);
  std::vector<double> shocked = quiet;
  shocked[3] = 100;
  CHECK(individuals_limits(shocked)->sigma == individuals_limits(quiet)->sigma);
  CHECK_FALSE(individuals_limits(std::vector<double>{1, 2, 3, 4}));
  // Median 3, absolute deviations 2 1 0 1 97: their median is 1.
  CHECK_THAT(robust_limits(std::vector<double>{1, 2, 3, 4, 100})->sigma,
             WithinAbs(1 / 0.6745, 1e-12));
}

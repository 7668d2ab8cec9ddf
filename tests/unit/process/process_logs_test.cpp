#include <algorithm>
#include <limits>

#include "catch_portable.h"
#include "engine/process/maintenance_match.h"
#include "engine/process/queue_time.h"
#include "engine/process/sensor_correlation.h"
#include "virtual_lots.h"

using namespace yieldloop;
using namespace yieldloop::process;
using test::LotsOptions;
using test::make_lots;
using test::make_yield;
using test::run_at;

TEST_CASE("queue time: the planted limit is recommended and its interval holds it",
          "[process][queue_time]") {
  const LotsOptions o{.lots = 24, .wafers = 10, .steps = 5, .seed = 6};
  const FabData data = make_lots(o);
  const auto r =
      queue_time_effects(data, make_yield(data, o, [&](std::size_t w) {
                           return run_at(data, w, "S2").queue_minutes > 120 ? -0.08 : 0.0;
                         }));
  REQUIRE(r);
  CHECK(r->family == 5);
  const QueueTimeEffect& top = r->steps.front();
  CHECK(data.names[top.step] == "S2");
  CHECK(top.harmful);
  CHECK(top.q_value < 0.001);
  CHECK(top.permutation_p <= 0.01);
  CHECK_THAT(top.limit_minutes, WithinAbs(120, 15));
  CHECK(top.limit_ci.low <= 120);
  CHECK(top.limit_ci.high >= 120);
  CHECK(top.effect_ci.low <= -24 + 6);
  CHECK(top.effect_ci.high < 0);
  CHECK(r->steps[1].q_value > 0.01);
}

TEST_CASE("queue time: null fabs rarely give a limit", "[process][queue_time][null]") {
  int alarms = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const LotsOptions o{.lots = 12, .wafers = 8, .steps = 5, .seed = seed};
    const FabData data = make_lots(o);
    const auto r = queue_time_effects(data, make_yield(data, o, [](std::size_t) { return 0.0; }),
                                      {.permutations = 0});
    alarms += r->steps.front().q_value <= 0.05;
  }
  CHECK(alarms <= 10);
}

TEST_CASE("queue time: what it refuses", "[process][queue_time][error]") {
  const LotsOptions o{.lots = 4, .wafers = 5, .steps = 2};
  FabData data = make_lots(o);
  Response response = make_yield(data, o, [](std::size_t) { return 0.0; });
  CHECK(queue_time_effects(data, response, {.alpha = 0}).error().id == "QTIM-0001");
  for (StepRun& run : data.step_runs) run.queue_minutes = -1;
  CHECK(queue_time_effects(data, response).error().id == "QTIM-0003");
  response.value.pop_back();
  CHECK(queue_time_effects(data, response).error().id == "QTIM-0002");
}

namespace {

/// Five sensors at one step; sensor P0 is `link` parts response and the rest noise. Each lot
/// drifts in every sensor.
FabData with_sensors(FabData data, const Response& response, double link, std::uint64_t seed) {
  Random random(seed);
  std::map<NameId, double> drift;
  for (std::uint32_t w = 0; w < data.wafers.size(); ++w) {
    for (int s = 0; s < 5; ++s) {
      FdcValue v;
      v.wafer = WaferId{w};
      v.step = data.names.intern("ETCH");
      v.sensor = data.names.intern("P" + std::to_string(s));
      v.statistic = data.names.intern("mean");
      const NameId key =
          data.names.intern("d" + std::to_string(s) + data.names[data.wafers[w].lot]);
      const double lot = drift.try_emplace(key, random.normal()).first->second;
      v.value = 100 + lot + random.normal() + (s == 0 ? link * (response.value[w] - 0.9) : 0.0);
      data.fdc.push_back(v);
    }
  }
  return data;
}

}  // namespace

TEST_CASE("sensors: the linked one ranks first, lots that drift alike are no evidence",
          "[process][sensor]") {
  const LotsOptions o{.lots = 15, .wafers = 10, .steps = 1, .lot_sd = 0.04, .seed = 5};
  const FabData base = make_lots(o);
  const Response response = make_yield(base, o, [](std::size_t) { return 0.0; });
  const FabData data = with_sensors(base, response, -30, 9);
  const auto r = sensor_correlations(data, response);
  REQUIRE(r);
  CHECK(r->family == 5);
  CHECK(data.names[r->columns[0].sensor] == "P0");
  CHECK(r->columns[0].q_value < 0.01);
  CHECK(r->columns[0].effect_per_sd < 0);
  CHECK(r->columns[0].effect_ci.high < 0);
  int alarms = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const FabData null = with_sensors(base, response, 0, seed);
    alarms += sensor_correlations(null, response)->columns[0].q_value <= 0.05;
  }
  CHECK(alarms <= 11);
}

TEST_CASE("sensors: what they refuse", "[process][sensor][error]") {
  const LotsOptions o{.lots = 4, .wafers = 5, .steps = 1};
  const FabData data = make_lots(o);
  Response response = make_yield(data, o, [](std::size_t) { return 0.0; });
  CHECK(sensor_correlations(data, response).error().id == "SENS-0002");
  response.value.pop_back();
  CHECK(sensor_correlations(data, response).error().id == "SENS-0001");
}

TEST_CASE("maintenance: the last event of the chamber before the onset", "[process]") {
  const LotsOptions o{.lots = 10, .wafers = 4, .steps = 1, .tools = 1};
  FabData data = make_lots(o);
  const NameId tool = data.names.find("T00"), a = data.names.find("A"), b = data.names.find("B");
  const std::int64_t start = 1'700'000'000 * kMicrosPerSecond;
  const auto event = [&](NameId chamber, std::int64_t hours) {
    MaintenanceEvent e;
    e.tool = tool;
    e.chamber = chamber;
    e.event = data.names.intern("pm");
    e.at = {start + hours * test::kHour};
    data.maintenance.push_back(e);
  };
  event(a, 10);
  event(b, 40);
  event(NameId{}, 30);
  event(a, 60);
  const UtcMicros onset{start + 50 * test::kHour};
  const auto match = nearest_maintenance(data, tool, a, onset);
  REQUIRE(match);
  CHECK(match->event == 2);  // Of the whole tool; b's is another chamber, the last is later.
  CHECK_THAT(match->hours_before, WithinAbs(20, 1e-9));
  CHECK(match->chance < 0.5);
  CHECK_FALSE(nearest_maintenance(data, tool, a, onset, 5));
  CHECK_FALSE(nearest_maintenance(data, tool, a, UtcMicros{}));
}

TEST_CASE("responses: bins and defects count what they say", "[process][response]") {
  FabData data;
  const NameId lot = data.names.intern("L"), step = data.names.intern("INSP");
  for (int w = 0; w < 2; ++w) {
    Wafer wafer;
    wafer.lot = lot;
    data.wafers.push_back(wafer);
    for (std::int16_t x = 0; x < 4; ++x) {
      DieResult r;
      r.wafer = WaferId{static_cast<std::uint32_t>(w)};
      r.die = {x, 0};
      r.pass = x > w;
      r.hard_bin = r.pass ? 1 : 7;
      r.first_pass = r.final_result = true;
      data.die_results.push_back(r);
    }
  }
  Inspection inspection;
  inspection.step = step;
  inspection.area_cm2 = 2;
  data.inspections.push_back(inspection);
  data.defects.resize(3);
  CHECK(yield_response(data)->value == std::vector<double>{0.75, 0.5});
  CHECK(bin_response(data, 7)->value == std::vector<double>{0.25, 0.5});
  CHECK_FALSE(bin_response(data, 7)->lower_is_worse);
  const auto defects = defect_response(data, step);
  REQUIRE(defects);
  CHECK(defects->value[0] == 3.0);
  CHECK(std::isnan(defects->value[1]));
  CHECK(bin_response(data, 99).error().id == "RESP-0002");
  CHECK(defect_response(data, lot).error().id == "RESP-0003");
  CHECK(value_response(data, "x", "x", {1}, true).error().id == "RESP-0004");
  CHECK(yield_response(FabData{}).error().id == "RESP-0001");
}

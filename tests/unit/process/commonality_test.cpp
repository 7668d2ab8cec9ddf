#include "engine/process/commonality.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "catch_portable.h"
#include "virtual_lots.h"

using namespace yieldloop;
using namespace yieldloop::process;
using test::LotsOptions;
using test::make_lots;
using test::make_yield;
using test::run_at;

namespace {

bool is_chamber(const FabData& data, const AttributeName& name, const std::string& step,
                const std::string& tool, const std::string& chamber) {
  return name.kind == AttributeKind::kChamber && data.names[name.step] == step &&
         data.names[name.tool] == tool && data.names[name.chamber] == chamber;
}

}  // namespace

TEST_CASE("commonality: a planted chamber is the only cause and its effect is covered",
          "[process][commonality]") {
  int first = 0, covered = 0, extra = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const LotsOptions o{.seed = seed};
    const FabData data = make_lots(o);
    const auto r = commonality(
        data, make_yield(data, o, [&](std::size_t w) {
          const StepRun& run = run_at(data, w, "S3");
          return data.names[run.tool] == "T31" && data.names[run.chamber] == "B" ? -0.08 : 0.0;
        }));
    REQUIRE(r);
    if (r->causes.empty()) continue;
    const AttributeResult& top = r->causes[0].attribute;
    first += is_chamber(data, top.name, "S3", "T31", "B");
    covered += top.effect_ci.low <= -24 && top.effect_ci.high >= -24;
    extra += static_cast<int>(r->causes.size()) - 1;
    CHECK(r->causes[0].candidates.size() == 1);
    CHECK(top.within_lot_share > 0.5);
  }
  CHECK(first == 10);
  CHECK(covered >= 8);
  CHECK(extra <= 1);
}

TEST_CASE("commonality: null fabs rarely give a cause", "[process][commonality][null]") {
  int alarms = 0;
  constexpr int kFabs = 150;
  for (std::uint64_t seed = 1; seed <= kFabs; ++seed) {
    const LotsOptions o{.lots = 16, .wafers = 10, .steps = 6, .lot_sd = 0.03, .seed = seed};
    const FabData data = make_lots(o);
    const auto r = commonality(data, make_yield(data, o, [](std::size_t) { return 0.0; }));
    REQUIRE(r);
    alarms += !r->causes.empty();
  }
  CHECK(alarms <= 13);  // 5 % of 150 is 7.5; 13 is its 97 % quantile.
}

TEST_CASE("commonality: outlying lots and wafers make no finding of a null fab",
          "[process][commonality][null]") {
  int alarms = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const LotsOptions o{.lots = 16, .wafers = 10, .steps = 6, .seed = seed};
    const FabData data = make_lots(o);
    const auto r = commonality(data, make_yield(data, o, [](std::size_t w) {
                                 return w / 10 == 3 ? -0.4 : w % 37 == 5 ? -0.5 : 0.0;
                               }));
    alarms += !r->causes.empty();
  }
  CHECK(alarms <= 7);
}

TEST_CASE("commonality: a tool that fails from a day on is found with its onset",
          "[process][commonality]") {
  const LotsOptions o{.lots = 40, .wafers = 8, .seed = 4};
  const FabData data = make_lots(o);
  const std::int64_t onset = (1'700'000'000LL * kMicrosPerSecond) + 22 * 24 * test::kHour;
  const auto r = commonality(data, make_yield(data, o, [&](std::size_t w) {
                               const StepRun& run = run_at(data, w, "S2");
                               return data.names[run.tool] == "T21" &&
                                              data.names[run.chamber] == "A" &&
                                              run.started.count >= onset
                                          ? -0.15
                                          : 0.0;
                             }));
  REQUIRE(r);
  REQUIRE_FALSE(r->causes.empty());
  const AttributeResult& top = r->causes[0].attribute;
  CHECK(is_chamber(data, top.name, "S2", "T21", "A"));
  REQUIRE(top.from.known());
  CHECK(std::llabs(top.from.count - onset) < 5 * 24 * test::kHour);
}

TEST_CASE("commonality: two causes are told apart and echoes are explained",
          "[process][commonality]") {
  const LotsOptions o{.lots = 30, .wafers = 12, .seed = 9};
  const FabData data = make_lots(o);
  const auto r = commonality(data, make_yield(data, o, [&](std::size_t w) {
                               const StepRun& a = run_at(data, w, "S1");
                               const StepRun& b = run_at(data, w, "S5");
                               double shift = 0;
                               if (data.names[a.tool] == "T10" && data.names[a.chamber] == "A") {
                                 shift -= 0.12;
                               }
                               if (data.names[b.tool] == "T52" && data.names[b.chamber] == "C") {
                                 shift -= 0.08;
                               }
                               return shift;
                             }));
  REQUIRE(r);
  REQUIRE(r->causes.size() >= 2);
  CHECK(is_chamber(data, r->causes[0].attribute.name, "S1", "T10", "A"));
  CHECK(is_chamber(data, r->causes[1].attribute.name, "S5", "T52", "C"));
  CHECK_THAT(r->causes[0].attribute.effect, WithinAbs(-36, 6));
  CHECK_THAT(r->causes[1].attribute.effect, WithinAbs(-24, 6));
  for (const AttributeResult& row : r->attributes) {
    if (row.name.kind == AttributeKind::kTool && row.q_value <= 0.05) CHECK(row.explained_by >= 0);
  }
}

TEST_CASE("commonality: tools that routing never separates come back undecided",
          "[process][commonality]") {
  std::size_t extra = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const LotsOptions o{.lots = 30, .wafers = 10, .steps = 3, .seed = seed};
    FabData data = make_lots(o);
    // S2 follows S1: the same wafers meet T1k and T2k, and the same chambers.
    std::vector<StepRun> runs;
    for (const StepRun& run : data.step_runs) {
      if (data.names[run.step] == "S2") continue;
      runs.push_back(run);
      if (data.names[run.step] != "S1") continue;
      StepRun twin = run;
      twin.step = data.names.intern("S2");
      std::string tool = data.names[run.tool];
      tool[1] = '2';
      twin.tool = data.names.intern(tool);
      twin.started.count += test::kHour;
      runs.push_back(twin);
    }
    data.step_runs = runs;
    const auto r = commonality(
        data, make_yield(data, o, [&](std::size_t w) {
          const StepRun& run = run_at(data, w, "S1");
          return data.names[run.tool] == "T11" && data.names[run.chamber] == "B" ? -0.12 : 0.0;
        }));
    REQUIRE(r);
    REQUIRE_FALSE(r->causes.empty());
    CHECK(r->causes[0].candidates.size() == 2);
    CHECK_FALSE(r->causes[0].deciding_experiment.empty());
    extra += r->causes.size() - 1;
  }
  CHECK(extra <= 1);
}

TEST_CASE("commonality: a wait above a threshold is found with its limit",
          "[process][commonality][queue_time]") {
  const LotsOptions o{.lots = 30, .wafers = 10, .seed = 6};
  const FabData data = make_lots(o);
  const auto r = commonality(data, make_yield(data, o, [&](std::size_t w) {
                               return run_at(data, w, "S4").queue_minutes > 120 ? -0.1 : 0.0;
                             }));
  REQUIRE(r);
  REQUIRE_FALSE(r->causes.empty());
  const AttributeResult& top = r->causes[0].attribute;
  CHECK(top.name.kind == AttributeKind::kQueueTime);
  CHECK(data.names[top.name.step] == "S4");
  REQUIRE(top.limit_minutes);
  CHECK_THAT(*top.limit_minutes, WithinAbs(120, 15));
}

TEST_CASE("commonality: the order of rows does not matter", "[process][commonality]") {
  const LotsOptions o{.seed = 3};
  FabData data = make_lots(o);
  const auto response =
      make_yield(data, o, [&](std::size_t w) { return w % 12 == 4 ? -0.1 : 0.0; });
  const auto before = commonality(data, response).value();
  Random random(8);
  random.shuffle(data.step_runs);
  CHECK(commonality(data, response).value() == before);
  REQUIRE_FALSE(before.causes.empty());
  CHECK(before.causes[0].attribute.name.kind == AttributeKind::kSlotOrPosition);
  CHECK(before.causes[0].attribute.name.slot == 5);
  CHECK(before.causes[0].attribute.same_wafers.empty());  // the slot at each step is no rival
  CHECK(before.causes[0].candidates.size() == 1);
}

TEST_CASE("commonality: shuffled responses keep the alarm budget", "[process][commonality][null]") {
  const LotsOptions o{.lots = 16, .wafers = 10, .steps = 5, .seed = 21};
  const FabData data = make_lots(o);
  const auto response =
      make_yield(data, o, [&](std::size_t w) { return w % 10 == 4 ? -0.1 : 0.0; });
  const auto r = commonality(data, response, {.shuffles = 60});
  REQUIRE(r);
  REQUIRE(r->shuffled_alarm_rate);
  CHECK(*r->shuffled_alarm_rate <= 0.15);
}

TEST_CASE("commonality: one lot answers only what its wafers split", "[process][commonality]") {
  const LotsOptions o{.lots = 1, .wafers = 24, .seed = 5};
  FabData data = make_lots(o);
  const auto response = make_yield(data, o, [](std::size_t) { return 0.0; });
  const auto r = commonality(data, response);
  REQUIRE(r);
  for (const AttributeResult& row : r->attributes) CHECK(row.within_lot_share == 1.0);
  // The same lot, never split: nothing can be said.
  for (StepRun& run : data.step_runs) {
    run.chamber = {};
    run.slot = 0;
    run.queue_minutes = -1;
    run.started = run.ended = {};
  }
  for (Wafer& wafer : data.wafers) wafer.slot = 0;
  CHECK(commonality(data, response).error().id == "COMM-0005");
}

TEST_CASE("commonality: a tool that few lots cannot settle is named as unsettled",
          "[process][commonality]") {
  int named = 0, null_named = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const LotsOptions o{.lots = 12, .wafers = 10, .steps = 6, .seed = seed};
    const FabData data = make_lots(o);
    const auto r =
        commonality(data, make_yield(data, o, [&](std::size_t w) {
                      return data.names[run_at(data, w, "S3").tool] == "T31" ? -0.2 : 0.0;
                    }));
    REQUIRE(r);
    for (const AttributeResult& row : r->unsettled) {
      named += data.names[row.name.tool] == "T31" && row.name.kind == AttributeKind::kTool;
    }
    CHECK(r->unsettled.empty() == r->unsettled_experiment.empty());
    const auto null = commonality(data, make_yield(data, o, [](std::size_t) { return 0.0; }));
    null_named += !null->unsettled.empty();
  }
  CHECK(named >= 7);
  CHECK(null_named <= 1);
}

TEST_CASE("commonality: what it refuses", "[process][commonality][error]") {
  const LotsOptions o{.lots = 2, .wafers = 4};
  const FabData data = make_lots(o);
  Response response = make_yield(data, o, [](std::size_t) { return 0.0; });
  CHECK(commonality(data, response, {.alpha = 0}).error().id == "COMM-0001");
  FabData bare = data;
  bare.step_runs.clear();
  CHECK(commonality(bare, response).error().id == "COMM-0004");
  for (std::size_t i = 0; i < 5; ++i) {
    response.value[i] = std::numeric_limits<double>::quiet_NaN();
  }
  CHECK(commonality(data, response).error().id == "COMM-0003");
  response.value.pop_back();
  CHECK(commonality(data, response).error().id == "COMM-0002");
}

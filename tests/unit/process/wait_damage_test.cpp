#include <algorithm>
#include <map>

#include "catch_portable.h"
#include "engine/process/wait_damage.h"
#include "virtual_lots.h"

using namespace yieldloop;
using namespace yieldloop::process;
using test::LotsOptions;
using test::make_lots;
using test::make_yield;
using test::run_at;

namespace {

constexpr LotsOptions kFab{.lots = 14, .wafers = 6, .steps = 12, .seed = 5};

/// Whole lots wait together: every wafer takes the wait of its lot's first.
FabData lots_that_wait_together(const LotsOptions& o) {
  FabData data = make_lots(o);
  std::map<std::pair<NameId, NameId>, double> wait;
  for (StepRun& run : data.step_runs) {
    const NameId lot = data.wafers[run.wafer.raw()].lot;
    run.queue_minutes = wait.try_emplace({lot, run.step}, run.queue_minutes).first->second;
  }
  return data;
}

std::vector<char> all(const FabData& data) { return std::vector<char>(data.wafers.size(), 1); }

}  // namespace

TEST_CASE("growing wait: damage that grows beyond a limit is found in few lots",
          "[process][wait]") {
  const FabData data = lots_that_wait_together(kFab);
  const Response response = make_yield(data, kFab, [&](std::size_t w) {
    return -0.002 * std::max(0.0, run_at(data, w, "S7").queue_minutes - 90);
  });
  const auto wait = growing_wait(data, response, all(data));
  REQUIRE(wait);
  CHECK(data.names[wait->damage.step] == "S7");
  CHECK(wait->p_value < 0.002);
  CHECK(wait->lots == 14);
  CHECK(wait->steps == 12);
  CHECK(wait->damage.limit_minutes == Approx(90).margin(25));
  // 0.002 of 300 die a minute.
  CHECK(wait->damage.per_hour == Approx(-36).epsilon(0.25));
}

TEST_CASE("growing wait: fabs without a cause give p values as often as they say",
          "[process][wait][null]") {
  int below_5 = 0, below_20 = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    LotsOptions o = kFab;
    o.seed = seed;
    const FabData data = lots_that_wait_together(o);
    const auto wait =
        growing_wait(data, make_yield(data, o, [](std::size_t) { return 0.0; }), all(data), seed);
    REQUIRE(wait);
    below_5 += wait->p_value <= 0.05;
    below_20 += wait->p_value <= 0.2;
  }
  CHECK(below_5 <= 11);
  CHECK(below_20 >= 8);
  CHECK(below_20 <= 32);
}

TEST_CASE("growing wait: gains, few lots and missing waits give nothing", "[process][wait]") {
  FabData data = lots_that_wait_together(kFab);
  const Response gain = make_yield(data, kFab, [&](std::size_t w) {
    return 0.0005 * run_at(data, w, "S7").queue_minutes - 0.1;
  });
  const auto wait = growing_wait(data, gain, all(data));
  CHECK((!wait || data.names[wait->damage.step] != "S7"));
  std::vector<char> seven_lots(data.wafers.size(), 0);
  std::fill_n(seven_lots.begin(), 7 * kFab.wafers, 1);
  CHECK_FALSE(growing_wait(data, gain, seven_lots));
  Response level = gain;
  std::ranges::fill(level.value, 0.9);
  CHECK_FALSE(growing_wait(data, level, all(data)));
  for (StepRun& run : data.step_runs) run.queue_minutes = -1;
  CHECK_FALSE(growing_wait(data, gain, all(data)));
}

TEST_CASE("growing wait: the order of rows does not matter", "[process][wait]") {
  FabData data = lots_that_wait_together(kFab);
  const Response response = make_yield(data, kFab, [&](std::size_t w) {
    return -0.002 * std::max(0.0, run_at(data, w, "S7").queue_minutes - 90);
  });
  const auto before = growing_wait(data, response, all(data));
  std::ranges::reverse(data.step_runs);
  CHECK(growing_wait(data, response, all(data)) == before);
}

#include <algorithm>

#include "catch_portable.h"
#include "engine/process/reticle_repeater.h"
#include "engine/process/test_site.h"
#include "virtual_lots.h"

using namespace yieldloop;
using namespace yieldloop::process;

namespace {

/// Round maps of about 300 die, sites 0..3 by column, fails by `rate(wafer, die, site)`.
template <class Rate>
FabData make_maps(int wafers, std::uint64_t seed, Rate rate) {
  FabData data;
  data.product.reticle_columns = 4;
  data.product.reticle_rows = 3;
  data.product.die_width_um = 10'000;
  data.product.die_height_um = 10'000;
  const Random root(seed);
  const NameId cp = data.names.intern("CP1"), card = data.names.intern("PC1");
  for (int w = 0; w < wafers; ++w) {
    Wafer wafer;
    wafer.lot = data.names.intern("L" + std::to_string(w / 5));
    wafer.id = data.names.intern("W" + std::to_string(w));
    data.wafers.push_back(wafer);
    StepRun run;
    run.wafer = WaferId{static_cast<std::uint32_t>(w)};
    run.step = data.names.intern("LITHO");
    run.reticle = data.names.intern(w % 2 ? "RET-B" : "RET-A");
    data.step_runs.push_back(run);
    Random random = root.fork(static_cast<std::uint64_t>(w));
    for (std::int16_t y = -10; y < 10; ++y) {
      for (std::int16_t x = -10; x < 10; ++x) {
        if ((x + 0.5) * (x + 0.5) + (y + 0.5) * (y + 0.5) > 98) continue;
        DieResult r;
        r.wafer = run.wafer;
        r.die = {x, y};
        r.site = (x + 10) % 4;
        r.insertion = cp;
        r.probe_card = card;
        r.first_pass = r.final_result = true;
        r.pass = !random.chance(rate(w, r.die, r.site));
        r.hard_bin = r.pass ? 1 : 5;
        data.die_results.push_back(r);
      }
    }
  }
  return data;
}

int mod(int a, int b) { return ((a % b) + b) % b; }

double edge(DieIndex die) {
  const double r2 = (die.x + 0.5) * (die.x + 0.5) + (die.y + 0.5) * (die.y + 0.5);
  return r2 > 75 ? 0.4 : 0.08;
}

}  // namespace

TEST_CASE("reticle repeater: the planted position and reticle are found, alone",
          "[process][reticle]") {
  const FabData data = make_maps(20, 3, [](int w, DieIndex d, int) {
    const bool hit = w % 2 == 1 && mod(d.x, 4) == 2 && mod(d.y, 3) == 1;
    return std::min(1.0, edge(d) + (hit ? 0.3 : 0.0));
  });
  const auto r = reticle_repeaters(data);
  REQUIRE(r);
  REQUIRE(r->repeaters.size() == 1);
  const ReticleRepeater& top = r->repeaters[0];
  CHECK(top.field_x == 2);
  CHECK(top.field_y == 1);
  CHECK(data.names[top.reticle.reticle] == "RET-B");
  CHECK(top.candidates.empty());
  CHECK(top.wafers.size() == 10);
  CHECK(top.leading_bin == 5);
  // About 26 die a wafer at the position, 30 % more fail (less where the edge fails anyway).
  CHECK(top.die_per_wafer < -4.5);
  CHECK(top.die_per_wafer > -9.5);
  CHECK(top.die_per_wafer_ci.high < 0);
}

TEST_CASE("reticle repeater: the reticle's origin moves the position", "[process][reticle]") {
  FabData data = make_maps(
      10, 4, [](int, DieIndex d, int) { return mod(d.x, 4) == 0 && mod(d.y, 3) == 0 ? 0.5 : 0.1; });
  CHECK(reticle_repeaters(data)->repeaters.at(0).field_x == 0);
  data.product.reticle_origin = {1, 2};
  const auto moved = reticle_repeaters(data);
  CHECK(moved->repeaters.at(0).field_x == 3);
  CHECK(moved->repeaters.at(0).field_y == 1);
  // Both reticles are hit alike: none is named.
  CHECK(moved->repeaters.at(0).reticle == ReticleName{});
}

TEST_CASE("reticle repeater: random maps with an edge ring, or one bad die place, give none",
          "[process][reticle][null]") {
  int alarms = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const FabData data = make_maps(12, seed, [](int, DieIndex d, int) { return edge(d); });
    alarms += !reticle_repeaters(data)->repeaters.empty();
  }
  CHECK(alarms <= 5);
  const FabData one =
      make_maps(12, 99, [](int, DieIndex d, int) { return d.x == 2 && d.y == 3 ? 1.0 : 0.1; });
  CHECK(reticle_repeaters(one)->repeaters.empty());
}

TEST_CASE("reticle repeater: what it refuses", "[process][reticle][error]") {
  FabData data = make_maps(2, 1, [](int, DieIndex, int) { return 0.1; });
  CHECK(reticle_repeaters(data, {.alpha = 0}).error().id == "RETI-0001");
  data.product.reticle_columns = data.product.reticle_rows = 1;
  CHECK(reticle_repeaters(data).error().id == "RETI-0003");
  data.product.reticle_columns = 2;
  data.die_results.clear();
  CHECK(reticle_repeaters(data).error().id == "RETI-0002");
}

TEST_CASE("test site: a bad site is an artefact, proved by its retests", "[process][site]") {
  FabData data = make_maps(
      15, 7, [](int, DieIndex d, int site) { return edge(d) + (site == 2 ? 0.12 : 0.0); });
  // Fails of site 2 are tested again on site 0; four in five pass there.
  Random random(5);
  std::vector<DieResult> again;
  for (DieResult& r : data.die_results) {
    if (r.pass || !random.chance(0.5)) continue;
    DieResult second = r;
    second.first_pass = false;
    second.site = r.site == 0 ? 1 : 0;
    second.pass = random.chance(r.site == 2 ? 0.6 : 0.05);
    r.final_result = false;
    again.push_back(second);
  }
  data.die_results.insert(data.die_results.end(), again.begin(), again.end());
  const auto r = test_sites(data);
  REQUIRE(r);
  const SiteResult& top = r->sites.front();
  CHECK(top.site == 2);
  CHECK(top.artefact);
  CHECK(top.retest_p_value < 1e-6);
  CHECK(top.confidence > 0.99);
  CHECK(top.die_per_wafer < -5);
  CHECK(top.die_per_wafer > -13);
  CHECK(std::ranges::count_if(r->sites, &SiteResult::artefact) == 1);
}

TEST_CASE("test site: process patterns are no artefact", "[process][site][null]") {
  int alarms = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const FabData data = make_maps(10, seed, [](int w, DieIndex d, int) {
      const double cluster = w % 3 == 0 && std::abs(d.x - 3) <= 2 && std::abs(d.y) <= 2 ? 0.5 : 0.0;
      return edge(d) + cluster;
    });
    const auto r = test_sites(data);
    alarms += std::ranges::any_of(r->sites, &SiteResult::artefact);
  }
  CHECK(alarms <= 5);
}

TEST_CASE("test site: what it refuses", "[process][site][error]") {
  FabData data = make_maps(2, 1, [](int, DieIndex, int) { return 0.1; });
  CHECK(test_sites(data, {.alpha = 2}).error().id == "SITE-0001");
  for (DieResult& r : data.die_results) r.site = -1;
  CHECK(test_sites(data).error().id == "SITE-0002");
}

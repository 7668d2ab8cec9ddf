#include <algorithm>
#include <set>

#include "catch_portable.h"
#include "engine/core/random.h"
#include "engine/process/retest_recovery.h"

using namespace yieldloop;
using namespace yieldloop::process;

namespace {

struct CardLots {
  int lots = 12;
  int cards = 3;
  int wafers = 4;
  int die = 200;
  double process_fails = 0.1;
  double retested = 1.0;  ///< Share of the first fails.
  std::uint64_t seed = 1;
};

/// Lots in time order on cards in turn. `misread(card, nth lot of the card, wafer)` is the chance
/// that a good die fails a touch, first or second.
template <class Misread>
FabData make_lots(const CardLots& o, Misread misread) {
  FabData data;
  Random random(o.seed);
  const NameId insertion = data.names.intern("WS1"), tester = data.names.intern("T1");
  for (int l = 0; l < o.lots; ++l) {
    const int card = l % o.cards, nth = l / o.cards;
    for (int w = 0; w < o.wafers; ++w) {
      Wafer wafer;
      wafer.lot = data.names.intern("L" + std::to_string(100 + l));
      wafer.id = data.names.intern("W" + std::to_string(w));
      data.wafers.push_back(wafer);
      const double chance = misread(card, nth, w);
      for (int d = 0; d < o.die; ++d) {
        DieResult r;
        r.wafer = WaferId{static_cast<std::uint32_t>(data.wafers.size() - 1)};
        r.die = {static_cast<std::int16_t>(d % 20), static_cast<std::int16_t>(d / 20)};
        r.insertion = insertion;
        r.tester = tester;
        r.probe_card = data.names.intern("PC" + std::to_string(card));
        r.tested_at = {(l * 24 + w) * 3'600'000'000LL + 1};
        r.first_pass = true;
        const bool bad = random.chance(o.process_fails);
        r.pass = !bad && !random.chance(chance);
        r.final_result = r.pass || !random.chance(o.retested);
        r.hard_bin = r.pass ? 1 : 5;
        data.die_results.push_back(r);
        if (r.final_result) continue;
        DieResult second = r;
        second.first_pass = false;
        second.final_result = true;
        second.pass = !bad && !random.chance(chance);
        data.die_results.push_back(second);
      }
    }
  }
  return data;
}

double final_loss(const FabData& data, const std::vector<WaferId>& wafers, double process_fails) {
  const std::set<WaferId> on(wafers.begin(), wafers.end());
  double die = 0, fails = 0;
  for (const DieResult& r : data.die_results) {
    if (!r.final_result || !on.contains(r.wafer)) continue;
    die += 1;
    fails += r.pass ? 0 : 1;
  }
  return (fails - process_fails * die) / static_cast<double>(wafers.size());
}

}  // namespace

TEST_CASE("retest recovery: a card that wears is named alone, with its wear", "[process][retest]") {
  const FabData data =
      make_lots({.lots = 15, .wafers = 6, .retested = 0.5, .seed = 3},
                [](int card, int nth, int) { return card == 1 ? 0.02 + 0.05 * nth : 0.002; });
  const auto r = retest_recovery(data);
  REQUIRE(r);
  CHECK(r->family == 3);  // one tester: nothing to compare it with
  REQUIRE(r->misreaders.size() == 1);
  const Misreader& m = r->misreaders.front();
  CHECK(data.names[m.probe_card] == "PC1");
  CHECK(m.q_value < 0.02);
  CHECK(m.wear_p_value < 0.05);
  CHECK(m.last_share > 3 * m.first_share);
  CHECK(m.on_wafers.size() == 30);
  // Half of the misread die are never touched again: what stays lost is measured without using
  // which die are truly bad.
  const double truth = -final_loss(data, m.on_wafers, 0.1);
  CHECK(m.die_per_wafer == Approx(truth).margin(4.0));
  CHECK(m.die_per_wafer_ci.low < truth + 3.0);
}

TEST_CASE("retest recovery: a card that is bad from the start does not wear", "[process][retest]") {
  const FabData data = make_lots({.lots = 16, .cards = 4, .seed = 2},
                                 [](int card, int, int) { return card == 2 ? 0.1 : 0.01; });
  const auto r = retest_recovery(data);
  REQUIRE(r);
  REQUIRE(r->misreaders.size() == 1);
  CHECK(data.names[r->misreaders[0].probe_card] == "PC2");
  CHECK(r->misreaders[0].wear_p_value > 0.05);
  // Every fail is touched again, so that only those misread twice stay lost: 200 x 0.1^2.
  CHECK(r->misreaders[0].die_per_wafer == Approx(-2.0).margin(0.8));
}

TEST_CASE("retest recovery: wear within lots shows although each lot begins clean",
          "[process][retest]") {
  const FabData data = make_lots({.wafers = 8}, [](int card, int, int wafer) {
    return card == 0 ? 0.02 * wafer : 0.0;  // cleaned before each lot
  });
  const auto r = retest_recovery(data);
  REQUIRE(r);
  REQUIRE(r->misreaders.size() == 1);
  CHECK(r->misreaders[0].wear_p_value < 0.01);
}

TEST_CASE("retest recovery: a process loss is no misreading", "[process][retest][null]") {
  // The lots of card 1 lose three times as many die, for good.
  FabData data = make_lots({}, [](int, int, int) { return 0.01; });
  for (DieResult& r : data.die_results) {
    if (data.names[r.probe_card] == "PC1" && r.die.y < 3) r.pass = false;
  }
  CHECK(retest_recovery(data)->misreaders.empty());
}

TEST_CASE("retest recovery: alike cards are rarely accused", "[process][retest][null]") {
  int alarms = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Random lot_level(seed);
    std::vector<double> level(12);
    for (double& l : level) l = lot_level.uniform(0.0, 0.05);
    const FabData data = make_lots({.die = 60, .seed = seed}, [&](int card, int nth, int) {
      return level[static_cast<std::size_t>(3 * nth + card)];
    });
    alarms += retest_recovery(data)->misreaders.empty() ? 0 : 1;
  }
  CHECK(alarms <= 6);
}

TEST_CASE("retest recovery: a tester is named when cards are shared, the order of rows is nothing",
          "[process][retest]") {
  FabData data = make_lots({.cards = 2}, [](int, int nth, int) { return nth < 3 ? 0.1 : 0.0; });
  for (DieResult& r : data.die_results) {
    if (r.wafer.raw() >= 24) r.tester = data.names.intern("T2");
  }
  const auto r = retest_recovery(data);
  REQUIRE(r);
  REQUIRE(r->misreaders.size() == 1);
  CHECK(data.names[r->misreaders[0].tester] == "T1");
  CHECK(r->misreaders[0].probe_card == NameId{});
  FabData turned = data;
  std::ranges::reverse(turned.die_results);
  CHECK(*retest_recovery(turned) == *r);
}

TEST_CASE("retest recovery: of a card and a tester that met the same lots, the other is named too",
          "[process][retest]") {
  FabData data = make_lots({}, [](int card, int, int) { return card == 0 ? 0.1 : 0.0; });
  for (DieResult& r : data.die_results) {
    if (data.names[r.probe_card] == "PC0") r.tester = data.names.intern("T0");
  }
  const auto r = retest_recovery(data);
  REQUIRE(r->misreaders.size() == 1);
  const Misreader& m = r->misreaders[0];
  CHECK(data.names[m.probe_card] == "PC0");
  REQUIRE(m.same_lots.size() == 1);
  CHECK(data.names[m.same_lots[0].second] == "T0");
}

TEST_CASE("retest recovery: what it refuses", "[process][retest][error]") {
  FabData data = make_lots({}, [](int, int, int) { return 0.05; });
  CHECK(retest_recovery(data, {.alpha = 0}).error().id == "RETE-0001");
  CHECK(retest_recovery(data, {.permutations = 9}).error().id == "RETE-0001");
  const FabData few = make_lots({.lots = 5}, [](int, int, int) { return 0.05; });
  CHECK(retest_recovery(few).error().id == "RETE-0002");
  std::erase_if(data.die_results, [](const DieResult& r) { return !r.first_pass; });
  CHECK(retest_recovery(data).error().id == "RETE-0002");
  data.die_results.clear();
  CHECK(retest_recovery(data).error().code == Errc::kNoData);
}

// Inspections and tests that number their die differently are joined, or it is said that not.

#include "engine/session/join_die.h"

#include "catch_portable.h"
#include "engine/core/random.h"

using namespace yieldloop;
using session::DieMap;

namespace {

constexpr int kSide = 14;

/// Lopsided on purpose: the lower right corner is cut off deeper than the others.
bool on_wafer(int x, int y, bool lopsided) {
  const double u = x - 6.5, v = y - 6.5;
  if (u * u + v * v > 49.0) return false;
  return !lopsided || x - y < 8;
}

struct Made {
  FabData data;
  std::vector<DieIndex> true_die;  ///< Of every defect, in test numbers.
};

/// Wafers whose defects kill with this chance; inspections use `map` of the test's numbers.
Made make(const DieMap& map, double kill, bool lopsided, std::uint64_t seed) {
  Made made;
  FabData& data = made.data;
  Random random(seed);
  const NameId tool = data.names.intern("INS1");
  for (std::uint32_t w = 0; w < 12; ++w) {
    data.wafers.push_back({data.names.intern("L1"), data.names.intern(std::to_string(w)), 0});
    Inspection inspection;
    inspection.wafer = WaferId{w};
    inspection.tool = tool;
    inspection.die_pitch_x_um = 1000.0;
    inspection.die_pitch_y_um = 500.0;
    for (std::int16_t y = 0; y < kSide; ++y) {
      for (std::int16_t x = 0; x < kSide; ++x) {
        if (!on_wafer(x, y, lopsided)) continue;
        const DieIndex die{x, y};
        inspection.inspected.push_back(map(die));
        const bool defect = random.chance(0.1);
        const bool fail = random.chance(0.1) || (defect && random.chance(kill));
        DieResult result;
        result.wafer = WaferId{w};
        result.die = die;
        result.pass = !fail;
        result.final_result = true;
        data.die_results.push_back(result);
        if (!defect) continue;
        Defect d;
        d.inspection = w;
        d.wafer = WaferId{w};
        d.die = map(die);
        data.defects.push_back(d);
        made.true_die.push_back(die);
      }
    }
    std::ranges::sort(inspection.inspected);
    data.inspections.push_back(inspection);
  }
  return made;
}

std::vector<DieIndex> die_of(const FabData& data) {
  std::vector<DieIndex> die;
  for (const Defect& d : data.defects) die.push_back(d.die);
  return die;
}

}  // namespace

TEST_CASE("join die: a map and its inverse") {
  for (const DieMap& map : {DieMap{}, DieMap{true, false, 3, -2}, DieMap{false, true, 0, 13},
                            DieMap{true, true, -7, 5}, DieMap{false, false, 4, 4}}) {
    CHECK(map.inverse()(map({5, -9})) == DieIndex{5, -9});
  }
}

TEST_CASE("join die: equal numbers stay, whether defects kill or not") {
  for (const double kill : {0.0, 0.6}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      Made made = make({}, kill, seed % 2 == 0, seed);
      CHECK(session::join_die(made.data).empty());
      CHECK(die_of(made.data) == made.true_die);
    }
  }
}

TEST_CASE("join die: a shift is found from the die alone, and the wafer stays in its place") {
  Made made = make({false, false, -6, 11}, 0.0, true, 3);
  CHECK(session::join_die(made.data).size() == 1);
  CHECK(die_of(made.data) == made.true_die);
  CHECK(made.data.inspections[0].sample_center_x_um == 6 * 1000.0);
  CHECK(made.data.inspections[0].sample_center_y_um == -11 * 500.0);
}

TEST_CASE("join die: a mirrored test on a wafer that looks the same is told by its fails") {
  const DieMap map{false, true, 0, kSide - 1};
  Made made = make(map, 0.6, false, 5);
  const auto as_inspected = die_of(made.data);
  CHECK(session::join_die(made.data).size() == 1);
  CHECK(die_of(made.data) == as_inspected);
  std::size_t failed = 0;
  for (const Defect& d : made.data.defects) {
    failed += static_cast<std::size_t>(std::ranges::count_if(
        made.data.die_results,
        [&](const DieResult& r) { return r.wafer == d.wafer && r.die == d.die && !r.pass; }));
  }
  CHECK(static_cast<double>(failed) > 0.5 * static_cast<double>(made.data.defects.size()));
}

TEST_CASE("join die: what nothing decides is left and said") {
  // Inspections of two die only: many shifts put them on tested die.
  Made made = make({false, false, 100, 100}, 0.0, false, 7);
  for (Inspection& i : made.data.inspections) i.inspected = {{105, 105}, {106, 105}};
  std::erase_if(made.data.defects, [](const Defect& d) { return d.die != DieIndex{105, 105}; });
  const auto before = die_of(made.data);
  const auto said = session::join_die(made.data);
  REQUIRE(said.size() == 1);
  CHECK_THAT(said.front(), Contains("no single shift"));
  CHECK(die_of(made.data) == before);
}

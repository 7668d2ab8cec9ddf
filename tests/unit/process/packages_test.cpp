#include <algorithm>
#include <map>

#include "catch_portable.h"
#include "engine/core/random.h"
#include "engine/process/identity_shift.h"
#include "engine/process/package_fails.h"

using namespace yieldloop;
using namespace yieldloop::process;

namespace {

constexpr int kPositions = 4;
constexpr int kLots = 18;  // assembly lots; tools take whole lots in turn
constexpr int kPackagesPerLot = 300;

struct Asked {
  int package = 0, lot = 0, tool = 0, position = 0, supplier = 0;
};

/// Packages of four die from 90 wafers of about 300 die; `chance` is what a place adds to 0.5 %.
template <class Chance>
FabData make_packages(std::uint64_t seed, Chance chance, bool name_position = true) {
  FabData data;
  data.product.die_width_um = data.product.die_height_um = 10'000;
  Random random(seed);
  std::vector<std::pair<WaferId, DieIndex>> good;
  for (std::uint32_t w = 0; w < 90; ++w) {
    Wafer wafer;
    wafer.lot = data.names.intern("L" + std::to_string(w / 10));
    wafer.id = data.names.intern("W" + std::to_string(w % 10));
    data.wafers.push_back(wafer);
    for (std::int16_t y = -10; y < 10; ++y) {
      for (std::int16_t x = -10; x < 10; ++x) {
        if ((x + 0.5) * (x + 0.5) + (y + 0.5) * (y + 0.5) > 98) continue;
        DieResult r{.wafer = WaferId{w}, .die = {x, y}};
        r.first_pass = r.final_result = true;
        r.pass = !random.chance(0.2);
        data.die_results.push_back(r);
        if (r.pass) good.emplace_back(r.wafer, r.die);
      }
    }
  }
  random.shuffle(good);  // dedicated feeders would confound position and wafer
  const auto name = [&](const std::string& text) { return data.names.intern(text); };
  std::size_t next = 0;
  for (int p = 0; p < kLots * kPackagesPerLot && next + kPositions <= good.size(); ++p) {
    Asked at{.package = p, .lot = p / kPackagesPerLot, .supplier = p / 170};
    at.tool = at.lot % 3;
    Package package{.id = name("P" + std::to_string(100'000 + p)), .pass = true};
    for (int d = 0; d < kPositions; ++d, ++next) {
      at.position = d + 1;
      data.packaged_die.push_back({.package = static_cast<std::uint32_t>(p),
                                   .wafer = good[next].first,
                                   .die = good[next].second,
                                   .position = name(std::to_string(d + 1)),
                                   .assembly_lot = name("A" + std::to_string(100 + at.lot)),
                                   .supplier_lot = name("S" + std::to_string(100 + at.supplier)),
                                   .step = name("ATTACH"),
                                   .tool = name("ASM" + std::to_string(at.tool))});
      if (!package.pass || !random.chance(0.005 + chance(at))) continue;
      package.pass = false;
      if (name_position) package.failing_position = name(std::to_string(d + 1));
    }
    data.packages.push_back(package);
  }
  return data;
}

}  // namespace

TEST_CASE("package fails: a bad tool, place at a tool, or supplier lot is named alone",
          "[process][packages]") {
  const FabData tool = make_packages(1, [](const Asked& a) { return a.tool == 1 ? 0.02 : 0.0; });
  const auto of_tool = package_fails(tool);
  REQUIRE(of_tool);
  REQUIRE(of_tool->causes.size() == 1);
  CHECK(tool.names[of_tool->causes[0].level.tool] == "ASM1");
  CHECK(of_tool->causes[0].level.position == NameId{});
  CHECK(of_tool->causes[0].lots == 6);
  // 1,800 packages of four die, 2 % each; a second failing die of a package is not seen.
  CHECK(of_tool->causes[0].packages_lost == Approx(1800 * 4 * 0.02).epsilon(0.25));

  const FabData place =
      make_packages(2, [](const Asked& a) { return a.tool == 2 && a.position == 3 ? 0.05 : 0.0; });
  const auto of_place = package_fails(place);
  REQUIRE(of_place->causes.size() == 1);
  CHECK(place.names[of_place->causes[0].level.tool] == "ASM2");
  CHECK(place.names[of_place->causes[0].level.position] == "3");
  CHECK(of_place->causes[0].packages_lost_ci.low < 1800 * 0.05);
  CHECK(of_place->causes[0].packages_lost_ci.high > 1800 * 0.05);

  const FabData supplier =
      make_packages(3, [](const Asked& a) { return a.supplier == 7 ? 0.05 : 0.0; });
  const auto of_supplier = package_fails(supplier);
  REQUIRE(of_supplier->causes.size() == 1);
  CHECK(supplier.names[of_supplier->causes[0].level.supplier_lot] == "S107");
}

TEST_CASE("package fails: a test that names no position still shows the tool",
          "[process][packages]") {
  const FabData data = make_packages(
      4, [](const Asked& a) { return a.tool == 0 ? 0.02 : 0.0; }, false);
  const auto r = package_fails(data);
  REQUIRE(r->causes.size() == 1);
  CHECK(data.names[r->causes[0].level.tool] == "ASM0");
}

TEST_CASE("package fails: assemblies without a cause rarely give one",
          "[process][packages][null]") {
  int alarms = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    // Assembly lots differ among themselves as lots do.
    Random lots(seed);
    std::vector<double> level(kLots);
    for (double& l : level) l = lots.uniform(0.0, 0.006);
    const FabData data =
        make_packages(seed, [&](const Asked& a) { return level[static_cast<std::size_t>(a.lot)]; });
    alarms += package_fails(data)->causes.empty() ? 0 : 1;
  }
  CHECK(alarms <= 4);
}

TEST_CASE("package fails: what it refuses", "[process][packages][error]") {
  FabData data = make_packages(1, [](const Asked&) { return 0.0; });
  CHECK(package_fails(data, {.alpha = 0}).error().id == "PACK-0001");
  data.packages.clear();
  data.packaged_die.clear();
  CHECK(package_fails(data).error().id == "PACK-0002");
  CHECK(check_identities(data).error().id == "IDEN-0002");
  CHECK(check_identities(data, {.reach = 0}).error().id == "IDEN-0001");
}

TEST_CASE("identity shift: a lot whose identities are off is found with its shift, and no other",
          "[process][packages]") {
  FabData data = make_packages(5, [](const Asked&) { return 0.0; });
  CHECK(check_identities(data)->shifted.empty());
  for (PackagedDie& d : data.packaged_die) {
    if (data.names[d.assembly_lot] != "A104") continue;
    d.die.x = static_cast<std::int16_t>(d.die.x + 2);
    d.die.y = static_cast<std::int16_t>(d.die.y - 1);
  }
  data.packaged_die[0].wafer.reset();
  data.packaged_die.pop_back();
  const auto r = check_identities(data);
  REQUIRE(r);
  CHECK(r->lots == kLots);
  CHECK(r->blank == 2);
  REQUIRE(r->shifted.size() == 1);
  CHECK(data.names[r->shifted[0].assembly_lot] == "A104");
  CHECK(r->shifted[0].dx == 2);
  CHECK(r->shifted[0].dy == -1);
  CHECK(r->shifted[0].good_when_moved == 1.0);
  CHECK(r->shifted[0].good_as_named < 0.85);
}

TEST_CASE("identity shift: without bad die every shift is alike and nothing is said",
          "[process][packages]") {
  FabData data = make_packages(6, [](const Asked&) { return 0.0; });
  for (DieResult& r : data.die_results) r.pass = true;
  // Names from the middle of the wafer, so that the rim tells nothing either.
  std::erase_if(data.packaged_die, [](const PackagedDie& d) {
    return std::abs(d.die.x) > 3 || std::abs(d.die.y) > 3;
  });
  for (PackagedDie& d : data.packaged_die) d.die.x = static_cast<std::int16_t>(d.die.x + 1);
  CHECK(check_identities(data)->shifted.empty());
}

#include "engine/yield/zones.h"

#include "catch_portable.h"

using namespace yieldloop;
using namespace yieldloop::yield;

TEST_CASE("zones: every die is in one ring and one quadrant", "[yield][zones]") {
  std::vector<DieOutcome> dies;
  for (std::int16_t y = 0; y < 6; ++y) {
    for (std::int16_t x = 0; x < 6; ++x) {
      DieOutcome o;
      o.die = {x, y};
      o.pass = x < 3;  // The right half fails.
      dies.push_back(o);
    }
  }
  const auto z = zone_yields(Product{}, dies, {.rings = 4});
  REQUIRE(z);
  std::int64_t rings = 0;
  for (const auto& ring : z->rings) rings += ring.tested;
  CHECK(rings == 36);
  for (const auto& quadrant : z->quadrants) CHECK(quadrant.tested == 9);
  CHECK(z->quadrants[0].good == 0);
  CHECK(z->quadrants[1].good == 9);
  CHECK(z->quadrants[2].good == 9);
  CHECK(z->quadrants[3].good == 0);
  CHECK(z->rings[0].yield == 0.5);
}

TEST_CASE("zones: what they refuse", "[yield][zones][error]") {
  const std::vector<DieOutcome> one(1);
  CHECK(zone_yields(Product{}, one, {.rings = 0}).error().id == "YIEL-0006");
  CHECK(zone_yields(Product{}, {}).error().id == "YIEL-0007");
  CHECK(zone_yields(Product{}, one)->rings[0].tested == 1);
}

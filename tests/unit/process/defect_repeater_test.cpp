#include "engine/process/defect_repeater.h"

#include "catch_portable.h"
#include "engine/core/random.h"

using namespace yieldloop;
using namespace yieldloop::process;

namespace {

/// Wafers of 12 x 12 die in fields of 3 x 2, about 60 random defects each; `mask` adds a defect
/// at one place of field position (1, 1) in 40 % of the fields, `layout` the same in every die.
FabData inspected(std::uint64_t seed, bool mask, bool layout, std::uint32_t wafers = 4) {
  FabData data;
  data.product.die_width_um = 3000;
  data.product.die_height_um = 2000;
  data.product.reticle_columns = 3;
  data.product.reticle_rows = 2;
  Random random(seed);
  for (std::uint32_t w = 0; w < wafers; ++w) {
    data.wafers.emplace_back();
    Inspection inspection;
    inspection.wafer = WaferId{w};
    inspection.step = data.names.intern("M1");
    for (std::int16_t x = -6; x < 6; ++x) {
      for (std::int16_t y = -6; y < 6; ++y) {
        inspection.inspected.push_back({x, y});
        const auto add = [&](double dx, double dy) {
          Defect d;
          d.inspection = w;
          d.wafer = WaferId{w};
          d.die = {x, y};
          d.x_um = dx;
          d.y_um = dy;
          data.defects.push_back(d);
        };
        if (random.chance(0.4)) add(random.uniform(0, 3000), random.uniform(0, 2000));
        const bool at = ((x % 3) + 3) % 3 == 1 && ((y % 2) + 2) % 2 == 1;
        if (mask && at && random.chance(0.4)) {
          add(700 + random.normal(0, 2), 1300 + random.normal(0, 2));
        }
        if (layout && random.chance(0.4)) {
          add(1500 + random.normal(0, 2), 500 + random.normal(0, 2));
        }
      }
    }
    data.inspections.push_back(inspection);
  }
  return data;
}

}  // namespace

TEST_CASE("defect repeater: the mask's place is found, the layout's is not its fault",
          "[process][defect_repeater]") {
  const auto r = defect_repeaters(inspected(1, true, true));
  REQUIRE(r);
  REQUIRE(r->repeaters.size() == 1);
  const DefectRepeater& top = r->repeaters[0];
  CHECK(top.field_x == 1);
  CHECK(top.field_y == 1);
  CHECK_THAT(top.x_um, WithinAbs(700, 3));
  CHECK_THAT(top.y_um, WithinAbs(1300, 3));
  CHECK(top.exposures == 96);
  CHECK(top.hits > 20);
  CHECK(top.wafers.size() == 4);
}

TEST_CASE("defect repeater: a crowded place is found once, with all its hits",
          "[process][defect_repeater]") {
  const FabData data = inspected(3, true, false, 150);
  const auto r = defect_repeaters(data);
  REQUIRE(r);
  REQUIRE(r->repeaters.size() == 1);
  CHECK(r->repeaters[0].exposures == 24 * 150);
  std::int64_t planted = 0;
  for (const Defect& d : data.defects) {
    const bool at = ((d.die.x % 3) + 3) % 3 == 1 && ((d.die.y % 2) + 2) % 2 == 1;
    planted += at && std::hypot(d.x_um - 700, d.y_um - 1300) < 10 ? 1 : 0;
  }
  CHECK(planted > 1200);
  CHECK_THAT(static_cast<double>(r->repeaters[0].hits), WithinAbs(double(planted), 5));
}

TEST_CASE("defect repeater: random defects repeat nowhere", "[process][defect_repeater][null]") {
  int alarms = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    alarms += !defect_repeaters(inspected(seed, false, false))->repeaters.empty();
  }
  CHECK(alarms <= 4);
}

TEST_CASE("defect repeater: what it refuses", "[process][defect_repeater][error]") {
  FabData data = inspected(1, false, false);
  CHECK(defect_repeaters(data, {.tolerance_um = 0}).error().id == "DREP-0001");
  data.product.reticle_columns = data.product.reticle_rows = 1;
  CHECK(defect_repeaters(data).error().id == "DREP-0003");
  data.defects.clear();
  CHECK(defect_repeaters(data).error().id == "DREP-0002");
}

/// \file
/// A small layout with tight places of several kinds, and defects thrown at it.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/random.h"
#include "engine/layout/layout_builder.h"
#include "engine/tracing/exposure.h"

namespace yieldloop::tracing::testing {

inline constexpr layout::LayerKey kM1{31, 0};
inline constexpr double kDieUm = 400.0;

struct SmallChip {
  layout::Layout layout;
  std::vector<PointUm> hot;  ///< Centres of the tip-to-tip gaps of cell HOT.
};

/// Wires of 0.2 um at 0.6 um pitch; spaces of 0.4 um between them everywhere, and cells with a
/// tight figure each: HOT (tip to tip, 0.2), COLD (tip to tip, 0.22), SIDE (parallel, 0.2).
inline SmallChip small_chip(std::uint64_t seed) {
  layout::LayoutBuilder builder(0.001);
  Random random(seed);
  const auto top = builder.add_cell("TOP");
  const auto cell = [&](const char* name) { return builder.add_cell(name); };
  const auto hot = cell("HOT"), cold = cell("COLD"), side = cell("SIDE"), plain = cell("PLAIN");
  const auto wire = [&](layout::CellIndex c, std::int32_t x0, std::int32_t y, std::int32_t x1) {
    builder.add_box(c, kM1, {x0, y, x1, y + 200});
  };
  for (const auto c : {hot, cold, side, plain}) {
    for (const std::int32_t y : {600, 3000}) wire(c, 200, y, 5800);
  }
  wire(hot, 200, 1800, 2900), wire(hot, 3100, 1800, 5800);
  wire(cold, 200, 1800, 2890), wire(cold, 3110, 1800, 5800);
  wire(side, 200, 1700, 5800), builder.add_box(side, kM1, {2000, 2100, 4000, 2300});
  wire(plain, 200, 1800, 5800);
  SmallChip chip;
  for (int row = 0; row < 98; ++row) {
    for (int column = 0; column < 64; ++column) {
      const std::uint64_t pick = random.below(20);
      const auto c = pick < 1 ? hot : pick < 4 ? cold : pick < 7 ? side : plain;
      // A third of the chip is empty: density varies.
      if (random.chance(0.33) && c == plain) continue;
      layout::Instance instance;
      instance.cell = c;
      instance.displacement = {column * 6200, row * 4000};
      builder.add_instance(top, instance);
      if (c == hot) chip.hot.push_back({column * 6.2 + 3.0, row * 4.0 + 1.9});
    }
  }
  chip.layout = builder.build().value();
  return chip;
}

/// `wafers` wafers of 20 die each, inspected at "INSP", all die tested once.
inline FabData small_fab(int wafers) {
  FabData data;
  data.product.name = "SMALL";
  data.product.die_width_um = data.product.die_height_um = kDieUm;
  data.product.layout_file = "small.gds";
  for (int w = 0; w < wafers; ++w) {
    data.wafers.push_back({data.names.intern("L" + std::to_string(w / 5)),
                           data.names.intern("W" + std::to_string(w % 5)), w % 5 + 1});
    Inspection i;
    i.id = std::to_string(w);
    i.wafer = WaferId{static_cast<std::uint32_t>(w)};
    i.step = data.names.intern("INSP");
    for (std::int16_t x = 0; x < 5; ++x) {
      for (std::int16_t y = 0; y < 4; ++y) i.inspected.push_back({x, y});
    }
    data.inspections.push_back(std::move(i));
  }
  return data;
}

inline void add_defect(FabData& data, std::uint32_t inspection, DieIndex die, PointUm at,
                       const char* name) {
  Defect d;
  d.inspection = inspection;
  d.wafer = data.inspections[inspection].wafer;
  d.die = die;
  d.x_um = at.x;
  d.y_um = at.y;
  d.class_name = data.names.intern(name);
  d.defect_id = static_cast<std::int64_t>(data.defects.size());
  data.defects.push_back(d);
}

inline DieIndex random_die(Random& random) {
  return {static_cast<std::int16_t>(random.below(5)), static_cast<std::int16_t>(random.below(4))};
}

inline void add_uniform(FabData& data, int count, Random& random) {
  for (int k = 0; k < count; ++k) {
    const auto i = static_cast<std::uint32_t>(random.below(data.inspections.size()));
    const DieIndex die = random_die(random);
    const double x = random.uniform(0.0, 396.0);
    add_defect(data, i, die, {x, random.uniform(0.0, 391.0)}, "Particle");
  }
}

/// Defects at random places of `spots`, blurred by `sigma`.
inline void add_at(FabData& data, const std::vector<PointUm>& spots, int count, double sigma,
                   Random& random) {
  for (int k = 0; k < count; ++k) {
    const auto i = static_cast<std::uint32_t>(random.below(data.inspections.size()));
    const PointUm at = spots[random.below(spots.size())];
    const DieIndex die = random_die(random);
    const double x = at.x + random.normal(0.0, sigma);
    add_defect(data, i, die, {x, at.y + random.normal(0.0, sigma)}, "Bridge");
  }
}

}  // namespace yieldloop::tracing::testing

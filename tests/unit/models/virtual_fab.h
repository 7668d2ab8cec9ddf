/// \file
/// A small fab whose causes of failure are known, built in memory for the tests of models.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/core/fab_data.h"
#include "engine/core/random.h"

namespace yieldloop::test {

struct FabOptions {
  int lots = 8;
  int wafers = 6;
  int side = 12;              ///< Die across; the map is the disc inside.
  double chamber_loss = 0.5;  ///< Extra fail probability of die at the edge through ETCH01/B.
  double defect_kill = 0.8;   ///< Fail probability of a die with a defect.
  double base_fail = 0.03;
  bool is_null = false;  ///< Nothing matters: fails are coins.
  std::uint64_t seed = 1;
};

inline UtcMicros day(int n, int hours = 0) {
  return {1'700'000'000LL * kMicrosPerSecond + n * kMicrosPerDay +
          hours * 3600LL * kMicrosPerSecond};
}

inline bool on_wafer(int x, int y, int side) {
  const double c = side / 2.0;
  return std::hypot(x + 0.5 - c, y + 0.5 - c) <= c;
}

/// Adds one wafer: history, one inspection with defects, FDC, metrology, test results.
inline void add_wafer(FabData& data, const FabOptions& o, int lot, int slot, Random& random) {
  NameTable& names = data.names;
  const WaferId wafer{static_cast<std::uint32_t>(data.wafers.size())};
  data.wafers.push_back(
      {names.intern(fmt::format("L{:03}", lot)), names.intern(fmt::format("W{:02}", slot)), slot});
  const bool chamber_b = random.chance(0.4);
  const int other = static_cast<int>(random.below(3));
  const double sensor = random.normal(100.0, 5.0);
  StepRun etch{.wafer = wafer,
               .step_seq = 10,
               .step = names.intern("M1_ETCH"),
               .tool = names.intern("ETCH01"),
               .chamber = names.intern(chamber_b ? "B" : "A")};
  etch.queue_minutes = random.uniform(10, 200);
  etch.started = day(lot), etch.ended = day(lot, 1);
  StepRun litho{.wafer = wafer,
                .step_seq = 5,
                .step = names.intern("M1_LITHO"),
                .tool = names.intern(fmt::format("SCAN0{}", other + 1))};
  litho.started = day(lot, -3), litho.ended = day(lot, -2);
  data.step_runs.push_back(litho);
  data.step_runs.push_back(etch);
  data.fdc.push_back({wafer,
                      names.intern("M1_ETCH"),
                      names.intern("ETCH01"),
                      {},
                      names.intern("pressure"),
                      names.intern("mean"),
                      sensor,
                      day(lot)});
  for (int site = 0; site < 5; ++site) {
    data.metrology.push_back({wafer, names.intern("M1_CMP"), names.intern("thickness"),
                              random.normal(500.0, 3.0), site, day(lot, 2)});
  }
  Inspection inspection{.id = fmt::format("i{}", data.inspections.size()),
                        .wafer = wafer,
                        .step = names.intern("M1_CMP_INSP")};
  inspection.inspected_at = day(lot, 3);
  const auto inspection_id = static_cast<std::uint32_t>(data.inspections.size());
  std::int64_t defect_id = 0;
  for (int y = 0; y < o.side; ++y) {
    for (int x = 0; x < o.side; ++x) {
      if (!on_wafer(x, y, o.side)) continue;
      const DieIndex die{static_cast<std::int16_t>(x), static_cast<std::int16_t>(y)};
      inspection.inspected.push_back(die);
      const bool defect = random.chance(0.08);
      if (defect) {
        Defect d{.inspection = inspection_id, .wafer = wafer, .die = die};
        d.size_um = random.uniform(0.1, 1.0);
        d.class_number = random.chance(0.5) ? 1 : 2;
        d.class_name = names.intern(d.class_number == 1 ? "particle" : "scratch");
        d.defect_id = ++defect_id;
        data.defects.push_back(d);
      }
      const double c = o.side / 2.0;
      const bool edge = std::hypot(x + 0.5 - c, y + 0.5 - c) > 0.7 * c;
      double p = o.base_fail;
      if (!o.is_null && chamber_b && edge) p += o.chamber_loss;
      if (!o.is_null && defect) p = std::max(p, o.defect_kill);
      if (o.is_null) p = 0.15;
      DieResult r{.wafer = wafer, .die = die};
      r.pass = !random.chance(p);
      r.hard_bin = r.pass ? 1 : 5;
      r.first_pass = r.final_result = true;
      r.insertion = names.intern("CP1");
      r.tested_at = day(lot, 48);
      data.die_results.push_back(r);
    }
  }
  std::ranges::sort(inspection.inspected);
  data.inspections.push_back(std::move(inspection));
}

inline FabData virtual_fab(const FabOptions& o = {}) {
  FabData data;
  data.product.name = "DEMO28";
  data.product.reticle_columns = 2;
  data.product.reticle_rows = 2;
  Random random(o.seed);
  for (int lot = 0; lot < o.lots; ++lot) {
    for (int slot = 1; slot <= o.wafers; ++slot) add_wafer(data, o, lot, slot, random);
  }
  return data;
}

}  // namespace yieldloop::test

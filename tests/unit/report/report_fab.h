/// \file
/// A small fab whose figures are known by hand, for the tests of the report.
#pragma once

#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/report/build_report.h"

namespace yieldloop::test {

inline constexpr std::int64_t kFirstDay = 20'520;  // 2026-03-08.

/// `lots` lots of 3 wafers of 100 dies, one lot a day at 06:00 UTC from 2026-03-08 on. Every wafer
/// fails 10 dies with bin 5; the last lot fails 40 instead, 30 of them with bin 7. One die of the
/// first wafer failed first and passed when tested again.
inline FabData report_fab(int lots = 8) {
  FabData data;
  data.product.name = "DEMO28";
  data.product.die_width_um = data.product.die_height_um = 20'000;
  data.product.pass_hard_bins = {1};
  const auto row = [&](std::uint32_t wafer, int die, std::int64_t at) {
    DieResult r;
    r.wafer = WaferId{wafer};
    r.die = {static_cast<std::int16_t>(die % 10 - 5), static_cast<std::int16_t>(die / 10 - 5)};
    r.tested_at = UtcMicros{at};
    r.first_pass = r.final_result = true;
    return r;
  };
  for (int lot = 0; lot < lots; ++lot) {
    const NameId name = data.names.intern("L00" + std::to_string(lot + 1));
    const std::int64_t at = (kFirstDay + lot) * kMicrosPerDay + 6 * 3600 * kMicrosPerSecond;
    for (int w = 0; w < 3; ++w) {
      const auto wafer = static_cast<std::uint32_t>(data.wafers.size());
      data.wafers.push_back({name, data.names.intern("W0" + std::to_string(w + 1)), w + 1});
      const bool last = lot + 1 == lots;
      for (int die = 0; die < 100; ++die) {
        DieResult r = row(wafer, die, at);
        r.pass = die >= (last ? 40 : 10);
        r.hard_bin = r.pass ? 1 : die < 10 ? 5 : 7;
        if (wafer == 0 && die == 50) {
          DieResult before = r;
          before.pass = false;
          before.hard_bin = 5;
          before.final_result = false;
          before.tested_at = UtcMicros{at - 1};
          r.first_pass = false;
          data.die_results.push_back(before);
        }
        data.die_results.push_back(r);
      }
    }
  }
  return data;
}

inline FindingsDocument report_findings(int lots = 8) {
  FindingsDocument document;
  document.product = "DEMO28";
  Finding chamber;
  chamber.rank = 1;
  chamber.id = "f-000000000001";
  chamber.kind = "chamber";
  chamber.subject = {{"step", "M1_ETCH"}, {"tool", "ETCH02"}, {"chamber", "B"}};
  chamber.statement = "Wafers through ETCH02/B at M1_ETCH lose 30 die each";
  chamber.die_per_wafer = -30;
  chamber.die_per_wafer_ci = {-33, -27};
  chamber.loss_die_total = 90;
  chamber.q_value = 1e-9;
  chamber.confidence = 0.99;
  chamber.evidence = {{"commonality", "Cochran-Mantel-Haenszel", {3, 21}, 1e-11, {{"z", 6.8}}}};
  for (int w = 1; w <= 3; ++w) {
    chamber.wafers.push_back("L00" + std::to_string(lots) + "/W0" + std::to_string(w));
  }
  Finding pattern;
  pattern.rank = 2;
  pattern.id = "f-000000000002";
  pattern.kind = "layout_pattern";
  pattern.subject = {{"layer", "M1"}, {"pattern_id", "p-07"}};
  pattern.statement = "Pattern p-07 on M1 bridges 6 times as often as its share";
  pattern.loss_die_total = 20;
  pattern.rate_ratio = 6.1;
  pattern.rate_ratio_ci = {4.0, 9.2};
  pattern.locations = {{"M1", 10, 20, 0.2, 0.1}};
  pattern.locations_total = 1;
  document.findings = {chamber, pattern};
  document.undecided = {{{{{"step", "A"}, {"tool", "T1"}}, {{"step", "B"}, {"tool", "T7"}}},
                         "routing never separates them",
                         "run one lot through T1 and T8"}};
  document.alarm_budget = {0.05, 0.04};
  document.caveats = {"Two wafers have no process history."};
  return document;
}

inline std::vector<Suggestion> report_suggestions() {
  Suggestion hold;
  hold.rank = 1;
  hold.id = "s-000000000001";
  hold.side = "process";
  hold.action = "hold_tool";
  hold.statement = "Hold ETCH02/B for M1_ETCH";
  hold.because = {"f-000000000001"};
  hold.good_die_per_wafer = 3.75;
  hold.good_die_per_wafer_ci = {3.4, 4.1};
  hold.cost_kind = "tool_time";
  hold.confidence = 0.95;
  hold.disproved_by = "yield of ETCH02/B unchanged after maintenance";
  return {hold};
}

inline report::ReportOptions report_options() {
  report::ReportOptions options;
  options.night = "2026-03-15";
  options.bin_names = {{5, "M1 short"}, {7, "leakage"}};
  options.clips = {{"f-000000000002",
                    {"M1", 10, 20, 0.2, 0.1},
                    {{"M1",
                      {{{{9.5, 19.8}, {10.8, 19.8}, {10.8, 20}, {9.5, 20}}},
                       {{{9.5, 20.1}, {10.8, 20.1}, {10.8, 20.3}, {9.5, 20.3}}}}}}}};
  options.provenance = {.version = "0.1.0",
                        .store = "yieldloop-store",
                        .snapshot = "17",
                        .command = "yieldloop report --night 2026-03-15",
                        .created = "2026-03-15T12:00:00Z",
                        .seeds = {42}};
  return options;
}

}  // namespace yieldloop::test

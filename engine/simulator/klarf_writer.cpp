#include "engine/simulator/klarf_writer.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <numbers>
#include <set>

namespace yieldloop::simulator {
namespace {

constexpr std::array<const char*, 7> kClassNames{"Unclassified", "Particle", "Bridge",  "Open",
                                                 "Residue",      "Void",     "Nuisance"};

/// "03-14-26 02:10:00", the form KLARF 1.2 tools write.
std::string klarf_time(UtcMicros time) {
  const std::string iso = to_iso8601(time);  // 2026-03-14T02:10:00Z
  return fmt::format("{}-{}-{} {}", iso.substr(5, 2), iso.substr(8, 2), iso.substr(2, 2),
                     iso.substr(11, 8));
}

void write_header(std::string& out, const World& world, std::size_t wafer_index, std::size_t step) {
  const SimWafer& wafer = world.fab.wafers[wafer_index];
  const Visit& visit = wafer.visits[step];
  auto to = std::back_inserter(out);
  fmt::format_to(to, "FileVersion 1 2;\nFileTimestamp {};\n", klarf_time(visit.ended));
  fmt::format_to(to, "InspectionStationID \"VFAB\" \"BF200\" \"{}\";\n",
                 world.fab.tools[visit.tool].name);
  fmt::format_to(to, "SampleType WAFER;\nResultTimestamp {};\n", klarf_time(visit.ended));
  fmt::format_to(to, "LotID \"{}\";\nSampleSize 1 {:.0f};\nDeviceID \"{}\";\n",
                 world.fab.lot_id_at(wafer, step), kWaferDiameterMm, kProductName);
  fmt::format_to(to, "SetupID \"{}\" {};\nStepID \"{}\";\n", world.fab.recipe_of(wafer, step),
                 klarf_time(world.fab.opened), route()[step].name);
  fmt::format_to(to, "SampleOrientationMarkType NOTCH;\nOrientationMarkLocation DOWN;\n");
  fmt::format_to(to, "DiePitch {:.10e} {:.10e};\nDieOrigin 0.0000000000e+00 0.0000000000e+00;\n",
                 world.product.die_width_um, world.product.die_height_um);
  fmt::format_to(to, "WaferID \"{}\";\nSlot {};\n", wafer.id, wafer.slot);
  fmt::format_to(to, "SampleCenterLocation {:.10e} {:.10e};\n", world.product.die_width_um / 2,
                 world.product.die_height_um / 2);
  fmt::format_to(to, "ClassLookup {}\n", kClassNames.size());
  for (std::size_t i = 0; i < kClassNames.size(); ++i) {
    fmt::format_to(to, " {} \"{}\"{}\n", i, kClassNames[i], i + 1 == kClassNames.size() ? ";" : "");
  }
}

void write_plan(std::string& out, const World& world) {
  auto to = std::back_inserter(out);
  const double die_area = world.product.die_width_um * world.product.die_height_um;
  int number = 0;
  for (const InspectionTest& test : world.inspection.tests) {
    fmt::format_to(to, "InspectionTest {};\nSampleTestPlan {}\n", ++number, test.die.size());
    for (std::size_t i = 0; i < test.die.size(); ++i) {
      const GridDie& die = world.grid[test.die[i]];
      fmt::format_to(to, " {} {}{}\n", die.x, die.y, i + 1 == test.die.size() ? ";" : "");
    }
    fmt::format_to(to, "AreaPerTest {:.10e};\n", static_cast<double>(test.die.size()) * die_area);
  }
}

int test_number(const World& world, const Defect& defect) {
  return world.inspection.test_of_die[defect.die] + 1;
}

void write_defects(std::string& out, const World& world, const std::vector<Defect>& defects) {
  auto to = std::back_inserter(out);
  fmt::format_to(
      to,
      "DefectRecordSpec 17 DEFECTID XREL YREL XINDEX YINDEX XSIZE YSIZE DEFECTAREA DSIZE "
      "CLASSNUMBER TEST CLUSTERNUMBER ROUGHBINNUMBER FINEBINNUMBER REVIEWSAMPLE "
      "IMAGECOUNT IMAGELIST ;\nDefectList\n");
  for (std::size_t i = 0; i < defects.size(); ++i) {
    const Defect& d = defects[i];
    const GridDie& die = world.grid[d.die];
    const int kind = static_cast<int>(d.kind);
    fmt::format_to(to,
                   " {} {:.3f} {:.3f} {} {} {:.3f} {:.3f} {:.4f} {:.3f} {} {} 0 {} {} 0 0 0{}\n",
                   i + 1, d.x_um, d.y_um, die.x, die.y, d.size_um, d.size_um * 0.8,
                   d.size_um * d.size_um * 0.8 * std::numbers::pi / 4, d.size_um, kind,
                   test_number(world, d), kind, kind, i + 1 == defects.size() ? ";" : "");
  }
  if (defects.empty()) out += ";\n";
}

void write_summary(std::string& out, const World& world, const std::vector<Defect>& defects) {
  auto to = std::back_inserter(out);
  out += "SummarySpec 5 TESTNO NDEFECT DEFDENSITY NDIE NDEFDIE ;\nSummaryList\n";
  const auto& tests = world.inspection.tests;
  const double die_cm2 = world.product.die_width_um * world.product.die_height_um * 1e-8;
  for (std::size_t t = 0; t < tests.size(); ++t) {
    std::size_t found = 0;
    std::set<std::size_t> defective;
    for (const Defect& d : defects) {
      if (test_number(world, d) != static_cast<int>(t) + 1) continue;
      ++found;
      defective.insert(d.die);
    }
    const auto die = static_cast<double>(tests[t].die.size());
    fmt::format_to(to, " {} {} {:.6e} {} {}{}\n", t + 1, found,
                   static_cast<double>(found) / (die * die_cm2), tests[t].die.size(),
                   defective.size(), t + 1 == tests.size() ? ";" : "");
  }
  out += "EndOfFile;\n";
}

}  // namespace

std::string to_klarf(const World& world, std::size_t wafer, InspectedLayer layer,
                     const std::vector<Defect>& defects) {
  std::string out;
  write_header(out, world, wafer, step_index(kInspectionSteps[static_cast<std::size_t>(layer)]));
  write_plan(out, world);
  write_defects(out, world, defects);
  write_summary(out, world, defects);
  return out;
}

}  // namespace yieldloop::simulator

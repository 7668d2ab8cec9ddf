#include "engine/simulator/klarf_writer.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <numbers>

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
  const SimLot& lot = world.lot_of(wafer);
  const Visit& visit = wafer.visits[step];
  auto to = std::back_inserter(out);
  fmt::format_to(to, "FileVersion 1 2;\nFileTimestamp {};\n", klarf_time(visit.ended));
  fmt::format_to(to, "InspectionStationID \"VFAB\" \"BF200\" \"{}\";\n",
                 world.fab.tools[visit.tool].name);
  fmt::format_to(to, "SampleType WAFER;\nResultTimestamp {};\n", klarf_time(visit.ended));
  fmt::format_to(to, "LotID \"{}\";\nSampleSize 1 {:.0f};\nDeviceID \"{}\";\n", lot.id,
                 kWaferDiameterMm, kProductName);
  fmt::format_to(to, "SetupID \"{}\" {};\nStepID \"{}\";\n", lot.runs[step].recipe,
                 klarf_time(world.fab.opened), route()[step].name);
  fmt::format_to(to, "SampleOrientationMarkType NOTCH;\nOrientationMarkLocation DOWN;\n");
  fmt::format_to(to, "DiePitch {:.10e} {:.10e};\nDieOrigin 0.0000000000e+00 0.0000000000e+00;\n",
                 kDieWidthUm, kDieHeightUm);
  fmt::format_to(to, "WaferID \"{}\";\nSlot {};\n", wafer.id, wafer.slot);
  fmt::format_to(to, "SampleCenterLocation {:.10e} {:.10e};\n", kDieWidthUm / 2, kDieHeightUm / 2);
  fmt::format_to(to, "ClassLookup {}\n", kClassNames.size());
  for (std::size_t i = 0; i < kClassNames.size(); ++i) {
    fmt::format_to(to, " {} \"{}\"{}\n", i, kClassNames[i], i + 1 == kClassNames.size() ? ";" : "");
  }
}

void write_plan(std::string& out, const World& world) {
  auto to = std::back_inserter(out);
  fmt::format_to(to, "InspectionTest 1;\nSampleTestPlan {}\n", world.grid.size());
  for (std::size_t i = 0; i < world.grid.size(); ++i) {
    fmt::format_to(to, " {} {}{}\n", world.grid[i].x, world.grid[i].y,
                   i + 1 == world.grid.size() ? ";" : "");
  }
  const double area = static_cast<double>(world.grid.size()) * kDieWidthUm * kDieHeightUm;
  fmt::format_to(to, "AreaPerTest {:.10e};\n", area);
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
    fmt::format_to(to, " {} {:.3f} {:.3f} {} {} {:.3f} {:.3f} {:.4f} {:.3f} {} 1 0 {} {} 0 0 0{}\n",
                   i + 1, d.x_um, d.y_um, die.x, die.y, d.size_um, d.size_um * 0.8,
                   d.size_um * d.size_um * 0.8 * std::numbers::pi / 4, d.size_um, kind, kind, kind,
                   i + 1 == defects.size() ? ";" : "");
  }
  if (defects.empty()) out += ";\n";
}

void write_summary(std::string& out, const World& world, const std::vector<Defect>& defects) {
  std::size_t defective = 0;
  for (std::size_t i = 0; i < defects.size(); ++i) {
    if (i == 0 || defects[i].die != defects[i - 1].die) ++defective;
  }
  const double area_cm2 =
      static_cast<double>(world.grid.size()) * kDieWidthUm * kDieHeightUm * 1e-8;
  fmt::format_to(
      std::back_inserter(out),
      "SummarySpec 5 TESTNO NDEFECT DEFDENSITY NDIE NDEFDIE ;\nSummaryList\n 1 {} {:.6e} "
      "{} {};\nEndOfFile;\n",
      defects.size(), static_cast<double>(defects.size()) / area_cm2, world.grid.size(), defective);
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

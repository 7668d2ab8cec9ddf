#include "engine/simulator/inspection_model.h"

#include <algorithm>
#include <tuple>

#include "engine/simulator/world.h"

namespace yieldloop::simulator {
namespace {

DefectClass reported_class(DefectClass kind, Random& random) {
  const double u = random.uniform();
  const auto other = static_cast<DefectClass>(1 + random.below(6));
  return u < 0.10 ? DefectClass::kUnclassified : u < 0.16 ? other : kind;
}

void misplace(const World& world, const ToolError& error, Defect& defect, Random& random) {
  const Product& product = world.product;
  const GridDie& die = world.grid[defect.die];
  const double x_mm = ((die.x - 0.5) * product.die_width_um + defect.x_um) * 1e-3;
  const double y_mm = ((die.y - 0.5) * product.die_height_um + defect.y_um) * 1e-3;
  const double dx = error.dx_um + (error.scale_ppm * x_mm - error.rotation_urad * y_mm) * 1e-3;
  const double dy = error.dy_um + (error.scale_ppm * y_mm + error.rotation_urad * x_mm) * 1e-3;
  const double sigma = world.inspection.position_sigma_um;
  defect.x_um = std::clamp(defect.x_um + dx + random.normal(0.0, sigma), 0.0, product.die_width_um);
  defect.y_um =
      std::clamp(defect.y_um + dy + random.normal(0.0, sigma), 0.0, product.die_height_um);
}

void see(const World& world, const ToolError& error, const std::vector<Defect>& defects,
         std::vector<Defect>& report, Random& random) {
  const InspectionPlan& plan = world.inspection;
  for (Defect defect : defects) {
    const int test = plan.test_of_die[defect.die];
    const double sensitivity =
        test < 0 ? 0.0 : plan.tests[static_cast<std::size_t>(test)].sensitivity;
    const bool seen = random.chance(sensitivity * capture_rate(defect.size_um));
    misplace(world, error, defect, random);
    defect.size_um *= random.uniform(0.85, 1.2);
    defect.kind = reported_class(defect.kind, random);
    if (seen) report.push_back(defect);
  }
}

void add_nuisance(const World& world, std::vector<Defect>& report, Random& random) {
  const auto count = random.poisson(world.inspection.nuisance_per_wafer * random.gamma(4.0, 0.25));
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::size_t die = random.below(world.grid.size());
    const double x = random.uniform(0.0, world.product.die_width_um);
    const double y = random.uniform(0.0, world.product.die_height_um);
    const double size = draw_defect_size(random);
    const DefectClass kind = reported_class(DefectClass::kNuisance, random);
    if (world.inspection.test_of_die[die] >= 0) report.push_back({die, x, y, size, kind});
  }
}

/// The test that looks at a die, -1 when none does.
int test_of(SampleKind kind, const GridDie& die) {
  constexpr double kEdge = 0.88;
  switch (kind) {
    case SampleKind::kAllDie: return 0;
    case SampleKind::kNoEdgeDie: return die.radius <= kEdge ? 0 : -1;
    case SampleKind::kEverySecondDie: return (die.x + die.y) % 2 == 0 ? 0 : -1;
    case SampleKind::kTwoTests: return die.y < 0 ? 1 : 0;
  }
  return 0;
}

}  // namespace

InspectionPlan draw_inspection_plan(const std::vector<GridDie>& grid, std::size_t tools,
                                    Random random) {
  InspectionPlan plan;
  const double u = random.uniform();
  plan.kind = u < 0.4   ? SampleKind::kAllDie
              : u < 0.6 ? SampleKind::kNoEdgeDie
              : u < 0.8 ? SampleKind::kEverySecondDie
                        : SampleKind::kTwoTests;
  plan.tests.resize(plan.kind == SampleKind::kTwoTests ? 2 : 1);
  plan.tests.back().sensitivity = plan.tests.size() == 2 ? random.uniform(0.7, 0.9) : 1.0;
  for (std::size_t die = 0; die < grid.size(); ++die) {
    const int test = test_of(plan.kind, grid[die]);
    plan.test_of_die.push_back(test);
    if (test >= 0) plan.tests[static_cast<std::size_t>(test)].die.push_back(die);
  }
  plan.position_sigma_um = random.uniform(0.20, 0.55);
  plan.nuisance_per_wafer = random.uniform(5.0, 20.0);
  plan.tool_errors.resize(tools);
  return plan;
}

double capture_rate(double size_um) {
  // 0.75 for the smallest, 0.95 from 1 um on.
  return 0.75 + 0.20 * std::clamp((size_um - 0.2) / 0.8, 0.0, 1.0);
}

std::vector<Defect> inspect(const World& world, std::size_t wafer, const WaferFate& fate,
                            InspectedLayer layer, Random background, Random planted) {
  const auto index = static_cast<std::size_t>(layer);
  const Visit& visit = world.fab.wafers[wafer].visits[step_index(kInspectionSteps[index])];
  const ToolError& error = world.inspection.tool_errors[visit.tool];
  std::vector<Defect> report;
  see(world, error, fate.background_defects[index], report, background);
  add_nuisance(world, report, background);
  see(world, error, fate.planted_defects[index], report, planted);
  std::ranges::sort(report, {}, [](const Defect& d) { return std::tuple{d.die, d.y_um, d.x_um}; });
  return report;
}

}  // namespace yieldloop::simulator

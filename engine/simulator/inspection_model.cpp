#include "engine/simulator/inspection_model.h"

#include <algorithm>
#include <tuple>

#include "engine/simulator/world.h"

namespace yieldloop::simulator {
namespace {

/// Larger defects are found more often: 0.75 for the smallest, 0.95 from 1 µm on.
double capture_rate(double size_um) {
  return 0.75 + 0.20 * std::clamp((size_um - 0.2) / 0.8, 0.0, 1.0);
}

DefectClass reported_class(DefectClass kind, Random& random) {
  const double u = random.uniform();
  const auto other = static_cast<DefectClass>(1 + random.below(6));
  return u < 0.10 ? DefectClass::kUnclassified : u < 0.16 ? other : kind;
}

void see(const std::vector<Defect>& defects, std::vector<Defect>& report, Random& random) {
  for (Defect defect : defects) {
    const bool seen = random.chance(capture_rate(defect.size_um));
    defect.x_um = std::clamp(defect.x_um + random.normal(0.0, kPositionSigmaUm), 0.0, kDieWidthUm);
    defect.y_um = std::clamp(defect.y_um + random.normal(0.0, kPositionSigmaUm), 0.0, kDieHeightUm);
    defect.size_um *= random.uniform(0.85, 1.2);
    defect.kind = reported_class(defect.kind, random);
    if (seen) report.push_back(defect);
  }
}

void add_nuisance(const World& world, std::vector<Defect>& report, Random& random) {
  const auto count = random.poisson(kNuisancePerWafer * random.gamma(4.0, 0.25));
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::size_t die = random.below(world.grid.size());
    const double x = random.uniform(0.0, kDieWidthUm);
    const double y = random.uniform(0.0, kDieHeightUm);
    const double size = draw_defect_size(random);
    report.push_back({die, x, y, size, reported_class(DefectClass::kNuisance, random)});
  }
}

}  // namespace

std::vector<Defect> inspect(const World& world, const WaferFate& fate, InspectedLayer layer,
                            Random background, Random planted) {
  const auto index = static_cast<std::size_t>(layer);
  std::vector<Defect> report;
  see(fate.background_defects[index], report, background);
  add_nuisance(world, report, background);
  see(fate.planted_defects[index], report, planted);
  std::ranges::sort(report, {}, [](const Defect& d) { return std::tuple{d.die, d.y_um, d.x_um}; });
  return report;
}

}  // namespace yieldloop::simulator

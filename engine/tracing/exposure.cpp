#include "engine/tracing/exposure.h"

#include <algorithm>
#include <set>

#include "engine/core/random.h"
#include "engine/tracing/coverage.h"

namespace yieldloop::tracing {
namespace {

void add_defect(const FabData& data, const Frame& frame, std::size_t at, StepExposure& exposure) {
  const Defect& d = data.defects[at];
  const PointUm p = frame.to_layout(PointUm{d.x_um, d.y_um});
  const bool listed = std::ranges::binary_search(data.inspections[d.inspection].inspected, d.die);
  if (!listed || !exposure.window.contains(p)) {
    ++exposure.outside;
    return;
  }
  exposure.defects.push_back({p, at, d.wafer, d.die, d.class_name});
}

/// Coordinates a thousand times too large lie off every die, a thousand times too small all lie
/// at its corner.
Status check_units(const FabData& data, const StepExposure& exposure) {
  constexpr std::int64_t kEnough = 20;
  const auto inside = static_cast<std::int64_t>(exposure.defects.size());
  const double w = data.product.die_width_um, h = data.product.die_height_um;
  const double share = w > 0.0 && h > 0.0 ? exposure.window.area() / (w * h) : 0.0;
  const double expected = share * static_cast<double>(inside + exposure.outside);
  const bool all_off =
      expected >= static_cast<double>(kEnough) && static_cast<double>(inside) < 0.05 * expected;
  const bool all_small =
      inside >= kEnough && std::ranges::all_of(exposure.defects, [&](const LocatedDefect& l) {
        const Defect& d = data.defects[l.defect];
        return d.x_um <= 0.002 * w && d.y_um <= 0.002 * h;
      });
  if (!all_off && !all_small) return Ok{};
  return Error{Errc::kNoData, "EXPO-0002",
               "Nearly all defects of step " + exposure.step +
                   (all_off ? " lie off the layout or the inspected die"
                            : " lie within a thousandth of the die of its corner") +
                   "; correct the unit of the coordinates, the die size or the layout's origin."};
}

}  // namespace

Result<StepExposure> step_exposure(const FabData& data, const Frame& frame, const std::string& step,
                                   std::span<const char> exclude) {
  StepExposure exposure;
  exposure.step = step;
  exposure.window = frame.window();
  const NameId id = data.names.find(step);
  std::set<WaferId> wafers;
  std::vector<char> used(data.inspections.size(), 0);
  for (std::uint32_t i = 0; i < data.inspections.size(); ++i) {
    const Inspection& inspection = data.inspections[i];
    if (step.empty() || inspection.step != id || inspection.inspected.empty()) continue;
    used[i] = 1;
    exposure.inspections.push_back(i);
    exposure.die_inspections += static_cast<std::int64_t>(inspection.inspected.size());
    wafers.insert(inspection.wafer);
  }
  if (exposure.inspections.empty()) {
    return Error{Errc::kNoData, "EXPO-0001",
                 "No inspection at step " + step +
                     " lists the die it looked at, so no rate can be formed; load KLARF files with "
                     "a sample test plan."};
  }
  exposure.wafers = static_cast<std::int64_t>(wafers.size());
  for (std::size_t d = 0; d < data.defects.size(); ++d) {
    if (!used[data.defects[d].inspection]) continue;
    if (d < exclude.size() && exclude[d] != 0) {
      ++exposure.excluded;
    } else {
      add_defect(data, frame, d, exposure);
    }
  }
  YL_TRY(check_units(data, exposure));
  find_coverage(data, frame, exposure);
  return exposure;
}

std::vector<PointUm> control_points(const RectUm& window, std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<PointUm> points;
  points.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double x = random.uniform(window.x_min, window.x_max);
    points.push_back({x, random.uniform(window.y_min, window.y_max)});
  }
  return points;
}

}  // namespace yieldloop::tracing

#include "engine/defects/inspected_area.h"

#include <algorithm>

namespace yieldloop::defects {

DiePitch die_pitch(const FabData& data, const Inspection& inspection) {
  if (inspection.die_pitch_x_um > 0.0 && inspection.die_pitch_y_um > 0.0) {
    return {inspection.die_pitch_x_um, inspection.die_pitch_y_um};
  }
  return {data.product.die_width_um, data.product.die_height_um};
}

double inspected_area_cm2(const FabData& data, const Inspection& inspection) {
  if (inspection.area_cm2 > 0.0) return inspection.area_cm2;
  const DiePitch pitch = die_pitch(data, inspection);
  return static_cast<double>(inspection.inspected.size()) * pitch.x_um * pitch.y_um * 1e-8;
}

bool was_inspected(const Inspection& inspection, DieIndex die) {
  return inspection.inspected.empty() || std::ranges::binary_search(inspection.inspected, die);
}

WaferPoint on_wafer(const FabData& data, const Defect& defect) {
  const Inspection& inspection = data.inspections[defect.inspection];
  const DiePitch pitch = die_pitch(data, inspection);
  return {defect.die.x * pitch.x_um + defect.x_um - inspection.sample_center_x_um,
          defect.die.y * pitch.y_um + defect.y_um - inspection.sample_center_y_um};
}

}  // namespace yieldloop::defects

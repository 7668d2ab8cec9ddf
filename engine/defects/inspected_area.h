/// \file
/// How much silicon an inspection saw, and where its defects lie on the wafer.
///
/// A defect count means nothing without the area it was counted on. The area is the file's own
/// (AREAPERTEST times the die) where it gives one, else the inspected die times the die's area;
/// where neither is known the area is 0 and no density is formed.
///
/// Units: um on the wafer, cm^2 for areas (1 cm^2 = 1e8 um^2).
#pragma once

#include <optional>

#include "engine/core/fab_data.h"

namespace yieldloop::defects {

/// Die step of an inspection: its file's pitch, else the product's; {0, 0} when unknown.
struct DiePitch {
  double x_um = 0.0;
  double y_um = 0.0;
};
DiePitch die_pitch(const FabData& data, const Inspection& inspection);

/// Inspected area in cm^2; 0 when it cannot be known.
double inspected_area_cm2(const FabData& data, const Inspection& inspection);

/// Whether the inspection looked at this die; an inspection that lists no die is taken to have
/// looked at all.
bool was_inspected(const Inspection& inspection, DieIndex die);

struct WaferPoint {
  double x_um = 0.0;
  double y_um = 0.0;
  friend bool operator==(const WaferPoint&, const WaferPoint&) = default;
};

/// Where the defect lies, from the wafer centre, notch down:
/// die index * pitch + position in die - sample centre.
WaferPoint on_wafer(const FabData& data, const Defect& defect);

}  // namespace yieldloop::defects

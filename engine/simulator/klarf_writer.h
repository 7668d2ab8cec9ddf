/// \file
/// One inspection of one wafer as a KLARF 1.2 file.
///
/// Frame: die (XINDEX, YINDEX) as in product_model.h; XREL, YREL from the die's lower left
/// corner in µm; wafer position = index * DiePitch + REL - SampleCenterLocation, notch down.
/// Source: KLARF 1.2 as described in docs/formats/klarf.md.
#pragma once

#include <string>
#include <vector>

#include "engine/simulator/wafer_model.h"
#include "engine/simulator/world.h"

namespace yieldloop::simulator {

std::string to_klarf(const World& world, std::size_t wafer, InspectedLayer layer,
                     const std::vector<Defect>& defects);

}  // namespace yieldloop::simulator

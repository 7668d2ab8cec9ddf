/// \file
/// The layout as a GDSII stream file, release 6, 1 nm database unit.
/// Source: GDSII Stream Format Manual, release 6.0; see docs/formats/gdsii.md.
#pragma once

#include <string>

#include "engine/simulator/layout_model.h"

namespace yieldloop::simulator {

std::string to_gdsii(const Layout& layout);

}  // namespace yieldloop::simulator

/// \file
/// The virtual product on the wafer: die grid, exposure fields, and its product.toml.
///
/// Wafer frame: notch down, origin at the wafer's centre. Die (0,0) is the die on the centre;
/// die (x,y) has its lower left corner at ((x - 0.5) * width, (y - 0.5) * height). Test and
/// inspection count die alike, x right and y up.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/simulator/layout_model.h"

namespace yieldloop::simulator {

inline constexpr const char* kProductName = "DEMO28";
inline constexpr const char* kLayoutFile = "demo28.gds";
inline constexpr double kDieWidthUm = 13'000.0;
inline constexpr double kDieHeightUm = 11'000.0;
inline constexpr double kWaferDiameterMm = 300.0;
inline constexpr double kEdgeExclusionMm = 3.0;
inline constexpr int kReticleColumns = 2;
inline constexpr int kReticleRows = 3;
/// The layout's origin in the die: half the scribe lane.
inline constexpr double kLayoutOriginUm = 40.0;

struct GridDie {
  std::int16_t x = 0;
  std::int16_t y = 0;
  double radius = 0.0;  ///< Of the centre, as a part of the wafer's radius.
  int field_x = 0;      ///< Column in the exposure field.
  int field_y = 0;
};

/// Every die that lies whole inside the edge exclusion, by row from below, then by column.
std::vector<GridDie> die_grid();

std::string to_product_toml();

}  // namespace yieldloop::simulator

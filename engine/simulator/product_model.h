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
inline constexpr double kWaferDiameterMm = 300.0;
inline constexpr double kEdgeExclusionMm = 3.0;
/// The layout's origin in the die: half the scribe lane.
inline constexpr double kLayoutOriginUm = 40.0;

/// What the layout's size makes of the product: the scribe lane goes round it, and as many die as
/// fit make one exposure field of at most 26 x 33 mm.
struct Product {
  double die_width_um = 0.0;
  double die_height_um = 0.0;
  int reticle_columns = 1;
  int reticle_rows = 1;
};

Product product_of(const Layout& layout);

struct GridDie {
  std::int16_t x = 0;
  std::int16_t y = 0;
  double radius = 0.0;  ///< Of the centre, as a part of the wafer's radius.
  int field_x = 0;      ///< Column in the exposure field.
  int field_y = 0;
};

/// Every die that lies whole inside the edge exclusion, by row from below, then by column.
std::vector<GridDie> die_grid(const Product& product);

std::string to_product_toml(const Product& product);

}  // namespace yieldloop::simulator

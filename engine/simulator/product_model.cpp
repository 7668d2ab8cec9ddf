#include "engine/simulator/product_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace yieldloop::simulator {
namespace {

int field_index(int die, int period) { return ((die % period) + period) % period; }

bool is_whole(int x, int y) {
  const double usable = (kWaferDiameterMm / 2 - kEdgeExclusionMm) * 1000.0;
  const double far_x = (std::abs(x) + 0.5) * kDieWidthUm;
  const double far_y = (std::abs(y) + 0.5) * kDieHeightUm;
  return std::hypot(far_x, far_y) <= usable;
}

constexpr const char* kLayersAndTests = R"(
[[layer]]
name = "M1"
kind = "metal"
gds = [31, 0]
min_width_um = 0.2
min_space_um = 0.2

[[layer]]
name = "VIA1"
kind = "via"
gds = [32, 0]
min_width_um = 0.2
min_space_um = 0.2
connects = ["M1", "M2"]

[[layer]]
name = "M2"
kind = "metal"
gds = [33, 0]
min_width_um = 0.2
min_space_um = 0.2

[[layer]]
name = "OUTLINE"
kind = "marker"
gds = [235, 0]

[[inspection]]
step = "M1_CMP_INSP"
layers = ["M1"]

[[inspection]]
step = "M2_CMP_INSP"
layers = ["VIA1", "M2"]

[[test_block]]
test = "SCAN_BLKA"
cell = "BLKA"

[[test_block]]
test = "SCAN_BLKB"
cell = "BLKB"

[[test_block]]
test = "SCAN_BLKC"
cell = "BLKC"

[[test_block]]
test = "MBIST_ARRD"
cell = "ARRD"

[economics]
die_price = 4.0
wafer_cost = 3000.0
mask_layer_cost = 120000.0
wafers_per_week = 400
)";

}  // namespace

std::vector<GridDie> die_grid() {
  std::vector<GridDie> grid;
  const double radius = kWaferDiameterMm * 500.0;
  for (int y = -20; y <= 20; ++y) {
    for (int x = -20; x <= 20; ++x) {
      if (!is_whole(x, y)) continue;
      grid.push_back({.x = static_cast<std::int16_t>(x),
                      .y = static_cast<std::int16_t>(y),
                      .radius = std::hypot(x * kDieWidthUm, y * kDieHeightUm) / radius,
                      .field_x = field_index(x, kReticleColumns),
                      .field_y = field_index(y, kReticleRows)});
    }
  }
  return grid;
}

std::string to_product_toml() {
  return fmt::format(R"([product]
name = "{}"
technology = "130nm"
die_width_um = {:.1f}
die_height_um = {:.1f}
wafer_diameter_mm = {:.1f}
edge_exclusion_mm = {:.1f}
reticle_columns = {}
reticle_rows = {}
reticle_origin_die = [0, 0]
pass_hard_bins = [1]

[layout]
file = "{}"
top_cell = "{}"
origin_in_die_um = [{:.1f}, {:.1f}]
orientation = "R0"
{})",
                     kProductName, kDieWidthUm, kDieHeightUm, kWaferDiameterMm, kEdgeExclusionMm,
                     kReticleColumns, kReticleRows, kLayoutFile, kProductName, kLayoutOriginUm,
                     kLayoutOriginUm, kLayersAndTests);
}

}  // namespace yieldloop::simulator

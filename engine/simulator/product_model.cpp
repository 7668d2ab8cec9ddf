#include "engine/simulator/product_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace yieldloop::simulator {
namespace {

int field_index(int die, int period) { return ((die % period) + period) % period; }

bool is_whole(const Product& product, int x, int y) {
  const double usable = (kWaferDiameterMm / 2 - kEdgeExclusionMm) * 1000.0;
  const double far_x = (std::abs(x) + 0.5) * product.die_width_um;
  const double far_y = (std::abs(y) + 0.5) * product.die_height_um;
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

Product product_of(const Layout& layout) {
  constexpr double kFieldWidthUm = 26'000.0;
  constexpr double kFieldHeightUm = 33'000.0;
  Product product;
  product.die_width_um = layout.extent.x / 1000.0 + 2 * kLayoutOriginUm;
  product.die_height_um = layout.extent.y / 1000.0 + 2 * kLayoutOriginUm;
  product.reticle_columns = static_cast<int>(kFieldWidthUm / product.die_width_um);
  product.reticle_rows = static_cast<int>(kFieldHeightUm / product.die_height_um);
  return product;
}

std::vector<GridDie> die_grid(const Product& product) {
  std::vector<GridDie> grid;
  const double radius = kWaferDiameterMm * 500.0;
  for (int y = -25; y <= 25; ++y) {
    for (int x = -25; x <= 25; ++x) {
      if (!is_whole(product, x, y)) continue;
      grid.push_back(
          {.x = static_cast<std::int16_t>(x),
           .y = static_cast<std::int16_t>(y),
           .radius = std::hypot(x * product.die_width_um, y * product.die_height_um) / radius,
           .field_x = field_index(x, product.reticle_columns),
           .field_y = field_index(y, product.reticle_rows)});
    }
  }
  return grid;
}

std::string to_product_toml(const Product& product) {
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
                     kProductName, product.die_width_um, product.die_height_um, kWaferDiameterMm,
                     kEdgeExclusionMm, product.reticle_columns, product.reticle_rows, kLayoutFile,
                     kProductName, kLayoutOriginUm, kLayoutOriginUm, kLayersAndTests);
}

}  // namespace yieldloop::simulator

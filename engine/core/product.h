/// \file
/// What product.toml says: how a product's frames map, its layers, its inspections, its prices.
/// Source: the product file contract in docs/formats/product.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/quantity.h"

namespace yieldloop {

/// The eight layout orientations: rotation counter-clockwise, M.. mirrored about the x axis
/// first (GDSII's order: reflect, then rotate).
enum class Orientation : std::uint8_t { kR0, kR90, kR180, kR270, kMx, kMx90, kMy, kMy90 };

enum class LayerKind : std::uint8_t { kActive, kPoly, kContact, kMetal, kVia, kMarker };

struct ProductLayer {
  std::string name;
  LayerKind kind = LayerKind::kMetal;
  int gds_layer = 0;
  int gds_datatype = 0;
  std::string lef_name;  ///< In LEF and DEF; empty: as `name`.
  std::optional<double> min_width_um;
  std::optional<double> min_space_um;
  std::vector<std::string> connects;  ///< For vias and contacts: the layers they join.
  friend bool operator==(const ProductLayer&, const ProductLayer&) = default;
};

/// Which layers an inspection step sees.
struct InspectionLayers {
  std::string step;
  std::vector<std::string> layers;
  friend bool operator==(const InspectionLayers&, const InspectionLayers&) = default;
};

struct TestBlock {
  std::string test;
  std::string cell;
  friend bool operator==(const TestBlock&, const TestBlock&) = default;
};

/// Prices in one currency; absent where the site gave none.
struct Economics {
  std::optional<double> die_price;
  std::optional<double> wafer_cost;
  std::optional<double> mask_layer_cost;
  std::optional<double> wafers_per_week;
  friend bool operator==(const Economics&, const Economics&) = default;
};

struct Product {
  std::string name;
  std::string technology;
  double die_width_um = 0.0;   ///< Step on the wafer, x; 0 when no product file was read.
  double die_height_um = 0.0;  ///< Step on the wafer, y.
  double wafer_diameter_mm = 300.0;
  double edge_exclusion_mm = 3.0;
  int reticle_columns = 1;
  int reticle_rows = 1;
  DieIndex reticle_origin;          ///< The die at the lower left of field (0,0).
  std::vector<int> pass_hard_bins;  ///< Never assumed: empty means "ask the test data".
  std::string layout_file;          ///< As written, e.g. "demo28.gds"; may be empty.
  std::string top_cell;             ///< May be empty: the file's only top cell.
  double layout_origin_x_um = 0.0;  ///< Layout (0,0) measured from the die's lower left.
  double layout_origin_y_um = 0.0;
  Orientation orientation = Orientation::kR0;
  std::string def_file;                ///< As written, e.g. "demo28.def"; may be empty.
  std::vector<std::string> lef_files;  ///< Technology and cells, in the order to be read.
  std::vector<ProductLayer> layers;    ///< In stack order, bottom first.
  std::vector<InspectionLayers> inspections;
  std::vector<TestBlock> test_blocks;
  Economics economics;
  friend bool operator==(const Product&, const Product&) = default;
};

}  // namespace yieldloop

#include "engine/store/product_file.h"

#include "catch_portable.h"

using namespace yieldloop;
using store::parse_product;

namespace {

constexpr std::string_view kWhole = R"(
[product]
name = "DEMO28"
technology = "28nm"
die_width_um = 2400.0
die_height_um = 2000
wafer_diameter_mm = 300.0
edge_exclusion_mm = 3.0
reticle_columns = 4
reticle_rows = 3
reticle_origin_die = [-1, 2]
pass_hard_bins = [1, 7]
future_key = "ignored"

[layout]
file = "demo28.gds"
top_cell = "DEMO28"
origin_in_die_um = [10.0, -5]
orientation = "MX90"

[[layer]]
name = "M1"
kind = "metal"
gds = [31, 0]
min_width_um = 0.05
min_space_um = 0.06
[[layer]]
name = "VIA1"
kind = "via"
gds = [32, 1]
connects = ["M1", "M2"]

[[inspection]]
step = "M1_CMP_INSP"
layers = ["M1"]

[[test_block]]
test = "SCAN_CPU0"
cell = "CPU0"

[economics]
die_price = 4.0
wafers_per_week = 400
)";

std::string small(std::string_view extra) {
  return "[product]\nname = \"P\"\ndie_width_um = 1.0\ndie_height_um = 1.0\n" + std::string(extra);
}

}  // namespace

TEST_CASE("product file: every key of the contract arrives", "[store][product]") {
  const auto product = parse_product(kWhole);

  REQUIRE(product);
  CHECK(product->name == "DEMO28");
  CHECK(product->technology == "28nm");
  CHECK(product->die_width_um == 2400.0);
  CHECK(product->die_height_um == 2000.0);
  CHECK(product->reticle_columns == 4);
  CHECK(product->reticle_rows == 3);
  CHECK(product->reticle_origin == DieIndex{-1, 2});
  CHECK(product->pass_hard_bins == std::vector<int>{1, 7});
  CHECK(product->layout_file == "demo28.gds");
  CHECK(product->layout_origin_x_um == 10.0);
  CHECK(product->layout_origin_y_um == -5.0);
  CHECK(product->orientation == Orientation::kMx90);
  REQUIRE(product->layers.size() == 2);
  CHECK(product->layers[0].min_space_um == 0.06);
  CHECK(product->layers[1].kind == LayerKind::kVia);
  CHECK(product->layers[1].gds_datatype == 1);
  CHECK_FALSE(product->layers[1].min_width_um);
  CHECK(product->layers[1].connects == std::vector<std::string>{"M1", "M2"});
  CHECK(product->inspections == std::vector<InspectionLayers>{{"M1_CMP_INSP", {"M1"}}});
  CHECK(product->test_blocks == std::vector<TestBlock>{{"SCAN_CPU0", "CPU0"}});
  CHECK(product->economics.die_price == 4.0);
  CHECK_FALSE(product->economics.wafer_cost);
  CHECK(product->economics.wafers_per_week == 400.0);
}

TEST_CASE("product file: what may be left out", "[store][product]") {
  const auto product = parse_product(small(""));

  REQUIRE(product);
  CHECK(product->pass_hard_bins.empty());
  CHECK(product->wafer_diameter_mm == 300.0);
  CHECK(product->orientation == Orientation::kR0);
  CHECK(product->layers.empty());
}

TEST_CASE("product file: errors name the line and the key", "[store][product][error]") {
  struct Case {
    std::string toml;
    std::string id;
    std::string part;
  };
  const auto c = GENERATE(values<Case>({
      {"[product\n", "PROD-0001", "Line 1"},
      {"[product]\nname = \"P\"\n[a" +
           [] {
             std::string names;
             for (int i = 0; i < 60'000; ++i) names += ".a";
             return names;
           }() +
           "]\n",
       "PROD-0007", "Line 3"},
      {"", "PROD-0002", "product"},
      {"[product]\nname = \"P\"\ndie_width_um = 1.0\n", "PROD-0002", "die_height_um"},
      {small("edge_exclusion_mm = \"3\"\n"), "PROD-0003",
       "Line 5 of the product file: edge_exclusion_mm"},
      {small("pass_hard_bins = 1\n"), "PROD-0003", "pass_hard_bins"},
      {small("reticle_columns = 1.5\n"), "PROD-0003", "whole number"},
      {small("reticle_rows = 0\n"), "PROD-0004", "reticle_rows"},
      {small("wafer_diameter_mm = -300.0\n"), "PROD-0004", "above 0"},
      {small("edge_exclusion_mm = 200.0\n"), "PROD-0004", "edge_exclusion_mm"},
      {small("edge_exclusion_mm = nan\n"), "PROD-0004", "edge_exclusion_mm"},
      {small("reticle_origin_die = [40000, 0]\n"), "PROD-0004", "reticle_origin_die"},
      {small("[layout]\norientation = \"R45\"\n"), "PROD-0005", "Line 6"},
      {small("[[layer]]\nname = \"M1\"\n"), "PROD-0002", "gds"},
      {small("[[layer]]\nname = \"M1\"\ngds = [1]\n"), "PROD-0003", "gds"},
      {small("[[layer]]\nname = \"M1\"\ngds = [1, 0]\nmin_width_um = 0.0\n"), "PROD-0004",
       "min_width_um"},
      {small("[[layer]]\nname = \"A\"\ngds = [1, 0]\n[[layer]]\nname = \"A\"\ngds = [2, 0]\n"),
       "PROD-0006", "described twice"},
      {small("[layer]\nname = \"A\"\n"), "PROD-0003", "[[layer]]"},
      {small("[economics]\ndie_price = -1\n"), "PROD-0004", "die_price"},
      {"product = 3\n", "PROD-0003", "[product]"},
      {"[product]\nname = \" \"\ndie_width_um = 1.0\ndie_height_um = 1.0\n", "PROD-0004", "name"},
  }));
  CAPTURE(c.toml);

  const auto product = parse_product(c.toml);

  REQUIRE_FALSE(product);
  CHECK(product.error().code == Errc::kFormat);
  CHECK(product.error().id == c.id);
  CHECK_THAT(product.error().message, Contains(c.part));
}

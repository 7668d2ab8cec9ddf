#include "engine/store/product_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>

#include <toml++/toml.h>

#include "engine/core/text.h"
#include "engine/core/toml_guard.h"

namespace yieldloop::store {
namespace {

/// A number's bounds; `above` is exclusive, so that 0 can be refused.
struct Range {
  double above = -HUGE_VAL;
  double at_most = HUGE_VAL;
};
constexpr Range kPositive{.above = 0.0, .at_most = 1e9};
constexpr Range kNotNegative{.above = -1e-300, .at_most = 1e12};
constexpr Range kAny{.above = -1e9, .at_most = 1e9};
constexpr Range kDieIndex{.above = -32769.0, .at_most = 32767.0};

std::string readable(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  return escape_controls(to_valid_utf8(text.substr(0, kLongest)));
}

/// Reads typed values out of the file and keeps the first error; after it every further read
/// is a no-op, so that the caller checks once at the end.
class Reader {
 public:
  bool failed() const { return error_.has_value(); }
  const Error& error() const { return *error_; }

  void fail(std::string id, const toml::node& at, std::string_view what) {
    if (failed()) return;
    error_ = Error{Errc::kFormat, std::move(id),
                   fmt::format("Line {} of the product file: {}.", at.source().begin.line, what)};
  }

  const toml::node* require(const toml::table& table, std::string_view key,
                            std::string_view section) {
    const toml::node* node = table.get(key);
    if (node == nullptr) {
      fail("PROD-0002", table, fmt::format("{} needs the key {}", section, key));
    }
    return node;
  }

  void text(const toml::table& table, std::string_view key, std::string& out) {
    const toml::node* node = table.get(key);
    if (node == nullptr || failed()) return;
    if (!node->is_string()) return wrong_type(*node, key, "a text in quotes");
    out = node->ref<std::string>();
  }

  void required_text(const toml::table& table, std::string_view key, std::string_view section,
                     std::string& out) {
    const toml::node* node = require(table, key, section);
    text(table, key, out);
    if (node != nullptr && !failed() && trim(out).empty()) {
      fail("PROD-0004", *node, fmt::format("{} is empty; give it a name", key));
    }
  }

  double number(const toml::node& node, std::string_view key, Range range) {
    const auto value = node.is_number() ? node.value<double>() : std::nullopt;
    if (!value) return wrong_type(node, key, "a number"), 0.0;
    if (!(*value > range.above && *value <= range.at_most)) {
      fail("PROD-0004", node,
           fmt::format("{} = {} is out of range ({})", key, *value, words(range)));
    }
    return *value;
  }

  int integer(const toml::node& node, std::string_view key, Range range) {
    if (!node.is_integer()) return wrong_type(node, key, "a whole number"), 0;
    const double value = number(node, key, range);
    return failed() ? 0 : static_cast<int>(value);
  }

  void number(const toml::table& table, std::string_view key, Range range, double& out) {
    const toml::node* node = table.get(key);
    if (node != nullptr && !failed()) out = number(*node, key, range);
  }
  void number(const toml::table& table, std::string_view key, Range range,
              std::optional<double>& out) {
    const toml::node* node = table.get(key);
    if (node != nullptr && !failed()) out = number(*node, key, range);
  }
  void integer(const toml::table& table, std::string_view key, Range range, int& out) {
    const toml::node* node = table.get(key);
    if (node != nullptr && !failed()) out = integer(*node, key, range);
  }

  /// An array of exactly `length` nodes, or nullptr (absent or refused).
  const toml::array* tuple(const toml::table& table, std::string_view key, std::size_t length) {
    const toml::node* node = table.get(key);
    if (node == nullptr || failed()) return nullptr;
    const toml::array* array = node->as_array();
    if (array == nullptr || array->size() != length) {
      wrong_type(*node, key, fmt::format("a list of {} numbers", length));
      return nullptr;
    }
    return array;
  }

  void texts(const toml::table& table, std::string_view key, std::vector<std::string>& out) {
    const toml::node* node = table.get(key);
    if (node == nullptr || failed()) return;
    const toml::array* array = node->as_array();
    if (array == nullptr) return wrong_type(*node, key, "a list of texts");
    for (const toml::node& entry : *array) {
      if (!entry.is_string()) return wrong_type(entry, key, "a list of texts");
      out.push_back(entry.ref<std::string>());
    }
  }

  /// The table under `key`, or nullptr (absent or refused).
  const toml::table* section(const toml::table& root, std::string_view key) {
    const toml::node* node = root.get(key);
    if (node == nullptr || failed()) return nullptr;
    if (!node->is_table()) wrong_type(*node, key, fmt::format("a section [{}]", key));
    return node->as_table();
  }

  /// Calls `each` with every [[key]] table.
  template <class Each>
  void sections(const toml::table& root, std::string_view key, Each each) {
    const toml::node* node = root.get(key);
    if (node == nullptr || failed()) return;
    const toml::array* array = node->as_array();
    if (array == nullptr) return wrong_type(*node, key, fmt::format("sections [[{}]]", key));
    for (const toml::node& entry : *array) {
      if (failed()) return;
      if (!entry.is_table()) return wrong_type(entry, key, fmt::format("sections [[{}]]", key));
      each(*entry.as_table());
    }
  }

  void wrong_type(const toml::node& node, std::string_view key, std::string_view wanted) {
    fail("PROD-0003", node, fmt::format("{} must be {}", key, wanted));
  }

 private:
  static std::string words(Range range) {
    if (range.above == kPositive.above) return fmt::format("above 0, at most {}", range.at_most);
    if (range.above == kNotNegative.above) return fmt::format("0 to {}", range.at_most);
    return fmt::format("above {}, at most {}", range.above, range.at_most);
  }

  std::optional<Error> error_;
};

template <class Value>
using Words = std::span<const std::pair<std::string_view, Value>>;

template <class Value>
void read_word(Reader& reader, const toml::table& table, std::string_view key, Words<Value> words,
               Value& out) {
  std::string text;
  reader.text(table, key, text);
  if (text.empty() || reader.failed()) return;
  for (const auto& [word, value] : words) {
    if (equals_ignoring_case(text, word)) {
      out = value;
      return;
    }
  }
  std::vector<std::string> known;
  for (const auto& [word, value] : words) known.emplace_back(word);
  reader.fail("PROD-0005", *table.get(key),
              fmt::format("{} = \"{}\" is none of {}", key, readable(text), join(known, ", ")));
}

constexpr std::array<std::pair<std::string_view, Orientation>, 8> kOrientations{
    {{"R0", Orientation::kR0},
     {"R90", Orientation::kR90},
     {"R180", Orientation::kR180},
     {"R270", Orientation::kR270},
     {"MX", Orientation::kMx},
     {"MX90", Orientation::kMx90},
     {"MY", Orientation::kMy},
     {"MY90", Orientation::kMy90}}};

constexpr std::array<std::pair<std::string_view, LayerKind>, 6> kLayerKinds{
    {{"active", LayerKind::kActive},
     {"poly", LayerKind::kPoly},
     {"contact", LayerKind::kContact},
     {"metal", LayerKind::kMetal},
     {"via", LayerKind::kVia},
     {"marker", LayerKind::kMarker}}};

void read_general(Reader& reader, const toml::table& root, Product& product) {
  const toml::node* node = reader.require(root, "product", "the file");
  const toml::table* table = node == nullptr ? nullptr : reader.section(root, "product");
  if (table == nullptr || reader.failed()) return;
  constexpr std::string_view kSection = "[product]";
  constexpr Range kWafer{.above = 0.0, .at_most = 1000.0};
  constexpr Range kField{.above = 0.0, .at_most = 1000.0};
  constexpr Range kBin{.above = -1.0, .at_most = 65535.0};

  reader.required_text(*table, "name", kSection, product.name);
  reader.text(*table, "technology", product.technology);
  reader.require(*table, "die_width_um", kSection);
  reader.require(*table, "die_height_um", kSection);
  reader.number(*table, "die_width_um", kPositive, product.die_width_um);
  reader.number(*table, "die_height_um", kPositive, product.die_height_um);
  reader.number(*table, "wafer_diameter_mm", kWafer, product.wafer_diameter_mm);
  const Range edge{.above = kNotNegative.above, .at_most = product.wafer_diameter_mm / 2.0};
  reader.number(*table, "edge_exclusion_mm", edge, product.edge_exclusion_mm);
  reader.integer(*table, "reticle_columns", kField, product.reticle_columns);
  reader.integer(*table, "reticle_rows", kField, product.reticle_rows);
  if (const auto* die = reader.tuple(*table, "reticle_origin_die", 2)) {
    const int x = reader.integer((*die)[0], "reticle_origin_die", kDieIndex);
    const int y = reader.integer((*die)[1], "reticle_origin_die", kDieIndex);
    product.reticle_origin = {static_cast<std::int16_t>(x), static_cast<std::int16_t>(y)};
  }
  if (const toml::node* bins = table->get("pass_hard_bins"); bins != nullptr && !reader.failed()) {
    if (!bins->is_array()) return reader.wrong_type(*bins, "pass_hard_bins", "a list of bins");
    for (const toml::node& bin : *bins->as_array()) {
      product.pass_hard_bins.push_back(reader.integer(bin, "pass_hard_bins", kBin));
    }
  }
}

void read_layout(Reader& reader, const toml::table& root, Product& product) {
  const toml::table* table = reader.section(root, "layout");
  if (table == nullptr || reader.failed()) return;
  reader.text(*table, "file", product.layout_file);
  reader.text(*table, "top_cell", product.top_cell);
  reader.text(*table, "def", product.def_file);
  reader.texts(*table, "lef", product.lef_files);
  if (const auto* origin = reader.tuple(*table, "origin_in_die_um", 2)) {
    product.layout_origin_x_um = reader.number((*origin)[0], "origin_in_die_um", kAny);
    product.layout_origin_y_um = reader.number((*origin)[1], "origin_in_die_um", kAny);
  }
  read_word<Orientation>(reader, *table, "orientation", kOrientations, product.orientation);
}

void read_layer(Reader& reader, const toml::table& table, Product& product) {
  constexpr Range kLayerNumber{.above = -1.0, .at_most = 4294967295.0 / 2};
  ProductLayer layer;
  reader.required_text(table, "name", "[[layer]]", layer.name);
  read_word<LayerKind>(reader, table, "kind", kLayerKinds, layer.kind);
  reader.require(table, "gds", "[[layer]]");
  if (const auto* gds = reader.tuple(table, "gds", 2)) {
    layer.gds_layer = reader.integer((*gds)[0], "gds", kLayerNumber);
    layer.gds_datatype = reader.integer((*gds)[1], "gds", kLayerNumber);
  }
  reader.number(table, "min_width_um", kPositive, layer.min_width_um);
  reader.number(table, "min_space_um", kPositive, layer.min_space_um);
  reader.texts(table, "connects", layer.connects);
  reader.text(table, "lef", layer.lef_name);
  if (std::ranges::find(product.layers, layer.name, &ProductLayer::name) != product.layers.end()) {
    reader.fail("PROD-0006", table,
                fmt::format("the layer {} is described twice", readable(layer.name)));
  }
  product.layers.push_back(std::move(layer));
}

void read_lists(Reader& reader, const toml::table& root, Product& product) {
  reader.sections(root, "layer",
                  [&](const toml::table& table) { read_layer(reader, table, product); });
  reader.sections(root, "inspection", [&](const toml::table& table) {
    InspectionLayers inspection;
    reader.required_text(table, "step", "[[inspection]]", inspection.step);
    reader.require(table, "layers", "[[inspection]]");
    reader.texts(table, "layers", inspection.layers);
    product.inspections.push_back(std::move(inspection));
  });
  reader.sections(root, "test_block", [&](const toml::table& table) {
    TestBlock block;
    reader.required_text(table, "test", "[[test_block]]", block.test);
    reader.required_text(table, "cell", "[[test_block]]", block.cell);
    product.test_blocks.push_back(std::move(block));
  });
}

void read_economics(Reader& reader, const toml::table& root, Product& product) {
  const toml::table* table = reader.section(root, "economics");
  if (table == nullptr || reader.failed()) return;
  Economics& prices = product.economics;
  reader.number(*table, "die_price", kNotNegative, prices.die_price);
  reader.number(*table, "wafer_cost", kNotNegative, prices.wafer_cost);
  reader.number(*table, "mask_layer_cost", kNotNegative, prices.mask_layer_cost);
  reader.number(*table, "wafers_per_week", kNotNegative, prices.wafers_per_week);
}

Status check_nesting(std::string_view text) {
  const auto line = line_nested_too_deep(text);
  if (!line) return Ok{};
  return Error{Errc::kFormat, "PROD-0007",
               fmt::format("Line {} of the product file has more than {} dots: no name is nested "
                           "that deep; the file is damaged.",
                           *line, kMostNested)};
}

}  // namespace

Result<Product> parse_product(std::string_view text) {
  YL_TRY(check_nesting(text));
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return Error{
        Errc::kFormat, "PROD-0001",
        fmt::format("Line {} of the product file is not TOML: {}.", error.source().begin.line,
                    one_line(error.description().substr(0, 200)))};
  }
  Reader reader;
  Product product;
  read_general(reader, root, product);
  read_layout(reader, root, product);
  read_lists(reader, root, product);
  read_economics(reader, root, product);
  if (reader.failed()) return reader.error();
  return product;
}

}  // namespace yieldloop::store

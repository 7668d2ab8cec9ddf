#include <fmt/format.h>

#include <array>

#include "engine/core/text.h"
#include "engine/store/product_file.h"
#include "ingest/readers/logs/log_reader.h"

namespace yieldloop::ingest {
namespace {

constexpr std::array<std::string_view, 6> kLayerKinds = {"active", "poly", "contact",
                                                         "metal",  "via",  "marker"};

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void add_optional(store::Column& column, const std::optional<double>& value) {
  if (value) {
    column.add_real(*value);
  } else {
    column.add_null();
  }
}

store::Table layer_rows(const Product& product) {
  auto table = store::Table::of("layers");
  std::int64_t position = 0;
  for (const ProductLayer& layer : product.layers) {
    table["product"].add_text(product.name);
    table["position"].add_int(position++);
    table["name"].add_text(layer.name);
    table["kind"].add_text(kLayerKinds[static_cast<std::size_t>(layer.kind)]);
    table["gds_layer"].add_int(layer.gds_layer);
    table["gds_datatype"].add_int(layer.gds_datatype);
    add_optional(table["min_width_um"], layer.min_width_um);
    add_optional(table["min_space_um"], layer.min_space_um);
    table[store::kSourceRowColumn].add_int(position);
    table.finish_row();
  }
  return table;
}

Result<ReadSummary> read_product(Input& input, const ReadOptions&, store::RowSink& sink, Rejects&) {
  YL_ASSIGN(const Bytes bytes, input.bytes());
  const std::string_view text = as_text(bytes);
  YL_ASSIGN(const Product product, store::parse_product(text));
  auto row = store::Table::of("products");
  row["product"].add_text(product.name);
  if (!product.layout_file.empty()) row["layout_file"].add_text(product.layout_file);
  row["toml"].add_text(text);
  row[store::kSourceRowColumn].add_int(1);
  row.finish_row();
  auto layers = layer_rows(product);
  ReadSummary summary;
  summary.version = "1";
  summary.rows = 1 + layers.rows();
  summary.counts = {{"rows", static_cast<double>(summary.rows)},
                    {"layers", static_cast<double>(layers.rows())}};
  summary.texts = {{"table", "products"}, {"product", product.name}};
  if (!sink.put(std::move(row)) || (layers.rows() > 0 && !sink.put(std::move(layers)))) {
    return Error{Errc::kCancelled, "LOGS-0025", "Reading the log was cancelled."};
  }
  return summary;
}

/// A line "[product]" and, somewhere, a line that sets `name`.
Confidence sniff_product(std::string_view, Bytes bytes) {
  bool in_product = false, has_table = false, has_name = false;
  for (std::string_view line : split(as_text(bytes), '\n')) {
    line = trim(line.substr(0, line.find('#')));
    if (line.starts_with('[')) {
      in_product = line.starts_with("[product]");
      has_table = has_table || in_product;
    }
    const auto equals = line.find('=');
    if (in_product && equals != std::string_view::npos && trim(line.substr(0, equals)) == "name") {
      has_name = true;
    }
  }
  if (!has_table) return Confidence::kNo;
  return has_name ? Confidence::kCertain : Confidence::kMaybe;
}

}  // namespace

ReaderDeclaration product_reader() {
  return {.id = "product",
          .title = "Product file",
          .patterns = "*.toml",
          .sniff = sniff_product,
          .read = read_product};
}

}  // namespace yieldloop::ingest

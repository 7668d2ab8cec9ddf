#include "engine/cli/critical_area_subject.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/cli/open_scope.h"
#include "engine/core/text.h"
#include "ingest/pipeline/read_layout.h"

namespace yieldloop::cli {
namespace {

Result<layout::LayerIndex> find_layer(const layout::Layout& layout, const Product& product,
                                      const std::string& name) {
  const auto it = std::ranges::find(product.layers, name, &ProductLayer::name);
  if (it != product.layers.end())
    return layout::require_layer(layout, {it->gds_layer, it->gds_datatype});
  const auto key = layout::parse_layer_key(name);
  if (key) return layout::require_layer(layout, *key);
  return Error{
      Errc::kInvalidOptions, "CLIC-0008",
      fmt::format("\"{}\" is no layer: write LAYER/DATATYPE, e.g. 31/0, or a name of product.toml.",
                  name)};
}

/// "68/44:68/20:69/20"
Result<NamedVia> find_via(const layout::Layout& layout, const Product& product,
                          const std::string& text) {
  const auto parts = split(text, ':');
  if (parts.size() != 3)
    return Error{
        Errc::kInvalidOptions, "CLIC-0060",
        fmt::format("\"{}\" is no via: write CUT:BELOW:ABOVE, e.g. 68/44:68/20:69/20.", text)};
  NamedVia via{.name = std::string(trim(parts[0])), .layers = {}};
  YL_ASSIGN(via.layers.cut, find_layer(layout, product, via.name));
  YL_ASSIGN(via.layers.below, find_layer(layout, product, std::string(trim(parts[1]))));
  YL_ASSIGN(via.layers.above, find_layer(layout, product, std::string(trim(parts[2]))));
  return via;
}

Status add_named(const CriticalAreaArguments& a, const Product& product, CriticalAreaSubject& s) {
  for (const std::string& name : a.layers) {
    YL_ASSIGN(const auto layer, find_layer(*s.layout, product, name));
    s.layers.push_back({name, layer});
  }
  for (const std::string& text : a.vias) {
    YL_ASSIGN(NamedVia via, find_via(*s.layout, product, text));
    s.vias.push_back(std::move(via));
  }
  return Ok{};
}

Result<CriticalAreaSubject> from_file(const CriticalAreaArguments& a) {
  ingest::Rejects rejects;
  auto read = ingest::read_layout(real_file_system(), a.layout, rejects);
  if (!read)
    return Error{read.error().code, read.error().id, a.layout + ": " + read.error().message};
  CriticalAreaSubject s;
  s.layout = std::make_shared<const layout::Layout>(std::move(*read));
  YL_ASSIGN(s.view, layout::view_of(*s.layout));
  YL_TRY(add_named(a, {}, s));
  if (s.layers.empty() && s.vias.empty()) {
    return Error{Errc::kInvalidOptions, "CLIC-0009",
                 "Name the layers with --layer LAYER/DATATYPE: a layout file alone does not say "
                 "which are wires."};
  }
  return s;
}

/// What product.toml names and the layout draws: metals, and cuts between two drawn layers.
void add_all(const Product& product, CriticalAreaSubject& s) {
  const auto drawn = [&](const std::string& name) -> std::optional<layout::LayerIndex> {
    const auto it = std::ranges::find(product.layers, name, &ProductLayer::name);
    if (it == product.layers.end()) return std::nullopt;
    return s.layout->find_layer({it->gds_layer, it->gds_datatype});
  };
  for (const ProductLayer& l : product.layers) {
    const auto layer = drawn(l.name);
    if (!layer) continue;
    if (l.kind == LayerKind::kMetal) s.layers.push_back({l.name, *layer});
    if ((l.kind != LayerKind::kVia && l.kind != LayerKind::kContact) || l.connects.size() != 2)
      continue;
    const auto below = drawn(l.connects[0]);
    const auto above = drawn(l.connects[1]);
    if (below && above) s.vias.push_back({l.name, {*layer, *below, *above}});
  }
}

Result<CriticalAreaSubject> from_store(const Context& context, const CriticalAreaArguments& a,
                                       Progress& progress) {
  YL_ASSIGN(auto opened, open_for(context, a.scope, store::Store::Mode::kRead));
  YL_ASSIGN(const auto analysis, session::open_scope(opened.snapshot, opened.scope, progress));
  CriticalAreaSubject s;
  s.layout = analysis.layout;
  s.view = analysis.view();
  const Product& product = analysis.fab.data.product;
  if (!s.view) {
    return Error{
        Errc::kNoData, "CLIC-0010",
        fmt::format("The store holds no layout of {}: ingest the file that product.toml names.",
                    product.name)};
  }
  YL_TRY(add_named(a, product, s));
  if (!s.layers.empty() || !s.vias.empty()) return s;
  add_all(product, s);
  if (s.layers.empty()) {
    return Error{
        Errc::kNoData, "CLIC-0025",
        "product.toml names no metal layer that the layout draws on: name a layer with --layer."};
  }
  return s;
}

}  // namespace

Result<CriticalAreaSubject> critical_area_subject(const Context& context,
                                                  const CriticalAreaArguments& arguments,
                                                  Progress& progress) {
  return arguments.layout.empty() ? from_store(context, arguments, progress) : from_file(arguments);
}

}  // namespace yieldloop::cli

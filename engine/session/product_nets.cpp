#include "engine/session/product_nets.h"

#include <fmt/format.h>

#include <algorithm>

namespace yieldloop::session {
namespace {

bool joined_by_a_cut(const Product& product, const std::string& name) {
  return std::ranges::any_of(product.layers, [&](const ProductLayer& cut) {
    return std::ranges::find(cut.connects, name) != cut.connects.end();
  });
}

}  // namespace

Result<layout::NetStack> net_stack(const Product& product, const layout::Layout& layout) {
  const auto drawn = [&](const ProductLayer& l) {
    return layout.find_layer({l.gds_layer, l.gds_datatype});
  };
  const auto conductor = [&](const std::string& name) -> std::optional<layout::LayerIndex> {
    const auto it = std::ranges::find(product.layers, name, &ProductLayer::name);
    return it == product.layers.end() || !it->connects.empty() ? std::nullopt : drawn(*it);
  };
  layout::NetStack stack;
  for (const ProductLayer& l : product.layers) {
    const auto layer = drawn(l);
    const bool conducts = l.kind == LayerKind::kMetal || joined_by_a_cut(product, l.name);
    if (layer && conducts && l.connects.empty() &&
        std::ranges::find(stack.conductors, *layer) == stack.conductors.end())
      stack.conductors.push_back(*layer);
  }
  for (const ProductLayer& l : product.layers) {
    const auto cut = drawn(l);
    if (!cut || l.connects.size() < 2) continue;
    const auto above = conductor(l.connects.back());
    for (std::size_t i = 0; above && i + 1 < l.connects.size(); ++i)
      if (const auto below = conductor(l.connects[i])) stack.vias.push_back({*cut, *below, *above});
  }
  if (stack.conductors.empty())
    return Error{Errc::kNoData, "SESS-0012",
                 fmt::format("The layout of {} draws on none of the conducting layers that "
                             "product.toml names; correct their layer numbers.",
                             product.name)};
  return stack;
}

}  // namespace yieldloop::session

#include "engine/session/design_zones.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "engine/core/text.h"
#include "engine/layout/placement.h"
#include "engine/session/product_nets.h"

namespace yieldloop::session {
namespace {

namespace lefdef = ingest::lefdef;
using tracing::RectUm;

/// Cells from which the wanted one can be reached.
std::vector<bool> cells_above(const layout::Layout& layout, layout::CellIndex wanted) {
  std::vector<bool> leads(layout.cells().size(), false);
  leads[wanted] = true;
  for (const layout::CellIndex c : layout.bottom_up())
    for (const layout::Instance& instance : layout.cell(c).instances)
      if (leads[instance.cell]) leads[c] = true;
  return leads;
}

class PlacementList {
 public:
  PlacementList(const layout::FlatView& view, layout::CellIndex wanted, DesignZone& zone)
      : layout_(view.layout()),
        wanted_(wanted),
        leads_(cells_above(layout_, wanted)),
        box_(layout_.cell(wanted).bbox),
        zone_(zone) {
    visit(view.top(), {});
  }

 private:
  void visit(layout::CellIndex index, const layout::Placement& placement) {
    if (index == wanted_) {
      if (zone_.places.size() == kMostPlacesOfZone) zone_.complete = false;
      if (zone_.complete) zone_.places.push_back(tracing::to_um(placement(box_), layout_.dbu_um()));
      return;
    }
    for (const layout::Instance& instance : layout_.cell(index).instances) {
      if (!leads_[instance.cell]) continue;
      const geometry::GeneralTransform* odd =
          instance.general < 0
              ? nullptr
              : &layout_.general_transforms()[static_cast<std::size_t>(instance.general)];
      for (std::uint32_t row = 0; zone_.complete && row < instance.rows; ++row)
        for (std::uint32_t column = 0; zone_.complete && column < instance.columns; ++column)
          visit(instance.cell, placement.below(instance.orientation, odd,
                                               layout::Layout::element_at(instance, column, row)));
    }
  }

  const layout::Layout& layout_;
  layout::CellIndex wanted_;
  std::vector<bool> leads_;
  geometry::Box box_;
  DesignZone& zone_;
};

void add_place(const RectUm& place, DesignZone& zone) {
  if (zone.places.size() == kMostPlacesOfZone)
    zone.complete = false;
  else
    zone.places.push_back(place);
}

std::string lef_name(const Product& product, const std::string& layer) {
  const auto it = std::ranges::find(product.layers, layer, &ProductLayer::name);
  return it == product.layers.end() || it->lef_name.empty() ? layer : it->lef_name;
}

/// The wires and vias of nets of the DEF file, by name.
std::map<std::string, DesignZone> def_zones(const NamedDesign& named, const Product& product,
                                            const std::set<std::string>& nets,
                                            const std::set<std::string>& layers) {
  const lefdef::Design& design = named.design;
  std::set<std::uint32_t> wanted;
  for (const std::string& layer : layers)
    wanted.insert(design.find_layer(lef_name(product, layer)));
  std::map<std::string, DesignZone> zones;
  design.for_each(false, [&](const lefdef::FlatShape& shape) {
    const bool wire = shape.part == lefdef::Part::kWire || shape.part == lefdef::Part::kVia;
    if (!wire || shape.owner == lefdef::kNone || shape.owner >= design.def().nets.size()) return;
    if (!wanted.empty() && wanted.count(shape.layer) == 0) return;
    const std::string& name = design.def().nets[shape.owner].name;
    if (nets.count(name) == 0) return;
    const double unit = 1.0 / design.dbu_per_um();
    const RectUm at = tracing::to_um(shape.box, unit);
    DesignZone& zone = zones.try_emplace(name, DesignZone{"net", name, {}, true}).first->second;
    add_place({at.x_min + named.x_um, at.y_min + named.y_um, at.x_max + named.x_um,
               at.y_max + named.y_um},
              zone);
  });
  return zones;
}

}  // namespace

Result<DesignZone> cell_zone(const layout::FlatView& view, const std::string& cell) {
  DesignZone zone{"cell", cell, {}, true};
  if (const auto index = view.layout().find_cell(cell)) PlacementList(view, *index, zone);
  if (zone.places.empty())
    return Error{Errc::kNotFound, "SESS-0013",
                 fmt::format("The layout places no cell {}; name one that it has.", cell)};
  return zone;
}

std::vector<std::string> placed_cell_names(const layout::FlatView& view) {
  const layout::Layout& layout = view.layout();
  const layout::CellIndex top = view.top();
  const auto times = layout.times_placed(std::span(&top, 1));
  std::vector<std::string> names;
  for (layout::CellIndex i = 0; i < times.size(); ++i)
    if (i != top && times[i] > 0 && !layout.cell(i).bbox.empty())
      names.push_back(layout.cell(i).name);
  std::ranges::sort(names);
  return names;
}

Result<DesignNets> DesignNets::make(const layout::FlatView& view, const Product& product,
                                    const NamedDesign* design, Progress& progress) {
  DesignNets nets(view, product);
  nets.design_ = design;
  if (design == nullptr) {
    YL_ASSIGN(const auto stack, net_stack(product, view.layout()));
    YL_ASSIGN(nets.nets_, layout::extract_nets(view, stack, {}, progress));
  }
  return nets;
}

std::size_t DesignNets::count() const {
  return nets_ ? static_cast<std::size_t>(nets_->summary().nets)
               : design_->design.def().nets.size();
}

std::optional<std::string> DesignNets::layer_name(layout::LayerIndex layer) const {
  const layout::LayerKey key = view_.layout().layers()[layer];
  for (const ProductLayer& l : product_->layers)
    if (l.gds_layer == key.layer && l.gds_datatype == key.datatype) return l.name;
  return std::nullopt;
}

/// A net without a text is known by its number, "#12".
std::string DesignNets::name_of(layout::NetId net) const {
  const layout::NetNames names = nets_->names(net);
  return names.all.empty() ? fmt::format("#{}", net) : names.first;
}

void DesignNets::add_shapes(layout::NetId net, const std::set<std::string>& layers,
                            DesignZone& zone) const {
  nets_->for_each_shape(net, [&](layout::LayerIndex layer, const layout::PlacedShape& shape) {
    if (!layers.empty()) {
      const auto name = layer_name(layer);
      if (!name || layers.count(*name) == 0) return;
    }
    add_place(tracing::to_um(shape.box, view_.layout().dbu_um()), zone);
  });
}

std::vector<DesignZone> DesignNets::zones(const std::set<std::string>& nets,
                                          const std::set<std::string>& layers) const {
  std::vector<DesignZone> zones;
  if (design_ != nullptr) {
    for (auto& [name, zone] : def_zones(*design_, *product_, nets, layers))
      zones.push_back(std::move(zone));
    return zones;
  }
  for (const std::string& name : nets) {
    DesignZone zone{"net", name, {}, true};
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), number);
    const bool numbered = name.size() > 1 && name.front() == '#' && error == std::errc{} &&
                          end == name.data() + name.size() && nets_->has(number);
    if (numbered)
      add_shapes(number, layers, zone);
    else
      for (const layout::NetId net : nets_->named(name)) add_shapes(net, layers, zone);
    if (!zone.places.empty()) zones.push_back(std::move(zone));
  }
  return zones;
}

Result<DesignZone> DesignNets::zone(const std::string& net,
                                    const std::set<std::string>& layers) const {
  auto found = zones({net}, layers);
  if (found.empty())
    return Error{Errc::kNotFound, "SESS-0014",
                 fmt::format("No net {} is drawn on the layers asked for; names come from {}.", net,
                             design_ != nullptr ? "the DEF file" : "the texts of the layout")};
  return std::move(found.front());
}

std::set<std::string> DesignNets::near(tracing::PointUm at, double reach,
                                       const std::set<std::string>& layers) const {
  std::set<std::string> names;
  if (design_ != nullptr) {
    const double x = at.x - design_->x_um, y = at.y - design_->y_um;
    for (const std::string& layer : layers) {
      const std::uint32_t index = design_->design.find_layer(lef_name(*product_, layer));
      if (index == lefdef::kNone) continue;
      for (const auto& o : design_->design.at_um(x - reach, y - reach, x + reach, y + reach, index))
        if (!o.net.empty()) names.insert(o.net);
    }
    return names;
  }
  const geometry::Box window = tracing::to_dbu(
      {at.x - reach, at.y - reach, at.x + reach, at.y + reach}, view_.layout().dbu_um());
  std::set<layout::NetId> found;
  for (const std::string& name : layers) {
    const auto it = std::ranges::find(product_->layers, name, &ProductLayer::name);
    if (it == product_->layers.end()) continue;
    const auto layer = view_.layout().find_layer({it->gds_layer, it->gds_datatype});
    if (!layer) continue;
    for (const layout::PlacedShape& shape : view_.shapes_in(*layer, window)) {
      const layout::Point corner =
          shape.is_box ? layout::Point{shape.box.x_min, shape.box.y_min} : shape.points.front();
      if (const auto net = nets_->net_at(*layer, corner)) found.insert(*net);
    }
  }
  for (const layout::NetId net : found) names.insert(name_of(net));
  return names;
}

}  // namespace yieldloop::session

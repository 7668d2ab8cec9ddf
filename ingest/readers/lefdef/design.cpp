#include "ingest/readers/lefdef/design.h"

#include <algorithm>
#include <cmath>

#include "engine/core/text.h"
#include "engine/geometry/region.h"
#include "ingest/readers/lefdef/design_data.h"

namespace yieldloop::ingest::lefdef {
namespace {

bool hits(const Box& window, const Box& box) {
  const bool area = window.width() > 0 && window.height() > 0;
  return area ? window.overlaps(box) : window.touches(box);
}

bool hits(const Box& window, const LayerShape& shape) {
  if (!hits(window, shape.box)) return false;
  if (shape.polygon.empty()) return true;
  if (geometry::contains(shape.polygon, window.center())) return true;
  geometry::ShapeHeap heap;
  heap.add(shape.polygon);
  return window.width() > 0 && window.height() > 0 && geometry::union_area(heap, window) > 0.0;
}

}  // namespace

std::string_view to_word(Part part) {
  switch (part) {
    case Part::kWire: return "wire";
    case Part::kVia: return "via";
    case Part::kPin: return "pin";
    case Part::kFill: return "fill";
    case Part::kCellPin: return "cell pin";
    case Part::kObstruction: return "obstruction";
    case Part::kCell: break;
  }
  return "cell";
}

Result<Design> Design::make(Def def, const std::vector<Lef>& libraries) {
  auto data = std::make_shared<Data>();
  data->def = std::move(def);
  YL_TRY(build_design(*data, libraries));
  return Design(std::move(data));
}

const Def& Design::def() const { return data_->def; }
const std::string& Design::layer_name(std::uint32_t layer) const { return data_->layers[layer]; }
std::size_t Design::layers() const { return data_->layers.size(); }
const std::vector<std::string>& Design::caveats() const { return data_->caveats; }

std::uint32_t Design::find_layer(std::string_view name) const {
  const std::uint32_t exact = data_->layers.find(name);
  if (exact != kNone) return exact;
  for (std::uint32_t i = 0; i < data_->layers.size(); ++i) {
    if (equals_ignoring_case(data_->layers[i], name)) return i;
  }
  return kNone;
}

std::string Design::Data::net_of(std::uint32_t component, std::uint32_t pin) const {
  if (pin == kNone) return {};
  const PinNet wanted{component, pin, 0};
  const auto it = std::ranges::lower_bound(nets_of_pins, wanted);
  if (it != nets_of_pins.end() && it->component == component && it->pin == pin) {
    return def.nets[it->net].name;
  }
  const auto all = nets_of_all.find(pin);
  return all == nets_of_all.end() ? std::string() : def.nets[all->second].name;
}

Occupant Design::Data::occupant(const OwnedShape& shape) const {
  Occupant result{.part = shape.part};
  result.layer = layers[shape.shape.layer];
  if (shape.part == Part::kPin) {
    result.pin = def.pins[shape.owner].name;
    result.net = def.pins[shape.owner].net;
  } else if (shape.owner != kNone) {
    result.net = def.nets[shape.owner].name;
  }
  return result;
}

void Design::Data::occupants(std::uint32_t c, const Box& window, std::uint32_t layer,
                             std::vector<Occupant>& into) const {
  const Component& component = def.components[c];
  const PlacedMacro& macro = macros[component.macro];
  const Box local = places[c]->inverted()(window);
  Occupant cell{
      .part = Part::kCell, .instance = component.name, .macro = def.masters[component.macro]};
  bool inside = hits(local, Box{0, 0, macro.width, macro.height});
  for (const MacroShape& shape : macro.shapes) {
    if ((layer != kNone && shape.shape.layer != layer) || !hits(local, shape.shape)) continue;
    Occupant part = cell;
    part.layer = layers[shape.shape.layer];
    part.part = shape.pin == kNone ? Part::kObstruction : Part::kCellPin;
    if (shape.pin != kNone) {
      part.pin = macro.pins[shape.pin];
      part.net = net_of(c, macro.pin_ids[shape.pin]);
    }
    into.push_back(std::move(part));
    inside = true;
  }
  if (inside) into.push_back(std::move(cell));
}

std::vector<Occupant> Design::at(const Box& window, std::uint32_t layer) const {
  const Data& d = *data_;
  std::vector<Occupant> found;
  d.index.for_each_range(window, d.boxes.size(), [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      if (!hits(window, d.boxes[i])) continue;
      if (d.ids[i] >= d.first_component) {
        d.occupants(d.ids[i] - d.first_component, window, layer, found);
        continue;
      }
      const OwnedShape& shape = d.shapes[d.ids[i]];
      if (layer != kNone && shape.shape.layer != layer) continue;
      if (hits(window, shape.shape)) found.push_back(d.occupant(shape));
    }
  });
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::vector<Occupant> Design::at_um(double x_min, double y_min, double x_max, double y_max,
                                    std::uint32_t layer) const {
  const double s = dbu_per_um();
  constexpr double kLimit = 1e15;
  const auto to_dbu = [&](double um) {
    return static_cast<Coord>(std::clamp(std::round(um * s), -kLimit, kLimit));
  };
  return at({to_dbu(x_min), to_dbu(y_min), to_dbu(x_max), to_dbu(y_max)}, layer);
}

void Design::for_each(bool with_cells, FunctionRef<void(const FlatShape&)> visit) const {
  const Data& d = *data_;
  for (const OwnedShape& s : d.shapes) {
    visit({s.part, s.shape.layer, s.owner, s.shape.box, s.shape.polygon});
  }
  if (!with_cells) return;
  for (std::uint32_t c = 0; c < d.def.components.size(); ++c) {
    if (!d.places[c]) continue;
    for (const MacroShape& s : d.macros[d.def.components[c].macro].shapes) {
      LayerShape shape = placed(s.shape, *d.places[c]);
      visit({s.pin == kNone ? Part::kObstruction : Part::kCellPin, shape.layer, c, shape.box,
             std::move(shape.polygon)});
    }
  }
}

}  // namespace yieldloop::ingest::lefdef

// Makes the flat shapes, the placed macros and the index of a Design.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>

#include "engine/core/text.h"
#include "ingest/readers/lefdef/design_data.h"

namespace yieldloop::ingest::lefdef {
namespace {

using geometry::Transform;

constexpr std::size_t kMostShapes = 50'000'000;

/// Fills Design::Data in the order in which its parts need each other.
class Builder {
 public:
  Builder(Design::Data& data, const std::vector<Lef>& libraries)
      : data_(data), def_(data.def), libraries_(libraries), scale_(data.def.dbu_per_um) {}

  Status build() {
    data_.layers = def_.layers;
    collect_layers();
    collect_vias();
    collect_macros();
    collect_nets_of_pins();
    YL_TRY(flatten());
    place_components();
    index();
    for (const auto& [what, names] : missing_) {
      constexpr std::size_t kMostShown = 5;
      std::vector<std::string> some(names.begin(), names.end());
      const std::size_t count = some.size();
      if (count > kMostShown) some.resize(kMostShown);
      for (std::string& name : some) name = one_line(name);
      data_.caveats.push_back(
          fmt::format("The LEF files given do not define {} {} of the DEF file: {}{}.", count, what,
                      join(some, ", "), count > kMostShown ? ", ..." : ""));
    }
    return Ok{};
  }

 private:
  void collect_layers() {
    for (const Lef& lef : libraries_) {
      for (const LefLayer& layer : lef.layers) {
        const std::uint32_t id = data_.layers.id(layer.name);
        WireWidths widths{.direction = layer.direction};
        widths.width = dbu(layer.width.value_or(0.0));
        widths.wrong_way = dbu(layer.wrong_way_width.value_or(0.0));
        if (layer.min_width) widths.width = std::max(widths.width, dbu(*layer.min_width));
        layer_widths_.emplace(id, widths);
        if (layer.type == LayerType::kCut) cut_layers_.insert(id);
      }
      for (const WireRule& rule : lef.rules) add_rule(rule, scale_);
    }
    for (const WireRule& rule : def_.rules) add_rule(rule, 1.0);
  }

  void add_rule(const WireRule& rule, double scale) {
    auto& widths = rules_[rule.name];
    for (const RuleWidth& width : rule.widths) {
      const std::uint32_t id = data_.layers.id(width.layer);
      WireWidths known = default_widths(id);
      known.width = known.wrong_way = std::llround(width.width * scale);
      if (const auto it = layer_widths_.find(id); it != layer_widths_.end()) {
        known.wrong_way = std::max(known.wrong_way, it->second.wrong_way);
      }
      widths[id] = known;
    }
  }

  Coord dbu(double um) const { return std::llround(um * scale_); }

  WireWidths default_widths(std::uint32_t layer) const {
    const auto it = layer_widths_.find(layer);
    return it == layer_widths_.end() ? WireWidths{} : it->second;
  }

  WireWidths widths_of(const Route& route, std::uint32_t layer) const {
    if (route.width >= 0) {
      return {.width = route.width, .wrong_way = route.width};
    }
    if (route.rule != kNone) {
      const auto rule = rules_.find(def_.rule_names[route.rule]);
      if (rule != rules_.end()) {
        const auto width = rule->second.find(layer);
        if (width != rule->second.end()) return width->second;
      }
    }
    return default_widths(layer);
  }

  void collect_vias() {
    for (const ViaDefinition& via : def_.via_definitions) add_via(via, 1.0);
    for (const Lef& lef : libraries_) {
      for (const ViaDefinition& via : lef.vias) add_via(via, scale_);
    }
  }

  void add_via(const ViaDefinition& definition, double scale) {
    if (vias_.contains(definition.name)) return;
    ResolvedVia via{.shapes = resolve(shapes_of(definition), scale, data_.layers)};
    if (definition.generated) {
      via.bottom = data_.layers.id(definition.generated->bottom);
      via.top = data_.layers.id(definition.generated->top);
    } else {
      find_ends(via);
    }
    vias_.emplace(definition.name, std::move(via));
  }

  /// The two layers of a drawn via that are no cuts; without LEF the middle one of three is taken
  /// for the cut.
  void find_ends(ResolvedVia& via) const {
    std::vector<std::uint32_t> order;
    for (const LayerShape& shape : via.shapes) {
      if (cut_layers_.contains(shape.layer)) continue;
      if (std::ranges::find(order, shape.layer) == order.end()) order.push_back(shape.layer);
    }
    if (order.size() == 3) order.erase(order.begin() + 1);
    if (order.size() != 2) return;
    via.bottom = order[0];
    via.top = order[1];
  }

  void collect_macros() {
    data_.macros.resize(def_.masters.size());
    for (const Lef& lef : libraries_) {
      for (const Macro& macro : lef.macros) {
        const std::uint32_t id = def_.masters.find(macro.name);
        if (id != kNone && !data_.macros[id].known) add_macro(macro, data_.macros[id]);
      }
    }
  }

  void add_macro(const Macro& macro, PlacedMacro& placed_macro) {
    placed_macro.known = true;
    placed_macro.width = dbu(macro.size.x);
    placed_macro.height = dbu(macro.size.y);
    placed_macro.origin = {dbu(macro.origin.x), dbu(macro.origin.y)};
    add_geometry(macro.obstructions, kNone, placed_macro);
    for (const MacroPin& pin : macro.pins) {
      add_geometry(pin.geometry, static_cast<std::uint32_t>(placed_macro.pins.size()),
                   placed_macro);
      placed_macro.pins.push_back(pin.name);
      placed_macro.pin_ids.push_back(def_.pin_names.find(pin.name));
    }
  }

  void add_geometry(const Geometry& geometry, std::uint32_t pin, PlacedMacro& macro) {
    const Transform by_origin{.displacement = macro.origin};
    for (const LayerShape& shape : resolve(geometry.shapes, scale_, data_.layers)) {
      macro.shapes.push_back({pin, placed(shape, by_origin)});
    }
    for (const PlacedVia& use : geometry.vias) {
      const auto via = vias_.find(use.via);
      if (via == vias_.end()) {
        missing_["vias"].insert(use.via);
        continue;
      }
      const Transform at{.displacement = macro.origin + Point{dbu(use.at.x), dbu(use.at.y)}};
      for (const LayerShape& shape : via->second.shapes) {
        macro.shapes.push_back({pin, placed(shape, at)});
      }
    }
  }

  void collect_nets_of_pins() {
    for (std::uint32_t n = 0; n < def_.nets.size(); ++n) {
      const Net& net = def_.nets[n];
      for (std::uint32_t c = net.connections.first; c < net.connections.last; ++c) {
        const Connection& connection = def_.connections[c];
        if (connection.component != kNone) {
          data_.nets_of_pins.push_back({connection.component, connection.pin, n});
        } else if (connection.is_all) {
          data_.nets_of_all.emplace(connection.pin, n);
        }
      }
    }
    std::ranges::sort(data_.nets_of_pins);
  }

  void put(Part part, std::uint32_t owner, LayerShape shape) {
    data_.shapes.push_back({part, owner, std::move(shape)});
  }

  Status use_via(const ViaUse& use, const Transform& at, Part part, std::uint32_t owner) {
    const auto found = vias_.find(def_.via_names[use.via]);
    if (found == vias_.end()) {
      missing_["vias"].insert(def_.via_names[use.via]);
      return Ok{};
    }
    const std::size_t copies = static_cast<std::size_t>(use.columns) *
                               static_cast<std::size_t>(use.rows) * found->second.shapes.size();
    if (copies > kMostShapes - std::min(kMostShapes, data_.shapes.size())) {
      return Error{
          Errc::kUnsupported, "LEFD-0021",
          "The vias of the design make more than 50,000,000 shapes; its nets are not named."};
    }
    for (std::int32_t row = 0; row < use.rows; ++row) {
      for (std::int32_t column = 0; column < use.columns; ++column) {
        const Point step{use.step.x * column, use.step.y * row};
        const Transform place = at * Transform{use.orientation, use.at + step};
        for (const LayerShape& shape : found->second.shapes) {
          put(part, owner, placed(shape, place));
        }
      }
    }
    return Ok{};
  }

  Status flatten() {
    for (std::uint32_t n = 0; n < def_.nets.size(); ++n) YL_TRY(flatten_net(n));
    for (std::uint32_t p = 0; p < def_.pins.size(); ++p) YL_TRY(flatten_pin(p));
    for (const DrawnShape& fill : def_.fills) put(Part::kFill, kNone, drawn(fill));
    for (const ViaUse& via : def_.fill_vias) YL_TRY(use_via(via, {}, Part::kFill, kNone));
    return Ok{};
  }

  LayerShape drawn(const DrawnShape& shape) const {
    if (shape.polygon == kNone) return {.layer = shape.layer, .box = shape.box, .polygon = {}};
    return layer_shape(shape.layer, def_.polygons[shape.polygon]);
  }

  Status flatten_net(std::uint32_t n) {
    const Net& net = def_.nets[n];
    for (std::uint32_t s = net.shapes.first; s < net.shapes.last; ++s) {
      put(Part::kWire, n, drawn(def_.net_shapes[s]));
    }
    for (std::uint32_t v = net.vias.first; v < net.vias.last; ++v) {
      YL_TRY(use_via(def_.net_vias[v], {}, Part::kVia, n));
    }
    std::uint32_t layer = kNone;
    for (std::uint32_t r = net.routes.first; r < net.routes.last; ++r) {
      const Route& route = def_.routes[r];
      if (route.layer != kNone) layer = route.layer;
      if (layer != kNone) flatten_route(route, layer, n, net.special);
      for (std::uint32_t v = route.vias.first; v < route.vias.last; ++v) {
        YL_TRY(use_via(def_.vias[v], {}, Part::kVia, n));
        const auto via = vias_.find(def_.via_names[def_.vias[v].via]);
        layer = via == vias_.end() ? kNone : via->second.other(layer);
      }
    }
    return Ok{};
  }

  void flatten_route(const Route& route, std::uint32_t layer, std::uint32_t n, bool special) {
    for (std::uint32_t s = route.shapes.first; s < route.shapes.last; ++s) {
      put(Part::kWire, n, {.layer = layer, .box = def_.shapes[s].box, .polygon = {}});
    }
    const Polygon* style = nullptr;
    if (const auto it = def_.styles.find(route.style); it != def_.styles.end()) style = &it->second;
    const WireWidths widths = widths_of(route, layer);
    if (widths.width <= 0 && style == nullptr && route.points.size() > 1 && route.width < 0) {
      missing_["widths of layers"].insert(data_.layers[layer]);
      return;
    }
    outline(std::span(def_.points).subspan(route.points.first, route.points.size()), widths,
            special, style, layer,
            [&](LayerShape shape) { put(Part::kWire, n, std::move(shape)); });
  }

  Status flatten_pin(std::uint32_t p) {
    for (const PinPort& port : def_.pins[p].ports) {
      if (!port.placed) continue;
      const Transform at{port.orientation, port.at};
      for (std::uint32_t s = port.shapes.first; s < port.shapes.last; ++s) {
        put(Part::kPin, p, placed(drawn(def_.shapes[s]), at));
      }
      for (std::uint32_t v = port.vias.first; v < port.vias.last; ++v) {
        YL_TRY(use_via(def_.vias[v], at, Part::kPin, p));
      }
    }
    return Ok{};
  }

  void place_components() {
    data_.places.resize(def_.components.size());
    for (std::size_t c = 0; c < def_.components.size(); ++c) {
      const Component& component = def_.components[c];
      const PlacedMacro& macro = data_.macros[component.macro];
      if (!macro.known) missing_["macros"].insert(def_.masters[component.macro]);
      if (!component.placed || !macro.known) continue;
      const Box turned = Transform{component.orientation, {}}(Box{0, 0, macro.width, macro.height});
      data_.places[c] =
          Transform{component.orientation, component.at - Point{turned.x_min, turned.y_min}};
    }
  }

  Box component_box(std::size_t c) const {
    const PlacedMacro& macro = data_.macros[def_.components[c].macro];
    if (!data_.places[c]) return {};
    Box box{0, 0, macro.width, macro.height};
    for (const MacroShape& shape : macro.shapes) box.include(shape.shape.box);
    return (*data_.places[c])(box);
  }

  void index() {
    std::vector<Box> boxes;
    std::vector<std::uint32_t> ids;
    for (std::uint32_t i = 0; i < data_.shapes.size(); ++i) {
      boxes.push_back(data_.shapes[i].shape.box);
      ids.push_back(i);
    }
    data_.first_component = static_cast<std::uint32_t>(data_.shapes.size());
    for (std::uint32_t c = 0; c < def_.components.size(); ++c) {
      const Box box = component_box(c);
      if (box.empty()) continue;
      boxes.push_back(box);
      ids.push_back(data_.first_component + c);
    }
    for (const std::uint32_t old : geometry::packed_order(boxes)) {
      data_.boxes.push_back(boxes[old]);
      data_.ids.push_back(ids[old]);
    }
    data_.index = geometry::PackedIndex(data_.boxes);
  }

  Design::Data& data_;
  const Def& def_;
  const std::vector<Lef>& libraries_;
  double scale_;
  std::unordered_map<std::uint32_t, WireWidths> layer_widths_;
  std::unordered_map<std::string, std::unordered_map<std::uint32_t, WireWidths>> rules_;
  std::unordered_map<std::string, ResolvedVia> vias_;
  std::set<std::uint32_t> cut_layers_;
  std::map<std::string, std::set<std::string>> missing_;
};

}  // namespace

Status build_design(Design::Data& data, const std::vector<Lef>& libraries) {
  return Builder(data, libraries).build();
}

}  // namespace yieldloop::ingest::lefdef

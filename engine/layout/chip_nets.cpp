#include "engine/layout/chip_nets.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/layout/net_measure.h"
#include "engine/layout/net_walk.h"

namespace yieldloop::layout {
namespace {

Error misnamed(const Layout& layout, LayerIndex layer, const char* what) {
  return {Errc::kInvalidOptions, "NETS-0002", "Layer " + to_string(layout.layers()[layer]) + what};
}

std::optional<Error> add_layers(const Layout& layout, const NetStack& stack, NetSlots& slots) {
  if (stack.conductors.empty())
    return Error{Errc::kInvalidOptions, "NETS-0001", "Name at least one layer that conducts."};
  const auto slot_of = [&](LayerIndex layer) {
    return static_cast<unsigned>(std::ranges::find(slots.layers, layer) - slots.layers.begin());
  };
  for (const LayerIndex layer : stack.conductors) {
    if (slot_of(layer) < slots.layers.size())
      return misnamed(layout, layer, " is named twice; name each conductor once.");
    slots.layers.push_back(layer);
  }
  slots.conductors = static_cast<unsigned>(slots.layers.size());
  for (const ViaLayer& via : stack.vias) {
    for (const LayerIndex metal : {via.below, via.above})
      if (slot_of(metal) >= slots.conductors)
        return misnamed(layout, metal, " is joined by a via but is not named as a conductor.");
    if (slot_of(via.cut) < slots.conductors)
      return misnamed(layout, via.cut, " is named as a conductor and as a via; name it as one.");
    if (slot_of(via.cut) == slots.layers.size()) slots.layers.push_back(via.cut);
  }
  slots.cuts = static_cast<unsigned>(slots.layers.size()) - slots.conductors;
  if (slots.layers.size() > kSlots / 2)
    return Error{Errc::kInvalidOptions, "NETS-0003",
                 "A stack may have 32 layers, cuts included, and this one has " +
                     std::to_string(slots.layers.size()) + "; leave some out."};
  for (const ViaLayer& via : stack.vias)
    for (const LayerIndex metal : {via.below, via.above}) {
      slots.partners[slot_of(via.cut)] |= slot_bit(slot_of(metal));
      slots.partners[slot_of(metal)] |= slot_bit(slot_of(via.cut));
    }
  for (unsigned slot = 0; slot < slots.layers.size(); ++slot)
    slots.partners[slot] |= slot_bit(slot);
  return std::nullopt;
}

/// Every layer key a text of the layout has.
std::set<LayerKey> text_keys(const Layout& layout) {
  std::set<LayerKey> keys;
  for (const Cell& cell : layout.cells())
    for (const Text& text : cell.texts) keys.insert(text.key);
  return keys;
}

std::optional<Error> add_labels(const Layout& layout, const NetStack& stack, NetSlots& slots) {
  std::map<LayerKey, unsigned> conductor_of;
  for (const LabelLayer& label : stack.labels) {
    const auto it = std::ranges::find(stack.conductors, label.conductor);
    if (it == stack.conductors.end())
      return misnamed(layout, label.conductor, " has texts but is not named as a conductor.");
    conductor_of.emplace(label.key, static_cast<unsigned>(it - stack.conductors.begin()));
  }
  for (const LayerKey key : text_keys(layout))
    for (unsigned c = 0; c < slots.conductors; ++c)
      if (layout.layers()[slots.layers[c]].layer == key.layer) conductor_of.try_emplace(key, c);
  std::map<unsigned, unsigned> slot_of;
  for (const auto& [key, conductor] : conductor_of) {
    const auto next = static_cast<unsigned>(slots.layers.size());
    const auto [it, made] = slot_of.try_emplace(conductor, next);
    if (made) {
      slots.layers.push_back(slots.layers[conductor]);
      slots.partners[next] |= slot_bit(conductor);
      slots.partners[conductor] |= slot_bit(next);
    }
    slots.label_slots.emplace_back(key, it->second);
  }
  return std::nullopt;
}

void enumerate(const NetHierarchy& nets, std::uint32_t index,
               std::vector<std::pair<std::uint32_t, std::uint32_t>>& path,
               FunctionRef<bool(NetId)> visit, bool& on) {
  const NetCell& cell = nets.cells[index];
  const auto free_of = [&](std::uint64_t net) -> std::optional<std::uint64_t> {
    for (std::size_t i = path.size(); i-- > 0;) {
      const NetCell& above = nets.cells[path[i].first];
      net = above.lift(path[i].second, net);
      if (net < above.own_nets) return std::nullopt;
    }
    return net;
  };
  for (std::uint32_t net = 0; on && net < cell.own_nets; ++net)
    if ((cell.kinds[net] & kConductorKind) != 0)
      if (const auto id = free_of(net)) on = visit(*id);
  for (std::uint32_t c = 0; on && c < cell.children.size(); ++c) {
    path.emplace_back(index, c);
    enumerate(nets, cell.children[c].cell, path, visit, on);
    path.pop_back();
  }
}

void draw(const NetHierarchy& nets, const NetPlace& place,
          FunctionRef<void(LayerIndex, const PlacedShape&)> visit) {
  const NetCell& cell = nets.cells[place.cell];
  std::vector<Point> room;
  for_each_slot(cell.own_mask, [&](unsigned slot) {
    if (nets.slots.kind(slot) == kLabelKind) return;
    const SlotShapes& shapes = cell.shapes(slot);
    for (std::uint32_t i = 0; i < shapes.size(); ++i) {
      const NetShape shape = NetShape::of(cell, slot, shapes, i, &place.placement);
      if (shape.net() != place.net) continue;
      PlacedShape placed{shape.box, shape.is_box, {}};
      if (!shape.is_box) {
        const Ring ring = shape.ring(room);
        placed.points.assign(ring.begin(), ring.end());
        placed.box = {};
        for (const Point p : ring) placed.box.include(p);
      }
      visit(nets.slots.layers[slot], placed);
    }
  });
  for (std::uint32_t c = 0; c < cell.children.size(); ++c)
    for (std::uint32_t k = cell.joined_first[c]; k < cell.joined_first[c + 1]; ++k)
      if (cell.joined_to[k] == place.net)
        draw(nets,
             place_of(nets, {cell.children[c].cell, cell.joined_net[k],
                             nets.below(place.placement, cell.children[c])}),
             visit);
}

}  // namespace

ChipNets::ChipNets(std::shared_ptr<const NetHierarchy> solved) : solved_(std::move(solved)) {}

const NetSummary& ChipNets::summary() const { return solved_->summary; }

std::optional<NetId> ChipNets::net_at(LayerIndex layer, Point p) const {
  const NetHierarchy& nets = *solved_;
  const auto metal = nets.slots.layers.begin() + nets.slots.conductors + nets.slots.cuts;
  const auto slot = std::find(nets.slots.layers.begin(), metal, layer);
  if (slot == metal || nets.cells.empty()) return std::nullopt;
  NetWalk walk(nets);
  std::optional<NetId> found;
  std::vector<Point> room;
  const Box at{p.x, p.y, p.x, p.y};
  walk.near(static_cast<std::uint32_t>(nets.cells.size() - 1), {}, at,
            slot_bit(static_cast<unsigned>(slot - nets.slots.layers.begin())),
            [&](const NetShape& shape) {
              if (shape.is_box ? shape.box.contains(p) : touching(at, shape.ring(room)))
                found = walk.lifted(shape.net());
              return !found.has_value();
            });
  return found;
}

bool ChipNets::has(NetId net) const {
  const NetHierarchy& nets = *solved_;
  if (nets.cells.empty()) return false;
  auto at = static_cast<std::uint32_t>(nets.cells.size() - 1);
  if (net >= nets.cells[at].ids) return false;
  while (net >= nets.cells[at].own_nets) {
    const NetCell& cell = nets.cells[at];
    const std::uint32_t child = child_of(cell, net);
    net -= cell.base[child];
    if (cell.lift(child, net) < cell.own_nets) return false;  // A gap: joined to something.
    at = cell.children[child].cell;
  }
  return (nets.cells[at].kinds[net] & kLabelKind) == 0 ||
         (nets.cells[at].kinds[net] & kConductorKind) != 0;
}

void ChipNets::for_each_net(FunctionRef<bool(NetId)> visit) const {
  if (solved_->cells.empty()) return;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> path;
  bool on = true;
  enumerate(*solved_, static_cast<std::uint32_t>(solved_->cells.size() - 1), path, visit, on);
}

void ChipNets::for_each_shape(NetId net,
                              FunctionRef<void(LayerIndex, const PlacedShape&)> visit) const {
  const auto top = static_cast<std::uint32_t>(solved_->cells.size() - 1);
  draw(*solved_, place_of(*solved_, {top, net, {}}), visit);
}

std::size_t ChipNets::memory_bytes() const {
  std::size_t bytes = sizeof(NetHierarchy);
  for (const NetCell& cell : solved_->cells) {
    bytes += sizeof(NetCell) + cell.points.capacity() * sizeof(Point32) +
             cell.children.capacity() * (sizeof(NetChild) + sizeof(Box) + 12) +
             cell.labels.capacity() * sizeof(NetLabel) + cell.net_of.capacity() * 4 +
             cell.joined_net.capacity() * 12 + cell.kinds.capacity() +
             cell.child_tree.memory_bytes();
    for (const SlotShapes& shapes : cell.own)
      bytes += sizeof(SlotShapes) + shapes.boxes.capacity() * sizeof(Box32) +
               shapes.polygons.capacity() * sizeof(NetPolygon) + shapes.box_tree.memory_bytes() +
               shapes.polygon_tree.memory_bytes();
  }
  return bytes;
}

Result<ChipNets> extract_nets(const FlatView& view, const NetStack& stack,
                              const NetOptions& options, Progress& progress) {
  NetSlots slots;
  if (auto error = add_layers(view.layout(), stack, slots)) return *error;
  if (options.labels)
    if (auto error = add_labels(view.layout(), stack, slots)) return *error;
  YL_ASSIGN(NetHierarchy nets, build_hierarchy(view, std::move(slots), options));
  YL_ASSIGN([[maybe_unused]] const bool solved, solve(nets, progress));
  nets.tables = std::make_unique<NetTables>();
  return ChipNets(std::make_shared<const NetHierarchy>(std::move(nets)));
}

}  // namespace yieldloop::layout

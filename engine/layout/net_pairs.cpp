#include "engine/layout/net_pairs.h"

#include <algorithm>

namespace yieldloop::layout {

std::size_t PairCache::Hash::operator()(const Key& k) const {
  std::uint64_t h = (std::uint64_t{k.a} << 32 | k.b) * 0x9e3779b97f4a7c15U;
  h ^= (static_cast<std::uint64_t>(k.at.x) * 8 + static_cast<std::uint64_t>(k.orientation)) *
       0xbf58476d1ce4e5b9U;
  h = (h ^ h >> 31) + static_cast<std::uint64_t>(k.at.y) * 0x94d049bb133111ebU;
  h ^= h >> 30;
  return static_cast<std::size_t>(h * 0xbf58476d1ce4e5b9U ^ h >> 27);
}

const NetPairs& PairCache::known(const Key& key) {
  Shelf& shelf = shelves_[Hash{}(key) >> 20 & (shelves_.size() - 1)];
  {
    const std::lock_guard lock(shelf.mutex);
    if (const auto it = shelf.pairs.find(key); it != shelf.pairs.end()) return it->second;
  }
  Placement place_b;
  place_b.transform = {key.orientation, key.at};
  NetPairs made = pairs(key.a, {}, key.b, place_b);
  const std::lock_guard lock(shelf.mutex);
  return shelf.pairs.try_emplace(key, std::move(made)).first->second;
}

NetPairs PairCache::pairs(std::uint32_t a, const Placement& place_a, std::uint32_t b,
                          const Placement& place_b) const {
  // The smaller cell's shapes look for partners in the larger one.
  if (nets_.cells[a].flat_shapes > nets_.cells[b].flat_shapes) {
    NetPairs swapped = pairs(b, place_b, a, place_a);
    for (auto& [first, second] : swapped) std::swap(first, second);
    std::sort(swapped.begin(), swapped.end());
    return swapped;
  }
  NetPairs found;
  NetWalk small(nets_), large(nets_);
  TouchTest touch;
  const NetCell& other = nets_.cells[b];
  for_each_slot(nets_.cells[a].mask(), [&](unsigned slot) {
    const SlotMask wanted = nets_.slots.partners[slot] & other.mask();
    Box reach;
    for_each_slot(wanted, [&](unsigned partner) { reach.include(place_b(other.hull(partner))); });
    if (!reach.touches(place_a(nets_.cells[a].hull(slot)))) return;
    small.near(a, place_a, reach, slot_bit(slot), [&](const NetShape& shape) {
      const std::uint64_t net = small.lifted(shape.net());
      return large.near(b, place_b, shape.box, wanted, [&](const NetShape& partner) {
        if (touch(shape, partner)) found.emplace_back(net, large.lifted(partner.net()));
        return true;
      });
    });
  });
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace yieldloop::layout

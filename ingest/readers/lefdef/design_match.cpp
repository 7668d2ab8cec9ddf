// Compares the places of a DEF file with those of a layout.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "ingest/readers/lefdef/design_data.h"

namespace yieldloop::ingest::lefdef {

Match Design::match(const std::vector<PlacedCell>& cells) const {
  using Key = std::pair<std::string, Orientation>;
  constexpr double kGrid = 1000.0;  // 1 nm, wide enough for the rounding of both files
  std::map<Key, std::vector<std::pair<std::int64_t, std::int64_t>>> by_cell;
  for (const PlacedCell& cell : cells) {
    by_cell[{cell.cell, cell.orientation}].emplace_back(std::llround(cell.x_um * kGrid),
                                                        std::llround(cell.y_um * kGrid));
  }
  Match match;
  std::map<std::pair<std::int64_t, std::int64_t>, std::size_t> votes;
  // Every pair of a name is a vote; pairs are few for rare cells, so these vote first.
  constexpr std::size_t kMostPairs = 2'000'000;
  std::map<Key, std::vector<std::pair<std::int64_t, std::int64_t>>> ours;
  const Data& d = *data_;
  for (std::size_t c = 0; c < d.def.components.size(); ++c) {
    if (!d.places[c]) continue;
    ++match.components;
    const Component& component = d.def.components[c];
    const PlacedMacro& macro = d.macros[component.macro];
    const Point at = (*d.places[c])(macro.origin);
    const double nm = kGrid / d.def.dbu_per_um;
    ours[{d.def.masters[component.macro], component.orientation}].emplace_back(
        std::llround(static_cast<double>(at.x) * nm), std::llround(static_cast<double>(at.y) * nm));
  }
  std::vector<std::pair<std::size_t, Key>> order;
  for (const auto& [key, places] : ours) {
    const auto it = by_cell.find(key);
    if (it != by_cell.end()) order.emplace_back(places.size() * it->second.size(), key);
  }
  std::ranges::sort(order);
  std::size_t pairs = 0;
  for (const auto& [count, key] : order) {
    if (pairs != 0 && pairs + count > kMostPairs) break;
    pairs += count;
    for (const auto& a : ours[key]) {
      for (const auto& b : by_cell[key]) ++votes[{b.first - a.first, b.second - a.second}];
    }
  }
  std::pair<std::int64_t, std::int64_t> best{0, 0};
  std::size_t most = 0;
  for (const auto& [shift, count] : votes) {
    if (count > most) most = count, best = shift;
  }
  for (auto& [key, places] : ours) {
    const auto it = by_cell.find(key);
    if (it == by_cell.end()) continue;
    const std::set<std::pair<std::int64_t, std::int64_t>> there(it->second.begin(),
                                                                it->second.end());
    for (const auto& a : places) {
      if (there.contains({a.first + best.first, a.second + best.second})) ++match.matched;
    }
  }
  match.x_um = static_cast<double>(best.first) / kGrid;
  match.y_um = static_cast<double>(best.second) / kGrid;
  return match;
}

}  // namespace yieldloop::ingest::lefdef

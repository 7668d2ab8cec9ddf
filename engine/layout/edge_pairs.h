/// \file
/// Pairs of parallel edges that are near each other, and what stands between them; for this
/// folder's sources.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "engine/geometry/packed_index.h"
#include "engine/geometry/union_sweep.h"
#include "engine/layout/rule_check.h"

namespace yieldloop::layout {

/// Calls visit(a, b), a.at <= b.at, for every two edges of one direction whose distance along and
/// across is below `within` each.
/// Cost: O(n log n + pairs) where edges are short beside the window.
template <class Visit>
void for_each_near_pair(const std::vector<geometry::UnionEdge>& edges, Coord within,
                        Visit&& visit) {
  std::vector<std::uint32_t> order(edges.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return edges[a].low != edges[b].low ? edges[a].low < edges[b].low : a < b;
  });
  // Those that reach the sweep line, ascending by place. Who ended is dropped now and then.
  struct Open {
    Coord at;
    Coord high;
    std::uint32_t edge;
  };
  std::vector<Open> open;
  std::size_t drop_at = 64;
  for (const std::uint32_t i : order) {
    const geometry::UnionEdge& edge = edges[i];
    const Coord ended = edge.low - within;
    if (open.size() > drop_at) {
      std::erase_if(open, [ended](const Open& o) { return o.high <= ended; });
      drop_at = std::max<std::size_t>(2 * open.size(), 64);
    }
    const auto place = std::lower_bound(open.begin(), open.end(), edge.at,
                                        [](const Open& o, Coord at) { return o.at < at; });
    for (auto it = place; it != open.end() && it->at < edge.at + within; ++it)
      if (it->high > ended) visit(edge, edges[it->edge]);
    for (auto it = place; it != open.begin() && std::prev(it)->at > edge.at - within; --it)
      if (std::prev(it)->high > ended) visit(edges[std::prev(it)->edge], edge);
    open.insert(place, {edge.at, edge.high, i});
  }
}

/// The edges of an outline by place.
class EdgeIndex {
 public:
  explicit EdgeIndex(const geometry::UnionOutline& outline);
  /// Calls visit(edge, upright) for those whose extent may touch the window.
  template <class Visit>
  void for_each_near(const Box& window, Visit&& visit) const {
    tree_.for_each_range(window, boxes_.size(), [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i)
        if (boxes_[i].touches(window)) visit(edges_[i], upright_[i] != 0);
    });
  }

 private:
  std::vector<Box> boxes_;
  std::vector<geometry::UnionEdge> edges_;
  std::vector<char> upright_;
  geometry::PackedIndex tree_;
};

/// Which sides of a pair's edges look at each other.
enum class Facing : std::uint8_t { kInside, kOutside };

/// Two edges of one direction, first.at <= second.at.
struct NearPair {
  geometry::UnionEdge first;
  geometry::UnionEdge second;
  bool upright = false;

  /// Whether they face each other so, nearer than the rule.
  bool violates(Coord rule, Facing facing) const;
  /// Whether the window ends one of them.
  bool leaves(const Box& window) const;
  /// A window that holds both and `reach` more along them.
  Box strip(Coord reach) const;
  /// Takes the edges' ends from an outline that shows more of them.
  void lengthen(const geometry::UnionOutline& outline);
  /// The violation, unless an edge stands between the parts that are too near.
  std::optional<RuleViolation> unshielded(Coord rule, const EdgeIndex& edges) const;

 private:
  RuleViolation parts(Coord rule) const;
};

}  // namespace yieldloop::layout

// The smallest set of nodes that covers a graph: exactly for small groups, greedily for others.
#include <algorithm>
#include <bit>
#include <limits>
#include <queue>

#include "engine/layout/clip_clusters.h"

namespace yieldloop::layout {
namespace {

using Nodes = std::vector<std::uint32_t>;
using Graph = std::vector<Nodes>;

constexpr std::size_t kMostExact = 24;

/// Branch and bound over bit sets: the uncovered node with the fewest ways to cover it is next.
class ExactCover {
 public:
  explicit ExactCover(std::vector<std::uint32_t> closed) : closed_(std::move(closed)) {
    for (const std::uint32_t mask : closed_) widest_ = std::max(widest_, std::popcount(mask));
    all_ = static_cast<std::uint32_t>((std::uint64_t{1} << closed_.size()) - 1);
  }
  std::uint32_t solve(std::uint32_t start) {
    best_ = start;
    search(0, 0);
    return best_;
  }

 private:
  void search(std::uint32_t chosen, std::uint32_t covered) {
    const std::uint32_t open = all_ & ~covered;
    if (open == 0) {
      if (std::popcount(chosen) < std::popcount(best_)) best_ = chosen;
      return;
    }
    const int least = (std::popcount(open) + widest_ - 1) / widest_;
    if (std::popcount(chosen) + least >= std::popcount(best_)) return;
    std::uint32_t hardest = 0;
    int ways = std::numeric_limits<int>::max();
    for (std::uint32_t rest = open; rest != 0; rest &= rest - 1) {
      const auto node = static_cast<std::uint32_t>(std::countr_zero(rest));
      const int n = std::popcount(closed_[node]);
      if (n < ways) ways = n, hardest = node;
    }
    Nodes candidates;
    for (std::uint32_t rest = closed_[hardest]; rest != 0; rest &= rest - 1) {
      candidates.push_back(static_cast<std::uint32_t>(std::countr_zero(rest)));
    }
    std::ranges::stable_sort(candidates, std::greater{},
                             [&](std::uint32_t c) { return std::popcount(closed_[c] & open); });
    for (const std::uint32_t c : candidates) search(chosen | 1u << c, covered | closed_[c]);
  }

  std::vector<std::uint32_t> closed_;
  int widest_ = 1;
  std::uint32_t all_ = 0;
  std::uint32_t best_ = 0;
};

/// How often a node is covered, and by which chosen node when by one: the exclusive or of all.
struct Covered {
  std::uint32_t count = 0;
  std::uint32_t by = 0;
};

/// Greedy choice and its improvement on one connected group.
class GroupCover {
 public:
  /// `covered` is that of all nodes, none of the group's covered yet.
  GroupCover(const Graph& graph, const Nodes& group, std::vector<Covered>& covered)
      : graph_(graph), group_(group), covered_(covered) {}

  Nodes solve() {
    greedy();
    drop_needless();
    for (int pass = 0; pass < 4 && exchange(); ++pass) drop_needless();
    std::ranges::sort(chosen_);
    return chosen_;
  }

 private:
  template <class Visit>
  void closed(std::uint32_t node, Visit&& visit) const {
    visit(node);
    for (const std::uint32_t n : graph_[node]) visit(n);
  }
  std::uint32_t gain(std::uint32_t node) const {
    std::uint32_t sum = 0;
    closed(node, [&](std::uint32_t n) { sum += covered_[n].count == 0; });
    return sum;
  }
  void choose(std::uint32_t node) {
    closed(node, [&](std::uint32_t n) { ++covered_[n].count, covered_[n].by ^= node; });
    chosen_.push_back(node);
  }
  void drop(std::uint32_t node) {
    closed(node, [&](std::uint32_t n) { --covered_[n].count, covered_[n].by ^= node; });
    std::erase(chosen_, node);
  }

  /// A gain only ever falls, so an old one is an upper bound: it is renewed when it comes up.
  void greedy() {
    using Entry = std::pair<std::uint32_t, std::uint32_t>;
    const auto later = [](const Entry& a, const Entry& b) {
      return a.first != b.first ? a.first < b.first : a.second > b.second;
    };
    std::priority_queue<Entry, std::vector<Entry>, decltype(later)> queue(later);
    for (const std::uint32_t node : group_) {
      queue.emplace(static_cast<std::uint32_t>(graph_[node].size()) + 1, node);
    }
    while (!queue.empty()) {
      const auto [old, node] = queue.top();
      queue.pop();
      const std::uint32_t now = gain(node);
      if (now == 0) continue;
      if (now == old) {
        choose(node);
      } else {
        queue.emplace(now, node);
      }
    }
  }

  void drop_needless() {
    const Nodes chosen = chosen_;
    for (auto it = chosen.rbegin(); it != chosen.rend(); ++it) {
      bool needed = false;
      closed(*it, [&](std::uint32_t n) { needed = needed || covered_[n].count < 2; });
      if (needed) continue;
      drop(*it);
    }
  }

  /// Puts one node in the place of two wherever that still covers all.
  bool exchange() {
    bool better = false;
    for (const std::uint32_t node : group_) {
      const Nodes near = replaceable_by(node);
      if (near.size() < 2) continue;
      choose(node);
      Nodes dropped;
      for (const std::uint32_t old : near) {
        bool needed = false;
        closed(old, [&](std::uint32_t n) { needed = needed || covered_[n].count < 2; });
        if (needed) continue;
        drop(old);
        dropped.push_back(old);
      }
      if (dropped.size() >= 2) {
        better = true;
        continue;
      }
      for (const std::uint32_t old : dropped) choose(old);
      drop(node);
    }
    return better;
  }
  /// Chosen nodes that alone cover something the node would cover: only these can become needless.
  Nodes replaceable_by(std::uint32_t node) const {
    Nodes near;
    bool chosen = false;
    closed(node, [&](std::uint32_t n) {
      if (covered_[n].count != 1) return;
      near.push_back(covered_[n].by);
      chosen = chosen || covered_[n].by == node;
    });
    std::ranges::sort(near);
    near.erase(std::unique(near.begin(), near.end()), near.end());
    return chosen ? Nodes{} : near;
  }

  const Graph& graph_;
  const Nodes& group_;
  std::vector<Covered>& covered_;
  Nodes chosen_;
};

std::vector<Nodes> groups_of(const Graph& graph) {
  std::vector<Nodes> groups;
  std::vector<bool> seen(graph.size(), false);
  for (std::uint32_t first = 0; first < graph.size(); ++first) {
    if (seen[first]) continue;
    Nodes group{first};
    seen[first] = true;
    for (std::size_t i = 0; i < group.size(); ++i) {
      for (const std::uint32_t n : graph[group[i]]) {
        if (!seen[n]) group.push_back(n);
        seen[n] = true;
      }
    }
    std::ranges::sort(group);
    groups.push_back(std::move(group));
  }
  return groups;
}

Nodes exact(const Graph& graph, const Nodes& group, const Nodes& start) {
  const auto place = [&group](std::uint32_t node) {
    return static_cast<std::uint32_t>(std::ranges::lower_bound(group, node) - group.begin());
  };
  std::vector<std::uint32_t> closed(group.size());
  for (std::size_t i = 0; i < group.size(); ++i) {
    closed[i] = 1u << i;
    for (const std::uint32_t n : graph[group[i]]) closed[i] |= 1u << place(n);
  }
  std::uint32_t chosen = 0;
  for (const std::uint32_t node : start) chosen |= 1u << place(node);
  chosen = ExactCover(std::move(closed)).solve(chosen);
  Nodes result;
  for (; chosen != 0; chosen &= chosen - 1) {
    result.push_back(group[static_cast<std::size_t>(std::countr_zero(chosen))]);
  }
  return result;
}

}  // namespace

std::pair<std::vector<std::uint32_t>, bool> cover_nodes(
    const std::vector<std::vector<std::uint32_t>>& neighbours) {
  std::pair<Nodes, bool> result{{}, true};
  std::vector<Covered> covered(neighbours.size());
  for (const Nodes& group : groups_of(neighbours)) {
    Nodes chosen = GroupCover(neighbours, group, covered).solve();
    if (group.size() <= kMostExact) {
      chosen = exact(neighbours, group, chosen);
    } else if (chosen.size() > 1) {
      result.second = false;
    }
    result.first.insert(result.first.end(), chosen.begin(), chosen.end());
  }
  std::ranges::sort(result.first);
  return result;
}

}  // namespace yieldloop::layout

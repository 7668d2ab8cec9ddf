/// \file
/// Groups that grow together, and the children's nets that take part; for this folder's sources.
#pragma once

#include <boost/pending/disjoint_sets.hpp>
#include <cstdint>
#include <numeric>
#include <vector>

namespace yieldloop::layout {

/// Connected components of a graph whose edges come one by one (the incremental components of the
/// Boost Graph Library).
class Components {
 public:
  explicit Components(std::size_t count) : parent_(count), rank_(count) {
    std::iota(parent_.begin(), parent_.end(), 0U);
  }
  std::uint32_t add() {
    parent_.push_back(static_cast<std::uint32_t>(parent_.size()));
    rank_.push_back(0);
    return parent_.back();
  }
  std::size_t size() const { return parent_.size(); }
  void join(std::uint32_t a, std::uint32_t b) { sets().union_set(a, b); }
  std::uint32_t root(std::uint32_t a) { return sets().find_set(a); }

 private:
  using Sets = boost::disjoint_sets<std::uint8_t*, std::uint32_t*>;
  Sets sets() { return {rank_.data(), parent_.data()}; }

  std::vector<std::uint32_t> parent_;
  std::vector<std::uint8_t> rank_;
};

/// A node for every (child, net) that is asked for.
class Pins {
 public:
  struct Pin {
    std::uint64_t net = 0;
    std::uint32_t child = 0;
    std::uint32_t node = 0;
  };

  std::uint32_t node(std::uint32_t child, std::uint64_t net, Components& components) {
    if (2 * (pins_.size() + 1) > table_.size()) grow();
    std::size_t at = place(child, net);
    for (; table_[at] != 0; at = (at + 1) & (table_.size() - 1)) {
      const Pin& pin = pins_[table_[at] - 1];
      if (pin.net == net && pin.child == child) return pin.node;
    }
    pins_.push_back({net, child, components.add()});
    table_[at] = static_cast<std::uint32_t>(pins_.size());
    return pins_.back().node;
  }
  const std::vector<Pin>& all() const { return pins_; }

 private:
  std::size_t place(std::uint32_t child, std::uint64_t net) const {
    std::uint64_t h = net * 0x9e3779b97f4a7c15U + child;
    h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9U;
    return static_cast<std::size_t>(h ^ h >> 32) & (table_.size() - 1);
  }
  void grow() {
    table_.assign(std::max<std::size_t>(64, table_.size() * 2), 0);
    for (std::uint32_t i = 0; i < pins_.size(); ++i) {
      std::size_t at = place(pins_[i].child, pins_[i].net);
      while (table_[at] != 0) at = (at + 1) & (table_.size() - 1);
      table_[at] = i + 1;
    }
  }

  std::vector<Pin> pins_;
  std::vector<std::uint32_t> table_;  ///< Position in pins_ plus one; 0: free.
};

}  // namespace yieldloop::layout

/// \file
/// Which nets of two cells touch when they lie beside or over each other; for this folder's
/// sources.
///
/// The answer depends on the two cells and on how one lies to the other, and rows of cells lie to
/// each other in few ways: answers are kept. Thread-safe.
#pragma once

#include <array>
#include <compare>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/layout/net_walk.h"

namespace yieldloop::layout {

/// (net of the first, net of the second), ascending, each once.
using NetPairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

class PairCache {
 public:
  explicit PairCache(const NetHierarchy& nets) : nets_(nets) {}

  /// Calls visit(net of a, net of b) for the nets of two children of one cell that touch.
  template <class Visit>
  void for_each(const NetChild& a, const NetChild& b, Visit&& visit) {
    if (a.general >= 0 || b.general >= 0) {
      for (const auto& [first, second] :
           pairs(a.cell, nets_.below({}, a), b.cell, nets_.below({}, b)))
        visit(first, second);
      return;
    }
    const geometry::Transform of_a{a.orientation, a.at}, of_b{b.orientation, b.at};
    const geometry::Transform to_b = of_a.inverted() * of_b;
    for (const auto& [first, second] : known({a.cell, b.cell, to_b.orientation, to_b.displacement}))
      visit(first, second);
  }

 private:
  struct Key {
    std::uint32_t a = 0, b = 0;
    geometry::Orientation orientation = geometry::Orientation::kR0;
    Point at;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Hash {
    std::size_t operator()(const Key& k) const;
  };
  struct Shelf {
    std::mutex mutex;
    std::unordered_map<Key, NetPairs, Hash> pairs;
  };

  const NetPairs& known(const Key& key);
  NetPairs pairs(std::uint32_t a, const Placement& place_a, std::uint32_t b,
                 const Placement& place_b) const;

  const NetHierarchy& nets_;
  std::array<Shelf, 64> shelves_;
};

}  // namespace yieldloop::layout

/// \file
/// Tiles whose content was worked out before; for this folder's sources.
///
/// A block that the design repeats gives equal tiles when the tiles divide its pitch. Content is
/// compared by a hash of 128 bits of the boxes with their nets, relative to the tile.
#pragma once

#include <mutex>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "engine/layout/fault_tile.h"

namespace yieldloop::layout {

/// The largest side up to `side` (and no less than a quarter of it) that divides the steps at which
/// the view's cell repeats what draws on the layer; nothing when it repeats nothing larger than a
/// tile.
inline std::optional<Coord> repeated_side(const FlatView& view, LayerIndex layer, Coord side) {
  Coord common = 0;
  for (const Instance& instance : view.layout().cell(view.top()).instances) {
    const Box child =
        view.layout().placed_box(instance, view.layout().cell(instance.cell).layer_bbox(layer));
    if (child.empty() || instance.count() < 2 || instance.offsets != nullptr) continue;
    if (child.width() < side && child.height() < side) continue;
    for (const auto& [count, step] : {std::pair(instance.columns, instance.column_step),
                                      std::pair(instance.rows, instance.row_step)})
      if (count > 1) common = std::gcd(common, std::gcd(Coord{step.x}, Coord{step.y}));
  }
  if (common == 0) return std::nullopt;
  for (Coord s = side; s >= std::max<Coord>(side / 4, 1); --s)
    if (common % s == 0) return s;
  return std::nullopt;
}

/// Thread-safe.
class TileMemory {
 public:
  struct Content {
    std::uint64_t first = 0x9e3779b97f4a7c15;
    std::uint64_t second = 0xc2b2ae3d27d4eb4f;
    friend bool operator==(const Content&, const Content&) = default;
  };

  /// REQUIRES: the shapes are sorted (TileShapes::sort), so that equal content gives equal lists.
  static Content content_of(const TileShapes& shapes, const Box& tile) {
    Content c;
    const auto mix = [&c](std::uint64_t value) {
      c.first = (c.first ^ value) * 0xff51afd7ed558ccd;
      c.first ^= c.first >> 32;
      c.second = (c.second + value) * 0xc4ceb9fe1a85ec53;
      c.second ^= c.second >> 29;
    };
    const auto two = [](std::int64_t a, std::int64_t b) {
      return static_cast<std::uint64_t>(a) << 32 ^ (static_cast<std::uint64_t>(b) & 0xffffffff);
    };
    mix(two(tile.width(), tile.height()));
    for (std::size_t i = 0; i < shapes.boxes.size(); ++i) {
      const geometry::Box32& b = shapes.boxes[i];
      mix(two(b.x_min, b.y_min));
      mix(two(b.x_max, b.y_max));
      mix(shapes.nets[i]);
    }
    return c;
  }

  std::optional<FaultCurve> find(const Content& content) const {
    const std::lock_guard lock(mutex_);
    const auto it = curves_.find(content);
    if (it == curves_.end()) return std::nullopt;
    return it->second;
  }
  void put(const Content& content, const FaultCurve& curve) {
    const std::lock_guard lock(mutex_);
    curves_.emplace(content, curve);
  }

 private:
  struct Hash {
    std::size_t operator()(const Content& c) const { return c.first; }
  };
  mutable std::mutex mutex_;
  std::unordered_map<Content, FaultCurve, Hash> curves_;
};

}  // namespace yieldloop::layout

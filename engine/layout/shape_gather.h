/// \file
/// Fetches a window's shapes of several layers in one walk; for this folder's sources.
#pragma once

#include <vector>

#include "engine/geometry/region.h"
#include "engine/layout/shape_walk.h"

namespace yieldloop::layout {

/// Heaps to fill, one a layer searched; may be used for one window after the other.
class ShapeGatherer {
 public:
  explicit ShapeGatherer(const SearchCells& cells)
      : heaps_(cells.layers().size()), walk_(cells, *this) {}
  ShapeGatherer(const ShapeGatherer&) = delete;
  ShapeGatherer& operator=(const ShapeGatherer&) = delete;

  /// Everything that touches the window, not cut to it. heaps()[slot] hold it until the next call.
  const std::vector<geometry::ShapeHeap>& gather(CellIndex top, const Box& window) {
    for (geometry::ShapeHeap& heap : heaps_) {
      heap.boxes.clear();
      heap.oblique.clear();
    }
    if (!window.empty()) walk_.run(top, BoxQuery{window});
    return heaps_;
  }

  // What the walk calls.
  void box(std::uint32_t slot, const Box& box, const BoxQuery& query, CellIndex) {
    if (box.touches(query.window)) heaps_[slot].add(walk->transform()(box));
  }
  void polygon(std::uint32_t slot, const Box& box, std::span<const Point32> points, Point offset,
               const BoxQuery& query, CellIndex) {
    if (!box.touches(query.window)) return;
    scratch_.clear();
    for (const Point32 p : points)
      scratch_.push_back(walk->transform()(static_cast<Point>(p) + offset));
    heaps_[slot].add(scratch_);
  }
  void general(std::uint32_t slot, const Box&, std::span<const Point> points, const BoxQuery&,
               CellIndex) {
    heaps_[slot].add(points);
  }
  ShapeWalk<BoxQuery, ShapeGatherer>* walk = nullptr;

 private:
  std::vector<geometry::ShapeHeap> heaps_;
  std::vector<Point> scratch_;
  ShapeWalk<BoxQuery, ShapeGatherer> walk_;
};

}  // namespace yieldloop::layout

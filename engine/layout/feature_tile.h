/// \file
/// One layer of a tile, merged once and measured around many points; for this folder's sources.
#pragma once

#include <span>
#include <vector>

#include "engine/geometry/union_sweep.h"
#include "engine/layout/cell_grid.h"
#include "engine/layout/line_runs.h"

namespace yieldloop::layout {

using geometry::Box;
using geometry::Coord;
using geometry::Point;

/// Boxes of a tile by place: a grid, or a tree where that does not suit.
class TileIndex {
 public:
  /// REQUIRES: boxes within 2^30 of `origin`.
  TileIndex(Point origin, std::span<const Box> boxes);
  /// Calls visit(position in the boxes given) once for each that touches the window.
  template <class Visit>
  void for_each_near(const Box& window, Visit&& visit) const {
    const geometry::BoxProbe probe(geometry::clamped(window.moved(Point{} - origin_)));
    const auto take = [&](std::size_t i) { visit(order_[i]); };
    if (!grid_.empty()) return grid_.for_each_near(probe, boxes_, take);
    tree_.for_each_range(probe, boxes_.size(), [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i)
        if (probe.touches(boxes_[i])) take(i);
    });
  }

 private:
  Point origin_;
  std::vector<geometry::Box32> boxes_;
  std::vector<std::uint32_t> order_;
  CellGrid grid_;
  geometry::PackedIndex tree_;
};

/// What lies around a point; distances in database units, `reach` where nothing is nearer.
struct Surroundings {
  bool covered = false;
  double edge = 0.0;
  double width = 0.0;
  double space = 0.0;
  double facing_run = 0.0;
};

struct CornerCounts {
  std::uint32_t line_ends = 0;
  std::uint32_t outer = 0;
  std::uint32_t inner = 0;
};

class FeatureTile {
 public:
  /// Merges the shapes inside the window. Oblique pieces are cut into rows of height `step`.
  FeatureTile(const geometry::ShapeHeap& shapes, const Box& window, Coord step,
              Coord line_end_length);

  double area(const Box& window) const;
  double border(const Box& window) const;
  bool covers(Point at) const;
  CornerCounts corners(const Box& window) const;
  Surroundings around(Point at, Coord reach) const;
  /// From a box to the nearest border, at most `reach`; 0 where one crosses it.
  double distance_to_border(const Box& box, Coord reach) const;
  /// Whether the metal joins two places without leaving the window.
  bool joined(Point a, Point b, const Box& window) const;

 private:
  struct Edge {
    Point from;  ///< Ascending along its direction.
    Point to;
    bool inside_after = false;
    bool axial() const { return from.x == to.x || from.y == to.y; }
  };
  enum class Mark : std::uint8_t { kLineEnd, kOuter, kInner };

  void add(const geometry::UnionEdge& edge, bool upright, Coord line_end_length);
  void add_pieces(const geometry::ShapeHeap& shapes, const Box& window, Coord step);
  std::vector<Interval> runs(Point at, Coord reach, bool along_x) const;
  double facing(Point at, double low, double high, bool along_x, Coord reach) const;
  /// The edge at a place of the line through `at`; its extent within reach, empty when none.
  Interval extent_at(Point at, double place, bool inside_after, bool along_x, Coord reach) const;

  std::vector<Box> boxes_;
  std::vector<Edge> edges_;
  std::vector<Mark> marks_;
  std::vector<Box> edge_boxes_;  ///< Until they are indexed.
  std::vector<Box> mark_boxes_;
  TileIndex box_index_;
  TileIndex edge_index_;
  TileIndex mark_index_;
};

}  // namespace yieldloop::layout

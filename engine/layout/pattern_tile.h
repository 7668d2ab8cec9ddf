/// \file
/// A small part of a layout with the places in it and the clips around them; for this folder's
/// sources.
#pragma once

#include <vector>

#include "engine/layout/pattern_borders.h"
#include "engine/layout/pattern_clip.h"
#include "engine/layout/pattern_points.h"

namespace yieldloop::layout {

/// Edges of one direction in overlapping strips, so that a clip looks at one strip only.
class EdgeStrips {
 public:
  EdgeStrips() = default;
  /// `extent`: edges lie in [0, extent] along; `side`: half the clip's side. Half units.
  EdgeStrips(const std::vector<BorderEdge>& edges, std::int32_t extent, std::int32_t side);

  /// Appends the words of what lies around the point, which is `side` away from either end.
  void collect(std::int32_t across, std::int32_t along, std::uint32_t layer, bool horizontal,
               ClipWords& out) const;
  /// Whether the point lies inside, judged by the nearest edge at smaller `at`. REQUIRES: no
  /// edge runs through (across, along).
  bool inside(std::int32_t across, std::int32_t along) const;

 private:
  std::span<const BorderEdge> strip_at(std::int32_t low) const;

  std::int32_t side_ = 1;
  std::int32_t step_ = 1;
  std::vector<BorderEdge> edges_;
  std::vector<std::uint32_t> first_;  ///< Shape: [strips + 1].
};

/// Whether a box owns a place. Half-open a quarter unit off the grid of places, so that a turned
/// box owns the same turned places.
inline bool owns_place(const Box& box, Point twice) {
  const Coord x = 2 * twice.x + 1, y = 2 * twice.y + 1;
  return x >= 4 * box.x_min && x < 4 * box.x_max && y >= 4 * box.y_min && y < 4 * box.y_max;
}

/// Not thread-safe to build; const members are.
class PatternTile {
 public:
  /// What can be asked about places within `tile`. REQUIRES: a resolved and checked spec.
  PatternTile(const FlatView& view, const PatternSpec& spec, const Box& tile);

  /// The places a box within the tile owns, ascending, each once. REQUIRES: its sides below 2^26.
  std::vector<PatternPoint> points(const Box& box) const;
  /// The clip around a place in the tile. True when the words are canonical already.
  bool clip(Point twice, ClipWords& words) const;

 private:
  struct Layer {
    geometry::ShapeHeap shapes;
    Borders borders;
    EdgeStrips vertical;
    EdgeStrips horizontal;
  };

  std::vector<PatternPoint> sorted_once(const std::vector<PatternPoint>& found,
                                        const Box& box) const;
  void add_border_points(const BorderSide& side, bool horizontal,
                         std::vector<PatternPoint>& out) const;
  void add_runs(const std::vector<FacingRun>& runs, PointKind kind, bool horizontal,
                std::vector<PatternPoint>& out) const;
  void add_vias(LayerIndex layer, std::vector<PatternPoint>& out) const;
  void add(bool horizontal, Coord at, Coord along, PointKind kind,
           std::vector<PatternPoint>& out) const;
  bool near_oblique(Point local) const;
  void slow_clip(Point twice, ClipWords& words) const;
  void add_covered(const Layer& layer, std::uint32_t k, Point local, Point twice,
                   ClipWords& words) const;

  const PatternSpec& spec_;
  Box seen_;
  std::vector<Layer> layers_;
};

}  // namespace yieldloop::layout

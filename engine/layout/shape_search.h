/// \file
/// Many queries on a few layers of a view: which shapes lie within a box or a distance.
///
/// Every cell gets one packed index over the shapes of all the layers asked for and its placements
/// that draw on them, made when a query first comes to the cell. A query then walks one tree a cell
/// instead of one a layer, and never enters what draws nothing on these layers. Nothing is
/// flattened: the index grows with what the file draws, not with what it repeats.
///
/// Distances are Euclidean to the shape itself, boxes and polygons alike, 0 inside (non-zero
/// winding, border included). They are exact for edges along the axes; others are computed in
/// doubles. Units: database units. Const members are thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/core/function_ref.h"
#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/layout/flat_view.h"

namespace yieldloop::layout {

class SearchCells;  // shape_walk.h

/// A place on the border of what a layer's shapes cover together.
struct NearestEdge {
  double distance = 0.0;
  double foot_x = 0.0;  ///< The nearest place.
  double foot_y = 0.0;
  Point from;  ///< The edge it lies on, as far as it was looked at.
  Point to;
  bool inside = false;  ///< The point asked for is covered.
};

class ShapeSearch {
 public:
  /// The layout must outlive it. REQUIRES: layers of the view's layout, none twice.
  ShapeSearch(const FlatView& view, std::vector<LayerIndex> layers);
  ShapeSearch(ShapeSearch&&) noexcept;
  ShapeSearch& operator=(ShapeSearch&&) noexcept;
  ~ShapeSearch();

  const FlatView& view() const { return view_; }
  const std::vector<LayerIndex>& layers() const { return layers_; }
  /// Of all shapes on the layers.
  Box bbox() const;

  /// Every shape whose bounding box touches the window, in a fixed order.
  void for_each_in(const Box& window, FunctionRef<void(const FlatShape&)> visit) const;

  /// Every shape within `radius` of the point, with its distance, in a fixed order.
  /// REQUIRES: 0 <= radius < 2^30.
  void for_each_near(Point at, Coord radius,
                     FunctionRef<void(const FlatShape&, double)> visit) const;

  /// The nearest border of the union of one of the layers; nothing beyond `max_distance`.
  /// REQUIRES: 0 <= max_distance < 2^28.
  std::optional<NearestEdge> nearest_edge(LayerIndex layer, Point at, Coord max_distance) const;

  /// For this folder's sources.
  const SearchCells& cells() const { return *cells_; }
  /// Bytes of the indexes made so far.
  std::size_t memory_bytes() const;

 private:
  FlatView view_;
  std::vector<LayerIndex> layers_;
  std::unique_ptr<SearchCells> cells_;
};

/// How many shapes of each layer lie within radii[i] of points[i], that distance included.
/// Shape: [points.size(), search.layers().size()], row-major, in the points' order.
/// Points are worked through along a space-filling curve, so that neighbours share what is in the
/// caches, on all cores. Cost: about a microsecond a point for small radii.
/// Errors: kInvalidOptions LAYO-0021 (not one radius a point, one below 0 or above 2^30 - 1),
/// kCancelled LAYO-0007.
Result<std::vector<std::uint32_t>> count_shapes_near(const ShapeSearch& search,
                                                     std::span<const Point> points,
                                                     std::span<const Coord> radii,
                                                     Progress& progress);

/// A shape near a point.
struct NearShape {
  LayerIndex layer = 0;
  CellIndex cell = kNoCell;  ///< The cell it is drawn in.
  Box box;                   ///< Bounding box in the view's frame.
  bool is_box = true;        ///< The shape is its box.
  double distance = 0.0;     ///< 0 when the point lies in it.
  friend bool operator==(const NearShape&, const NearShape&) = default;
};

/// Calls visit(i, shapes within radii[i] of points[i]) for every point, in the points' order and
/// from the calling thread, whatever the number of threads that search. Memory: that of some ten
/// thousand points' shapes.
/// Errors: as count_shapes_near.
Status shapes_near(const ShapeSearch& search, std::span<const Point> points,
                   std::span<const Coord> radii,
                   FunctionRef<void(std::size_t, std::span<const NearShape>)> visit,
                   Progress& progress);

}  // namespace yieldloop::layout

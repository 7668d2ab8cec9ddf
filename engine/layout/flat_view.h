/// \file
/// A cell seen flat, without being flattened: window queries and measures.
///
/// Areas are those of the union of all shapes of a layer: overlaps count once. They are exact for
/// Manhattan and 45-degree shapes and rounded to database units at crossings of other angles.
/// Units: database units, areas in square database units.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/core/function_ref.h"
#include "engine/core/result.h"
#include "engine/layout/layout.h"

namespace yieldloop::layout {

/// One step down the hierarchy: the element (column, row) of instances[instance] of the cell above.
struct PathStep {
  std::uint32_t instance = 0;
  std::uint32_t column = 0;
  std::uint32_t row = 0;
  friend auto operator<=>(const PathStep&, const PathStep&) = default;
};

/// A shape in the coordinates of the view's cell. Valid during the callback only.
struct FlatShape {
  Box box;  ///< Bounding box; the shape itself when is_box.
  bool is_box = true;
  std::span<const Point> points;  ///< The polygon; empty when is_box.
  LayerIndex layer = 0;
  CellIndex cell = kNoCell;        ///< The cell it is drawn in.
  std::uint32_t shape = 0;         ///< Position in the cell's boxes, or boxes.size() + polygon.
  std::span<const PathStep> path;  ///< From the view's cell down; empty when drawn in it.
};

/// A text in the coordinates of the view's cell. Valid during the callback only.
struct FlatText {
  LayerKey key;
  Point at;
  std::string_view string;
  std::span<const PathStep> path;
};

/// A shape as a value: its four corners or its points, counter-clockwise not promised.
struct PlacedShape {
  Box box;
  bool is_box = true;
  Polygon points;  ///< Empty when is_box.
  friend bool operator==(const PlacedShape&, const PlacedShape&) = default;
};

/// What is drawn around a point on one layer.
struct LocalFeatures {
  bool covered = false;  ///< The point lies in or on a shape.
  /// To the nearest edge: Euclidean to the nearest shape when not covered, along the axes to
  /// the border of the union when covered. -1 when farther than the maximum.
  double edge_distance = -1.0;
  /// Covered: the shorter of the horizontal and the vertical extent of the union through the
  /// point. -1 when not covered or when both exceed twice the maximum.
  Coord width = -1;
  /// Not covered: the smaller gap between two edges left and right of, or above and below, the
  /// point. Covered: the smallest gap from the shape's own edges outward along the axes.
  /// -1 when there is none within the maximum.
  Coord space = -1;
  friend bool operator==(const LocalFeatures&, const LocalFeatures&) = default;
};

/// Cheap to copy; the layout must outlive it. Const members are thread-safe.
class FlatView {
 public:
  FlatView(const Layout& layout, CellIndex top) : layout_(&layout), top_(top) {}

  const Layout& layout() const { return *layout_; }
  CellIndex top() const { return top_; }
  Box bbox() const { return layout_->cell(top_).bbox; }
  Box bbox(LayerIndex layer) const { return layout_->cell(top_).layer_bbox(layer); }

  /// Every shape whose bounding box touches the window, in a fixed order.
  void for_each_shape(LayerIndex layer, const Box& window,
                      FunctionRef<void(const FlatShape&)> visit) const;
  std::vector<PlacedShape> shapes_in(LayerIndex layer, const Box& window) const;
  /// Every text inside the window, all layers.
  void for_each_text(const Box& window, FunctionRef<void(const FlatText&)> visit) const;

  /// Shape records below and in the view's cell, each cell counted once.
  std::uint64_t count_shapes(LayerIndex layer) const;
  /// Shapes with hierarchy and arrays expanded; saturates at 2^64 - 1.
  std::uint64_t count_shapes_expanded(LayerIndex layer) const;
  /// Placements with hierarchy and arrays expanded; saturates at 2^64 - 1.
  std::uint64_t instances_expanded() const;

  /// Of the union inside the window.
  double area(LayerIndex layer, const Box& window) const;
  /// area / window area; 0 for a window without area.
  double density(LayerIndex layer, const Box& window) const;
  /// Length of the union's border inside the window; what runs along the window's own border
  /// does not count.
  double perimeter(LayerIndex layer, const Box& window) const;

  LocalFeatures local_features(LayerIndex layer, Point at, Coord max_distance) const;

  /// The union of a layer inside the window, as polygons without holes (a hole is joined to the
  /// outside by a cut line), relative to the window's lower-left corner.
  std::vector<Polygon> clip(LayerIndex layer, const Box& window) const;

 private:
  const Layout* layout_;
  CellIndex top_;
};

/// The largest top cell seen flat.
/// Errors: kNoData LAYO-0003 when the layout has no cell.
Result<FlatView> view_of(const Layout& layout);
/// Errors: kNotFound LAYO-0004 when there is no such cell.
Result<FlatView> view_of(const Layout& layout, std::string_view top_cell);
/// Errors: kNotFound LAYO-0005 when nothing is drawn on that layer; the sentence lists some that
/// are.
Result<LayerIndex> require_layer(const Layout& layout, LayerKey key);

}  // namespace yieldloop::layout

/// \file
/// The spatial indexes of a layout, made when they are first needed; for this folder's sources.
///
/// A file of a hundred million shapes is read for the few layers somebody asks about: an index is
/// made per layer of a cell, once, by the first thread that needs it. Lists of copies are laid out
/// one by one in it, so that a query walks one tree; what would take more room than the file
/// itself justifies stays a repetition and is searched as one.
#pragma once

#include <mutex>
#include <span>
#include <vector>

#include "engine/geometry/packed_index.h"
#include "engine/layout/layout.h"

namespace yieldloop::layout {

/// A polygon in an index: its points are source[first, first + count) + offset.
struct IndexedPolygon {
  Box32 box;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  Point32 offset;
  bool outline = false;  ///< The points are those of a path's outline.
};

/// A large repetition that is computed with.
struct SymbolicShape {
  std::uint32_t repeated = 0;  ///< Position in LayerShapes::repeated.
  IndexedPolygon polygon;      ///< Its first copy; unused for boxes.
};

/// A layer of a cell with what is repeated laid out as far as memory allows.
struct ExpandedShapes {
  std::vector<Box32> boxes;
  std::vector<IndexedPolygon> polygons;  ///< Paths as their outlines.
  std::vector<SymbolicShape> symbolic;
  std::vector<Point32> outlines;

  std::span<const Point32> points_of(const LayerShapes& shapes,
                                     const IndexedPolygon& polygon) const {
    return std::span(polygon.outline ? outlines : shapes.points)
        .subspan(polygon.first, polygon.count);
  }
};
ExpandedShapes expanded(const LayerShapes& shapes);

/// One placement, or all copies of a large array.
struct ExpandedInstance {
  std::uint32_t instance = 0;
  std::uint32_t column = kAllCopies;
};
/// The cell's placements with lists of copies laid out, `hulls` being their boxes in the cell, of
/// which `child_box` is that of the child by itself; children with an empty one are left out.
std::vector<ExpandedInstance> expanded_instances(const Layout& layout, const Cell& cell,
                                                 FunctionRef<Box(const Instance&)> child_box,
                                                 std::vector<Box>& hulls);

class LazyShapeIndex {
 public:
  void for_each_near(const LayerShapes& shapes, const Box& window,
                     FunctionRef<void(const CellShape&)> visit) const;
  std::size_t memory_bytes() const;

 private:
  void build(const LayerShapes& shapes);
  void sort_symbolic(const LayerShapes& shapes);
  void sort();
  CellShape shape_of(const LayerShapes& shapes, const IndexedPolygon& polygon) const;
  void symbolic_near(const LayerShapes& shapes, const Box& window,
                     FunctionRef<void(const CellShape&)> visit) const;

  mutable std::once_flag once_;
  ExpandedShapes shapes_;
  geometry::PackedIndex box_tree_;
  geometry::PackedIndex polygon_tree_;
  geometry::PackedIndex symbolic_tree_;
};

class LazyInstanceIndex {
 public:
  void for_each_near(const Layout& layout, const Cell& cell, const Box& window,
                     FunctionRef<void(std::uint32_t, std::uint32_t)> visit) const;

 private:
  void build(const Layout& layout, const Cell& cell);

  mutable std::once_flag once_;
  std::vector<ExpandedInstance> entries_;
  geometry::PackedIndex tree_;
};

}  // namespace yieldloop::layout

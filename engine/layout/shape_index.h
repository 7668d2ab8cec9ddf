/// \file
/// The spatial indexes of a layout, made when they are first needed; for this folder's sources.
///
/// A file of a hundred million shapes is read for the few layers somebody asks about: an index is
/// made per layer of a cell, once, by the first thread that needs it. Lists of copies are laid out
/// one by one in it, so that a query walks one tree; what would take more room than the file
/// itself justifies stays a repetition and is searched as one.
#pragma once

#include <mutex>
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

class LazyShapeIndex {
 public:
  void for_each_near(const LayerShapes& shapes, const Box& window,
                     FunctionRef<void(const CellShape&)> visit) const;
  std::size_t memory_bytes() const;

 private:
  struct Symbolic {
    std::uint32_t repeated = 0;  ///< Position in LayerShapes::repeated.
    IndexedPolygon polygon;      ///< Its first copy; unused for boxes.
  };

  void build(const LayerShapes& shapes);
  void add_repeated(const LayerShapes& shapes);
  void expand(const RepeatedShape& repeated, const IndexedPolygon& polygon);
  IndexedPolygon outlined(const LayerShapes& shapes, const PathRange& path);
  void sort();
  CellShape shape_of(const LayerShapes& shapes, const IndexedPolygon& polygon) const;
  void symbolic_near(const LayerShapes& shapes, const Box& window,
                     FunctionRef<void(const CellShape&)> visit) const;

  mutable std::once_flag once_;
  std::vector<Box32> boxes_;
  std::vector<IndexedPolygon> polygons_;
  std::vector<Symbolic> symbolic_;
  std::vector<Point32> outlines_;
  geometry::PackedIndex box_tree_;
  geometry::PackedIndex polygon_tree_;
  geometry::PackedIndex symbolic_tree_;
};

class LazyInstanceIndex {
 public:
  void for_each_near(const Layout& layout, const Cell& cell, const Box& window,
                     FunctionRef<void(std::uint32_t, std::uint32_t)> visit) const;

 private:
  struct Entry {
    std::uint32_t instance = 0;
    std::uint32_t column = kAllCopies;
  };
  void build(const Layout& layout, const Cell& cell);

  mutable std::once_flag once_;
  std::vector<Entry> entries_;
  geometry::PackedIndex tree_;
};

}  // namespace yieldloop::layout

/// \file
/// The pieces of a whole layer: what touches is one, however far it goes.
///
/// Boxes of all shapes are laid out flat (about 40 bytes each) and joined where they share area or
/// a stretch of border; shapes that meet only in a corner are two. Oblique shapes are joined as
/// rows of their outlines. The result depends neither on tiles nor on threads.
/// Units: database units. Cost: O(n log n) in the shapes of the layer, expanded.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/geometry/packed_index.h"
#include "engine/layout/critical_area.h"

namespace yieldloop::layout {

/// One layer of an edit: `drawn - removed + added`.
struct BoxEdit {
  LayerIndex layer = 0;
  std::vector<Box> removed;
  std::vector<Box> added;
  Box bbox() const;
  friend bool operator==(const BoxEdit&, const BoxEdit&) = default;
};

/// Takes the removed boxes off and puts the added ones on.
void apply_edit(const BoxEdit& edit, std::vector<Box>& boxes);

/// The boxes of everything on the layer that touches the window, not cut to it; oblique shapes as
/// rows of height `staircase`. `oblique` says whether there were any.
std::vector<Box> boxes_in(const FlatView& view, LayerIndex layer, const Box& window,
                          Coord staircase, bool& oblique);

/// Overlapping or abutting cuts as their common box, ascending.
std::vector<Box> merged_cuts(std::vector<Box> cuts);

/// Const members are thread-safe.
class LayerPieces {
 public:
  explicit LayerPieces(std::vector<Box> boxes);
  static LayerPieces of(const FlatView& view, LayerIndex layer, const BoxEdit* edit = nullptr);

  std::uint32_t count() const { return count_; }
  /// The piece of the first box that holds the point, border included.
  std::optional<std::uint32_t> at(Point p) const;
  /// REQUIRES: the pieces outlive the finder.
  NetFinder finder() const;

 private:
  std::vector<Box> boxes_;
  std::vector<std::uint32_t> piece_;
  geometry::PackedIndex index_;
  std::uint32_t count_ = 0;
};

}  // namespace yieldloop::layout

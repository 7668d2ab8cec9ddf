/// \file
/// The shapes around an edit, before and after it, with the pieces they belong to; for this folder.
#pragma once

#include "engine/layout/fault_tile.h"
#include "engine/layout/layer_pieces.h"

namespace yieldloop::layout {

/// Units: database units.
class EditedPlace {
 public:
  /// `window`: where centres are looked at; shapes are taken up to `margin` beyond it.
  EditedPlace(const FlatView& view, const BoxEdit& edit, const LayerPieces& pieces,
              const Box& window, Coord margin, Coord staircase);

  const std::vector<Box>& before() const { return before_; }
  const std::vector<Box>& after() const { return after_; }
  bool oblique() const { return oblique_; }
  /// True when pieces were joined, or may have been torn: other places then matter, too.
  bool changes_pieces() const { return changes_; }
  /// The piece at a point before and after; numbers of the layer's pieces, or larger ones for what
  /// is new.
  std::optional<std::uint64_t> piece_before(Point p) const { return at(before_, ids_before_, p); }
  std::optional<std::uint64_t> piece_after(Point p) const { return at(after_, ids_after_, p); }
  bool holds(Point p) const { return seen_.contains(p); }

  /// Boxes with nets, for a tile inside the window.
  TileShapes before_around(const Box& inner) const { return around(inner, before_, ids_before_); }
  TileShapes after_around(const Box& inner) const { return around(inner, after_, ids_after_); }

 private:
  void name_pieces(const LayerPieces& pieces, const std::vector<std::uint32_t>& origin);
  TileShapes around(const Box& inner, const std::vector<Box>& boxes,
                    const std::vector<std::uint64_t>& ids) const;
  static std::optional<std::uint64_t> at(const std::vector<Box>& boxes,
                                         const std::vector<std::uint64_t>& ids, Point p);

  Box seen_;
  std::vector<Box> before_, after_;  ///< Cut to what is seen.
  std::vector<std::uint64_t> ids_before_, ids_after_;
  bool oblique_ = false;
  bool changes_ = false;
};

}  // namespace yieldloop::layout

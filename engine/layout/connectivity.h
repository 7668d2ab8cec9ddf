/// \file
/// Which pieces of metal are one net, as far as a window shows.
///
/// Touching shapes of one layer are one piece; a via joins every piece of the layer below and of
/// the layer above that it overlaps. What is connected outside of the window is not seen, so nets
/// that leave it may be counted twice. Units: database units.
#pragma once

#include <optional>
#include <vector>

#include "engine/geometry/box_finder.h"
#include "engine/geometry/region.h"
#include "engine/layout/flat_view.h"

namespace yieldloop::layout {

/// A cut layer and the two layers it joins.
struct ViaLayer {
  LayerIndex cut = 0;
  LayerIndex below = 0;
  LayerIndex above = 0;
};

struct NetPiece {
  LayerIndex layer = 0;
  std::uint32_t net = 0;
  geometry::MergedPolygon shape;
};

struct Nets {
  std::vector<NetPiece> pieces;  ///< Layer by layer in the order asked, then by lower-left corner.
  std::uint32_t count = 0;       ///< Nets are numbered 0 ... count - 1 in the order of pieces.

  /// The net at a point of a layer; nothing where nothing is drawn.
  std::optional<std::uint32_t> at(LayerIndex layer, Point p) const;
};

/// The union of one layer inside the window; every piece is a net of that layer.
/// REQUIRES: sides of the window below 2^30.
std::vector<geometry::MergedPolygon> merged(const FlatView& view, LayerIndex layer,
                                            const Box& window);

/// REQUIRES: sides of the window below 2^30; every layer a via names is among `layers`.
Nets connect(const FlatView& view, const std::vector<LayerIndex>& layers,
             const std::vector<ViaLayer>& vias, const Box& window);

/// Finds, among disjoint pieces of one layer, the one at a point. Thread-safe when const.
class PieceFinder {
 public:
  /// `pieces` must outlive the finder.
  explicit PieceFinder(const std::vector<geometry::MergedPolygon>& pieces);
  /// Position of the first piece that holds p, border included; -1 when there is none.
  std::int64_t at(Point p) const;
  /// Positions of all pieces whose box touches the window, ascending.
  std::vector<std::uint32_t> near(const Box& window) const;

 private:
  const std::vector<geometry::MergedPolygon>* pieces_;
  geometry::BoxFinder boxes_;
};

}  // namespace yieldloop::layout

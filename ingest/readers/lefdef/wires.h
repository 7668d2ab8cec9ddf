/// \file
/// Outlines of wires and shapes in database units. Internal to the folder.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/core/function_ref.h"
#include "ingest/readers/lefdef/def.h"
#include "ingest/readers/lefdef/lef.h"

namespace yieldloop::ingest::lefdef {

/// A shape on a layer; `polygon` empty: the box.
struct LayerShape {
  std::uint32_t layer = kNone;
  Box box;
  Polygon polygon;
};

/// Boxes stay boxes; Manhattan rectangles become boxes.
LayerShape layer_shape(std::uint32_t layer, Polygon polygon);
/// `scale` is 1 for DEF and database units a micrometre for LEF.
std::vector<LayerShape> resolve(const std::vector<Shape>& shapes, double scale, Names& layers);
LayerShape placed(const LayerShape& shape, const geometry::Transform& transform);

/// A via with its layers: those of the lowest and of the highest box that is no cut.
struct ResolvedVia {
  std::vector<LayerShape> shapes;
  std::uint32_t bottom = kNone, top = kNone;
  /// The layer that a wire continues on after coming in on `layer`; kNone when that is unknown.
  std::uint32_t other(std::uint32_t layer) const {
    return layer == bottom ? top : layer == top ? bottom : kNone;
  }
};

/// How wide wires of a layer are. Units: database units; 0 when no file says.
struct WireWidths {
  Coord width = 0, wrong_way = 0;
  Direction direction = Direction::kNone;

  /// Of a piece from a to b; a diagonal one is as wide as one along the direction.
  Coord of(Point a, Point b) const;
};

/// The outline of a run of wire, piece by piece.
void outline(std::span<const RoutePoint> points, const WireWidths& widths, bool special,
             const Polygon* style, std::uint32_t layer, FunctionRef<void(LayerShape)> put);

}  // namespace yieldloop::ingest::lefdef

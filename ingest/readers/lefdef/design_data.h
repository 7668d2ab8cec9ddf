/// \file
/// What a Design holds. Internal to the folder.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/geometry/packed_index.h"
#include "ingest/readers/lefdef/design.h"
#include "ingest/readers/lefdef/wires.h"

namespace yieldloop::ingest::lefdef {

struct MacroShape {
  std::uint32_t pin = kNone;  ///< Position in PlacedMacro::pins; kNone: an obstruction.
  LayerShape shape;           ///< With ORIGIN added.
};

/// A macro in database units, its lower-left corner at (0,0).
struct PlacedMacro {
  bool known = false;
  Coord width = 0, height = 0;
  Point origin;  ///< Where LEF's (0,0) lies.
  std::vector<std::string> pins;
  std::vector<std::uint32_t> pin_ids;  ///< In Def::pin_names; kNone where no net names the pin.
  std::vector<MacroShape> shapes;
};

struct OwnedShape {
  Part part = Part::kWire;
  std::uint32_t owner = kNone;
  LayerShape shape;
};

struct PinNet {
  std::uint32_t component = 0, pin = 0, net = 0;
  friend auto operator<=>(const PinNet&, const PinNet&) = default;
};

struct Design::Data {
  Def def;
  Names layers;
  std::vector<PlacedMacro> macros;                         ///< By Def::masters.
  std::vector<std::optional<geometry::Transform>> places;  ///< By component; macro frame to die.
  std::vector<OwnedShape> shapes;
  std::vector<PinNet> nets_of_pins;                              ///< Ascending.
  std::unordered_map<std::uint32_t, std::uint32_t> nets_of_all;  ///< Pin -> net, of `( * pin )`.
  std::vector<std::string> caveats;

  std::vector<Box> boxes;          ///< In packed order.
  std::vector<std::uint32_t> ids;  ///< Shape, or first_component + component.
  std::uint32_t first_component = 0;
  geometry::PackedIndex index;

  std::string net_of(std::uint32_t component, std::uint32_t pin) const;
  Occupant occupant(const OwnedShape& shape) const;
  void occupants(std::uint32_t component, const Box& window, std::uint32_t layer,
                 std::vector<Occupant>& into) const;
};

/// Fills everything but `def`. Errors: those of Design::make.
Status build_design(Design::Data& data, const std::vector<Lef>& libraries);

}  // namespace yieldloop::ingest::lefdef

/// \file
/// What a DEF file says: placed components, pins, and the wires, vias and shapes of its nets.
///
/// Everything is in database units. Wires are kept as they were written (centre lines); their
/// outlines need the layers and vias of LEF files and are made by lefdef/design.h.
///
/// Source: "LEF/DEF Language Reference", version 5.8, Cadence Design Systems, chapter 2.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/geometry/box.h"
#include "engine/geometry/transform.h"
#include "ingest/readers/lefdef/lef.h"

namespace yieldloop::ingest::lefdef {

using geometry::Box;
using geometry::Coord;
using geometry::Orientation;
using geometry::Point;
using geometry::Polygon;

/// Texts that occur often, each kept once. Ids are positions in the order of first use.
class Names {
 public:
  std::uint32_t id(std::string_view text);
  /// kNone when it was never used.
  std::uint32_t find(std::string_view text) const;
  const std::string& operator[](std::uint32_t id) const { return texts_[id]; }
  std::size_t size() const { return texts_.size(); }
  friend bool operator==(const Names& a, const Names& b) { return a.texts_ == b.texts_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::vector<std::string> texts_;
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> index_;
};

inline constexpr std::uint32_t kNone = UINT32_MAX;

/// A half-open range of positions in one of the vectors of Def.
struct Range {
  std::uint32_t first = 0, last = 0;
  std::uint32_t size() const { return last - first; }
  friend bool operator==(const Range&, const Range&) = default;
};

/// N, W, S, E and their flipped forms as layout orientations; nothing for another word.
/// FN mirrors left and right, FS up and down; FW and FE do that and turn.
std::optional<Orientation> orientation_of(std::string_view word);
std::string_view to_word(Orientation orientation);

struct Component {
  std::string name;
  std::uint32_t macro = kNone;  ///< In Def::masters.
  bool placed = false;
  Orientation orientation = Orientation::kR0;
  Point at;  ///< Lower-left corner of the placed box.
  friend bool operator==(const Component&, const Component&) = default;
};

/// A drawn shape: a box, or a polygon of Def::polygons.
struct DrawnShape {
  std::uint32_t layer = kNone;    ///< In Def::layers.
  std::uint32_t polygon = kNone;  ///< kNone: the box.
  Box box;
  friend bool operator==(const DrawnShape&, const DrawnShape&) = default;
};

/// A via or an array of it.
struct ViaUse {
  std::uint32_t via = kNone;  ///< In Def::via_names.
  Orientation orientation = Orientation::kR0;
  Point at;
  std::int32_t columns = 1, rows = 1;
  Point step;
  friend bool operator==(const ViaUse&, const ViaUse&) = default;
};

struct PinPort {
  bool placed = false;
  Orientation orientation = Orientation::kR0;
  Point at;
  Range shapes;  ///< Def::shapes, about (0,0).
  Range vias;    ///< Def::vias, about (0,0).
  friend bool operator==(const PinPort&, const PinPort&) = default;
};

struct Pin {
  std::string name;
  std::string net;
  std::string direction, use;
  std::vector<PinPort> ports;
  friend bool operator==(const Pin&, const Pin&) = default;
};

struct RoutePoint {
  Point at;
  Coord extension = -1;  ///< Below 0: the default of the wiring.
  friend bool operator==(const RoutePoint&, const RoutePoint&) = default;
};

/// A run of wire without a break. The vias belong to its end; what continues it starts there, on
/// the layer that the last of these vias leads to.
struct Route {
  std::uint32_t layer = kNone;  ///< In Def::layers; kNone: continues the route before.
  Coord width = -1;             ///< Below 0: by the net's rule and the layer.
  std::uint32_t rule = kNone;   ///< In Def::rules; kNone: none (TAPER, or a plain net).
  std::int32_t style = -1;      ///< STYLE; below 0: none.
  Range points;                 ///< Def::points.
  Range vias;                   ///< Def::vias.
  Range shapes;                 ///< Def::shapes (RECT), with layer kNone: the route's.
  friend bool operator==(const Route&, const Route&) = default;
};

struct Connection {
  std::uint32_t component = kNone;  ///< In Def::components; kNone: PIN, `*` or an unknown name.
  std::uint32_t pin = kNone;        ///< In Def::pin_names.
  bool is_pin = false;              ///< `( PIN name )`: the design's own pin.
  bool is_all = false;              ///< `( * pin )`: that pin of every component.
  friend bool operator==(const Connection&, const Connection&) = default;
};

struct Net {
  std::string name;
  bool special = false;
  Range connections;
  Range routes;
  Range shapes;  ///< RECT and POLYGON of its own, in Def::net_shapes.
  Range vias;    ///< VIA of its own, in Def::net_vias.
  friend bool operator==(const Net&, const Net&) = default;
};

struct Row {
  std::string name, site;
  Point at;
  Orientation orientation = Orientation::kR0;
  std::int32_t columns = 1, rows = 1;
  Point step;
  friend bool operator==(const Row&, const Row&) = default;
};

struct Tracks {
  bool vertical = false;  ///< TRACKS X: lines of constant x.
  Coord start = 0, step = 0;
  std::int32_t count = 0;
  std::vector<std::uint32_t> layers;  ///< In Def::layers.
  friend bool operator==(const Tracks&, const Tracks&) = default;
};

struct Blockage {
  std::uint32_t layer = kNone;  ///< kNone: of placement.
  std::string component;
  Range shapes;
  friend bool operator==(const Blockage&, const Blockage&) = default;
};

struct Group {
  std::string name, region;
  std::vector<std::string> members;
  friend bool operator==(const Group&, const Group&) = default;
};

struct Region {
  std::string name;
  std::vector<Box> boxes;
  friend bool operator==(const Region&, const Region&) = default;
};

struct Def {
  std::string version;
  std::string design;
  std::string bus_bits = "[]";
  std::string divider = "/";
  double dbu_per_um = 100.0;
  Polygon die_area;  ///< Two points of DIEAREA become four corners.

  Names layers, masters, via_names, pin_names, rule_names;
  std::vector<ViaDefinition> via_definitions;  ///< Units: database units.
  std::vector<WireRule> rules;                 ///< Units: database units.
  std::unordered_map<std::int32_t, Polygon> styles;
  std::vector<Row> rows;
  std::vector<Tracks> tracks;
  std::vector<Component> components;
  std::vector<Pin> pins;
  std::vector<Net> nets;  ///< SPECIALNETS first.
  std::vector<Blockage> blockages;
  std::vector<DrawnShape> fills;
  std::vector<ViaUse> fill_vias;
  std::vector<Group> groups;
  std::vector<Region> regions;

  std::vector<Connection> connections;
  std::vector<Route> routes;
  std::vector<RoutePoint> points;
  std::vector<ViaUse> vias;
  std::vector<DrawnShape> shapes;
  std::vector<DrawnShape> net_shapes;
  std::vector<ViaUse> net_vias;
  std::vector<Polygon> polygons;

  Box bbox() const;  ///< Of the die area.
  /// Pairs of consecutive points of wires, in nets and special nets.
  std::size_t wire_segments() const;
  std::size_t special_nets() const;
  friend bool operator==(const Def&, const Def&) = default;
};

/// Reads a DEF file. What cannot be read is skipped to the end of its entry and told, as in
/// parse_lef; further:
///   LEFD-0010  a section holds another number of entries than it says
///   LEFD-0011  a wire runs neither along an axis nor diagonally; the piece is dropped
///   LEFD-0012  the file does not end with END DESIGN
///   LEFD-0013  a comment inside the entry of a net hides something
///   LEFD-0014  a layer's name stands where only a via's can
/// Errors: kFormat LEFD-0002 when nothing in it is DEF.
Result<Def> parse_def(Bytes bytes, Rejects& rejects);

}  // namespace yieldloop::ingest::lefdef

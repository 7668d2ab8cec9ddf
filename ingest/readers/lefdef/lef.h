/// \file
/// What a LEF file says: layers, vias, rules, sites and the abstract views of cells.
///
/// Lengths are micrometres as written; they become database units when a DEF file says how many
/// of them a micrometre has (lefdef/design.h). Electrical and rule statements that no analysis
/// uses are passed over.
///
/// Source: "LEF/DEF Language Reference", version 5.8, Cadence Design Systems, chapter 1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"
#include "ingest/readers/diagnostics.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest::lefdef {

struct RealPoint {
  double x = 0.0, y = 0.0;
  friend bool operator==(const RealPoint&, const RealPoint&) = default;
};

struct RealBox {
  double x_min = 0.0, y_min = 0.0, x_max = 0.0, y_max = 0.0;
  friend bool operator==(const RealBox&, const RealBox&) = default;
};

/// One shape. Units: micrometres in LEF, database units in the via definitions of DEF.
struct Shape {
  enum class Kind : std::uint8_t { kBox, kPolygon, kPath };
  Kind kind = Kind::kBox;
  std::string layer;
  int mask = 0;
  double width = 0.0;             ///< Paths; they reach half of it past both ends.
  RealBox box;                    ///< Boxes.
  std::vector<RealPoint> points;  ///< Polygons and paths.
  friend bool operator==(const Shape&, const Shape&) = default;
};

/// A via used inside a macro's pin or obstruction.
struct PlacedVia {
  std::string via;
  RealPoint at;
  friend bool operator==(const PlacedVia&, const PlacedVia&) = default;
};

struct Geometry {
  std::vector<Shape> shapes;
  std::vector<PlacedVia> vias;
  friend bool operator==(const Geometry&, const Geometry&) = default;
};

/// A via made by a rule: an array of cuts between two enclosing boxes, centred on its origin.
///
///   cuts  columns x rows boxes of cut_size, cut_spacing apart, centred on `origin`
///   box   of the bottom (top) layer: that of the array, enlarged by the layer's enclosure and
///         displaced by its offset
struct GeneratedVia {
  std::string rule;
  std::string bottom, cut, top;  ///< Layers.
  RealPoint cut_size, cut_spacing;
  RealPoint bottom_enclosure, top_enclosure;
  RealPoint origin, bottom_offset, top_offset;
  int rows = 1, columns = 1;
  std::string pattern;  ///< PATTERN as written; empty: every cut is there.
  friend bool operator==(const GeneratedVia&, const GeneratedVia&) = default;
};

/// Units: micrometres in LEF, database units in DEF.
struct ViaDefinition {
  std::string name;
  bool is_default = false;
  std::vector<Shape> shapes;              ///< As drawn; generated ones are made on demand.
  std::optional<GeneratedVia> generated;  ///< VIARULE with its parameters.
  friend bool operator==(const ViaDefinition&, const ViaDefinition&) = default;
};

/// The shapes of a via, drawn or made by its parameters; nothing for an impossible one.
std::vector<Shape> shapes_of(const ViaDefinition& via);
/// More cuts than this are damage.
inline constexpr int kMostCuts = 1'000'000;

enum class LayerType : std::uint8_t { kOther, kRouting, kCut, kMasterslice, kOverlap, kImplant };
enum class Direction : std::uint8_t { kNone, kHorizontal, kVertical };

struct LefLayer {
  std::string name;
  LayerType type = LayerType::kOther;
  Direction direction = Direction::kNone;
  std::optional<double> width;            ///< Of wires, by default.
  std::optional<double> min_width;        ///< MINWIDTH, or LEF58_MINWIDTH.
  std::optional<double> wrong_way_width;  ///< Of wires across `direction` (LEF58_...).
  std::optional<double> spacing, pitch, wire_extension, thickness;
  int masks = 1;
  friend bool operator==(const LefLayer&, const LefLayer&) = default;
};

struct ViaRule {
  std::string name;
  bool generate = false;
  std::vector<std::string> layers;
  friend bool operator==(const ViaRule&, const ViaRule&) = default;
};

struct RuleWidth {
  std::string layer;
  double width = 0.0;            ///< Micrometres in LEF, database units in DEF.
  double wire_extension = -1.0;  ///< Below 0: not given.
  friend bool operator==(const RuleWidth&, const RuleWidth&) = default;
};

/// NONDEFAULTRULE.
struct WireRule {
  std::string name;
  std::vector<RuleWidth> widths;
  friend bool operator==(const WireRule&, const WireRule&) = default;
};

struct Site {
  std::string name;
  std::string site_class;
  RealPoint size;
  friend bool operator==(const Site&, const Site&) = default;
};

struct MacroPin {
  std::string name;
  std::string direction;  ///< INPUT, OUTPUT, ...; empty when not said.
  std::string use;        ///< SIGNAL, POWER, ...; empty when not said.
  Geometry geometry;
  friend bool operator==(const MacroPin&, const MacroPin&) = default;
};

struct Macro {
  std::string name;
  std::string macro_class;
  std::string site;
  std::string foreign;
  RealPoint foreign_at;
  RealPoint origin;  ///< Added to every coordinate puts the lower-left corner at (0,0).
  RealPoint size;
  std::vector<MacroPin> pins;
  Geometry obstructions;
  friend bool operator==(const Macro&, const Macro&) = default;
};

struct Lef {
  std::string version;
  std::string bus_bits = "[]";
  std::string divider = "/";
  double database_microns = 100.0;  ///< UNITS DATABASE MICRONS.
  std::vector<LefLayer> layers;
  std::vector<ViaDefinition> vias;
  std::vector<ViaRule> via_rules;
  std::vector<WireRule> rules;
  std::vector<Site> sites;
  std::vector<Macro> macros;
  bool closed = false;  ///< END LIBRARY stood at the end.

  std::size_t pin_count() const;
  friend bool operator==(const Lef&, const Lef&) = default;
};

/// Reads a LEF file. What cannot be read is skipped to its `;` and told:
///   LEFD-0003  a statement that is not understood
///   LEFD-0004  a number, point or name is missing or damaged
///   LEFD-0005  the file ends inside a block
///   LEFD-0006  a block is closed under another name
///   LEFD-0007  the file does not end with END LIBRARY
///   LEFD-0008  a quote is never closed
///   LEFD-0009  a name is given twice; the first one is kept
/// Errors: kFormat LEFD-0001 when nothing in it is LEF.
Result<Lef> parse_lef(Bytes bytes, Rejects& rejects);

}  // namespace yieldloop::ingest::lefdef

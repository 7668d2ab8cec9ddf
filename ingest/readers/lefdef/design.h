/// \file
/// A placed and routed design: what lies where, so that a defect can be named by cell, net, layer.
///
/// A DEF file gives the places, LEF files the shapes of cells, layers and vias. Joined, they answer
/// which instances, pins and nets a point or a box of the die touches.
///
/// Rules of geometry, all in the DEF file's database units:
///   wire of a net          half of the width past every end, or as far as its point says; what
///                          WIREEXTENSION adds at vias is left out, the via covers it
///   wire of a special net  flush at its ends, or as far as its point says; bends are filled
///   width of a net's wire  of TAPERRULE or NONDEFAULTRULE; else the layer's WIDTH; across the
///                          layer's direction at least its WRONGDIRECTION width
///   diagonal piece         an octagon as wide as the wire, dragged along it
///   STYLE                  the style's polygon dragged along the wire
///   component              its macro, moved by ORIGIN and turned, with the lower-left corner of
///                          the turned box at the place that is written
///   pin of the design      its shapes turned about (0,0), then displaced
///   via                    its shapes turned about (0,0), then displaced
/// LEF lengths are rounded to the nearest database unit.
///
/// Source: "LEF/DEF Language Reference", version 5.8, Cadence Design Systems.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/function_ref.h"
#include "engine/core/result.h"
#include "engine/geometry/box.h"
#include "ingest/readers/lefdef/def.h"
#include "ingest/readers/lefdef/lef.h"

namespace yieldloop::ingest::lefdef {

/// What a shape of the design is part of.
enum class Part : std::uint8_t { kWire, kVia, kPin, kFill, kCellPin, kObstruction, kCell };
std::string_view to_word(Part part);

/// Something that a place belongs to. Texts are empty where they do not apply.
struct Occupant {
  Part part = Part::kCell;
  std::string instance;  ///< Component.
  std::string macro;     ///< Its macro.
  std::string pin;       ///< Of the macro, or of the design.
  std::string net;
  std::string layer;  ///< LEF's name.
  friend auto operator<=>(const Occupant&, const Occupant&) = default;
  friend bool operator==(const Occupant&, const Occupant&) = default;
};

/// One flat shape. `polygon` empty: the box. Units: database units.
struct FlatShape {
  Part part = Part::kWire;
  std::uint32_t layer = kNone;  ///< Position in Design::layers().
  std::uint32_t owner = kNone;  ///< Net, pin or component of the DEF file; kNone for fills.
  Box box;
  Polygon polygon;
};

/// A cell placed in a layout, for comparing it with the DEF file. Units: micrometres.
struct PlacedCell {
  std::string cell;
  double x_um = 0.0, y_um = 0.0;  ///< Where the cell's (0,0) lies.
  Orientation orientation = Orientation::kR0;
};

/// How well a DEF file fits a layout.
struct Match {
  std::size_t matched = 0;        ///< Components that lie on a cell of their macro's name.
  std::size_t components = 0;     ///< Placed components whose macro is known.
  double x_um = 0.0, y_um = 0.0;  ///< Where the DEF file's (0,0) lies in the layout.
  friend bool operator==(const Match&, const Match&) = default;
};

/// Immutable and safe to share between threads.
class Design {
 public:
  /// Of several definitions of one name the first counts, and DEF's before LEF's.
  /// Errors: kUnsupported LEFD-0021 when the arrays of vias make more shapes than fit memory.
  static Result<Design> make(Def def, const std::vector<Lef>& libraries);

  const Def& def() const;
  double dbu_per_um() const { return def().dbu_per_um; }
  const std::string& layer_name(std::uint32_t layer) const;
  std::size_t layers() const;
  /// By name, else by name whatever the case; kNone when there is none.
  std::uint32_t find_layer(std::string_view name) const;

  /// What was missing, one sentence each: macros, vias and layers that no file defines.
  const std::vector<std::string>& caveats() const;

  /// Everything that shares area with the window (a window without area: that contains it),
  /// on one layer or (kNone) on all. A component is named even where none of its shapes is hit.
  /// Ascending, each once. Units: database units.
  std::vector<Occupant> at(const Box& window, std::uint32_t layer = kNone) const;
  /// The same in micrometres of the DEF file's frame.
  std::vector<Occupant> at_um(double x_min, double y_min, double x_max, double y_max,
                              std::uint32_t layer = kNone) const;

  /// Every shape: wires, vias, pins, fills, and (when asked) the pins and obstructions of the
  /// components.
  void for_each(bool with_cells, FunctionRef<void(const FlatShape&)> visit) const;

  /// Finds the displacement that puts most components onto cells of their macros' names.
  /// Cells are placed as DEF says: by the origin of the macro, at LEF's (0,0).
  Match match(const std::vector<PlacedCell>& cells) const;

  struct Data;  ///< Internal.

 private:
  explicit Design(std::shared_ptr<const Data> data) : data_(std::move(data)) {}
  std::shared_ptr<const Data> data_;
};

}  // namespace yieldloop::ingest::lefdef

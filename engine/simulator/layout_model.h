/// \file
/// The virtual product's layout: a small hierarchy of cells on M1, VIA1 and M2, drawn by seed.
///
/// Lengths are nanometres, the database unit. Cells are drawn on tracks so that every width and
/// space keeps the rules of product.toml by construction. Besides ordinary cells there are some
/// that hold one tight (but legal) figure on M1 or M2 each, no two alike; a scenario may choose
/// one to bridge, and nothing in the layout tells which. Half of them hold the same figure once
/// more with a wider space. Size of the die, floorplan, cells and figures differ by seed.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/core/random.h"

namespace yieldloop::simulator {

struct Point {
  std::int32_t x = 0;
  std::int32_t y = 0;
  friend bool operator==(Point, Point) = default;
};

struct Box {
  Point low;
  Point high;
  friend bool operator==(Box, Box) = default;
};

/// GDSII's order: reflect about the x axis, rotate by quarter turns counter-clockwise, move.
struct Placement {
  bool mirrored = false;
  int quarters = 0;
  Point at;

  Point apply(Point p) const;
  Box apply(Box box) const;
  /// What a thing placed by `inner` in a cell placed by this is placed by.
  Placement after(const Placement& inner) const;
};

enum class Layer : std::uint8_t { kM1, kVia1, kM2, kOutline };

struct LayerNumbers {
  std::int16_t layer;
  std::int16_t datatype;
};
/// By Layer.
inline constexpr std::array<LayerNumbers, 4> kLayerNumbers{{{31, 0}, {32, 0}, {33, 0}, {235, 0}}};

struct Rect {
  Layer layer{};
  Box box;
};

struct Polygon {
  Layer layer{};
  std::vector<Point> points;  ///< Not closed: the first point is not repeated.
};

/// A straight wire with flush ends.
struct Wire {
  Layer layer{};
  Point from;
  Point to;
  std::int32_t width = 0;
};

struct Label {
  Point at;
  std::string text;
};

struct CellPlacement {
  std::size_t cell = 0;
  Placement placement;
  std::int16_t columns = 1;
  std::int16_t rows = 1;
  Point pitch;  ///< Of an array, along x and y.
};

/// The tight figure of a special cell. `gap` is where two wires come close.
enum class Figure : std::uint8_t { kNone, kTipToTip, kParallel, kTipToSide, kCorner };

struct LayoutCell {
  std::string name;
  Point extent;  ///< The cell's frame is (0,0)..extent.
  std::vector<Rect> rects;
  std::vector<Polygon> polygons;
  std::vector<Wire> wires;
  std::vector<Label> labels;
  std::vector<CellPlacement> placements;
  std::vector<Point> single_vias;  ///< Centres; each the only via of its crossing.
  std::vector<Point> double_vias;  ///< One centre for each via of a pair or a larger group.
  Figure figure = Figure::kNone;
  Layer figure_layer = Layer::kM1;
  std::int32_t figure_space = 0;
  Box figure_gap;
  std::int32_t twin_space = 0;  ///< Of the same figure drawn wider; 0: there is none.
  Box twin_gap;
};

struct Block {
  std::string name;  ///< Of the cell.
  Box box;           ///< In the top cell.
};

struct Layout {
  std::string library = "DEMO28";
  std::vector<LayoutCell> cells;  ///< A cell comes before those that place it.
  std::size_t top = 0;
  Point extent;               ///< Of the top cell: the die without the scribe lane.
  std::vector<Block> blocks;  ///< What the functional tests look at.
};

/// Side of a via.
inline constexpr std::int32_t kViaSize = 200;

Layout draw_layout(Random random);

/// Where a box or point of a cell lies in the top cell, for every occurrence of the cell, in
/// the order of the hierarchy.
std::vector<Box> occurrences(const Layout& layout, std::size_t cell, const Box& box);

/// Calls visit(cell index, placement in the top cell) for every instance, arrays expanded.
void visit_instances(const Layout& layout,
                     const std::function<void(std::size_t, const Placement&)>& visit);

/// All single vias in the top cell (centres).
std::vector<Point> single_via_places(const Layout& layout);
std::vector<Point> double_via_places(const Layout& layout);

/// Placements of leaf shapes: rects, polygons and wires with the hierarchy expanded.
std::size_t expanded_shape_count(const Layout& layout);

}  // namespace yieldloop::simulator

/// \file
/// Draws the leaf cells of the virtual product: logic cells with or without a tight figure, a
/// small array cell, and tiles of long wires. All keep 0.20 um width and space by construction.
#pragma once

#include <string>

#include "engine/core/random.h"
#include "engine/simulator/layout_model.h"

namespace yieldloop::simulator {

inline constexpr std::int32_t kRowHeight = 9'600;

/// A figure and its space in nm; kNone for an ordinary cell.
struct FigureSpec {
  Figure figure = Figure::kNone;
  Layer layer = Layer::kM1;
  std::int32_t space = 0;
  std::int32_t twin_space = 0;  ///< The same once more with this space; 0: not.
  std::int32_t width = 280;     ///< Of its wires.
};

/// A cell of kRowHeight with rails at both edges, so that rows may abut mirrored.
LayoutCell draw_logic_cell(std::string name, FigureSpec figure, Random& random);

/// A cell of 4.8 x 4.8 um that is placed in large arrays.
LayoutCell draw_array_cell(std::string name);

struct TileSpec {
  std::int32_t side = 0;
  std::int32_t m1_pitch = 0;
  std::int32_t m2_pitch = 0;
  std::int32_t min_width = 0;
  std::int32_t max_width = 0;
  int crossings = 0;  ///< Crossings tried for a via connection.
};

/// Horizontal M1 and vertical M2 wires of various widths and lengths, joined by vias.
LayoutCell draw_tile(std::string name, const TileSpec& spec, Random& random);

/// Nine vias under crossing straps, for the power ring.
LayoutCell draw_strap_via(std::string name);

}  // namespace yieldloop::simulator

/// \file
/// The border of a layer's union within a window, and the places on it; for this folder's sources.
///
/// Where all shapes are Manhattan, two sweeps over their rectangles give every border edge, corner
/// and facing run; where some are not, the merged polygons do. Both give the same for the same
/// Manhattan surroundings.
/// Units: half database units relative to twice the window's lower-left corner.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/geometry/region.h"

namespace yieldloop::layout {

using geometry::Box;
using geometry::Coord;

enum class Turn : std::uint8_t { kSmooth, kConvex, kConcave };

/// A longest straight stretch of the border; for vertical edges `at` is x and low, high are y.
struct BorderEdge {
  std::int32_t at = 0;
  std::int32_t low = 0;
  std::int32_t high = 0;
  bool inside_before = false;  ///< The inside lies at smaller `at`.
  Turn low_turn = Turn::kSmooth;
  Turn high_turn = Turn::kSmooth;
  friend auto operator<=>(const BorderEdge&, const BorderEdge&) = default;
};

struct BorderCorner {
  std::int32_t x = 0;
  std::int32_t y = 0;
  bool convex = false;
};

/// Two edges at `from` < `to` that face each other over [low, high] with nothing between.
struct FacingRun {
  std::int32_t from = 0;
  std::int32_t to = 0;
  std::int32_t low = 0;
  std::int32_t high = 0;
  friend auto operator<=>(const FacingRun&, const FacingRun&) = default;
};

/// One direction: vertical edges, or horizontal ones with x and y exchanged.
struct BorderSide {
  std::vector<BorderEdge> edges;  ///< Ascending by (at, low).
  std::vector<FacingRun> spaces;
  std::vector<FacingRun> widths;
};

struct Borders {
  BorderSide vertical;
  BorderSide horizontal;
  std::vector<BorderCorner> corners;  ///< Turns of at least 45 degrees.
  std::vector<Box> oblique;           ///< Boxes of the edges that are not axis-parallel.
};

/// What faces each other farther apart is not listed. Half units; 0: none.
struct FacingLimits {
  std::int32_t space = 0;
  std::int32_t width = 0;
};

/// REQUIRES: window sides below 2^29.
Borders find_borders(const geometry::ShapeHeap& shapes, const Box& window,
                     const FacingLimits& limits);

/// For the sweep: the vertical borders of a union of boxes (low inclusive, high exclusive), with
/// corners when asked for.
struct SweepBox {
  std::int32_t x_min, y_min, x_max, y_max;
};
void sweep_borders(std::span<const SweepBox> boxes, const FacingLimits& limits, BorderSide& out,
                   std::vector<BorderCorner>* corners);

/// Facing runs of edges found otherwise; one that an oblique edge's box crosses is left out.
/// `oblique` in the same sense of axes as the edges.
void face_edges(BorderSide& side, std::span<const Box> oblique, const FacingLimits& limits);

}  // namespace yieldloop::layout

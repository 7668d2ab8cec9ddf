/// \file
/// Points of a layout, in database units.
///
/// A cell keeps 32-bit coordinates, because that is what the stream formats hold and it halves
/// the memory; everything seen through a hierarchy is 64-bit, because displacements add up.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <vector>

namespace yieldloop::geometry {

using Coord = std::int64_t;

/// Units: database units.
struct Point {
  Coord x = 0;
  Coord y = 0;
  friend constexpr auto operator<=>(const Point&, const Point&) = default;
  friend constexpr Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
  friend constexpr Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
};

/// A point inside one cell. Units: database units.
struct Point32 {
  std::int32_t x = 0;
  std::int32_t y = 0;
  friend constexpr auto operator<=>(const Point32&, const Point32&) = default;
  constexpr operator Point() const { return {x, y}; }  // NOLINT: widening loses nothing
};

/// Whether the value may be stored in a cell.
constexpr bool fits32(Coord value) {
  return value >= std::numeric_limits<std::int32_t>::min() &&
         value <= std::numeric_limits<std::int32_t>::max();
}
constexpr bool fits32(Point p) { return fits32(p.x) && fits32(p.y); }
/// REQUIRES: fits32(p).
constexpr Point32 narrow(Point p) {
  return {static_cast<std::int32_t>(p.x), static_cast<std::int32_t>(p.y)};
}

/// Holds any product of two coordinates and sums of them.
__extension__ typedef __int128 CoordProduct;

/// a.x * b.y - a.y * b.x, exactly.
constexpr CoordProduct cross(Point a, Point b) {
  return static_cast<CoordProduct>(a.x) * b.y - static_cast<CoordProduct>(a.y) * b.x;
}

/// A closed ring without a repeated last point; either turning sense. Units: database units.
using Polygon = std::vector<Point>;

}  // namespace yieldloop::geometry

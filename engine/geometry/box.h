/// \file
/// Axis-parallel rectangles, borders included.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <limits>

#include "engine/geometry/point.h"

namespace yieldloop::geometry {

/// The closed rectangle [x_min, x_max] x [y_min, y_max]; empty when a minimum exceeds its
/// maximum, which is what the default is. Units: database units.
struct Box {
  Coord x_min = 1;
  Coord y_min = 1;
  Coord x_max = 0;
  Coord y_max = 0;
  friend constexpr auto operator<=>(const Box&, const Box&) = default;

  constexpr bool empty() const { return x_min > x_max || y_min > y_max; }
  constexpr Coord width() const { return empty() ? 0 : x_max - x_min; }
  constexpr Coord height() const { return empty() ? 0 : y_max - y_min; }
  /// Double, because a wafer-sized box in database units overflows 64 bits.
  constexpr double area() const {
    return static_cast<double>(width()) * static_cast<double>(height());
  }
  constexpr Point center() const { return {(x_min + x_max) / 2, (y_min + y_max) / 2}; }

  constexpr bool contains(Point p) const {
    return p.x >= x_min && p.x <= x_max && p.y >= y_min && p.y <= y_max;
  }
  constexpr bool contains(const Box& b) const {
    return b.x_min >= x_min && b.x_max <= x_max && b.y_min >= y_min && b.y_max <= y_max;
  }
  /// True when they share at least a point of the border.
  constexpr bool touches(const Box& b) const {
    return b.x_min <= x_max && x_min <= b.x_max && b.y_min <= y_max && y_min <= b.y_max &&
           !empty() && !b.empty();
  }
  /// True when they share area.
  constexpr bool overlaps(const Box& b) const {
    return b.x_min < x_max && x_min < b.x_max && b.y_min < y_max && y_min < b.y_max;
  }
  constexpr Box intersection(const Box& b) const {
    return {std::max(x_min, b.x_min), std::max(y_min, b.y_min), std::min(x_max, b.x_max),
            std::min(y_max, b.y_max)};
  }
  /// Grown by `by` on every side (shrunk when negative).
  constexpr Box enlarged(Coord by) const {
    return {x_min - by, y_min - by, x_max + by, y_max + by};
  }
  constexpr Box moved(Point by) const {
    return {x_min + by.x, y_min + by.y, x_max + by.x, y_max + by.y};
  }

  constexpr void include(Point p) {
    if (empty()) {
      *this = {p.x, p.y, p.x, p.y};
      return;
    }
    x_min = std::min(x_min, p.x);
    y_min = std::min(y_min, p.y);
    x_max = std::max(x_max, p.x);
    y_max = std::max(y_max, p.y);
  }
  constexpr void include(const Box& b) {
    if (b.empty()) return;
    include(Point{b.x_min, b.y_min});
    include(Point{b.x_max, b.y_max});
  }
};

/// The box with corners a and b, in whatever order they come.
constexpr Box box_of(Point a, Point b) {
  return {std::min(a.x, b.x), std::min(a.y, b.y), std::max(a.x, b.x), std::max(a.y, b.y)};
}

/// A box inside one cell. Units: database units.
struct Box32 {
  std::int32_t x_min = 1;
  std::int32_t y_min = 1;
  std::int32_t x_max = 0;
  std::int32_t y_max = 0;
  friend constexpr auto operator<=>(const Box32&, const Box32&) = default;
  constexpr operator Box() const { return {x_min, y_min, x_max, y_max}; }  // NOLINT: widening
};

/// REQUIRES: both corners fit 32 bits.
constexpr Box32 narrow(const Box& b) {
  return {static_cast<std::int32_t>(b.x_min), static_cast<std::int32_t>(b.y_min),
          static_cast<std::int32_t>(b.x_max), static_cast<std::int32_t>(b.y_max)};
}

/// The box with every side moved to the nearest place that fits 32 bits. Two boxes that touch
/// still do afterwards.
constexpr Box32 clamped(const Box& b) {
  const auto near = [](Coord value) {
    return static_cast<std::int32_t>(std::clamp<Coord>(
        value, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()));
  };
  return {near(b.x_min), near(b.y_min), near(b.x_max), near(b.y_max)};
}

}  // namespace yieldloop::geometry

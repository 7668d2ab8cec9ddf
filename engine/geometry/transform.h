/// \file
/// How a cell is placed in another: the eight orthogonal orientations exactly, anything else
/// through doubles.
///
/// A placement first mirrors at the x axis (when asked), then turns counter-clockwise, then
/// displaces: p -> R(angle) * M * p + d. Source: GDSII stream format, STRANS and ANGLE.
#pragma once

#include <array>
#include <cmath>
#include <compare>
#include <cstdint>

#include "engine/geometry/box.h"
#include "engine/geometry/point.h"

namespace yieldloop::geometry {

/// kR90 turns by 90 degrees counter-clockwise; kM* mirrors at the x axis (y -> -y) before that.
/// The numeric value is quarter turns + 4 * mirrored.
enum class Orientation : std::uint8_t { kR0, kR90, kR180, kR270, kM0, kM90, kM180, kM270 };

constexpr int quarter_turns(Orientation o) { return static_cast<int>(o) & 3; }
constexpr bool mirrored(Orientation o) { return static_cast<int>(o) >= 4; }
constexpr Orientation orientation(int turns, bool mirror) {
  return static_cast<Orientation>((turns & 3) + (mirror ? 4 : 0));
}

constexpr Point apply(Orientation o, Point p) {
  if (mirrored(o)) p.y = -p.y;
  switch (quarter_turns(o)) {
    case 1: return {-p.y, p.x};
    case 2: return {-p.x, -p.y};
    case 3: return {p.y, -p.x};
    default: return p;
  }
}

/// First b, then a. Turning left of a mirror turns the other way.
constexpr Orientation compose(Orientation a, Orientation b) {
  const int turns =
      mirrored(a) ? quarter_turns(a) - quarter_turns(b) : quarter_turns(a) + quarter_turns(b);
  return orientation(turns, mirrored(a) != mirrored(b));
}

constexpr Orientation inverse(Orientation o) {
  return mirrored(o) ? o : orientation(-quarter_turns(o), false);
}

/// An exact placement.
struct Transform {
  Orientation orientation = Orientation::kR0;
  Point displacement;
  friend constexpr bool operator==(const Transform&, const Transform&) = default;

  constexpr Point operator()(Point p) const { return apply(orientation, p) + displacement; }
  /// Empty stays empty.
  constexpr Box operator()(const Box& b) const {
    if (b.empty()) return b;
    return box_of((*this)(Point{b.x_min, b.y_min}), (*this)(Point{b.x_max, b.y_max}));
  }
  /// First `inner`, then this one.
  constexpr Transform operator*(const Transform& inner) const {
    return {compose(orientation, inner.orientation), (*this)(inner.displacement)};
  }
  constexpr Transform inverted() const {
    const Orientation back = inverse(orientation);
    const Point moved = apply(back, displacement);
    return {back, {-moved.x, -moved.y}};
  }
};

/// Any angle and magnification; results are rounded to the nearest database unit.
struct GeneralTransform {
  /// p -> (xx*x + xy*y + dx, yx*x + yy*y + dy)
  double xx = 1.0, xy = 0.0, yx = 0.0, yy = 1.0;
  double dx = 0.0, dy = 0.0;
  friend bool operator==(const GeneralTransform&, const GeneralTransform&) = default;

  static GeneralTransform of(const Transform& t);
  /// `degrees` counter-clockwise after mirroring and magnifying.
  static GeneralTransform of(bool mirror, double magnification, double degrees, Point displacement);

  Point operator()(Point p) const {
    const auto x = static_cast<double>(p.x);
    const auto y = static_cast<double>(p.y);
    return {std::llround(xx * x + xy * y + dx), std::llround(yx * x + yy * y + dy)};
  }
  /// The bounding box of the four mapped corners; empty stays empty.
  Box operator()(const Box& b) const;
  /// First `inner`, then this one.
  GeneralTransform operator*(const GeneralTransform& inner) const;
  /// REQUIRES: a determinant other than 0.
  GeneralTransform inverted() const;
};

}  // namespace yieldloop::geometry

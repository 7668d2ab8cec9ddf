/// \file
/// The corners of OASIS trapezoids, from the lower left corner of their boxes.
///
/// Source: SEMI P39 (OASIS), TRAPEZOID (records 23 to 25) and CTRAPEZOID (record 26).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "engine/geometry/point.h"

namespace yieldloop::ingest::oasis {

struct Corners {
  std::array<geometry::Point, 4> points;
  std::size_t count = 0;
};

/// Two parallel sides along x (or along y when vertical). `delta_a` is how far the upper left
/// corner stands right of the lower left one, `delta_b` the same of the right corners (vertical:
/// how far the lower left stands above the lower right, the upper left above the upper right).
/// Nothing when a delta exceeds what the box holds.
std::optional<Corners> trapezoid(bool vertical, geometry::Coord width, geometry::Coord height,
                                 geometry::Coord delta_a, geometry::Coord delta_b);

inline constexpr std::uint64_t kCTrapezoidTypes = 26;

/// Which of the two sizes a type uses.
bool ctrapezoid_uses_width(std::uint64_t type);
bool ctrapezoid_uses_height(std::uint64_t type);
/// REQUIRES: a type that does not use the height.
geometry::Coord ctrapezoid_height(std::uint64_t type, geometry::Coord width);

/// One of the 26 trapezoids and triangles whose slanted sides are at 45 degrees. Nothing for
/// another type or sizes that would make the sides cross.
std::optional<Corners> ctrapezoid(std::uint64_t type, geometry::Coord width,
                                  geometry::Coord height);

}  // namespace yieldloop::ingest::oasis

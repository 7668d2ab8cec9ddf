#include "ingest/readers/oasis/trapezoids.h"

#include <algorithm>
#include <initializer_list>

namespace yieldloop::ingest::oasis {

using geometry::Coord;
using geometry::Point;

namespace {

Corners corners(std::initializer_list<Point> points) {
  Corners c;
  for (const Point p : points) c.points[c.count++] = p;
  return c;
}

/// The sides of types 0 to 7 meet a height at 45 degrees, those of 8 to 15 a width: `across` is
/// the side along the parallels, `slope` what each slanted corner takes off it.
bool sizes_fit(std::uint64_t type, Coord width, Coord height) {
  if (width < 0 || height < 0) return false;
  if (type <= 3) return width >= height;
  if (type <= 5) return width >= 2 * height;
  if (type <= 7) return width >= height;
  if (type <= 11) return height >= width;
  if (type <= 13) return height >= 2 * width;
  if (type <= 15) return height >= width;
  return true;
}

}  // namespace

std::optional<Corners> trapezoid(bool vertical, Coord w, Coord h, Coord a, Coord b) {
  const Coord lower_a = std::max<Coord>(-a, 0), upper_a = std::max<Coord>(a, 0);
  const Coord lower_b = std::max<Coord>(b, 0), upper_b = std::max<Coord>(-b, 0);
  if (w < 0 || h < 0) return std::nullopt;
  if (!vertical) {
    if (lower_a + lower_b > w || upper_a + upper_b > w) return std::nullopt;
    return corners({{lower_a, 0}, {w - lower_b, 0}, {w - upper_b, h}, {upper_a, h}});
  }
  if (lower_a + lower_b > h || upper_a + upper_b > h) return std::nullopt;
  // a is SW above SE, b is NW above NE: the other way round than the slants of the other kind.
  return corners({{0, upper_a}, {w, lower_a}, {w, h - lower_b}, {0, h - upper_b}});
}

bool ctrapezoid_uses_width(std::uint64_t type) { return type != 20 && type != 21; }

bool ctrapezoid_uses_height(std::uint64_t type) {
  return type <= 15 || type == 20 || type == 21 || type == 24;
}

Coord ctrapezoid_height(std::uint64_t type, Coord width) {
  return type == 22 || type == 23 ? 2 * width : width;
}

std::optional<Corners> ctrapezoid(std::uint64_t type, Coord w, Coord h) {
  if (type >= kCTrapezoidTypes || !sizes_fit(type, w, h)) return std::nullopt;
  switch (type) {
    case 0: return corners({{0, 0}, {w, 0}, {w - h, h}, {0, h}});
    case 1: return corners({{0, 0}, {w - h, 0}, {w, h}, {0, h}});
    case 2: return corners({{0, 0}, {w, 0}, {w, h}, {h, h}});
    case 3: return corners({{h, 0}, {w, 0}, {w, h}, {0, h}});
    case 4: return corners({{0, 0}, {w, 0}, {w - h, h}, {h, h}});
    case 5: return corners({{h, 0}, {w - h, 0}, {w, h}, {0, h}});
    case 6: return corners({{0, 0}, {w - h, 0}, {w, h}, {h, h}});
    case 7: return corners({{h, 0}, {w, 0}, {w - h, h}, {0, h}});
    case 8: return corners({{0, 0}, {w, 0}, {w, h - w}, {0, h}});
    case 9: return corners({{0, 0}, {w, 0}, {w, h}, {0, h - w}});
    case 10: return corners({{0, 0}, {w, w}, {w, h}, {0, h}});
    case 11: return corners({{0, w}, {w, 0}, {w, h}, {0, h}});
    case 12: return corners({{0, 0}, {w, w}, {w, h - w}, {0, h}});
    case 13: return corners({{0, w}, {w, 0}, {w, h}, {0, h - w}});
    case 14: return corners({{0, 0}, {w, w}, {w, h}, {0, h - w}});
    case 15: return corners({{0, w}, {w, 0}, {w, h - w}, {0, h}});
    case 16: return corners({{0, 0}, {w, 0}, {0, w}});
    case 17: return corners({{0, 0}, {w, w}, {0, w}});
    case 18: return corners({{0, 0}, {w, 0}, {w, w}});
    case 19: return corners({{w, 0}, {w, w}, {0, w}});
    case 20: return corners({{0, 0}, {2 * h, 0}, {h, h}});
    case 21: return corners({{h, 0}, {2 * h, h}, {0, h}});
    case 22: return corners({{0, 0}, {w, w}, {0, 2 * w}});
    case 23: return corners({{w, 0}, {w, 2 * w}, {0, w}});
    case 24: return corners({{0, 0}, {w, 0}, {w, h}, {0, h}});
    default: return corners({{0, 0}, {w, 0}, {w, w}, {0, w}});
  }
}

}  // namespace yieldloop::ingest::oasis

#include "engine/geometry/path_outline.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace yieldloop::geometry {
namespace {

struct Vector {
  double x = 0.0;
  double y = 0.0;
};

/// Halves go up. The step is rounded, not the place it leads to, so that an outline does not
/// depend on where the path lies.
Point rounded(double x, double y) {
  return {static_cast<Coord>(std::floor(x + 0.5)), static_cast<Coord>(std::floor(y + 0.5))};
}

Point offset(Point p, Vector v, double by) { return p + rounded(v.x * by, v.y * by); }

Vector direction(Point a, Point b) {
  const auto dx = static_cast<double>(b.x - a.x);
  const auto dy = static_cast<double>(b.y - a.y);
  const double length = std::hypot(dx, dy);
  return {dx / length, dy / length};
}

Vector left_of(Vector d) { return {-d.y, d.x}; }

/// The left side of the line, walking from its first to its last point, without the ends.
void walk_left(const std::vector<Point>& line, double half, Polygon& out) {
  for (std::size_t i = 1; i + 1 < line.size(); ++i) {
    const Vector n = left_of(direction(line[i - 1], line[i]));
    const Vector m = left_of(direction(line[i], line[i + 1]));
    const double opening = 1.0 + n.x * m.x + n.y * m.y;
    if (opening < 0.4) {  // cos(127 degrees) + 1
      out.push_back(offset(line[i], n, half));
      out.push_back(offset(line[i], m, half));
    } else {
      out.push_back(offset(line[i], {(n.x + m.x) / opening, (n.y + m.y) / opening}, half));
    }
  }
}

/// The cap at the end of a line that arrives at p in direction d, left corner first.
void cap(Point p, Vector d, double half, double extension, bool round, Polygon& out) {
  const Vector n = left_of(d);
  if (!round) {
    const double x = d.x * extension;
    const double y = d.y * extension;
    out.push_back(p + rounded(x + n.x * half, y + n.y * half));
    out.push_back(p + rounded(x - n.x * half, y - n.y * half));
    return;
  }
  // Sixteen corners of the polygon of 32 around the circle, whose sides touch it where the path's
  // own sides end: the width and the reach are exact, the area is 0.3 % too large.
  constexpr int kCorners = 16;
  const double radius = half / std::cos(std::numbers::pi / (2 * kCorners));
  for (int i = 0; i < kCorners; ++i) {
    const double angle = std::numbers::pi * (i + 0.5) / kCorners;
    const double c = std::cos(angle);
    const double s = std::sin(angle);
    out.push_back(offset(p, {n.x * c + d.x * s, n.y * c + d.y * s}, radius));
  }
}

}  // namespace

Polygon path_outline(std::span<const Point> centre_line, double width, const PathEnds& ends) {
  std::vector<Point> line;
  for (const Point p : centre_line)
    if (line.empty() || line.back() != p) line.push_back(p);
  const double half = width / 2.0;
  if (line.empty() || half <= 0.0) return {};
  Polygon out;
  if (line.size() == 1) {
    if (!ends.round && ends.begin + ends.end <= 0.0) return {};
    cap(line[0], {1.0, 0.0}, half, ends.end, ends.round, out);
    cap(line[0], {-1.0, 0.0}, half, ends.begin, ends.round, out);
  } else {
    walk_left(line, half, out);
    cap(line.back(), direction(line[line.size() - 2], line.back()), half, ends.end, ends.round,
        out);
    std::reverse(line.begin(), line.end());
    walk_left(line, half, out);
    cap(line.back(), direction(line[line.size() - 2], line.back()), half, ends.begin, ends.round,
        out);
  }
  out.erase(std::unique(out.begin(), out.end()), out.end());
  while (out.size() > 1 && out.front() == out.back()) out.pop_back();
  return out;
}

}  // namespace yieldloop::geometry

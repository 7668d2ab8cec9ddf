#include "engine/geometry/union_sweep.h"

#include <set>

#include "catch_portable.h"
#include "engine/core/random.h"

using namespace yieldloop;
using namespace yieldloop::geometry;

namespace {

constexpr Coord kSide = 40;

/// Which unit squares of [0, kSide)^2 the boxes cover.
struct Raster {
  std::vector<char> filled = std::vector<char>(kSide * kSide, 0);

  explicit Raster(const std::vector<Box>& boxes) {
    for (const Box& b : boxes)
      for (Coord y = std::max<Coord>(b.y_min, 0); y < std::min(b.y_max, kSide); ++y)
        for (Coord x = std::max<Coord>(b.x_min, 0); x < std::min(b.x_max, kSide); ++x)
          filled[static_cast<std::size_t>(y * kSide + x)] = 1;
  }
  bool at(Coord x, Coord y) const {
    return x >= 0 && y >= 0 && x < kSide && y < kSide &&
           filled[static_cast<std::size_t>(y * kSide + x)] != 0;
  }
  double area() const { return static_cast<double>(std::count(filled.begin(), filled.end(), 1)); }
  /// Border inside the open window.
  double border() const {
    double sum = 0.0;
    for (Coord y = 0; y < kSide; ++y)
      for (Coord x = 0; x < kSide; ++x) {
        if (x > 0) sum += at(x, y) != at(x - 1, y) ? 1.0 : 0.0;
        if (y > 0) sum += at(x, y) != at(x, y - 1) ? 1.0 : 0.0;
      }
    return sum;
  }
  int corners(bool outer) const {
    int count = 0;
    for (Coord y = 1; y < kSide; ++y)
      for (Coord x = 1; x < kSide; ++x) {
        const int quarters = at(x, y) + at(x - 1, y) + at(x, y - 1) + at(x - 1, y - 1);
        const bool kiss = quarters == 2 && at(x, y) == at(x - 1, y - 1);
        if (outer) count += quarters == 1 ? 1 : kiss ? 2 : 0;
        if (!outer) count += quarters == 3 ? 1 : 0;
      }
    return count;
  }
};

std::vector<Box> random_boxes(Random& random) {
  std::vector<Box> boxes;
  const std::uint64_t count = 1 + random.below(25);
  for (std::uint64_t i = 0; i < count; ++i) {
    const Coord x = static_cast<Coord>(random.below(50)) - 8;
    const Coord y = static_cast<Coord>(random.below(50)) - 8;
    boxes.push_back(
        {x, y, x + static_cast<Coord>(random.below(14)), y + static_cast<Coord>(random.below(14))});
    if (random.chance(0.2)) boxes.push_back(boxes.back());
  }
  return boxes;
}

double length(const UnionOutline& outline) {
  double sum = 0.0;
  for (const UnionEdge& e : outline.vertical) sum += static_cast<double>(e.length());
  for (const UnionEdge& e : outline.horizontal) sum += static_cast<double>(e.length());
  return sum;
}

int ends(const std::vector<UnionEdge>& edges, Corner kind) {
  int count = 0;
  for (const UnionEdge& e : edges) count += (e.low_end == kind) + (e.high_end == kind);
  return count;
}

}  // namespace

TEST_CASE("union sweep: area, border and corners are those of a raster", "[geometry]") {
  Random random(3);
  const Box window{0, 0, kSide, kSide};
  for (int trial = 0; trial < 400; ++trial) {
    CAPTURE(trial);
    ShapeHeap heap;
    heap.boxes = random_boxes(random);
    const Raster raster(heap.boxes);
    CHECK(boxes_area(heap.boxes, window) == raster.area());
    const UnionOutline outline = union_outline(heap, window);
    CHECK(length(outline) == raster.border());
    for (const auto& edges : {outline.vertical, outline.horizontal}) {
      CHECK(ends(edges, Corner::kOuter) == raster.corners(true));
      CHECK(ends(edges, Corner::kInner) == raster.corners(false));
    }
    double area = 0.0;
    for (const Box& box : outline.boxes) area += box.area();
    CHECK(area == raster.area());
    CHECK(Raster(outline.boxes).filled == raster.filled);
  }
}

TEST_CASE("union sweep: edges say where the inside is, pieces which belong together",
          "[geometry]") {
  Random random(4);
  const Box window{-20, -20, 80, 80};
  for (int trial = 0; trial < 200; ++trial) {
    CAPTURE(trial);
    ShapeHeap heap;
    heap.boxes = random_boxes(random);
    const UnionOutline outline = union_outline(heap, window);
    const std::vector<MergedPolygon> pieces = merge(heap, window);
    CHECK(outline.pieces == pieces.size());
    // A merged polygon's edges are one piece's edges, all of them.
    std::multiset<std::tuple<bool, Coord, Coord, Coord, bool>> expected;
    for (const MergedPolygon& piece : pieces) {
      std::vector<Polygon> rings = piece.holes;
      rings.push_back(piece.outer);
      for (const Polygon& ring : rings)
        for (std::size_t i = 0; i < ring.size(); ++i) {
          const Point a = ring[i];
          const Point b = ring[(i + 1) % ring.size()];
          const bool upright = a.x == b.x;
          expected.insert({upright, upright ? a.x : a.y,
                           std::min(upright ? a.y : a.x, upright ? b.y : b.x),
                           std::max(upright ? a.y : a.x, upright ? b.y : b.x),
                           upright ? b.y < a.y : b.x > a.x});
        }
    }
    std::multiset<std::tuple<bool, Coord, Coord, Coord, bool>> found;
    for (const UnionEdge& e : outline.vertical)
      found.insert({true, e.at, e.low, e.high, e.inside_after});
    for (const UnionEdge& e : outline.horizontal)
      found.insert({false, e.at, e.low, e.high, e.inside_after});
    CHECK(found == expected);
  }
}

TEST_CASE("union sweep: order does not matter, oblique shapes come out alike", "[geometry]") {
  ShapeHeap heap;
  heap.boxes = {{0, 0, 10, 10}, {5, 5, 20, 12}, {10, 0, 15, 5}};
  ShapeHeap turned;
  turned.boxes = {heap.boxes[2], heap.boxes[0], heap.boxes[1]};
  const Box window{-5, -5, 30, 30};
  CHECK(union_outline(heap, window).vertical == union_outline(turned, window).vertical);
  CHECK(union_outline(ShapeHeap{}, window).pieces == 0);
  CHECK(boxes_area({}, window) == 0.0);
  ShapeHeap roof;
  roof.add(Polygon{{0, 0}, {20, 0}, {20, 10}, {10, 20}, {0, 10}});
  const UnionOutline outline = union_outline(roof, window);
  CHECK(outline.oblique.size() == 2);
  CHECK(outline.pieces == 1);
  CHECK(outline.horizontal.size() == 1);
  CHECK(ends(outline.horizontal, Corner::kOuter) == 2);
  CHECK(ends(outline.vertical, Corner::kOther) == 2);
}

#include "engine/geometry/region.h"

#include <cmath>
#include <set>

#include "catch_portable.h"
#include "engine/core/random.h"
#include "engine/geometry/packed_index.h"
#include "engine/geometry/path_outline.h"

using namespace yieldloop;
using namespace yieldloop::geometry;

namespace {

constexpr int kGrid = 40;

/// A grid of unit squares, painted box by box: the slow and certain way.
struct Pixels {
  bool on[kGrid][kGrid] = {};
  void paint(const Box& b) {
    for (Coord y = std::max<Coord>(b.y_min, 0); y < std::min<Coord>(b.y_max, kGrid); ++y)
      for (Coord x = std::max<Coord>(b.x_min, 0); x < std::min<Coord>(b.x_max, kGrid); ++x)
        on[y][x] = true;
  }
  bool at(Coord x, Coord y) const { return x >= 0 && y >= 0 && x < kGrid && y < kGrid && on[y][x]; }
  double area(const Box& w) const {
    double n = 0;
    for (Coord y = w.y_min; y < w.y_max; ++y)
      for (Coord x = w.x_min; x < w.x_max; ++x) n += at(x, y) ? 1 : 0;
    return n;
  }
  double perimeter(const Box& w) const {
    double n = 0;
    for (Coord y = w.y_min; y < w.y_max; ++y)
      for (Coord x = w.x_min + 1; x < w.x_max; ++x) n += at(x - 1, y) != at(x, y) ? 1 : 0;
    for (Coord y = w.y_min + 1; y < w.y_max; ++y)
      for (Coord x = w.x_min; x < w.x_max; ++x) n += at(x, y - 1) != at(x, y) ? 1 : 0;
    return n;
  }
};

Box random_box(Random& random, Coord largest) {
  const auto x = static_cast<Coord>(random.below(kGrid - 1));
  const auto y = static_cast<Coord>(random.below(kGrid - 1));
  return {x, y, x + 1 + static_cast<Coord>(random.below(static_cast<std::uint64_t>(largest))),
          y + 1 + static_cast<Coord>(random.below(static_cast<std::uint64_t>(largest)))};
}

}  // namespace

TEST_CASE("region: area and border of a union equal a pixel count", "[geometry][region]") {
  Random random(7);
  for (int trial = 0; trial < 200; ++trial) {
    CAPTURE(trial);
    ShapeHeap heap;
    Pixels pixels;
    const auto n = 1 + random.below(25);
    for (std::uint64_t i = 0; i < n; ++i) {
      const Box box = random_box(random, 12);
      heap.add(box);
      pixels.paint(box);
    }
    const Box window{5, 4, 33, 36};
    CHECK(union_area(heap, window) == pixels.area(window));
    CHECK(union_perimeter(heap, window) == Approx(pixels.perimeter(window)));
    double pieces = 0.0;
    double rects = 0.0;
    for (const MergedPolygon& piece : merge(heap, window)) {
      pieces += piece.area();
      for (const Rect& r : to_rects(piece, 1)) rects += (r.x_max - r.x_min) * (r.y_max - r.y_min);
    }
    CHECK(pieces == pixels.area(window));
    CHECK(rects == pixels.area(window));
    double cut = 0.0;
    for (const Polygon& p : merge_without_holes(heap, window)) cut += signed_area2(p) / 2.0;
    CHECK(cut == pixels.area(window));
  }
}

TEST_CASE("region: pieces are what is connected by an edge", "[geometry][region]") {
  Random random(11);
  for (int trial = 0; trial < 200; ++trial) {
    CAPTURE(trial);
    ShapeHeap heap;
    Pixels pixels;
    for (std::uint64_t i = 0; i < 20; ++i) {
      Box box = random_box(random, 6);
      box = box.intersection({0, 0, kGrid, kGrid});
      heap.add(box);
      pixels.paint(box);
    }
    // Flood fill over edges.
    int count = 0;
    bool seen[kGrid][kGrid] = {};
    for (Coord y = 0; y < kGrid; ++y) {
      for (Coord x = 0; x < kGrid; ++x) {
        if (!pixels.on[y][x] || seen[y][x]) continue;
        ++count;
        std::vector<Point> todo{{x, y}};
        seen[y][x] = true;
        while (!todo.empty()) {
          const Point p = todo.back();
          todo.pop_back();
          for (const Point d : {Point{1, 0}, Point{-1, 0}, Point{0, 1}, Point{0, -1}}) {
            const Point q = p + d;
            if (!pixels.at(q.x, q.y) || seen[q.y][q.x]) continue;
            seen[q.y][q.x] = true;
            todo.push_back(q);
          }
        }
      }
    }
    CHECK(merge(heap, {0, 0, kGrid, kGrid}).size() == static_cast<std::size_t>(count));
  }
}

TEST_CASE("region: Manhattan polygons become boxes of the same area", "[geometry][region]") {
  const Polygon u{{0, 0}, {30, 0}, {30, 20}, {20, 20}, {20, 10}, {10, 10}, {10, 20}, {0, 20}};
  std::vector<Box> boxes;
  append_boxes(u, boxes);
  double area = 0.0;
  for (const Box& b : boxes) area += b.area();
  CHECK(area == 500.0);
  CHECK(signed_area2(u) == 1000.0);
  Polygon clockwise(u.rbegin(), u.rend());
  std::vector<Box> same;
  append_boxes(clockwise, same);
  CHECK(same == boxes);
}

TEST_CASE("region: a ring keeps its hole", "[geometry][region]") {
  ShapeHeap heap;
  for (const Box& b : {Box{0, 0, 30, 5}, Box{0, 25, 30, 30}, Box{0, 0, 5, 30}, Box{25, 0, 30, 30}})
    heap.add(b);
  const auto pieces = merge(heap, {-10, -10, 50, 50});
  REQUIRE(pieces.size() == 1);
  REQUIRE(pieces[0].holes.size() == 1);
  CHECK(pieces[0].area() == 900.0 - 400.0);
  CHECK(pieces[0].contains({2, 2}));
  CHECK(pieces[0].contains({5, 10}));
  CHECK_FALSE(pieces[0].contains({15, 15}));
  CHECK(union_perimeter(heap, {-10, -10, 50, 50}) == 120.0 + 80.0);
}

TEST_CASE("region: oblique shapes", "[geometry][region]") {
  ShapeHeap heap;
  heap.add(Polygon{{0, 0}, {100, 0}, {0, 100}});  // half a square
  heap.add(Box{0, 0, 50, 50});                    // inside of it
  CHECK(union_area(heap, {-10, -10, 200, 200}) == 5000.0);
  CHECK(union_perimeter(heap, {-10, -10, 200, 200}) == Approx(200.0 + 100.0 * std::sqrt(2.0)));
  CHECK(union_area(heap, {0, 0, 50, 50}) == 2500.0);
  const auto pieces = merge(heap, {-10, -10, 200, 200});
  REQUIRE(pieces.size() == 1);
  double area = 0.0;
  for (const Rect& r : to_rects(pieces[0], 5)) area += (r.x_max - r.x_min) * (r.y_max - r.y_min);
  CHECK(area == Approx(5000.0));
}

TEST_CASE("rectangles: covered once and twice", "[geometry][rectangles]") {
  const std::vector<Rect> rects{{0, 0, 4, 4}, {2, 2, 6, 6}, {2, 2, 3, 3}, {9, 9, 9, 12}};
  const Coverage c = coverage(rects);
  CHECK(c.once == 28.0);
  CHECK(c.twice == 4.0);
  CHECK(coverage({}).once == 0.0);
  double sum = 0.0;
  const auto parts = disjoint(rects);
  for (const Rect& r : parts) sum += (r.x_max - r.x_min) * (r.y_max - r.y_min);
  CHECK(sum == 28.0);
  CHECK(coverage(parts).twice == 0.0);
}

TEST_CASE("packed index: finds what a scan finds", "[geometry][index]") {
  Random random(3);
  for (const std::size_t n : {0U, 1U, 31U, 32U, 33U, 257U, 5000U}) {
    std::vector<Box> boxes;
    for (std::size_t i = 0; i < n; ++i) {
      const auto x = static_cast<Coord>(random.below(10000));
      const auto y = static_cast<Coord>(random.below(10000));
      boxes.push_back({x, y, x + static_cast<Coord>(random.below(300)),
                       y + static_cast<Coord>(random.below(300))});
    }
    const auto order = packed_order(boxes);
    std::vector<Box> sorted;
    for (const auto i : order) sorted.push_back(boxes[i]);
    const PackedIndex index(sorted);
    for (int q = 0; q < 50; ++q) {
      const Box window = Box{0, 0, 400, 400}.moved(
          {static_cast<Coord>(random.below(10000)), static_cast<Coord>(random.below(10000))});
      std::multiset<Box> found;
      index.for_each_range(window, sorted.size(), [&](std::size_t first, std::size_t last) {
        for (std::size_t i = first; i < last; ++i)
          if (sorted[i].touches(window)) found.insert(sorted[i]);
      });
      std::multiset<Box> expected;
      for (const Box& b : boxes)
        if (b.touches(window)) expected.insert(b);
      CHECK(found == expected);
    }
  }
}

TEST_CASE("path outline: straight, bent and ended in every way", "[geometry][path]") {
  const std::vector<Point> line{{0, 0}, {100, 0}};
  const auto area = [](const Polygon& p) { return std::abs(signed_area2(p)) / 2.0; };
  CHECK(area(path_outline(line, 20, {})) == 2000.0);
  CHECK(area(path_outline(line, 20, {10, 10, false})) == 2400.0);
  CHECK(area(path_outline(line, 20, {-5, 30, false})) == 2500.0);
  const Polygon round = path_outline(line, 20, {0, 0, true});
  Box box;
  for (const Point p : round) box.include(p);
  CHECK(box == Box{-10, -10, 110, 10});
  CHECK(area(round) == Approx(2000.0 + 3.14159265 * 100.0).epsilon(0.03));
  const std::vector<Point> bent{{0, 0}, {100, 0}, {100, 50}};
  CHECK(area(path_outline(bent, 20, {})) == 20.0 * 150.0);
  CHECK(path_outline(line, 0, {}).empty());
  CHECK(path_outline(std::vector<Point>{{5, 5}}, 20, {}).empty());
  CHECK(area(path_outline(std::vector<Point>{{5, 5}}, 20, {10, 10, false})) == 400.0);
}

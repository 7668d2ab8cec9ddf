#include "engine/geometry/transform.h"

#include "catch_portable.h"
#include "engine/core/random.h"

using namespace yieldloop;
using namespace yieldloop::geometry;

TEST_CASE("transform: mirrors at the x axis before it turns", "[geometry][transform]") {
  const Point p{3, 1};
  CHECK(apply(Orientation::kR0, p) == Point{3, 1});
  CHECK(apply(Orientation::kR90, p) == Point{-1, 3});
  CHECK(apply(Orientation::kR180, p) == Point{-3, -1});
  CHECK(apply(Orientation::kR270, p) == Point{1, -3});
  CHECK(apply(Orientation::kM0, p) == Point{3, -1});
  CHECK(apply(Orientation::kM90, p) == Point{1, 3});
  CHECK(apply(Orientation::kM180, p) == Point{-3, 1});
  CHECK(apply(Orientation::kM270, p) == Point{-1, -3});
}

TEST_CASE("transform: composing and inverting agree with applying in turn",
          "[geometry][transform]") {
  const Point p{17, -5};
  for (int a = 0; a < 8; ++a) {
    for (int b = 0; b < 8; ++b) {
      const Transform outer{static_cast<Orientation>(a), {100, -7}};
      const Transform inner{static_cast<Orientation>(b), {-3, 11}};
      CAPTURE(a, b);
      CHECK((outer * inner)(p) == outer(inner(p)));
      CHECK(outer.inverted()(outer(p)) == p);
      const auto general = GeneralTransform::of(outer) * GeneralTransform::of(inner);
      CHECK(general(p) == outer(inner(p)));
      CHECK(general.inverted()(general(p)) == p);
    }
  }
}

TEST_CASE("transform: any angle and magnification", "[geometry][transform]") {
  const auto turned = GeneralTransform::of(false, 2.0, 45.0, {10, 20});
  CHECK(turned(Point{1000, 0}) == Point{10 + 1414, 20 + 1414});
  const auto mirrored = GeneralTransform::of(true, 1.0, 90.0, {0, 0});
  CHECK(mirrored(Point{3, 1}) == apply(Orientation::kM90, Point{3, 1}));
}

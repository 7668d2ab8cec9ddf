#include "engine/geometry/transform.h"

#include <numbers>

namespace yieldloop::geometry {

GeneralTransform GeneralTransform::of(const Transform& t) {
  const Point x = apply(t.orientation, {1, 0});
  const Point y = apply(t.orientation, {0, 1});
  return {static_cast<double>(x.x),
          static_cast<double>(y.x),
          static_cast<double>(x.y),
          static_cast<double>(y.y),
          static_cast<double>(t.displacement.x),
          static_cast<double>(t.displacement.y)};
}

GeneralTransform GeneralTransform::of(bool mirror, double magnification, double degrees,
                                      Point displacement) {
  const double angle = degrees * std::numbers::pi / 180.0;
  const double c = magnification * std::cos(angle);
  const double s = magnification * std::sin(angle);
  const double flip = mirror ? -1.0 : 1.0;
  return {c,
          -s * flip,
          s,
          c * flip,
          static_cast<double>(displacement.x),
          static_cast<double>(displacement.y)};
}

Box GeneralTransform::operator()(const Box& b) const {
  if (b.empty()) return b;
  Box result;
  for (const Point p : {Point{b.x_min, b.y_min}, Point{b.x_max, b.y_min}, Point{b.x_max, b.y_max},
                        Point{b.x_min, b.y_max}})
    result.include((*this)(p));
  return result;
}

GeneralTransform GeneralTransform::operator*(const GeneralTransform& inner) const {
  return {xx * inner.xx + xy * inner.yx,      xx * inner.xy + xy * inner.yy,
          yx * inner.xx + yy * inner.yx,      yx * inner.xy + yy * inner.yy,
          xx * inner.dx + xy * inner.dy + dx, yx * inner.dx + yy * inner.dy + dy};
}

GeneralTransform GeneralTransform::inverted() const {
  const double det = xx * yy - xy * yx;
  const GeneralTransform back{yy / det, -xy / det, -yx / det, xx / det, 0.0, 0.0};
  GeneralTransform result = back;
  result.dx = -(back.xx * dx + back.xy * dy);
  result.dy = -(back.yx * dx + back.yy * dy);
  return result;
}

}  // namespace yieldloop::geometry

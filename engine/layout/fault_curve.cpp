#include "engine/layout/fault_curve.h"

#include <algorithm>
#include <cmath>

#include "engine/geometry/point.h"

namespace yieldloop::layout {
namespace {

using geometry::CoordProduct;
using Moments = SizeDensity::Moments;

/// -ln(1 - u) - u - u^2 / 2 without cancellation: u^3/3 + u^4/4 + ...
double log_rest(double u) {
  if (u > 0.1) return -std::log1p(-u) - u - 0.5 * u * u;
  double sum = 0.0;
  double power = u * u * u;
  for (int k = 3; k < 24; ++k, power *= u) sum += power / k;
  return sum;
}

/// For c / x^3.
Moments cubic(double c, double a, double b) {
  const double d = b - a;
  return {c * d * (a + b) / (2.0 * a * a * b * b), c * d * d / (2.0 * a * b * b),
          c * log_rest(d / b)};
}

/// For c x.
Moments linear(double c, double a, double b) {
  const double d = b - a;
  return {c * d * (a + d / 2.0), c * d * d * (a / 2.0 + d / 3.0),
          c * d * d * d * (a / 3.0 + d / 4.0)};
}

/// Taken about `from`, wanted about a lower `to`.
Moments about(const Moments& m, double from, double to) {
  const double d = from - to;
  return {m.zeroth, m.first + d * m.zeroth, m.second + 2.0 * d * m.first + d * d * m.zeroth};
}

}  // namespace

Moments SizeDensity::moments(double a, double b) const {
  b = std::min(b, x_max);
  Moments sum;
  const auto add = [&](const Moments& m, double from) {
    const Moments moved = about(m, from, a);
    sum.zeroth += moved.zeroth;
    sum.first += moved.first;
    sum.second += moved.second;
  };
  if (law == SizeLaw::kPeaked && a < std::min(b, x0))
    add(linear(1.0 / (x0 * x0), a, std::min(b, x0)), a);
  const double low = std::max(a, x0);
  if (low < b) add(cubic((law == SizeLaw::kInverseCube ? 2.0 : 1.0) * x0 * x0, low, b), low);
  return sum;
}

double FaultCurve::area(double x) const {
  CoordProduct value = base_, slope = 0, bend = 0;
  std::int64_t at = 0;
  for (const FaultKnot& knot : knots_) {
    if (static_cast<double>(knot.x) >= x) break;
    const std::int64_t d = knot.x - at;
    value += slope * d + bend * d * d;
    slope += 2 * bend * d + knot.slope;
    bend += knot.bend;
    at = knot.x;
  }
  const double d = x - static_cast<double>(at);
  return (static_cast<double>(value) + static_cast<double>(slope) * d +
          static_cast<double>(bend) * d * d) /
         4.0;
}

double FaultCurve::integral(const SizeDensity& density) const {
  CoordProduct value = base_, slope = 0, bend = 0;
  double sum = 0.0;
  std::int64_t at = 0;
  const auto stretch = [&](double to) {
    const Moments m = density.moments(static_cast<double>(at), to);
    sum += static_cast<double>(value) * m.zeroth + static_cast<double>(slope) * m.first +
           static_cast<double>(bend) * m.second;
  };
  for (const FaultKnot& knot : knots_) {
    if (static_cast<double>(knot.x) >= density.x_max) break;
    const std::int64_t d = knot.x - at;
    if (d > 0 && (value != 0 || slope != 0 || bend != 0)) stretch(static_cast<double>(knot.x));
    value += slope * d + bend * d * d;
    slope += 2 * bend * d + knot.slope;
    bend += knot.bend;
    at = knot.x;
  }
  if (static_cast<double>(at) < density.x_max) stretch(density.x_max);
  return sum / 4.0;
}

double FaultCurve::onset() const {
  if (base_ > 0) return 0.0;
  return knots_.empty() ? -1.0 : static_cast<double>(knots_.front().x);
}

void FaultCurve::add(const FaultCurve& other, std::int64_t times) {
  base_ += times * other.base_;
  std::vector<FaultKnot> sum;
  sum.reserve(knots_.size() + other.knots_.size());
  auto mine = knots_.begin();
  for (const FaultKnot& knot : other.knots_) {
    while (mine != knots_.end() && mine->x < knot.x) sum.push_back(*mine++);
    FaultKnot both{knot.x, times * knot.slope, times * knot.bend};
    if (mine != knots_.end() && mine->x == knot.x) {
      both.slope += mine->slope;
      both.bend += mine->bend;
      ++mine;
    }
    if (both.slope != 0 || both.bend != 0) sum.push_back(both);
  }
  sum.insert(sum.end(), mine, knots_.end());
  knots_ = std::move(sum);
}

FaultCurve FaultCurveBuilder::take() {
  std::vector<FaultKnot> knots;
  for (std::int32_t x = low_; x <= high_; ++x) {
    Step& step = steps_[static_cast<std::size_t>(x)];
    if (step.slope != 0 || step.bend != 0) knots.push_back({x, step.slope, step.bend});
    step = {};
  }
  const std::int64_t base = base_;
  base_ = 0;
  low_ = INT32_MAX;
  high_ = -1;
  return {base, std::move(knots)};
}

}  // namespace yieldloop::layout

/// \file
/// A(x), the area where the centre of a square defect of side x makes a fault, for all x at once.
///
/// Every wall of the area moves by half of what the defect grows, so that for drawings of
/// axis-parallel edges A is a parabola between knots, and the knots are whole database units:
///
///   A(x) = base + sum over knots t < x of slope (x - t) + bend (x - t)^2
///
/// All three are whole numbers of quarter square database units: curves of tiles add up without
/// rounding, in any order. The critical area under a size law follows in closed form:
///
///   A_c = integral of A(x) f(x) dx over [0, x_max]
///
/// Known point: two wires of 1000 um, 0.1 um apart, without ends: A(x) = 1000 (x - 0.1) um^2, and
/// with x0 = 0.05 um, x_max = 100 um under the inverse cube A_c = 24.950025 um^2.
/// Units: database units unless a name says otherwise.
/// Source: C. H. Stapper, IBM J. Res. Dev. 27 (1983) 549 (size laws).
#pragma once

#include <cstdint>
#include <vector>

namespace yieldloop::layout {

/// inverse cube: f = 2 x0^2 / x^3 from x0 on, 0 below;
/// peaked:       f = x / x0^2 below x0, x0^2 / x^3 from x0 on.
enum class SizeLaw : std::uint8_t { kInverseCube, kPeaked };

/// A size law with its peak and its end, in any one unit of length.
struct SizeDensity {
  SizeLaw law = SizeLaw::kInverseCube;
  double x0 = 1.0;
  double x_max = 1.0;

  /// Integrals of f, (x - a) f and (x - a)^2 f over [a, b]; nothing counts above x_max.
  struct Moments {
    double zeroth = 0.0, first = 0.0, second = 0.0;
  };
  /// REQUIRES: 0 <= a <= b.
  Moments moments(double a, double b) const;
  /// Integrals of f, (x - t) f and (x - t)^2 f over [t, x_max].
  Moments tail(double t) const { return moments(t, x_max); }
};

struct FaultKnot {
  std::int64_t x = 0;
  std::int64_t slope = 0;
  std::int64_t bend = 0;
  friend bool operator==(const FaultKnot&, const FaultKnot&) = default;
};

class FaultCurve {
 public:
  FaultCurve() = default;
  /// `knots` ascend by x. Valid up to x_max, beyond which nothing was looked at.
  FaultCurve(std::int64_t base, std::vector<FaultKnot> knots)
      : base_(base), knots_(std::move(knots)) {}

  /// In square database units; exact for whole x.
  double area(double x) const;
  /// A_c in square database units. `density` is in database units.
  double integral(const SizeDensity& density) const;
  /// The smallest size that makes a fault; negative when none does.
  double onset() const;

  std::int64_t base() const { return base_; }
  const std::vector<FaultKnot>& knots() const { return knots_; }
  /// Adds `times` copies of another curve.
  void add(const FaultCurve& other, std::int64_t times = 1);
  bool empty() const { return base_ == 0 && knots_.empty(); }
  friend bool operator==(const FaultCurve&, const FaultCurve&) = default;

 private:
  std::int64_t base_ = 0;  ///< Covered by two nets as drawn.
  std::vector<FaultKnot> knots_;
};

/// Collects what the pieces of a tile add to its curve, for sizes from 0 to `limit`.
class FaultCurveBuilder {
 public:
  explicit FaultCurveBuilder(std::int32_t limit)
      : limit_(limit), steps_(static_cast<std::size_t>(limit)) {}

  std::int32_t limit() const { return limit_; }
  void add_base(std::int64_t area) { base_ += area; }
  /// REQUIRES: 0 <= x < limit.
  void add(std::int32_t x, std::int64_t slope, std::int64_t bend) {
    Step& step = steps_[static_cast<std::size_t>(x)];
    step.slope += slope;
    step.bend += bend;
    low_ = x < low_ ? x : low_;
    high_ = x > high_ ? x : high_;
  }
  /// What was collected; begins anew.
  FaultCurve take();

 private:
  struct Step {
    std::int64_t slope = 0;
    std::int64_t bend = 0;
  };
  std::int32_t limit_;
  std::int64_t base_ = 0;
  std::int32_t low_ = INT32_MAX;
  std::int32_t high_ = -1;
  std::vector<Step> steps_;
};

}  // namespace yieldloop::layout

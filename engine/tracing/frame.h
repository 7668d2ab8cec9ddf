/// \file
/// From a die to the layout and back.
///
///   die = R(orientation) * layout + origin,   layout = R^-1 * (die - origin)
///
/// Die coordinates are measured from the die's lower-left corner, notch down; layout
/// coordinates are those of the top cell. A frame is refused when the product does not say
/// where its layout lies or when die and layout disagree in size, because every rate that
/// follows would be wrong without a sign of it.
///
/// Units: um.
#pragma once

#include "engine/core/product.h"
#include "engine/core/result.h"
#include "engine/geometry/box.h"
#include "engine/geometry/transform.h"

namespace yieldloop::tracing {

struct PointUm {
  double x = 0.0;
  double y = 0.0;
  friend bool operator==(const PointUm&, const PointUm&) = default;
};

/// x_min <= x_max and y_min <= y_max, else without area.
struct RectUm {
  double x_min = 0.0, y_min = 0.0, x_max = 0.0, y_max = 0.0;
  bool contains(PointUm p) const {
    return p.x >= x_min && p.x <= x_max && p.y >= y_min && p.y <= y_max;
  }
  double area() const {
    return x_max > x_min && y_max > y_min ? (x_max - x_min) * (y_max - y_min) : 0.0;
  }
  friend bool operator==(const RectUm&, const RectUm&) = default;
};

/// A box of a layout in um, and back (rounded to database units).
RectUm to_um(const geometry::Box& box, double dbu_um);
geometry::Box to_dbu(const RectUm& rect, double dbu_um);

class Frame {
 public:
  /// `layout` is the top cell's bounding box.
  /// Errors: kNoData (FRAM-0001) when the product names no layout or no die size;
  /// kInvalidOptions (FRAM-0002) when the layout does not fit its die, (FRAM-0003) when it is so
  /// much smaller than the die that a unit mistake is likelier than a small block.
  static Result<Frame> make(const Product& product, const RectUm& layout);

  PointUm to_layout(PointUm die) const;
  PointUm to_die(PointUm layout) const;
  RectUm to_layout(const RectUm& die) const;
  RectUm to_die(const RectUm& layout) const;

  /// The part of the layout that lies on the die, in layout coordinates.
  const RectUm& window() const { return window_; }

 private:
  Frame() = default;
  geometry::Orientation orientation_ = geometry::Orientation::kR0;
  PointUm origin_;
  RectUm window_;
};

}  // namespace yieldloop::tracing

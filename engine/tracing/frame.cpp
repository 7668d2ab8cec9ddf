#include "engine/tracing/frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace yieldloop::tracing {
namespace {

PointUm turned(geometry::Orientation o, PointUm p) {
  if (geometry::mirrored(o)) p.y = -p.y;
  switch (geometry::quarter_turns(o)) {
    case 1: return {-p.y, p.x};
    case 2: return {-p.x, -p.y};
    case 3: return {p.y, -p.x};
    default: return p;
  }
}

RectUm around(PointUm a, PointUm b) {
  return {std::min(a.x, b.x), std::min(a.y, b.y), std::max(a.x, b.x), std::max(a.y, b.y)};
}

/// The product's orientation counts mirrored ones MX MX90 MY MY90, which is a mirror at the x axis
/// followed by 0 to 3 quarter turns: the same eight in the same order.
geometry::Orientation convert(Orientation o) {
  return static_cast<geometry::Orientation>(static_cast<std::uint8_t>(o));
}

}  // namespace

RectUm to_um(const geometry::Box& box, double dbu_um) {
  return {static_cast<double>(box.x_min) * dbu_um, static_cast<double>(box.y_min) * dbu_um,
          static_cast<double>(box.x_max) * dbu_um, static_cast<double>(box.y_max) * dbu_um};
}

geometry::Box to_dbu(const RectUm& rect, double dbu_um) {
  return {std::llround(rect.x_min / dbu_um), std::llround(rect.y_min / dbu_um),
          std::llround(rect.x_max / dbu_um), std::llround(rect.y_max / dbu_um)};
}

Result<Frame> Frame::make(const Product& product, const RectUm& layout) {
  if (product.layout_file.empty() || product.die_width_um <= 0.0 || product.die_height_um <= 0.0) {
    return Error{Errc::kNoData, "FRAM-0001",
                 fmt::format("Product {} has no layout or no die size; add [layout] and the die "
                             "size to its product.toml.",
                             product.name)};
  }
  Frame frame;
  frame.orientation_ = convert(product.orientation);
  frame.origin_ = {product.layout_origin_x_um, product.layout_origin_y_um};
  const RectUm on_die = frame.to_die(layout);
  const double w = product.die_width_um, h = product.die_height_um;
  const double slack_x = 1.0 + 0.01 * w, slack_y = 1.0 + 0.01 * h;
  if (on_die.x_min < -slack_x || on_die.y_min < -slack_y || on_die.x_max > w + slack_x ||
      on_die.y_max > h + slack_y) {
    return Error{
        Errc::kInvalidOptions, "FRAM-0002",
        fmt::format(
            "The layout covers ({:.1f}, {:.1f}) to ({:.1f}, {:.1f}) um of a die of {:.1f} x "
            "{:.1f} um; correct the die size, the origin, the orientation or the unit.",
            on_die.x_min, on_die.y_min, on_die.x_max, on_die.y_max, w, h)};
  }
  if (on_die.x_max - on_die.x_min < 0.01 * w && on_die.y_max - on_die.y_min < 0.01 * h) {
    return Error{
        Errc::kInvalidOptions, "FRAM-0003",
        fmt::format("The layout measures {:.3f} x {:.3f} um on a die of {:.1f} x {:.1f} um; "
                    "correct the unit of one of them.",
                    on_die.x_max - on_die.x_min, on_die.y_max - on_die.y_min, w, h)};
  }
  frame.window_ = frame.to_layout(RectUm{std::max(0.0, on_die.x_min), std::max(0.0, on_die.y_min),
                                         std::min(w, on_die.x_max), std::min(h, on_die.y_max)});
  return frame;
}

PointUm Frame::to_layout(PointUm die) const {
  return turned(geometry::inverse(orientation_), {die.x - origin_.x, die.y - origin_.y});
}

PointUm Frame::to_die(PointUm layout) const {
  const PointUm p = turned(orientation_, layout);
  return {p.x + origin_.x, p.y + origin_.y};
}

RectUm Frame::to_layout(const RectUm& die) const {
  return around(to_layout(PointUm{die.x_min, die.y_min}), to_layout(PointUm{die.x_max, die.y_max}));
}

RectUm Frame::to_die(const RectUm& layout) const {
  return around(to_die(PointUm{layout.x_min, layout.y_min}),
                to_die(PointUm{layout.x_max, layout.y_max}));
}

}  // namespace yieldloop::tracing

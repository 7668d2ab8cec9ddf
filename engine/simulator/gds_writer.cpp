#include "engine/simulator/gds_writer.h"

#include <cmath>
#include <span>

#include "engine/simulator/byte_writer.h"

namespace yieldloop::simulator {
namespace {

enum : std::uint16_t {
  kHeader = 0x0002,
  kBgnLib = 0x0102,
  kLibName = 0x0206,
  kUnits = 0x0305,
  kEndLib = 0x0400,
  kBgnStr = 0x0502,
  kStrName = 0x0606,
  kEndStr = 0x0700,
  kBoundary = 0x0800,
  kPath = 0x0900,
  kSref = 0x0a00,
  kAref = 0x0b00,
  kText = 0x0c00,
  kLayer = 0x0d02,
  kDatatype = 0x0e02,
  kWidth = 0x0f03,
  kXy = 0x1003,
  kEndEl = 0x1100,
  kSname = 0x1206,
  kColRow = 0x1302,
  kTextType = 0x1602,
  kString = 0x1906,
  kStrans = 0x1a01,
  kAngle = 0x1c05,
  kPathType = 0x2102,
};

/// Excess-64, base 16: value = mantissa / 2^56 * 16^(exponent - 64).
std::uint64_t real8(double value) {
  if (value == 0) return 0;
  const std::uint64_t sign = value < 0 ? 1 : 0;
  double fraction = std::abs(value);
  std::uint64_t exponent = 64;
  while (fraction >= 1.0) {
    fraction /= 16.0;
    ++exponent;
  }
  while (fraction < 1.0 / 16.0) {
    fraction *= 16.0;
    --exponent;
  }
  const auto mantissa = static_cast<std::uint64_t>(std::llround(std::ldexp(fraction, 56)));
  return sign << 63 | exponent << 56 | mantissa;
}

class Stream {
 public:
  void record(std::uint16_t kind) { head(kind, 0); }

  void shorts(std::uint16_t kind, std::span<const std::int16_t> values) {
    head(kind, values.size() * 2);
    for (const auto v : values) append_big_endian(bytes_, static_cast<std::uint16_t>(v));
  }

  void integer(std::uint16_t kind, std::int32_t value) {
    head(kind, 4);
    append_big_endian(bytes_, static_cast<std::uint32_t>(value));
  }

  void reals(std::uint16_t kind, std::span<const double> values) {
    head(kind, values.size() * 8);
    for (const double v : values) append_big_endian(bytes_, real8(v));
  }

  void text(std::uint16_t kind, const std::string& value) {
    head(kind, value.size() + value.size() % 2);
    bytes_ += value;
    if (value.size() % 2 != 0) bytes_.push_back('\0');
  }

  void points(std::span<const Point> points, bool close) {
    head(kXy, (points.size() + (close ? 1 : 0)) * 8);
    for (const Point p : points) point(p);
    if (close) point(points.front());
  }

  std::string take() { return std::move(bytes_); }

 private:
  void head(std::uint16_t kind, std::size_t payload) {
    append_big_endian(bytes_, static_cast<std::uint16_t>(payload + 4));
    append_big_endian(bytes_, kind);
  }
  void point(Point p) {
    append_big_endian(bytes_, static_cast<std::uint32_t>(p.x));
    append_big_endian(bytes_, static_cast<std::uint32_t>(p.y));
  }
  std::string bytes_;
};

/// Fixed, so that the same layout gives the same bytes: 2026-01-05 08:00:00, twice.
constexpr std::array<std::int16_t, 12> kDate{2026, 1, 5, 8, 0, 0, 2026, 1, 5, 8, 0, 0};

void put_layer(Stream& out, Layer layer, std::uint16_t type_record) {
  const LayerNumbers numbers = kLayerNumbers[static_cast<std::size_t>(layer)];
  out.shorts(kLayer, std::array{numbers.layer});
  out.shorts(type_record, std::array{numbers.datatype});
}

void put_boundary(Stream& out, Layer layer, std::span<const Point> points) {
  out.record(kBoundary);
  put_layer(out, layer, kDatatype);
  out.points(points, true);
  out.record(kEndEl);
}

void put_shapes(Stream& out, const LayoutCell& cell) {
  for (const Rect& rect : cell.rects) {
    const auto [low, high] = rect.box;
    put_boundary(out, rect.layer,
                 std::array<Point, 4>{low, {high.x, low.y}, high, {low.x, high.y}});
  }
  for (const Polygon& polygon : cell.polygons) put_boundary(out, polygon.layer, polygon.points);
  for (const Wire& wire : cell.wires) {
    out.record(kPath);
    put_layer(out, wire.layer, kDatatype);
    out.shorts(kPathType, std::array<std::int16_t, 1>{0});
    out.integer(kWidth, wire.width);
    out.points(std::array{wire.from, wire.to}, false);
    out.record(kEndEl);
  }
  for (const Label& label : cell.labels) {
    out.record(kText);
    put_layer(out, Layer::kOutline, kTextType);
    out.points(std::array{label.at}, false);
    out.text(kString, label.text);
    out.record(kEndEl);
  }
}

void put_placement(Stream& out, const Layout& layout, const CellPlacement& child) {
  const bool array = child.columns > 1 || child.rows > 1;
  const Placement& placement = child.placement;
  out.record(array ? kAref : kSref);
  out.text(kSname, layout.cells[child.cell].name);
  if (placement.mirrored || placement.quarters != 0) {
    out.shorts(kStrans, std::array{static_cast<std::int16_t>(placement.mirrored ? INT16_MIN : 0)});
    if (placement.quarters != 0) out.reals(kAngle, std::array{90.0 * placement.quarters});
  }
  if (array) {
    out.shorts(kColRow, std::array{child.columns, child.rows});
    const Point at = placement.at;
    out.points(std::array<Point, 3>{at,
                                    {at.x + child.columns * child.pitch.x, at.y},
                                    {at.x, at.y + child.rows * child.pitch.y}},
               false);
  } else {
    out.points(std::array{placement.at}, false);
  }
  out.record(kEndEl);
}

}  // namespace

std::string to_gdsii(const Layout& layout) {
  Stream out;
  out.shorts(kHeader, std::array<std::int16_t, 1>{600});
  out.shorts(kBgnLib, kDate);
  out.text(kLibName, layout.library);
  out.reals(kUnits, std::array{1e-3, 1e-9});
  for (const LayoutCell& cell : layout.cells) {
    out.shorts(kBgnStr, kDate);
    out.text(kStrName, cell.name);
    put_shapes(out, cell);
    for (const CellPlacement& child : cell.placements) put_placement(out, layout, child);
    out.record(kEndStr);
  }
  out.record(kEndLib);
  return out.take();
}

}  // namespace yieldloop::simulator

#include "ingest/readers/oasis/oasis_cursor.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace yieldloop::ingest::oasis {

using geometry::Coord;
using geometry::Point;

namespace {

Coord clamped(Coord value) { return std::clamp(value, -kFarthest, kFarthest); }
Point clamped(Point p) { return {clamped(p.x), clamped(p.y)}; }

}  // namespace

std::uint64_t OasisCursor::long_unsigned() {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    if (at_ == end_) return fail();
    const std::uint8_t b = *at_++;
    const std::uint64_t part = b & 0x7FU;
    if (part != 0) {
      if (shift > 63 || (shift == 63 && part > 1)) return fail();
      value |= part << shift;
    }
    if (b < 0x80) return value;
  }
}

double OasisCursor::real_of(std::uint64_t type) {
  switch (type) {
    case 0: return static_cast<double>(unsigned_int());
    case 1: return -static_cast<double>(unsigned_int());
    case 2: return 1.0 / static_cast<double>(unsigned_int());
    case 3: return -1.0 / static_cast<double>(unsigned_int());
    case 4:
    case 5: {
      const auto a = static_cast<double>(unsigned_int());
      const auto b = static_cast<double>(unsigned_int());
      return type == 4 ? a / b : -a / b;
    }
    case 6: {
      std::uint32_t bits = 0;
      for (unsigned i = 0; i < 4; ++i) bits |= std::uint32_t{byte()} << (8 * i);
      return static_cast<double>(std::bit_cast<float>(bits));
    }
    case 7: {
      std::uint64_t bits = 0;
      for (unsigned i = 0; i < 8; ++i) bits |= std::uint64_t{byte()} << (8 * i);
      return std::bit_cast<double>(bits);
    }
    default: return fail();
  }
}

Bytes OasisCursor::bytes(std::uint64_t count) {
  if (count > left()) {
    fail();
    return {};
  }
  const Bytes view(reinterpret_cast<const std::byte*>(at_), static_cast<std::size_t>(count));
  at_ += count;
  return view;
}

std::string_view OasisCursor::string() {
  const Bytes view = bytes(unsigned_int());
  return {reinterpret_cast<const char*>(view.data()), view.size()};
}

Point OasisCursor::two_delta() {
  const std::uint64_t value = unsigned_int();
  return eighth((value >> 2) << 3 | (value & 3));
}

Point OasisCursor::three_delta() { return eighth(unsigned_int()); }

void read_point_list(OasisCursor& cursor, bool polygon, std::vector<Point>& points) {
  points.clear();
  const std::uint64_t type = cursor.unsigned_int();
  const std::uint64_t count = cursor.unsigned_int();
  if (type > 5 || count > cursor.left()) return cursor.set_bad();  // a delta takes a byte or more
  points.reserve(static_cast<std::size_t>(count) + 2);
  Point at;
  Point step;
  points.push_back(at);
  bool horizontal = type == 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    switch (type) {
      case 0:
      case 1: {
        const Coord by = cursor.signed_int();
        step = horizontal ? Point{by, 0} : Point{0, by};
        horizontal = !horizontal;
        break;
      }
      case 2: step = cursor.two_delta(); break;
      case 3: step = cursor.three_delta(); break;
      case 4: step = cursor.g_delta(); break;
      default: step = clamped(step + cursor.g_delta()); break;
    }
    at = clamped(at + step);
    points.push_back(at);
  }
  // The last side runs the other way than the last step, and back to the first point.
  if (polygon && type <= 1) points.push_back(horizontal ? Point{0, at.y} : Point{at.x, 0});
}

}  // namespace yieldloop::ingest::oasis

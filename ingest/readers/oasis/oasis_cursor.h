/// \file
/// Decodes the basic types of an OASIS stream; knows nothing of records.
///
/// Nothing is copied. Reading past the end or a number past 64 bits makes the cursor `bad`, and
/// everything read from then on is 0: a caller checks once a record, not once a field.
/// Source: SEMI P39 (OASIS), section 7: unsigned-integer, signed-integer, real, string, deltas.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/geometry/point.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest::oasis {

/// Coordinates are held to this, which no layout reaches and sums of which do not overflow.
inline constexpr geometry::Coord kFarthest = geometry::Coord{1} << 60;

class OasisCursor {
 public:
  OasisCursor() = default;
  explicit OasisCursor(Bytes bytes)
      : begin_(reinterpret_cast<const std::uint8_t*>(bytes.data())),
        at_(begin_),
        end_(begin_ + bytes.size()) {}

  bool bad() const { return bad_; }
  bool at_end() const { return at_ == end_; }
  std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  std::uint8_t byte() {
    if (at_ == end_) return fail();
    return *at_++;
  }

  /// Seven bits a byte, least first; zero bytes that only lengthen the number are allowed, as
  /// KLayout pads with them.
  std::uint64_t unsigned_int() {
    if (end_ - at_ < 4) return long_unsigned();
    if (at_[0] < 0x80) return *at_++;
    std::uint64_t value = at_[0] & 0x7FU;
    if (at_[1] < 0x80) {
      value |= std::uint64_t{at_[1]} << 7;
      at_ += 2;
      return value;
    }
    value |= std::uint64_t{at_[1] & 0x7FU} << 7;
    if (at_[2] < 0x80) {
      value |= std::uint64_t{at_[2]} << 14;
      at_ += 3;
      return value;
    }
    if (at_[3] >= 0x80) return long_unsigned();
    value |= std::uint64_t{at_[2] & 0x7FU} << 14 | std::uint64_t{at_[3]} << 21;
    at_ += 4;
    return value;
  }
  /// The lowest bit is the sign. Held to kFarthest.
  geometry::Coord signed_int() { return with_sign(unsigned_int()); }
  double real() { return real_of(unsigned_int()); }
  /// A real whose type was read already. `type` above 7 is bad.
  double real_of(std::uint64_t type);
  std::string_view string();
  Bytes bytes(std::uint64_t count);

  /// A step along an axis of the low two bits: east, north, west, south.
  geometry::Point two_delta();
  /// The same with the four diagonals: low three bits.
  geometry::Point three_delta();
  /// Either a step in one of eight directions or two signed numbers.
  geometry::Point g_delta() {
    const std::uint64_t first = unsigned_int();
    if ((first & 1) == 0) return eighth(first >> 1);
    const geometry::Coord x = held(first >> 2);
    return {(first & 2) != 0 ? -x : x, signed_int()};
  }

  void set_bad() { fail(); }

 private:
  std::uint8_t fail() {
    bad_ = true;
    at_ = end_;
    return 0;
  }
  static geometry::Coord held(std::uint64_t magnitude) {
    return magnitude > static_cast<std::uint64_t>(kFarthest)
               ? kFarthest
               : static_cast<geometry::Coord>(magnitude);
  }
  static geometry::Coord with_sign(std::uint64_t value) {
    const geometry::Coord magnitude = held(value >> 1);
    return (value & 1) != 0 ? -magnitude : magnitude;
  }
  /// Low three bits: E N W S NE NW SW SE.
  static geometry::Point eighth(std::uint64_t value) {
    constexpr std::int8_t kX[] = {1, 0, -1, 0, 1, -1, -1, 1};
    constexpr std::int8_t kY[] = {0, 1, 0, -1, 1, 1, -1, -1};
    const geometry::Coord by = held(value >> 3);
    return {kX[value & 7] * by, kY[value & 7] * by};
  }
  std::uint64_t long_unsigned();

  const std::uint8_t* begin_ = nullptr;
  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  bool bad_ = false;
};

/// Appends a point list, from (0, 0) on, which is its first point.
///   0, 1  1-deltas, alternately along x and y, x first for 0; a polygon's last corner is implied
///   2, 3, 4  2-, 3-, g-deltas      5  g-deltas of the step, which adds up
void read_point_list(OasisCursor& cursor, bool polygon, std::vector<geometry::Point>& points);

}  // namespace yieldloop::ingest::oasis

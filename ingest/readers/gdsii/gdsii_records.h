/// \file
/// Walks the records of a GDSII stream; knows nothing of what they mean together.
///
///   record := LENGTH:u2 (header included)  TYPE:u1  DATATYPE:u1  data[LENGTH - 4]
///
/// Everything is big-endian. Nothing is copied: a `GdsiiRecord` is a view into the bytes.
/// Source: "GDSII Stream Format Manual", Calma Company, release 6.0.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engine/geometry/box.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest::gdsii {

enum class RecordType : std::uint8_t {
  kHeader = 0x00,
  kBgnLib = 0x01,
  kLibName = 0x02,
  kUnits = 0x03,
  kEndLib = 0x04,
  kBgnStr = 0x05,
  kStrName = 0x06,
  kEndStr = 0x07,
  kBoundary = 0x08,
  kPath = 0x09,
  kSref = 0x0A,
  kAref = 0x0B,
  kText = 0x0C,
  kLayer = 0x0D,
  kDatatype = 0x0E,
  kWidth = 0x0F,
  kXy = 0x10,
  kEndEl = 0x11,
  kSname = 0x12,
  kColRow = 0x13,
  kNode = 0x15,
  kTextType = 0x16,
  kPresentation = 0x17,
  kString = 0x19,
  kStrans = 0x1A,
  kMag = 0x1B,
  kAngle = 0x1C,
  kPathType = 0x21,
  kNodeType = 0x2A,
  kPropAttr = 0x2B,
  kPropValue = 0x2C,
  kBox = 0x2D,
  kBoxType = 0x2E,
  kBgnExtn = 0x30,
  kEndExtn = 0x31,
};

struct GdsiiRecord {
  RecordType type{};
  std::uint8_t datatype = 0;
  std::uint64_t byte_offset = 0;  ///< Of the header.
  Bytes data;

  std::size_t int16s() const { return data.size() / 2; }
  std::size_t int32s() const { return data.size() / 4; }
  /// Element i of an array of numbers. REQUIRES: it is there.
  std::int16_t int16(std::size_t i) const;
  std::int32_t int32(std::size_t i) const;
  /// Sign, excess-64 exponent of 16, 56-bit mantissa: (-1)^s * m/2^56 * 16^(e-64), exactly
  /// rounded to a double. 0x41 10 00... is 1.
  double real8(std::size_t i) const;
  /// Without the NUL bytes that pad it.
  std::string_view text() const;
};

enum class Walk : std::uint8_t {
  kRecord,
  kEnd,        ///< Nothing is left.
  kTruncated,  ///< The last record runs past the end of the bytes.
  kBadLength,  ///< A length below 4: zero padding or damage.
};

/// A BOUNDARY that is nothing but LAYER, DATATYPE, one XY and ENDEL.
struct PlainBoundary {
  std::uint64_t byte_offset = 0;
  int layer = 0;
  int datatype = 0;
  std::size_t count = 0;              ///< Points in XY.
  const std::byte* points = nullptr;  ///< Big-endian pairs.

  /// REQUIRES: i < count.
  geometry::Point32 point(std::size_t i) const { return {number(2 * i), number(2 * i + 1)}; }
  /// Five points, the last the first, sides along the axes.
  bool is_box() const;
  /// REQUIRES: is_box().
  geometry::Box box() const { return geometry::box_of(point(0), point(2)); }

 private:
  std::int32_t number(std::size_t i) const {
    std::uint32_t value = 0;
    std::memcpy(&value, points + 4 * i, sizeof value);
    return static_cast<std::int32_t>(
        std::endian::native == std::endian::little ? __builtin_bswap32(value) : value);
  }
};

class GdsiiCursor {
 public:
  explicit GdsiiCursor(Bytes bytes) : bytes_(bytes) {}
  Walk next(GdsiiRecord& record);
  /// Takes the next element when it is a plain boundary; otherwise takes nothing.
  bool next_plain_boundary(PlainBoundary& boundary);
  std::uint64_t position() const { return position_; }
  std::uint64_t left() const { return bytes_.size() - position_; }
  std::size_t ordinal() const { return ordinal_; }

 private:
  Bytes bytes_;
  std::size_t position_ = 0;
  std::size_t ordinal_ = 0;  ///< Of the record after the last one returned.
};

}  // namespace yieldloop::ingest::gdsii

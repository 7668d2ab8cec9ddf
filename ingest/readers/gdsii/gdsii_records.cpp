#include "ingest/readers/gdsii/gdsii_records.h"

#include <cmath>

namespace yieldloop::ingest::gdsii {
namespace {

std::uint32_t u1(Bytes bytes, std::size_t at) { return std::to_integer<std::uint32_t>(bytes[at]); }

std::uint32_t u4(Bytes bytes, std::size_t at) {
  return u1(bytes, at) << 24 | u1(bytes, at + 1) << 16 | u1(bytes, at + 2) << 8 | u1(bytes, at + 3);
}

}  // namespace

std::int16_t GdsiiRecord::int16(std::size_t i) const {
  return static_cast<std::int16_t>(u1(data, 2 * i) << 8 | u1(data, 2 * i + 1));
}

std::int32_t GdsiiRecord::int32(std::size_t i) const {
  return static_cast<std::int32_t>(u4(data, 4 * i));
}

double GdsiiRecord::real8(std::size_t i) const {
  const std::uint64_t bits = std::uint64_t{u4(data, 8 * i)} << 32 | u4(data, 8 * i + 4);
  const auto mantissa = static_cast<double>(bits & 0x00FFFFFFFFFFFFFFULL);
  const int exponent = static_cast<int>(bits >> 56 & 0x7F) - 64;
  const double value = std::ldexp(mantissa, 4 * exponent - 56);
  return bits >> 63 != 0 ? -value : value;
}

std::string_view GdsiiRecord::text() const {
  std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
  return text;
}

namespace {

/// Four bytes as they stand in the stream: a record's length, type and data type.
std::uint32_t four(const std::byte* at) {
  std::uint32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return std::endian::native == std::endian::little ? __builtin_bswap32(value) : value;
}

}  // namespace

bool PlainBoundary::is_box() const {
  if (count != 5) return false;
  const geometry::Point32 a = point(0), b = point(1), c = point(2), d = point(3);
  const bool vertical = a.x == b.x && b.y == c.y && c.x == d.x && d.y == a.y;
  const bool horizontal = a.y == b.y && b.x == c.x && c.y == d.y && d.x == a.x;
  return (vertical || horizontal) && point(4) == a;
}

bool GdsiiCursor::next_plain_boundary(PlainBoundary& boundary) {
  constexpr std::size_t kBeforePoints = 4 + 6 + 6 + 4;
  const std::uint64_t left = bytes_.size() - position_;
  if (left < kBeforePoints + 4) return false;
  const std::byte* at = bytes_.data() + position_;
  const std::uint32_t xy = four(at + 16);
  if (four(at) != 0x0004'0800 || four(at + 4) != 0x0006'0D02 || four(at + 10) != 0x0006'0E02 ||
      (xy & 0xFFFF) != 0x1003)
    return false;
  const std::size_t length = xy >> 16;
  if (length % 8 != 4 || length < 12 || left < 16 + length + 4 ||
      four(at + 16 + length) != 0x0004'1100)
    return false;
  boundary.byte_offset = position_;
  boundary.layer = static_cast<int>(four(at + 8) >> 16);
  boundary.datatype = static_cast<int>(four(at + 14) >> 16);
  boundary.count = (length - 4) / 8;
  boundary.points = at + kBeforePoints;
  position_ += 16 + length + 4;
  ordinal_ += 5;
  return true;
}

Walk GdsiiCursor::next(GdsiiRecord& record) {
  const std::size_t left = bytes_.size() - position_;
  if (left == 0) return Walk::kEnd;
  if (left < 4) return Walk::kTruncated;
  const std::size_t length = u1(bytes_, position_) << 8 | u1(bytes_, position_ + 1);
  if (length < 4) return Walk::kBadLength;
  if (length > left) return Walk::kTruncated;
  record.type = static_cast<RecordType>(u1(bytes_, position_ + 2));
  record.datatype = static_cast<std::uint8_t>(u1(bytes_, position_ + 3));
  record.byte_offset = position_;
  record.data = bytes_.subspan(position_ + 4, length - 4);
  position_ += length;
  ++ordinal_;
  return Walk::kRecord;
}

}  // namespace yieldloop::ingest::gdsii

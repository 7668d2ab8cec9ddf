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

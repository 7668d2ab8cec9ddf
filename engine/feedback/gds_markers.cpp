#include "engine/feedback/gds_markers.h"

#include <cmath>
#include <cstdint>
#include <limits>

namespace yieldloop::feedback {
namespace {

/// Appends GDSII records; every number is big-endian.
class Stream {
 public:
  void record(std::uint8_t type, std::uint8_t data, const std::vector<std::byte>& body) {
    put(static_cast<std::uint64_t>(body.size() + 4), 2);
    put(type, 1);
    put(data, 1);
    bytes_.insert(bytes_.end(), body.begin(), body.end());
  }
  void empty(std::uint8_t type) { record(type, 0, {}); }
  void int16(std::uint8_t type, std::int64_t value) { record(type, 2, big(value, 2)); }
  void text(std::uint8_t type, const std::string& value) {
    std::vector<std::byte> body;
    for (const char c : value) body.push_back(static_cast<std::byte>(c));
    if (body.size() % 2 != 0) body.push_back(std::byte{0});
    record(type, 6, body);
  }

  static std::vector<std::byte> big(std::int64_t value, int size) {
    std::vector<std::byte> out;
    for (int i = size - 1; i >= 0; --i) {
      out.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFFu));
    }
    return out;
  }

  std::vector<std::byte> take() && { return std::move(bytes_); }

 private:
  void put(std::uint64_t value, int size) {
    const auto body = big(static_cast<std::int64_t>(value), size);
    bytes_.insert(bytes_.end(), body.begin(), body.end());
  }
  std::vector<std::byte> bytes_;
};

/// value = mantissa * 16^(exponent - 64), mantissa in [1/16, 1) with 56 bits.
std::vector<std::byte> real8(double value) {
  int exponent = 64;
  double mantissa = value;
  while (mantissa >= 1.0) mantissa /= 16.0, ++exponent;
  while (mantissa > 0.0 && mantissa < 1.0 / 16.0) mantissa *= 16.0, --exponent;
  const auto bits = static_cast<std::uint64_t>(std::llround(std::ldexp(mantissa, 56)));
  return Stream::big(static_cast<std::int64_t>(static_cast<std::uint64_t>(exponent) << 56 | bits),
                     8);
}

void append(std::vector<std::byte>& body, const std::vector<std::byte>& more) {
  body.insert(body.end(), more.begin(), more.end());
}

/// BGNLIB and BGNSTR carry two dates of six numbers; both are 1970-01-01 00:00:00.
std::vector<std::byte> epoch_dates() {
  std::vector<std::byte> body;
  for (int date = 0; date < 2; ++date) {
    for (const int part : {1970, 1, 1, 0, 0, 0}) append(body, Stream::big(part, 2));
  }
  return body;
}

bool fits(double dbu) { return std::isfinite(dbu) && std::abs(dbu) < 2147483647.0; }

bool is_good(const MarkerRectangle& r, double dbu_um) {
  return r.gds_layer >= 0 && r.gds_layer <= 32767 && r.gds_datatype >= 0 &&
         r.gds_datatype <= 32767 && r.w_um > 0.0 && r.h_um > 0.0 && fits(r.x_um / dbu_um) &&
         fits(r.y_um / dbu_um) && fits((r.x_um + r.w_um) / dbu_um) &&
         fits((r.y_um + r.h_um) / dbu_um);
}

void boundary(Stream& stream, const MarkerRectangle& r, double dbu_um) {
  const std::int64_t x0 = std::llround(r.x_um / dbu_um),
                     x1 = std::llround((r.x_um + r.w_um) / dbu_um);
  const std::int64_t y0 = std::llround(r.y_um / dbu_um),
                     y1 = std::llround((r.y_um + r.h_um) / dbu_um);
  stream.empty(0x08);
  stream.int16(0x0D, r.gds_layer);
  stream.int16(0x0E, r.gds_datatype);
  std::vector<std::byte> body;
  for (const std::int64_t v : {x0, y0, x1, y0, x1, y1, x0, y1, x0, y0}) {
    append(body, Stream::big(v, 4));
  }
  stream.record(0x10, 3, body);
  stream.empty(0x11);
}

}  // namespace

Result<std::vector<std::byte>> gds_markers(const std::string& cell,
                                           std::span<const MarkerRectangle> rectangles,
                                           double dbu_um) {
  bool good = !cell.empty() && dbu_um > 0.0;
  for (const MarkerRectangle& r : rectangles) good = good && is_good(r, dbu_um);
  if (!good) {
    return Error{Errc::kInvalidOptions, "GDSM-0001",
                 "Markers need a cell name, layers from 0 to 32767, positive sizes and coordinates "
                 "that fit 32 bits; correct the marker list."};
  }
  Stream stream;
  stream.int16(0x00, 600);
  stream.record(0x01, 2, epoch_dates());
  stream.text(0x02, "YIELDLOOP");
  auto units = real8(dbu_um);
  append(units, real8(dbu_um * 1e-6));
  stream.record(0x03, 5, units);
  stream.record(0x05, 2, epoch_dates());
  stream.text(0x06, cell);
  for (const MarkerRectangle& r : rectangles) boundary(stream, r, dbu_um);
  stream.empty(0x07);
  stream.empty(0x04);
  return std::move(stream).take();
}

}  // namespace yieldloop::feedback

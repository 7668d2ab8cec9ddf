/// \file
/// OASIS streams put together byte by byte, for the tests.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "engine/layout/flat_view.h"
#include "ingest/readers/oasis/oasis_layout.h"

namespace yieldloop::ingest::oasis_bytes {

/// An unsigned integer as OASIS writes it.
inline std::string u(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7F) | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}
inline std::string s(std::int64_t value) {
  return u(static_cast<std::uint64_t>(value < 0 ? -value : value) << 1 | (value < 0 ? 1U : 0U));
}
inline std::string text(std::string_view value) { return u(value.size()) + std::string(value); }
/// An info byte.
inline std::string info(std::uint64_t bits) { return std::string(1, static_cast<char>(bits)); }
/// Several unsigned integers.
inline std::string us(std::initializer_list<std::uint64_t> values) {
  std::string out;
  for (const auto v : values) out += u(v);
  return out;
}
/// A g-delta of two parts.
inline std::string g(std::int64_t x, std::int64_t y) {
  return u(static_cast<std::uint64_t>(x < 0 ? -x : x) << 2 | (x < 0 ? 2U : 0U) | 1U) + s(y);
}

inline std::string start() {
  return "%SEMI-OASIS\r\n" + u(1) + text("1.0") + us({0, 1000}) + u(0) + std::string(12, '\0');
}
/// END of 256 bytes for a stream whose START holds the tables. Scheme 0; 1 and 2 as signed by the
/// caller.
inline std::string end() { return u(2) + text(std::string(252, '\0')) + u(0); }

/// A cell "top" with these records in a whole file.
inline std::string file_of(const std::string& records) {
  return start() + u(14) + text("top") + records + end();
}

struct Read {
  Rejects rejects;
  Result<oasis::OasisFile> file;
  explicit Read(const std::string& bytes)
      : file(oasis::read_oasis_file(std::as_bytes(std::span(bytes.data(), bytes.size())),
                                    rejects)) {}
  const layout::Layout& layout() const { return file->layout; }
  std::string reject() const { return rejects.empty() ? "" : rejects.kept().front().id; }
  /// Of the union on layer 1/0 of the largest top cell.
  double area() const {
    const auto view = layout::view_of(layout()).value();
    const auto layer = layout().find_layer({1, 0});
    return layer ? view.area(*layer, view.bbox()) : 0.0;
  }
  std::uint64_t elements() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t n : layout().shapes_expanded()) sum += n;
    return sum;
  }
  /// Lower left corners of what a query of everything on 1/0 finds, sorted.
  std::vector<layout::Point> corners() const {
    std::vector<layout::Point> all;
    const auto view = layout::view_of(layout()).value();
    for (const auto& shape : view.shapes_in(*layout().find_layer({1, 0}), view.bbox()))
      all.push_back({shape.box.x_min, shape.box.y_min});
    std::sort(all.begin(), all.end());
    return all;
  }
};

}  // namespace yieldloop::ingest::oasis_bytes

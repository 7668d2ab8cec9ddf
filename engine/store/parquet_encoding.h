/// \file
/// The byte-level pieces of a Parquet file: compact Thrift and the RLE/bit-packed hybrid.
/// Internal to the Parquet writer.
///
/// Source: Apache Thrift, "Compact protocol specification"; Apache Parquet format 2.9,
/// Encodings.md, sections on RLE/bit-packing hybrid and delta encoding.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace yieldloop::store::parquet {

/// A growing run of bytes.
class Buffer {
 public:
  void put(std::uint8_t byte) { bytes_.push_back(std::byte{byte}); }
  void put(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  void put(std::string_view text) { put(std::as_bytes(std::span(text.data(), text.size()))); }
  /// Little-endian, as Parquet stores every number.
  template <class T>
  void put_raw(T value) {
    static_assert(std::endian::native == std::endian::little, "Parquet numbers are little-endian");
    put(std::as_bytes(std::span(&value, 1)));
  }
  template <class T>
  void put_array(std::span<const T> values) {
    put(std::as_bytes(values));
  }
  /// ULEB128.
  void put_varint(std::uint64_t value) {
    while (value >= 0x80) {
      put(static_cast<std::uint8_t>(value | 0x80));
      value >>= 7;
    }
    put(static_cast<std::uint8_t>(value));
  }
  void put_zigzag(std::int64_t value) {
    put_varint(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
  }

  std::size_t size() const { return bytes_.size(); }
  std::span<const std::byte> view() const { return bytes_; }
  std::byte* grow(std::size_t count) {
    bytes_.resize(bytes_.size() + count);
    return bytes_.data() + (bytes_.size() - count);
  }
  void shrink_by(std::size_t count) { bytes_.resize(bytes_.size() - count); }
  void reserve(std::size_t count) { bytes_.reserve(count); }
  void clear() { bytes_.clear(); }

 private:
  std::vector<std::byte> bytes_;
};

/// Writes one Thrift struct after another; fields must come in rising order of their id.
class ThriftWriter {
 public:
  explicit ThriftWriter(Buffer& out) : out_(out) {}

  void field_i32(int id, std::int32_t value) { header(id, 5), out_.put_zigzag(value); }
  void field_i64(int id, std::int64_t value) { header(id, 6), out_.put_zigzag(value); }
  void field_bool(int id, bool value) { header(id, value ? 1 : 2); }
  void field_binary(int id, std::string_view value) { header(id, 8), binary(value); }
  void begin_struct(int id) { header(id, 12), push(); }
  void begin_list_of_structs(int id, std::size_t count) { header(id, 9), list(12, count); }
  void begin_list_of_i32(int id, std::size_t count) { header(id, 9), list(5, count); }
  void begin_list_of_binary(int id, std::size_t count) { header(id, 9), list(8, count); }
  void element_i32(std::int32_t value) { out_.put_zigzag(value); }
  void binary(std::string_view value) { out_.put_varint(value.size()), out_.put(value); }
  /// An element of a list of structs; closed by end_struct like a field.
  void begin_element() { push(); }
  void end_struct() {
    out_.put(0);
    last_ = outer_.back();
    outer_.pop_back();
  }
  /// Ends the outermost struct.
  void end() { out_.put(0); }

 private:
  void push() {
    outer_.push_back(last_);
    last_ = 0;
  }
  void header(int id, int type) {
    const int step = id - last_;
    if (step >= 1 && step <= 15) {
      out_.put(static_cast<std::uint8_t>(step << 4 | type));
    } else {
      out_.put(static_cast<std::uint8_t>(type));
      out_.put_zigzag(id);
    }
    last_ = id;
  }
  void list(int type, std::size_t count) {
    if (count < 15) {
      out_.put(static_cast<std::uint8_t>(count << 4 | static_cast<std::size_t>(type)));
    } else {
      out_.put(static_cast<std::uint8_t>(0xF0 | type));
      out_.put_varint(count);
    }
  }

  Buffer& out_;
  int last_ = 0;
  std::vector<int> outer_;
};

/// Appends `count` values of `width` bits each, least significant bit first; the last byte is
/// filled with zeros. REQUIRES: width in [1, 64], values fit.
template <class T>
void put_packed(Buffer& out, const T* values, std::size_t count, unsigned width) {
  const std::size_t bytes = (count * width + 7) / 8;
  auto* to = reinterpret_cast<std::uint8_t*>(out.grow(bytes + 8));
  std::uint64_t pending = 0;
  unsigned bits = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<std::uint64_t>(values[i]);
    pending |= value << bits;
    const unsigned filled = bits + width;
    if (filled >= 64) {
      std::memcpy(to, &pending, 8);
      to += 8;
      pending = bits == 0 ? 0 : value >> (64 - bits);
      bits = filled - 64;
    } else {
      bits = filled;
    }
  }
  std::memcpy(to, &pending, 8);
  out.shrink_by(8);
}

/// The RLE/bit-packing hybrid without length prefix. REQUIRES: width in [1, 32], values fit.
template <class T>
void put_hybrid(Buffer& out, std::span<const T> values, unsigned width) {
  const std::size_t n = values.size();
  const std::size_t value_bytes = (width + 7) / 8;
  std::size_t literals_from = 0;
  auto flush_literals = [&](std::size_t to) {
    if (to == literals_from) return;
    const std::size_t groups = (to - literals_from + 7) / 8;
    out.put_varint(groups << 1 | 1);
    const std::size_t before = out.size();
    put_packed(out, values.data() + literals_from, to - literals_from, width);
    for (std::size_t size = out.size() - before; size < groups * width; ++size) out.put(0);
  };
  std::size_t i = 0;
  while (i < n) {
    std::size_t end = i + 1;
    while (end < n && values[end] == values[i]) ++end;
    if (end - i < 8) {
      i = i + 8 < n ? i + 8 : n;
      continue;
    }
    flush_literals(i);
    out.put_varint((end - i) << 1);
    const auto value = static_cast<std::uint64_t>(values[i]);
    for (std::size_t b = 0; b < value_bytes; ++b) {
      out.put(static_cast<std::uint8_t>(value >> (8 * b)));
    }
    i = end;
    literals_from = end;
  }
  flush_literals(n);
}

/// DELTA_BINARY_PACKED, blocks of 128 values in 4 miniblocks; T is std::int32_t or std::int64_t.
/// Differences wrap in the width of T, as specified.
template <class T>
void put_delta(Buffer& out, std::span<const T> values);

/// Bits needed for values up to `largest`, at least 1.
inline unsigned bit_width(std::uint64_t largest) {
  return largest == 0 ? 1U : static_cast<unsigned>(std::bit_width(largest));
}

}  // namespace yieldloop::store::parquet

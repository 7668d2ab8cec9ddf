// Unpacks and decodes the pages of Parquet columns.

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "engine/core/time.h"
#include "ingest/readers/logs/parquet.h"

namespace yieldloop::ingest::parquet {
namespace {

std::uint8_t byte_at(Bytes bytes, std::size_t i) { return std::to_integer<std::uint8_t>(bytes[i]); }

template <class T>
T number_at(Bytes bytes, std::size_t at) {
  static_assert(std::endian::native == std::endian::little, "Parquet numbers are little-endian");
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// What Snappy and LZ4 have in common: bytes, and copies of bytes that were written before.
class Copier {
 public:
  explicit Copier(std::vector<std::byte>& out) : out_(out) {}
  bool literal(Bytes& in, std::size_t size) {
    if (size > in.size() || size > out_.size() - at_) return false;
    if (size > 0) std::memcpy(out_.data() + at_, in.data(), size);
    in = in.subspan(size);
    at_ += size;
    return true;
  }
  bool copy(std::size_t back, std::size_t size) {
    if (back == 0 || back > at_ || size > out_.size() - at_) return false;
    // Byte by byte: the copy may overlap itself.
    for (std::size_t i = 0; i < size; ++i) out_[at_ + i] = out_[at_ + i - back];
    at_ += size;
    return true;
  }
  bool full() const { return at_ == out_.size(); }

 private:
  std::vector<std::byte>& out_;
  std::size_t at_ = 0;
};

bool read_varint(Bytes& bytes, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const std::uint8_t byte = byte_at(bytes, 0);
    bytes = bytes.subspan(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

/// Source: Snappy compressed format description.
bool unpack_snappy(Bytes in, std::vector<std::byte>& out) {
  std::uint64_t size = 0;
  if (!read_varint(in, size) || size != out.size()) return false;
  Copier copier(out);
  while (!in.empty()) {
    const std::uint8_t tag = byte_at(in, 0);
    in = in.subspan(1);
    const unsigned kind = tag & 3U;
    const std::size_t extra = kind == 0   ? (tag >> 2 >= 60 ? (tag >> 2) - 59U : 0U)
                              : kind == 1 ? 1U
                              : kind == 2 ? 2U
                                          : 4U;
    if (extra > in.size()) return false;
    std::size_t number = 0;
    for (std::size_t i = 0; i < extra; ++i) {
      number |= static_cast<std::size_t>(byte_at(in, i)) << (8 * i);
    }
    in = in.subspan(extra);
    if (kind == 0) {
      const std::size_t length = (extra == 0 ? tag >> 2U : number) + 1;
      if (!copier.literal(in, length)) return false;
    } else if (kind == 1) {
      if (!copier.copy((tag >> 5U) << 8U | number, (tag >> 2U & 7U) + 4)) return false;
    } else if (!copier.copy(number, (tag >> 2U) + 1U)) {
      return false;
    }
  }
  return copier.full();
}

/// Source: LZ4 block format description.
bool unpack_lz4(Bytes in, std::vector<std::byte>& out) {
  Copier copier(out);
  const auto length = [&in](std::size_t nibble, std::size_t& size) {
    size = nibble;
    if (nibble != 15) return true;
    for (;;) {
      if (in.empty()) return false;
      const std::uint8_t more = byte_at(in, 0);
      in = in.subspan(1);
      size += more;
      if (more != 255) return true;
    }
  };
  while (!in.empty()) {
    const std::uint8_t token = byte_at(in, 0);
    in = in.subspan(1);
    std::size_t size = 0;
    if (!length(token >> 4U, size) || !copier.literal(in, size)) return false;
    if (in.empty()) break;
    if (in.size() < 2) return false;
    const std::size_t back = number_at<std::uint16_t>(in, 0);
    in = in.subspan(2);
    if (!length(token & 15U, size) || !copier.copy(back, size + 4)) return false;
  }
  return copier.full();
}

bool unpack_gzip(Bytes in, std::vector<std::byte>& out) {
  z_stream stream{};
  constexpr int kGzipOrZlib = 15 + 32;
  if (inflateInit2(&stream, kGzipOrZlib) != Z_OK) return false;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&stream, Z_FINISH);
  const bool whole = result == Z_STREAM_END && stream.avail_out == 0;
  inflateEnd(&stream);
  return whole;
}

bool unpack_zstd(Bytes in, std::vector<std::byte>& out) {
  const std::size_t got = ZSTD_decompress(out.data(), out.size(), in.data(), in.size());
  return ZSTD_isError(got) == 0 && got == out.size();
}

bool plain_texts(Bytes bytes, std::size_t count, Values& out) {
  for (std::size_t i = 0; i < count; ++i) {
    if (bytes.size() < 4) return false;
    const auto size = number_at<std::uint32_t>(bytes, 0);
    if (size > bytes.size() - 4) return false;
    out.texts.emplace_back(reinterpret_cast<const char*>(bytes.data() + 4), size);
    bytes = bytes.subspan(4 + size);
  }
  return true;
}

bool fixed_texts(Bytes bytes, std::size_t width, std::size_t count, Values& out) {
  if (width == 0 || bytes.size() / width < count) return false;
  for (std::size_t i = 0; i < count; ++i) {
    out.texts.emplace_back(reinterpret_cast<const char*>(bytes.data() + i * width), width);
  }
  return true;
}

std::size_t width_of(const Leaf& leaf) {
  switch (leaf.physical) {
    case Physical::kInt32:
    case Physical::kFloat: return 4;
    case Physical::kInt64:
    case Physical::kDouble: return 8;
    case Physical::kInt96: return 12;
    case Physical::kFixed: return leaf.width;
    default: return 0;
  }
}

void add_number(const Leaf& leaf, Bytes bytes, std::size_t at, Values& out) {
  switch (leaf.physical) {
    case Physical::kInt32:
      out.integers.push_back(leaf.meaning == Meaning::kUnsigned
                                 ? static_cast<std::int64_t>(number_at<std::uint32_t>(bytes, at))
                                 : number_at<std::int32_t>(bytes, at));
      break;
    case Physical::kInt64: out.integers.push_back(number_at<std::int64_t>(bytes, at)); break;
    case Physical::kFloat: out.reals.push_back(number_at<float>(bytes, at)); break;
    default: out.reals.push_back(number_at<double>(bytes, at));
  }
}

bool plain(const Leaf& leaf, Bytes bytes, std::size_t count, Values& out) {
  if (leaf.physical == Physical::kByteArray) return plain_texts(bytes, count, out);
  if (leaf.physical == Physical::kBoolean) {
    if (bytes.size() < (count + 7) / 8) return false;
    for (std::size_t i = 0; i < count; ++i) {
      out.integers.push_back(byte_at(bytes, i / 8) >> (i % 8) & 1);
    }
    return true;
  }
  const std::size_t width = width_of(leaf);
  if (leaf.physical == Physical::kFixed || leaf.physical == Physical::kInt96) {
    return fixed_texts(bytes, width, count, out);
  }
  if (bytes.size() / width < count) return false;
  for (std::size_t i = 0; i < count; ++i) add_number(leaf, bytes, i * width, out);
  return true;
}

/// The bytes of each value lie in as many streams as it has bytes.
bool split_streams(const Leaf& leaf, Bytes bytes, std::size_t count, Values& out) {
  const std::size_t width = width_of(leaf);
  if (width == 0 || bytes.size() / width < count) return false;
  std::vector<std::byte> whole(width * count);
  for (std::size_t b = 0; b < width; ++b) {
    for (std::size_t i = 0; i < count; ++i) whole[i * width + b] = bytes[b * count + i];
  }
  if (leaf.physical != Physical::kFixed && leaf.physical != Physical::kInt96) {
    for (std::size_t i = 0; i < count; ++i) add_number(leaf, whole, i * width, out);
    return true;
  }
  out.owned.emplace_back(reinterpret_cast<const char*>(whole.data()), whole.size());
  return fixed_texts(std::as_bytes(std::span(out.owned.back())), width, count, out);
}

bool length_texts(Bytes bytes, std::size_t count, Values& out) {
  std::vector<std::int64_t> lengths;
  if (!read_deltas(bytes, count, lengths) || lengths.size() != count) return false;
  for (const std::int64_t length : lengths) {
    if (length < 0 || static_cast<std::uint64_t>(length) > bytes.size()) return false;
    const auto size = static_cast<std::size_t>(length);
    out.texts.emplace_back(reinterpret_cast<const char*>(bytes.data()), size);
    bytes = bytes.subspan(size);
  }
  return true;
}

/// Each text begins as the one before it does.
bool prefix_texts(Bytes bytes, std::size_t count, Values& out) {
  std::vector<std::int64_t> prefixes;
  if (!read_deltas(bytes, count, prefixes) || prefixes.size() != count) return false;
  Values suffixes;
  if (!length_texts(bytes, count, suffixes)) return false;
  constexpr std::size_t kMost = std::size_t{1} << 28;
  std::size_t total = 0;
  std::string_view last;
  for (std::size_t i = 0; i < count; ++i) {
    if (prefixes[i] < 0 || static_cast<std::uint64_t>(prefixes[i]) > last.size()) return false;
    out.owned.emplace_back(last.substr(0, static_cast<std::size_t>(prefixes[i])));
    out.owned.back() += suffixes.texts[i];
    last = out.owned.back();
    total += last.size();
    if (total > kMost) return false;
    out.texts.push_back(last);
  }
  return true;
}

/// `digits` with a point before the last `scale` of them.
std::string decimal_text(std::string digits, int scale) {
  const bool minus = digits.starts_with('-');
  if (minus) digits.erase(0, 1);
  const auto places = static_cast<std::size_t>(scale);
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  if (scale > 0) digits.insert(digits.size() - places, 1, '.');
  return minus ? "-" + digits : digits;
}

/// A big-endian number of up to 16 bytes in decimal digits.
std::string wide_integer(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > 16) return {};
  __extension__ typedef __int128 Wide;
  __extension__ typedef unsigned __int128 UnsignedWide;
  UnsignedWide raw = (bytes[0] & 0x80) != 0 ? ~UnsignedWide{0} : UnsignedWide{0};
  for (const char c : bytes) raw = raw << 8U | static_cast<std::uint8_t>(c);
  const auto value = static_cast<Wide>(raw);
  UnsignedWide rest = value < 0 ? UnsignedWide{0} - raw : raw;
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
  } while (rest != 0);
  return value < 0 ? "-" + digits : digits;
}

std::string time_text(std::int64_t count, std::int64_t per_second, bool utc) {
  constexpr std::int64_t kMost = std::int64_t{90'000} * 365 * kMicrosPerDay / 10;  // Year 9000
  const std::int64_t factor = std::max<std::int64_t>(kMicrosPerSecond / per_second, 1);
  const std::int64_t micros =
      per_second > kMicrosPerSecond ? count / (per_second / kMicrosPerSecond) : count;
  if (micros > kMost / factor || micros < -kMost / factor) return {};
  std::string text = to_iso8601(UtcMicros{micros * factor});
  if (!utc && text.ends_with('Z')) text.pop_back();
  return text;
}

/// Nanoseconds of a day and a Julian day; an instant, as Spark and Impala write it.
std::string julian_text(std::string_view bytes) {
  if (bytes.size() != 12) return {};
  const Bytes raw = std::as_bytes(std::span(bytes.data(), bytes.size()));
  const auto nanos = number_at<std::int64_t>(raw, 0);
  const auto day = static_cast<std::int64_t>(number_at<std::uint32_t>(raw, 8));
  constexpr std::int64_t kUnixDay = 2'440'588;
  if (day > kUnixDay * 2 || nanos < 0 || nanos > kMicrosPerDay * 1000) return {};
  return to_iso8601(UtcMicros{(day - kUnixDay) * kMicrosPerDay + nanos / 1000});
}

}  // namespace

bool unpack(int codec, Bytes packed, std::vector<std::byte>& out, bool& known) {
  known = true;
  switch (codec) {
    case 0:
      if (packed.size() != out.size()) return false;
      out.assign(packed.begin(), packed.end());
      return true;
    case 1: return unpack_snappy(packed, out);
    case 2: return unpack_gzip(packed, out);
    case 6: return unpack_zstd(packed, out);
    case 7: return unpack_lz4(packed, out);
    default: known = false; return false;
  }
}

bool read_hybrid(Bytes bytes, int width, std::size_t count, std::vector<std::uint32_t>& out) {
  if (width < 0 || width > 32) return false;
  const std::size_t whole_bytes = (static_cast<std::size_t>(width) + 7) / 8;
  while (out.size() < count) {
    std::uint64_t header = 0;
    if (width == 0) {
      out.resize(count, 0);
      return true;
    }
    if (!read_varint(bytes, header)) return false;
    const std::size_t left = count - out.size();
    if ((header & 1) == 0) {
      if (bytes.size() < whole_bytes || header >> 1 == 0) return false;
      std::uint32_t value = 0;
      std::memcpy(&value, bytes.data(), whole_bytes);
      if (static_cast<std::uint64_t>(value) >> width != 0) return false;
      bytes = bytes.subspan(whole_bytes);
      out.insert(out.end(), std::min<std::size_t>(left, header >> 1), value);
      continue;
    }
    const std::uint64_t groups = header >> 1;
    if (groups == 0 || groups > bytes.size()) return false;
    const std::size_t size =
        std::min<std::size_t>(groups * static_cast<std::size_t>(width), bytes.size());
    std::uint64_t bits = 0;
    int have = 0;
    std::size_t at = 0;
    const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
    for (std::size_t i = 0; i < std::min<std::size_t>(left, groups * 8); ++i) {
      while (have < width) {
        if (at == size) return false;
        bits |= static_cast<std::uint64_t>(byte_at(bytes, at++)) << have;
        have += 8;
      }
      out.push_back(static_cast<std::uint32_t>(bits & mask));
      bits >>= width;
      have -= width;
    }
    bytes = bytes.subspan(size);
  }
  return true;
}

bool read_deltas(Bytes& bytes, std::size_t most, std::vector<std::int64_t>& out) {
  std::uint64_t block = 0, parts = 0, total = 0, raw = 0;
  if (!read_varint(bytes, block) || !read_varint(bytes, parts) || !read_varint(bytes, total) ||
      !read_varint(bytes, raw) || parts == 0 || block == 0 || block > (1U << 20U) ||
      block % parts != 0 || (block / parts) % 8 != 0 || total > most) {
    return false;
  }
  const auto zigzag = [](std::uint64_t value) { return value >> 1 ^ (0 - (value & 1)); };
  std::uint64_t value = zigzag(raw);
  if (total > 0) out.push_back(static_cast<std::int64_t>(value));
  const std::size_t part = block / parts;
  while (out.size() < total) {
    std::uint64_t least = 0;
    if (!read_varint(bytes, least) || bytes.size() < parts) return false;
    least = zigzag(least);
    const Bytes widths = bytes.first(parts);
    bytes = bytes.subspan(parts);
    for (std::size_t p = 0; p < parts && out.size() < total; ++p) {
      const unsigned width = byte_at(widths, p);
      const std::size_t size = part * width / 8;
      if (width > 64 || size > bytes.size()) return false;
      for (std::size_t i = 0; i < part && out.size() < total; ++i) {
        std::uint64_t delta = 0;
        for (unsigned b = 0; b < width; ++b) {
          const std::size_t bit = i * width + b;
          delta |= static_cast<std::uint64_t>(byte_at(bytes, bit / 8) >> (bit % 8) & 1) << b;
        }
        value += least + delta;
        out.push_back(static_cast<std::int64_t>(value));
      }
      bytes = bytes.subspan(size);
    }
  }
  return true;
}

bool read_values(const Leaf& leaf, int encoding, Bytes bytes, std::size_t count, Values& out,
                 bool& known) {
  known = true;
  const bool texts = leaf.physical == Physical::kByteArray;
  switch (encoding) {
    case 0: return plain(leaf, bytes, count, out);
    case 3: {  // RLE of booleans, behind its length
      if (leaf.physical != Physical::kBoolean || bytes.size() < 4) break;
      std::vector<std::uint32_t> bits;
      const auto size = number_at<std::uint32_t>(bytes, 0);
      if (size > bytes.size() - 4 || !read_hybrid(bytes.subspan(4, size), 1, count, bits)) {
        return false;
      }
      out.integers.assign(bits.begin(), bits.end());
      return true;
    }
    case 5: {
      if (leaf.physical != Physical::kInt32 && leaf.physical != Physical::kInt64) break;
      if (!read_deltas(bytes, count, out.integers) || out.integers.size() != count) return false;
      if (leaf.physical == Physical::kInt32) {
        for (std::int64_t& value : out.integers) value = static_cast<std::int32_t>(value);
      }
      return true;
    }
    case 6:
      if (!texts) break;
      return length_texts(bytes, count, out);
    case 7:
      if (!texts && leaf.physical != Physical::kFixed) break;
      return prefix_texts(bytes, count, out);
    case 9: return split_streams(leaf, bytes, count, out);
    default: break;
  }
  known = false;
  return false;
}

std::string_view text_of(const Leaf& leaf, const Values& values, std::size_t i,
                         std::string& buffer) {
  buffer.clear();
  switch (leaf.physical) {
    case Physical::kBoolean: return values.integers[i] != 0 ? "1" : "0";
    case Physical::kFloat:
    case Physical::kDouble: {
      const double value = values.reals[i];
      if (std::isnan(value)) return {};
      if (leaf.physical == Physical::kFloat) {
        fmt::format_to(std::back_inserter(buffer), "{}", static_cast<float>(value));
      } else {
        fmt::format_to(std::back_inserter(buffer), "{}", value);
      }
      return buffer;
    }
    case Physical::kInt96: buffer = julian_text(values.texts[i]); return buffer;
    case Physical::kByteArray:
    case Physical::kFixed:
      if (leaf.meaning != Meaning::kDecimal) return values.texts[i];
      buffer = decimal_text(wide_integer(values.texts[i]), leaf.scale);
      return buffer;
    default: break;
  }
  const std::int64_t value = values.integers[i];
  if (leaf.meaning == Meaning::kDate) {
    if (std::abs(value) > 1'000'000) return {};
    buffer = time_text(value * 86'400, 1, false);
  } else if (leaf.meaning == Meaning::kTimestamp) {
    buffer = time_text(value, leaf.per_second, leaf.utc);
  } else if (leaf.meaning == Meaning::kDecimal) {
    buffer = decimal_text(std::to_string(value), leaf.scale);
  } else if (leaf.meaning == Meaning::kUnsigned && leaf.physical == Physical::kInt64) {
    buffer = std::to_string(static_cast<std::uint64_t>(value));
  } else {
    fmt::format_to(std::back_inserter(buffer), "{}", value);
  }
  return buffer;
}

}  // namespace yieldloop::ingest::parquet

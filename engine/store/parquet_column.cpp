#include "engine/store/parquet_column.h"

#include <zstd.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>

#include "engine/core/text.h"

namespace yieldloop::store::parquet {
namespace {

constexpr std::size_t kPageRows = 131'072;
constexpr std::size_t kPageTextBytes = 4u << 20;
/// Wider value ranges are not looked at for a dictionary: the table of them would leave the cache.
constexpr std::uint64_t kDictionaryRange = 65'536;
constexpr std::size_t kDictionaryTextBytes = 4u << 20;
constexpr std::size_t kLongestStatistic = 256;

template <class T>
std::string raw(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

/// Compresses pages and appends them to a chunk.
class PageWriter {
 public:
  PageWriter(ColumnChunk& chunk, int level) : chunk_(chunk), level_(level) {}

  void put_dictionary(const Buffer& body, std::size_t values) {
    const auto packed = compress(body);
    Buffer header;
    ThriftWriter thrift(header);
    put_sizes(thrift, 2, body.size(), packed.size());
    thrift.begin_struct(7);
    thrift.field_i32(1, static_cast<std::int32_t>(values));
    thrift.field_i32(2, static_cast<std::int32_t>(Encoding::kPlain));
    thrift.end_struct();
    thrift.end();
    emit(header, body, packed);
    chunk_.dictionary_bytes = chunk_.pages.size();
  }

  void put_data(const Buffer& body, std::size_t rows, Encoding encoding) {
    const auto packed = compress(body);
    Buffer header;
    ThriftWriter thrift(header);
    put_sizes(thrift, 0, body.size(), packed.size());
    thrift.begin_struct(5);
    thrift.field_i32(1, static_cast<std::int32_t>(rows));
    thrift.field_i32(2, static_cast<std::int32_t>(encoding));
    thrift.field_i32(3, static_cast<std::int32_t>(Encoding::kRle));
    thrift.field_i32(4, static_cast<std::int32_t>(Encoding::kRle));
    thrift.end_struct();
    thrift.end();
    emit(header, body, packed);
  }

 private:
  std::span<const std::byte> compress(const Buffer& body) {
    if (!chunk_.compressed) return body.view();
    packed_.resize(ZSTD_compressBound(body.size()));
    const std::size_t size =
        ZSTD_compress(packed_.data(), packed_.size(), body.view().data(), body.size(), level_);
    assert(ZSTD_isError(size) == 0 && "the output is as large as ZSTD_compressBound asks");
    return std::span(packed_).first(size);
  }
  static void put_sizes(ThriftWriter& thrift, int type, std::size_t body, std::size_t packed) {
    thrift.field_i32(1, type);
    thrift.field_i32(2, static_cast<std::int32_t>(body));
    thrift.field_i32(3, static_cast<std::int32_t>(packed));
  }
  void emit(const Buffer& header, const Buffer& body, std::span<const std::byte> packed) {
    chunk_.pages.put(header.view());
    chunk_.pages.put(packed);
    chunk_.uncompressed_bytes += header.size() + body.size();
  }

  ColumnChunk& chunk_;
  int level_;
  std::vector<std::byte> packed_;
};

/// Whether compressing values would save something worth its time: asked of a few pieces of them.
bool pays_to_compress(std::span<const std::byte> values, int level) {
  constexpr std::size_t kPiece = 8192;
  constexpr std::size_t kPieces = 4;
  if (values.size() < 2 * kPieces * kPiece) return true;
  std::vector<std::byte> sample(kPieces * kPiece);
  for (std::size_t i = 0; i < kPieces; ++i) {
    const auto piece = values.subspan(i * (values.size() / kPieces), kPiece);
    std::copy(piece.begin(), piece.end(), sample.begin() + static_cast<std::ptrdiff_t>(i * kPiece));
  }
  std::vector<std::byte> packed(ZSTD_compressBound(sample.size()));
  const std::size_t size =
      ZSTD_compress(packed.data(), packed.size(), sample.data(), sample.size(), level);
  return size < sample.size() - sample.size() / 8;
}

/// The rows of one page and which of them are null.
struct Rows {
  std::size_t from = 0;
  std::size_t count = 0;
  const std::uint8_t* valid = nullptr;  ///< Of row `from`; nullptr when no row is null.

  bool is_valid(std::size_t i) const { return valid == nullptr || valid[i] != 0; }
  Rows page(std::size_t at, std::size_t size) const {
    return {from + at, std::min(size, count - at), valid == nullptr ? nullptr : valid + at};
  }
};

void put_definition_levels(Buffer& out, const Rows& rows) {
  Buffer levels;
  const bool is_same = rows.valid == nullptr || rows.count == 0 ||
                       std::memchr(rows.valid, rows.valid[0] ^ 1, rows.count) == nullptr;
  if (is_same) {
    levels.put_varint(static_cast<std::uint64_t>(rows.count) << 1);
    levels.put(rows.valid == nullptr || rows.count == 0 ? 1 : rows.valid[0]);
  } else {
    put_hybrid(levels, std::span(rows.valid, rows.count), 1);
  }
  out.put_raw(static_cast<std::uint32_t>(levels.size()));
  out.put(levels.view());
}

/// `values[i]` of the rows that are not null; without a copy when none is.
template <class T>
std::span<const T> present(const std::vector<T>& values, const Rows& rows, std::vector<T>& room) {
  const std::span all(values.data() + rows.from, rows.count);
  if (rows.valid == nullptr) return all;
  room.resize(rows.count);
  std::size_t n = 0;
  for (std::size_t i = 0; i < rows.count; ++i) {
    room[n] = all[i];
    n += rows.valid[i];
  }
  return std::span<const T>(room).first(n);
}

template <class Put>
void put_pages(PageWriter& pages, const Rows& rows, Encoding encoding, Put put) {
  Buffer body;
  // A chunk without rows still has one (empty) page.
  for (std::size_t at = 0; at < rows.count || at == 0; at += kPageRows) {
    const Rows page = rows.page(at, kPageRows);
    body.clear();
    put_definition_levels(body, page);
    put(body, page);
    pages.put_data(body, page.count, encoding);
  }
}

/// Pages of a dictionary of one value: nothing of the rows has to be looked at.
void put_single_value_pages(PageWriter& pages, const Rows& rows) {
  put_pages(pages, rows, Encoding::kRleDictionary, [&](Buffer& body, const Rows& page) {
    std::size_t here = page.count;
    if (page.valid != nullptr) {
      here = static_cast<std::size_t>(std::count(page.valid, page.valid + page.count, 1));
    }
    body.put(1);  // Bit width.
    if (here == 0) return;
    body.put_varint(here << 1);
    body.put(0);
  });
}

/// Pages of dictionary positions; `codes[i]` belongs to the i-th row that is not null.
void put_dictionary_pages(PageWriter& pages, const Rows& rows, std::span<const std::uint32_t> codes,
                          std::size_t dictionary_size) {
  const unsigned width = bit_width(dictionary_size == 0 ? 0 : dictionary_size - 1);
  std::size_t next = 0;
  put_pages(pages, rows, Encoding::kRleDictionary, [&](Buffer& body, const Rows& page) {
    std::size_t here = page.count;
    if (page.valid != nullptr) {
      here = static_cast<std::size_t>(std::count(page.valid, page.valid + page.count, 1));
    }
    body.put(static_cast<std::uint8_t>(width));
    put_hybrid(body, codes.subspan(next, here), width);
    next += here;
  });
}

void encode_bools(const Column& column, const Rows& rows, PageWriter& pages, ColumnChunk& chunk) {
  std::vector<std::uint8_t> room;
  put_pages(pages, rows, Encoding::kPlain, [&](Buffer& body, const Rows& page) {
    const auto values = present(column.bools(), page, room);
    put_packed(body, values.data(), values.size(), 1);
  });
  const auto values = present(column.bools(), rows, room);
  if (values.empty()) return;
  chunk.smallest = raw(std::ranges::min(values));
  chunk.largest = raw(std::ranges::max(values));
}

/// Positions in order of first appearance, for values in a small range.
template <class T>
struct SmallDictionary {
  std::vector<T> values;
  std::vector<std::uint32_t> codes;

  SmallDictionary(std::span<const T> from, T smallest, std::uint64_t range) {
    std::vector<std::uint32_t> position(range + 1, UINT32_MAX);
    codes.resize(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) {
      auto& p =
          position[static_cast<std::uint64_t>(from[i]) - static_cast<std::uint64_t>(smallest)];
      if (p == UINT32_MAX) {
        p = static_cast<std::uint32_t>(values.size());
        values.push_back(from[i]);
      }
      codes[i] = p;
    }
  }
};

/// Whether steps between neighbours are short enough for delta coding to pay.
template <class T>
bool moves_in_small_steps(std::span<const T> values) {
  constexpr std::size_t kSample = 4096;
  std::uint64_t bits = 0;
  const std::size_t n = std::min(values.size(), kSample);
  for (std::size_t i = 1; i < n; ++i) {
    const auto step = static_cast<std::int64_t>(static_cast<std::uint64_t>(values[i]) -
                                                static_cast<std::uint64_t>(values[i - 1]));
    bits +=
        static_cast<std::uint64_t>(std::bit_width(static_cast<std::uint64_t>(std::abs(step | 1))));
  }
  return n > 1 && bits / (n - 1) < sizeof(T) * 3;
}

template <class T>
void encode_integers(const std::vector<T>& column, const Rows& rows, PageWriter& pages,
                     ColumnChunk& chunk) {
  std::vector<T> room;
  const auto values = present(column, rows, room);
  const auto [low, high] = values.empty() ? std::pair<T, T>{} : [&] {
    T least = values[0];
    T most = values[0];
    for (const T v : values) {
      least = std::min(least, v);
      most = std::max(most, v);
    }
    return std::pair(least, most);
  }();
  if (!values.empty()) {
    chunk.smallest = raw(low);
    chunk.largest = raw(high);
  }
  const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  if (range == 0 && values.size() >= 2) {
    chunk.encoding = Encoding::kRleDictionary;
    Buffer body;
    body.put_raw(low);
    pages.put_dictionary(body, 1);
    return put_single_value_pages(pages, rows);
  }
  const bool rising_slowly = range > 256 && moves_in_small_steps(values);
  if (!rising_slowly && range < kDictionaryRange && range < values.size() * 8) {
    const SmallDictionary<T> dictionary(values, low, range);
    if (dictionary.values.size() * 2 <= values.size()) {
      chunk.encoding = Encoding::kRleDictionary;
      Buffer body;
      body.put_array(std::span<const T>(dictionary.values));
      pages.put_dictionary(body, dictionary.values.size());
      return put_dictionary_pages(pages, rows, dictionary.codes, dictionary.values.size());
    }
  }
  chunk.encoding = rising_slowly ? Encoding::kDelta : Encoding::kPlain;
  std::vector<T> page_room;
  put_pages(pages, rows, chunk.encoding, [&](Buffer& body, const Rows& page) {
    const auto here = present(column, page, page_room);
    if (chunk.encoding == Encoding::kPlain) return body.put_array(here);
    put_delta(body, here);
  });
}

template <class T>
void encode_reals(const std::vector<T>& column, const Rows& rows, PageWriter& pages,
                  ColumnChunk& chunk, int level) {
  std::vector<T> room;
  chunk.compressed =
      pays_to_compress(std::as_bytes(std::span(column.data() + rows.from, rows.count)), level);
  put_pages(pages, rows, Encoding::kPlain,
            [&](Buffer& body, const Rows& page) { body.put_array(present(column, page, room)); });
  const auto values = present(column, rows, room);
  T least = std::numeric_limits<T>::infinity();
  T most = -std::numeric_limits<T>::infinity();
  bool ordered = !values.empty();
  for (const T v : values) {
    ordered = ordered && v == v;
    least = v < least ? v : least;
    most = v > most ? v : most;
  }
  if (!ordered) return;
  // Zero has two signs that compare equal: the bounds take the one that cannot exclude the other.
  chunk.smallest = raw(least == T{0} ? -T{0} : least);
  chunk.largest = raw(most == T{0} ? T{0} : most);
}

/// The texts that occur in the rows, as valid UTF-8, in order of first appearance.
struct TextDictionary {
  std::vector<std::string> values;
  std::vector<std::uint32_t> codes;  ///< Of the rows that are not null.
  std::size_t bytes = 0;             ///< Of `values`, coded.

  TextDictionary(const TextColumn& column, const Rows& rows) {
    const auto all = column.codes();
    std::vector<std::uint32_t> position(column.values().size(), UINT32_MAX);
    codes.reserve(rows.count);
    for (std::size_t i = 0; i < rows.count; ++i) {
      if (!rows.is_valid(i)) continue;
      const std::uint32_t code = all[rows.from + i];
      if (i > 0 && code == all[rows.from + i - 1] && !codes.empty() && rows.is_valid(i - 1)) {
        codes.push_back(codes.back());
        continue;
      }
      if (position[code] == UINT32_MAX) {
        position[code] = static_cast<std::uint32_t>(values.size());
        values.push_back(to_valid_utf8(column.values()[code]));
        bytes += values.back().size() + 4;
      }
      codes.push_back(position[code]);
    }
  }
};

void put_text(Buffer& out, const std::string& text) {
  out.put_raw(static_cast<std::uint32_t>(text.size()));
  out.put(std::string_view(text));
}

/// Pages of whole texts, cut by bytes: one text may be megabytes long.
void put_plain_texts(PageWriter& pages, const Rows& rows, const TextDictionary& dictionary) {
  Buffer body;
  std::size_t next = 0;
  for (std::size_t at = 0; at < rows.count;) {
    Buffer texts;
    std::size_t end = at;
    while (end < rows.count && texts.size() < kPageTextBytes) {
      if (rows.is_valid(end++)) put_text(texts, dictionary.values[dictionary.codes[next++]]);
    }
    body.clear();
    put_definition_levels(body, rows.page(at, end - at));
    body.put(texts.view());
    pages.put_data(body, end - at, Encoding::kPlain);
    at = end;
  }
}

void encode_texts(const TextColumn& column, const Rows& rows, PageWriter& pages,
                  ColumnChunk& chunk) {
  const TextDictionary dictionary(column, rows);
  if (!dictionary.values.empty()) {
    const auto [low, high] = std::ranges::minmax(dictionary.values);
    if (low.size() <= kLongestStatistic && high.size() <= kLongestStatistic) {
      chunk.smallest = low;
      chunk.largest = high;
    }
  }
  const bool pays = dictionary.values.size() * 2 <= dictionary.codes.size() + 1 &&
                    dictionary.bytes <= kDictionaryTextBytes;
  if (!pays && rows.count > 0) return put_plain_texts(pages, rows, dictionary);
  chunk.encoding = Encoding::kRleDictionary;
  Buffer body;
  for (const std::string& value : dictionary.values) put_text(body, value);
  pages.put_dictionary(body, dictionary.values.size());
  put_dictionary_pages(pages, rows, dictionary.codes, dictionary.values.size());
}

}  // namespace

ColumnChunk encode_chunk(const Column& column, std::size_t from, std::size_t rows, int zstd_level) {
  ColumnChunk chunk;
  chunk.rows = rows;
  Rows range{from, rows, nullptr};
  if (column.has_nulls()) {
    const std::uint8_t* valid = column.validity().data() + from;
    chunk.nulls = static_cast<std::uint64_t>(std::count(valid, valid + rows, 0));
    if (chunk.nulls > 0) range.valid = valid;
  }
  PageWriter pages(chunk, zstd_level);
  switch (column.type()) {
    case ColumnType::kBool: encode_bools(column, range, pages, chunk); break;
    case ColumnType::kInt32: encode_integers(column.int32s(), range, pages, chunk); break;
    case ColumnType::kInt64:
    case ColumnType::kTime: encode_integers(column.int64s(), range, pages, chunk); break;
    case ColumnType::kFloat32:
      encode_reals(column.float32s(), range, pages, chunk, zstd_level);
      break;
    case ColumnType::kFloat64:
      encode_reals(column.float64s(), range, pages, chunk, zstd_level);
      break;
    case ColumnType::kText: encode_texts(column.texts(), range, pages, chunk); break;
  }
  return chunk;
}

}  // namespace yieldloop::store::parquet

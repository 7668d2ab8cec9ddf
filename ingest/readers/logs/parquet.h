/// \file
/// The flat columns of a Parquet file as texts, row by row, a page of each column in memory.
///
/// Read are files without encryption whose pages are plain, dictionary, delta, or byte-stream-split
/// coded and packed by nothing, Snappy, gzip, Zstandard or LZ4 (raw). Columns that are lists, maps
/// or structures are passed over and named. It opens no file and starts no thread, so that it runs
/// where a reading process may do neither.
///
/// As text: dates and times as ISO 8601 (times that are instants with Z), decimals with their
/// point, NaN and null as "".
///
/// Source: Apache Parquet format specification, version 2.10; Thrift compact protocol.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"
#include "ingest/readers/logs/records.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest {

/// "PAR1" at the beginning.
bool looks_like_parquet(Bytes head);

/// Errors: kFormat PARQ-0001 (no footer, or a damaged one), PARQ-0003 (no flat column);
/// kUnsupported PARQ-0002 (encrypted, or packed or coded in a way that is not read). next() fails
/// with PARQ-0002 or PARQ-0004 (a damaged page): what follows cannot be found.
Result<std::unique_ptr<RecordSource>> parquet_records(Bytes bytes);

namespace parquet {

enum class Physical : std::uint8_t {
  kBoolean,
  kInt32,
  kInt64,
  kInt96,
  kFloat,
  kDouble,
  kByteArray,
  kFixed
};

enum class Meaning : std::uint8_t { kPlain, kDate, kTimestamp, kDecimal, kUnsigned };

struct Leaf {
  std::string name;
  Physical physical = Physical::kInt32;
  Meaning meaning = Meaning::kPlain;
  bool optional = false;
  bool utc = true;              ///< Timestamps: an instant, not a wall clock.
  std::int64_t per_second = 0;  ///< Timestamps.
  int scale = 0;                ///< Decimals.
  std::size_t width = 0;        ///< kFixed.
};

struct Chunk {
  int codec = 0;
  std::uint64_t begin = 0, end = 0;  ///< Pages in the file.
  std::uint64_t values = 0;
};

struct RowGroup {
  std::uint64_t rows = 0;
  std::vector<Chunk> chunks;  ///< One a leaf of Footer.
};

struct Footer {
  std::vector<Leaf> leaves;
  std::vector<std::string> nested;  ///< Columns that are passed over.
  std::vector<RowGroup> groups;
  std::uint64_t rows = 0;
};

Result<Footer> read_footer(Bytes bytes);

/// The header of a page.
struct PageHeader {
  int type = -1;  ///< 0 data, 2 dictionary, 3 data of version 2.
  std::uint32_t unpacked = 0, packed = 0;
  std::uint32_t values = 0;
  int encoding = 0;
  std::uint32_t definition_bytes = 0, repetition_bytes = 0;  ///< Version 2.
  bool is_packed = true;                                     ///< Version 2.
  std::size_t size = 0;                                      ///< Of the header itself.
};
/// False when it is damaged.
bool read_page_header(Bytes bytes, PageHeader& header);

/// Unpacks into `out` (sized to the result); false when damaged. `known` is false for a codec that
/// is not read.
bool unpack(int codec, Bytes packed, std::vector<std::byte>& out, bool& known);

/// Run-length and bit-packed numbers of `width` bits; false when they end before `count`.
bool read_hybrid(Bytes bytes, int width, std::size_t count, std::vector<std::uint32_t>& out);
/// DELTA_BINARY_PACKED; steps `bytes` behind what was read.
bool read_deltas(Bytes& bytes, std::size_t most, std::vector<std::int64_t>& out);

/// Values of one page, decoded.
struct Values {
  std::vector<std::int64_t> integers;   ///< Boolean and integer types.
  std::vector<double> reals;            ///< Float and double.
  std::vector<std::string_view> texts;  ///< Byte arrays, fixed ones, INT96.
  std::deque<std::string> owned;        ///< Texts put together from pieces.
  std::size_t size() const { return integers.size() + reals.size() + texts.size(); }
};
/// `count` values that are there (not null). False when damaged; `known` false for an encoding
/// that is not read here (dictionaries are the caller's).
bool read_values(const Leaf& leaf, int encoding, Bytes bytes, std::size_t count, Values& out,
                 bool& known);
/// A value as text, in `buffer` where it is not a view of the page.
std::string_view text_of(const Leaf& leaf, const Values& values, std::size_t i,
                         std::string& buffer);

}  // namespace parquet
}  // namespace yieldloop::ingest

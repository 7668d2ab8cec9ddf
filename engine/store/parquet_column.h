/// \file
/// One column chunk: values in, compressed pages and their description out. Internal to the
/// Parquet writer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/store/parquet_encoding.h"
#include "engine/store/table.h"

namespace yieldloop::store::parquet {

/// parquet.thrift, enum Encoding.
enum class Encoding : std::int32_t { kPlain = 0, kRle = 3, kDelta = 5, kRleDictionary = 8 };

struct ColumnChunk {
  Buffer pages;  ///< Dictionary page first, if any; headers included.
  Encoding encoding = Encoding::kPlain;
  bool compressed = true;  ///< With Zstandard; false where that saves next to nothing.
  std::optional<std::uint64_t> dictionary_bytes;  ///< Length of the dictionary page in `pages`.
  std::uint64_t rows = 0;
  std::uint64_t nulls = 0;
  std::uint64_t uncompressed_bytes = 0;  ///< Page headers included.
  std::optional<std::string> smallest;   ///< PLAIN-coded, without length.
  std::optional<std::string> largest;
};

/// Codes rows [from, from + rows) of a column. Cost: O(rows), a few passes.
ColumnChunk encode_chunk(const Column& column, std::size_t from, std::size_t rows, int zstd_level);

}  // namespace yieldloop::store::parquet

/// \file
/// Tables as Parquet files: the store's segments and the Parquet export.
///
/// Flat tables only. Texts and small sets of integers are dictionary-coded, other integers
/// delta-coded, the rest plain; pages are compressed with Zstandard; each column chunk carries
/// minimum, maximum and null count, so that readers can skip it. The same table gives the same
/// bytes on any machine and any thread count.
///
/// Types: bool BOOLEAN; int32 INT32; int64 INT64; float32 FLOAT; float64 DOUBLE; text BYTE_ARRAY
/// (UTF-8; invalid bytes become U+FFFD); time INT64 TIMESTAMP(MICROS, UTC). Every column is
/// optional. A chunk that holds a NaN has no minimum and maximum.
///
/// Source: Apache Parquet format 2.9 (parquet.thrift, Encodings.md); docs/adr/0002.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/core/file_system.h"
#include "engine/core/result.h"
#include "engine/core/sha256.h"
#include "engine/store/table.h"

namespace yieldloop::store {

struct ParquetOptions {
  std::size_t row_group_rows = 262'144;  ///< > 0; the last group of an append may be smaller.
  int zstd_level = 1;                    ///< 1 (fast) to 19.
  unsigned threads = 0;                  ///< Columns coded at once; 0: as many as cores.
};

/// What was written, for the catalog.
struct ParquetFile {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  Sha256Digest digest;
};

/// Writes one file, a table at a time. Not thread-safe. A writer that is destroyed before
/// `finish` leaves an incomplete file for its owner to remove.
class ParquetWriter {
 public:
  /// `layout` gives the columns' names and types; its rows are not written.
  /// Errors: as FileSystem::create.
  static Result<ParquetWriter> open(FileSystem& files, const fs::path& path, const Table& layout,
                                    const ParquetOptions& options = {});
  ParquetWriter(ParquetWriter&&) noexcept;
  ParquetWriter& operator=(ParquetWriter&&) noexcept;
  ~ParquetWriter();

  /// REQUIRES: the columns of `layout`, in its order. Errors: as WritableFile::write.
  Status append(const Table& table);
  /// Writes the footer, syncs and closes. The writer is spent.
  Result<ParquetFile> finish();

 private:
  struct Impl;
  explicit ParquetWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// open, append, finish. The file is removed again when one of them fails.
Result<ParquetFile> write_parquet(FileSystem& files, const fs::path& path, const Table& table,
                                  const ParquetOptions& options = {});

}  // namespace yieldloop::store

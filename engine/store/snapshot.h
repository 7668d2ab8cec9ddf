/// \file
/// What a reader sees: the store as it was after one commit, whatever is written meanwhile.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/file_system.h"
#include "engine/core/result.h"
#include "engine/core/sha256.h"
#include "engine/store/records.h"
#include "engine/store/sql.h"
#include "engine/store/table.h"

namespace yieldloop::store {

/// Cheap to copy; copies share one connection. Thread-safe. As long as one lives, `compact`
/// leaves its segments in place.
///
/// Segments are checked against their SHA-256 when they are first read.
/// Errors of every read: kDamaged (STOR-0011) naming the segment; other tables stay readable.
class Snapshot {
 public:
  std::int64_t number() const;
  UtcMicros at() const;

  /// Rows of a table of the store in the order they were committed. `columns` empty: all,
  /// `source` and `source_row` included. `where` is a condition in SQL; see sql_text.
  /// Errors: kNotFound (STOR-0012) for an unknown table or column; STOR-0010 for a bad condition.
  Result<Table> read(std::string_view table, const std::vector<std::string>& columns = {},
                     std::string_view where = {}) const;

  /// One reading SQL statement over one view a table of the store. Times are UTC.
  /// Errors: kInvalidOptions (STOR-0009, STOR-0010), see query_engine.h.
  Result<Table> query(std::string_view sql) const;

  /// From the catalog, nothing is read. 0 for an unknown table.
  std::uint64_t rows(std::string_view table) const;
  std::span<const SegmentRecord> segments() const;

  /// The files whose rows the snapshot holds, by name.
  Result<std::vector<SourceRecord>> sources() const;
  Result<std::vector<SourceReject>> rejects(const Sha256Digest& source) const;

  /// Stored bytes by their SHA-256 in hex, checked. Errors: kNotFound (STOR-0013); kDamaged
  /// (STOR-0011).
  Result<std::unique_ptr<MappedFile>> blob(std::string_view sha256) const;

  struct Impl;
  explicit Snapshot(std::shared_ptr<const Impl> impl);

 private:
  std::shared_ptr<const Impl> impl_;
};

}  // namespace yieldloop::store

/// \file
/// DuckDB as a reader of Parquet files: SQL in, Table out. Internal to the store.
///
/// `query` takes SQL from people: one SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE, SHOW or
/// EXPLAIN statement; nothing that writes, loads, attaches or changes settings. The engine is
/// opened on one folder and can read nothing outside it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/core/file_system.h"
#include "engine/core/result.h"
#include "engine/store/table.h"

namespace yieldloop::store {

class QueryEngine {
 public:
  /// `threads` 0: as many as cores. Errors: kInternal (STOR-0010).
  static Result<std::unique_ptr<QueryEngine>> open(unsigned threads);
  ~QueryEngine();
  QueryEngine(const QueryEngine&) = delete;
  QueryEngine& operator=(const QueryEngine&) = delete;

  /// Runs our own statement, before `lock`. Errors: kInternal (STOR-0010).
  Status run(const std::string& sql);
  /// From here on only files below `folder` can be read and no setting can be changed.
  Status lock(const fs::path& folder);

  /// Errors: kInvalidOptions, STOR-0009 when the text is not one reading statement, STOR-0010
  /// when it does not run (unknown column, ...).
  Result<Table> query(std::string_view sql);

 private:
  struct Impl;
  explicit QueryEngine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace yieldloop::store

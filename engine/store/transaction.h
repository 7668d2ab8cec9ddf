/// \file
/// What one commit adds: rows, sources, blobs, quarantined files.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/core/result.h"
#include "engine/store/records.h"
#include "engine/store/table.h"

namespace yieldloop::store {

/// Rows of one file on their way into a commit, from Store::stage: kept in memory while they are
/// few, in staging files beyond that, and dropped without a trace unless a transaction takes them.
/// One thread at a time; several may be filled at once.
class StagedRows {
 public:
  StagedRows(StagedRows&&) noexcept;
  StagedRows& operator=(StagedRows&&) noexcept;
  ~StagedRows();

  /// REQUIRES: `rows` has the columns of Table::of(its name), all of one length.
  /// Errors: kNoSpace, kIo.
  Status add(Table rows);
  /// The product these rows are filed under; "" for none. Default "".
  void set_product(std::string product);
  std::uint64_t rows() const;
  std::size_t bytes_in_memory() const;

  struct Impl;
  explicit StagedRows(std::unique_ptr<Impl> impl);

 private:
  friend class Transaction;
  std::unique_ptr<Impl> impl_;
};

/// Ends with `commit`; destroyed without it, it leaves nothing behind. Not thread-safe.
class Transaction {
 public:
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) noexcept;
  ~Transaction();

  /// Rows are stored in the order of these calls. Errors: kNoSpace, kIo.
  Status add(StagedRows rows);
  /// REQUIRES: as StagedRows::add; the `source` column is filled.
  Status add(Table rows, std::string_view product = {});
  void add_source(SourceRecord source);
  void quarantine(QuarantineRecord refused);
  /// Stores bytes under their SHA-256, returned in hex; twice is once.
  Result<std::string> put_blob(std::span<const std::byte> bytes, std::string_view name);

  /// The new snapshot shows this segment no more; its rows were added again (compaction).
  void remove_segment(std::string path);

  bool empty() const;
  std::uint64_t rows() const;
  std::size_t bytes_in_memory() const;

  /// Makes all of it durable and visible; returns the number of the new snapshot.
  /// Errors: kNoSpace, kIo, kBusy, kDamaged; nothing is visible then.
  Result<std::int64_t> commit(std::string_view note);

  struct Impl;
  explicit Transaction(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace yieldloop::store

/// \file
/// Looking after a store: what it holds, whether it is whole, fewer and larger files, copies.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/store/store.h"

namespace yieldloop::store {

struct TableInfo {
  std::string name;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::size_t segments = 0;
};

struct StoreInfo {
  std::int64_t version = 0;
  SnapshotRecord latest;
  std::size_t snapshots = 0;
  std::vector<TableInfo> tables;  ///< Those with rows, by name.
  std::size_t sources = 0;
  std::size_t partial_sources = 0;
  std::uint64_t rejects = 0;
  std::size_t quarantined = 0;
  std::size_t blobs = 0;
  std::uint64_t blob_bytes = 0;
};
Result<StoreInfo> info(const Store& store);

struct VerifyReport {
  std::size_t files = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> problems;  ///< One sentence each; empty: all is whole.
  std::size_t orphans = 0;            ///< Left by unfinished commits; harmless.
};
/// Reads every byte and compares it with the catalog. Errors: kCancelled (STOR-0019).
Result<VerifyReport> verify(const Store& store, Progress& progress);

struct CompactOptions {
  std::uint64_t small_rows = 500'000;  ///< Segments with fewer rows are merged.
};
struct CompactReport {
  std::size_t merged = 0;         ///< Small segments that went into larger ones.
  std::size_t removed = 0;        ///< Files no kept snapshot needs, removed.
  bool kept_for_readers = false;  ///< Somebody reads: the old files go at the next compaction.
  std::int64_t snapshot = 0;
};
/// Merges the small segments of each table and product into a new snapshot with the same rows,
/// then forgets older snapshots and their files unless a reader is at work. Rows may come in
/// another order afterwards. Errors: kDamaged (STOR-0011); as Transaction::commit.
Result<CompactReport> compact(Store& store, const CompactOptions& options, Progress& progress);

/// Copies the store as it is now into a new or empty folder, while others go on writing; every
/// file is checked on the way, so that damage is never inherited.
/// Errors: kInvalidOptions (STOR-0018) when the target holds something; kDamaged (STOR-0011).
Status backup(const Store& store, const fs::path& target, Progress& progress);

/// The same from a backup's folder to a store's. Errors: as Store::open and backup.
Status restore(FileSystem& files, const fs::path& backup_folder, const fs::path& target,
               Progress& progress);

}  // namespace yieldloop::store

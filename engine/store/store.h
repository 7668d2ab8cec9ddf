/// \file
/// The place of record: what was read is here, once, whole, and stays as it was.
///
///   STORE/catalog.sqlite                      the ledger
///   STORE/segments/TABLE/product=P/N-K.parquet   rows, immutable
///   STORE/blobs/ab/SHA256                     layouts and models as they came
///   STORE/staging/                            files of commits that are not done
///   STORE/writer.lock, readers.lock           one writer, many readers
///
/// A commit writes its segments under temporary names, syncs and renames them, syncs their
/// folders, and then adds all of it in one catalog transaction with a new snapshot number. Before
/// that transaction nothing of it is visible; after it everything is, and survives a power cut.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/file_system.h"
#include "engine/core/result.h"
#include "engine/core/sha256.h"
#include "engine/store/records.h"
#include "engine/store/snapshot.h"
#include "engine/store/transaction.h"

namespace yieldloop::store {

struct StoreOptions {
  unsigned threads = 0;  ///< For queries and for coding segments; 0: as many as cores.
};

/// Const members are safe from many threads. The file system must outlive the store.
class Store {
 public:
  enum class Mode : std::uint8_t { kRead, kWrite };

  /// Makes a new store and opens it for writing. Errors: kInvalidOptions (STOR-0014) when the
  /// folder holds something else; as open.
  static Result<Store> create(FileSystem& files, const fs::path& folder,
                              const StoreOptions& options = {});
  /// Opens a store. kWrite takes the writer's lock and sweeps what unfinished commits left.
  /// Errors: kNotFound (STOR-0001); kDamaged (STOR-0002: a newer version; STOR-0005); kBusy
  /// (STOR-0003: another process writes, with its id); kDenied, kIo, kNoSpace.
  static Result<Store> open(FileSystem& files, const fs::path& folder, Mode mode,
                            const StoreOptions& options = {});
  /// open for writing where there is a store, else create.
  static Result<Store> open_or_create(FileSystem& files, const fs::path& folder,
                                      const StoreOptions& options = {});

  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  const fs::path& folder() const;
  FileSystem& files() const;

  /// Starts a commit. Errors: kInvalidOptions (STOR-0015) on a store opened for reading or with
  /// another transaction open; kIo (STOR-0016) after a commit that failed in the catalog: what
  /// the disk holds is then known only after opening the store again.
  Result<Transaction> begin();

  /// Room for the rows of one file, for Transaction::add. Thread-safe.
  /// REQUIRES: opened for writing.
  StagedRows stage() const;

  Result<bool> has_source(const Sha256Digest& digest) const;
  Result<std::int64_t> latest_snapshot() const;
  Result<std::vector<SnapshotRecord>> snapshots() const;
  Result<std::vector<QuarantineRecord>> quarantine() const;
  /// The latest snapshot, or the one of that number. Errors: kNotFound (STOR-0007).
  Result<Snapshot> snapshot(std::optional<std::int64_t> number = std::nullopt) const;

  struct Impl;

 private:
  explicit Store(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
  friend struct StoreAccess;  ///< For engine/store/care.
};

}  // namespace yieldloop::store

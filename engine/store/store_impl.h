/// \file
/// What a store, its transactions and its snapshots share. Internal to the store.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "engine/store/catalog.h"
#include "engine/store/file_lock.h"
#include "engine/store/parquet_writer.h"
#include "engine/store/query_engine.h"
#include "engine/store/store.h"

namespace yieldloop::store {

inline constexpr const char* kCatalogFile = "catalog.sqlite";
inline constexpr const char* kWriterLock = "writer.lock";
inline constexpr const char* kReadersLock = "readers.lock";
inline constexpr const char* kSegments = "segments";
inline constexpr const char* kBlobs = "blobs";
inline constexpr const char* kStaging = "staging";

/// blobs/ab/ab12...
fs::path blob_path(const std::string& sha256);

/// Whether a file is exactly what the catalog says. Errors: kDamaged (STOR-0011) naming it.
Status check_file(FileSystem& files, const fs::path& folder, const std::string& path,
                  std::uint64_t bytes, const std::string& sha256);

/// Files that this process has checked already. Thread-safe.
class CheckedFiles {
 public:
  Status check(FileSystem& files, const fs::path& folder, const SegmentRecord& segment);

 private:
  std::mutex mutex_;
  std::set<std::string> good_;
};

struct Store::Impl {
  Impl(FileSystem& file_system, fs::path where, StoreOptions wanted, Mode how, Catalog ledger)
      : files(file_system),
        folder(std::move(where)),
        options(wanted),
        mode(how),
        catalog(std::move(ledger)) {}

  FileSystem& files;
  fs::path folder;
  StoreOptions options;
  Mode mode;
  Catalog catalog;
  std::mutex catalog_mutex;  ///< Keeps look-ups of other threads out of a commit.
  std::optional<FileLock> writer;
  std::shared_ptr<CheckedFiles> checked = std::make_shared<CheckedFiles>();
  bool transaction_open = false;
  bool failed = false;  ///< A commit ended in doubt.
  std::atomic<std::uint64_t> next_staging = 0;

  fs::path new_staging_file();
};

/// The store's inside, for those who care for it.
struct StoreAccess {
  static Store::Impl& impl(const Store& store) { return *store.impl_; }
  static Store make(std::shared_ptr<Store::Impl> impl) { return Store(std::move(impl)); }
};

Result<Snapshot> open_snapshot(const Store::Impl& store, std::optional<std::int64_t> number);
Transaction open_transaction(std::shared_ptr<Store::Impl> store);
StagedRows open_stage(std::shared_ptr<Store::Impl> store);

/// Removes files below `folder` that the catalog does not know. Errors: kIo.
Status sweep_orphans(FileSystem& files, const fs::path& folder, const Catalog& catalog);

/// A product's name as a folder's: letters, digits, '_', '.', '-'; "-" for none. Names that had
/// to be changed carry a piece of their digest, so that no two meet.
std::string product_folder(std::string_view product);

/// Where the k-th segment of a commit lies, below the store.
std::string segment_path(std::string_view table, std::string_view product, std::int64_t snapshot,
                         std::size_t k);

}  // namespace yieldloop::store

#include "engine/store/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/store/store_impl.h"

namespace yieldloop::store {
namespace {

bool is_ours(const FileInfo& entry) {
  // "incoming" is the service's: what it receives must outlive the sweep of `staging`.
  constexpr std::array<std::string_view, 7> kNames{kWriterLock, kReadersLock, kSegments, kBlobs,
                                                   kStaging,    "quarantine", "incoming"};
  const std::string name = entry.path.filename().string();
  return name.starts_with(kCatalogFile) || std::ranges::find(kNames, name) != kNames.end();
}

Result<FileLock> take_writer_lock(const fs::path& folder) {
  const fs::path path = folder / kWriterLock;
  YL_ASSIGN(auto lock, FileLock::try_exclusive(path));
  if (lock) return std::move(*lock);
  return Error{Errc::kBusy, "STOR-0003",
               fmt::format("Process {} is writing to the store at {}; try again when it has ended.",
                           FileLock::holder(path), folder.string())};
}

/// Files below `folder`, at any depth.
Status visit_files(FileSystem& files, const fs::path& folder,
                   const std::function<Status(const fs::path&)>& visit) {
  if (!files.exists(folder)) return Ok{};
  YL_ASSIGN(const auto entries, files.list(folder));
  for (const FileInfo& entry : entries) {
    if (entry.is_folder) {
      YL_TRY(visit_files(files, entry.path, visit));
    } else {
      YL_TRY(visit(entry.path));
    }
  }
  return Ok{};
}

Result<Store> open_writer(FileSystem& files, const fs::path& folder, Catalog::Mode mode,
                          const StoreOptions& options) {
  YL_ASSIGN(auto lock, take_writer_lock(folder));
  YL_ASSIGN(auto catalog, Catalog::open(folder / kCatalogFile, mode));
  YL_TRY(sweep_orphans(files, folder, catalog));
  auto impl = std::make_shared<Store::Impl>(files, folder, options, Store::Mode::kWrite,
                                            std::move(catalog));
  impl->writer = std::move(lock);
  return StoreAccess::make(std::move(impl));
}

}  // namespace

fs::path blob_path(const std::string& sha256) {
  return fs::path(kBlobs) / sha256.substr(0, 2) / sha256;
}

Status check_file(FileSystem& files, const fs::path& folder, const std::string& path,
                  std::uint64_t bytes, const std::string& sha256) {
  auto damaged = [&](std::string_view why) {
    return Error{
        Errc::kDamaged, "STOR-0011",
        fmt::format("The stored file {} {}; restore it from a backup (`store verify` lists "
                    "all that is damaged).",
                    path, why)};
  };
  const auto file = files.map(folder / path);
  if (!file && file.error().code == Errc::kNotFound) return damaged("is missing");
  if (!file) return file.error();
  const auto content = (*file)->bytes();
  if (content.size() != bytes) return damaged("has another length than it was written with");
  if (Sha256::of(content).hex() != sha256) return damaged("does not match its checksum");
  return Ok{};
}

Status CheckedFiles::check(FileSystem& files, const fs::path& folder,
                           const SegmentRecord& segment) {
  {
    const std::lock_guard lock(mutex_);
    if (good_.contains(segment.path)) return Ok{};
  }
  YL_TRY(check_file(files, folder, segment.path, segment.bytes, segment.sha256));
  const std::lock_guard lock(mutex_);
  good_.insert(segment.path);
  return Ok{};
}

fs::path Store::Impl::new_staging_file() {
  return folder / kStaging / fmt::format("{:08}.tmp", next_staging++);
}

std::string product_folder(std::string_view product) {
  constexpr std::size_t kLongest = 64;
  if (product.empty()) return "-";
  std::string name;
  for (const char c : product.substr(0, kLongest)) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' ||
                       (c == '.' && !name.empty() && name.back() != '.');
    name += plain ? c : '_';
  }
  if (name == product && name != "-") return name;
  return name + "-" + Sha256::of(product).hex().substr(0, 8);
}

std::string segment_path(std::string_view table, std::string_view product, std::int64_t snapshot,
                         std::size_t k) {
  return fmt::format("{}/{}/product={}/{:08}-{:04}.parquet", kSegments, table,
                     product_folder(product), snapshot, k);
}

Status sweep_orphans(FileSystem& files, const fs::path& folder, const Catalog& catalog) {
  std::set<fs::path> known;
  YL_ASSIGN(const auto segments, catalog.all_segments());
  for (const SegmentRecord& segment : segments) known.insert(folder / segment.path);
  YL_ASSIGN(const auto blobs, catalog.blobs());
  for (const BlobRecord& blob : blobs) known.insert(folder / blob_path(blob.sha256));
  for (const char* part : {kStaging, kSegments, kBlobs}) {
    YL_TRY(visit_files(files, folder / part, [&](const fs::path& path) -> Status {
      return known.contains(path) ? Status(Ok{}) : files.remove(path);
    }));
  }
  return Ok{};
}

Store::Store(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

const fs::path& Store::folder() const { return impl_->folder; }
FileSystem& Store::files() const { return impl_->files; }

Result<Store> Store::create(FileSystem& files, const fs::path& folder,
                            const StoreOptions& options) {
  if (files.exists(folder)) {
    YL_ASSIGN(const auto entries, files.list(folder));
    const auto foreign = std::ranges::find_if_not(entries, is_ours);
    if (foreign != entries.end()) {
      return Error{
          Errc::kInvalidOptions, "STOR-0014",
          fmt::format("{} holds other files ({}); name an empty or new folder for the store.",
                      folder.string(), foreign->path.filename().string())};
    }
  }
  YL_TRY(files.create_folders(folder / kSegments));
  YL_TRY(files.create_folders(folder / kBlobs));
  YL_TRY(files.create_folders(folder / kStaging));
  YL_ASSIGN(auto store, open_writer(files, folder, Catalog::Mode::kCreate, options));
  YL_TRY(files.sync_folder(folder));
  const fs::path parent = fs::absolute(folder).lexically_normal().parent_path();
  YL_TRY(files.sync_folder(parent));
  return store;
}

Result<Store> Store::open(FileSystem& files, const fs::path& folder, Mode mode,
                          const StoreOptions& options) {
  const fs::path file = folder / kCatalogFile;
  YL_ASSIGN(auto catalog, Catalog::open(file, Catalog::Mode::kRead));
  if (mode == Mode::kWrite) return open_writer(files, folder, Catalog::Mode::kWrite, options);
  return Store(std::make_shared<Impl>(files, folder, options, mode, std::move(catalog)));
}

Result<Store> Store::open_or_create(FileSystem& files, const fs::path& folder,
                                    const StoreOptions& options) {
  auto store = open(files, folder, Mode::kWrite, options);
  const bool absent = !store && store.error().id == "STOR-0001";
  return absent ? create(files, folder, options) : std::move(store);
}

Result<Transaction> Store::begin() {
  if (impl_->mode != Mode::kWrite || impl_->transaction_open) {
    return Error{
        Errc::kInvalidOptions, "STOR-0015",
        "The store is open for reading, or already in a transaction; open it for writing and "
        "end the other one first."};
  }
  if (impl_->failed) {
    return Error{
        Errc::kIo, "STOR-0016",
        "The last commit failed while the catalog was written; open the store again before "
        "writing to it."};
  }
  return open_transaction(impl_);
}

StagedRows Store::stage() const { return open_stage(impl_); }

Result<bool> Store::has_source(const Sha256Digest& digest) const {
  const std::lock_guard lock(impl_->catalog_mutex);
  return impl_->catalog.has_source(digest.hex());
}

Result<std::int64_t> Store::latest_snapshot() const { return impl_->catalog.latest_snapshot(); }

Result<std::vector<SnapshotRecord>> Store::snapshots() const { return impl_->catalog.snapshots(); }

Result<std::vector<QuarantineRecord>> Store::quarantine() const {
  return impl_->catalog.quarantine();
}

Result<Snapshot> Store::snapshot(std::optional<std::int64_t> number) const {
  return open_snapshot(*impl_, number);
}

}  // namespace yieldloop::store

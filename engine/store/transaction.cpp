#include "engine/store/transaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>
#include <thread>

#include "engine/store/corrections.h"
#include "engine/store/store_impl.h"

namespace yieldloop::store {
namespace {

/// Rows held in memory before they go to a staging file: two row groups.
constexpr std::size_t kRowsInMemory = 524'288;
/// Batches beyond this are kept as they came; smaller ones are put together.
constexpr std::size_t kWholeBatch = 65'536;
/// Batches on their way to a staging file, besides the one being coded.
constexpr std::size_t kPosted = 4;
/// A segment is closed beyond this, so that compaction and checks work on pieces.
constexpr std::uint64_t kSegmentRows = 16'777'216;

/// A segment written under a temporary name.
struct StagedSegment {
  fs::path file;
  std::string table;
  std::string product;
  ParquetFile about;
};

/// A segment still being written.
struct OpenSegment {
  fs::path file;
  ParquetWriter writer;
  std::uint64_t rows = 0;
};

[[maybe_unused]] bool fits_schema(const Table& rows) {
  const TableSchema* schema = find_table(rows.name());
  if (schema == nullptr || rows.columns() != schema->columns.size() + 2) return false;
  for (std::size_t i = 0; i < rows.columns(); ++i) {
    if (rows.column(i).size() != rows.rows()) return false;
  }
  return true;
}

void remove_files(FileSystem& files, const std::vector<StagedSegment>& segments) {
  for (const StagedSegment& segment : segments) (void)files.remove(segment.file);
}

Result<StagedSegment> stage_table(Store::Impl& store, const Table& rows, std::string product) {
  StagedSegment segment{store.new_staging_file(), rows.name(), std::move(product), {}};
  const ParquetOptions options{.threads = store.options.threads};
  YL_ASSIGN(segment.about, write_parquet(store.files, segment.file, rows, options));
  return segment;
}

}  // namespace

/// Rows of one table that wait in memory.
struct WaitingRows {
  std::vector<Table> batches;
  std::size_t rows = 0;

  void add(Table more) {
    rows += more.rows();
    if (batches.empty() || more.rows() >= kWholeBatch || batches.back().rows() >= kWholeBatch) {
      batches.push_back(std::move(more));
    } else {
      batches.back().append(more);
    }
  }
};

/// Coding and writing go on on a thread of their own while the next batch is being filled; the
/// batches are written in the order they came, so that the files are the same without it.
struct StagedRows::Impl {
  explicit Impl(std::shared_ptr<Store::Impl> owner) : store(std::move(owner)) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      posted.clear();
    }
    (void)drain();
    remove_files(store->files, done);
    for (auto& [table, segment] : open) (void)store->files.remove(segment.file);
  }

  Status add(Table rows) {
    WaitingRows& waiting = memory[rows.name()];
    waiting.add(std::move(rows));
    if (waiting.rows < kRowsInMemory) return Ok{};
    for (Table& batch : waiting.batches) YL_TRY(post(std::move(batch)));
    waiting = {};
    return Ok{};
  }

  Status post(Table rows) {
    if (store->options.threads == 1) return spill(rows);
    std::unique_lock lock(mutex);
    if (!coder.joinable()) {
      try {
        coder = std::jthread([this] { write_posted(); });
      } catch (const std::system_error&) {
        return spill(rows);  // No thread is to be had.
      }
    }
    changed.wait(lock, [this] { return posted.size() < kPosted; });
    if (failure) return *failure;
    posted.push_back(std::move(rows));
    changed.notify_all();
    return Ok{};
  }

  void write_posted() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return closing || !posted.empty(); });
      if (posted.empty()) return;
      Table rows = std::move(posted.front());
      posted.pop_front();
      changed.notify_all();
      if (failure) continue;
      lock.unlock();
      const Status written = spill(rows);
      rows = Table(std::string());  // Its memory goes before the next is waited for.
      lock.lock();
      if (!written) failure = written.error();
    }
  }

  /// Waits for all that was posted.
  Status drain() {
    if (coder.joinable()) {
      {
        const std::lock_guard lock(mutex);
        closing = true;
      }
      changed.notify_all();
      coder.join();
      closing = false;
    }
    return failure ? Status(*failure) : Status(Ok{});
  }

  Status spill(Table& rows) {
    auto it = open.find(rows.name());
    if (it == open.end()) {
      const fs::path file = store->new_staging_file();
      const ParquetOptions options{.threads = store->options.threads};
      YL_ASSIGN(auto writer, ParquetWriter::open(store->files, file, rows, options));
      it = open.emplace(rows.name(), OpenSegment{file, std::move(writer), 0}).first;
    }
    YL_TRY(it->second.writer.append(rows));
    it->second.rows += rows.rows();
    if (it->second.rows >= kSegmentRows) return close(it->first);
    return Ok{};
  }

  Status close(const std::string& table) {
    auto node = open.extract(table);
    OpenSegment& segment = node.mapped();
    auto about = segment.writer.finish();
    if (!about) {
      (void)store->files.remove(segment.file);
      return about.error();
    }
    done.push_back({segment.file, table, product, *about});
    return Ok{};
  }

  /// Ends the open segments, their remaining rows included. Tables that never spilled stay.
  Status close_all() {
    YL_TRY(drain());
    std::vector<std::string> tables;
    for (const auto& [table, segment] : open) tables.push_back(table);
    for (const std::string& table : tables) {
      if (const auto rest = memory.find(table); rest != memory.end()) {
        for (Table& batch : rest->second.batches) YL_TRY(spill(batch));
        memory.erase(rest);
      }
      if (open.contains(table)) YL_TRY(close(table));
    }
    for (StagedSegment& segment : done) segment.product = product;
    return Ok{};
  }

  std::shared_ptr<Store::Impl> store;
  std::string product;
  std::map<std::string, WaitingRows> memory;
  std::map<std::string, OpenSegment> open;  ///< Of the writing thread until it is drained.
  std::vector<StagedSegment> done;          ///< As `open`.
  KeyNotes notes;
  std::uint64_t row_count = 0;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Table> posted;
  std::optional<Error> failure;
  bool closing = false;
  std::jthread coder;
};

StagedRows::StagedRows(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StagedRows::StagedRows(StagedRows&&) noexcept = default;
StagedRows& StagedRows::operator=(StagedRows&&) noexcept = default;
StagedRows::~StagedRows() = default;

Status StagedRows::add(Table rows) {
  assert(fits_schema(rows));
  if (rows.rows() == 0) return Ok{};
  impl_->row_count += rows.rows();
  impl_->notes.note(rows);
  return impl_->add(std::move(rows));
}

void StagedRows::set_product(std::string product) { impl_->product = std::move(product); }

std::uint64_t StagedRows::rows() const { return impl_->row_count; }

std::size_t StagedRows::bytes_in_memory() const {
  std::size_t total = 0;
  for (const auto& [name, waiting] : impl_->memory) {
    for (const Table& batch : waiting.batches) total += batch.bytes();
  }
  return total;
}

struct Transaction::Impl {
  explicit Impl(std::shared_ptr<Store::Impl> owner) : store(std::move(owner)) {
    store->transaction_open = true;
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    remove_files(store->files, segments);
    for (const auto& [sha256, file] : staged_blobs) (void)store->files.remove(file);
    store->transaction_open = false;
  }

  Status flush(Table& rows, const std::string& product) {
    if (rows.rows() == 0) return Ok{};
    YL_ASSIGN(auto segment, stage_table(*store, rows, product));
    segments.push_back(std::move(segment));
    rows = Table::of(rows.name());
    return Ok{};
  }

  Status add(Table rows, const std::string& product) {
    assert(fits_schema(rows));
    if (rows.rows() == 0) return Ok{};
    row_count += rows.rows();
    const std::pair key(rows.name(), product);
    const auto [it, is_new] = memory.try_emplace(key, rows.name());
    if (is_new || it->second.rows() == 0) {
      it->second = std::move(rows);
    } else {
      it->second.append(rows);
    }
    return it->second.rows() >= kRowsInMemory ? flush(it->second, product) : Status(Ok{});
  }

  /// Moves a staged file to its name and notes the folders whose entries changed.
  Status publish(const fs::path& staged, const fs::path& path) {
    YL_TRY(store->files.create_folders((store->folder / path).parent_path()));
    YL_TRY(store->files.rename(staged, store->folder / path));
    for (fs::path folder = path.parent_path(); !folder.empty(); folder = folder.parent_path()) {
      if (!changed_folders.insert(folder).second) break;
    }
    return Ok{};
  }

  Status publish_all(std::int64_t number) {
    std::size_t k = 0;
    while (!segments.empty()) {
      const StagedSegment& s = segments.front();
      const std::string path = segment_path(s.table, s.product, number, k++);
      YL_TRY(publish(s.file, path));
      change.segments.push_back({path, s.table, s.product, s.about.rows, s.about.bytes,
                                 s.about.digest.hex(), number, std::nullopt});
      segments.erase(segments.begin());
    }
    while (!staged_blobs.empty()) {
      const auto& [sha256, file] = *staged_blobs.begin();
      YL_TRY(publish(file, blob_path(sha256)));
      staged_blobs.erase(staged_blobs.begin());
    }
    for (const fs::path& folder : changed_folders) {
      YL_TRY(store->files.sync_folder(store->folder / folder));
    }
    if (changed_folders.empty()) return Ok{};
    return store->files.sync_folder(store->folder);
  }

  /// Rows that say which older ones this commit replaces; by table, filed under its name.
  Status add_corrections(std::int64_t latest) {
    std::map<std::string, std::vector<fs::path>> fresh;
    for (const StagedSegment& s : segments) fresh[s.table].push_back(s.file);
    for (const auto& [table, files] : fresh) {
      if (find_row_kind(table) == nullptr) continue;
      YL_ASSIGN(Table rows, replaced_rows(*store, latest, table, files, change.extents));
      YL_TRY(flush(rows, table));
    }
    return Ok{};
  }

  std::shared_ptr<Store::Impl> store;
  std::map<std::pair<std::string, std::string>, Table> memory;  ///< By table and product.
  std::vector<StagedSegment> segments;
  std::map<std::string, fs::path> staged_blobs;
  std::set<fs::path> changed_folders;
  CatalogChange change;
  std::uint64_t row_count = 0;
};

Transaction open_transaction(std::shared_ptr<Store::Impl> store) {
  return Transaction(std::make_unique<Transaction::Impl>(std::move(store)));
}

Transaction::Transaction(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Transaction::Transaction(Transaction&&) noexcept = default;
Transaction& Transaction::operator=(Transaction&&) noexcept = default;
Transaction::~Transaction() = default;

StagedRows open_stage(std::shared_ptr<Store::Impl> store) {
  return StagedRows(std::make_unique<StagedRows::Impl>(std::move(store)));
}

Status Transaction::add(StagedRows rows) {
  StagedRows::Impl& staged = *rows.impl_;
  YL_TRY(staged.close_all());
  for (StagedSegment& segment : staged.done) {
    impl_->row_count += segment.about.rows;
    impl_->segments.push_back(std::move(segment));
  }
  staged.done.clear();
  for (KeyRecord& key : staged.notes.keys) impl_->change.keys.push_back(std::move(key));
  for (auto& [table, extent] : staged.notes.extents) impl_->change.extents.push_back(extent);
  for (auto& [name, waiting] : staged.memory) {
    for (Table& batch : waiting.batches) YL_TRY(impl_->add(std::move(batch), staged.product));
  }
  return Ok{};
}

Status Transaction::add(Table rows, std::string_view product) {
  return impl_->add(std::move(rows), std::string(product));
}

void Transaction::add_source(SourceRecord source) {
  impl_->change.sources.push_back(std::move(source));
}

void Transaction::quarantine(QuarantineRecord refused) {
  impl_->change.quarantined.push_back(std::move(refused));
}

Result<std::string> Transaction::put_blob(std::span<const std::byte> bytes, std::string_view name) {
  const std::string sha256 = Sha256::of(bytes).hex();
  YL_ASSIGN(const bool stored, impl_->store->catalog.has_blob(sha256));
  if (stored || impl_->staged_blobs.contains(sha256)) return sha256;
  FileSystem& files = impl_->store->files;
  const fs::path path = impl_->store->new_staging_file();
  impl_->staged_blobs.emplace(sha256, path);
  YL_ASSIGN(auto file, files.create(path));
  YL_TRY(file->write(bytes));
  YL_TRY(file->sync());
  YL_TRY(file->close());
  impl_->change.blobs.push_back({sha256, bytes.size(), std::string(name)});
  return sha256;
}

void Transaction::remove_segment(std::string path) {
  impl_->change.removed_segments.push_back(std::move(path));
}

bool Transaction::empty() const {
  return impl_->row_count == 0 && impl_->change.sources.empty() && impl_->change.blobs.empty() &&
         impl_->change.quarantined.empty();
}

std::uint64_t Transaction::rows() const { return impl_->row_count; }

std::size_t Transaction::bytes_in_memory() const {
  std::size_t total = 0;
  for (const auto& [key, table] : impl_->memory) total += table.bytes();
  return total;
}

Result<std::int64_t> Transaction::commit(std::string_view note) {
  Store::Impl& store = *impl_->store;
  for (auto& [key, table] : impl_->memory) YL_TRY(impl_->flush(table, key.second));
  YL_ASSIGN(const std::int64_t latest, store.catalog.latest_snapshot());
  YL_TRY(impl_->add_corrections(latest));
  YL_TRY(impl_->publish_all(latest + 1));
  impl_->change.note = note;
  // A commit that fails here may still have reached the disk, so its files stay: the next
  // writer asks the catalog and sweeps them if they belong to nothing.
  const std::lock_guard lock(store.catalog_mutex);
  auto number = store.catalog.commit(impl_->change);
  if (!number) store.failed = true;
  return number;
}

}  // namespace yieldloop::store

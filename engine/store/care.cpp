#include "engine/store/care.h"

#include <fmt/format.h>

#include <map>

#include "engine/core/text.h"
#include "engine/store/store_impl.h"

namespace yieldloop::store {
namespace {

Error cancelled() { return {Errc::kCancelled, "STOR-0019", "Stopped; the store was not changed."}; }

/// A file that the catalog names.
struct NamedFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::string sha256;
};

Result<std::vector<NamedFile>> named_files(const Catalog& catalog) {
  std::vector<NamedFile> all;
  YL_ASSIGN(const auto segments, catalog.all_segments());
  for (const SegmentRecord& s : segments) all.push_back({s.path, s.bytes, s.sha256});
  YL_ASSIGN(const auto blobs, catalog.blobs());
  for (const BlobRecord& b : blobs) all.push_back({blob_path(b.sha256).string(), b.size, b.sha256});
  return all;
}

std::size_t count_files(FileSystem& files, const fs::path& folder) {
  const auto entries = files.list(folder);
  std::size_t count = 0;
  if (!entries) return count;
  for (const FileInfo& entry : *entries) {
    count += entry.is_folder ? count_files(files, entry.path) : 1;
  }
  return count;
}

Result<std::string> sqlite_check(const Database& database) {
  YL_ASSIGN(auto statement, database.prepare("PRAGMA integrity_check(1)"));
  YL_ASSIGN(const bool found, statement.step());
  return found ? statement.text(0) : std::string("no answer");
}

/// The rows of one segment, checked.
Result<Table> read_segment(const Store::Impl& store, QueryEngine& engine, const SegmentRecord& s) {
  YL_TRY(store.checked->check(store.files, store.folder, s));
  const Table layout = Table::of(s.table);
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < layout.columns(); ++i) {
    columns.push_back(sql_name(layout.column_name(i)));
  }
  YL_ASSIGN(Table rows, engine.query(fmt::format(
                            "SELECT {} FROM read_parquet({}, hive_partitioning=false)",
                            join(columns, ", "), sql_text((store.folder / s.path).string()))));
  rows.rename(s.table);
  return rows;
}

using Group = std::vector<SegmentRecord>;

/// Small segments by table and product, in their order; groups of one need no work.
std::vector<Group> groups_to_merge(const std::vector<SegmentRecord>& segments,
                                   std::uint64_t small_rows) {
  std::map<std::pair<std::string, std::string>, Group> by_key;
  for (const SegmentRecord& s : segments) {
    if (s.rows < small_rows) by_key[{s.table, s.product}].push_back(s);
  }
  std::vector<Group> groups;
  for (auto& [key, group] : by_key) {
    if (group.size() > 1) groups.push_back(std::move(group));
  }
  return groups;
}

Status merge(Store& store, const std::vector<Group>& groups, CompactReport& report,
             Progress& progress) {
  Store::Impl& impl = StoreAccess::impl(store);
  YL_ASSIGN(auto engine, QueryEngine::open(impl.options.threads));
  YL_ASSIGN(auto transaction, store.begin());
  std::uint64_t done = 0;
  for (const Group& group : groups) {
    for (const SegmentRecord& segment : group) {
      if (progress.cancelled()) return cancelled();
      YL_ASSIGN(Table rows, read_segment(impl, *engine, segment));
      YL_TRY(transaction.add(std::move(rows), segment.product));
      transaction.remove_segment(segment.path);
      ++report.merged;
    }
    progress.report("merging segments", ++done, groups.size());
  }
  YL_ASSIGN(report.snapshot, transaction.commit("compaction"));
  return Ok{};
}

/// Older snapshots and their files go, but not from under a reader.
Status forget_old(Store::Impl& store, CompactReport& report) {
  YL_ASSIGN(const auto alone, FileLock::try_exclusive(store.folder / kReadersLock));
  if (!alone) {
    report.kept_for_readers = true;
    return Ok{};
  }
  YL_ASSIGN(const auto paths, store.catalog.forget_before(report.snapshot));
  for (const std::string& path : paths) YL_TRY(store.files.remove(store.folder / path));
  report.removed = paths.size();
  return Ok{};
}

Status copy_file(FileSystem& files, const fs::path& from, const fs::path& to) {
  YL_ASSIGN(const auto source, files.map(from));
  YL_TRY(files.create_folders(to.parent_path()));
  YL_ASSIGN(auto file, files.create(to));
  YL_TRY(file->write(source->bytes()));
  YL_TRY(file->sync());
  return file->close();
}

Status sync_tree(FileSystem& files, const fs::path& folder) {
  YL_ASSIGN(const auto entries, files.list(folder));
  for (const FileInfo& entry : entries) {
    if (entry.is_folder) YL_TRY(sync_tree(files, entry.path));
  }
  return files.sync_folder(folder);
}

Status require_empty(FileSystem& files, const fs::path& target) {
  if (!files.exists(target)) return Ok{};
  YL_ASSIGN(const auto entries, files.list(target));
  if (entries.empty()) return Ok{};
  return Error{
      Errc::kInvalidOptions, "STOR-0018",
      fmt::format("{} is not empty; name a new folder, nothing is overwritten.", target.string())};
}

}  // namespace

Result<StoreInfo> info(const Store& store) {
  const Catalog& catalog = StoreAccess::impl(store).catalog;
  StoreInfo result;
  result.version = kStoreVersion;
  YL_ASSIGN(const auto snapshots, catalog.snapshots());
  result.snapshots = snapshots.size();
  if (!snapshots.empty()) result.latest = snapshots.back();
  YL_ASSIGN(const auto segments, catalog.segments(result.latest.number));
  std::map<std::string, TableInfo> tables;
  for (const SegmentRecord& s : segments) {
    TableInfo& table = tables[s.table];
    table.name = s.table;
    table.rows += s.rows;
    table.bytes += s.bytes;
    ++table.segments;
  }
  for (auto& [name, table] : tables) result.tables.push_back(std::move(table));
  YL_ASSIGN(const auto sources, catalog.sources(result.latest.number));
  result.sources = sources.size();
  for (const SourceRecord& s : sources) {
    result.rejects += s.rejects_total;
    result.partial_sources += s.status == SourceStatus::kPartial ? 1 : 0;
  }
  YL_ASSIGN(const auto quarantine, catalog.quarantine());
  result.quarantined = quarantine.size();
  YL_ASSIGN(const auto blobs, catalog.blobs());
  result.blobs = blobs.size();
  for (const BlobRecord& b : blobs) result.blob_bytes += b.size;
  return result;
}

Result<VerifyReport> verify(const Store& store, Progress& progress) {
  Store::Impl& impl = StoreAccess::impl(store);
  VerifyReport report;
  YL_ASSIGN(const FileLock pin, FileLock::shared(impl.folder / kReadersLock));
  YL_ASSIGN(const std::string catalog_state, sqlite_check(impl.catalog.database()));
  if (catalog_state != "ok") {
    report.problems.push_back(fmt::format("The catalog is damaged ({}).", catalog_state));
  }
  YL_ASSIGN(const auto named, named_files(impl.catalog));
  for (const NamedFile& file : named) {
    if (progress.cancelled()) return cancelled();
    const auto state = check_file(impl.files, impl.folder, file.path, file.bytes, file.sha256);
    if (!state) report.problems.push_back(state.error().message);
    ++report.files;
    report.bytes += file.bytes;
    progress.report("checking files", report.files, named.size());
  }
  const std::size_t present = count_files(impl.files, impl.folder / kSegments) +
                              count_files(impl.files, impl.folder / kBlobs) +
                              count_files(impl.files, impl.folder / kStaging);
  const std::size_t missing =
      static_cast<std::size_t>(std::count_if(named.begin(), named.end(), [&](const NamedFile& f) {
        return !impl.files.exists(impl.folder / f.path);
      }));
  report.orphans = present - (named.size() - missing);
  return report;
}

Result<CompactReport> compact(Store& store, const CompactOptions& options, Progress& progress) {
  Store::Impl& impl = StoreAccess::impl(store);
  CompactReport report;
  YL_ASSIGN(report.snapshot, impl.catalog.latest_snapshot());
  YL_ASSIGN(const auto segments, impl.catalog.segments(report.snapshot));
  const auto groups = groups_to_merge(segments, options.small_rows);
  if (!groups.empty()) YL_TRY(merge(store, groups, report, progress));
  YL_TRY(forget_old(impl, report));
  return report;
}

Status backup(const Store& store, const fs::path& target, Progress& progress) {
  Store::Impl& impl = StoreAccess::impl(store);
  FileSystem& files = impl.files;
  YL_TRY(require_empty(files, target));
  YL_TRY(files.create_folders(target));
  // Pinned, no file that the copied catalog names can go before it is copied too.
  YL_ASSIGN(const FileLock pin, FileLock::shared(impl.folder / kReadersLock));
  const fs::path unfinished = target / "catalog.unfinished";
  YL_TRY(impl.catalog.database().copy_to(unfinished));
  std::vector<NamedFile> named;
  {
    YL_ASSIGN(const auto copied, Catalog::open(unfinished, Catalog::Mode::kRead));
    YL_ASSIGN(named, named_files(copied));
  }
  for (const char* part : {kSegments, kBlobs, kStaging}) {
    YL_TRY(files.create_folders(target / part));
  }
  std::uint64_t done = 0;
  for (const NamedFile& file : named) {
    if (progress.cancelled()) return cancelled();
    YL_TRY(copy_file(files, impl.folder / file.path, target / file.path));
    YL_TRY(check_file(files, target, file.path, file.bytes, file.sha256));
    progress.report("copying files", ++done, named.size());
  }
  // Only a whole copy carries the catalog's name.
  YL_TRY(sync_tree(files, target));
  YL_TRY(files.rename(unfinished, target / kCatalogFile));
  return files.sync_folder(target);
}

Status restore(FileSystem& files, const fs::path& backup_folder, const fs::path& target,
               Progress& progress) {
  YL_ASSIGN(const auto source, Store::open(files, backup_folder, Store::Mode::kRead));
  return backup(source, target, progress);
}

}  // namespace yieldloop::store

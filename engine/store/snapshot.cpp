#include "engine/store/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <set>

#include "engine/core/text.h"
#include "engine/store/store_impl.h"

namespace yieldloop::store {

struct Snapshot::Impl {
  FileSystem& files;
  fs::path folder;
  unsigned threads;
  FileLock pin;  ///< While held, compaction removes no file.
  Catalog catalog;
  SnapshotRecord about;
  std::vector<SegmentRecord> segments;
  std::shared_ptr<CheckedFiles> checked;

  mutable std::mutex mutex;
  mutable std::unique_ptr<QueryEngine> engine;  ///< Opened by the first read.
  mutable std::set<std::string> views;          ///< Made when a statement first needs them.

  /// The engine with the views of `tables`, whose segments must have been checked.
  Result<QueryEngine*> opened(const std::set<std::string>& tables) const;
  Status check_table(std::string_view table) const;
};

namespace {

std::string_view sql_type(ColumnType type) {
  switch (type) {
    case ColumnType::kBool: return "BOOLEAN";
    case ColumnType::kInt32: return "INTEGER";
    case ColumnType::kInt64: return "BIGINT";
    case ColumnType::kFloat32: return "FLOAT";
    case ColumnType::kFloat64: return "DOUBLE";
    case ColumnType::kText: return "VARCHAR";
    case ColumnType::kTime: break;
  }
  return "TIMESTAMPTZ";
}

/// The view of one table: over its segments, or empty with the right columns.
std::string view_sql(const TableSchema& schema, const std::vector<std::string>& paths) {
  const Table layout = Table::of(schema.name);
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < layout.columns(); ++i) {
    const std::string name = sql_name(layout.column_name(i));
    columns.push_back(paths.empty()
                          ? fmt::format("NULL::{} AS {}", sql_type(layout.column(i).type()), name)
                          : name);
  }
  const std::string head =
      fmt::format("CREATE VIEW {} AS SELECT {}", sql_name(schema.name), join(columns, ", "));
  if (paths.empty()) return head + " WHERE false";
  return fmt::format("{} FROM read_parquet([{}], hive_partitioning=false)", head,
                     join(paths, ", "));
}

/// The tables that a statement may read: those it names, or all when it could reach one in
/// another way (by a computed name, an escaped one, a list of tables).
std::set<std::string> tables_of(std::string_view sql) {
  const std::string lower = to_lower(sql);
  constexpr std::array<std::string_view, 6> kOtherWays{"query", "u&",     "parquet",
                                                       "show",  "schema", "duckdb"};
  const bool all = std::ranges::any_of(
      kOtherWays, [&](std::string_view way) { return lower.find(way) != std::string::npos; });
  std::set<std::string> tables;
  for (const TableSchema& schema : all_tables()) {
    if (all || lower.find(schema.name) != std::string::npos) tables.emplace(schema.name);
  }
  return tables;
}

}  // namespace

Result<QueryEngine*> Snapshot::Impl::opened(const std::set<std::string>& tables) const {
  const std::lock_guard lock(mutex);
  const fs::path root = fs::absolute(folder).lexically_normal();
  if (!engine) {
    YL_ASSIGN(auto fresh, QueryEngine::open(threads));
    YL_TRY(fresh->lock(root / kSegments));
    engine = std::move(fresh);
  }
  for (const std::string& table : tables) {
    if (!views.insert(table).second) continue;
    std::vector<std::string> paths;
    for (const SegmentRecord& segment : segments) {
      if (segment.table == table) paths.push_back(sql_text((root / segment.path).string()));
    }
    YL_TRY(engine->run(view_sql(*find_table(table), paths)));
  }
  return engine.get();
}

Status Snapshot::Impl::check_table(std::string_view table) const {
  for (const SegmentRecord& segment : segments) {
    if (segment.table == table) YL_TRY(checked->check(files, folder, segment));
  }
  return Ok{};
}

Snapshot::Snapshot(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

std::int64_t Snapshot::number() const { return impl_->about.number; }
UtcMicros Snapshot::at() const { return impl_->about.at; }
std::span<const SegmentRecord> Snapshot::segments() const { return impl_->segments; }

Result<Table> Snapshot::read(std::string_view table, const std::vector<std::string>& columns,
                             std::string_view where) const {
  if (find_table(table) == nullptr) {
    return Error{Errc::kNotFound, "STOR-0012", fmt::format("The store has no table {}.", table)};
  }
  const Table layout = Table::of(table);
  Table empty{std::string(table)};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < (columns.empty() ? layout.columns() : columns.size()); ++i) {
    const auto position = columns.empty() ? std::optional(i) : layout.find(columns[i]);
    if (!position) {
      return Error{Errc::kNotFound, "STOR-0012",
                   fmt::format("The table {} has no column {}.", table, columns[i])};
    }
    names.push_back(sql_name(layout.column_name(*position)));
    empty.add_column(layout.column_name(*position), layout.column(*position).type());
  }
  if (rows(table) == 0) return empty;
  std::string sql = fmt::format("SELECT {} FROM {}", join(names, ", "), sql_name(table));
  if (!trim(where).empty()) sql += fmt::format(" WHERE (\n{}\n)", where);
  YL_ASSIGN(Table found, query(sql));
  found.rename(std::string(table));
  return found;
}

Result<Table> Snapshot::query(std::string_view sql) const {
  const std::set<std::string> tables = tables_of(sql);
  for (const std::string& table : tables) YL_TRY(impl_->check_table(table));
  YL_ASSIGN(QueryEngine * engine, impl_->opened(tables));
  return engine->query(sql);
}

std::uint64_t Snapshot::rows(std::string_view table) const {
  std::uint64_t total = 0;
  for (const SegmentRecord& segment : impl_->segments) {
    if (segment.table == table) total += segment.rows;
  }
  return total;
}

Result<std::vector<SourceRecord>> Snapshot::sources() const {
  return impl_->catalog.sources(number());
}

Result<std::vector<SourceReject>> Snapshot::rejects(const Sha256Digest& source) const {
  return impl_->catalog.rejects(source.hex());
}

Result<std::unique_ptr<MappedFile>> Snapshot::blob(std::string_view sha256) const {
  const std::string name(sha256);
  YL_ASSIGN(const auto about, impl_->catalog.blob(name));
  if (!about) {
    return Error{
        Errc::kNotFound, "STOR-0013",
        fmt::format("The store holds no file with the checksum {}.", escape_controls(name))};
  }
  const fs::path path = blob_path(name);
  YL_TRY(check_file(impl_->files, impl_->folder, path.string(), about->size, name));
  return impl_->files.map(impl_->folder / path);
}

Result<Snapshot> open_snapshot(const Store::Impl& store, std::optional<std::int64_t> number) {
  // The pin comes first: what the catalog names after it cannot be removed any more.
  YL_ASSIGN(auto pin, FileLock::shared(store.folder / kReadersLock));
  YL_ASSIGN(auto catalog, Catalog::open(store.folder / kCatalogFile, Catalog::Mode::kRead));
  std::int64_t wanted = 0;
  if (number) {
    wanted = *number;
  } else {
    YL_ASSIGN(wanted, catalog.latest_snapshot());
  }
  YL_ASSIGN(auto about, catalog.snapshot(wanted));
  YL_ASSIGN(auto segments, catalog.segments(wanted));
  // `new` and braces: an aggregate that holds a mutex can be made in place in no other way.
  std::shared_ptr<const Snapshot::Impl> impl(new Snapshot::Impl{store.files,
                                                                store.folder,
                                                                store.options.threads,
                                                                std::move(pin),
                                                                std::move(catalog),
                                                                std::move(about),
                                                                std::move(segments),
                                                                store.checked,
                                                                {},
                                                                {},
                                                                {}});
  return Snapshot(std::move(impl));
}

}  // namespace yieldloop::store

#include "engine/store/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <set>

#include "engine/core/text.h"
#include "engine/store/corrections.h"
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
  std::vector<SupersededRecord> superseded;

  mutable std::mutex mutex;
  mutable std::unique_ptr<QueryEngine> engine;  ///< Opened by the first read.
  mutable std::set<std::string> views;          ///< Made when a statement first needs them.

  /// The engine with the views of `tables`, whose segments must have been checked.
  Result<QueryEngine*> opened(const std::set<std::string>& tables) const;
  Status check_table(std::string_view table) const;
  /// Makes the table of replaced documents and keys that views refer to.
  Status name_superseded(QueryEngine& fresh) const;
  bool has_superseded(std::string_view kind) const;
  std::vector<std::string> paths_of(std::string_view table) const;
  Result<Table> read_in_order(const TableSchema& schema, const std::string& columns,
                              const std::string& condition) const;
  std::string current_sql(const TableSchema& schema, const fs::path& root) const;
  std::string history_sql(const TableSchema& schema, const fs::path& root) const;
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

/// NAME_all: the rows of a table with those that were replaced.
constexpr std::string_view kHistorySuffix = "_all";

/// The columns of a table, with types where there is no segment to give them.
std::string columns_sql(const TableSchema& schema, bool typed, std::string_view alias) {
  const Table layout = Table::of(schema.name);
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < layout.columns(); ++i) {
    const std::string name = sql_name(layout.column_name(i));
    columns.push_back(typed ? fmt::format("NULL::{} AS {}", sql_type(layout.column(i).type()), name)
                            : fmt::format("{}.{}", alias, name));
  }
  return join(columns, ", ");
}

bool has_column(const TableSchema& schema, std::string_view column) {
  return std::ranges::find(schema.columns, column, &ColumnSchema::name) != schema.columns.end();
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

bool Snapshot::Impl::has_superseded(std::string_view kind) const {
  return std::ranges::find(superseded, kind, &SupersededRecord::kind) != superseded.end();
}

Status Snapshot::Impl::name_superseded(QueryEngine& fresh) const {
  if (superseded.empty()) return Ok{};
  YL_TRY(
      fresh.run("CREATE TEMP TABLE superseded_keys(kind VARCHAR, key VARCHAR, id VARCHAR, "
                "source BIGINT, by_source BIGINT)"));
  constexpr std::size_t kPiece = 2000;
  for (std::size_t from = 0; from < superseded.size(); from += kPiece) {
    std::vector<std::string> values;
    for (std::size_t i = from; i < std::min(from + kPiece, superseded.size()); ++i) {
      const SupersededRecord& s = superseded[i];
      values.push_back(fmt::format("({}, {}, {}, {}, {})", sql_text(s.kind), sql_text(s.key),
                                   sql_text(s.id), s.source, s.by_source));
    }
    YL_TRY(fresh.run("INSERT INTO superseded_keys VALUES " + join(values, ", ")));
  }
  return Ok{};
}

/// The rows that count, from the segments.
std::string Snapshot::Impl::current_sql(const TableSchema& schema, const fs::path& root) const {
  std::vector<std::string> conditions;
  for (const DocumentKind& kind : document_kinds()) {
    if (!has_column(schema, kind.id) || !has_superseded(kind.table)) continue;
    conditions.push_back(
        fmt::format("(t.{0} IS NULL OR t.{0} NOT IN (SELECT id FROM superseded_keys WHERE kind = "
                    "{1}))",
                    sql_name(kind.id), sql_text(kind.table)));
  }
  const RowKind* rows = find_row_kind(schema.name);
  if (rows != nullptr && rows->time.empty() && has_superseded(schema.name)) {
    conditions.push_back(fmt::format(
        "NOT EXISTS (SELECT 1 FROM superseded_keys k WHERE k.kind = {} AND k.source = t.source AND "
        "k.key = {})",
        sql_text(schema.name), key_sql(rows->key, "t")));
  }
  if (const std::string gone = superseded_sql(segments, root, std::string(schema.name));
      !gone.empty()) {
    conditions.push_back(
        fmt::format("NOT EXISTS (SELECT 1 FROM ({}) s WHERE s.row_source = t.source AND s.row = "
                    "t.source_row)",
                    gone));
  }
  return conditions.empty() ? "" : " WHERE " + join(conditions, " AND ");
}

/// All rows, with the source that replaced each in `superseded_by`.
std::string Snapshot::Impl::history_sql(const TableSchema& schema, const fs::path& root) const {
  std::string by;
  for (const DocumentKind& kind : document_kinds()) {
    if (!has_column(schema, kind.id) || !has_superseded(kind.table)) continue;
    by += fmt::format(
        "(SELECT max(by_source) FROM superseded_keys k WHERE k.kind = {} AND k.id = "
        "t.{}), ",
        sql_text(kind.table), sql_name(kind.id));
  }
  const RowKind* rows = find_row_kind(schema.name);
  if (rows != nullptr && rows->time.empty() && has_superseded(schema.name)) {
    by += fmt::format(
        "(SELECT max(by_source) FROM superseded_keys k WHERE k.kind = {} AND "
        "k.source = t.source AND k.key = {}), ",
        sql_text(schema.name), key_sql(rows->key, "t"));
  }
  if (const std::string gone = superseded_sql(segments, root, std::string(schema.name));
      !gone.empty()) {
    by += fmt::format(
        "(SELECT max(by_source) FROM ({}) s WHERE s.row_source = t.source AND s.row "
        "= t.source_row), ",
        gone);
  }
  return fmt::format("coalesce({}NULL::BIGINT) AS superseded_by", by);
}

Result<QueryEngine*> Snapshot::Impl::opened(const std::set<std::string>& tables) const {
  const std::lock_guard lock(mutex);
  const fs::path root = fs::absolute(folder).lexically_normal();
  if (!engine) {
    YL_ASSIGN(auto fresh, QueryEngine::open(threads));
    YL_TRY(fresh->lock(root / kSegments));
    YL_TRY(name_superseded(*fresh));
    engine = std::move(fresh);
  }
  for (const std::string& name : tables) {
    if (!views.insert(name).second) continue;
    const bool history = name.ends_with(kHistorySuffix);
    const std::string table(
        std::string_view(name).substr(0, name.size() - (history ? kHistorySuffix.size() : 0)));
    const TableSchema& schema = *find_table(table);
    const auto paths = paths_of(table);
    const std::string from =
        paths.empty()
            ? " WHERE false"
            : fmt::format(" FROM read_parquet([{}], hive_partitioning=false) t", join(paths, ", "));
    std::string columns = columns_sql(schema, paths.empty(), "t");
    if (history) {
      columns += ", ";
      columns += paths.empty() ? "NULL::BIGINT AS superseded_by" : history_sql(schema, root);
    }
    const std::string where = history || paths.empty() ? "" : current_sql(schema, root);
    YL_TRY(engine->run(
        fmt::format("CREATE VIEW {} AS SELECT {}{}{}", sql_name(name), columns, from, where)));
  }
  return engine.get();
}

std::vector<std::string> Snapshot::Impl::paths_of(std::string_view table) const {
  const fs::path root = fs::absolute(folder).lexically_normal();
  std::vector<std::string> paths;
  for (const SegmentRecord& segment : segments) {
    if (segment.table == table) paths.push_back(sql_text((root / segment.path).string()));
  }
  return paths;
}

/// Leaving replaced rows out is a join, which keeps no order; the places in the files restore it.
Result<Table> Snapshot::Impl::read_in_order(const TableSchema& schema, const std::string& columns,
                                            const std::string& condition) const {
  YL_TRY(check_table(schema.name));
  YL_ASSIGN(QueryEngine * opened_engine, opened({}));
  const std::string paths = join(paths_of(schema.name), ", ");
  return opened_engine->query(fmt::format(
      "SELECT {} FROM (SELECT t.* FROM read_parquet([{}], hive_partitioning=false, filename=true, "
      "file_row_number=true) t{}){} ORDER BY list_position([{}], filename), file_row_number",
      columns, paths, current_sql(schema, fs::absolute(folder).lexically_normal()), condition,
      paths));
}

Status Snapshot::Impl::check_table(std::string_view table) const {
  for (const SegmentRecord& segment : segments) {
    const bool replaced = segment.table == "superseded_rows" && segment.product == table;
    if (segment.table == table || replaced) YL_TRY(checked->check(files, folder, segment));
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
  const std::string condition =
      trim(where).empty() ? std::string() : fmt::format(" WHERE (\n{}\n)", where);
  const TableSchema& schema = *find_table(table);
  const bool corrected = !impl_->current_sql(schema, impl_->folder).empty();
  YL_ASSIGN(Table found, corrected ? impl_->read_in_order(schema, join(names, ", "), condition)
                                   : query(fmt::format("SELECT {} FROM {}{}", join(names, ", "),
                                                       sql_name(table), condition)));
  found.rename(std::string(table));
  return found;
}

Result<Table> Snapshot::query(std::string_view sql) const {
  std::set<std::string> tables = tables_of(sql);
  for (const std::string& table : tables) YL_TRY(impl_->check_table(table));
  const std::string lower = to_lower(sql);
  for (const std::string& table : std::vector<std::string>(tables.begin(), tables.end())) {
    std::string history = table + std::string(kHistorySuffix);
    if (lower.find(history) != std::string::npos) tables.insert(std::move(history));
  }
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
  YL_ASSIGN(auto superseded, catalog.superseded(wanted));
  // `new` and braces: an aggregate that holds a mutex can be made in place in no other way.
  std::shared_ptr<const Snapshot::Impl> impl(new Snapshot::Impl{store.files,
                                                                store.folder,
                                                                store.options.threads,
                                                                std::move(pin),
                                                                std::move(catalog),
                                                                std::move(about),
                                                                std::move(segments),
                                                                store.checked,
                                                                std::move(superseded),
                                                                {},
                                                                {},
                                                                {}});
  return Snapshot(std::move(impl));
}

}  // namespace yieldloop::store

#include "engine/store/corrections.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/text.h"
#include "engine/store/query_engine.h"
#include "engine/store/sql.h"

namespace yieldloop::store {
namespace {

/// Sources that may hold the same keys, oldest first: only those that overlap another one of which
/// at least one is new.
std::vector<std::int64_t> contested(const std::vector<ExtentRecord>& old,
                                    const std::vector<ExtentRecord>& added) {
  std::vector<std::int64_t> sources;
  const auto meets_added = [&](const ExtentRecord& extent) {
    return std::ranges::any_of(added, [&](const ExtentRecord& other) {
      return other.source != extent.source && other.overlaps(extent);
    });
  };
  const auto meets_old = [&](const ExtentRecord& extent) {
    return std::ranges::any_of(old, [&](const ExtentRecord& o) { return o.overlaps(extent); });
  };
  for (const ExtentRecord& extent : old) {
    if (meets_added(extent)) sources.push_back(extent.source);
  }
  for (const ExtentRecord& extent : added) {
    if (meets_old(extent) || meets_added(extent)) sources.push_back(extent.source);
  }
  return sources;
}

std::string paths_sql(const std::vector<std::string>& paths) {
  return fmt::format("read_parquet([{}], hive_partitioning=false)", join(paths, ", "));
}

std::string query_sql(const RowKind& kind, const std::vector<std::string>& paths,
                      const std::vector<std::int64_t>& sources, const std::string& superseded) {
  std::vector<std::string> order;
  for (const std::int64_t source : sources) {
    order.push_back(fmt::format("({}, {})", source, order.size()));
  }
  std::vector<std::string> key;
  for (const std::string_view column : kind.key) key.push_back(sql_name(column));
  std::string where;
  if (!kind.unless_set.empty()) {
    where += fmt::format(" WHERE coalesce({}, '') = ''", sql_name(kind.unless_set));
  }
  if (!superseded.empty()) {
    where += fmt::format(
        "{} NOT EXISTS (SELECT 1 FROM ({}) s WHERE s.row_source = r.source AND "
        "s.row = r.source_row)",
        where.empty() ? " WHERE" : " AND", superseded);
  }
  return fmt::format(
      "WITH o(source, nth) AS (VALUES {0}), ranked AS (SELECT r.source, r.source_row, o.nth, "
      "max(o.nth) OVER (PARTITION BY {1}) AS newest FROM {2} r JOIN o ON o.source = r.source{3}) "
      "SELECT ranked.source, ranked.source_row, o.source AS by_source FROM ranked JOIN o ON o.nth "
      "= "
      "ranked.newest WHERE ranked.nth < ranked.newest ORDER BY 1, 2",
      join(order, ", "), join(key, ", "), paths_sql(paths), where);
}

}  // namespace

std::string superseded_sql(std::span<const SegmentRecord> segments, const fs::path& root,
                           const std::string& table) {
  std::vector<std::string> paths;
  for (const SegmentRecord& s : segments) {
    if (s.table == "superseded_rows" && s.product == table) {
      paths.push_back(sql_text((root / s.path).string()));
    }
  }
  if (paths.empty()) return {};
  return fmt::format(
      "SELECT row_source, row, max(by_source) AS by_source FROM {} GROUP BY row_source, row",
      paths_sql(paths));
}

Result<Table> replaced_rows(Store::Impl& store, std::int64_t latest, const std::string& table,
                            const std::vector<fs::path>& fresh,
                            std::span<const ExtentRecord> added) {
  Table found = Table::of("superseded_rows");
  const RowKind* kind = find_row_kind(table);
  std::vector<ExtentRecord> of_table;
  for (const ExtentRecord& extent : added) {
    if (extent.table == table) of_table.push_back(extent);
  }
  if (kind == nullptr || of_table.empty()) return found;
  YL_ASSIGN(const auto old, store.catalog.extents(table));
  const auto sources = contested(old, of_table);
  if (sources.empty()) return found;

  YL_ASSIGN(const auto segments, store.catalog.segments(latest));
  std::vector<std::string> paths;
  for (const SegmentRecord& s : segments) {
    const bool needed = s.table == table || (s.table == "superseded_rows" && s.product == table);
    if (needed) YL_TRY(store.checked->check(store.files, store.folder, s));
    if (s.table == table) paths.push_back(sql_text((store.folder / s.path).string()));
  }
  for (const fs::path& file : fresh) paths.push_back(sql_text(file.string()));
  YL_ASSIGN(const auto engine, QueryEngine::open(store.options.threads));
  YL_ASSIGN(const Table rows,
            engine->query(
                query_sql(*kind, paths, sources, superseded_sql(segments, store.folder, table))));
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    found["table_name"].add_text(table);
    found["row_source"].add_int(rows.column(0).as_int(r));
    found["row"].add_int(rows.column(1).as_int(r));
    found["by_source"].add_int(rows.column(2).as_int(r));
    found[kSourceColumn].add_int(rows.column(2).as_int(r));
    found[kSourceRowColumn].add_int(static_cast<std::int64_t>(r));
  }
  return found;
}

}  // namespace yieldloop::store

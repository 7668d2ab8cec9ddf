#include "engine/store/catalog.h"

#include <fmt/format.h>

#include <system_error>

#include "engine/core/text.h"

namespace yieldloop::store {
namespace {

constexpr const char* kTables = R"(
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS snapshots(
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, note TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS segments(
  id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, table_name TEXT NOT NULL,
  product TEXT NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
  snapshot_added INTEGER NOT NULL, snapshot_removed INTEGER);
CREATE TABLE IF NOT EXISTS sources(
  sha256 TEXT PRIMARY KEY, id INTEGER NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,
  reader TEXT NOT NULL, version TEXT NOT NULL, status TEXT NOT NULL, rows INTEGER NOT NULL,
  counts TEXT NOT NULL, message TEXT NOT NULL, rejects_total INTEGER NOT NULL,
  ingested_at INTEGER NOT NULL, snapshot INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rejects(
  source TEXT NOT NULL, ordinal INTEGER NOT NULL, id TEXT NOT NULL, line INTEGER,
  byte_offset INTEGER NOT NULL, record INTEGER NOT NULL, bytes_dropped INTEGER NOT NULL,
  message TEXT NOT NULL, PRIMARY KEY(source, ordinal)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blobs(
  sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, name TEXT NOT NULL, snapshot INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quarantine(
  sha256 TEXT PRIMARY KEY, name TEXT NOT NULL, size INTEGER NOT NULL, reader TEXT NOT NULL,
  id TEXT NOT NULL, message TEXT NOT NULL, seen_at INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO snapshots VALUES(0, 0, 'created');
INSERT OR IGNORE INTO meta VALUES('schema_version', '1');
COMMIT;
)";

/// From version 1 to 2: what rows speak of, and the archive that a file came in.
constexpr const char* kSecondVersion = R"(
BEGIN IMMEDIATE;
ALTER TABLE sources ADD COLUMN container TEXT NOT NULL DEFAULT '';
CREATE TABLE keys(
  kind TEXT NOT NULL, key TEXT NOT NULL, source INTEGER NOT NULL, id TEXT NOT NULL,
  rank INTEGER NOT NULL, snapshot INTEGER NOT NULL, by_source INTEGER, superseded_at INTEGER,
  PRIMARY KEY(kind, key, source, id)) WITHOUT ROWID;
CREATE INDEX keys_superseded ON keys(superseded_at) WHERE superseded_at IS NOT NULL;
CREATE TABLE extents(
  ordinal INTEGER PRIMARY KEY, table_name TEXT NOT NULL, source INTEGER NOT NULL,
  first INTEGER NOT NULL, last INTEGER NOT NULL, snapshot INTEGER NOT NULL,
  UNIQUE(table_name, source));
UPDATE meta SET value='2' WHERE key='schema_version';
COMMIT;
)";

Error no_store(const fs::path& path) {
  return {Errc::kNotFound, "STOR-0001",
          fmt::format("There is no store at {}; ingest something or name another with --store.",
                      path.parent_path().string())};
}

std::string_view to_word(SourceStatus status) {
  return status == SourceStatus::kOk ? "ok" : "partial";
}

std::int64_t known_or_now(UtcMicros time) { return (time.known() ? time : now_utc()).count; }

std::int64_t i64(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t u64(std::int64_t value) { return static_cast<std::uint64_t>(value); }

Sha256Digest digest_from_hex(const std::string& hex) {
  Sha256Digest digest;
  for (std::size_t i = 0; i < digest.bytes.size() && 2 * i + 1 < hex.size(); ++i) {
    std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, digest.bytes[i], 16);
  }
  return digest;
}

SegmentRecord segment_of(const Statement& row) {
  return {.path = row.text(0),
          .table = row.text(1),
          .product = row.text(2),
          .rows = u64(row.integer(3)),
          .bytes = u64(row.integer(4)),
          .sha256 = row.text(5),
          .added = row.integer(6),
          .removed = row.maybe_integer(7)};
}

constexpr std::string_view kSegmentColumns =
    "SELECT path, table_name, product, rows, bytes, sha256, snapshot_added, snapshot_removed "
    "FROM segments ";

/// Every row of a statement through `convert`.
template <class Convert>
auto collect(Statement& statement, Convert convert)
    -> Result<std::vector<decltype(convert(statement))>> {
  std::vector<decltype(convert(statement))> rows;
  for (;;) {
    YL_ASSIGN(const bool more, statement.step());
    if (!more) return rows;
    rows.push_back(convert(statement));
  }
}

Result<std::int64_t> version_of(const Database& database, const fs::path& path) {
  YL_ASSIGN(auto statement, database.prepare("SELECT value FROM meta WHERE key='schema_version'"));
  YL_ASSIGN(const bool found, statement.step());
  if (!found) return no_store(path);
  const auto version = parse_int(statement.text(0));
  if (version && *version >= kOldestVersion && *version <= kStoreVersion) return *version;
  return Error{Errc::kDamaged, "STOR-0002",
               fmt::format("The store at {} has version {}, this program reads version {}; use the "
                           "program that wrote it or a newer one.",
                           path.parent_path().string(), statement.text(0), kStoreVersion)};
}

}  // namespace

Result<Catalog> Catalog::open(const fs::path& path, Mode mode) {
  std::error_code ignored;
  if (mode != Mode::kCreate && !fs::exists(path, ignored)) return no_store(path);
  const auto access = mode == Mode::kRead    ? Database::Access::kRead
                      : mode == Mode::kWrite ? Database::Access::kWrite
                                             : Database::Access::kCreate;
  YL_ASSIGN(auto database, Database::open(path, access));
  YL_ASSIGN(auto has_meta, database.integer("SELECT 1 FROM sqlite_master WHERE name='meta'"));
  if (!has_meta && mode == Mode::kRead) return no_store(path);
  std::int64_t version = kOldestVersion;
  if (has_meta) {
    YL_ASSIGN(version, version_of(database, path));
  }
  if (mode != Mode::kRead) {
    YL_TRY(database.run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"));
    if (!has_meta) YL_TRY(database.run(kTables));
    if (version < kStoreVersion) YL_TRY(database.run(kSecondVersion));
    version = kStoreVersion;
  }
  return Catalog(std::move(database), version);
}

Result<std::int64_t> Catalog::latest_snapshot() const {
  YL_ASSIGN(const auto number, database_.integer("SELECT max(number) FROM snapshots"));
  return number.value_or(0);
}

Result<SnapshotRecord> Catalog::snapshot(std::int64_t number) const {
  YL_ASSIGN(auto statement,
            database_.prepare("SELECT number, at, note FROM snapshots WHERE number=?"));
  YL_ASSIGN(const bool found, statement.bind(number).step());
  if (!found) {
    return Error{
        Errc::kNotFound, "STOR-0007",
        fmt::format("The store has no snapshot {}; `store info` lists those it keeps.", number)};
  }
  return SnapshotRecord{statement.integer(0), UtcMicros{statement.integer(1)}, statement.text(2)};
}

Result<std::vector<SnapshotRecord>> Catalog::snapshots() const {
  YL_ASSIGN(auto statement,
            database_.prepare("SELECT number, at, note FROM snapshots ORDER BY number"));
  return collect(statement, [](const Statement& row) {
    return SnapshotRecord{row.integer(0), UtcMicros{row.integer(1)}, row.text(2)};
  });
}

Result<std::vector<SegmentRecord>> Catalog::segments(std::int64_t snapshot) const {
  YL_ASSIGN(auto statement,
            database_.prepare(std::string(kSegmentColumns) +
                              "WHERE snapshot_added <= ?1 AND (snapshot_removed IS NULL OR "
                              "snapshot_removed > ?1) ORDER BY snapshot_added, path"));
  statement.bind(snapshot);
  return collect(statement, segment_of);
}

Result<std::vector<SegmentRecord>> Catalog::all_segments() const {
  YL_ASSIGN(auto statement,
            database_.prepare(std::string(kSegmentColumns) + "ORDER BY snapshot_added, path"));
  return collect(statement, segment_of);
}

Result<std::vector<BlobRecord>> Catalog::blobs() const {
  YL_ASSIGN(auto statement,
            database_.prepare("SELECT sha256, size, name FROM blobs ORDER BY sha256"));
  return collect(statement, [](const Statement& row) {
    return BlobRecord{row.text(0), u64(row.integer(1)), row.text(2)};
  });
}

Result<std::optional<BlobRecord>> Catalog::blob(const std::string& sha256) const {
  YL_ASSIGN(auto statement,
            database_.prepare("SELECT sha256, size, name FROM blobs WHERE sha256=?"));
  YL_ASSIGN(const bool found, statement.bind(sha256).step());
  if (!found) return std::optional<BlobRecord>();
  return std::optional(BlobRecord{statement.text(0), u64(statement.integer(1)), statement.text(2)});
}

Result<bool> Catalog::has_source(const std::string& sha256) const {
  YL_ASSIGN(auto statement, database_.prepare("SELECT 1 FROM sources WHERE sha256=?"));
  return statement.bind(sha256).step();
}

Result<bool> Catalog::has_blob(const std::string& sha256) const {
  YL_ASSIGN(auto statement, database_.prepare("SELECT 1 FROM blobs WHERE sha256=?"));
  return statement.bind(sha256).step();
}

Result<std::vector<SourceRecord>> Catalog::sources(std::int64_t snapshot) const {
  YL_ASSIGN(auto statement,
            database_.prepare(fmt::format(
                "SELECT sha256, name, size, reader, version, status, rows, counts, message, "
                "rejects_total, ingested_at, snapshot, {} FROM sources WHERE snapshot <= ? "
                "ORDER BY name, sha256",
                version_ == 1 ? "''" : "container")));
  statement.bind(snapshot);
  return collect(statement, [](const Statement& row) {
    SourceRecord source;
    source.digest = digest_from_hex(row.text(0));
    source.name = row.text(1);
    source.size = u64(row.integer(2));
    source.reader = row.text(3);
    source.version = row.text(4);
    source.status = row.text(5) == "ok" ? SourceStatus::kOk : SourceStatus::kPartial;
    source.rows = u64(row.integer(6));
    source.counts_json = row.text(7);
    source.message = row.text(8);
    source.rejects_total = u64(row.integer(9));
    source.ingested_at = UtcMicros{row.integer(10)};
    source.snapshot = row.integer(11);
    source.container = row.text(12);
    return source;
  });
}

Result<std::vector<SourceReject>> Catalog::rejects(const std::string& source) const {
  YL_ASSIGN(auto statement,
            database_.prepare("SELECT id, byte_offset, line, record, bytes_dropped, message "
                              "FROM rejects WHERE source=? ORDER BY ordinal"));
  statement.bind(source);
  return collect(statement, [](const Statement& row) {
    SourceReject reject{row.text(0),         u64(row.integer(1)), std::nullopt,
                        u64(row.integer(3)), u64(row.integer(4)), row.text(5)};
    if (const auto line = row.maybe_integer(2)) reject.line = u64(*line);
    return reject;
  });
}

Result<std::vector<QuarantineRecord>> Catalog::quarantine() const {
  YL_ASSIGN(auto statement,
            database_.prepare("SELECT sha256, name, size, reader, id, message, seen_at "
                              "FROM quarantine ORDER BY name, sha256"));
  return collect(statement, [](const Statement& row) {
    return QuarantineRecord{digest_from_hex(row.text(0)),
                            row.text(1),
                            u64(row.integer(2)),
                            row.text(3),
                            row.text(4),
                            row.text(5),
                            UtcMicros{row.integer(6)}};
  });
}

Result<std::vector<SupersededRecord>> Catalog::superseded(std::int64_t snapshot) const {
  if (version_ == 1) return std::vector<SupersededRecord>();
  YL_ASSIGN(auto statement,
            database_.prepare("SELECT kind, key, id, source, by_source FROM keys "
                              "WHERE superseded_at IS NOT NULL AND superseded_at <= ?1 "
                              "AND snapshot <= ?1 ORDER BY kind, key, source, id"));
  statement.bind(snapshot);
  return collect(statement, [](const Statement& row) {
    return SupersededRecord{row.text(0), row.text(1), row.text(2), row.integer(3), row.integer(4)};
  });
}

Result<std::vector<ExtentRecord>> Catalog::extents(const std::string& table) const {
  if (version_ == 1) return std::vector<ExtentRecord>();
  YL_ASSIGN(auto statement, database_.prepare("SELECT table_name, source, first, last FROM extents "
                                              "WHERE table_name=? ORDER BY ordinal"));
  statement.bind(table);
  return collect(statement, [](const Statement& row) {
    return ExtentRecord{row.text(0), row.integer(1), row.integer(2), row.integer(3)};
  });
}

Status Catalog::insert_keys(const CatalogChange& change, std::int64_t number) {
  if (change.keys.empty()) return Ok{};
  YL_ASSIGN(auto better, database_.prepare("SELECT source FROM keys WHERE kind=? AND key=? AND "
                                           "source<>? AND rank>? AND superseded_at IS NULL"));
  YL_ASSIGN(auto replace, database_.prepare("UPDATE keys SET by_source=?3, superseded_at=?5 WHERE "
                                            "kind=?1 AND key=?2 AND source<>?3 AND rank<=?4 AND "
                                            "superseded_at IS NULL"));
  YL_ASSIGN(auto insert, database_.prepare("INSERT OR REPLACE INTO keys VALUES(?,?,?,?,?,?,?,?)"));
  for (const KeyRecord& k : change.keys) {
    // What came whole is not replaced by what came cut short, whatever the order.
    better.bind(k.kind).bind(k.key).bind(k.source).bind(std::int64_t{k.rank});
    YL_ASSIGN(const bool outdone, better.step());
    const auto by = outdone ? std::optional(better.integer(0)) : std::nullopt;
    YL_TRY(better.run());
    replace.bind(k.kind).bind(k.key).bind(k.source).bind(std::int64_t{k.rank});
    YL_TRY(replace.bind(number).run());
    insert.bind(k.kind).bind(k.key).bind(k.source).bind(k.id).bind(std::int64_t{k.rank});
    insert.bind(number).bind(by).bind(outdone ? std::optional(number) : std::nullopt);
    YL_TRY(insert.run());
  }
  return Ok{};
}

Status Catalog::insert_extents(const CatalogChange& change, std::int64_t number) {
  if (change.extents.empty()) return Ok{};
  YL_ASSIGN(auto insert, database_.prepare("INSERT OR REPLACE INTO extents(table_name, source, "
                                           "first, last, snapshot) VALUES(?,?,?,?,?)"));
  for (const ExtentRecord& e : change.extents) {
    YL_TRY(insert.bind(e.table).bind(e.source).bind(e.from).bind(e.to).bind(number).run());
  }
  return Ok{};
}

Status Catalog::insert_segments(const CatalogChange& change, std::int64_t number) {
  YL_ASSIGN(auto insert, database_.prepare("INSERT INTO segments(path, table_name, product, rows, "
                                           "bytes, sha256, snapshot_added) VALUES(?,?,?,?,?,?,?)"));
  for (const SegmentRecord& s : change.segments) {
    insert.bind(s.path).bind(s.table).bind(s.product).bind(i64(s.rows)).bind(i64(s.bytes));
    YL_TRY(insert.bind(s.sha256).bind(number).run());
  }
  YL_ASSIGN(auto remove, database_.prepare("UPDATE segments SET snapshot_removed=? WHERE path=?"));
  for (const std::string& path : change.removed_segments) {
    YL_TRY(remove.bind(number).bind(path).run());
  }
  return Ok{};
}

Status Catalog::insert_sources(const CatalogChange& change, std::int64_t number) {
  YL_ASSIGN(auto insert,
            database_.prepare("INSERT INTO sources VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  YL_ASSIGN(auto release, database_.prepare("DELETE FROM quarantine WHERE sha256=?"));
  YL_ASSIGN(auto reject, database_.prepare("INSERT INTO rejects VALUES(?,?,?,?,?,?,?,?)"));
  for (const SourceRecord& s : change.sources) {
    const std::string hex = s.digest.hex();
    insert.bind(hex).bind(s.digest.short_id()).bind(to_valid_utf8(s.name)).bind(i64(s.size));
    insert.bind(s.reader).bind(to_valid_utf8(s.version)).bind(to_word(s.status)).bind(i64(s.rows));
    insert.bind(s.counts_json).bind(to_valid_utf8(s.message)).bind(i64(s.rejects_total));
    YL_TRY(insert.bind(known_or_now(s.ingested_at)).bind(number).bind(s.container).run());
    YL_TRY(release.bind(hex).run());
    std::int64_t ordinal = 0;
    for (const SourceReject& r : s.rejects) {
      reject.bind(hex).bind(ordinal++).bind(r.id);
      reject.bind(r.line ? std::optional(i64(*r.line)) : std::nullopt);
      reject.bind(i64(r.byte_offset)).bind(i64(r.record)).bind(i64(r.bytes_dropped));
      YL_TRY(reject.bind(to_valid_utf8(r.message)).run());
    }
  }
  return Ok{};
}

Status Catalog::insert_quarantine(const CatalogChange& change) {
  YL_ASSIGN(auto insert,
            database_.prepare("INSERT OR REPLACE INTO quarantine VALUES(?,?,?,?,?,?,?)"));
  for (const QuarantineRecord& q : change.quarantined) {
    insert.bind(q.digest.hex()).bind(to_valid_utf8(q.name)).bind(i64(q.size)).bind(q.reader);
    YL_TRY(insert.bind(q.id).bind(to_valid_utf8(q.message)).bind(known_or_now(q.seen_at)).run());
  }
  return Ok{};
}

Status Catalog::insert_blobs(const CatalogChange& change, std::int64_t number) {
  YL_ASSIGN(auto insert, database_.prepare("INSERT OR IGNORE INTO blobs VALUES(?,?,?,?)"));
  for (const BlobRecord& b : change.blobs) {
    YL_TRY(insert.bind(b.sha256).bind(i64(b.size)).bind(to_valid_utf8(b.name)).bind(number).run());
  }
  return Ok{};
}

Result<std::int64_t> Catalog::insert_all(const CatalogChange& change) {
  YL_ASSIGN(const std::int64_t latest, latest_snapshot());
  const std::int64_t number = latest + 1;
  YL_ASSIGN(auto insert, database_.prepare("INSERT INTO snapshots VALUES(?,?,?)"));
  YL_TRY(insert.bind(number).bind(now_utc().count).bind(to_valid_utf8(change.note)).run());
  YL_TRY(insert_segments(change, number));
  YL_TRY(insert_sources(change, number));
  YL_TRY(insert_quarantine(change));
  YL_TRY(insert_blobs(change, number));
  YL_TRY(insert_keys(change, number));
  YL_TRY(insert_extents(change, number));
  YL_TRY(database_.run("COMMIT"));
  return number;
}

Result<std::int64_t> Catalog::commit(const CatalogChange& change) {
  YL_TRY(database_.run("BEGIN IMMEDIATE"));
  auto number = insert_all(change);
  // A failed COMMIT may have ended the transaction itself; a second end is harmless.
  if (!number) (void)database_.run("ROLLBACK");
  return number;
}

Result<std::vector<std::string>> Catalog::forget_before(std::int64_t oldest) {
  YL_ASSIGN(auto select,
            database_.prepare("SELECT path FROM segments WHERE snapshot_removed <= ?"));
  select.bind(oldest);
  YL_ASSIGN(auto paths, collect(select, [](const Statement& row) { return row.text(0); }));
  YL_TRY(
      database_.run(fmt::format("BEGIN IMMEDIATE; DELETE FROM segments WHERE snapshot_removed <= "
                                "{0}; DELETE FROM snapshots WHERE number < {0}; COMMIT;",
                                oldest)));
  return paths;
}

}  // namespace yieldloop::store

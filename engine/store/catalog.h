/// \file
/// The store's ledger: which segments make up which snapshot, which files were read, what was
/// refused. One SQLite database (WAL, synchronous=FULL); a commit is one transaction in it.
/// Internal to the store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/core/sha256.h"
#include "engine/store/keys.h"
#include "engine/store/records.h"
#include "engine/store/sqlite.h"

namespace yieldloop::store {

/// Raised with every change of the catalog or of a table that an older program cannot read.
inline constexpr std::int64_t kStoreVersion = 2;
/// The oldest that is still read; opened for writing, it is brought up to date.
inline constexpr std::int64_t kOldestVersion = 1;

/// Everything one commit adds.
struct CatalogChange {
  std::string note;
  std::vector<SegmentRecord> segments;        ///< `added` is filled by the catalog.
  std::vector<std::string> removed_segments;  ///< Paths that the new snapshot no longer shows.
  std::vector<SourceRecord> sources;
  std::vector<QuarantineRecord> quarantined;
  std::vector<BlobRecord> blobs;
  std::vector<KeyRecord> keys;        ///< In the order of their sources.
  std::vector<ExtentRecord> extents;  ///< Likewise.
};

/// A document or keyed row that a snapshot no longer counts.
struct SupersededRecord {
  std::string kind;
  std::string key;
  std::string id;
  std::int64_t source = 0;
  std::int64_t by_source = 0;
};

/// One connection; serialised by SQLite, so usable from several threads.
class Catalog {
 public:
  enum class Mode : std::uint8_t { kRead, kWrite, kCreate };
  /// kCreate makes the tables where there are none. Errors: kNotFound (STOR-0001) when there is
  /// no catalog; kDamaged (STOR-0002) when a newer program wrote it; as Database.
  static Result<Catalog> open(const fs::path& path, Mode mode);

  Result<std::int64_t> latest_snapshot() const;
  /// Errors: kNotFound (STOR-0007).
  Result<SnapshotRecord> snapshot(std::int64_t number) const;
  Result<std::vector<SnapshotRecord>> snapshots() const;
  /// The segments a snapshot shows, in the order they were added.
  Result<std::vector<SegmentRecord>> segments(std::int64_t snapshot) const;
  /// With those that newer snapshots no longer show.
  Result<std::vector<SegmentRecord>> all_segments() const;
  Result<std::vector<BlobRecord>> blobs() const;
  Result<std::optional<BlobRecord>> blob(const std::string& sha256) const;
  Result<bool> has_source(const std::string& sha256) const;
  Result<bool> has_blob(const std::string& sha256) const;
  /// Sources up to a snapshot, by name and digest; without their rejects.
  Result<std::vector<SourceRecord>> sources(std::int64_t snapshot) const;
  Result<std::vector<SourceReject>> rejects(const std::string& source) const;
  Result<std::vector<QuarantineRecord>> quarantine() const;
  /// What is replaced as of a snapshot.
  Result<std::vector<SupersededRecord>> superseded(std::int64_t snapshot) const;
  /// Sources with timed rows of a table, oldest first.
  Result<std::vector<ExtentRecord>> extents(const std::string& table) const;

  /// All or nothing; returns the new snapshot's number.
  Result<std::int64_t> commit(const CatalogChange& change);
  /// Forgets segments no snapshot from `oldest` on shows, and the snapshots before it; returns
  /// the forgotten paths.
  Result<std::vector<std::string>> forget_before(std::int64_t oldest);

  const Database& database() const { return database_; }

 private:
  Catalog(Database database, std::int64_t version)
      : database_(std::move(database)), version_(version) {}
  Status insert_segments(const CatalogChange& change, std::int64_t number);
  Status insert_sources(const CatalogChange& change, std::int64_t number);
  Status insert_quarantine(const CatalogChange& change);
  Status insert_blobs(const CatalogChange& change, std::int64_t number);
  Status insert_keys(const CatalogChange& change, std::int64_t number);
  Status insert_extents(const CatalogChange& change, std::int64_t number);
  Result<std::int64_t> insert_all(const CatalogChange& change);

  Database database_;
  std::int64_t version_;
};

}  // namespace yieldloop::store

/// \file
/// The rows of the store's ledger: sources, rejects, segments, snapshots, blobs, quarantine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/sha256.h"
#include "engine/core/time.h"

namespace yieldloop::store {

/// Input that a reader dropped, kept with the source it came from.
struct SourceReject {
  std::string id;  ///< Catalogue id, e.g. STDF-0002.
  std::uint64_t byte_offset = 0;
  std::optional<std::uint64_t> line;
  std::uint64_t record = 0;
  std::uint64_t bytes_dropped = 0;
  std::string message;
  friend bool operator==(const SourceReject&, const SourceReject&) = default;
};

enum class SourceStatus : std::uint8_t { kOk, kPartial };

/// A file whose rows are in the store. Its digest is its identity: it is read once, ever.
struct SourceRecord {
  Sha256Digest digest;
  std::string name;  ///< File name it came under; data, never a path to open.
  std::uint64_t size = 0;
  std::string reader;
  std::string version;
  SourceStatus status = SourceStatus::kOk;
  std::uint64_t rows = 0;
  std::string counts_json = "{}";
  std::string message;
  std::uint64_t rejects_total = 0;
  std::vector<SourceReject> rejects;  ///< The first ones; only written, see Snapshot::rejects.
  UtcMicros ingested_at;              ///< Unknown: set at the commit.
  std::int64_t snapshot = 0;          ///< Set at the commit.
  std::string container;              ///< SHA-256 in hex of the archive it came in; or empty.
};

/// A file that was refused whole. It is tried again when it comes again.
struct QuarantineRecord {
  Sha256Digest digest;
  std::string name;
  std::uint64_t size = 0;
  std::string reader;  ///< Empty when no reader knew it.
  std::string id;
  std::string message;
  UtcMicros seen_at;  ///< Unknown: set at the commit.
};

struct SegmentRecord {
  std::string path;  ///< Below the store, e.g. "segments/defects/product=DEMO28/....parquet".
  std::string table;
  std::string product;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::string sha256;
  std::int64_t added = 0;
  std::optional<std::int64_t> removed;
  friend bool operator==(const SegmentRecord&, const SegmentRecord&) = default;
};

struct SnapshotRecord {
  std::int64_t number = 0;
  UtcMicros at;
  std::string note;
};

struct BlobRecord {
  std::string sha256;
  std::uint64_t size = 0;
  std::string name;
};

}  // namespace yieldloop::store

/// \file
/// Encodes the basic types of OASIS and packs records into CBLOCKs; for this folder's sources.
///
/// Source: SEMI P39 (OASIS), section 7 and record 34.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/geometry/point.h"
#include "ingest/readers/byte_sink.h"
#include "ingest/readers/oasis/oasis_records.h"
#include "ingest/readers/oasis/repetition_finder.h"

namespace yieldloop::ingest::oasis {

/// Bytes of records to be.
class RecordBytes {
 public:
  void byte(std::uint8_t value) { bytes_.push_back(static_cast<std::byte>(value)); }
  void id(RecordId id) { byte(static_cast<std::uint8_t>(id)); }
  void unsigned_int(std::uint64_t value);
  void signed_int(geometry::Coord value);
  /// A whole number when it is one, else the eight bytes of a double.
  void real(double value);
  void string(std::string_view value);
  void g_delta(geometry::Point step);
  void append(Bytes more);

  Bytes view() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  void clear() { bytes_.clear(); }
  friend bool operator==(const RecordBytes&, const RecordBytes&) = default;

 private:
  std::vector<std::byte> bytes_;
};

/// Of two places or more. The shortest type that fits, on a grid where that helps.
void put_repetition(const PlaceGroup& group, RecordBytes& out);

/// The points' steps, in the shortest type that fits. Shape: points as drawn; a polygon's last
/// corner leads back to its first.
void put_point_list(std::span<const geometry::Point> points, bool polygon, RecordBytes& out);

/// Hands bytes on, counts them and keeps their CRC; cuts what is packed into CBLOCKs.
class OasisOutput {
 public:
  explicit OasisOutput(ByteSink out) : out_(out) {}

  std::uint64_t position() const { return position_; }
  std::uint32_t crc() const { return crc_; }
  /// Whole records, as they are.
  Status plain(const RecordBytes& records);
  /// Whole records, in a CBLOCK where that is shorter.
  Status packed(const RecordBytes& records);

 private:
  Status put(Bytes bytes);

  ByteSink out_;
  std::uint64_t position_ = 0;
  std::uint32_t crc_ = 0;
  std::vector<std::byte> block_;
};

}  // namespace yieldloop::ingest::oasis

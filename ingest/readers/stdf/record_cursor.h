/// \file
/// Walks the record frames of an STDF V4 byte stream; knows nothing of what they mean.
///
///   file   := FAR record*
///   record := REC_LEN:u2  REC_TYP:u1  REC_SUB:u1  body[REC_LEN]
///
/// The byte order is that of the writing tester; the FAR's own REC_LEN states it (2 or 512) and
/// CPU_TYPE confirms it (1 big, 2 little). A `Record` is a view into a window that moves over the
/// stream, so memory stays bounded for a file of any size.
///
/// A disk or transfer fault leaves holes, mostly of zeros. A header that is neither a known type
/// nor followed by one is not believed: the cursor looks for the next place where three known
/// headers follow each other, reports the hole and goes on there.
///
/// Source: "Standard Test Data Format (STDF) Specification", version 4, Teradyne, sections
/// on the record header and the File Attributes Record.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "ingest/readers/diagnostics.h"
#include "ingest/readers/reader.h"
#include "ingest/readers/stdf/record_types.h"

namespace yieldloop::ingest::stdf {

struct Record {
  std::uint16_t code = 0;  ///< type_code(REC_TYP, REC_SUB).
  std::uint64_t ordinal = 0;
  std::uint64_t byte_offset = 0;    ///< Of the header.
  std::span<const std::byte> body;  ///< Shape: [REC_LEN] bytes, without the header.
  std::uint64_t line = 0;           ///< Of the ATDF line it was made from; 0 for STDF.
};

/// Whether a body ends in whole records of known types: its length is damaged then and took its
/// neighbours in. Cost: O(bytes).
bool holds_records(std::uint16_t code, std::span<const std::byte> body, std::endian order);

/// Not thread-safe.
class RecordCursor {
 public:
  /// Over bytes in memory, nothing copied. REQUIRES: bytes outlive the cursor.
  /// Errors: kFormat (STDF-0001) when bytes do not begin with a V4 FAR; kUnsupported (STDF-0003)
  /// for any CPU_TYPE but 1 and 2, such as 0 (VAX floats).
  static Result<RecordCursor> open(Bytes bytes);
  /// Over a stream, a window at a time. Errors: as above, and the stream's.
  static Result<RecordCursor> open(std::unique_ptr<ByteSource> source);

  /// The next whole record, or nothing at the end or when the stream failed (see `error`). The
  /// body holds until the next call. A frame that runs past the end is one reject (STDF-0002) and
  /// ends the walk; a hole is one reject (STDF-0004) and the walk goes on behind it.
  std::optional<Record> next(Rejects& rejects) {
    Record record;
    if (!next(record, rejects)) return std::nullopt;
    return record;
  }
  /// The same into a record of the caller's; false at the end.
  bool next(Record& record, Rejects& rejects) {
    const std::size_t rest = left();
    if (rest >= kHeaderSize) {
      const std::byte* at = window_.data() + position_;
      std::uint16_t length = 0;
      std::memcpy(&length, at, 2);
      if (order_ != std::endian::native) length = __builtin_bswap16(length);
      const std::uint16_t code =
          type_code(std::to_integer<unsigned>(at[2]), std::to_integer<unsigned>(at[3]));
      if (rest - kHeaderSize >= length && type_index(code) != 0) {
        record.code = code;
        record.ordinal = ordinal_++;
        record.byte_offset = base_ + position_;
        record.body = Bytes(at + kHeaderSize, length);
        position_ += kHeaderSize + length;
        return true;
      }
    }
    return next_slowly(record, rejects);
  }

  std::endian byte_order() const { return order_; }
  /// Whether the FAR's CPU_TYPE names the byte order in which its length is written.
  bool cpu_type_agrees() const { return cpu_type_agrees_; }
  /// What the stream failed with, if it did.
  const std::optional<Error>& error() const { return error_; }

  /// Where the file ended, once `next` returned nothing.
  std::uint64_t end_offset() const { return base_ + window_.size(); }
  /// Records handed out.
  std::uint64_t records() const { return ordinal_; }

 private:
  static constexpr std::size_t kHeaderSize = 4;

  RecordCursor() = default;
  bool next_slowly(Record& record, Rejects& rejects);
  static Result<RecordCursor> check_far(RecordCursor cursor);
  bool available(std::size_t bytes);
  void refill();
  std::size_t left() const { return window_.size() - position_; }
  std::uint16_t length_at(std::size_t at) const;
  std::uint16_t code_at(std::size_t at) const;
  bool is_known_header(std::size_t at) const;
  bool is_believable(std::size_t length);
  bool starts_a_chain(std::size_t at) const;
  bool find_next_record(Rejects& rejects);
  void reject(Rejects& rejects, std::uint64_t from, std::uint64_t to, std::string id,
              std::string message) const;

  std::unique_ptr<ByteSource> source_;  ///< Null when all bytes are in the window.
  std::vector<std::byte> buffer_;
  Bytes window_;
  std::size_t position_ = 0;  ///< Of the next header in the window.
  std::uint64_t base_ = 0;    ///< Of the window in the file.
  std::uint64_t ordinal_ = 0;
  std::endian order_ = std::endian::little;
  bool cpu_type_agrees_ = true;
  bool at_end_ = true;  ///< Nothing comes after the window.
  std::optional<Error> error_;
};

}  // namespace yieldloop::ingest::stdf

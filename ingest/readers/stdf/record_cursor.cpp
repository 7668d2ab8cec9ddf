#include "ingest/readers/stdf/record_cursor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace yieldloop::ingest::stdf {
namespace {

constexpr std::size_t kFarSize = 6;  // Header, CPU_TYPE, STDF_VER
constexpr std::size_t kLongestRecord = 4 + 65'535;
constexpr std::size_t kChain = 3;
constexpr std::size_t kLookAhead = kChain * kLongestRecord;
constexpr std::size_t kWindow = 1U << 20U;

std::uint8_t u1(Bytes bytes, std::size_t at) { return std::to_integer<std::uint8_t>(bytes[at]); }

}  // namespace

Result<RecordCursor> RecordCursor::open(Bytes bytes) {
  RecordCursor cursor;
  cursor.window_ = bytes;
  return check_far(std::move(cursor));
}

Result<RecordCursor> RecordCursor::open(std::unique_ptr<ByteSource> source) {
  RecordCursor cursor;
  cursor.source_ = std::move(source);
  cursor.buffer_.resize(kWindow);
  cursor.at_end_ = false;
  cursor.refill();
  if (cursor.error_) return *cursor.error_;
  return check_far(std::move(cursor));
}

Result<RecordCursor> RecordCursor::check_far(RecordCursor cursor) {
  const Bytes bytes = cursor.window_;
  const bool is_far = bytes.size() >= kFarSize && u1(bytes, 2) == 0 && u1(bytes, 3) == 10 &&
                      u1(bytes, 0) + u1(bytes, 1) == 2 && u1(bytes, 0) != 1;
  if (!is_far || u1(bytes, 5) != 4) {
    return Error{Errc::kFormat, "STDF-0001",
                 "The file does not start with an STDF V4 FAR record; only version 4 is read."};
  }
  if (const int cpu = u1(bytes, 4); cpu != 1 && cpu != 2) {
    return Error{
        Errc::kUnsupported, "STDF-0003",
        fmt::format("The numbers of CPU_TYPE {} ({}) are not read, only those of 1 and 2; let "
                    "the tester's host convert the file.",
                    cpu, cpu == 0 ? "VAX floating point" : "unknown")};
  }
  cursor.order_ = u1(bytes, 0) == 2 ? std::endian::little : std::endian::big;
  cursor.cpu_type_agrees_ = (u1(bytes, 4) == 2) == (cursor.order_ == std::endian::little);
  return cursor;
}

/// Moves what is left to the front of the buffer and fills the rest from the stream.
void RecordCursor::refill() {
  const std::size_t kept = left();
  if (kept > 0) std::memmove(buffer_.data(), window_.data() + position_, kept);
  base_ += position_;
  position_ = 0;
  auto got = source_->read(std::span(buffer_).subspan(kept));
  if (!got) error_ = got.error();
  const std::size_t fresh = got ? *got : 0;
  at_end_ = fresh < buffer_.size() - kept;
  window_ = Bytes(buffer_.data(), kept + fresh);
}

bool RecordCursor::available(std::size_t bytes) {
  if (left() >= bytes) return true;
  if (!at_end_) refill();
  return left() >= bytes;
}

std::uint16_t RecordCursor::length_at(std::size_t at) const {
  const unsigned first = u1(window_, at);
  const unsigned second = u1(window_, at + 1);
  return static_cast<std::uint16_t>(order_ == std::endian::big ? first << 8U | second
                                                               : second << 8U | first);
}

std::uint16_t RecordCursor::code_at(std::size_t at) const {
  return type_code(u1(window_, at + 2), u1(window_, at + 3));
}

/// REQUIRES: four bytes at `at` are in the window.
bool RecordCursor::is_known_header(std::size_t at) const {
  const RecordType* type = find_record_type(code_at(at));
  return type != nullptr && length_at(at) >= type->least;
}

/// Whether the record at the position may be taken at its word: its type is known, or it is a
/// private type and what follows it, over a few more private ones, is known.
bool RecordCursor::is_believable(std::size_t length) {
  constexpr std::size_t kPrivateChain = 16;
  const std::uint16_t code = code_at(position_);
  if (find_record_type(code) != nullptr) return true;
  std::size_t ahead = kHeaderSize + length;
  std::uint16_t type = code;
  for (std::size_t i = 0; i < kPrivateChain && ahead <= kLookAhead; ++i) {
    if ((type >> 8U) == 0) return false;  // Types 0.x are the standard's own; zeros are a hole.
    if (!available(ahead + kHeaderSize)) return left() == ahead;
    if (is_known_header(position_ + ahead)) return true;
    type = code_at(position_ + ahead);
    if (type == code) return true;
    ahead += kHeaderSize + length_at(position_ + ahead);
  }
  return false;
}

/// Whether known headers follow each other from `at`: kChain of them, or up to the very end.
bool RecordCursor::starts_a_chain(std::size_t at) const {
  for (std::size_t i = 0; i < kChain; ++i) {
    if (i > 0 && at == window_.size()) return at_end_;
    if (window_.size() - at < kHeaderSize || !is_known_header(at)) return false;
    at += kHeaderSize + length_at(at);
    if (at > window_.size()) return false;
  }
  return true;
}

void RecordCursor::reject(Rejects& rejects, std::uint64_t from, std::uint64_t to, std::string id,
                          std::string message) const {
  rejects.push_back({.byte_offset = from,
                     .line = std::nullopt,
                     .record = static_cast<std::size_t>(ordinal_),
                     .bytes_dropped = static_cast<std::size_t>(to - from),
                     .id = std::move(id),
                     .message = std::move(message)});
}

/// Goes to the next place where records start again; false when there is none.
bool RecordCursor::find_next_record(Rejects& rejects) {
  const std::uint64_t from = base_ + position_;
  bool found = false;
  while (!found && available(kHeaderSize)) {
    available(kLookAhead);
    while (!found && left() >= kHeaderSize && (at_end_ || left() >= kLookAhead)) {
      found = starts_a_chain(position_);
      if (!found) ++position_;
    }
  }
  if (!found) position_ = window_.size();
  const std::uint64_t to = base_ + position_;
  reject(rejects, from, to, "STDF-0004",
         fmt::format("{} bytes from offset {} are not records; reading {}.", to - from, from,
                     found ? "goes on behind them" : "ends here"));
  return found;
}

bool RecordCursor::next_slowly(Record& record, Rejects& rejects) {
  for (;;) {
    const bool has_header = available(kHeaderSize);
    if (error_ || left() == 0) return false;
    const std::size_t length = has_header ? length_at(position_) : 0;
    if (has_header && !is_believable(length)) {
      if (error_ || !find_next_record(rejects)) return false;
      continue;
    }
    if (!has_header || !available(kHeaderSize + length)) {
      if (error_) return false;
      reject(rejects, base_ + position_, base_ + window_.size(), "STDF-0002",
             "The file ends within a record; it was cut short.");
      position_ = window_.size();
      return false;
    }
    record.code = code_at(position_);
    record.ordinal = ordinal_++;
    record.byte_offset = base_ + position_;
    record.body = window_.subspan(position_ + kHeaderSize, length);
    position_ += kHeaderSize + length;
    return true;
  }
}

bool holds_records(std::uint16_t code, std::span<const std::byte> body, std::endian order) {
  const RecordType* type = find_record_type(code);
  const auto chain_from = [&](std::size_t at) {
    while (body.size() - at >= 4) {
      const unsigned first = u1(body, at);
      const unsigned second = u1(body, at + 1);
      const std::size_t length =
          order == std::endian::big ? first << 8U | second : second << 8U | first;
      const RecordType* next = find_record_type(type_code(u1(body, at + 2), u1(body, at + 3)));
      if (next == nullptr || length < next->least || length > body.size() - at - 4) return false;
      at += 4 + length;
    }
    return at == body.size();
  };
  for (std::size_t at = type == nullptr ? 1 : type->least; at + 4 <= body.size(); ++at) {
    // Records without any field are too easily found in numbers.
    if (body.size() - at > 4 && chain_from(at)) return true;
  }
  return false;
}

}  // namespace yieldloop::ingest::stdf

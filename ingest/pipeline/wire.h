/// \file
/// What the program and its reading processes say to each other, as bytes. Internal to the
/// pipeline.
///
/// A frame is a type, a length and a payload; numbers are native, both ends run on one machine.
/// The program trusts nothing it gets: every length is checked before it is used, and what is read
/// from shared memory is copied first and looked at afterwards, because the other side could change
/// it meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "engine/core/result.h"
#include "engine/store/table.h"
#include "ingest/pipeline/documents.h"

namespace yieldloop::ingest::wire {

enum class Type : std::uint32_t {
  // To the reading process.
  kRead = 1,    ///< A ReadRequest; the file's descriptor comes with it.
  kAnswer = 2,  ///< One byte: Receiver::Answer, to a kBegin of a member.
  kFree = 3,    ///< One byte: this slot may be used again.
  kStart = 4,   ///< Once, first: the text of mapping.toml, or nothing.
  // From the reading process.
  kReady = 10,     ///< Once: the fingerprint, and whether the sandbox is closed.
  kBegin = 11,     ///< A Document.
  kRows = 12,      ///< A batch.
  kSlotRows = 13,  ///< A batch in a slot: slot and length.
  kSlotKeep = 14,  ///< A piece of the document's bytes in a slot: slot and length.
  kEnd = 15,       ///< A CheckReport.
  kDone = 16,      ///< The request is dealt with.
};

struct Header {
  std::uint32_t type = 0;
  std::uint32_t size = 0;
};

inline constexpr std::size_t kLargestFrame = std::size_t{16} << 20;
inline constexpr std::size_t kSlotBytes = std::size_t{16} << 20;
inline constexpr std::size_t kSlots = 2;

/// The start of the shared area: what is known when a reading process dies.
struct State {
  char kind[64];             ///< The reader at work; not to be trusted.
  std::uint64_t member;      ///< Ordinal of the archive's member at work.
  std::int64_t system_call;  ///< The one that was forbidden; -1 when none was.
};
inline constexpr std::size_t kStateBytes = 4096;
inline constexpr std::size_t kSharedBytes = kStateBytes + kSlots * kSlotBytes;

/// Appends to a text.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  template <class T>
  Writer& number(T value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Writer& text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    out_.append(value);
    return *this;
  }

 private:
  std::string& out_;
};

/// Takes off the front; once something is missing, everything is and `good` says so.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  T number() {
    T value{};
    if (rest_.size() < sizeof value) {
      fail();
    } else {
      std::memcpy(&value, rest_.data(), sizeof value);
      rest_.remove_prefix(sizeof value);
    }
    return value;
  }
  std::string text() {
    const auto size = number<std::uint32_t>();
    if (size > rest_.size()) fail();
    if (!good_) return {};
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  /// A count of things that take at least `least` bytes each.
  std::uint32_t count(std::size_t least) {
    const auto n = number<std::uint32_t>();
    if (n > rest_.size() / least) fail();
    return good_ ? n : 0;
  }
  void fail() {
    good_ = false;
    rest_ = {};
  }
  bool good() const { return good_; }
  /// Whole and with nothing left over.
  bool finished() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

struct ReadRequest {
  Document whole;
  std::string name;  ///< Without folder.
  UnpackLimits unpack;
  std::uint64_t first_member = 0;
};

void put(Writer& out, const Document& document);
void put(Writer& out, const CheckReport& report);
void put(Writer& out, const ReadRequest& request);
/// Nothing when the payload is not exactly one of these.
std::optional<Document> document_in(std::string_view payload);
std::optional<CheckReport> report_in(std::string_view payload);
std::optional<ReadRequest> request_in(std::string_view payload);

/// Rows [from, to) of a batch into `room`; the `source` column is left out. Returns the bytes used,
/// 0 when they do not fit. REQUIRES: `room` starts at a multiple of 8.
std::size_t encode_rows(const store::Table& batch, std::size_t from, std::size_t to,
                        std::span<std::byte> room);
/// The most that encode_rows may need.
std::size_t encoded_bound(const store::Table& batch, std::size_t from, std::size_t to);
/// Nothing unless the bytes are a batch of a table of the store with its columns and types. The
/// `source` column comes back as zeros.
std::optional<store::Table> decode_rows(std::span<const std::byte> bytes);

}  // namespace yieldloop::ingest::wire

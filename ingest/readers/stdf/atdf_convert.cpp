#include "ingest/readers/stdf/atdf_convert.h"

#include <fmt/format.h>

#include <bitset>
#include <optional>

#include "ingest/readers/stdf/atdf_lines.h"
#include "ingest/readers/stdf/atdf_parser.h"
#include "ingest/readers/stdf/atdf_writer.h"
#include "ingest/readers/stdf/record_cursor.h"
#include "ingest/readers/stdf/record_rows.h"

namespace yieldloop::ingest::stdf {
namespace {

constexpr std::size_t kPending = std::size_t{1} << 20U;

/// Hands small pieces to the sink together.
class Pending {
 public:
  explicit Pending(ByteSink out) : out_(out) {}
  std::string& text() { return text_; }
  Status flush_if(std::size_t bytes) {
    if (text_.size() < bytes || text_.empty()) return Ok{};
    YL_TRY(out_(std::as_bytes(std::span(text_.data(), text_.size()))));
    text_.clear();
    return Ok{};
  }

 private:
  ByteSink out_;
  std::string text_;
};

void reject_cut(const Record& record, Rejects& rejects) {
  rejects.push_back(
      {.byte_offset = record.byte_offset,
       .line = std::nullopt,
       .record = static_cast<std::size_t>(record.ordinal),
       .bytes_dropped = record.body.size() + 4,
       .id = "STDF-0006",
       .message = fmt::format("A {} record ends inside a field.", name_of_type(record.code))});
}

/// Calls f(record, values) for every record; values are null for what cannot be taken apart.
template <class F>
Status for_each_record(Input& input, Rejects& rejects, F f) {
  YL_ASSIGN(auto source, input.stream());
  YL_ASSIGN(RecordCursor cursor, RecordCursor::open(std::move(source)));
  Record record;
  RecordValues values;
  while (cursor.next(record, rejects)) {
    const RecordLayout* layout = find_layout(record.code);
    const bool whole =
        layout != nullptr && decode(*layout, record.body, cursor.byte_order(), values);
    YL_TRY(f(record, whole ? &values : nullptr));
  }
  return cursor.error() ? Status(*cursor.error()) : Status(Ok{});
}

/// The first of the usual separators that no text holds.
Result<char> find_separator(Input& input) {
  std::bitset<256> seen;
  Rejects unused;
  YL_TRY(for_each_record(input, unused, [&](const Record&, const RecordValues* values) -> Status {
    if (values == nullptr) return Ok{};
    for (const FieldValue& value : values->fields) {
      if (!value.given) continue;
      for (const FieldItem& item : value.items) {
        for (const char c : item.text) seen.set(static_cast<unsigned char>(c));
      }
    }
    return Ok{};
  }));
  for (const char c : kAtdfSeparators) {
    if (!seen.test(static_cast<unsigned char>(c))) return c;
  }
  return kAtdfSeparators.front();
}

}  // namespace

Status stdf_to_atdf(Input& input, ByteSink out, Rejects& rejects,
                    std::vector<std::string>& warnings) {
  YL_ASSIGN(const char separator, find_separator(input));
  AtdfWriter writer(separator);
  Pending pending(out);
  std::size_t left_out = 0;
  YL_TRY(for_each_record(input, rejects,
                         [&](const Record& record, const RecordValues* values) -> Status {
                           if (values != nullptr && writer.write(*values, pending.text())) {
                             return pending.flush_if(kPending);
                           }
                           if (find_layout(record.code) != nullptr) reject_cut(record, rejects);
                           if (find_layout(record.code) == nullptr) ++left_out;
                           return Ok{};
                         }));
  if (left_out > 0) {
    warnings.push_back(
        fmt::format("{} records of private types were left out: ATDF has none.", left_out));
  }
  if (writer.replaced() > 0) {
    warnings.push_back(
        fmt::format("In {} texts line breaks or separators became blanks: ATDF cannot hold them.",
                    writer.replaced()));
  }
  return pending.flush_if(0);
}

Status atdf_to_stdf(Input& input, ByteSink out, Rejects& rejects) {
  YL_ASSIGN(auto source, input.stream());
  AtdfLines lines(std::move(source));
  AtdfLine line;
  AtdfParser parser;
  if (!lines.next(line, rejects) && lines.error()) return *lines.error();
  YL_TRY(parser.open(line.text));
  Pending pending(out);
  do {
    auto values = parser.parse(line.text);
    std::optional<Error> error;
    if (!values) {
      error = values.error();
    } else if (!encode(**values, std::endian::little, pending.text())) {
      error = Error{Errc::kFormat, "ATDF-0005",
                    "The record does not fit into an STDF record; it is dropped."};
    }
    if (error) {
      rejects.push_back({.byte_offset = line.byte_offset,
                         .line = line.number,
                         .record = 0,
                         .bytes_dropped = static_cast<std::size_t>(line.bytes),
                         .id = error->id,
                         .message = error->message});
    }
    YL_TRY(pending.flush_if(kPending));
  } while (lines.next(line, rejects));
  if (lines.error()) return *lines.error();
  return pending.flush_if(0);
}

}  // namespace yieldloop::ingest::stdf

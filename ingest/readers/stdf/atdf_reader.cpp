#include "ingest/readers/stdf/atdf_reader.h"

#include <string>

#include "ingest/readers/stdf/atdf_lines.h"
#include "ingest/readers/stdf/atdf_parser.h"
#include "ingest/readers/stdf/file_reading.h"

namespace yieldloop::ingest::stdf {
namespace {

void reject(Rejects& rejects, const AtdfLine& line, std::uint64_t ordinal, std::string id,
            std::string message) {
  rejects.push_back({.byte_offset = line.byte_offset,
                     .line = line.number,
                     .record = static_cast<std::size_t>(ordinal),
                     .bytes_dropped = static_cast<std::size_t>(line.bytes),
                     .id = std::move(id),
                     .message = std::move(message)});
}

Result<ReadSummary> read_atdf(Input& input, const ReadOptions&, store::RowSink& sink,
                              Rejects& rejects) {
  YL_ASSIGN(auto source, input.stream());
  AtdfLines lines(std::move(source));
  AtdfLine line;
  AtdfParser parser;
  if (!lines.next(line, rejects)) {
    if (lines.error()) return *lines.error();
    line.text.clear();
  }
  YL_TRY(parser.open(line.text));
  FileReading reading(input.digest(), sink, rejects);
  Record record;
  std::string bytes;
  do {
    record.byte_offset = line.byte_offset;
    record.line = line.number;
    auto values = parser.parse(line.text);
    bytes.clear();
    if (!values) {
      reject(rejects, line, record.ordinal, values.error().id, values.error().message);
    } else if (!encode(**values, std::endian::little, bytes)) {
      reject(rejects, line, record.ordinal, "ATDF-0005",
             "The record does not fit into an STDF record; it is dropped.");
    } else {
      record.code = (*values)->layout->code;
      record.body = std::as_bytes(std::span(bytes)).subspan(4);
      YL_TRY(reading.take(record, std::endian::little));
    }
    ++record.ordinal;
  } while (lines.next(line, rejects));
  if (lines.error()) return *lines.error();
  record.byte_offset = lines.end_offset();
  record.line = lines.lines();
  return reading.finish(record);
}

Confidence sniff_atdf(std::string_view, Bytes head) {
  const std::string_view text(reinterpret_cast<const char*>(head.data()),
                              std::min<std::size_t>(head.size(), 8));
  if (!text.starts_with("FAR:A")) return Confidence::kNo;
  return text.size() > 6 && text[6] == '4' ? Confidence::kCertain : Confidence::kMaybe;
}

}  // namespace

ReaderDeclaration atdf_reader() {
  return {.id = "atdf",
          .title = "ATDF test data",
          .patterns = "*.atdf *.atd",
          .sniff = sniff_atdf,
          .read = read_atdf};
}

}  // namespace yieldloop::ingest::stdf

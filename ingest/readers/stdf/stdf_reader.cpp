#include "ingest/readers/stdf/stdf_reader.h"

#include "ingest/readers/stdf/file_reading.h"

namespace yieldloop::ingest::stdf {
namespace {

Result<ReadSummary> read_stdf(Input& input, const ReadOptions&, store::RowSink& sink,
                              Rejects& rejects) {
  YL_ASSIGN(auto source, input.stream());
  YL_ASSIGN(RecordCursor cursor, RecordCursor::open(std::move(source)));
  FileReading reading(input.digest(), sink, rejects);
  if (!cursor.cpu_type_agrees()) {
    reading.warn("CPU_TYPE and the byte order of the FAR do not agree; the byte order was taken.");
  }
  Record record;
  while (cursor.next(record, rejects)) {
    YL_TRY(reading.take(record, cursor.byte_order()));
  }
  if (cursor.error()) return *cursor.error();
  record = {};
  record.byte_offset = cursor.end_offset();
  record.ordinal = cursor.records();
  return reading.finish(record);
}

/// A FAR: REC_LEN 2 in either byte order, type 0, subtype 10. Other versions are recognised too,
/// so that reading them says what is wrong.
Confidence sniff_stdf(std::string_view, Bytes head) {
  const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(head[i]); };
  if (head.size() < 6 || byte(2) != 0 || byte(3) != 10) return Confidence::kNo;
  const bool far = (byte(0) == 2 && byte(1) == 0) || (byte(0) == 0 && byte(1) == 2);
  if (!far) return Confidence::kNo;
  return byte(5) == 4 && byte(4) <= 2 ? Confidence::kCertain : Confidence::kMaybe;
}

}  // namespace

ReaderDeclaration stdf_reader() {
  return {.id = "stdf",
          .title = "STDF V4 test data",
          .patterns = "*.stdf *.std",
          .sniff = sniff_stdf,
          .read = read_stdf};
}

}  // namespace yieldloop::ingest::stdf

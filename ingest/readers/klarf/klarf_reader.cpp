#include "ingest/readers/klarf/klarf_reader.h"

#include <fmt/format.h>

#include "engine/core/text.h"
#include "ingest/readers/klarf/flat_reader.h"
#include "ingest/readers/klarf/nested_reader.h"

namespace yieldloop::ingest::klarf {
namespace {

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

constexpr std::uint64_t kInheritedRows = 20'000'000;  ///< Beside a row for every byte.

/// The first three words: "FileVersion 1 2" or "Record FileRecord 1.8".
struct Opening {
  bool flat = false, nested = false;
  std::string version;
};

Opening opening_of(std::string_view text) {
  Lexer lexer(text, true);
  const Token first = lexer.next();
  const Token second = lexer.next();
  const Token third = lexer.next();
  Opening opening;
  opening.flat = first.kind == TokenKind::kWord && equals_ignoring_case(first.text, "FileVersion");
  opening.nested = first.kind == TokenKind::kWord && equals_ignoring_case(first.text, "Record") &&
                   equals_ignoring_case(second.text, "FileRecord");
  if (opening.nested) opening.version = clean(third.text);
  if (opening.flat) {
    opening.version = clean(second.text);
    if (whole_number(third.text)) {
      opening.version = fmt::format("{}.{}", opening.version, clean(third.text));
    }
  }
  return opening;
}

/// A file whose FileVersion was lost still shows what it is.
bool looks_flat(std::string_view head) {
  return head.find("DefectRecordSpec") != std::string_view::npos ||
         (head.find("InspectionStationID") != std::string_view::npos &&
          head.find("DiePitch") != std::string_view::npos);
}

Confidence sniff_klarf(std::string_view, Bytes bytes) {
  const std::string_view head = as_text(bytes);
  const Opening opening = opening_of(head.substr(0, 4096));
  if (opening.flat || opening.nested) return Confidence::kCertain;
  return head.find('\0') == std::string_view::npos && looks_flat(head) ? Confidence::kMaybe
                                                                       : Confidence::kNo;
}

Result<ReadSummary> read_text(std::string_view text, std::string id_prefix, Landmarks* landmarks,
                              store::RowSink& sink, Rejects& rejects) {
  const Opening opening = opening_of(text.substr(0, 4096));
  const bool later = opening.nested && opening.version.starts_with("2");
  if (!opening.version.empty() && !opening.version.starts_with("1") && !later) {
    return Error{
        Errc::kUnsupported, "KLAR-0021",
        fmt::format("KLARF version {} is not read, only 1.0 to 1.8; export the file in one "
                    "of them.",
                    escape_controls(opening.version))};
  }
  InspectionRows rows(std::move(id_prefix), opening.version, kInheritedRows + text.size(), sink);
  rows.set_landmarks(landmarks);
  Complaints complaints(text, rejects);
  auto summary =
      opening.nested ? read_nested(text, rows, complaints) : read_flat(text, rows, complaints);
  if (summary && later) {
    summary->warnings.push_back(
        "The file is of KLARF version 2; it was read by the grammar of 1.8, lengths in nm.");
  }
  return summary;
}

Result<ReadSummary> read_klarf(Input& input, const ReadOptions&, store::RowSink& sink,
                               Rejects& rejects) {
  YL_ASSIGN(const Bytes bytes, input.bytes());
  return read_text(as_text(bytes), input.digest().hex().substr(0, 16), nullptr, sink, rejects);
}

}  // namespace

Status read_with_landmarks(std::string_view text, Landmarks& landmarks, store::RowSink& sink,
                           Rejects& rejects) {
  const auto summary = read_text(text, "", &landmarks, sink, rejects);
  if (!summary) return summary.error();
  return Ok{};
}

ReaderDeclaration klarf_reader() {
  return {.id = "klarf",
          .title = "KLARF inspection results",
          .patterns = "*.klarf *.001 *.kla",
          .sniff = sniff_klarf,
          .read = read_klarf};
}

}  // namespace yieldloop::ingest::klarf

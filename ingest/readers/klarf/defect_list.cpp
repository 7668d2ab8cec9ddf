#include "ingest/readers/klarf/defect_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/core/text.h"

namespace yieldloop::ingest::klarf {
namespace {

constexpr auto kStatements = std::to_array<std::string_view>({
    "AlignmentImages",
    "AlignmentPoints",
    "AreaPerTest",
    "ClassLookup",
    "ClusterClassificationList",
    "CoordinatesCentered",
    "CoordinatesMirrored",
    "DatabaseAlignmentMarks",
    "DefectClusterSetup",
    "DefectClusterSpec",
    "DefectList",
    "DefectRecordSpec",
    "DeviceID",
    "DieOrigin",
    "DiePitch",
    "EndOfFile",
    "FileTimestamp",
    "FileVersion",
    "InspectedArea",
    "InspectedAreaOrigin",
    "InspectionOrientation",
    "InspectionStationID",
    "InspectionTest",
    "LotID",
    "LotStatus",
    "OrientationInstructions",
    "OrientationMarkLocation",
    "ProcessEquipmentIDList",
    "RemovedDieList",
    "ResultTimestamp",
    "ResultsID",
    "SampleCenterLocation",
    "SampleDieMap",
    "SampleOrientationMarkType",
    "SampleSize",
    "SampleTestPlan",
    "SampleTestReferencePlan",
    "SampleType",
    "SetupID",
    "Slot",
    "StepID",
    "SummaryList",
    "SummarySpec",
    "TiffFileName",
    "TiffSpec",
    "WaferID",
    "WaferScribe",
    "WaferStatus",
});

constexpr std::int64_t kMostImages = 4096;  ///< Of one defect.

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

}  // namespace

bool starts_statement(const Token& token) {
  if (!token.starts_line || token.kind != TokenKind::kWord || !is_letter(token.text.front())) {
    return false;
  }
  // Column names are written in capitals; statements are not.
  const bool capitals =
      std::ranges::none_of(token.text, [](char c) { return c >= 'a' && c <= 'z'; });
  return !capitals && std::ranges::any_of(kStatements, [&](std::string_view statement) {
    return equals_ignoring_case(token.text, statement);
  });
}

/// True unless rows are wrapped: then no line holds as many values as there are columns.
bool FlatDefectList::has_row_a_line(std::size_t columns) const {
  constexpr int kLines = 64;
  Lexer ahead = lexer_;
  std::size_t values = 0, full = 0;
  int lines = 0;
  for (Token token = ahead.next(); lines < kLines; token = ahead.next()) {
    const bool over = token.kind == TokenKind::kEnd || token.is(';');
    if ((token.starts_line || over) && values > 0) {
      full += values + 1 >= columns ? 1 : 0;
      ++lines;
      values = 0;
    }
    if (over) break;
    ++values;
  }
  return lines < 2 || full * 4 >= static_cast<std::size_t>(lines);
}

void FlatDefectList::skip_list() {
  for (;;) {
    const Lexer before = lexer_;
    const Token token = lexer_.next();
    if (token.kind == TokenKind::kEnd || token.is(';')) return;
    if (!starts_statement(token)) continue;
    lexer_ = before;
    return;
  }
}

void FlatDefectList::read(const Token& name, const std::vector<std::string_view>& columns) {
  const auto missing = rows_.defects().plan(columns, kFlatUnits);
  if (!missing.empty()) {
    const bool empty = lexer_.peek().is(';');
    skip_list();
    if (empty) return;
    complaints_.reject(name.offset, lexer_.position(), "KLAR-0008",
                       fmt::format("The DefectRecordSpec lacks {}; its defects cannot be placed.",
                                   join(missing, ", ")));
    return;
  }
  row_a_line_ = has_row_a_line(columns.size());
  if (rows_.landmarks() != nullptr) rows_.landmarks()->columns(columns);
  for (;;) {
    if (row_a_line_ && rows_.landmarks() == nullptr) read_plain_rows();
    if (rows_.cancelled()) return;
    const Lexer before = lexer_;
    const Token token = lexer_.next();
    if (token.kind == TokenKind::kEnd || token.is(';')) return;
    if (starts_statement(token) && !equals_ignoring_case(token.text, "TiffFileName")) {
      lexer_ = before;
      return;
    }
    if (token.starts_line && token.kind == TokenKind::kWord &&
        (equals_ignoring_case(token.text, "FILENAME") ||
         equals_ignoring_case(token.text, "TiffFileName"))) {
      tiff_file_ = lexer_.next().text;
      lexer_.skip_line_of(token);
      continue;
    }
    read_row(token);
    if (rows_.cancelled()) return;
  }
}

/// Rows of plain numbers, one a line; stops before the first that is anything else.
void FlatDefectList::read_plain_rows() {
  DefectRows& defects = rows_.defects();
  if (form_ == ImageForm::kBare && defects.has_image_list()) return;
  const std::string_view text = lexer_.text();
  const char* const end = text.data() + text.size();
  const char* at = text.data() + lexer_.position();
  // The list begins on the line of its name or on the next one.
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\r')) ++at;
  if (at < end && *at == '\n') ++at;
  std::uint64_t line = complaints_.line_of(static_cast<std::size_t>(at - text.data()));
  while (at < end) {
    const char* const from = at;
    const char* after = defects.read_plain(at, end, false);
    if (after == nullptr) break;
    while (*after == ' ' || *after == '\t' || *after == '\r') ++after;
    const bool last = *after == ';';
    if (!last && *after != '\n') break;
    defects.commit_plain(line, ++ordinal_);
    rows_.defect_added(true);
    at = last ? after : after + 1;
    lexer_.jump(static_cast<std::size_t>(at - text.data()), !last);
    line += last ? 0 : 1;
    complaints_.note_line(static_cast<std::size_t>((last ? from : at) - text.data()), line);
    if (last || rows_.cancelled()) return;
  }
}

bool FlatDefectList::ends_row(const Token& token) const {
  return token.kind == TokenKind::kEnd || token.is(';') || (row_a_line_ && token.starts_line);
}

/// Drops the row: everything up to the next line or the list's end.
void FlatDefectList::recover(const Token& first, std::string id, std::string message) {
  for (;;) {
    const Lexer before = lexer_;
    const Token token = lexer_.next();
    if (token.kind != TokenKind::kEnd && !token.is(';') && !token.starts_line) continue;
    lexer_ = before;
    break;
  }
  complaints_.reject(first.offset, lexer_.position(), std::move(id), std::move(message));
}

void FlatDefectList::read_row(const Token& first) {
  DefectRows& defects = rows_.defects();
  defects.begin();
  ++ordinal_;
  pieces_.clear();
  const std::size_t columns = defects.columns();
  Token token = first;
  Lexer before = lexer_;
  for (std::size_t i = 0; i < columns; ++i) {
    const bool last = i + 1 == columns;
    if (i > 0) {
      before = lexer_;
      token = lexer_.next();
      if (ends_row(token)) {
        lexer_ = before;
        if (last && defects.is_image_list(i) && defects.image_count() == 0) break;
        return recover(
            first, "KLAR-0001",
            fmt::format("The defect row has {} values, but {} columns are declared.", i, columns));
      }
    }
    const bool taken =
        defects.is_image_list(i) ? read_images(before, token, last) : defects.set(i, token.text);
    if (rows_.landmarks() != nullptr) pieces_.push_back({token.offset, lexer_.position()});
    if (!taken) {
      return recover(
          first, "KLAR-0003",
          fmt::format("\"{}\" is not a value of {}.",
                      escape_controls(to_valid_utf8(token.text.substr(0, 40))), defects.name(i)));
    }
  }
  if (row_a_line_ && !ends_row(lexer_.peek())) {
    return recover(
        first, "KLAR-0002",
        fmt::format("The defect row has more values than the {} columns declared.", columns));
  }
  if (const std::string_view missing = defects.missing(); !missing.empty()) {
    return recover(first, "KLAR-0004", fmt::format("The defect has no {}.", missing));
  }
  defects.commit(complaints_.line_of(first.offset), ordinal_);
  rows_.tell_row(rows_.wafer().facts, pieces_);
  rows_.defect_added(true);
}

bool FlatDefectList::row_can_end_after(Lexer lexer, std::int64_t values) const {
  for (std::int64_t i = 0; i < values; ++i) {
    if (!lexer.next().is_value()) return false;
  }
  const Token next = lexer.next();
  return next.kind == TokenKind::kEnd || next.is(';') || next.starts_line;
}

/// REQUIRES: the row's IMAGECOUNT is not 0.
void FlatDefectList::decide_form(const Lexer& before, const Token& token, bool last_column) {
  const auto count = whole_number(token.text);
  const std::int64_t announced = rows_.defects().image_count();
  const bool counted = count && *count >= 0 && row_can_end_after(lexer_, 2 * *count);
  const bool bare = last_column && row_can_end_after(before, 2 * announced);
  form_ = bare && !(counted && count == announced) ? ImageForm::kBare : ImageForm::kCounted;
}

bool FlatDefectList::read_images(const Lexer& before, const Token& token, bool last_column) {
  DefectRows& defects = rows_.defects();
  if (form_ == ImageForm::kUnknown && defects.image_count() > 0) {
    decide_form(before, token, last_column);
  }
  std::int64_t count = defects.image_count();
  if (form_ == ImageForm::kBare) {
    lexer_ = before;
  } else {
    const auto own = whole_number(token.text);
    if (!own || *own < 0) return false;
    count = *own;
  }
  // A damaged count must not swallow the rows behind it.
  if (count > kMostImages) return false;
  const Lexer row_end = lexer_;
  for (std::int64_t i = 0; i < count; ++i) {
    const Token page = lexer_.next();
    const Token type = lexer_.next();
    if (!page.is_value() || !type.is_value() || starts_statement(page)) {
      lexer_ = row_end;
      return false;
    }
    defects.add_image(tiff_file_, page.text, type.text);
  }
  return true;
}

}  // namespace yieldloop::ingest::klarf

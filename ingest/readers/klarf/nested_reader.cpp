#include "ingest/readers/klarf/nested_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/text.h"
#include "ingest/readers/klarf/nested_parser.h"
#include "ingest/readers/klarf/summary_check.h"

namespace yieldloop::ingest::klarf {
namespace {

constexpr int kDeepest = 32;

RecordKind kind_of(std::string_view type) {
  if (equals_ignoring_case(type, "LotRecord")) return RecordKind::kLot;
  if (equals_ignoring_case(type, "WaferRecord")) return RecordKind::kWafer;
  if (equals_ignoring_case(type, "TestRecord")) return RecordKind::kTest;
  if (equals_ignoring_case(type, "FileRecord")) return RecordKind::kFile;
  return RecordKind::kOther;
}

}  // namespace

Result<ReadSummary> NestedReader::read() {
  for (Token token = lexer_.next(); token.kind != TokenKind::kEnd; token = lexer_.next()) {
    if (token.is(';')) continue;
    if (equals_ignoring_case(token.text, "EndOfFile")) {
      ended_ = true;
    } else if (token.kind == TokenKind::kWord && equals_ignoring_case(token.text, "Record")) {
      read_record(0, RecordKind::kOther);
    } else {
      lexer_.skip_line_of(token);
      complain(token, "KLAR-0007", "A text stands where a statement should begin.");
    }
    if (rows_.cancelled() || too_deep_) break;
  }
  finish_lot();
  rows_.add_file_facts(file_);
  if (rows_.cancelled()) {
    return rows_.stop_reason();
  }
  if (too_deep_) {
    return Error{
        Errc::kFormat, "KLAR-0023",
        fmt::format("The KLARF file nests records more than {} deep; it is damaged.", kDeepest)};
  }
  if (rows_.wafers() == 0) {
    return Error{Errc::kFormat, "KLAR-0020",
                 "The KLARF file holds no inspection of a wafer; it was cut short or is a header "
                 "alone."};
  }
  if (!ended_) {
    complaints_.reject(lexer_.position(), lexer_.position(), "KLAR-0005",
                       "The file ends without EndOfFile; it was cut short.");
  }
  ReadSummary summary = rows_.summary();
  summary.warnings = std::move(warnings_);
  return summary;
}

bool NestedReader::open_brace(std::string_view behind) {
  const Lexer before = lexer_;
  const Token token = lexer_.next();
  if (token.is('{')) return true;
  lexer_ = before;
  complain(token, "KLAR-0011",
           fmt::format("A brace should open behind {}.", to_valid_utf8(behind)));
  return false;
}

void NestedReader::begin_record(RecordKind kind, const Token& at, std::string_view id) {
  if (kind == RecordKind::kLot) {
    lot_ = Facts();
    classes_.clear();
    lookups_.clear();
    lot_.lot_id = clean(id);
  } else if (kind == RecordKind::kWafer) {
    rows_.begin_wafer(complaints_.line_of(at.offset)).facts.wafer_id = clean(id);
    in_wafer_ = true;
  } else if (kind == RecordKind::kTest && in_wafer_) {
    auto& tests = rows_.wafer().tests;
    int number = static_cast<int>(tests.size()) + 1;
    set_index(number, id);
    tests.emplace_back().number = number;
  }
}

void NestedReader::end_record(RecordKind kind) {
  if (kind == RecordKind::kWafer) {
    rows_.end_wafer();
    in_wafer_ = false;
    const WaferInspection& wafer = rows_.wafer();
    for (const std::string& what : check_summaries(wafer, 0, complaints_)) {
      if (warnings_.size() < 20) {
        warnings_.push_back(fmt::format("Line {}: {}", wafer.line, what));
      }
    }
  } else if (kind == RecordKind::kLot) {
    finish_lot();
  }
}

void NestedReader::finish_lot() { rows_.finish_wafers(lot_, classes_, lookups_); }

OtherStatements* NestedReader::others_of(RecordKind kind) {
  if (in_wafer_) return &rows_.wafer().facts.others;
  if (kind == RecordKind::kLot) return &lot_.others;
  return kind == RecordKind::kFile ? &file_ : nullptr;
}

void NestedReader::keep_other(RecordKind kind, const Token& name, std::string value) {
  constexpr std::size_t kLongest = 65'536;
  OtherStatements* const others = others_of(kind);
  if (others == nullptr) return;
  std::string key(name.text);
  if (kind == RecordKind::kTest && !rows_.wafer().tests.empty()) {
    key = fmt::format("TestRecord {}: {}", rows_.wafer().tests.back().number, key);
  }
  if (value.size() > kLongest) {
    return complain(
        name, "KLAR-0015",
        fmt::format("{} is {} bytes long; statements without a column of their own are "
                    "kept up to {} bytes.",
                    escape_controls(to_valid_utf8(key.substr(0, 40))), value.size(), kLongest));
  }
  others->set(key, std::move(value));
}

void NestedReader::read_record(int depth, RecordKind outer) {
  if (depth > kDeepest) {
    too_deep_ = true;
    return;
  }
  const Token type = lexer_.next();
  std::string_view id;
  if (lexer_.peek().kind == TokenKind::kText) id = lexer_.next().text;
  if (!open_brace(type.text)) return;
  // Records of one kind do not nest; a second one inside is data of another tool.
  tell_damaged_name(type);
  RecordKind kind = kind_of(type.text);
  if (in_wafer_ && (kind == RecordKind::kWafer || kind == RecordKind::kLot)) {
    kind = RecordKind::kOther;
  }
  begin_record(kind, type, id);
  const RecordKind inside =
      kind == RecordKind::kOther && outer != RecordKind::kOther ? RecordKind::kOther : kind;
  Token token = lexer_.next();
  for (; !token.is('}'); token = lexer_.next()) {
    if (token.kind == TokenKind::kEnd || rows_.cancelled() || too_deep_) break;
    if (token.is(';')) continue;
    if (token.kind == TokenKind::kWord && token.text == "Field") {
      read_field(inside);
    } else if (token.kind == TokenKind::kWord && token.text == "List") {
      read_list(inside);
    } else if (token.kind == TokenKind::kWord && token.text == "Record") {
      read_record(depth + 1, inside);
    } else {
      if (token.is('{')) skip_braces();
      complain(token, "KLAR-0012",
               fmt::format("\"{}\" is neither Field, List nor Record.",
                           escape_controls(to_valid_utf8(token.text.substr(0, 40)))));
    }
  }
  if (kind == RecordKind::kLot && token.is('}') && rows_.landmarks() != nullptr) {
    rows_.landmarks()->class_list_home(token.offset, true);
  }
  end_record(kind);
}

void NestedReader::read_field(RecordKind kind) {
  const Token name = lexer_.next();
  if (!lexer_.peek().is('{')) lexer_.next();  // The count.
  if (!open_brace(name.text)) return;
  std::vector<std::string_view> values;
  for (Token token = lexer_.next(); !token.is('}') && token.kind != TokenKind::kEnd;
       token = lexer_.next()) {
    if (token.is_value()) values.push_back(token.text);
  }
  const auto is = [&](std::string_view other) { return equals_ignoring_case(name.text, other); };
  std::string problem;
  bool whole = false;
  if (kind == RecordKind::kTest && in_wafer_ && !values.empty()) {
    auto& test = rows_.wafer().tests.back();
    const auto value = number(values.front());
    if (is("AreaPerTest") && value) test.area_cm2 = *value / kNestedUnits.area_cm2;
    whole = is("AreaPerTest") && value;
  } else if (kind == RecordKind::kWafer || kind == RecordKind::kLot) {
    Facts& facts = kind == RecordKind::kWafer ? rows_.wafer().facts : lot_;
    problem = set_fact(facts, name.text, values, kNestedUnits);
    whole = is_whole_fact(name.text, values, kNestedUnits);
  }
  warn(name, problem);
  if (whole && problem.empty()) return;
  std::string text = joined_values(lexer_.text(), values);
  keep_other(kind, name, std::move(text));
}

void NestedReader::tell_damaged_name(const Token& name) {
  const std::string_view meant = likely_meant(name.text);
  if (meant.empty()) return;
  complain(name, "KLAR-0018",
           fmt::format("\"{}\" is no statement; {} was likely meant, and what it says is missing.",
                       escape_controls(shown(name.text)), meant));
}

Result<ReadSummary> read_nested(std::string_view text, InspectionRows& rows,
                                Complaints& complaints) {
  return NestedReader(text, rows, complaints).read();
}

}  // namespace yieldloop::ingest::klarf

#include "ingest/readers/klarf/nested_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/text.h"
#include "ingest/readers/klarf/summary_check.h"

namespace yieldloop::ingest::klarf {
namespace {

constexpr int kDeepest = 32;

enum class RecordKind : std::uint8_t { kOther, kFile, kLot, kWafer, kTest };

RecordKind kind_of(std::string_view type) {
  if (equals_ignoring_case(type, "LotRecord")) return RecordKind::kLot;
  if (equals_ignoring_case(type, "WaferRecord")) return RecordKind::kWafer;
  if (equals_ignoring_case(type, "TestRecord")) return RecordKind::kTest;
  if (equals_ignoring_case(type, "FileRecord")) return RecordKind::kFile;
  return RecordKind::kOther;
}

/// Position of a column in a list, or SIZE_MAX.
std::size_t column_of(const std::vector<std::string_view>& columns, std::string_view name) {
  const auto it = std::ranges::find_if(
      columns, [&](std::string_view column) { return equals_ignoring_case(column, name); });
  return it == columns.end() ? SIZE_MAX : static_cast<std::size_t>(it - columns.begin());
}

class NestedReader {
 public:
  NestedReader(std::string_view text, InspectionRows& rows, Complaints& complaints)
      : lexer_(text, true), rows_(rows), complaints_(complaints) {}

  Result<ReadSummary> read();

 private:
  void read_record(int depth, RecordKind outer);
  void begin_record(RecordKind kind, const Token& at, std::string_view id);
  void end_record(RecordKind kind);
  void read_field(RecordKind kind);
  void read_list(RecordKind kind);
  std::vector<std::string_view> read_columns();
  void compare_rows(const Token& list, int declared, std::size_t rows);
  void tell_damaged_name(const Token& name);
  bool open_brace(std::string_view behind);
  void skip_braces();
  void read_defects(const std::vector<std::string_view>& columns);
  void read_plain_rows();
  void read_defect(const Token& first);
  bool read_image_list(const Token& token);
  /// Rows of any other list: values by column; false ends the list.
  bool read_row(std::vector<std::string_view>& values);
  void read_plan(const std::vector<std::string_view>& columns);
  void read_classes(const std::vector<std::string_view>& columns);
  void read_lookups(const std::vector<std::string_view>& columns, const std::string& kind);
  void read_summaries(const std::vector<std::string_view>& columns);
  void read_other_list(RecordKind kind, const Token& name);
  /// Where statements of a record without a column of their own are kept; null: nowhere.
  OtherStatements* others_of(RecordKind kind);
  void keep_other(RecordKind kind, const Token& name, std::string value);
  void finish_lot();
  void complain(const Token& at, std::string id, std::string message) {
    complaints_.reject(at.offset, lexer_.position(), std::move(id), std::move(message));
  }
  void recover_row(const Token& first, std::string id, std::string message);
  void warn(const Token& at, const std::string& what) {
    if (!what.empty() && warnings_.size() < 20) {
      warnings_.push_back(fmt::format("Line {}: {}", complaints_.line_of(at.offset), what));
    }
  }

  Lexer lexer_;
  InspectionRows& rows_;
  Complaints& complaints_;
  std::vector<std::string> warnings_;
  Facts lot_;
  OtherStatements file_;
  std::vector<DefectClass> classes_;
  std::vector<Lookup> lookups_;
  bool in_wafer_ = false;
  bool too_deep_ = false;
  bool ended_ = false;
  std::size_t ordinal_ = 0;
  std::size_t list_rows_ = 0;  ///< Of the list being read, defects excepted.
  std::vector<Piece> pieces_;  ///< Of the row's values, for landmarks.
  Piece data_count_;           ///< The count behind the last "Data".
};

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

/// Skips to the brace that closes one already open.
void NestedReader::skip_braces() {
  for (int depth = 1; depth > 0;) {
    const Token token = lexer_.next();
    if (token.kind == TokenKind::kEnd) return;
    depth += token.is('{') ? 1 : token.is('}') ? -1 : 0;
  }
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

/// Names of "Columns n { type NAME, ... }"; empty when there are none.
std::vector<std::string_view> NestedReader::read_columns() {
  std::vector<std::string_view> columns;
  std::string_view last;
  for (;;) {
    const Lexer before = lexer_;
    const Token token = lexer_.next();
    if (token.kind == TokenKind::kEnd) break;
    if (token.is('}') || token.is(',')) {
      if (!last.empty()) columns.push_back(last);
      last = {};
      if (token.is('}')) break;
    } else if (token.is_value() && !equals_ignoring_case(token.text, "Data")) {
      last = token.text;
    } else {
      lexer_ = before;
      complain(token, "KLAR-0026", "The columns of a list are not closed by a brace.");
      break;
    }
  }
  return columns;
}

void NestedReader::tell_damaged_name(const Token& name) {
  const std::string_view meant = likely_meant(name.text);
  if (meant.empty()) return;
  complain(name, "KLAR-0018",
           fmt::format("\"{}\" is no statement; {} was likely meant, and what it says is missing.",
                       escape_controls(shown(name.text)), meant));
}

/// Fewer rows than declared are missing ones; more are there whatever the count says.
void NestedReader::compare_rows(const Token& list, int declared, std::size_t rows) {
  if (declared >= 0 && static_cast<std::size_t>(declared) > rows) {
    return complain(
        list, "KLAR-0017",
        fmt::format("{} says {} entries but has {}; some are missing or damaged.",
                    escape_controls(to_valid_utf8(list.text.substr(0, 40))), declared, rows));
  }
  if (declared < 0 || static_cast<std::size_t>(declared) != rows) {
    warn(list, fmt::format("{} says {} rows but has {}.", to_valid_utf8(list.text.substr(0, 40)),
                           declared, rows));
  }
}

void NestedReader::read_list(RecordKind kind) {
  const Token name = lexer_.next();
  tell_damaged_name(name);
  if (!open_brace(name.text)) return;
  std::vector<std::string_view> columns;
  for (;;) {
    const Lexer before_token = lexer_;
    const Token token = lexer_.next();
    if (token.is('}') || token.kind == TokenKind::kEnd) return;
    const bool is_columns = equals_ignoring_case(token.text, "Columns");
    const bool is_data = equals_ignoring_case(token.text, "Data");
    if (!is_columns && !is_data) {
      if (token.is(';')) continue;
      const bool next = token.text == "List" || token.text == "Record" || token.text == "Field";
      if (token.is('{')) skip_braces();
      complain(token, "KLAR-0019",
               fmt::format("\"{}\" stands in the list {}, where only Columns and Data do.",
                           escape_controls(shown(token.text)), escape_controls(shown(name.text))));
      if (!next) continue;
      lexer_ = before_token;  // The list's brace was lost.
      return;
    }
    int count = -1;
    if (!lexer_.peek().is('{')) {
      const Token said = lexer_.next();
      set_index(count, said.text);
      if (is_data) data_count_ = {said.offset, lexer_.position()};
    }
    if (!open_brace(token.text)) return;
    if (is_columns) {
      columns = read_columns();
      continue;
    }
    list_rows_ = 0;
    const std::size_t before = rows_.has_wafer() ? rows_.wafer().defects : 0;
    const bool in_wafer = in_wafer_;
    if (in_wafer && equals_ignoring_case(name.text, "DefectList")) {
      const std::size_t rejected = complaints_.total();
      read_defects(columns);
      const std::size_t dropped = complaints_.total() - rejected;
      rows_.wafer().dropped += dropped;
      const std::size_t rows = rows_.wafer().defects - before + dropped;
      compare_rows(name, count, rows);
    } else if (in_wafer && kind == RecordKind::kTest &&
               equals_ignoring_case(name.text, "SampleTestPlanList")) {
      read_plan(columns);
      compare_rows(name, count, list_rows_);
    } else if (equals_ignoring_case(name.text, "ClassLookupList")) {
      read_classes(columns);
      compare_rows(name, count, list_rows_);
    } else if (in_wafer && equals_ignoring_case(name.text, "TestSummaryList")) {
      read_summaries(columns);
    } else if (const std::string kind_of_lookup =
                   equals_ignoring_case(name.text, "ClusterClassificationList")
                       ? "cluster"
                       : lookup_kind(name.text);
               !kind_of_lookup.empty()) {
      read_lookups(columns, kind_of_lookup);
    } else {
      read_other_list(kind, name);
    }
  }
}

void NestedReader::read_defects(const std::vector<std::string_view>& columns) {
  rows_.end_wafer();  // Rows of an earlier list may have had other columns.
  const Token at = lexer_.peek();
  const auto missing = rows_.defects().plan(columns, kNestedUnits);
  if (!missing.empty()) {
    skip_braces();
    if (!at.is('}')) {
      complain(at, "KLAR-0013",
               fmt::format("The DefectList lacks {}; its defects cannot be placed.",
                           join(missing, ", ")));
    }
    return;
  }
  if (rows_.landmarks() != nullptr) rows_.landmarks()->columns(columns);
  read_plain_rows();
  for (Token token = lexer_.next(); !token.is('}'); token = lexer_.next()) {
    if (token.kind == TokenKind::kEnd || rows_.cancelled()) return;
    if (token.is(';')) continue;
    read_defect(token);
    read_plain_rows();
  }
}

/// Rows of plain numbers that end with ';'; stops before the first that is anything else.
void NestedReader::read_plain_rows() {
  if (rows_.landmarks() != nullptr) return;
  DefectRows& defects = rows_.defects();
  const std::string_view text = lexer_.text();
  const char* const end = text.data() + text.size();
  const char* at = text.data() + lexer_.position();
  const auto skip_blanks = [end](const char*& p) {
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) ++p;
  };
  if (at < end && *at == ';') ++at;
  while (!rows_.cancelled()) {
    skip_blanks(at);
    const char* after = defects.read_plain(at, end, true);
    if (after == nullptr) return;
    skip_blanks(after);
    if (after >= end || *after != ';') return;
    defects.commit_plain(complaints_.line_of(static_cast<std::size_t>(at - text.data())),
                         ++ordinal_);
    rows_.defect_added(false);
    at = after + 1;
    lexer_.jump(static_cast<std::size_t>(at - text.data()), false);
  }
}

/// Drops the row up to its ';', leaving a brace that closes the list.
void NestedReader::recover_row(const Token& first, std::string id, std::string message) {
  int depth = 0;
  for (;;) {
    const Lexer before = lexer_;
    const Token token = lexer_.next();
    if (token.is('{')) ++depth;
    const bool closes = token.is('}') && depth-- == 0;
    if (token.kind == TokenKind::kEnd || closes) {
      lexer_ = before;
      break;
    }
    if (token.is(';')) break;
  }
  complain(first, std::move(id), std::move(message));
}

bool NestedReader::read_image_list(const Token& token) {
  if (!equals_ignoring_case(token.text, "Images")) {
    return token.kind == TokenKind::kWord &&
           (token.text == "N" || token.text == "0" || token.text == "NA");
  }
  if (!lexer_.peek().is('{')) lexer_.next();  // The count.
  if (!lexer_.next().is('{')) return false;
  std::vector<std::string_view> parts;
  for (;;) {
    const Lexer before = lexer_;
    const Token part = lexer_.next();
    if (part.is_value()) {
      parts.push_back(part.text);
      continue;
    }
    if (!part.is(',') && !part.is('}')) {
      lexer_ = before;
      return false;
    }
    if (parts.size() > 4) return false;  // A comma between two images was lost.
    parts.resize(4);
    if (!parts[0].empty()) rows_.defects().add_image(parts[0], parts[2], parts[3]);
    parts.clear();
    if (part.is('}')) return true;
  }
}

void NestedReader::read_defect(const Token& first) {
  DefectRows& defects = rows_.defects();
  defects.begin();
  ++ordinal_;
  pieces_.clear();
  const std::size_t columns = defects.columns();
  Token token = first;
  for (std::size_t i = 0; i < columns; ++i) {
    const Lexer before = lexer_;
    if (i > 0) token = lexer_.next();
    if (!token.is_value()) {
      lexer_ = before;
      return recover_row(
          first, "KLAR-0001",
          fmt::format("The defect row has {} values, but {} columns are declared.", i, columns));
    }
    const bool taken =
        defects.is_image_list(i) ? read_image_list(token) : defects.set(i, token.text);
    if (rows_.landmarks() != nullptr) pieces_.push_back({token.offset, lexer_.position()});
    if (!taken) {
      return recover_row(
          first, "KLAR-0003",
          fmt::format("\"{}\" is not a value of {}.",
                      escape_controls(to_valid_utf8(token.text.substr(0, 40))), defects.name(i)));
    }
  }
  const Token next = lexer_.peek();
  if (!next.is(';') && !next.is('}')) {
    return recover_row(
        first, "KLAR-0002",
        fmt::format("The defect row has more values than the {} columns declared.", columns));
  }
  if (const std::string_view missing = defects.missing(); !missing.empty()) {
    return recover_row(first, "KLAR-0004", fmt::format("The defect has no {}.", missing));
  }
  defects.commit(complaints_.line_of(first.offset), ordinal_);
  if (rows_.landmarks() != nullptr) {
    Facts facts = rows_.wafer().facts;
    if (!facts.lot_id) facts.lot_id = lot_.lot_id;
    rows_.tell_row(facts, pieces_);
  }
  rows_.defect_added(false);
}

bool NestedReader::read_row(std::vector<std::string_view>& values) {
  values.clear();
  for (;;) {
    const Token token = lexer_.next();
    if (token.is_value()) values.push_back(token.text);
    if (token.is('{')) skip_braces();
    if (token.is(';') && !values.empty()) {
      ++list_rows_;
      return true;
    }
    if (token.is('}') || token.kind == TokenKind::kEnd) return false;
  }
}

void NestedReader::read_plan(const std::vector<std::string_view>& columns) {
  const std::size_t x_at = column_of(columns, "XINDEX");
  const std::size_t y_at = column_of(columns, "YINDEX");
  auto& plan = rows_.wafer().tests.back().plan;
  std::vector<std::string_view> values;
  for (;;) {
    const Token at = lexer_.peek();
    if (!read_row(values)) return;
    int x = 0, y = 0;
    if (std::max(x_at, y_at) < values.size() && set_index(x, values[x_at]) &&
        set_index(y, values[y_at])) {
      plan.emplace_back(x, y);
    } else {
      complain(at, "KLAR-0009", "SampleTestPlan: a row without the indices of a die.");
    }
  }
}

void NestedReader::read_classes(const std::vector<std::string_view>& columns) {
  const std::size_t number_at = column_of(columns, "CLASSNUMBER");
  const std::size_t name_at = column_of(columns, "CLASSNAME");
  const std::size_t code_at = column_of(columns, "CLASSCODE");
  std::vector<DefectClass> classes;
  std::vector<std::string_view> values;
  ClassListPlace place;
  place.count = data_count_;
  place.columns.assign(columns.begin(), columns.end());
  place.end = lexer_.position();
  for (;;) {
    const Token at = lexer_.peek();
    if (!read_row(values)) break;
    place.entry_begins = at.offset;
    place.end = lexer_.position();
    int code = 0;
    if (std::max(number_at, name_at) < values.size() && set_index(code, values[number_at])) {
      classes.push_back({code, clean(values[name_at])});
      if (code_at < values.size() && !trim(values[code_at]).empty()) {
        (in_wafer_ ? rows_.wafer().lookups : lookups_)
            .push_back({"class_code", code, clean(values[code_at])});
      }
    } else {
      complain(at, "KLAR-0010", "ClassLookup: a row without a class number and a name.");
    }
  }
  rows_.count_classes(classes.size());
  if (rows_.landmarks() != nullptr) {
    for (const DefectClass& c : classes) place.numbers.push_back(c.number);
    rows_.landmarks()->class_list(place);
  }
  (in_wafer_ ? rows_.wafer().classes : classes_) = std::move(classes);
}

/// The first column is the number, the others together are what it stands for.
void NestedReader::read_lookups(const std::vector<std::string_view>&, const std::string& kind) {
  auto& lookups = in_wafer_ ? rows_.wafer().lookups : lookups_;
  std::vector<std::string_view> values;
  for (;;) {
    const Token at = lexer_.peek();
    if (!read_row(values)) break;
    int entry = 0;
    if (!set_index(entry, values.front())) {
      complain(at, "KLAR-0016",
               fmt::format("{}: \"{}\" is not a number.", kind,
                           escape_controls(to_valid_utf8(values.front().substr(0, 40)))));
      continue;
    }
    std::string text;
    for (std::size_t i = 1; i < values.size(); ++i) {
      const std::string part = clean(values[i]);
      if (!text.empty() && !part.empty()) text += ' ';
      text += part;
    }
    lookups.push_back({kind, entry, std::move(text)});
  }
}

void NestedReader::read_summaries(const std::vector<std::string_view>& columns) {
  std::vector<std::string_view> values;
  for (int ordinal = 1;; ++ordinal) {
    const Token at = lexer_.peek();
    if (!read_row(values)) break;
    TestSummary summary = summary_row(columns, values, ordinal);
    summary.from = at.offset;
    summary.to = lexer_.position();
    rows_.wafer().summaries.push_back(summary);
  }
}

/// Lists of other names are kept as they stand, rows with ';' behind them.
void NestedReader::read_other_list(RecordKind kind, const Token& name) {
  const std::size_t from = lexer_.position();
  std::size_t to = from;
  for (int depth = 1; depth > 0;) {
    to = lexer_.position();
    const Token token = lexer_.next();
    if (token.kind == TokenKind::kEnd) break;
    depth += token.is('{') ? 1 : token.is('}') ? -1 : 0;
  }
  std::string text;
  for (const char c : trim(lexer_.text().substr(from, to - from))) {
    const bool blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (blank && !text.empty() && text.back() == ' ') continue;
    text += blank ? ' ' : c;
  }
  keep_other(kind, name, to_valid_utf8(text));
}

}  // namespace

Result<ReadSummary> read_nested(std::string_view text, InspectionRows& rows,
                                Complaints& complaints) {
  return NestedReader(text, rows, complaints).read();
}

}  // namespace yieldloop::ingest::klarf

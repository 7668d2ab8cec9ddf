#include <algorithm>

#include "engine/core/text.h"
#include "ingest/readers/klarf/nested_parser.h"
#include "ingest/readers/klarf/summary_check.h"

namespace yieldloop::ingest::klarf {
namespace {

/// Position of a column in a list, or SIZE_MAX.
std::size_t column_of(const std::vector<std::string_view>& columns, std::string_view name) {
  const auto it = std::ranges::find_if(
      columns, [&](std::string_view column) { return equals_ignoring_case(column, name); });
  return it == columns.end() ? SIZE_MAX : static_cast<std::size_t>(it - columns.begin());
}

}  // namespace

/// Skips to the brace that closes one already open.
void NestedReader::skip_braces() {
  for (int depth = 1; depth > 0;) {
    const Token token = lexer_.next();
    if (token.kind == TokenKind::kEnd) return;
    depth += token.is('{') ? 1 : token.is('}') ? -1 : 0;
  }
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

}  // namespace yieldloop::ingest::klarf

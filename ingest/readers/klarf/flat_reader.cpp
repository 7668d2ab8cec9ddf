#include "ingest/readers/klarf/flat_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/core/text.h"
#include "ingest/readers/klarf/defect_list.h"

namespace yieldloop::ingest::klarf {
namespace {

/// Reads the statements of one file.
class FlatReader {
 public:
  FlatReader(std::string_view text, InspectionRows& rows, Complaints& complaints)
      : lexer_(text, false), rows_(rows), complaints_(complaints) {}

  Result<ReadSummary> read() {
    for (Token token = lexer_.next(); token.kind != TokenKind::kEnd; token = lexer_.next()) {
      if (token.is(';')) continue;
      if (token.kind == TokenKind::kWord) {
        statement(token);
      } else {
        complaints_.reject(token.offset, lexer_.position(), "KLAR-0007",
                           "A text stands where a statement should begin.");
      }
      if (rows_.cancelled()) break;
    }
    finish_section(lexer_.position());
    if (rows_.cancelled()) {
      return rows_.stop_reason();
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

 private:
  void statement(const Token& name);
  void collect();
  void warn(const Token& at, const std::string& what) {
    if (!what.empty() && warnings_.size() < 20) {
      warnings_.push_back(fmt::format("Line {}: {}", complaints_.line_of(at.offset), what));
    }
  }
  /// The values after a leading count, which is only compared, never believed.
  std::vector<std::string_view> counted(const Token& name, std::size_t values_each);
  void begin_wafer(const Token& name);
  void finish_section(std::size_t end);
  InspectionTest& test();
  void begin_test();
  void add_area();
  void add_plan(const Token& name);
  void add_classes(const Token& name);
  void set_columns();
  void read_defects(const Token& name);

  Lexer lexer_;
  InspectionRows& rows_;
  Complaints& complaints_;
  std::vector<std::string_view> values_;  ///< Of the current statement.
  std::vector<std::string> warnings_;
  Facts header_;
  std::vector<DefectClass> classes_;
  std::vector<InspectionTest> tests_, last_tests_;
  std::vector<std::string_view> columns_;
  std::string_view tiff_file_;
  Token wafer_at_;
  bool active_ = false;  ///< The section has a test, a plan or a list.
  bool listed_ = false;  ///< The section has its DefectList.
  bool ended_ = false;
};

/// Reads values up to the ';'. Where it was forgotten, the next known statement ends them.
void FlatReader::collect() {
  values_.clear();
  for (;;) {
    const Lexer before = lexer_;
    const Token token = lexer_.next();
    if (token.kind == TokenKind::kEnd || token.is(';')) return;
    if (starts_statement(token)) {
      lexer_ = before;
      return;
    }
    values_.push_back(token.text);
  }
}

std::vector<std::string_view> FlatReader::counted(const Token& name, std::size_t values_each) {
  if (values_.empty()) return {};
  const auto count = whole_number(values_.front());
  std::vector<std::string_view> values(values_.begin() + 1, values_.end());
  if (!count || *count < 0 || static_cast<std::size_t>(*count) * values_each != values.size()) {
    warn(name, fmt::format("{} says {} entries but has {}.", name.text,
                           to_valid_utf8(values_.front()), values.size() / values_each));
  }
  return values;
}

InspectionTest& FlatReader::test() {
  if (tests_.empty()) tests_.emplace_back();
  return tests_.back();
}

void FlatReader::begin_test() {
  int number = static_cast<int>(tests_.size()) + 1;
  if (!values_.empty()) set_index(number, values_.front());
  tests_.emplace_back().number = number;
  active_ = true;
}

void FlatReader::add_area() {
  const auto area = values_.empty() ? std::nullopt : number(values_.front());
  if (area) test().area_cm2 = *area / kFlatUnits.area_cm2;
  active_ = true;
}

void FlatReader::add_plan(const Token& name) {
  const auto values = counted(name, 2);
  auto& plan = test().plan;
  for (std::size_t i = 0; i + 1 < values.size(); i += 2) {
    int x = 0, y = 0;
    if (set_index(x, values[i]) && set_index(y, values[i + 1])) {
      plan.emplace_back(x, y);
      continue;
    }
    const auto at = static_cast<std::size_t>(values[i].data() - lexer_.text().data());
    complaints_.reject(
        at, at + values[i].size(), "KLAR-0009",
        fmt::format("SampleTestPlan: \"{}\" and \"{}\" are not the indices of a die.",
                    escape_controls(to_valid_utf8(values[i])),
                    escape_controls(to_valid_utf8(values[i + 1]))));
  }
  active_ = true;
}

void FlatReader::add_classes(const Token& name) {
  const auto values = counted(name, 2);
  classes_.clear();
  for (std::size_t i = 0; i + 1 < values.size(); i += 2) {
    int code = 0;
    if (!set_index(code, values[i])) {
      const auto at = static_cast<std::size_t>(values[i].data() - lexer_.text().data());
      complaints_.reject(at, at + values[i].size(), "KLAR-0010",
                         fmt::format("ClassLookup: \"{}\" is not a class number.",
                                     escape_controls(to_valid_utf8(values[i]))));
      return;
    }
    classes_.push_back({code, clean(values[i + 1])});
  }
  rows_.count_classes(classes_.size());
}

void FlatReader::set_columns() {
  columns_ = values_;
  if (!columns_.empty() && whole_number(columns_.front())) columns_.erase(columns_.begin());
}

void FlatReader::begin_wafer(const Token& name) {
  if (rows_.has_wafer()) finish_section(name.offset);
  wafer_at_ = name;
  rows_.begin_wafer(complaints_.line_of(name.offset));
}

/// Closes the open wafer; one that nothing was said of is no inspection.
void FlatReader::finish_section(std::size_t end) {
  if (!rows_.has_wafer()) return;
  if (!active_) {
    complaints_.reject(wafer_at_.offset, end, "KLAR-0006",
                       fmt::format("WaferID \"{}\" is followed by no test and no defect list.",
                                   escape_controls(header_.wafer_id.value_or(""))));
    rows_.drop_wafer();
    return;
  }
  rows_.end_wafer();
  WaferInspection& wafer = rows_.wafer();
  wafer.facts = header_;
  wafer.tests_inherited = tests_.empty() && !last_tests_.empty();
  if (!tests_.empty()) last_tests_ = std::move(tests_);
  wafer.tests = last_tests_;
  rows_.finish_wafers({}, classes_);
  tests_.clear();
  active_ = listed_ = false;
  header_.wafer_id.reset();
  header_.slot.reset();
}

void FlatReader::read_defects(const Token& name) {
  if (!rows_.has_wafer()) {
    warn(name, "The defects belong to no WaferID.");
    begin_wafer(name);
  }
  active_ = listed_ = true;
  rows_.end_wafer();  // Rows of an earlier list may have had other columns.
  rows_.wafer().facts = header_;
  FlatDefectList list(lexer_, rows_, complaints_, tiff_file_);
  list.read(name, columns_);
}

void FlatReader::statement(const Token& name) {
  const auto is = [&](std::string_view other) { return equals_ignoring_case(name.text, other); };
  if (is("DefectList")) return read_defects(name);
  collect();
  if (is("EndOfFile")) {
    ended_ = true;
  } else if (is("DefectRecordSpec")) {
    set_columns();
  } else if (is("InspectionTest")) {
    begin_test();
  } else if (is("AreaPerTest")) {
    add_area();
  } else if (is("SampleTestPlan")) {
    add_plan(name);
  } else if (is("ClassLookup")) {
    add_classes(name);
  } else if (is("SummaryList")) {
    active_ = true;
  } else if (is("TiffFileName")) {
    tiff_file_ = values_.empty() ? std::string_view() : values_.front();
  } else {
    // A new lot, step or time behind a defect list speaks of what comes, not of what was.
    if (listed_ && (is("LotID") || is("StepID") || is("DeviceID") || is("ResultTimestamp"))) {
      finish_section(name.offset);
    }
    if (is("WaferID")) begin_wafer(name);
    warn(name, set_fact(header_, name.text, values_, kFlatUnits));
  }
}

}  // namespace

Result<ReadSummary> read_flat(std::string_view text, InspectionRows& rows, Complaints& complaints) {
  return FlatReader(text, rows, complaints).read();
}

}  // namespace yieldloop::ingest::klarf

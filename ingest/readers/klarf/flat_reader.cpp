#include "ingest/readers/klarf/flat_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/core/text.h"
#include "ingest/readers/klarf/defect_list.h"
#include "ingest/readers/klarf/summary_check.h"

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
  void add_lookups(const Token& name, const std::string& kind);
  void add_summary(const Token& name);
  void keep_other(const Token& name);
  static std::vector<std::string_view> names_of(std::vector<std::string_view> values);
  void read_defects(const Token& name);

  Lexer lexer_;
  InspectionRows& rows_;
  Complaints& complaints_;
  std::vector<std::string_view> values_;  ///< Of the current statement.
  std::vector<std::string> warnings_;
  Facts header_;
  std::vector<DefectClass> classes_;
  std::vector<InspectionTest> tests_, last_tests_;
  std::vector<Lookup> lookups_;
  std::vector<TestSummary> summaries_;
  std::vector<std::string_view> columns_, summary_columns_;
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
  const auto declared = static_cast<std::size_t>(std::max<std::int64_t>(0, count.value_or(0)));
  const std::size_t entries = values.size() / values_each;
  if (values.size() % values_each != 0 || entries < declared) {
    complaints_.reject(name.offset, lexer_.position(), "KLAR-0017",
                       fmt::format("{} says {} entries but has {}; some are missing or damaged.",
                                   to_valid_utf8(name.text), shown(values_.front()), entries));
  } else if (!count || declared != entries) {
    warn(name,
         fmt::format("{} says {} entries but has {}.", name.text, shown(values_.front()), entries));
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
  if (rows_.landmarks() == nullptr || values_.empty()) return;
  const char* const text = lexer_.text().data();
  const auto at = [text](std::string_view value) {
    return static_cast<std::size_t>(value.data() - text);
  };
  ClassListPlace place;
  place.count = {at(values_.front()), at(values_.front()) + values_.front().size()};
  const std::string_view last = values_.back();
  const std::size_t end = at(last) + last.size();
  place.end = end < lexer_.text().size() && text[end] == '"' ? end + 1 : end;
  for (const DefectClass& c : classes_) place.numbers.push_back(c.number);
  if (values.size() >= 2) place.entry_begins = at(values[values.size() - 2]);
  rows_.landmarks()->class_list(place);
}

/// Column names behind their count.
std::vector<std::string_view> FlatReader::names_of(std::vector<std::string_view> values) {
  if (!values.empty() && whole_number(values.front())) values.erase(values.begin());
  return values;
}

/// Pairs of a number and what it stands for; a later list of the kind takes the place of an
/// earlier.
void FlatReader::add_lookups(const Token& name, const std::string& kind) {
  const auto values = counted(name, 2);
  std::erase_if(lookups_, [&](const Lookup& lookup) { return lookup.kind == kind; });
  for (std::size_t i = 0; i + 1 < values.size(); i += 2) {
    int entry = 0;
    if (!set_index(entry, values[i])) {
      const auto at = static_cast<std::size_t>(values[i].data() - lexer_.text().data());
      complaints_.reject(at, at + values[i].size(), "KLAR-0016",
                         fmt::format("{}: \"{}\" is not a number.", to_valid_utf8(name.text),
                                     escape_controls(to_valid_utf8(values[i]))));
      return;
    }
    lookups_.push_back({kind, entry, clean(values[i + 1])});
  }
}

void FlatReader::add_summary(const Token& name) {
  active_ = true;
  const std::size_t n = summary_columns_.size();
  if (n == 0 || values_.empty()) return;
  const char* const text = lexer_.text().data();
  for (std::size_t i = 0; i + n <= values_.size(); i += n) {
    const std::vector<std::string_view> row(values_.begin() + static_cast<std::ptrdiff_t>(i),
                                            values_.begin() + static_cast<std::ptrdiff_t>(i + n));
    TestSummary summary = summary_row(summary_columns_, row, static_cast<int>(i / n) + 1);
    summary.from = static_cast<std::size_t>(row.front().data() - text);
    summary.to = static_cast<std::size_t>(row.back().data() - text) + row.back().size();
    summaries_.push_back(summary);
  }
  if (values_.size() % n != 0) {
    warn(name, fmt::format("SummaryList has {} values, which are no rows of {} columns.",
                           values_.size(), n));
  }
}

void FlatReader::keep_other(const Token& name) {
  constexpr std::size_t kLongest = 65'536;
  std::string text = joined_values(lexer_.text(), values_);
  if (text.size() > kLongest) {
    return complaints_.reject(
        name.offset, lexer_.position(), "KLAR-0015",
        fmt::format("{} is {} bytes long; statements without a column of their own are kept up to "
                    "{} bytes.",
                    escape_controls(to_valid_utf8(name.text.substr(0, 40))), text.size(),
                    kLongest));
  }
  header_.others.set(name.text, std::move(text));
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
  wafer.summaries = std::move(summaries_);
  for (const std::string& what : check_summaries(wafer, rows_.defects_sent(), complaints_)) {
    warn(wafer_at_, what);
  }
  rows_.finish_wafers({}, classes_, lookups_);
  tests_.clear();
  summaries_.clear();
  header_.others.forget_of_wafer();
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
  const std::size_t rejected = complaints_.total();
  FlatDefectList list(lexer_, rows_, complaints_, tiff_file_);
  list.read(name, columns_);
  rows_.wafer().dropped += complaints_.total() - rejected;
}

void FlatReader::statement(const Token& name) {
  const auto is = [&](std::string_view other) { return equals_ignoring_case(name.text, other); };
  if (is("DefectList")) return read_defects(name);
  collect();
  if (is("EndOfFile")) {
    ended_ = true;
  } else if (is("DefectRecordSpec")) {
    columns_ = names_of(values_);
    if (rows_.landmarks() != nullptr) rows_.landmarks()->class_list_home(name.offset, false);
  } else if (is("SummarySpec")) {
    summary_columns_ = names_of(values_);
  } else if (is("InspectionTest")) {
    begin_test();
  } else if (is("AreaPerTest")) {
    add_area();
  } else if (is("SampleTestPlan")) {
    add_plan(name);
  } else if (is("ClassLookup")) {
    add_classes(name);
  } else if (is("ClusterClassificationList")) {
    add_lookups(name, "cluster");
  } else if (const std::string_view meant = likely_meant(name.text); !meant.empty()) {
    complaints_.reject(name.offset, lexer_.position(), "KLAR-0018",
                       fmt::format("\"{}\" is no statement; {} was likely meant, and what it says "
                                   "is missing.",
                                   escape_controls(shown(name.text)), meant));
  } else if (const std::string kind = lookup_kind(name.text); !kind.empty()) {
    add_lookups(name, kind);
  } else if (is("SummaryList")) {
    add_summary(name);
  } else if (is("TiffFileName")) {
    tiff_file_ = values_.empty() ? std::string_view() : values_.front();
  } else if (!is("FileVersion")) {
    // A new lot, step or time behind a defect list speaks of what comes, not of what was.
    if (listed_ && (is("LotID") || is("StepID") || is("DeviceID") || is("ResultTimestamp"))) {
      finish_section(name.offset);
    }
    if (is("WaferID")) begin_wafer(name);
    const std::string problem = set_fact(header_, name.text, values_, kFlatUnits);
    warn(name, problem);
    if (!problem.empty() || !is_whole_fact(name.text, values_, kFlatUnits)) keep_other(name);
  }
}

}  // namespace

Result<ReadSummary> read_flat(std::string_view text, InspectionRows& rows, Complaints& complaints) {
  return FlatReader(text, rows, complaints).read();
}

}  // namespace yieldloop::ingest::klarf

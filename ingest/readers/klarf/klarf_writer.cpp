#include "ingest/readers/klarf/klarf_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/core/text.h"
#include "ingest/readers/klarf/facts.h"
#include "ingest/readers/klarf/inspection_content.h"
#include "ingest/readers/klarf/klarf_words.h"

namespace yieldloop::ingest::klarf {
namespace {

/// Statements whose values mean the same in both dialects: texts, words and times, no lengths.
constexpr std::array<std::string_view, 15> kPlainStatements = {"FileTimestamp",
                                                               "InspectionStationID",
                                                               "SampleType",
                                                               "ResultsID",
                                                               "SetupID",
                                                               "RecipeID",
                                                               "TiffSpec",
                                                               "OrientationInstructions",
                                                               "CoordinatesCentered",
                                                               "InspectionOrientation",
                                                               "WaferScribe",
                                                               "WaferStatus",
                                                               "LotStatus",
                                                               "ProcessEquipmentState",
                                                               "ClassificationSource"};

/// One file being written.
class Writer {
 public:
  Writer(const InspectionTables& tables, Dialect dialect)
      : tables_(tables), nested_(dialect == Dialect::kNested18) {}
  WrittenKlarf write();

 private:
  const store::Table& table(const std::string& name) const { return tables_.at(name); }
  const store::Column& head(std::string_view column) const { return table("inspections")[column]; }
  std::string_view fact(const InspectionContent& c, std::string_view name) const;
  /// A length or area of the store in the dialect's unit, as it is written.
  std::string scaled(double value, char unit) const;
  std::string value_of(const store::Table& defects, std::size_t row, const DefectColumn& column,
                       const std::map<std::string, std::string>& attributes);
  void statement(std::string_view name, const std::vector<std::string>& values);
  void text_statement(std::string_view name, std::string_view value) {
    if (!value.empty()) statement(name, {in_quotes(value)});
  }
  void header(const InspectionContent& c);
  void geometry(const InspectionContent& c);
  void other_facts(const InspectionContent& c);
  void time_statement(std::string_view name, UtcMicros time);
  void pair_of(std::string_view name, const InspectionContent& c, std::string_view x,
               std::string_view y);
  void flat_inspection(const InspectionContent& c);
  void flat_tests(const InspectionContent& c);
  void flat_classes(const InspectionContent& c);
  void flat_defects(const InspectionContent& c);
  void flat_images(const std::vector<DefectImage>& images);
  void nested_lot(const std::vector<const InspectionContent*>& wafers);
  void nested_wafer(const InspectionContent& c);
  void nested_tests(const InspectionContent& c);
  void nested_classes(const InspectionContent& c);
  void nested_defects(const InspectionContent& c);
  std::map<int, std::vector<std::pair<int, int>>> plans(const InspectionContent& c) const;
  std::map<int, std::optional<double>> areas(const InspectionContent& c) const;
  std::map<int, std::size_t> counts(const InspectionContent& c) const;
  void warn(std::string_view sentence) {
    if (std::ranges::find(written_.warnings, sentence) == written_.warnings.end()) {
      written_.warnings.emplace_back(sentence);
    }
  }

  const InspectionTables& tables_;
  bool nested_;
  std::string current_file_;  ///< Of images, flat.
  WrittenKlarf written_;
  std::string& out_ = written_.text;
};

std::string_view Writer::fact(const InspectionContent& c, std::string_view name) const {
  if (c.facts.empty()) return {};
  const store::Table& facts = table("inspection_facts");
  for (const std::size_t row : c.facts) {
    if (equals_ignoring_case(facts["statement"].as_text(row), name)) {
      return facts["value"].as_text(row);
    }
  }
  return {};
}

std::string Writer::scaled(double value, char unit) const {
  if (!nested_ || unit == ' ') return fmt::format("{}", value);
  const double factor = unit == 'a' ? kNestedUnits.area_um2 : kNestedUnits.length_um;
  const double nm = value * factor;
  // Whole nanometres are meant where binary fractions stand a hair beside them.
  const double whole = std::round(nm);
  if (std::abs(nm - whole) < 1e-6 && std::abs(whole) < 9e15) {
    return fmt::format("{}", static_cast<std::int64_t>(whole));
  }
  return fmt::format("{}", nm);
}

void Writer::statement(std::string_view name, const std::vector<std::string>& values) {
  if (nested_) {
    out_ += fmt::format("Field {} {} {{{}}}\n", name, values.size(), join(values, ", "));
  } else {
    out_ += fmt::format("{} {};\n", name, join(values, " "));
  }
}

void Writer::time_statement(std::string_view name, UtcMicros time) {
  const auto [date, clock] = klarf_time(time);
  if (date.empty()) return;
  if (nested_) {
    statement(name, {in_quotes(date), in_quotes(clock)});
  } else {
    statement(name, {date, clock});
  }
}

void Writer::pair_of(std::string_view name, const InspectionContent& c, std::string_view x,
                     std::string_view y) {
  if (head(x).is_null(c.row) || head(y).is_null(c.row)) return;
  statement(name, {scaled(head(x).as_real(c.row), 'l'), scaled(head(y).as_real(c.row), 'l')});
}

/// What holds for a lot: in nested files it stands in the lot's record.
void Writer::header(const InspectionContent& c) {
  if (fact(c, "InspectionStationID").empty()) {
    text_statement("InspectionStationID", head("tool").as_text(c.row));
  }
  time_statement("ResultTimestamp", head("inspected_at").as_time(c.row));
  if (!nested_) statement("LotID", {in_quotes(head("lot_id").as_text(c.row))});
  if (!head("sample_size_mm").is_null(c.row)) {
    const double mm = head("sample_size_mm").as_real(c.row);
    statement("SampleSize", nested_ ? std::vector<std::string>{scaled(mm * 1000.0, 'l'), "0"}
                                    : std::vector<std::string>{"1", fmt::format("{}", mm)});
  }
  text_statement("DeviceID", head("product").as_text(c.row));
  if (fact(c, nested_ ? "RecipeID" : "SetupID").empty()) {
    text_statement(nested_ ? "RecipeID" : "SetupID", head("recipe").as_text(c.row));
  }
  text_statement("StepID", head("step").as_text(c.row));
  const auto word = [&](std::string_view text) {
    return nested_ ? in_quotes(text) : one_line(text);
  };
  if (const auto mark = head("orientation_mark").as_text(c.row); !mark.empty()) {
    statement("SampleOrientationMarkType", {word(mark)});
  }
  if (const auto side = head("orientation").as_text(c.row); !side.empty()) {
    const std::string degrees = side == "DOWN"    ? "0"
                                : side == "RIGHT" ? "90"
                                : side == "UP"    ? "180"
                                : side == "LEFT"  ? "270"
                                                  : in_quotes(side);
    statement("OrientationMarkLocation", {nested_ ? degrees : one_line(side)});
  }
  pair_of("DiePitch", c, "die_pitch_x_um", "die_pitch_y_um");
  if (!head("mirrored").is_null(c.row)) {
    statement("CoordinatesMirrored", {word(head("mirrored").as_int(c.row) != 0 ? "Yes" : "No")});
  }
}

/// What holds for a wafer.
void Writer::geometry(const InspectionContent& c) {
  if (!head("slot").is_null(c.row)) {
    statement(nested_ ? "SlotNumber" : "Slot", {std::to_string(head("slot").as_int(c.row))});
  }
  pair_of("DieOrigin", c, "die_origin_x_um", "die_origin_y_um");
  pair_of("SampleCenterLocation", c, "sample_center_x_um", "sample_center_y_um");
}

void Writer::other_facts(const InspectionContent& c) {
  if (c.facts.empty()) return;
  const store::Table& facts = table("inspection_facts");
  for (const std::size_t row : c.facts) {
    std::string name(facts["statement"].as_text(row));
    if (name == "RecipeID" && !nested_) name = "SetupID";
    if (name == "SetupID" && nested_) name = "RecipeID";
    if (std::ranges::find(kPlainStatements, name) == kPlainStatements.end()) {
      warn(fmt::format("{} is not written: its units are those of the file it came from.",
                       one_line(name)));
      continue;
    }
    std::vector<std::string> values;
    for (const auto& [text, is_text] : parts_of(facts["value"].as_text(row))) {
      const bool bare = !is_text && (!nested_ || number(text).has_value());
      values.push_back(bare ? one_line(text) : in_quotes(text));
    }
    if (!values.empty()) statement(name, values);
  }
}

std::map<int, std::vector<std::pair<int, int>>> Writer::plans(const InspectionContent& c) const {
  std::map<int, std::vector<std::pair<int, int>>> plan;
  if (c.die.empty()) return plan;
  const store::Table& die = table("inspected_dies");
  for (const std::size_t row : c.die) {
    plan[static_cast<int>(die["test"].as_int(row))].emplace_back(
        static_cast<int>(die["die_x"].as_int(row)), static_cast<int>(die["die_y"].as_int(row)));
  }
  return plan;
}

/// Areas by test; where the tests are not known, the inspection's area is that of its one test.
std::map<int, std::optional<double>> Writer::areas(const InspectionContent& c) const {
  std::map<int, std::optional<double>> areas;
  if (!c.tests.empty()) {
    const store::Table& tests = table("inspection_tests");
    for (const std::size_t row : c.tests) {
      auto& area = areas[static_cast<int>(tests["test"].as_int(row))];
      if (!tests["area_cm2"].is_null(row)) area = tests["area_cm2"].as_real(row);
    }
  }
  for (const auto& [test, die] : plans(c)) areas.try_emplace(test);
  if (areas.empty()) areas.try_emplace(1);
  if (areas.size() == 1 && !areas.begin()->second && !head("area_per_test_cm2").is_null(c.row)) {
    areas.begin()->second = head("area_per_test_cm2").as_real(c.row);
  }
  return areas;
}

std::map<int, std::size_t> Writer::counts(const InspectionContent& c) const {
  std::map<int, std::size_t> counts;
  for (const auto& [test, area] : areas(c)) counts[test] = 0;
  if (c.defects.empty()) return counts;
  const store::Column& test = table("defects")["test"];
  for (const std::size_t row : c.defects) {
    // A defect that names no test belongs to the only one there is.
    const int number =
        test.is_null(row) ? counts.begin()->first : static_cast<int>(test.as_int(row));
    ++counts[number];
  }
  return counts;
}

std::string Writer::value_of(const store::Table& defects, std::size_t row,
                             const DefectColumn& column,
                             const std::map<std::string, std::string>& attributes) {
  if (column.store.empty()) {
    const auto it = attributes.find(column.klarf);
    if (it == attributes.end() || it->second.empty()) return "NA";
    return number(it->second) || it->second.find_first_of(" \t\";{},") == std::string::npos
               ? it->second
               : in_quotes(it->second);
  }
  const store::Column& values = defects[column.store];
  if (values.is_null(row)) return "NA";
  return column.whole ? std::to_string(values.as_int(row))
                      : scaled(values.as_real(row), column.unit);
}

void Writer::flat_tests(const InspectionContent& c) {
  const auto plan = plans(c);
  for (const auto& [test, area] : areas(c)) {
    statement("InspectionTest", {std::to_string(test)});
    if (const auto it = plan.find(test); it != plan.end()) {
      out_ += fmt::format("SampleTestPlan {}", it->second.size());
      for (const auto& [x, y] : it->second) out_ += fmt::format("\n {} {}", x, y);
      out_ += ";\n";
    }
    if (area) statement("AreaPerTest", {fmt::format("{}", *area * kFlatUnits.area_cm2)});
  }
}

void Writer::flat_classes(const InspectionContent& c) {
  if (!c.classes.empty()) {
    const store::Table& classes = table("defect_classes");
    out_ += fmt::format("ClassLookup {}", c.classes.size());
    for (const std::size_t row : c.classes) {
      out_ += fmt::format("\n {} {}", classes["class_number"].as_int(row),
                          in_quotes(classes["class_name"].as_text(row)));
    }
    out_ += ";\n";
  }
  if (!c.lookups.empty()) warn("Lookups other than the class list are not written.");
}

/// A count and its pairs; the file is named before the row.
void Writer::flat_images(const std::vector<DefectImage>& images) {
  out_ += fmt::format(" {} {}", images.size(), images.size());
  for (const DefectImage& image : images) {
    const auto plain = [](const std::string& text) {
      return text.empty()                                        ? std::string("0")
             : text.find_first_of(" \t\";") == std::string::npos ? text
                                                                 : in_quotes(text);
    };
    out_ += fmt::format(" {} {}", plain(image.page), plain(image.type));
    if (image.file != images.front().file) {
      warn("A defect's images of several files are written as of the first of them.");
    }
  }
}

void Writer::flat_defects(const InspectionContent& c) {
  const std::size_t extra = c.has_images ? 2 : 0;
  if (!c.columns.empty()) {
    out_ += fmt::format("DefectRecordSpec {}", c.columns.size() + extra);
    for (const DefectColumn& column : c.columns) out_ += ' ' + one_line(column.klarf);
    out_ += c.has_images ? " IMAGECOUNT IMAGELIST;\n" : ";\n";
  }
  out_ += "DefectList";
  for (const std::size_t row : c.defects) {
    const store::Table& defects = table("defects");
    const auto attributes = attributes_of(defects["attributes"].as_text(row));
    const auto images = images_of(defects["images"].as_text(row));
    if (!images.empty() && images.front().file != current_file_ && !images.front().file.empty()) {
      current_file_ = images.front().file;
      out_ += "\nTiffFileName " + in_quotes(current_file_);
    }
    out_ += '\n';
    for (const DefectColumn& column : c.columns) {
      out_ += ' ' + value_of(defects, row, column, attributes);
    }
    if (c.has_images) flat_images(images);
  }
  out_ += ";\n";
}

void Writer::flat_inspection(const InspectionContent& c) {
  header(c);
  other_facts(c);
  statement("WaferID", {in_quotes(head("wafer_id").as_text(c.row))});
  geometry(c);
  flat_classes(c);
  flat_tests(c);
  flat_defects(c);
  out_ += "SummarySpec 2 TESTNO NDEFECT;\nSummaryList";
  for (const auto& [test, n] : counts(c)) out_ += fmt::format("\n {} {}", test, n);
  out_ += ";\n";
}

void Writer::nested_tests(const InspectionContent& c) {
  const auto plan = plans(c);
  for (const auto& [test, area] : areas(c)) {
    out_ += fmt::format("Record TestRecord \"{}\"\n{{\n", test);
    if (area) {
      statement("AreaPerTest", {fmt::format("{}", *area * kNestedUnits.area_cm2)});
    }
    if (const auto it = plan.find(test); it != plan.end()) {
      out_ += fmt::format(
          "List SampleTestPlanList\n{{\nColumns 2 {{ int32 XINDEX, int32 YINDEX }}\n"
          "Data {}\n{{\n",
          it->second.size());
      for (const auto& [x, y] : it->second) out_ += fmt::format("{} {};\n", x, y);
      out_ += "}\n}\n";
    }
    out_ += "}\n";
  }
  out_ +=
      "Record SummaryRecord\n{\nList TestSummaryList\n{\n"
      "Columns 2 { int32 TESTNO, int32 NDEFECT }\n";
  const auto defects = counts(c);
  out_ += fmt::format("Data {}\n{{\n", defects.size());
  for (const auto& [test, n] : defects) out_ += fmt::format("{} {};\n", test, n);
  out_ += "}\n}\n}\n";
}

void Writer::nested_classes(const InspectionContent& c) {
  if (!c.lookups.empty()) {
    const store::Table& lookups = table("inspection_lookups");
    for (const std::size_t row : c.lookups) {
      if (lookups["kind"].as_text(row) == "class_code") continue;
      warn("Lookups other than the class list are not written.");
    }
  }
  if (c.classes.empty()) return;
  const store::Table& classes = table("defect_classes");
  out_ += fmt::format(
      "List ClassLookupList\n{{\nColumns 3 {{ int32 CLASSNUMBER, string CLASSNAME, "
      "string CLASSCODE }}\nData {}\n{{\n",
      c.classes.size());
  for (const std::size_t row : c.classes) {
    std::string_view code;
    for (const std::size_t entry : c.lookups) {
      const store::Table& lookups = table("inspection_lookups");
      if (lookups["kind"].as_text(entry) == "class_code" &&
          lookups["number"].as_int(entry) == classes["class_number"].as_int(row)) {
        code = lookups["value"].as_text(entry);
      }
    }
    out_ += fmt::format("{} {} {};\n", classes["class_number"].as_int(row),
                        in_quotes(classes["class_name"].as_text(row)), in_quotes(code));
  }
  out_ += "}\n}\n";
}

void Writer::nested_defects(const InspectionContent& c) {
  if (c.columns.empty()) return;
  out_ +=
      fmt::format("List DefectList\n{{\nColumns {} {{ ", c.columns.size() + (c.has_images ? 1 : 0));
  bool first = true;
  for (const DefectColumn& column : c.columns) {
    const std::string_view type = column.store.empty() ? "string"
                                  : column.whole       ? "int32"
                                                       : "double";
    out_ += fmt::format("{}{} {}", first ? "" : ", ", type, one_line(column.klarf));
    first = false;
  }
  out_ += c.has_images ? ", ImageList IMAGEINFO }\n" : " }\n";
  out_ += fmt::format("Data {}\n{{\n", c.defects.size());
  for (const std::size_t row : c.defects) {
    const store::Table& defects = table("defects");
    const auto attributes = attributes_of(defects["attributes"].as_text(row));
    for (const DefectColumn& column : c.columns) {
      out_ += value_of(defects, row, column, attributes) + ' ';
    }
    if (c.has_images) {
      const auto images = images_of(defects["images"].as_text(row));
      if (images.empty()) out_ += "N ";
      for (std::size_t i = 0; i < images.size(); ++i) {
        const std::string page =
            number(images[i].page) ? images[i].page : in_quotes(images[i].page);
        out_ += i == 0 ? fmt::format("Images {} {{ ", images.size()) : ", ";
        out_ += fmt::format("{} \"\" {} {}", in_quotes(images[i].file), page,
                            in_quotes(images[i].type));
      }
      if (!images.empty()) out_ += " } ";
    }
    out_ += ";\n";
  }
  out_ += "}\n}\n";
}

void Writer::nested_wafer(const InspectionContent& c) {
  out_ += fmt::format("Record WaferRecord {}\n{{\n", in_quotes(head("wafer_id").as_text(c.row)));
  header(c);
  other_facts(c);
  geometry(c);
  nested_classes(c);
  nested_defects(c);
  nested_tests(c);
  out_ += "}\n";
}

void Writer::nested_lot(const std::vector<const InspectionContent*>& wafers) {
  out_ += fmt::format("Record LotRecord {}\n{{\n",
                      in_quotes(head("lot_id").as_text(wafers.front()->row)));
  for (const InspectionContent* wafer : wafers) nested_wafer(*wafer);
  out_ += "}\n";
}

WrittenKlarf Writer::write() {
  const auto contents = contents_of(tables_);
  if (!nested_) {
    out_ = "FileVersion 1 2;\n";
    for (const InspectionContent& c : contents) flat_inspection(c);
  } else {
    out_ = "Record FileRecord \"1.8\"\n{\n";
    for (std::size_t i = 0; i < contents.size();) {
      std::vector<const InspectionContent*> wafers;
      const std::string_view lot = head("lot_id").as_text(contents[i].row);
      for (; i < contents.size() && head("lot_id").as_text(contents[i].row) == lot; ++i) {
        wafers.push_back(&contents[i]);
      }
      nested_lot(wafers);
    }
    out_ += "}\n";
  }
  out_ += "EndOfFile;\n";
  return std::move(written_);
}

}  // namespace

Result<WrittenKlarf> write_klarf(const InspectionTables& tables, Dialect dialect) {
  const auto it = tables.find("inspections");
  if (it == tables.end() || it->second.rows() == 0) {
    return Error{Errc::kNoData, "KLAR-0031",
                 "There is no inspection to write as KLARF; ingest one or widen the scope."};
  }
  return Writer(tables, dialect).write();
}

}  // namespace yieldloop::ingest::klarf

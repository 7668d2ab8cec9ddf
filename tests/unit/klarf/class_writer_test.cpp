#include <fstream>
#include <sstream>

#include "catch_portable.h"
#include "engine/core/file_system.h"
#include "ingest/readers/klarf/class_writer.h"
#include "ingest/readers/klarf/klarf_reader.h"
#include "reader_fixture.h"

using namespace yieldloop;
using namespace yieldloop::ingest::klarf;

namespace {

std::string sample(const std::string& name) {
  return read_text_file(real_file_system(),
                        fs::path(YIELDLOOP_SOURCE_DIR) / "sample_data" / "klarf" / name)
      .value();
}

/// The lines of b that are not those of a at the same place.
std::vector<std::string> changed_lines(const std::string& a, const std::string& b) {
  std::istringstream x(a), y(b);
  std::vector<std::string> lines;
  std::string one, two;
  while (std::getline(y, two)) {
    if (!std::getline(x, one) || one != two) lines.push_back(two);
  }
  return lines;
}

}  // namespace

TEST_CASE("classes: without edits every file is written back byte for byte", "[klarf][write]") {
  const auto name =
      GENERATE(as<std::string>{}, "CPS3TwithoutReview.001", "simple12.klarf", "bad12.klarf",
               "bad12DefectList.klarf", "klarf12Example.klarf", "simple18.klarf",
               "wierdKlarfWithNAs.klarf", "klarfWithImagelist.klarf");
  const std::string text = sample(name);
  const auto written = rewrite_classes(text, {}, {});
  REQUIRE(written);
  CHECK(written->text == text);
  CHECK(written->values == 0);
}

TEST_CASE("classes: a known class changes one value of a flat file", "[klarf][write]") {
  const std::string text = sample("CPS3TwithoutReview.001");
  const auto written = rewrite_classes(
      text, {{"HJU008", "25", 3, {{"CLASSNUMBER", 15}, {"ROUGHBINNUMBER", 7}}}}, {});
  REQUIRE(written);
  CHECK(written->defects == 1);
  CHECK(written->values == 2);
  CHECK(written->classes == 0);
  const auto lines = changed_lines(text, written->text);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] ==
        " 3 1.1714400000e+03 1.8983200000e+03 -11 -13 1.360000 3.640000 4.950400 "
        "3.8859749795e+00 15 1 7 0 0");
}

TEST_CASE("classes: a new class extends the list, in the look of the list", "[klarf][write]") {
  const std::string text = sample("CPS3TwithoutReview.001");
  const auto written = rewrite_classes(
      text, {{"", "", 1, {{"CLASSNUMBER", 9001}}}, {"", "", 16, {{"CLASSNUMBER", 9002}}}},
      {{9001, "Bridge \"x\""}});
  REQUIRE(written);
  CHECK(written->classes == 2);
  const auto r = test::read_text(klarf_reader(), "a", written->text);
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.summary->warnings.empty());
  CHECK(r.count("classes") == 278);
  CHECK(r.sink.cell("defect_classes", 276, "class_name") == "Bridge 'x'");
  CHECK(r.sink.cell("defect_classes", 277, "class_name") == "Class 9002");
  CHECK(r.sink.cell("defects", 0, "class_number") == "9001");
  CHECK(r.sink.cell("defects", 15, "class_number") == "9002");
}

TEST_CASE("classes: the nested dialect likewise, image lists untouched", "[klarf][write]") {
  const std::string text = sample("klarfWithImagelist.klarf");
  const auto written =
      rewrite_classes(text,
                      {{"aLot", "aWafer", 2, {{"CLASSNUMBER", 5}, {"MACROSIGCLASS", 3}}},
                       {"other", "aWafer", 5, {{"CLASSNUMBER", 6}}},
                       {"aLot", "aWafer", 99, {{"CLASSNUMBER", 6}}},
                       {"aLot", "aWafer", 11, {{"FACLASS", 6}, {"FINEBINNUMBER", 1}}}},
                      {{5, "Particle"}});
  REQUIRE(written);
  CHECK(written->defects == 2);
  CHECK(written->values == 3);
  CHECK(written->without_defect == 2);
  CHECK(written->without_column == 1);
  CHECK(written->classes == 1);
  CHECK(changed_lines(text, written->text).size() > 1);
  const auto r = test::read_text(klarf_reader(), "a", written->text);
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.summary->warnings.empty());
  CHECK(r.count("classes") == 2);
  CHECK(r.count("images") == 6);
  CHECK(r.sink.cell("defects", 0, "class_number") == "5");
  CHECK(r.sink.cell("defect_classes", 1, "class_name") == "Particle");
  CHECK_THAT(r.sink.cell("defects", 0, "attributes"), Contains(R"("MACROSIGCLASS":"3")"));
}

TEST_CASE("classes: a file without a class list gets one", "[klarf][write]") {
  const std::string flat =
      "FileVersion 1 2;\nWaferID \"W\";\nInspectionTest 1;\n"
      "DefectRecordSpec 6 DEFECTID XREL YREL XINDEX YINDEX CLASSNUMBER;\nDefectList\n"
      " 1 1 1 0 0 0\n 2 1 1 0 0 0;\nEndOfFile;\n";
  const std::string nested =
      "Record FileRecord \"1.8\"\n{\nRecord LotRecord \"L\"\n{\nRecord WaferRecord \"W\"\n{\n"
      "List DefectList\n{\nColumns 6 { int32 DEFECTID, int32 XREL, int32 YREL, int32 XINDEX, "
      "int32 YINDEX, int32 CLASSNUMBER }\nData 2\n{\n1 1 1 0 0 0;\n2 1 1 0 0 0;\n}\n}\n}\n}\n}\n"
      "EndOfFile;\n";
  for (const std::string& text : {flat, nested}) {
    const auto written = rewrite_classes(text, {{"", "W", 2, {{"CLASSNUMBER", 4}}}}, {{4, "Four"}});
    REQUIRE(written);
    CAPTURE(written->text);
    const auto r = test::read_text(klarf_reader(), "a", written->text);
    REQUIRE(r.ok());
    CHECK(r.rejects.empty());
    CHECK(r.summary->warnings.empty());
    CHECK(r.sink.cell("defects", 1, "class_number") == "4");
    CHECK(r.sink.cell("defects", 0, "class_number") == "0");
    CHECK(r.sink.cell("defect_classes", 0, "class_name") == "Four");
  }
}

TEST_CASE("classes: only class columns are changed", "[klarf][write][error]") {
  CHECK(rewrite_classes("x", {{"", "", 1, {{"XREL", 4}}}}, {}).error().id == "KLAR-0030");
  CHECK(rewrite_classes("x", {}, {}).error().id == "KLAR-0020");
  CHECK(is_class_column("FINEBINNUMBER"));
  CHECK(is_class_column("ManSemClass"));
  CHECK_FALSE(is_class_column("DEFECTID"));
}

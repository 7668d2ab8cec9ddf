#include "catch_portable.h"
#include "ingest/readers/klarf/klarf_reader.h"
#include "reader_fixture.h"

using namespace yieldloop;

namespace {

const ingest::ReaderDeclaration kKlarf = ingest::klarf::klarf_reader();

test::Reading read(const std::string& text) { return test::read_text(kKlarf, "a.klarf", text); }

std::string file(const std::string& rows, const std::string& count = "2") {
  return R"(Record FileRecord  "1.8"
{
  Record LotRecord "LOT1"
  {
    Record WaferRecord "W1"
    {
      Field SampleCenterLocation 2 {4929000, -490333}
      Field SlotNumber 1 {25}
      Field X 2 {1, "1" }
      List DefectList
      {
        Columns 8 { int32 DEFECTID, int32 XREL, int32 YREL, int32 XINDEX, int32 YINDEX, float DEFECTAREA,
                    double GDSX, ImageList IMAGEINFO }
        Data )" +
         count + "\n        {\n" + rows + R"(        }
      }
      Record TestRecord "1"
      {
        Field AreaPerTest 1 {2.00e+015}
        List SampleTestPlanList
        {
          Columns 2 { int32 XINDEX, int32 YINDEX }
          Data 2 { 10 -13 ; 20 -13 ; }
        }
      }
      Record SummaryRecord
      {
        List TestSummaryList { Columns 1 { int32 TESTNO } Data 1 { 1 ; } }
      }
    }
    Record WaferRecord "W2"
    {
      Field StepID 1 {"OTHER"}
      Record TestRecord "1" { Field AreaPerTest 1 {1e15} }
    }
    Field DeviceID 1 {"DEV"}
    Field DiePitch 2 {5744150, 5410203}
    Field ResultTimestamp 2 {"12-11-1971", "12:32:22"}
    Field OrientationMarkLocation 1 {0}
    Field SampleSize 2 {300000000, 0}
    Field StepID 1 {"S; {1}, \"}
    List ClassLookupList
    {
      Columns 3 { int32 CLASSNUMBER, string CLASSNAME, string CLASSCODE }
      Data 2 { 0 "Not Classified" ""; 1 "Bridge / short; {x}" ""; }
    }
  }
  Field FileTimestamp 2 {"12-12-1972", "16:27:59"}
}
EndOfFile;
)";
}

std::string plain(const std::string& rows, const std::string& count = "2") {
  std::string text = file(rows, count);
  text.replace(text.find("\"S; {1}, \\\""), 11, "\"S; {1},\"");
  return text;
}

const std::string kRows =
    "  1 1254960 4346692 2 24 6445.0 21725264.1 N;\n"
    "  2 622162 924193 -3\n   24 NA 1.5 Images 2 { \"a/p.jpg\" \"JPG\" 1 \"Patch\", \"b.jpg\" "
    "\"JPG\" 2 \"Whole\" };\n";

}  // namespace

TEST_CASE("klarf nested: nanometres become micrometres, the lot's fields reach its wafers",
          "[klarf]") {
  const auto r = read(plain(kRows));
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.summary->warnings.empty());
  CHECK_FALSE(r.sink.ragged);
  CHECK(r.summary->version == "1.8");
  CHECK(r.summary->rows == r.sink.rows());
  CHECK(r.count("lots") == 1);
  CHECK(r.count("wafers") == 2);
  CHECK(r.count("defects") == 2);
  CHECK(r.count("tests") == 2);
  CHECK(r.count("plan_die") == 2);
  CHECK(r.count("classes") == 2);
  CHECK(r.count("images") == 2);
  CHECK_THAT(r.count("area_per_test_cm2"), WithinRel(30.0, 1e-12));
  CHECK(r.sink.cell("inspections", 0, "lot_id") == "LOT1");
  CHECK(r.sink.cell("inspections", 0, "step") == "S; {1},");
  CHECK(r.sink.cell("inspections", 0, "product") == "DEV");
  CHECK(r.sink.cell("inspections", 0, "die_pitch_x_um") == "5744.15");
  CHECK(r.sink.cell("inspections", 0, "sample_center_y_um") == "-490.333");
  CHECK(r.sink.cell("inspections", 0, "sample_size_mm") == "300");
  CHECK(r.sink.cell("inspections", 0, "orientation") == "DOWN");
  CHECK(r.sink.cell("inspections", 0, "inspected_at") == "1971-12-11T12:32:22Z");
  CHECK(r.sink.cell("inspections", 1, "step") == "OTHER");
  CHECK(r.sink.cell("inspections", 1, "wafer_id") == "W2");
  CHECK(r.sink.cell("defects", 0, "x_um") == "1254.96");
  CHECK(r.sink.cell("defects", 0, "area_um2") == "0.006445");
  CHECK(r.sink.cell("defects", 0, "gds_x") == "21725.2641");
  CHECK(r.sink.cell("defects", 0, "step") == "S; {1},");
  CHECK(r.sink.cell("defects", 0, "images").empty());
  CHECK(r.sink.cell("defects", 1, "area_um2").empty());
  CHECK(r.sink.cell("defects", 1, "image_count") == "2");
  CHECK(
      r.sink.cell("defects", 1, "images") ==
      R"([{"file":"a/p.jpg","page":"1","type":"Patch"},{"file":"b.jpg","page":"2","type":"Whole"}])");
  CHECK(r.sink.rows("defect_classes") == 4);
  CHECK(r.sink.cell("defect_classes", 1, "class_name") == "Bridge / short; {x}");
}

TEST_CASE("klarf nested: a row that does not fit is refused alone", "[klarf][reject]") {
  const auto [row, id] = GENERATE(table<std::string, std::string>({
      {"  3 1 1 0 0 1 1 ;\n", "KLAR-0001"},
      {"  3 1 1 0 0 1 1 N 5;\n", "KLAR-0002"},
      {"  3 1 1 0.5 0 1 1 N;\n", "KLAR-0003"},
      {"  3 1 1 0 0 1 1 Pictures 1 { \"a\" };\n", "KLAR-0003"},
      {"  3 1 NA 0 0 1 1 N;\n", "KLAR-0004"},
  }));
  CAPTURE(row);
  const auto r = read(plain(row + kRows, "3"));
  REQUIRE(r.ok());
  CHECK(r.summary->warnings.empty());
  REQUIRE(r.rejects.total() == 1);
  CHECK(r.reject_id(0) == id);
  CHECK(r.rejects.kept()[0].line == 16);
  CHECK(r.count("defects") == 2);
  CHECK(r.count("wafers") == 2);
}

TEST_CASE("klarf nested: a wrong count of rows is told, not believed", "[klarf]") {
  const auto r = read(plain(kRows, "1"));
  REQUIRE(r.ok());
  CHECK(r.count("defects") == 2);
  CHECK(r.summary->warnings.size() == 1);
}

TEST_CASE("klarf nested: records without end are refused", "[klarf][error]") {
  std::string deep = "Record FileRecord \"1.8\" {";
  for (int i = 0; i < 100'000; ++i) deep += "Record X {";
  CHECK(read(deep).error_id() == "KLAR-0023");
  CHECK(read("Record FileRecord \"1.8\" {}\nEndOfFile;").error_id() == "KLAR-0020");
}

TEST_CASE("klarf nested: any damage gives rows and rejects, never a crash", "[klarf][damage]") {
  const std::string whole = plain(kRows);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto cut = read(whole.substr(0, n));
    CHECK_FALSE(cut.sink.ragged);
    if (cut.ok()) CHECK(cut.count("defects") == static_cast<double>(cut.sink.rows("defects")));
    for (const char c : {'"', ';', '{', '}', '\0', 'Z'}) {
      std::string flipped = whole;
      flipped[n] = c;
      const auto r = read(flipped);
      CHECK_FALSE(r.sink.ragged);
      if (r.ok()) CHECK(r.summary->rows == r.sink.rows());
    }
  }
}

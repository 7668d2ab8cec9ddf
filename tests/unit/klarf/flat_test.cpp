#include <map>

#include "catch_portable.h"
#include "ingest/readers/klarf/klarf_reader.h"
#include "reader_fixture.h"

using namespace yieldloop;
using ingest::Confidence;

namespace {

const ingest::ReaderDeclaration kKlarf = ingest::klarf::klarf_reader();

test::Reading read(const std::string& text) { return test::read_text(kKlarf, "a.001", text); }

const std::string kHeader = R"(FileVersion 1 2;
FileTimestamp 03-14-26 02:20:00;
InspectionStationID "ACME" "" "INS01";
SampleType WAFER;
ResultTimestamp 03-14-2026 2:10:07;
LotID "LOT1";
SampleSize 1 300;
DeviceID "DEMO";
SetupID "RCP" 01-02-26 00:00:00;
StepID "M1_INSP";
SampleOrientationMarkType NOTCH;
OrientationMarkLocation DOWN;
DiePitch 2.4e+003 2000.0;
DieOrigin 0 0;
)";

const std::string kWafer = R"(WaferID "W03";
Slot 03;
SampleCenterLocation 1.2e3 1000.0;
ClassLookup 2
 0 "Unclassified"
 7 "Metal bridge";
CoordinatesMirrored No;
InspectionTest 1;
SampleTestPlan 3
 0 0
 1 0
 -1 0;
AreaPerTest 1.44e7;
)";

const std::string kSpec =
    "DefectRecordSpec 9 DEFECTID XREL YREL XINDEX YINDEX DSIZE CLASSNUMBER IMAGECOUNT IMAGELIST "
    ";\n";

std::string file(const std::string& list) {
  return kHeader + kWafer + kSpec + "DefectList\n" + list +
         "SummarySpec 2 TESTNO NDIE;\nSummaryList\n 1 3;\nEndOfFile;\n";
}

}  // namespace

TEST_CASE("klarf flat: header, plan, classes and defects arrive", "[klarf]") {
  const auto r = read(file(" 1 10.5 20 -1 0 0.5 7 0 0\n 2 1e2 3.5 1 0 1.5 0 0 0;\n"));
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.summary->warnings.empty());
  CHECK_FALSE(r.sink.ragged);
  CHECK(r.summary->version == "1.2");
  CHECK(r.summary->rows == r.sink.rows());
  CHECK(r.count("lots") == 1);
  CHECK(r.count("wafers") == 1);
  CHECK(r.count("defects") == 2);
  CHECK(r.count("tests") == 1);
  CHECK(r.count("plan_die") == 3);
  CHECK(r.count("classes") == 2);
  CHECK(r.count("images") == 0);
  CHECK_THAT(r.count("area_per_test_cm2"), WithinRel(0.144, 1e-12));
  const auto cell = [&](const char* column) { return r.sink.cell("inspections", 0, column); };
  CHECK(cell("inspection") ==
        Sha256::of(file(" 1 10.5 20 -1 0 0.5 7 0 0\n 2 1e2 3.5 1 0 1.5 0 0 0;\n"))
                .hex()
                .substr(0, 16) +
            "-1");
  CHECK(cell("lot_id") == "LOT1");
  CHECK(cell("wafer_id") == "W03");
  CHECK(cell("product") == "DEMO");
  CHECK(cell("step") == "M1_INSP");
  CHECK(cell("recipe") == "RCP");
  CHECK(cell("tool") == "ACME INS01");
  CHECK(cell("inspected_at") == "2026-03-14T02:10:07Z");
  CHECK(cell("slot") == "3");
  CHECK(cell("sample_size_mm") == "300");
  CHECK(cell("orientation") == "DOWN");
  CHECK(cell("die_pitch_x_um") == "2400");
  CHECK(cell("sample_center_y_um") == "1000");
  CHECK(cell("mirrored") == "false");
  CHECK(cell("defects") == "2");
  CHECK(r.sink.cell("defects", 0, "die_x") == "-1");
  CHECK(r.sink.cell("defects", 0, "x_um") == "10.5");
  CHECK(r.sink.cell("defects", 1, "x_um") == "100");
  CHECK(r.sink.cell("defects", 1, "step") == "M1_INSP");
  CHECK(r.sink.cell("defects", 0, "class_number") == "7");
  CHECK(r.sink.cell("defects", 0, "cluster").empty());
  CHECK(r.sink.cell("defect_classes", 1, "class_name") == "Metal bridge");
  CHECK(r.sink.cell("inspected_dies", 2, "die_x") == "-1");
}

TEST_CASE("klarf flat: times of every form seen", "[klarf]") {
  const auto [said, meant] = GENERATE(table<std::string, std::string>({
      {"10-19-21 10:06:32", "2021-10-19T10:06:32Z"},
      {"08-18-2023 16:19:42", "2023-08-18T16:19:42Z"},
      {"07-07-77 0:17:07", "1977-07-07T00:17:07Z"},
      {"2026-03-14 02:10:00", "2026-03-14T02:10:00Z"},
      {"2026-03-14T02:10:00.5Z", "2026-03-14T02:10:00.500000Z"},
      {"14-Mar-2026 02:10:00", "2026-03-14T02:10:00Z"},
      {"78-67-08 37:19:26", ""},
  }));
  auto text = file(";\n");
  text.replace(text.find("03-14-2026 2:10:07"), 18, said);
  const auto r = read(text);
  REQUIRE(r.ok());
  CHECK(r.sink.cell("inspections", 0, "inspected_at") == meant);
  CHECK(r.summary->warnings.size() == (meant.empty() ? 1 : 0));
}

TEST_CASE("klarf flat: a row that does not fit is refused alone", "[klarf][reject]") {
  const auto [row, id] = GENERATE(table<std::string, std::string>({
      {" 2 10 20 0 0 0.5 7 0", ""},  // No list behind an image count of 0.
      {" 2 10 20 0 0 0.5 7", "KLAR-0001"},
      {" 2 10 20 0 0 0.5 7 0 0 0", "KLAR-0002"},
      {" 2 10 20 0 0.5 0.5 7 0 0", "KLAR-0003"},
      {" 2 x 20 0 0 0.5 7 0 0", "KLAR-0003"},
      {" 2 10 20 99999999999 0 0.5 7 0 0", "KLAR-0003"},
      {" 2 10 NA 0 0 0.5 7 0 0", "KLAR-0004"},
      {" 2 10 20 0 0 NA 7 0 0", ""},
  }));
  CAPTURE(row);
  for (const bool last : {false, true}) {
    const std::string good = " 1 10 20 0 0 0.5 7 0 0\n";
    const auto r = read(
        file(last ? good + good + good + row + ";\n" : good + good + row + "\n" + good + ";\n"));
    REQUIRE(r.ok());
    CHECK(r.rejects.total() == (id.empty() ? 0 : 1));
    CHECK(r.reject_id(0) == id);
    CHECK(r.count("defects") == (id.empty() ? 4 : 3));
    CHECK(r.sink.rows("defects") == (id.empty() ? 4 : 3));
    CHECK_FALSE(r.sink.ragged);
    if (!id.empty()) CHECK(r.rejects.kept()[0].line.value() == (last ? 33U : 32U));
  }
}

TEST_CASE("klarf flat: image lists in both forms, pairs on the next line too", "[klarf]") {
  const auto list = GENERATE(
      as<std::string>{},
      " 1 1 1 0 0 1 0 2 2\n 5 0 6 0\n 2 1 1 0 0 1 0 0 0\n 3 1 1 0 0 1 0 1 1 7 0;\n",
      " 1 1 1 0 0 1 0 2 5 0 6 0\n 2 1 1 0 0 1 0 0\n 3 1 1 0 0 1 0 1 7 0\n;\n",
      "FILENAME a.tif\n 1 1 1 0 0 1 0 2 2 5 0 6 0\n 2 1 1 0 0 1 0 0 0\n 3 1 1 0 0 1 0 1 1 7 0;\n");
  const auto r = read(file(list));
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.count("defects") == 3);
  CHECK(r.count("images") == 3);
  CHECK(r.sink.cell("defects", 0, "image_count") == "2");
  CHECK_THAT(r.sink.cell("defects", 0, "images"), Contains(R"("page":"6","type":"0"})"));
  CHECK(r.sink.cell("defects", 1, "images").empty());
  CHECK_THAT(r.sink.cell("defects", 2, "images"), Contains(R"("page":"7")"));
}

TEST_CASE("klarf flat: a damaged image count costs one row", "[klarf][damage]") {
  const auto count = GENERATE(as<std::string>{}, "3000", "999999999");
  const auto r = read(file(" 1 1 1 0 0 1 0 1 1 7 0\n 2 1 1 0 0 1 0 1 " + count +
                           " 7 0\n 3 1 1 0 0 1 0 1 1 7 0;\n"));
  REQUIRE(r.ok());
  CHECK(r.count("defects") == 2);
  CHECK(r.rejects.total() == 1);
}

TEST_CASE("klarf flat: a list that wafers inherit without end is refused", "[klarf][damage]") {
  std::string text = kHeader + "WaferID \"W\";\nInspectionTest 1;\nSampleTestPlan 20000\n";
  for (int i = 0; i < 20'000; ++i) text += "0 0\n";
  text += ";\n";
  for (int i = 0; i < 1'100; ++i) text += "WaferID \"W\";\nSummaryList 1;\n";
  CHECK(read(text).error_id() == "KLAR-0024");
}

TEST_CASE("klarf flat: rows may be wrapped over lines", "[klarf]") {
  const auto r = read(file(" 1 1 1\n 0 0 1 0\n 0 0\n 2 1 1\n 0 0 1 0\n 0 0;\n"));
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.count("defects") == 2);
}

TEST_CASE("klarf flat: columns the store has no place for become attributes", "[klarf]") {
  const auto r = read(kHeader + kWafer +
                      "DefectRecordSpec 6 DEFECTID XREL YREL XINDEX YINDEX KILLPROB;\nDefectList\n"
                      "1 1 1 0 0 0.25\n2 1 1 0 0 0.5;\nEndOfFile;\n");
  REQUIRE(r.ok());
  CHECK(r.sink.cell("defects", 1, "attributes") == R"({"KILLPROB":"0.5"})");
}

TEST_CASE("klarf flat: every WaferID opens a wafer that inherits the header", "[klarf]") {
  const auto r =
      read(kHeader + kWafer + kSpec + "DefectList\n 1 1 1 0 0 1 0 0 0;\nSummaryList 1 1;\n" +
           "WaferID \"W04\";\nDefectList\n 1 1 1 0 0 1 0 0 0\n 2 1 1 0 0 1 0 0 0;\n" +
           "LotID \"LOT2\";\nWaferID \"W01\";\nSlot 9;\nInspectionTest 2;\nAreaPerTest 1e8;\n"
           "DefectRecordSpec 5 DEFECTID XREL YREL XINDEX YINDEX;\nDefectList\n 5 1 1 0 "
           "0;\nEndOfFile;\n");
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK_FALSE(r.sink.ragged);
  CHECK(r.count("lots") == 2);
  CHECK(r.count("wafers") == 3);
  CHECK(r.count("defects") == 4);
  CHECK(r.count("tests") == 2);
  CHECK(r.count("plan_die") == 3);
  CHECK(r.sink.cell("inspections", 0, "lot_id") == "LOT1");
  CHECK(r.sink.cell("inspections", 1, "wafer_id") == "W04");
  CHECK(r.sink.cell("inspections", 1, "lot_id") == "LOT1");
  CHECK(r.sink.cell("inspections", 1, "slot").empty());
  CHECK(r.sink.cell("inspections", 1, "tests") == "1");
  CHECK(r.sink.cell("inspections", 2, "lot_id") == "LOT2");
  CHECK(r.sink.cell("inspections", 2, "step") == "M1_INSP");
  CHECK(r.sink.cell("inspections", 2, "slot") == "9");
  CHECK(r.sink.rows("inspected_dies") == 6);
  CHECK(r.sink.cell("defects", 3, "wafer_id") == "W01");
}

TEST_CASE("klarf flat: a WaferID in the wrong place is a reject", "[klarf][reject]") {
  const auto r = read(kHeader + kWafer + kSpec +
                      "DefectList\n 1 1 1 0 0 1 0 0 0;\nWaferID \"X\";\nEndOfFile;\n");
  REQUIRE(r.ok());
  CHECK(r.count("wafers") == 1);
  CHECK(r.reject_id(0) == "KLAR-0006");
}

TEST_CASE("klarf flat: a forgotten semicolon costs nothing", "[klarf][damage]") {
  auto text = file(" 1 1 1 0 0 1 0 0 0\n 2 1 1 0 0 1 0 0 0\n");  // None behind the list either.
  text.replace(text.find("\"W03\";"), 6, "\"W03\" ");
  const auto r = read(text);
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.count("defects") == 2);
  CHECK(r.sink.cell("inspections", 0, "slot") == "3");
}

TEST_CASE("klarf flat: wrong counts are told, not believed", "[klarf]") {
  auto text = file(" 1 1 1 0 0 1 0 0 0;\n");
  text.replace(text.find("SampleTestPlan 3"), 16, "SampleTestPlan 0");
  const auto r = read(text);
  REQUIRE(r.ok());
  CHECK(r.count("plan_die") == 3);
  CHECK(r.summary->warnings.size() == 1);
}

TEST_CASE("klarf flat: an empty list is an inspection without defects", "[klarf]") {
  const auto r = read(file(";\nDefectList\n 1 1 1 0 0 1 0 0 0;\n"));
  REQUIRE(r.ok());
  CHECK(r.count("defects") == 1);
  CHECK(read(file(";\n")).count("defects") == 0);
}

TEST_CASE("klarf flat: defects without coordinates cannot be placed", "[klarf][reject]") {
  const auto r =
      read(kHeader + kWafer + "DefectRecordSpec 2 DEFECTID XREL;\nDefectList\n 1 2;\nEndOfFile;\n");
  REQUIRE(r.ok());
  CHECK(r.reject_id(0) == "KLAR-0008");
  CHECK_THAT(r.rejects.kept()[0].message, Contains("YREL, XINDEX, YINDEX"));
}

TEST_CASE("klarf: recognised by content", "[klarf]") {
  CHECK(test::sniff_text(kKlarf, "x", kHeader) == Confidence::kCertain);
  CHECK(test::sniff_text(kKlarf, "x", "\xef\xbb\xbf" + kHeader) == Confidence::kCertain);
  CHECK(test::sniff_text(kKlarf, "x", "Record FileRecord  \"1.8\"\n{") == Confidence::kCertain);
  CHECK(test::sniff_text(kKlarf, "x", "LotID \"x\";\nDefectRecordSpec 1 A;") == Confidence::kMaybe);
  CHECK(test::sniff_text(kKlarf, "a.001", "[BOF]\nPRODUCT=X\n") == Confidence::kNo);
  CHECK(test::sniff_text(kKlarf, "a.001", "") == Confidence::kNo);
}

TEST_CASE("klarf: what it refuses", "[klarf][error]") {
  CHECK(read("").error_id() == "KLAR-0020");
  CHECK(read("FileVersion 1 2;\nEndOfFile;").error_id() == "KLAR-0020");
  CHECK(read("FileVersion 2 0;\n" + kWafer).error_id() == "KLAR-0021");
  test::MemoryInput input("a.001", file(";\n"));
  test::KeepingSink sink;
  sink.puts_left = 1;
  ingest::Rejects rejects;
  CHECK(kKlarf.read(input, {}, sink, rejects).error().id == "KLAR-0022");
}

TEST_CASE("klarf flat: any damage gives rows and rejects, never a crash", "[klarf][damage]") {
  const std::string whole = file(
      "FILENAME a.tif\n 1 1 1 0 0 1 0 2 2\n 5 0 6 0\n 2 1 1 0 0 1 7 0 0\n 3 1 1 0 0 1 0 0 0;\n");
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto cut = read(whole.substr(0, n));
    CHECK_FALSE(cut.sink.ragged);
    if (cut.ok()) {
      CHECK(cut.summary->rows == cut.sink.rows());
      CHECK(cut.count("defects") == static_cast<double>(cut.sink.rows("defects")));
      if (n < whole.size() - 2) CHECK(cut.rejects.total() >= 1);
    }
    for (const char c : {'"', ';', '\n', '\0', 'Z', '\xff'}) {
      std::string flipped = whole;
      flipped[n] = c;
      const auto r = read(flipped);
      CHECK_FALSE(r.sink.ragged);
      if (r.ok()) CHECK(r.summary->rows == r.sink.rows());
    }
  }
}

TEST_CASE("klarf flat: a long list comes in several batches", "[klarf]") {
  std::string list;
  constexpr int kDefects = 150'000;
  for (int i = 1; i <= kDefects; ++i) list += " " + std::to_string(i) + " 1.5 2 0 0 1 0 0 0\n";
  const auto r = read(file(list + ";\n"));
  REQUIRE(r.ok());
  CHECK_FALSE(r.sink.ragged);
  CHECK(r.count("defects") == kDefects);
  CHECK(r.sink.tables.at("defects").size() == 2);
  CHECK(r.sink.cell("defects", kDefects - 1, "defect_id") == std::to_string(kDefects));
  CHECK(r.sink.cell("defects", kDefects - 1, "wafer_id") == "W03");
}

TEST_CASE("klarf flat: a summary that disagrees with its list is a reject", "[klarf][reject]") {
  const auto with = [](const std::string& spec, const std::string& summary,
                       const std::string& rows) {
    return read(kHeader + kWafer +
                "DefectRecordSpec 6 DEFECTID XREL YREL XINDEX YINDEX TEST;\nDefectList\n" + rows +
                "SummarySpec " + spec + ";\nSummaryList\n" + summary + ";\nEndOfFile;\n");
  };
  const std::string three = " 1 1 1 0 0 1\n 2 1 1 0 0 1\n 3 1 1 0 0 2;\n";
  CHECK(with("2 TESTNO NDEFECT", " 1 2\n 2 1", three).rejects.empty());
  const auto wrong = with("2 NDEFECT TESTNO", " 2 1\n 5 2", three);
  REQUIRE(wrong.rejects.total() == 1);
  CHECK(wrong.reject_id(0) == "KLAR-0014");
  CHECK(wrong.rejects.kept()[0].line.value() == 36U);
  CHECK(wrong.sink.cell("inspection_tests", 0, "summary_defects") == "2");
  CHECK(wrong.sink.cell("inspection_tests", 0, "area_cm2") == "0.144");
  CHECK(wrong.sink.cell("inspection_tests", 1, "defects") == "1");
  CHECK(wrong.sink.cell("inspection_tests", 1, "summary_defects") == "5");
  // A row that was dropped is told already; the summary then counts it rightly.
  const auto dropped = with("2 TESTNO NDEFECT", " 1 2\n 2 1",
                            " 1 1 1 0 0 1\n 2 1 x 0 0 1\n"
                            " 3 1 1 0 0 2;\n");
  REQUIRE(dropped.rejects.total() == 1);
  CHECK(dropped.reject_id(0) == "KLAR-0003");
}

TEST_CASE("klarf flat: statements without a column are kept, lookups too", "[klarf]") {
  const auto r =
      read(kHeader + "OrientationInstructions \"Front side\";\nTiffSpec 6.0 G R;\n" + kWafer +
           "RoughBinLookup 2 1 \"Nuisance\" 2 \"Real\";\nWaferScribe \"AB12\";\n"
           "ClusterClassificationList 1 4 17;\nSampleDieMap 1 0 0;\n" +
           kSpec + "DefectList;\nWaferID \"W04\";\nDefectList;\nEndOfFile;\n");
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  std::map<std::string, std::string> first, second;
  for (std::size_t i = 0; i < r.sink.rows("inspection_facts"); ++i) {
    const auto cell = [&](const char* column) {
      return r.sink.cell("inspection_facts", i, column);
    };
    (cell("inspection").ends_with("-1") ? first : second)[cell("statement")] = cell("value");
  }
  CHECK(first["OrientationInstructions"] == "Front side");
  CHECK(first["TiffSpec"] == "6.0 G R");
  CHECK(first["SetupID"] == "\"RCP\" 01-02-26 00:00:00");
  CHECK(first["SampleDieMap"] == "1 0 0");
  CHECK(first["WaferScribe"] == "AB12");
  CHECK(second.contains("TiffSpec"));
  CHECK_FALSE(second.contains("WaferScribe"));
  CHECK_FALSE(first.contains("LotID"));
  CHECK(r.sink.cell("inspection_lookups", 1, "kind") == "rough_bin");
  CHECK(r.sink.cell("inspection_lookups", 1, "value") == "Real");
  CHECK(r.sink.cell("inspection_lookups", 2, "kind") == "cluster");
  CHECK(r.sink.cell("inspection_lookups", 2, "number") == "4");
  CHECK(r.sink.cell("inspection_lookups", 2, "value") == "17");
}

TEST_CASE("klarf flat: plain rows and careful ones give the same values", "[klarf]") {
  // A quoted value sends its row to the careful reader; all else is the same.
  const std::vector<std::string> numbers = {
      "0",          "-0.5",      "1.25e3",    "5.5264000000e+02",  "1e-5",  "123456789012345678",
      "0.1",        "3.0e-308",  "1.11e+010", "99987.06567481929", "-7",    "2.2882317116e+00",
      "12345678.9", "00001.500", "1E+22",     "9007199254740993",  "4e-22", "0.000000000000000001"};
  std::string rows, careful;
  int id = 0;
  for (const std::string& number : numbers) {
    const std::string row = " " + std::to_string(++id) + " " + number + " 2 -3 4 0.5 7 0 0";
    rows += row + "\n";
    std::string quoted = row;
    quoted.replace(quoted.find(" 2 -3"), 5, " \"2\" -3");
    careful += quoted + "\n";
  }
  const auto a = read(file(rows + ";\n")), b = read(file(careful + ";\n"));
  REQUIRE(a.ok());
  REQUIRE(b.ok());
  REQUIRE(a.sink.rows("defects") == numbers.size());
  REQUIRE(b.sink.rows("defects") == numbers.size());
  const auto& x = a.sink.tables.at("defects").front()["x_um"].float64s();
  const auto& y = b.sink.tables.at("defects").front()["x_um"].float64s();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    CAPTURE(numbers[i]);
    CHECK(x[i] == y[i]);
    CHECK(x[i] == std::stod(numbers[i]));
    CHECK(a.sink.cell("defects", i, "source_row") == b.sink.cell("defects", i, "source_row"));
  }
}

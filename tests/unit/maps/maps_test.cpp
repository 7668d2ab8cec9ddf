#include <set>

#include "map_reading.h"

using namespace yieldloop;
using namespace yieldloop::test;

namespace {

const std::string kSinf =
    "DEVICE:DEV1\r\nLOT:LOT9\r\nWAFER:03\r\nFNLOC:180\r\nROWCT:3\r\nCOLCT:4\r\nBCEQU:01 0A\r\n"
    "REFPX:2\r\nREFPY:1\r\nDUTMS:MIL\r\nXDIES:100\r\nYDIES:50.0\r\n"
    "RowData:__ 01 02 __ \r\nRowData:01 0A 1F @@\r\nRowData:__ 01 01 __\r\n";

}  // namespace

TEST_CASE("sinf: die, bins and header arrive in the wafer's frame", "[maps][sinf]") {
  CHECK(kind_of(kSinf) == "sinf");
  const auto r = read("sinf", kSinf);
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.summary->warnings.empty());
  CHECK_FALSE(r.sink.ragged);
  CHECK(r.summary->rows == r.sink.rows());
  CHECK(r.count("rows") == 3);
  CHECK(r.count("columns") == 4);
  CHECK(r.count("die") == 7);
  CHECK(r.count("pass") == 5);
  CHECK(r.count("fail") == 2);
  CHECK(r.summary->grouped_counts.at("bins").at("01") == 4);
  CHECK(r.summary->grouped_counts.at("bins").at("1F") == 1);
  CHECK(die_of(r) == Die{{{1, 2}, "01 pass"},
                         {{2, 2}, "02 fail"},
                         {{0, 1}, "01 pass"},
                         {{1, 1}, "0A pass"},
                         {{2, 1}, "1F fail"},
                         {{1, 0}, "01 pass"},
                         {{2, 0}, "01 pass"}});
  const auto head = [&](const char* column) { return r.sink.cell("wafer_map_headers", 0, column); };
  CHECK(head("lot_id") == "LOT9");
  CHECK(head("wafer_id") == "03");
  CHECK(head("notch") == "down");
  CHECK(head("step_x_um") == "2540");
  CHECK(head("step_y_um") == "1270");
  CHECK(head("reference_x") == "2");
  CHECK(head("reference_y") == "1");
}

TEST_CASE("sinf: three digits, several wafers, keys in any case", "[maps][sinf]") {
  const auto r = read("sinf",
                      "Device:A\nWafer:1\nRowCt:1\nColCt:2\nBceqU:001\nROWDATA:001 ___\n"
                      "Device:A\nWafer:2\nRowCt:1\nColCt:2\nBCEQU:001\nRowData:0ff 001\n");
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.count("wafers") == 2);
  CHECK(r.count("die") == 3);
  CHECK(r.count("pass") == 2);
  CHECK(r.sink.cell("wafer_map_headers", 1, "wafer_id") == "2");
}

TEST_CASE("sinf: what is wrong is told and costs no more than itself", "[maps][reject]") {
  const auto [from, to, id, die] = GENERATE(table<std::string, std::string, std::string, double>({
      {"RowData:01 0A 1F @@", "RowData:01 0A 1F", "WMAP-0001", 4},
      {"RowData:01 0A 1F @@\r\n", "", "WMAP-0002", 4},
      {"1F", "G1", "WMAP-0003", 6},
      {"FNLOC:180", "FNLOC:22", "WMAP-0006", 7},
      {"DUTMS:MIL", "what is this", "WMAP-0007", 7},
  }));
  CAPTURE(from);
  std::string text = kSinf;
  text.replace(text.find(from), from.size(), to);
  const auto r = read("sinf", text);
  REQUIRE(r.ok());
  REQUIRE(r.rejects.total() == 1);
  CHECK(r.reject_id(0) == id);
  CHECK(r.count("die") == die);
}

TEST_CASE("sinf: good bins that are not said stay unknown", "[maps]") {
  std::string text = kSinf;
  text.replace(text.find("BCEQU:01 0A"), 11, "BCEQU:");
  const auto r = read("sinf", text);
  REQUIRE(r.ok());
  CHECK(r.count("pass") == 0);
  CHECK(r.count("fail") == 0);
  CHECK(r.count("die") == 7);
  CHECK(r.summary->warnings.size() == 1);
  CHECK(r.sink.cell("wafer_maps", 0, "quality").empty());
}

TEST_CASE("g85: decimal, hexadecimal and ASCII codes", "[maps][g85]") {
  const auto [type, null_bin, first, second, good] =
      GENERATE(table<std::string, std::string, std::string, std::string, std::string>({
          {"Decimal", "255", "255 001 002 ", "001 001 255 ", "1"},
          {"Decimal", "255", "255001002", "001001255", "1"},
          {"HexaDecimal", "FF", "FF0102", "0101FF", "01"},
          {"ASCII", ".", ".AB", "AA.", "A"},
          {"", " ", " AB", "AA ", "A"},
          {"ASCII", "_", "_AB", "AA_", "A"},
      }));
  const std::string bad = good == "1" ? "2" : good == "01" ? "02" : "B";
  const std::string text =
      "<?sml version=\"1.0\"?>\n<Maps><Map xmlns:semi=\"http://www.semi.org\" WaferId=\"W7\" "
      "FormatRevision=\"G85-1101\"><Device ProductID=\"P\" LotId=\"L\" Rows=\"2\" Columns=\"3\" "
      "Orientation=\"0\" OriginLocation=\"3\" " +
      (type.empty() ? "" : "BinType=\"" + type + "\" ") + "NullBin=\"" + null_bin +
      "\" DeviceSizeX=\"1000\"><ReferenceDevice ReferenceDeviceX=\"1\" ReferenceDeviceY=\"0\"/>"
      "<Bin BinCode=\"" +
      good +
      "\" BinQuality=\"Pass\" BinCount=\"3\"/>"
      "<Bin BinCode=\"" +
      bad +
      "\" BinQuality=\"Fail\" BinCount=\"1\"/>"
      "<Data><Row><![CDATA[" +
      first + "]]></Row>\n<Row><![CDATA[" + second + "]]></Row></Data></Device></Map></Maps>";
  CAPTURE(text);
  CHECK(kind_of(text) == "g85");
  const auto r = read("g85", text);
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.summary->version == "G85-1101");
  CHECK(r.count("rows") == 2);
  CHECK(r.count("columns") == 3);
  CHECK(r.count("die") == 4);
  CHECK(r.count("pass") == 3);
  CHECK(r.count("fail") == 1);
  CHECK(r.summary->grouped_counts.at("bins").at(good) == 3);
  CHECK(r.sink.cell("wafer_map_headers", 0, "reference_x") == "1");
  CHECK(r.sink.cell("wafer_map_headers", 0, "reference_y") == "0");
  CHECK(r.sink.cell("wafer_map_headers", 0, "product") == "P");
  CHECK(die_of(r).at({2, 1}) == bad + " fail");
}

namespace {

/// A wafer without any symmetry, as its own frame has it: width 5, height 4, first row at the top.
const std::vector<std::string> kWafer = {".12.3", "11111", "14.11", ".11.."};

char at(int x, int y) {  // y from the bottom.
  return kWafer[static_cast<std::size_t>(3 - y)][static_cast<std::size_t>(x)];
}

/// The wafer turned clockwise by degrees and, for the back, mirrored first: the picture a file
/// shows, first row at the top.
std::vector<std::string> picture(int degrees, bool back) {
  std::vector<std::string> rows = kWafer;
  if (back) {
    for (std::string& row : rows) row = std::string(row.rbegin(), row.rend());
  }
  for (int turned = 0; turned < degrees; turned += 90) {
    std::vector<std::string> next(rows.front().size());
    for (std::size_t x = 0; x < next.size(); ++x) {
      for (std::size_t y = rows.size(); y-- > 0;) next[x] += rows[y][x];
    }
    rows = next;
  }
  return rows;
}

Die expected() {
  Die die;
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 5; ++x) {
      if (at(x, y) != '.') {
        die[{x, y}] = std::string(1, at(x, y)) + (at(x, y) == '1' ? " pass" : " fail");
      }
    }
  }
  return die;
}

std::string bins_xml(const std::string& element) {
  return "<" + element + " BinCode=\"1\" BinQuality=\"Pass\"/><" + element +
         " BinCode=\"2\" BinQuality=\"Fail\"/><" + element +
         " BinCode=\"3\" BinQuality=\"Fail\"/><" + element + " BinCode=\"4\" BinQuality=\"Fail\"/>";
}

/// The reference die at (1, 0) of the wafer, seen in the picture: x from the left, y from the
/// bottom.
std::pair<int, int> reference_in_picture(int degrees, bool back) {
  int x = back ? 3 : 1, y = 0, width = 5, height = 4;
  for (int turned = 0; turned < degrees; turned += 90) {
    // Clockwise: what was at the bottom left stands at the top left.
    const int old_x = x;
    x = y;
    y = width - 1 - old_x;
    std::swap(width, height);
  }
  return {x, y};
}

}  // namespace

TEST_CASE("e142: all orientations, sides, origins and axes give one wafer", "[maps][e142]") {
  const int degrees = GENERATE(0, 90, 180, 270);
  const bool back = GENERATE(false, true);
  const auto rows = picture(degrees, back);
  const int width = static_cast<int>(rows.front().size());
  const int height = static_cast<int>(rows.size());
  const auto [reference_x, reference_y] = reference_in_picture(degrees, back);
  for (const std::string axis : {"UpRight", "UpLeft", "DownRight", "DownLeft"}) {
    for (const std::string origin :
         {"LowerLeft", "LowerRight", "UpperLeft", "UpperRight", "Center"}) {
      CAPTURE(degrees, back, axis, origin);
      const bool up = axis.starts_with("Up"), right = axis.ends_with("Right");
      std::string codes;
      for (int r = 0; r < height; ++r) {
        std::string row = rows[static_cast<std::size_t>(up ? height - 1 - r : r)];
        if (!right) row = std::string(row.rbegin(), row.rend());
        codes += "<BinCode>" + row + "</BinCode>\n";
      }
      const int from_x = origin.ends_with("Left")    ? 0
                         : origin.ends_with("Right") ? width - 1
                                                     : width / 2;
      const int from_y = origin.starts_with("Lower")   ? 0
                         : origin.starts_with("Upper") ? height - 1
                                                       : height / 2;
      const std::string place = "X=\"" + std::to_string((reference_x - from_x) * (right ? 1 : -1)) +
                                "\" Y=\"" + std::to_string((reference_y - from_y) * (up ? 1 : -1)) +
                                "\"";
      const std::string text =
          "<?xml version=\"1.0\"?><MapData xmlns=\"urn:semi-org:xsd.E142-1.V1005.SubstrateMap\">"
          "<Layouts><Layout LayoutId=\"D\" DefaultUnits=\"mm\"><Dimension X=\"" +
          std::to_string(width) + "\" Y=\"" + std::to_string(height) +
          "\"/><StepSize X=\"2\" Y=\"3\"/></Layout></Layouts><SubstrateMaps><SubstrateMap "
          "SubstrateId=\"W\" LayoutSpecifier=\"A/D\" SubstrateSide=\"" +
          (back ? "BottomSide" : "TopSide") + "\" Orientation=\"" + std::to_string(degrees) +
          "\" OriginLocation=\"" + origin + "\" AxisDirection=\"" + axis +
          "\"><Overlay><ReferenceDevices><ReferenceDevice><Coordinates " + place +
          "/></ReferenceDevice></ReferenceDevices><BinCodeMap BinType=\"ASCII\" NullBin=\".\">"
          "<BinDefinitions>" +
          bins_xml("BinDefinition") + "</BinDefinitions>" + codes +
          "</BinCodeMap></Overlay></SubstrateMap></SubstrateMaps></MapData>";
      const auto r = read("e142", text);
      REQUIRE(r.ok());
      CHECK(r.rejects.empty());
      CHECK(r.summary->version == "V1005");
      CHECK(die_of(r) == expected());
      const auto head = [&](const char* column) {
        return r.sink.cell("wafer_map_headers", 0, column);
      };
      CHECK(head("columns") == "5");
      CHECK(head("rows") == "4");
      CHECK(head("reference_x") == "1");
      CHECK(head("reference_y") == "0");
      CHECK(head("step_x_um") == (degrees % 180 == 0 ? "2000" : "3000"));
    }
  }
}

TEST_CASE("g85 and sinf: every orientation and origin gives one wafer", "[maps][g85][sinf]") {
  const int degrees = GENERATE(0, 90, 180, 270);
  const auto rows = picture(degrees, false);
  const int width = static_cast<int>(rows.front().size());
  const int height = static_cast<int>(rows.size());
  const auto [reference_x, reference_y] = reference_in_picture(degrees, false);
  for (int origin = 0; origin <= 4; ++origin) {
    CAPTURE(degrees, origin);
    const bool left = origin == 2 || origin == 3, lower = origin == 3 || origin == 4;
    const int x = origin == 0 ? reference_x - width / 2
                  : left      ? reference_x
                              : width - 1 - reference_x;
    const int y = origin == 0 ? height / 2 - reference_y
                  : lower     ? reference_y
                              : height - 1 - reference_y;
    std::string text = "<Map WaferId=\"W\" FormatRevision=\"SEMI G85-1101\"><Device Rows=\"" +
                       std::to_string(height) + "\" Columns=\"" + std::to_string(width) +
                       "\" BinType=\"ASCII\" NullBin=\".\" Orientation=\"" +
                       std::to_string(degrees) + "\" OriginLocation=\"" + std::to_string(origin) +
                       "\"><ReferenceDevice ReferenceDeviceX=\"" + std::to_string(x) +
                       "\" ReferenceDeviceY=\"" + std::to_string(y) + "\"/>" + bins_xml("Bin") +
                       "<Data>";
    for (const std::string& row : rows) text += "<Row><![CDATA[" + row + "]]></Row>";
    const auto r = read("g85", text + "</Data></Device></Map>");
    REQUIRE(r.ok());
    CHECK(r.rejects.empty());
    CHECK(die_of(r) == expected());
    CHECK(r.sink.cell("wafer_map_headers", 0, "reference_x") == "1");
    CHECK(r.sink.cell("wafer_map_headers", 0, "reference_y") == "0");
  }
  // SINF counts the notch from the top.
  std::string text = "WAFER:W\nFNLOC:" + std::to_string((degrees + 180) % 360) +
                     "\nROWCT:" + std::to_string(height) + "\nCOLCT:" + std::to_string(width) +
                     "\nBCEQU:01\n";
  for (const std::string& row : rows) {
    text += "RowData:";
    for (const char c : row) text += c == '.' ? "__ " : std::string("0") + c + " ";
    text += "\n";
  }
  const auto r = read("sinf", text);
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  Die hex;
  for (const auto& [place, bin] : expected()) hex[place] = "0" + bin;
  CHECK(die_of(r) == hex);
  // So does a CSV or ASCII map whose header says where the notch is.
  std::string csv = "notch: " + std::to_string(degrees) + "\npass_bins: 1\n";
  std::string ascii = "WaferId: W\nNotch: " + std::to_string(degrees) + "\nPass Bins: 1\n";
  for (const std::string& row : rows) {
    for (const char c : row) csv += (c == '.' ? std::string() : std::string(1, c)) + ",";
    csv.back() = '\n';
    ascii += row + "\n";
  }
  CHECK(kind_of(csv) == "csv_map");
  CHECK(kind_of(ascii) == "ascii_map");
  CHECK(die_of(read("csv_map", csv)) == expected());
  CHECK(die_of(read("ascii_map", ascii)) == expected());
}

TEST_CASE("e142: counts of the file are compared with its cells", "[maps][reject]") {
  const std::string text =
      "<MapData><Substrates><Substrate SubstrateId=\"W\"><LotId>L</LotId><GoodDevices>2"
      "</GoodDevices></Substrate></Substrates><SubstrateMaps><SubstrateMap SubstrateId=\"W\">"
      "<Overlay><BinCodeMap BinType=\"HexaDecimal\" NullBin=\"00\"><BinDefinitions>"
      "<BinDefinition BinCode=\"01\" BinCount=\"2\" BinQuality=\"Pass\"/>"
      "<BinDefinition BinCode=\"54\" BinCount=\"0\" BinQuality=\"Fail\"/>"
      "<BinDefinition BinCode=\"54\" BinCount=\"1\" BinQuality=\"Fail\"/>"
      "<BinDefinition BinCode=\"00\" BinCount=\"0\" BinQuality=\"Fail\"/></BinDefinitions>"
      "<BinCode>0001</BinCode><BinCode>0154</BinCode></BinCodeMap></Overlay></SubstrateMap>"
      "</SubstrateMaps></MapData>";
  const auto good = read("e142", text);
  REQUIRE(good.ok());
  CHECK(good.rejects.empty());
  CHECK(good.count("die") == 3);
  CHECK(good.sink.cell("wafer_maps", 0, "lot_id") == "L");
  std::string wrong = text;
  wrong.replace(wrong.find(">0001<"), 6, ">0054<");
  const auto r = read("e142", wrong);
  REQUIRE(r.ok());
  CHECK(r.rejects.total() == 3);
  CHECK(r.reject_id(0) == "WMAP-0004");
}

TEST_CASE("xml maps: broken, hostile and foreign documents", "[maps][error]") {
  CHECK(read("g85", "<!DOCTYPE a [<!ENTITY x \"y\">]><Map><Device/></Map>").error_id() ==
        "WMAP-0021");
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "<Map>";
  CHECK(read("g85", deep).error_id() == "WMAP-0023");
  CHECK(read("e142", "<MapData></MapData>").error_id() == "WMAP-0020");
  const auto r = read("g85",
                      "<Map WaferId=\"W\"><Device Rows=\"2\" Columns=\"2\"><Data><Row>11</Row>"
                      "<Row>1");
  REQUIRE(r.ok());
  CHECK(r.count("die") == 2);
  std::set<std::string> ids;
  for (const auto& reject : r.rejects.kept()) ids.insert(reject.id);
  CHECK(ids == std::set<std::string>{"WMAP-0002", "WMAP-0005"});
  CHECK(kind_of("<html><body>map</body></html>").empty());
  CHECK(kind_of("<?xml version=\"1.0\"?><config><map x=\"1\"/></config>").empty());
}

#include "map_reading.h"

using namespace yieldloop;
using namespace yieldloop::test;

TEST_CASE("csv: separators, empty places, labels and header lines", "[maps][csv]") {
  const auto text = GENERATE(
      as<std::string>{}, "# lot: L1\n# wafer: W2\n# pass_bins: 1\n,1,\n1,12,1\n,1,\n",
      "LotID;L1;;\nWafer ID;W2;;\nPass Bins;1;;\n.;1;.\n1;12;1\n.;1;.\n",
      "lot\tL1\nwafer\tW2\npass_bins\t1\n\t1\t\n1\t12\t1\n\t1\t\n",
      "lot: L1\nwafer: W2\npassbins: 1\n\"\",\"1\",\"\"\n\"1\",\"12\",\"1\"\n\"\",\"1\",\"\"\n",
      "lot=L1\nwafer=W2\npass_bins=1\ny\\x,5,6,7\n3,,1,\n2,1,12,1\n1,,1,\n",
      "lot,L1\nwafer,W2\ngood bins,1\nnull bin,0\n0,1,0\n1,12,1\n0,1,0\n");
  CAPTURE(text);
  const auto r = read("csv_map", text);
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.count("rows") == 3);
  CHECK(r.count("columns") == 3);
  CHECK(r.count("die") == 5);
  CHECK(r.count("pass") == 4);
  CHECK(r.count("fail") == 1);
  CHECK(r.sink.cell("wafer_maps", 0, "lot_id") == "L1");
  CHECK(r.sink.cell("wafer_maps", 0, "wafer_id") == "W2");
  CHECK(die_of(r).at({1, 1}) == "12 fail");
}

TEST_CASE("csv: told from tables of numbers and names", "[maps][csv]") {
  const std::string grid = "1,1,1\n1,2,1\n1,1,1\n";
  CHECK(kind_of(grid) == "csv_map");
  CHECK(kind_of("lot_id,wafer_id,value\nL,1,2\nL,2,3\nL,3,4\n").empty());
  CHECK(kind_of("1.5,2.5,3.5\n1.5,2.5,3.5\n2.5,3.5,1.0\n").empty());
  const auto r = read("csv_map", grid);
  REQUIRE(r.ok());
  CHECK(r.sink.cell("wafer_maps", 0, "wafer_id") == "file_name");
  CHECK(r.summary->warnings.size() == 2);
  std::string damaged = grid + grid;
  damaged.replace(damaged.find("2,1\n"), 3, "2");
  CHECK(read("csv_map", damaged).reject_id(0) == "WMAP-0001");
}

TEST_CASE("ascii: one sign a die, or codes between blanks", "[maps][ascii]") {
  const std::string text =
      "WaferId: AB-01\nLot: L\nMaxXY: 5 3\nTotDie: 9\nPickable: 7\n\n.111.\n11X11\n.1X.. \n";
  CHECK(kind_of(text) == "ascii_map");
  const auto r = read("ascii_map", text);
  REQUIRE(r.ok());
  CHECK(r.count("rows") == 3);
  CHECK(r.count("columns") == 5);
  CHECK(r.count("die") == 10);
  CHECK(r.count("pass") == 8);
  CHECK(r.count("fail") == 2);
  CHECK(r.rejects.total() == 2);  // Ten die and eight good ones are there.
  CHECK(r.reject_id(0) == "WMAP-0004");
  CHECK(r.sink.cell("wafer_maps", 0, "wafer_id") == "AB-01");
  const auto spaced =
      read("ascii_map", "Wafer: 1\nPass bins: 1, 2\n__ 01 02 __\n01 03 01 02\n__ 01 01 __\n");
  REQUIRE(spaced.ok());
  CHECK(spaced.rejects.empty());
  CHECK(spaced.count("die") == 8);
  CHECK(spaced.count("pass") == 7);
}

TEST_CASE("ascii: the families with words of their own", "[maps][ascii]") {
  const std::string wmap =
      "VERSID 3.2\nDESIGN D\nROWCNT 2\nCOLCNT 3\nPASBIN 01\nFNLOC1 0\nREFPX1 +001\nREFPY1 +000\n"
      "SKIPDI 00,XX\nLOTMEA L\nSUMPAS 2\nMAPID1 W\nMAP001 00XX01\nMAP002 010300\n";
  CHECK(kind_of(wmap) == "ascii_map");
  const auto a = read("ascii_map", wmap);
  REQUIRE(a.ok());
  CHECK(a.rejects.empty());
  CHECK(a.count("die") == 3);
  CHECK(a.count("pass") == 2);
  CHECK(a.summary->version == "WMAP 3.2");
  CHECK(die_of(a) == Die{{{2, 1}, "01 pass"}, {{0, 0}, "01 pass"}, {{1, 0}, "03 fail"}});

  // Rows without die before the first that has some are rows of the grid.
  const auto late = read(
      "ascii_map", "VERSID 3.2\nROWCNT 3\nSKIPDI 00\nMAPID1 W\nMAP001\nMAP002 0101\nMAP003 0000\n");
  REQUIRE(late.ok());
  CHECK(late.reject_id(0) == "WMAP-0001");
  CHECK(late.count("rows") == 3);
  CHECK(late.count("die") == 2);
  std::string damaged_wmap = wmap;
  damaged_wmap[wmap.find("MAP001") + 8] = '*';
  CHECK(read("ascii_map", damaged_wmap).reject_id(0) == "WMAP-0003");

  const std::string esc =
      "ELECTROGLAS APPLICATIONS\nLOT\tL\nWAFER\t4\nXSTEP\t6000\tUNITS\t(.001)mm\nPRQUAD\t3\n\n"
      "X4Y2\t1\t1\nX5Y2\tZ\t0\t50\nX4Y3\t1\t1\nEDATE\t2022-07-09\n";
  CHECK(kind_of(esc) == "ascii_map");
  const auto b = read("ascii_map", esc);
  REQUIRE(b.ok());
  CHECK(b.rejects.empty());
  CHECK(b.count("rows") == 2);
  CHECK(b.count("columns") == 2);
  CHECK(die_of(b) == Die{{{0, 1}, "1 pass"}, {{1, 1}, "50 fail"}, {{0, 0}, "1 pass"}});
  CHECK(b.summary->warnings.empty());
  // Nothing that was a die goes without a word.
  for (const char* line : {"X4.Y4\t1\t1\n", "X4Y4\t*\t1\n", "X4Y4\t1\t7\n", "4Y4\t1\t1\n"}) {
    const auto damaged = read("ascii_map", esc + line);
    REQUIRE(damaged.ok());
    CHECK(damaged.reject_id(0) == "WMAP-0003");
  }
  CHECK(read("ascii_map", esc + "X5Y3\t1\t0\n").reject_id(0) == "WMAP-0025");
  CHECK(read("ascii_map", esc.substr(0, esc.find("EDATE"))).summary->warnings.size() == 1);

  const std::string runs =
      "DEVICE=D   \nLOT=77   \nBIN_NAME.01=\"G,GEC\"\nBIN_NAME.09=\"REJECT\"\nWAFERS=1\n"
      "WAFERID.01=W-1\nBIN_COUNT.01.01=4\nMAP_XY.01.01=\"Y-1 0/2 Y0   \n 1\"\n"
      "BIN_COUNT.01.09=2\nMAP_XY.01.09=\"Y0 0 2\"\nEND.\n";
  CHECK(kind_of(runs) == "ascii_map");
  const auto c = read("ascii_map", runs);
  REQUIRE(c.ok());
  CHECK(c.rejects.empty());
  CHECK(c.count("die") == 6);
  CHECK(c.count("pass") == 4);
  CHECK(c.count("fail") == 2);
  CHECK(c.summary->warnings.empty());
  CHECK(read("ascii_map", runs.substr(0, runs.find("END."))).summary->warnings.size() == 1);
  const std::size_t wafers = runs.find("WAFERS=1") + 7;
  CHECK(read("ascii_map", runs.substr(0, wafers) + "2" + runs.substr(wafers + 1)).reject_id(0) ==
        "WMAP-0002");
}

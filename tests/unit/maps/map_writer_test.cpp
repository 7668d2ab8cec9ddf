#include "ingest/readers/maps/map_writer.h"

#include "map_reading.h"

using namespace yieldloop;
using namespace yieldloop::test;
using ingest::maps::Frame;
using ingest::maps::Quality;
using ingest::maps::WaferMap;

TEST_CASE("maps: written and read again they are the same wafer", "[maps][write]") {
  WaferMap map;
  map.lot_id = "L <1> & \"2\"";
  map.wafer_id = "W7";
  map.product = "P";
  map.rows = 3;
  map.columns = 4;
  map.frame.notch = GENERATE(0, 90, 180, 270);
  map.frame.first_row_top = GENERATE(true, false);
  map.frame.back_side = GENERATE(false, true);
  const std::string kind = GENERATE(as<std::string>{}, "sinf", "g85", "e142", "csv_map");
  const std::string good = GENERATE(as<std::string>{}, "01", "A1");
  const auto one = map.bin(good), two = map.bin("02"), none = ingest::maps::kNoDie;
  map.bins[0].quality = Quality::kPass;
  map.bins[1].quality = Quality::kFail;
  map.cells = {none, one, two, none, one, one, one, two, none, none, one, none};
  map.reference = ingest::maps::Place{2, 1};
  map.step_x_um = 2000;
  map.step_y_um = 3500.5;
  CAPTURE(kind, map.frame.notch);
  const auto text = ingest::maps::write_maps({map}, kind);
  REQUIRE(text);
  CHECK(kind_of(*text) == kind);
  test::MemoryInput input("w", *text);
  ingest::Rejects rejects;
  const auto again = ingest::maps::read_maps(input, kind, rejects);
  REQUIRE(again);
  CHECK(rejects.empty());
  REQUIRE(again->size() == 1);
  const WaferMap back = ingest::maps::notch_down(again->front());
  const WaferMap want = ingest::maps::notch_down(map);
  CHECK(back.rows == want.rows);
  CHECK(back.columns == want.columns);
  for (std::size_t i = 0; i < want.cells.size(); ++i) {
    const auto cell = want.cells[i];
    REQUIRE((back.cells[i] == none) == (cell == none));
    if (cell == none) continue;
    CHECK(back.bins[static_cast<std::size_t>(back.cells[i])].code ==
          want.bins[static_cast<std::size_t>(cell)].code);
    CHECK(back.bins[static_cast<std::size_t>(back.cells[i])].quality ==
          want.bins[static_cast<std::size_t>(cell)].quality);
  }
  CHECK(back.wafer_id == "W7");
  CHECK(back.lot_id == map.lot_id);
  CHECK(back.step_y_um.value() == want.step_y_um.value());
  if (kind != "csv_map") CHECK(back.reference.value() == want.reference.value());
}

TEST_CASE("maps: what a dialect cannot hold is refused", "[maps][write][error]") {
  WaferMap map;
  map.rows = map.columns = 1;
  map.cells = {map.bin("longcode")};
  for (const std::string kind : {"sinf", "g85", "e142", "csv_map"}) {
    CHECK(ingest::maps::write_maps({map}, kind).error().id == "WMAP-0030");
  }
  CHECK(ingest::maps::write_maps({map, map}, "csv_map").error().id == "WMAP-0031");
  CHECK(ingest::maps::write_maps({map}, "ascii_map").error().id == "WMAP-0032");
  test::MemoryInput input("w", "x");
  ingest::Rejects rejects;
  CHECK(ingest::maps::read_maps(input, "stdf", rejects).error().id == "WMAP-0024");
}

TEST_CASE("maps: any damage gives rows and rejects, never a crash", "[maps][damage]") {
  const std::string kind = GENERATE(as<std::string>{}, "sinf", "g85", "e142", "csv_map");
  WaferMap map;
  map.lot_id = "L";
  map.wafer_id = "W";
  map.rows = 6;
  map.columns = 7;
  const auto one = map.bin("01"), two = map.bin("A2");
  map.bins[0].quality = Quality::kPass;
  map.bins[1].quality = Quality::kFail;
  for (int i = 0; i < 42; ++i) {
    map.cells.push_back(i % 7 == 0 ? ingest::maps::kNoDie : i % 5 == 0 ? two : one);
  }
  const std::string whole = ingest::maps::write_maps({map}, kind).value();
  const auto clean = read(kind, whole);
  REQUIRE(clean.ok());
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto cut = read(kind, whole.substr(0, n));
    CHECK_FALSE(cut.sink.ragged);
    if (cut.ok() && cut.count("die") != clean.count("die")) {
      CAPTURE(whole.substr(0, n));
      CHECK(cut.rejects.total() > 0);
    }
    for (const char c : {'"', '<', '\n', '\0', '9', '_', '\xff'}) {
      std::string flipped = whole;
      flipped[n] = c;
      const auto r = read(kind, flipped);
      CHECK_FALSE(r.sink.ragged);
      if (r.ok()) CHECK(r.summary->rows == r.sink.rows());
    }
  }
}

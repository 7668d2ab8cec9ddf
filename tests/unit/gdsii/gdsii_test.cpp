#include <cmath>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <map>
#include <string>

#include "catch_portable.h"
#include "engine/core/random.h"
#include "engine/layout/flat_view.h"
#include "ingest/readers/gdsii/gdsii_layout.h"
#include "ingest/readers/gdsii/gdsii_reader.h"
#include "ingest/readers/gdsii/gdsii_records.h"
#include "reader_fixture.h"

using namespace yieldloop;
using namespace yieldloop::ingest;
using geometry::Box;
using geometry::Point;

namespace {

/// A GDSII stream written record by record.
class Stream {
 public:
  Stream& none(int type) { return head(type, 0, 0); }
  Stream& int16(int type, std::initializer_list<int> values) {
    head(type, 2, values.size() * 2);
    for (const int v : values) be(static_cast<std::uint32_t>(v), 2);
    return *this;
  }
  Stream& bits(int type, int value) {
    head(type, 1, 2);
    be(static_cast<std::uint32_t>(value), 2);
    return *this;
  }
  Stream& int32(int type, std::initializer_list<int> values) {
    head(type, 3, values.size() * 4);
    for (const int v : values) be(static_cast<std::uint32_t>(v), 4);
    return *this;
  }
  Stream& real(int type, std::initializer_list<double> values) {
    head(type, 5, values.size() * 8);
    for (const double v : values) real8(v);
    return *this;
  }
  Stream& text(int type, std::string value) {
    if (value.size() % 2 != 0) value.push_back('\0');
    head(type, 6, value.size());
    bytes += value;
    return *this;
  }
  Stream& raw(std::string_view what) { return bytes += what, *this; }

  Stream& begin() {
    return int16(0x00, {600})
        .int16(0x01, {26, 3, 1, 0, 0, 0, 26, 3, 1, 0, 0, 0})
        .text(0x02, "LIB")
        .real(0x03, {0.001, 1e-9});
  }
  Stream& cell(const std::string& name) {
    return int16(0x05, {26, 3, 1, 0, 0, 0, 26, 3, 1, 0, 0, 0}).text(0x06, name);
  }
  Stream& end_cell() { return none(0x07); }
  Stream& end() { return none(0x04); }
  Stream& shape(int layer, int datatype, std::initializer_list<int> xy) {
    return none(0x08).int16(0x0D, {layer}).int16(0x0E, {datatype}).int32(0x10, xy).none(0x11);
  }
  Stream& place(const std::string& name, int x, int y) {
    return none(0x0A).text(0x12, name).int32(0x10, {x, y}).none(0x11);
  }

  Bytes view() const { return std::as_bytes(std::span(bytes.data(), bytes.size())); }
  std::string bytes;

 private:
  void be(std::uint32_t value, int count) {
    for (int i = count - 1; i >= 0; --i)
      bytes.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
  }
  Stream& head(int type, int datatype, std::size_t size) {
    be(static_cast<std::uint32_t>(size + 4), 2);
    bytes.push_back(static_cast<char>(type));
    bytes.push_back(static_cast<char>(datatype));
    return *this;
  }
  void real8(double value) {
    std::uint32_t sign = value < 0 ? 0x80 : 0;
    double m = std::abs(value);
    std::uint32_t exponent = 64;
    if (m == 0.0) sign = exponent = 0;
    while (m >= 1.0) m /= 16.0, ++exponent;
    while (m > 0.0 && m < 1.0 / 16.0) m *= 16.0, --exponent;
    const auto mantissa = static_cast<std::uint64_t>(std::ldexp(m, 56));
    be(sign << 24 | exponent << 24 | static_cast<std::uint32_t>(mantissa >> 32), 4);
    be(static_cast<std::uint32_t>(mantissa & 0xFFFFFFFF), 4);
  }
};

constexpr std::initializer_list<int> kSquare = {0, 0, 100, 0, 100, 100, 0, 100, 0, 0};

Stream small_chip() {
  Stream s;
  s.begin();
  s.cell("leaf")
      .shape(1, 0, kSquare)
      .shape(2, 5, {0, 0, 50, 0, 50, 20, 20, 20, 20, 50, 0, 50, 0, 0});
  s.none(0x09)
      .int16(0x0D, {3})
      .int16(0x0E, {0})
      .int16(0x21, {2})
      .int32(0x0F, {20})
      .int32(0x10, {0, 0, 100, 0})
      .none(0x11);
  s.none(0x0C).int16(0x0D, {4}).int16(0x16, {1}).int32(0x10, {10, 10}).text(0x19, "PIN").none(0x11);
  s.none(0x2D)
      .int16(0x0D, {5})
      .int16(0x2E, {0})
      .int32(0x10, {0, 0, 10, 0, 10, 10, 0, 10})
      .none(0x11);
  s.end_cell();
  s.cell("top").place("leaf", 1000, 0);
  s.none(0x0B)
      .text(0x12, "leaf")
      .bits(0x1A, 0x8000)
      .real(0x1C, {90.0})
      .int16(0x13, {3, 2})
      .int32(0x10, {0, 0, 600, 0, 0, 500})
      .none(0x11);
  s.end_cell().end();
  return s;
}

struct ReadBack {
  Rejects rejects;  // before file: reading fills it
  Result<gdsii::GdsiiFile> file;
  explicit ReadBack(const Stream& s) : file(gdsii::read_gdsii_file(s.view(), rejects)) {}
  std::string reject() const { return rejects.empty() ? "" : rejects.kept()[0].id; }
  const layout::Layout& layout() const { return file->layout; }
};

}  // namespace

TEST_CASE("gdsii: shapes, arrays and texts of a small chip", "[gdsii]") {
  const ReadBack read(small_chip());
  REQUIRE(read.file);
  CHECK(read.rejects.empty());
  CHECK(read.file->version == 600);
  const layout::Layout& chip = read.layout();
  CHECK(chip.dbu_um() == Approx(0.001).epsilon(1e-14));
  CHECK(chip.library_name() == "LIB");
  CHECK(chip.cells().size() == 2);
  CHECK(chip.placements() == 2);
  CHECK(chip.array_elements() == 7);
  CHECK(chip.texts() == 1);
  REQUIRE(chip.top_cells().size() == 1);
  const layout::FlatView view = layout::view_of(chip).value();
  const auto paths = *chip.find_layer({3, 0});
  CHECK(view.count_shapes_expanded(paths) == 7);
  // Mirrored, turned by 90 degrees: x and y change places; pathtype 2 reaches 10 further.
  const auto shapes = view.shapes_in(paths, {200, 250, 205, 260});
  REQUIRE(shapes.size() == 1);
  CHECK(shapes[0].box == Box{190, 240, 210, 360});
  CHECK(view.area(*chip.find_layer({2, 5}), {1000, 0, 1100, 100}) == 50.0 * 20 + 20 * 30);
  CHECK(view.bbox(*chip.find_layer({5, 0})) == Box{0, 0, 1010, 260});
}

TEST_CASE("gdsii: real8", "[gdsii]") {
  Stream s;
  s.real(0x1B, {1.0, -0.5, 1e-9, 90.0, 0.0, 123456.789});
  gdsii::GdsiiCursor cursor(s.view());
  gdsii::GdsiiRecord record;
  REQUIRE(cursor.next(record) == gdsii::Walk::kRecord);
  CHECK(record.real8(0) == 1.0);
  CHECK(record.real8(1) == -0.5);
  CHECK(record.real8(2) == Approx(1e-9).epsilon(1e-14));
  CHECK(record.real8(3) == 90.0);
  CHECK(record.real8(4) == 0.0);
  CHECK(record.real8(5) == Approx(123456.789).epsilon(1e-14));
  CHECK(cursor.next(record) == gdsii::Walk::kEnd);
}

TEST_CASE("gdsii: what real writers do", "[gdsii]") {
  SECTION("padding after ENDLIB is no input") {
    CHECK(ReadBack(small_chip().raw(std::string(2000, '\0'))).rejects.empty());
  }
  SECTION("several XY records make one polygon, closed or not") {
    Stream s;
    s.begin()
        .cell("a")
        .none(0x08)
        .int16(0x0D, {1})
        .int16(0x0E, {0})
        .int32(0x10, {0, 0, 10, 0})
        .int32(0x10, {10, 10, 5, 15})
        .int32(0x10, {0, 10})
        .none(0x11)
        .end_cell()
        .end();
    const ReadBack read(s);
    REQUIRE(read.file);
    CHECK(read.rejects.empty());
    CHECK(layout::view_of(read.layout())->area(0, {0, 0, 100, 100}) == 100.0 + 25.0);
  }
  SECTION("BGNEXTN before WIDTH, custom ends") {
    Stream s;
    s.begin()
        .cell("a")
        .none(0x09)
        .int16(0x0D, {1})
        .int16(0x0E, {0})
        .int16(0x21, {4})
        .int32(0x30, {7})
        .int32(0x31, {-3})
        .int32(0x0F, {-20})
        .int32(0x10, {0, 0, 100, 0})
        .none(0x11)
        .end_cell()
        .end();
    CHECK(layout::view_of(ReadBack(s).layout())->bbox() == Box{-7, -10, 97, 10});
  }
  SECTION("a cell that is only placed") {
    Stream s;
    s.begin().cell("a").shape(1, 0, kSquare).place("elsewhere", 0, 0).end_cell().end();
    const ReadBack read(s);
    CHECK(read.rejects.empty());
    CHECK(read.layout().unresolved_cells() == 1);
    CHECK(read.layout().top_cells().size() == 1);
  }
  SECTION("context cells are passed over") {
    Stream s;
    s.begin().cell("$$$CONTEXT_INFO$$$").place("a", 0, 0).end_cell();
    s.cell("a").shape(1, 0, kSquare).end_cell().end();
    const ReadBack read(s);
    CHECK(read.layout().cells().size() == 1);
    CHECK(read.layout().placements() == 0);
  }
  SECTION("layers above 32767 are unsigned") {
    Stream s;
    s.begin().cell("a").shape(65535, 40000, kSquare).end_cell().end();
    CHECK(ReadBack(s).layout().layers()[0] == layout::LayerKey{65535, 40000});
  }
  SECTION("more than one NUL pads a name") {
    Stream s;
    s.begin().cell(std::string("a\0\0\0", 4)).shape(1, 0, kSquare).end_cell().end();
    CHECK(ReadBack(s).layout().find_cell("a"));
  }
  SECTION("array steps are divided and rounded; a single column needs none") {
    Stream s;
    s.begin()
        .cell("a")
        .shape(1, 0, kSquare)
        .end_cell()
        .cell("t")
        .none(0x0B)
        .text(0x12, "a")
        .int16(0x13, {3, 1})
        .int32(0x10, {0, 0, 1000, 0, 0, 0})
        .none(0x11)
        .end_cell()
        .end();
    CHECK(layout::view_of(ReadBack(s).layout())->bbox() == Box{0, 0, 2 * 333 + 100, 100});
  }
}

TEST_CASE("gdsii: damage costs what is damaged", "[gdsii][damage]") {
  SECTION("a cut file keeps what came before") {
    Stream s = small_chip();
    s.bytes.resize(s.bytes.size() - 7);
    const ReadBack read(s);
    REQUIRE(read.file);
    CHECK(read.reject() == "GDSI-0002");
    CHECK(read.layout().cells().size() == 2);
  }
  SECTION("zeros instead of records") {
    Stream s;
    s.begin().cell("a").shape(1, 0, kSquare).raw(std::string(64, '\0'));
    const ReadBack read(s);
    REQUIRE(read.file);
    CHECK(read.reject() == "GDSI-0003");
    CHECK(read.rejects.kept()[0].bytes_dropped == 64);
    CHECK(read.layout().shape_records()[0] == 1);
  }
  SECTION("an element without layer or coordinates") {
    Stream s;
    s.begin()
        .cell("a")
        .none(0x08)
        .int32(0x10, kSquare)
        .none(0x11)
        .none(0x08)
        .int16(0x0D, {1})
        .none(0x11)
        .shape(1, 0, kSquare)
        .end_cell()
        .end();
    const ReadBack read(s);
    CHECK(read.rejects.total() == 2);
    CHECK(read.reject() == "GDSI-0004");
    CHECK(read.layout().shape_records()[0] == 1);
  }
  SECTION("an element that is not closed, and one outside of a cell") {
    Stream s;
    s.begin()
        .none(0x08)
        .none(0x11)
        .cell("a")
        .none(0x08)
        .int16(0x0D, {1})
        .shape(1, 0, kSquare)
        .end_cell()
        .end();
    const ReadBack read(s);
    CHECK(read.rejects.total() == 2);
    CHECK(read.reject() == "GDSI-0005");
    CHECK(read.layout().shape_records()[0] == 1);
  }
  SECTION("a path that leaves 32 bits") {
    Stream s;
    s.begin()
        .cell("a")
        .none(0x09)
        .int16(0x0D, {1})
        .int16(0x0E, {0})
        .int16(0x21, {2})
        .int32(0x0F, {100})
        .int32(0x10, {0, 0, 2147483647, 0})
        .none(0x11)
        .end_cell()
        .end();
    CHECK(ReadBack(s).reject() == "GDSI-0006");
  }
  SECTION("a cell drawn twice") {
    Stream s;
    s.begin()
        .cell("a")
        .shape(1, 0, kSquare)
        .end_cell()
        .cell("a")
        .shape(2, 0, kSquare)
        .end_cell()
        .end();
    const ReadBack read(s);
    CHECK(read.reject() == "GDSI-0007");
    CHECK(read.layout().layers() == std::vector<layout::LayerKey>{{1, 0}});
  }
  SECTION("placements that place nothing") {
    Stream s;
    s.begin().cell("a").shape(1, 0, kSquare).end_cell().cell("t");
    s.none(0x0B).text(0x12, "a").int16(0x13, {0, 3}).int32(0x10, {0, 0, 1, 0, 0, 1}).none(0x11);
    s.none(0x0A).text(0x12, "a").bits(0x1A, 0).real(0x1B, {0.0}).int32(0x10, {0, 0}).none(0x11);
    s.none(0x0A).int32(0x10, {0, 0}).none(0x11);
    s.end_cell().end();
    const ReadBack read(s);
    CHECK(read.rejects.total() == 3);
    CHECK(read.reject() == "GDSI-0008");
    CHECK(read.layout().placements() == 0);
  }
  SECTION("a polygon of two points") {
    Stream s;
    s.begin().cell("a").shape(1, 0, {0, 0, 5, 5}).end_cell().end();
    CHECK(ReadBack(s).reject() == "GDSI-0009");
  }
}

TEST_CASE("gdsii: what is refused whole", "[gdsii][error]") {
  Rejects rejects;
  CHECK(gdsii::read_gdsii({}, rejects).error().id == "GDSI-0001");
  CHECK(gdsii::read_gdsii(Stream().int16(0x01, {1}).view(), rejects).error().id == "GDSI-0001");
  Stream no_units;
  no_units.int16(0x00, {600}).cell("a").shape(1, 0, kSquare).end_cell().end();
  CHECK(gdsii::read_gdsii(no_units.view(), rejects).error().id == "GDSI-0010");
  Stream cycle;
  cycle.begin().cell("a").place("b", 0, 0).end_cell().cell("b").place("a", 0, 0).end_cell().end();
  CHECK(gdsii::read_gdsii(cycle.view(), rejects).error().id == "LAYO-0001");
}

TEST_CASE("gdsii: flipped bytes never crash and never pass in silence as more than there is",
          "[gdsii][damage]") {
  const Stream whole = small_chip();
  Random random(77);
  for (int trial = 0; trial < 4000; ++trial) {
    Stream s = whole;
    const auto flips = 1 + random.below(4);
    for (std::uint64_t i = 0; i < flips; ++i)
      s.bytes[random.below(s.bytes.size())] = static_cast<char>(random.below(256));
    if (random.chance(0.2)) s.bytes.resize(random.below(s.bytes.size()));
    Rejects rejects;
    const auto file = gdsii::read_gdsii_file(s.view(), rejects);
    if (!file) {
      CHECK_FALSE(file.error().message.empty());
      continue;
    }
    for (const layout::CellIndex top : file->layout.top_cells()) {
      const layout::FlatView view(file->layout, top);
      std::uint64_t seen = 0;
      const Box window{0, 0, 2000, 2000};
      for (std::size_t l = 0; l < file->layout.layers().size(); ++l)
        view.for_each_shape(static_cast<layout::LayerIndex>(l), window,
                            [&](const layout::FlatShape&) { ++seen; });
      CHECK(file->layout.memory_bytes() < 1000000);
    }
  }
}

TEST_CASE("gdsii reader: rows and counts", "[gdsii][reader]") {
  const ReaderDeclaration reader = gdsii::gdsii_reader();
  const Stream chip = small_chip();
  CHECK(test::sniff_text(reader, "a.gds", chip.bytes) == Confidence::kCertain);
  CHECK(test::sniff_text(reader, "a.gds", "LotID") == Confidence::kNo);
  CHECK(test::sniff_text(reader, "a.gds", "") == Confidence::kNo);
  const test::Reading reading = test::read_text(reader, "chip.gds", chip.bytes);
  REQUIRE(reading.ok());
  CHECK(reading.summary->version == "600");
  CHECK(reading.count("cells") == 2);
  CHECK(reading.count("placements") == 2);
  CHECK(reading.count("instances") == 7);
  CHECK(reading.count("texts") == 1);
  CHECK(reading.count("unresolved_cells") == 0);
  CHECK(reading.count("dbu_um") == Approx(0.001));
  const auto& groups = reading.summary->grouped_counts;
  CHECK(groups.at("shapes").at("1/0") == 1);
  CHECK(groups.at("shapes_expanded").at("1/0") == 7);
  CHECK(groups.at("bbox_um:top").at("x_max") == Approx(1.11));
  CHECK_FALSE(reading.sink.ragged);
  CHECK(reading.sink.rows("layouts") == 1);
  CHECK(reading.sink.rows("layers") == 4);
  CHECK(reading.sink.cell("layouts", 0, "file_name") == "chip.gds");
  CHECK(reading.sink.cell("layouts", 0, "top_cell") == "top");
  CHECK(reading.sink.cell("layers", 1, "name") == "2/5");
  CHECK(reading.sink.cell("layers", 1, "layout") == reading.sink.cell("layouts", 0, "layout"));
  CHECK(test::read_text(reader, "x.gds", "nothing").error_id() == "GDSI-0001");
  Stream empty;
  empty.begin().end();
  const test::Reading hollow = test::read_text(reader, "x.gds", empty.bytes);
  REQUIRE(hollow.ok());
  CHECK(hollow.count("cells") == 0);
  CHECK(hollow.summary->warnings.size() == 1);
  CHECK(hollow.sink.rows("layouts") == 1);
  CHECK(
      test::read_text(reader, "x.gds", empty.bytes.substr(0, empty.bytes.size() - 4)).error_id() ==
      "READ-0012");
}

TEST_CASE("gdsii: a real inverter holds what KLayout 0.28.5 finds in it", "[gdsii][real]") {
  std::ifstream file(
      std::string(YIELDLOOP_SOURCE_DIR) + "/sample_data/layout/gf180mcu_fd_sc_mcu7t5v0__inv_1.gds",
      std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  REQUIRE(bytes.size() == 2196);
  Rejects rejects;
  const auto chip =
      gdsii::read_gdsii(std::as_bytes(std::span(bytes.data(), bytes.size())), rejects).value();
  CHECK(rejects.empty());
  CHECK(chip.dbu_um() == 0.001);
  REQUIRE(chip.top_cells().size() == 1);
  CHECK(chip.cell(chip.top_cells()[0]).extent == Box{-430, -430, 2670, 4350});
  CHECK(chip.texts() == 8);
  const std::map<std::string, std::uint64_t> expected{
      {"0/0", 1},  {"21/0", 1}, {"22/0", 2}, {"30/0", 1},  {"31/0", 1}, {"32/0", 1},
      {"33/0", 8}, {"34/0", 4}, {"55/0", 1}, {"112/1", 1}, {"204/0", 1}};
  std::map<std::string, std::uint64_t> found;
  for (std::size_t i = 0; i < chip.layers().size(); ++i)
    found[to_string(chip.layers()[i])] = chip.shape_records()[i];
  CHECK(found == expected);
}

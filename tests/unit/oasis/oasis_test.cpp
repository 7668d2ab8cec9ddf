#include <algorithm>
#include <bit>

#include "catch_portable.h"
#include "engine/core/random.h"
#include "ingest/readers/oasis/block_codec.h"
#include "ingest/readers/oasis/oasis_cursor.h"
#include "ingest/readers/oasis/oasis_reader.h"
#include "ingest/readers/oasis/trapezoids.h"
#include "oasis_bytes.h"
#include "reader_fixture.h"

using namespace yieldloop;
using namespace yieldloop::ingest;
using namespace yieldloop::ingest::oasis_bytes;
using geometry::Box;
using geometry::Coord;
using geometry::Point;
using Points = std::vector<Point>;

namespace {

Bytes view(const std::string& bytes) {
  return std::as_bytes(std::span(bytes.data(), bytes.size()));
}

double real(const std::string& bytes) { return oasis::OasisCursor(view(bytes)).real(); }

/// RECTANGLE of 2 x 3 on 1/0 at (10, 20) with a repetition.
std::string repeated_box(const std::string& repetition) {
  return file_of(u(20) + info(0x7F) + us({1, 0, 2, 3}) + s(10) + s(20) + repetition);
}
/// POLYGON on 1/0 at (0, 0).
std::string polygon(const std::string& points) {
  return file_of(u(21) + info(0x3B) + us({1, 0}) + points + s(0) + s(0));
}

/// Twice the area of a ring.
geometry::Coord twice_area(const oasis::Corners& c) {
  geometry::Coord sum = 0;
  for (std::size_t i = 0; i < c.count; ++i) {
    const Point a = c.points[i], b = c.points[(i + 1) % c.count];
    sum += a.x * b.y - a.y * b.x;
  }
  return sum < 0 ? -sum : sum;
}

}  // namespace

TEST_CASE("oasis: integers, also padded ones", "[oasis]") {
  CHECK(oasis::OasisCursor(view(std::string("\x05", 1))).unsigned_int() == 5);
  CHECK(
      oasis::OasisCursor(view("\x85\x80\x80\x80\x80\x80" + std::string(1, '\0'))).unsigned_int() ==
      5);
  for (const std::uint64_t v :
       {std::uint64_t{127}, std::uint64_t{128}, std::uint64_t{16383}, std::uint64_t{16384},
        std::uint64_t{2097152}, std::uint64_t{268435456}, ~std::uint64_t{0}})
    CHECK(oasis::OasisCursor(view(u(v) + "xxxx")).unsigned_int() == v);
  CHECK(oasis::OasisCursor(view(s(-5))).signed_int() == -5);
  const std::string eleven = std::string(9, '\xFF') + "\x7F";
  oasis::OasisCursor too_long(view(eleven));
  too_long.unsigned_int();
  CHECK(too_long.bad());
  const std::string two = "\x85\x80";
  oasis::OasisCursor cut(view(two));
  CHECK(cut.unsigned_int() == 0);
  CHECK(cut.bad());
  CHECK(cut.string().empty());
}

TEST_CASE("oasis: the eight kinds of reals", "[oasis]") {
  CHECK(real(us({0, 7})) == 7.0);
  CHECK(real(us({1, 7})) == -7.0);
  CHECK(real(us({2, 8})) == 0.125);
  CHECK(real(us({3, 8})) == -0.125);
  CHECK(real(us({4, 3, 4})) == 0.75);
  CHECK(real(us({5, 3, 4})) == -0.75);
  const auto f = std::bit_cast<std::uint32_t>(-1.5F);
  const auto d = std::bit_cast<std::uint64_t>(0.1);
  std::string four = u(6), eight = u(7);
  for (unsigned i = 0; i < 4; ++i) four.push_back(static_cast<char>(f >> (8 * i) & 0xFF));
  for (unsigned i = 0; i < 8; ++i) eight.push_back(static_cast<char>(d >> (8 * i) & 0xFF));
  CHECK(real(four) == -1.5);
  CHECK(real(eight) == 0.1);
  const std::string eighth = us({8, 1});
  oasis::OasisCursor unknown(view(eighth));
  (void)unknown.real();
  CHECK(unknown.bad());
}

TEST_CASE("oasis: steps in two, eight and all directions", "[oasis]") {
  const Point four[] = {{9, 0}, {0, 9}, {-9, 0}, {0, -9}};
  for (unsigned d = 0; d < 4; ++d)
    CHECK(oasis::OasisCursor(view(u(9 << 2 | d))).two_delta() == four[d]);
  const Point eight[] = {{9, 0}, {0, 9}, {-9, 0}, {0, -9}, {9, 9}, {-9, 9}, {-9, -9}, {9, -9}};
  for (unsigned d = 0; d < 8; ++d) {
    CHECK(oasis::OasisCursor(view(u(9 << 3 | d))).three_delta() == eight[d]);
    CHECK(oasis::OasisCursor(view(u(9 << 4 | d << 1))).g_delta() == eight[d]);
  }
  CHECK(oasis::OasisCursor(view(g(-3, 4))).g_delta() == Point{-3, 4});
}

TEST_CASE("oasis: every kind of repetition stands where the standard puts it", "[oasis]") {
  const auto corners = [](const std::string& repetition) {
    const Read read(repeated_box(repetition));
    REQUIRE(read.file);
    CHECK(read.reject() == "");
    CHECK(read.layout().shape_records()[0] == 1);
    CHECK(read.elements() == read.corners().size());
    return read.corners();
  };
  CHECK(corners(us({1, 0, 1, 100, 50})) ==
        Points{{10, 20}, {10, 70}, {10, 120}, {110, 20}, {110, 70}, {110, 120}});
  CHECK(corners(us({2, 1, 7})) == Points{{10, 20}, {17, 20}, {24, 20}});
  CHECK(corners(us({3, 1, 7})) == Points{{10, 20}, {10, 27}, {10, 34}});
  CHECK(corners(us({4, 1, 5, 6})) == Points{{10, 20}, {15, 20}, {21, 20}});
  CHECK(corners(us({5, 1, 10, 5, 6})) == Points{{10, 20}, {60, 20}, {120, 20}});
  CHECK(corners(us({6, 1, 5, 6})) == Points{{10, 20}, {10, 25}, {10, 31}});
  CHECK(corners(us({7, 1, 10, 5, 6})) == Points{{10, 20}, {10, 70}, {10, 130}});
  CHECK(corners(us({8, 0, 0}) + g(10, 1) + g(-2, 20)) ==
        Points{{8, 40}, {10, 20}, {18, 41}, {20, 21}});
  CHECK(corners(us({9, 1}) + g(-10, 3)) == Points{{-10, 26}, {0, 23}, {10, 20}});
  CHECK(corners(us({10, 1}) + g(4, 5) + g(-30, 1)) == Points{{-16, 26}, {10, 20}, {14, 25}});
  CHECK(corners(us({11, 1, 10}) + g(4, 5) + g(-30, 1)) == Points{{-250, 80}, {10, 20}, {50, 70}});
}

TEST_CASE("oasis: type 0 uses the last repetition again, whatever it belonged to", "[oasis]") {
  const Read read(file_of(u(20) + info(0x7F) + us({1, 0, 2, 3}) + s(0) + s(0) + us({2, 1, 10}) +
                          u(20) + info(0x0C) + s(100) + u(0)));
  CHECK(read.corners() == Points{{0, 0}, {0, 100}, {10, 0}, {10, 100}, {20, 0}, {20, 100}});
  CHECK(Read(repeated_box(u(0))).reject() == "OASI-0005");
}

TEST_CASE("oasis: repetitions that cannot be", "[oasis][damage]") {
  CHECK(Read(repeated_box(us({12, 0}))).reject() == "OASI-0002");
  CHECK(Read(repeated_box(us({4, 100'000, 1}))).reject() == "OASI-0002");
  CHECK(Read(repeated_box(us({2, std::uint64_t{1} << 40, 1}))).reject() == "OASI-0006");
  CHECK(Read(repeated_box(us({2, 1'000'000, 1'000'000}))).reject() == "OASI-0006");
  // A trillion copies in one record stay one record.
  const Read many(repeated_box(us({1, 999'998, 999'998, 2, 3})));
  CHECK(many.reject() == "");
  CHECK(many.elements() == 1'000'000'000'000);
  CHECK(many.layout().memory_bytes() < 20'000);
  const auto some = layout::view_of(many.layout()).value();
  CHECK(some.shapes_in(0, {500'010, 600'020, 500'013, 600'024}).size() == 9);
}

TEST_CASE("oasis: the 26 small trapezoids have the areas of their formulas", "[oasis]") {
  // Width 100 and height 40, or the other way for those that stand upright.
  const auto area2 = [](std::uint64_t type, Coord w, Coord h) -> Coord {
    if (type <= 3) return 2 * w * h - h * h;
    if (type <= 5) return 2 * w * h - 2 * h * h;
    if (type <= 7) return 2 * w * h - 2 * h * h;
    if (type <= 11) return 2 * w * h - w * w;
    if (type <= 15) return 2 * w * h - 2 * w * w;
    if (type <= 19) return w * w;
    if (type <= 21) return 2 * h * h;
    if (type <= 23) return 2 * w * w;
    return type == 24 ? 2 * w * h : 2 * w * w;
  };
  for (std::uint64_t type = 0; type < 26; ++type) {
    CAPTURE(type);
    const bool upright = type >= 8 && type <= 15;
    const Coord w = upright ? 40 : 100, h = upright ? 100 : 40;
    const auto c = oasis::ctrapezoid(type, w, h);
    REQUIRE(c);
    CHECK(twice_area(*c) == area2(type, w, h));
    Box box;
    for (std::size_t i = 0; i < c->count; ++i) box.include(c->points[i]);
    CHECK(box.x_min == 0);
    CHECK(box.y_min == 0);
    CHECK(box.x_max == (type == 20 || type == 21 ? 2 * h : w));
    CHECK(box.y_max == (type == 22 || type == 23                   ? 2 * w
                        : (type >= 16 && type <= 19) || type == 25 ? w
                                                                   : h));
    const Read read(
        file_of(u(26) + info(0xFB) +
                us({1, 0, type, static_cast<std::uint64_t>(w), static_cast<std::uint64_t>(h)}) +
                s(-7) + s(9)));
    CHECK(read.reject() == "");
    CHECK(2 * read.area() == static_cast<double>(area2(type, w, h)));
  }
  CHECK_FALSE(oasis::ctrapezoid(26, 10, 10));
  CHECK_FALSE(oasis::ctrapezoid(0, 10, 40));
  CHECK_FALSE(oasis::ctrapezoid(4, 70, 40));
  CHECK_FALSE(oasis::ctrapezoid(8, 100, 40));
  CHECK(Read(file_of(u(26) + info(0xFB) + us({1, 0, 0, 10, 40}) + s(0) + s(0))).reject() ==
        "OASI-0009");
}

TEST_CASE("oasis: the size that a small trapezoid derives stays for the next", "[oasis]") {
  const auto type = [](std::uint64_t t) { return u(26) + info(0x80) + u(t); };
  const auto box = [](std::uint64_t w, std::uint64_t h) {
    return u(26) + info(0xFB) + us({1, 0, 24, w, h}) + s(0) + s(0);
  };
  const std::string first = box(50, 10);
  // All stand on one corner, and the last rectangle covers the others.
  const auto area_with = [](const std::string& records) { return Read(file_of(records)).area(); };
  CHECK(area_with(box(10, 50) + type(20) + type(24)) == 100 * 50);
  CHECK(area_with(first + type(22) + type(24)) == 50 * 100);
  CHECK(area_with(first + type(25) + type(24)) == 50 * 50);
  CHECK(area_with(first + type(16) + type(24)) == 50 * 50);
  // Doubled again and again it leaves 32 bits, and is told.
  std::string doubled;
  for (int i = 0; i < 100; ++i) doubled += type(22) + type(20);
  CHECK(Read(file_of(first + doubled)).reject() == "OASI-0006");
}

TEST_CASE("oasis: trapezoids lose a triangle at each slanted side", "[oasis]") {
  for (const bool vertical : {false, true}) {
    for (const Coord a : {-30, 0, 20}) {
      for (const Coord b : {-10, 0, 40}) {
        const auto c = oasis::trapezoid(vertical, 100, 100, a, b);
        REQUIRE(c);
        CHECK(twice_area(*c) == 2 * 100 * 100 - 100 * (std::abs(a) + std::abs(b)));
      }
    }
  }
  const auto c = oasis::trapezoid(false, 100, 50, 20, -10).value();
  CHECK(c.points == std::array<Point, 4>{{{0, 0}, {100, 0}, {90, 50}, {20, 50}}});
  const auto v = oasis::trapezoid(true, 50, 100, 20, -10).value();
  CHECK(v.points == std::array<Point, 4>{{{0, 20}, {50, 0}, {50, 100}, {0, 90}}});
  CHECK_FALSE(oasis::trapezoid(false, 10, 50, 20, 0));
  const std::string sizes = us({1, 0, 100, 50});
  CHECK(Read(file_of(u(23) + info(0x7B) + sizes + s(20) + s(-10) + s(0) + s(0))).area() == 4250);
  CHECK(Read(file_of(u(24) + info(0x7B) + sizes + s(20) + s(0) + s(0))).area() == 4500);
  CHECK(Read(file_of(u(25) + info(0xFB) + sizes + s(-10) + s(0) + s(0))).area() == 4500);
}

TEST_CASE("oasis: every kind of point list", "[oasis]") {
  // The L of 10 x 10 without its upper right 6 x 6: 64.
  CHECK(Read(polygon(us({0, 4}) + s(10) + s(4) + s(-6) + s(6))).area() == 64);
  CHECK(Read(polygon(us({1, 4}) + s(10) + s(4) + s(-6) + s(6))).area() == 64);
  CHECK(Read(polygon(us({2, 5}) + us({10 << 2, 4 << 2 | 1, 6 << 2 | 2, 6 << 2 | 1, 4 << 2 | 2})))
            .area() == 64);
  CHECK(Read(polygon(us({3, 2}) + us({10 << 3, 10 << 3 | 1}))).area() == 50);
  CHECK(Read(polygon(us({3, 2}) + us({10 << 3 | 4, 10 << 3 | 5}))).area() == 100);
  CHECK(Read(polygon(us({4, 2}) + g(10, 3) + g(-10, 4))).area() == 35);
  // Steps (10, 0), then (10, 0) + (-10, 10) = (0, 10), then (0, 10) + (-10, -10) = (-10, 0).
  CHECK(Read(polygon(us({5, 3}) + g(10, 0) + g(-10, 10) + g(-10, -10))).area() == 100);
  CHECK(Read(polygon(us({6, 3}) + s(1))).reject() == "OASI-0002");
  CHECK(Read(polygon(us({4, 200'000}) + g(1, 1))).reject() == "OASI-0002");
}

TEST_CASE("oasis: paths and circles", "[oasis]") {
  const auto path = [](std::uint64_t scheme, const std::string& ends) {
    return file_of(u(22) + info(0xFB) + us({1, 0, 5, scheme}) + ends + us({0, 2}) + s(100) + s(50) +
                   s(0) + s(0));
  };
  // Two arms of width 10 that share a corner: 100 x 10 + 50 x 10 measured along the middle.
  CHECK(Read(path(1 << 2 | 1, "")).area() == 1500);
  CHECK(Read(path(2 << 2 | 1, "")).area() == 1550);
  CHECK(Read(path(2 << 2 | 2, "")).area() == 1600);
  CHECK(Read(path(3 << 2 | 3, s(-10) + s(7))).area() == 1470);
  CHECK(Read(path(0, "")).reject() == "OASI-0005");
  const Read circle(file_of(u(27) + info(0x3B) + us({1, 0, 1000}) + s(5) + s(6)));
  CHECK(circle.layout().cells()[0].bbox == Box{-995, -994, 1005, 1006});
  CHECK(circle.area() == Approx(3.1416e6).epsilon(0.03));
  CHECK(circle.layout().cells()[0].layers[0].counts.paths == 1);
}

TEST_CASE("oasis: values stay until they change, positions add up in relative mode", "[oasis]") {
  const Read read(file_of(u(20) + info(0x7B) + us({1, 0, 2, 3}) + s(10) + s(20) +  // whole
                          u(20) + info(0x10) + s(50) +                             // another x
                          u(16) + u(20) + info(0x18) + s(5) + s(-5) +              // relative
                          u(20) + info(0x18) + s(5) + s(-5) + u(15) + u(20) + info(0x90) + s(0)));
  CHECK(read.reject() == "");
  CHECK(read.corners() == Points{{0, 10}, {10, 20}, {50, 20}, {55, 15}, {60, 10}});
  // The last is a square: its height became its width.
  CHECK(read.area() == 4 * 6 + 4);
  // A new cell forgets everything.
  const Read forgot(start() + u(14) + text("a") + u(20) + info(0x7B) + us({1, 0, 2, 3}) + s(0) +
                    s(0) + u(14) + text("b") + u(20) + info(0x18) + s(0) + s(0) + end());
  CHECK(forgot.reject() == "OASI-0005");
  CHECK(forgot.elements() == 1);
}

TEST_CASE("oasis: names by number, before and after their use", "[oasis]") {
  const std::string box = u(20) + info(0x7B) + us({1, 0, 2, 3}) + s(0) + s(0);
  const std::string place = u(17) + info(0xF0) + u(0) + s(100) + s(0);
  const std::string label = u(19) + info(0x7B) + u(4) + us({9, 0}) + s(1) + s(2);
  const std::string cells = u(13) + u(1) + place + label + u(13) + u(0) + box;
  const std::string implicit = u(3) + text("leaf") + u(3) + text("top");
  const std::string numbered = u(4) + text("top") + u(1) + u(4) + text("leaf") + u(0);
  const std::string label_name = u(6) + text("VDD") + u(4);
  for (const std::string& bytes : {start() + implicit + label_name + cells + end(),
                                   start() + cells + numbered + label_name + end(),
                                   start() + label_name + numbered + cells + end()}) {
    const Read read(bytes);
    REQUIRE(read.file);
    CHECK(read.reject() == "");
    CHECK(read.layout().cells().size() == 2);
    CHECK(read.layout().cell(read.layout().top_cells()[0]).name == "top");
    CHECK(read.corners() == Points{{100, 0}});
    CHECK(*read.layout().cells()[*read.layout().find_cell("top")].texts[0].string == "VDD");
  }
  SECTION("a name used as such and by number is one cell") {
    const Read read(start() + u(14) + text("top") + u(17) + info(0xB0) + text("leaf") + s(7) +
                    s(8) + u(13) + u(0) + box + u(3) + text("leaf") + end());
    CHECK(read.reject() == "");
    CHECK(read.layout().cells().size() == 2);
    CHECK(read.corners() == Points{{7, 8}});
  }
  SECTION("a number that is never named, a name given twice, two ways of numbering") {
    CHECK(Read(start() + cells + label_name + end()).reject() == "OASI-0010");
    CHECK(Read(start() + cells + numbered + end()).reject() == "OASI-0010");
    CHECK(Read(start() + numbered + u(4) + text("other") + u(1) + end()).reject() == "OASI-0010");
    CHECK(Read(start() + u(3) + text("a") + u(4) + text("b") + u(9) + end()).reject() ==
          "OASI-0010");
  }
  SECTION("a cell drawn twice, under one number or two") {
    CHECK(Read(start() + implicit + u(13) + u(0) + box + u(13) + u(0) + box + end()).reject() ==
          "OASI-0007");
    CHECK(Read(start() + u(4) + text("a") + u(1) + u(4) + text("a") + u(2) + u(13) + u(1) + box +
               u(13) + u(2) + box + end())
              .reject() == "OASI-0007");
  }
}

TEST_CASE("oasis: placements turn, mirror, magnify and repeat", "[oasis]") {
  const std::string leaf =
      u(14) + text("leaf") + u(20) + info(0x7B) + us({1, 0, 2, 3}) + s(1) + s(1);
  const auto top = [&](const std::string& records) {
    return start() + leaf + u(14) + text("top") + records + end();
  };
  const auto box = [&](std::uint64_t bits) {
    const Read read(top(u(17) + info(0xB0 | bits) + text("leaf") + s(0) + s(0)));
    return read.layout().cell(read.layout().top_cells()[0]).bbox;
  };
  CHECK(box(0) == Box{1, 1, 3, 4});
  CHECK(box(1) == Box{1, -4, 3, -1});
  CHECK(box(1 << 1) == Box{-4, 1, -1, 3});
  CHECK(box(2 << 1) == Box{-3, -4, -1, -1});
  CHECK(box(3 << 1) == Box{1, -3, 4, -1});
  CHECK(box(1 << 1 | 1) == Box{1, 1, 4, 3});
  const Read turned(top(u(18) + info(0xBE) + text("leaf") + us({0, 10}) + us({0, 30}) + s(0) +
                        s(0) + us({10, 0}) + g(1000, 1000)));
  CHECK(turned.reject() == "");
  CHECK(turned.elements() == 2);
  CHECK(turned.area() == Approx(2 * 600).epsilon(0.02));
  CHECK(Read(top(u(18) + info(0xB4) + text("leaf") + us({0, 0}) + s(0) + s(0))).reject() ==
        "OASI-0008");
  CHECK(Read(top(u(17) + info(0x30) + s(0) + s(0))).reject() == "OASI-0005");
}

TEST_CASE("oasis: properties, layer names and extensions are walked over", "[oasis]") {
  const std::string values = us({0, 1}) + us({8, 7}) + u(9) + s(-3) + u(10) + text("a") + u(11) +
                             text("b") + u(12) + text("n") + us({13, 0});
  const std::string property = u(28) + info(0x74) + text("name") + values;
  const std::string many = u(28) + info(0xF6) + us({3, 16}) + [] {
    std::string sixteen;
    for (std::uint64_t i = 0; i < 16; ++i) sixteen += us({8, i});
    return sixteen;
  }();
  const Read read(start() + property + u(7) + text("name") + u(9) + text("value") + u(11) +
                  text("M1") + us({3, 1}) + us({4, 0, 5}) + u(12) + text("M1") + us({0, 2, 9}) +
                  u(30) + u(1) + text("x") + u(31) + u(1) + text("y") + u(5) + u(14) + text("top") +
                  property + many + u(29) + u(28) + info(0x08) + u(32) + u(1) + text("element") +
                  u(33) + info(0x1F) + u(1) + us({1, 0}) + text("geometry") + s(1) + s(2) +
                  us({2, 0, 5}) + u(20) + info(0x7B) + us({1, 0, 2, 3}) + s(0) + s(0) + end());
  CHECK(read.reject() == "");
  CHECK(read.elements() == 1);
}

TEST_CASE("oasis: packed blocks, and broken ones that cost only themselves", "[oasis]") {
  std::string inside;
  for (int i = 0; i < 100; ++i) inside += u(20) + info(0x7B) + us({1, 0, 2, 3}) + s(10 * i) + s(0);
  std::vector<std::byte> packed;
  oasis::pack_block(view(inside), packed);
  REQUIRE_FALSE(packed.empty());
  const std::string data(reinterpret_cast<const char*>(packed.data()), packed.size());
  const auto block = [&](std::uint64_t size, const std::string& content) {
    return u(34) + us({0, size, content.size()}) + content;
  };
  const std::string good = block(inside.size(), data);
  const auto two_cells = [&](const std::string& first) {
    return start() + u(14) + text("a") + first + u(14) + text("b") + good + end();
  };
  const Read whole(two_cells(good));
  CHECK(whole.reject() == "");
  CHECK(whole.elements() == 200);
  CHECK(whole.file->records == 1 + 2 + 2 + 200 + 1);
  std::string damaged = data;
  damaged[damaged.size() / 2] = static_cast<char>(~damaged[damaged.size() / 2]);
  const Read broken(two_cells(block(inside.size(), damaged)));
  CHECK_FALSE(broken.reject() == "");
  CHECK(broken.layout().cell(*broken.layout().find_cell("b")).layers[0].elements == 100);
  CHECK(Read(two_cells(block(inside.size() + 1, data))).reject() == "OASI-0003");
  CHECK(Read(two_cells(block(std::uint64_t{1} << 40, data))).reject() == "OASI-0003");
  CHECK(Read(two_cells(u(34) + us({1, 4, 4}) + "abcd")).reject() == "OASI-0003");
}

TEST_CASE("oasis: a signed file is checked whole", "[oasis]") {
  const auto sign = [](std::uint64_t scheme) {
    std::string bytes = start() + u(14) + text("top") + u(20) + info(0x7B) + us({1, 0, 2, 3}) +
                        s(0) + s(0) + u(2) + text(std::string(248, '\0')) + u(scheme);
    std::uint32_t sum = 0;
    for (const char c : bytes) sum += static_cast<unsigned char>(c);
    if (scheme == 1) sum = oasis::crc32(0, view(bytes));
    for (unsigned i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(sum >> (8 * i) & 0xFF));
    return bytes;
  };
  CHECK(oasis::crc32(0, view("123456789")) == 0xCBF43926);  // the published check value
  for (const std::uint64_t scheme : {std::uint64_t{1}, std::uint64_t{2}}) {
    std::string bytes = sign(scheme);
    const Read good(bytes);
    REQUIRE(good.file);
    CHECK(good.reject() == "");
    CHECK(good.file->validation == (scheme == 1 ? "crc32" : "checksum32"));
    bytes[bytes.size() - 200] = 1;
    CHECK(Read(bytes).file.error().id == "OASI-0013");
  }
  CHECK(Read(file_of("")).file->validation == "none");
}

TEST_CASE("oasis: what is refused and what costs a part", "[oasis][error]") {
  CHECK(Read("").file.error().id == "OASI-0001");
  CHECK(Read("%SEMI-OASIS\r\n").file.error().id == "OASI-0001");
  CHECK(Read("%SEMI-OASIS\r\n" + u(1) + text("1.0") + us({0, 0}) + u(0) + std::string(12, '\0'))
            .file.error()
            .id == "OASI-0014");
  CHECK(Read(start() + u(14) + text("a") + u(17) + info(0xB0) + text("a") + s(0) + s(0) + end())
            .file.error()
            .id == "LAYO-0001");
  CHECK(Read(file_of(u(99))).reject() == "OASI-0002");
  CHECK(Read(start() + u(20) + info(0x7B) + us({1, 0, 2, 3}) + s(0) + s(0) + end()).reject() ==
        "OASI-0004");
  CHECK(Read(start() + u(14) + text("a")).reject() == "OASI-0002");
  CHECK(Read(file_of("") + "behind").reject() == "OASI-0012");
  CHECK(Read(file_of(u(20) + info(0x7B) + us({1, 0, 2, 3}) + s(3'000'000'000) + s(0))).reject() ==
        "OASI-0006");
}

TEST_CASE("oasis reader: rows and counts", "[oasis][reader]") {
  const ReaderDeclaration reader = oasis::oasis_reader();
  const std::string chip = repeated_box(us({2, 1, 7}));
  CHECK(test::sniff_text(reader, "a", chip) == Confidence::kCertain);
  CHECK(test::sniff_text(reader, "a.oas", "LotID") == Confidence::kNo);
  const test::Reading reading = test::read_text(reader, "chip.oas", chip);
  REQUIRE(reading.ok());
  CHECK(reading.summary->version == "1.0");
  CHECK(reading.count("cells") == 1);
  CHECK(reading.count("dbu_um") == 0.001);
  CHECK(reading.summary->grouped_counts.at("shapes").at("1/0") == 1);
  CHECK(reading.summary->grouped_counts.at("shapes_expanded").at("1/0") == 3);
  CHECK(reading.sink.cell("layouts", 0, "kind") == "oasis");
  const test::Reading hollow = test::read_text(reader, "x.oas", start() + end());
  REQUIRE(hollow.ok());
  CHECK(hollow.count("cells") == 0);
  CHECK(hollow.summary->warnings.size() == 1);
  CHECK(hollow.sink.rows("layouts") == 1);
  CHECK(test::read_text(reader, "x.oas", start()).error_id() == "READ-0012");
}

#include "ingest/readers/oasis/oasis_writer.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include "catch_portable.h"
#include "engine/core/random.h"
#include "engine/layout/flat_view.h"
#include "engine/layout/layout_builder.h"
#include "ingest/readers/gdsii/gdsii_layout.h"
#include "ingest/readers/gdsii/gdsii_writer.h"
#include "ingest/readers/oasis/oasis_layout.h"
#include "ingest/readers/oasis/repetition_finder.h"

using namespace yieldloop;
using namespace yieldloop::ingest;
using geometry::Point;
using geometry::Point32;
using layout::Layout;
using layout::PathStyle;

namespace {

using Bytes_ = std::vector<std::byte>;

Layout read_back(const Bytes_& bytes) {
  Rejects rejects;
  auto file = oasis::read_oasis_file(bytes, rejects);
  REQUIRE(file);
  CHECK(rejects.empty());
  CHECK(file->validation == "crc32");
  return std::move(file->layout);
}

/// Everything a top cell shows, flattened, as sorted text.
std::vector<std::string> flat(const Layout& chip) {
  std::vector<std::string> all;
  const auto point = [](Point p) { return std::to_string(p.x) + "," + std::to_string(p.y) + " "; };
  for (const layout::CellIndex top : chip.top_cells()) {
    const layout::FlatView view(chip, top);
    const layout::Box everywhere = chip.cell(top).extent.enlarged(10);
    for (layout::LayerIndex l = 0; l < chip.layers().size(); ++l) {
      view.for_each_shape(l, everywhere, [&](const layout::FlatShape& shape) {
        std::string line = to_string(chip.layers()[l]) + " ";
        std::vector<std::string> ring;
        for (const Point p : shape.points) ring.push_back(point(p));
        const layout::Box& b = shape.box;
        if (shape.is_box)
          for (const Point p : {Point{b.x_min, b.y_min}, Point{b.x_max, b.y_min},
                                Point{b.x_max, b.y_max}, Point{b.x_min, b.y_max}})
            ring.push_back(point(p));
        if (ring.size() == 4) std::sort(ring.begin(), ring.end());  // either turning sense
        if (!ring.empty())
          std::rotate(ring.begin(), std::min_element(ring.begin(), ring.end()), ring.end());
        for (const std::string& p : ring) line += p;
        all.push_back(line);
      });
    }
    view.for_each_text(everywhere, [&](const layout::FlatText& t) {
      all.push_back(to_string(t.key) + " " + std::string(t.string) + " " + point(t.at));
    });
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::int32_t draw(Random& random, int low, int high) {
  return low + static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}

layout::Repetition any_repetition(Random& random, layout::LayoutBuilder& builder) {
  layout::Repetition r;
  const std::uint64_t kind = random.below(4);
  if (kind == 0) return r;
  if (kind == 1) {
    std::vector<Point32> offsets{{0, 0}};
    for (int i = 0; i < 5; ++i)
      offsets.push_back({draw(random, -200, 200), draw(random, -9, 9) * 10});
    return layout::repetition_of(*builder.add_offsets(offsets));
  }
  r.columns = 1 + static_cast<std::uint32_t>(random.below(4));
  r.rows = 1 + static_cast<std::uint32_t>(random.below(3));
  r.column_step = {draw(random, -50, 50), kind == 2 ? 0 : draw(random, -5, 5)};
  r.row_step = {kind == 2 ? 0 : draw(random, -5, 5), draw(random, -50, 50)};
  return r;
}

/// Three cells on each other with shapes of all kinds.
Layout any_layout(Random& random) {
  layout::LayoutBuilder b(0.001);
  const char* names[] = {"leaf", "mid", "top"};
  for (int c = 0; c < 3; ++c) {
    const auto cell = b.add_cell(names[c]);
    for (int i = 0; i < 8; ++i) {
      const layout::LayerKey key{draw(random, 1, 2), draw(random, 0, 1)};
      const Point32 at{draw(random, -300, 300), draw(random, -4, 4) * 10};
      const auto w = draw(random, 1, 3) * 4, h = draw(random, 1, 3) * 4;
      b.add_box(cell, key, {at.x, at.y, at.x + w, at.y + h}, any_repetition(random, b));
      const Point32 ell[] = {at,
                             {at.x + 20, at.y},
                             {at.x + 20, at.y + 8},
                             {at.x + 8, at.y + 8},
                             {at.x + 8, at.y + h + 10},
                             {at.x, at.y + h + 10}};
      b.add_polygon(cell, key, ell, any_repetition(random, b));
      const Point32 any[] = {at, {at.x + 20, at.y + draw(random, 1, 9)}, {at.x + 5, at.y + 30}};
      b.add_polygon(cell, key, any, any_repetition(random, b));
      PathStyle style;
      style.width = draw(random, 2, 7);
      style.ends = static_cast<PathStyle::Ends>(random.below(4));
      if (style.ends == PathStyle::Ends::kCustom)
        style.begin_extension = 3, style.end_extension = -1;
      const Point32 line[] = {
          at, {at.x + 40, at.y}, {at.x + 40, at.y + 30}, {at.x + 60, at.y + 50}};
      b.add_path(cell, key, std::span(line).first(2 + random.below(3)), style,
                 any_repetition(random, b));
      b.add_text(cell, key, at, i % 2 == 0 ? "A" : "net[3]", any_repetition(random, b));
    }
    for (int i = 0; c > 0 && i < 3; ++i) {
      layout::Instance instance;
      static_cast<layout::Repetition&>(instance) = any_repetition(random, b);
      instance.cell = b.cell(names[c - 1]);
      instance.displacement = {draw(random, -500, 500), draw(random, -500, 500)};
      const bool odd = random.chance(0.2);
      b.add_instance(cell, instance, random.chance(0.5), odd ? 1.5 : 1.0,
                     odd ? 30.0 : 90.0 * static_cast<double>(random.below(4)));
    }
  }
  return b.build().value();
}

}  // namespace

TEST_CASE("oasis writer: what is written is read back, shape for shape", "[oasis][writer]") {
  Random random(11);
  for (int trial = 0; trial < 12; ++trial) {
    const Layout chip = any_layout(random);
    const Bytes_ bytes = oasis::oasis_bytes(chip).value();
    const Layout back = read_back(bytes);
    CHECK(back.dbu_um() == chip.dbu_um());
    CHECK(back.cells().size() == chip.cells().size());
    CHECK(back.texts() == chip.texts());
    CHECK(back.array_elements() == chip.array_elements());
    CHECK(back.shapes_expanded() == chip.shapes_expanded());
    CHECK((flat(back) == flat(chip)));
    // Once everything is as OASIS says it, the bytes depend on what is drawn only.
    const Bytes_ second = oasis::oasis_bytes(back).value();
    CHECK((oasis::oasis_bytes(read_back(second)).value() == second));
  }
}

TEST_CASE("gdsii writer: what is written is read back, shape for shape", "[gdsii][writer]") {
  Random random(12);
  for (int trial = 0; trial < 12; ++trial) {
    const Layout chip = any_layout(random);
    const Bytes_ bytes = gdsii::gdsii_bytes(chip).value();
    Rejects rejects;
    const Layout back = gdsii::read_gdsii(bytes, rejects).value();
    CHECK(rejects.empty());
    CHECK(back.texts() == chip.texts());
    CHECK(back.array_elements() == chip.array_elements());
    CHECK(back.shapes_expanded() == chip.shapes_expanded());
    CHECK((flat(back) == flat(chip)));
  }
}

TEST_CASE("gdsii writer: long polygons take several records, wide arrays several AREFs",
          "[gdsii][writer]") {
  layout::LayoutBuilder b(0.00025);
  const auto leaf = b.add_cell("leaf");
  std::vector<Point32> comb;
  for (std::int32_t i = 0; i < 10'000; ++i) {
    comb.push_back({2 * i, 5});
    comb.push_back({2 * i + 1, i % 2 == 0 ? 9 : 8});
  }
  comb.push_back({20'000, 0});
  comb.push_back({0, 0});
  b.add_polygon(leaf, {70'00, 3}, comb);
  const auto top = b.add_cell("top");
  layout::Instance wide;
  wide.cell = leaf;
  wide.columns = 40'000;
  wide.rows = 2;
  wide.column_step = {10, 0};
  wide.row_step = {0, 10};
  b.add_instance(top, wide);
  const Layout chip = b.build().value();
  Rejects rejects;
  const Layout back = gdsii::read_gdsii(gdsii::gdsii_bytes(chip).value(), rejects).value();
  CHECK(rejects.empty());
  CHECK(back.dbu_um() == 0.00025);
  CHECK(back.array_elements() == 80'000);
  CHECK(back.placements() == 2);
  const auto& shapes = back.cell(*back.find_cell("leaf")).layers[0];
  CHECK(shapes.points_of(shapes.polygons[0]).size() == comb.size());
  CHECK(back.cell(*back.find_cell("top")).bbox == chip.cell(top).bbox);
}

TEST_CASE("writers: what a format cannot hold is said", "[gdsii][writer][error]") {
  layout::LayoutBuilder far(0.001);
  far.add_box(far.add_cell("a"), {70'000, 0}, {0, 0, 1, 1});
  const Layout high = far.build().value();
  CHECK(gdsii::gdsii_bytes(high).error().id == "GDSI-0015");
  CHECK(read_back(oasis::oasis_bytes(high).value()).layers()[0].layer == 70'000);
  layout::LayoutBuilder many(0.001);
  layout::Repetition r;
  r.columns = r.rows = 100'000;
  r.column_step = {2, 0};
  r.row_step = {0, 2};
  many.add_box(many.add_cell("a"), {1, 0}, {0, 0, 1, 1}, r);
  const Layout field = many.build().value();
  CHECK(gdsii::gdsii_bytes(field).error().id == "GDSI-0016");
  const Bytes_ small = oasis::oasis_bytes(field).value();
  CHECK(small.size() < 400);
  CHECK(read_back(small).shapes_expanded()[0] == 10'000'000'000);
  layout::LayoutBuilder named(0.001);
  named.add_box(named.add_cell(std::string(70'000, 'x')), {1, 0}, {0, 0, 1, 1});
  CHECK(gdsii::gdsii_bytes(named.build().value()).error().id == "GDSI-0017");
}

TEST_CASE("oasis writer: regular things become arrays and come to a few bytes", "[oasis][writer]") {
  layout::LayoutBuilder b(0.001);
  const auto top = b.add_cell("top");
  for (int x = 0; x < 100; ++x)
    for (int y = 0; y < 100; ++y)
      b.add_box(top, {1, 0}, {30 * x, 40 * y, 30 * x + 10, 40 * y + 12});
  const Layout chip = b.build().value();
  const Bytes_ bytes = oasis::oasis_bytes(chip).value();
  CHECK(bytes.size() < 400);  // 256 of them are END
  const Layout back = read_back(bytes);
  CHECK(back.shape_records()[0] == 1);
  CHECK(back.shapes_expanded()[0] == 10'000);
  CHECK((flat(back) == flat(chip)));
}

TEST_CASE("arrays: every place is covered as often as it was given", "[oasis][writer]") {
  Random random(5);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<Point> places;
    const std::uint64_t count = random.below(60);
    for (std::uint64_t i = 0; i < count; ++i)
      places.push_back({draw(random, 0, 9) * 10, draw(random, 0, 6) * 10});
    auto groups = oasis::find_arrays(places);
    std::vector<Point> covered;
    for (const oasis::PlaceGroup& g : groups) {
      if (!g.list.empty()) {
        CHECK(g.list.front() == g.at);
        CHECK(std::adjacent_find(g.list.begin(), g.list.end()) == g.list.end());
        covered.insert(covered.end(), g.list.begin(), g.list.end());
        continue;
      }
      for (std::uint32_t c = 0; c < g.columns; ++c)
        for (std::uint32_t r = 0; r < g.rows; ++r)
          covered.push_back({g.at.x + c * g.column_step.x + r * g.row_step.x,
                             g.at.y + c * g.column_step.y + r * g.row_step.y});
    }
    std::sort(places.begin(), places.end());
    std::sort(covered.begin(), covered.end());
    CHECK((covered == places));
  }
}

TEST_CASE("oasis: a real inverter cut or changed anywhere says so", "[oasis][damage]") {
  std::ifstream file(
      std::string(YIELDLOOP_SOURCE_DIR) + "/sample_data/layout/gf180mcu_fd_sc_mcu7t5v0__inv_1.gds",
      std::ios::binary);
  const std::string gds((std::istreambuf_iterator<char>(file)), {});
  Rejects rejects;
  const Layout inverter =
      gdsii::read_gdsii(std::as_bytes(std::span(gds.data(), gds.size())), rejects).value();
  const Bytes_ whole = oasis::oasis_bytes(inverter).value();
  CHECK((flat(read_back(whole)) == flat(inverter)));
  const auto counts = [](const Layout& l) {
    return std::tuple(l.cells().size(), l.shape_records(), l.texts(), l.placements());
  };
  const auto expected = counts(read_back(whole));
  const auto speaks = [&](const Bytes_& bytes) {
    Rejects found;
    const auto read = oasis::read_oasis_file(bytes, found);
    return !read || !found.empty() || counts(read->layout) == expected;
  };
  for (std::size_t i = 0; i < 200; ++i) {
    Bytes_ cut = whole;
    cut.resize(whole.size() * i / 200);
    Rejects found;
    const auto read = oasis::read_oasis_file(cut, found);
    CHECK((!read || !found.empty()));
  }
  Random random(3);
  for (int i = 0; i < 2000; ++i) {
    Bytes_ changed = whole;
    std::byte& b = changed[random.below(changed.size())];
    b ^= static_cast<std::byte>(1 + random.below(255));
    CHECK(speaks(changed));
  }
  // Lengths a hundred times too long.
  for (std::size_t at = 30; at + 1 < whole.size() - 256; ++at) {
    Bytes_ longer = whole;
    longer[at] = std::byte{0xE4};
    longer.insert(longer.begin() + static_cast<std::ptrdiff_t>(at) + 1, std::byte{0x32});
    CHECK(speaks(longer));
  }
}

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>

#include "catch_portable.h"
#include "engine/simulator/gds_writer.h"
#include "engine/simulator/layout_cells.h"
#include "engine/simulator/layout_model.h"
#include "engine/simulator/product_model.h"
#include "fab_folder.h"

using namespace yieldloop;
using namespace yieldloop::simulator;

namespace {

/// A GDSII decoder of its own: what is needed to expand the hierarchy, nothing else.
struct Element {
  int kind = 0;  // record type of the element
  int layer = -1;
  std::string name;
  bool mirrored = false;
  double angle = 0;
  int columns = 1;
  int rows = 1;
  std::vector<std::pair<std::int64_t, std::int64_t>> xy;
};
using Cells = std::map<std::string, std::vector<Element>>;

struct Decoded {
  Cells cells;
  std::vector<std::string> order;
  bool ended = false;
  std::size_t left_over = 0;
  double user_unit = 0;
  double metres = 0;
};

std::int64_t integer(const std::string& bytes, std::size_t at, std::size_t size) {
  std::int64_t value = static_cast<signed char>(bytes.at(at));
  for (std::size_t i = 1; i < size; ++i) {
    value = value * 256 + static_cast<unsigned char>(bytes.at(at + i));
  }
  return value;
}

double real8(const std::string& bytes, std::size_t at) {
  double mantissa = 0;
  for (std::size_t i = 7; i >= 1; --i) {
    mantissa = (mantissa + static_cast<unsigned char>(bytes.at(at + i))) / 256.0;
  }
  const int first = static_cast<unsigned char>(bytes.at(at));
  return (first & 0x80 ? -1 : 1) * mantissa * std::pow(16.0, (first & 0x7f) - 64);
}

std::string text(std::string data) {
  while (!data.empty() && data.back() == '\0') data.pop_back();
  return data;
}

Decoded decode(const std::string& bytes) {
  Decoded out;
  Element element;
  std::string cell;
  std::size_t at = 0;
  while (at + 4 <= bytes.size() && !out.ended) {
    const auto length = static_cast<std::size_t>(integer(bytes, at, 2) & 0xffff);
    if (length < 4 || length % 2 != 0 || at + length > bytes.size()) break;
    const int type = bytes[at + 2];
    const std::string data = bytes.substr(at + 4, length - 4);
    switch (type) {
      case 0x03: out.user_unit = real8(data, 0), out.metres = real8(data, 8); break;
      case 0x04: out.ended = true; break;
      case 0x06: cell = text(data), out.order.push_back(cell), out.cells[cell]; break;
      case 0x08:
      case 0x09:
      case 0x0a:
      case 0x0b:
      case 0x0c: element = Element{.kind = type}; break;
      case 0x0d: element.layer = static_cast<int>(integer(data, 0, 2)); break;
      case 0x10:
        for (std::size_t i = 0; i < data.size(); i += 8) {
          element.xy.emplace_back(integer(data, i, 4), integer(data, i + 4, 4));
        }
        break;
      case 0x11: out.cells[cell].push_back(element); break;
      case 0x12: element.name = text(data); break;
      case 0x13:
        element.columns = static_cast<int>(integer(data, 0, 2));
        element.rows = static_cast<int>(integer(data, 2, 2));
        break;
      case 0x1a: element.mirrored = (integer(data, 0, 2) & 0x8000) != 0; break;
      case 0x1c: element.angle = real8(data, 0); break;
      default: break;
    }
    at += length;
  }
  out.left_over = bytes.size() - at;
  return out;
}

using Complexish = std::pair<double, double>;
/// x' = a x + b y + tx, y' = c x + d y + ty
struct Affine {
  double a = 1, b = 0, c = 0, d = 1, tx = 0, ty = 0;
  Complexish operator()(double x, double y) const {
    return {a * x + b * y + tx, c * x + d * y + ty};
  }
  Affine operator*(const Affine& i) const {
    return {a * i.a + b * i.c, a * i.b + b * i.d,        c * i.a + d * i.c,
            c * i.b + d * i.d, a * i.tx + b * i.ty + tx, c * i.tx + d * i.ty + ty};
  }
};

struct Flat {
  std::size_t shapes = 0;
  std::set<std::pair<long, long>> vias;
  std::set<std::pair<long, std::pair<long, long>>> orientations;
};

void flatten(const Cells& cells, const std::string& name, const Affine& outer, Flat& flat) {
  for (const Element& e : cells.at(name)) {
    if (e.kind == 0x08 || e.kind == 0x09) {
      ++flat.shapes;
      if (e.layer != 32) continue;
      const auto centre = outer(static_cast<double>(e.xy[0].first + e.xy[2].first) / 2,
                                static_cast<double>(e.xy[0].second + e.xy[2].second) / 2);
      flat.vias.emplace(std::lround(centre.first), std::lround(centre.second));
    } else if (e.kind == 0x0a || e.kind == 0x0b) {
      const double r = e.angle * 3.14159265358979323846 / 180.0;
      const double m = e.mirrored ? -1 : 1;
      for (int i = 0; i < e.columns; ++i) {
        for (int j = 0; j < e.rows; ++j) {
          Affine inner{std::cos(r),
                       -std::sin(r) * m,
                       std::sin(r),
                       std::cos(r) * m,
                       static_cast<double>(e.xy[0].first),
                       static_cast<double>(e.xy[0].second)};
          if (e.kind == 0x0b) {
            inner.tx += static_cast<double>(e.xy[1].first - e.xy[0].first) / e.columns * i +
                        static_cast<double>(e.xy[2].first - e.xy[0].first) / e.rows * j;
            inner.ty += static_cast<double>(e.xy[1].second - e.xy[0].second) / e.columns * i +
                        static_cast<double>(e.xy[2].second - e.xy[0].second) / e.rows * j;
          }
          const Affine all = outer * inner;
          flat.orientations.insert(
              {std::lround(all.a), {std::lround(all.b), std::lround(all.c * 2 + all.d)}});
          flatten(cells, e.name, all, flat);
        }
      }
    }
  }
}

long gap(std::int32_t a_low, std::int32_t a_high, std::int32_t b_low, std::int32_t b_high) {
  return std::max({0, b_low - a_high, a_low - b_high});
}

}  // namespace

TEST_CASE("gds: the stream is whole, ends with ENDLIB and is 1 nm a unit", "[simulator][gds]") {
  const std::string& bytes = test::fab("null").files.at("demo28.gds");
  const Decoded decoded = decode(bytes);
  CHECK(decoded.ended);
  CHECK(decoded.left_over == 0);
  CHECK_THAT(decoded.user_unit, WithinRel(1e-3, 1e-12));
  CHECK_THAT(decoded.metres, WithinRel(1e-9, 1e-12));
  CHECK(bytes.size() < 4'000'000);
  CHECK(decoded.order.back() == "DEMO28");
  std::set<std::string> seen;
  for (const auto& name : decoded.order) {
    for (const Element& e : decoded.cells.at(name)) {
      if (!e.name.empty()) CHECK(seen.contains(e.name));
    }
    CHECK(seen.insert(name).second);
  }
}

TEST_CASE("gds: expanding the stream gives the model's shapes and vias", "[simulator][gds]") {
  const Layout layout = draw_layout(Random(7));
  const Decoded decoded = decode(to_gdsii(layout));
  Flat flat;
  flatten(decoded.cells, "DEMO28", {}, flat);
  CHECK(flat.shapes == expanded_shape_count(layout));
  CHECK(flat.shapes > 200'000);
  CHECK(flat.orientations.size() == 8);
  std::set<std::pair<long, long>> vias;
  for (const Point p : single_via_places(layout)) vias.emplace(p.x, p.y);
  CHECK(vias.size() > 10'000);
  for (const Point p : double_via_places(layout)) vias.emplace(p.x, p.y);
  CHECK((flat.vias == vias));
}

TEST_CASE("layout: unconnected metal of a logic cell keeps the minimum space",
          "[simulator][layout]") {
  const Layout layout = draw_layout(Random(GENERATE(as<std::uint64_t>{}, 1, 2, 3)));
  const Layer metal = GENERATE(Layer::kM1, Layer::kM2);
  for (const LayoutCell& cell : layout.cells) {
    if (!cell.name.starts_with("CELL_A")) continue;
    CAPTURE(cell.name);
    long closest = 1'000'000;
    for (std::size_t i = 0; i < cell.rects.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (cell.rects[i].layer != metal || cell.rects[j].layer != metal) continue;
        const Box& a = cell.rects[i].box;
        const Box& b = cell.rects[j].box;
        const long dx = gap(a.low.x, a.high.x, b.low.x, b.high.x);
        const long dy = gap(a.low.y, a.high.y, b.low.y, b.high.y);
        const long distance = std::lround(std::hypot(dx, dy));
        if (metal == Layer::kM2 && distance == 0) continue;  // a wire and its widening at vias
        closest = std::min(closest, distance);
      }
    }
    const bool tight = cell.figure != Figure::kNone && cell.figure != Figure::kCorner &&
                       cell.figure_layer == metal;
    CHECK(closest >= (tight ? cell.figure_space : 280));
  }
}

TEST_CASE("layout: every tight figure names one cell and is placed often", "[simulator][layout]") {
  const Layout layout = draw_layout(Random(11));
  std::set<std::tuple<Figure, Layer, std::int32_t>> figures;
  std::size_t twins = 0;
  for (std::size_t i = 0; i < layout.cells.size(); ++i) {
    const LayoutCell& cell = layout.cells[i];
    if (cell.figure == Figure::kNone) continue;
    CHECK(figures.insert({cell.figure, cell.figure_layer, cell.figure_space}).second);
    const auto places = occurrences(layout, i, cell.figure_gap);
    CHECK(places.size() >= 100);
    if (cell.twin_space > 0) {
      ++twins;
      CHECK(cell.twin_space > cell.figure_space);
      CHECK(occurrences(layout, i, cell.twin_gap).size() == places.size());
    }
    CHECK(places.size() <= 2'000);
    for (const Box& box : places) {
      CHECK((box.low.x >= 0 && box.high.x <= layout.extent.x));
      CHECK((box.low.y >= 0 && box.high.y <= layout.extent.y));
    }
  }
  CHECK(figures.size() == 15);
  CHECK(twins >= 7);
}

TEST_CASE("placement: combining two is applying one after the other", "[simulator][layout]") {
  for (int outer = 0; outer < 8; ++outer) {
    for (int inner = 0; inner < 8; ++inner) {
      const Placement a{outer >= 4, outer % 4, {100, -30}};
      const Placement b{inner >= 4, inner % 4, {7, 11}};
      CHECK(a.after(b).apply(Point{3, 5}) == a.apply(b.apply(Point{3, 5})));
    }
  }
}

TEST_CASE("die grid: whole die only, as many as the wafer holds", "[simulator][product]") {
  const auto seed = GENERATE(range(std::uint64_t{1}, std::uint64_t{9}));
  const Product product = product_of(draw_layout(Random(seed)));
  const auto grid = die_grid(product);
  CHECK(grid.size() > 200);
  CHECK(grid.size() < 750);
  CHECK(product.reticle_columns * product.die_width_um <= 26'000.0);
  CHECK(product.reticle_rows * product.die_height_um <= 33'000.0);
  std::set<std::pair<int, int>> fields;
  for (const GridDie& die : grid) {
    for (const double sx : {-0.5, 0.5}) {
      for (const double sy : {-0.5, 0.5}) {
        CHECK(std::hypot((die.x + sx) * product.die_width_um,
                         (die.y + sy) * product.die_height_um) <= 147'000.0);
      }
    }
    fields.emplace(die.field_x, die.field_y);
    CHECK((die.x - die.field_x) % product.reticle_columns == 0);
    CHECK((die.y - die.field_y) % product.reticle_rows == 0);
  }
  CHECK(fields.size() == static_cast<std::size_t>(product.reticle_columns * product.reticle_rows));
}

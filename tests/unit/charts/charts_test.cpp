#include <QImage>
#include <QPointF>
#include <QRectF>

#include "catch_portable.h"
#include "gui/charts/render.h"
#include "sample_specs.h"

using namespace yieldloop;
using namespace yieldloop::charts;
using namespace yieldloop::charts::test;

namespace {

constexpr ChartSize kSize{600, 360};
const QRectF kRect(0, 0, 600, 360);

/// Pixels that are neither paper nor, nearly, paper.
template <class Spec>
int inked_pixels(const Spec& spec, ChartSize size = kSize, const Theme& theme = light_theme()) {
  const QImage image = paint_image(painter_of(spec, theme), size, 1.0);
  int inked = 0;
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) inked += image.pixel(x, y) != theme.background ? 1 : 0;
  }
  return inked;
}

template <class Spec>
void check_empty_and_tiny() {
  const Spec spec{};
  CHECK(inked_pixels(spec) > 100);  // It says that there is nothing.
  for (const ChartSize size : {ChartSize{1, 1}, ChartSize{30, 200}, ChartSize{200, 20}}) {
    CHECK(inked_pixels(spec, size) >= 0);
  }
  ensure_gui_application();
  CHECK(hit_test(spec, kRect, QPointF(300, 180)) == -1);
}

}  // namespace

TEST_CASE("charts: an empty chart says so and tiny ones do no harm", "[charts]") {
  check_empty_and_tiny<WaferMapSpec>();
  check_empty_and_tiny<WaferGallerySpec>();
  check_empty_and_tiny<ParetoSpec>();
  check_empty_and_tiny<ForestSpec>();
  check_empty_and_tiny<ContributionSpec>();
  check_empty_and_tiny<TrendSpec>();
  check_empty_and_tiny<ScatterSpec>();
  check_empty_and_tiny<HistogramSpec>();
  check_empty_and_tiny<BoxSpec>();
  check_empty_and_tiny<HeatMapSpec>();
  check_empty_and_tiny<LayoutClipSpec>();
}

TEST_CASE("charts: the same spec gives the same bytes", "[charts]") {
  CHECK(to_png(edge_wafer(), kSize, 2.0) == to_png(edge_wafer(), kSize, 2.0));
  CHECK(to_svg(yield_trend(), kSize) == to_svg(yield_trend(), kSize));
  CHECK(to_svg(bin_pareto(), kSize) != to_svg(bin_pareto(), kSize, dark_theme()));
}

TEST_CASE("charts: hostile names are text, not markup", "[charts]") {
  ParetoSpec spec = bin_pareto();
  spec.title = "</title><script>alert(1)</script>";
  spec.bars[0].label = "<script>alert(2)</script>";
  spec.bars[1].label = "=HYPERLINK(\"http://x\")";
  spec.bars[2].label = std::string("\xff\xfe\x01 torn", 9);
  const std::string svg = to_svg(spec, kSize);
  CHECK(svg.find("<script") == std::string::npos);
  CHECK(svg.find('\x01') == std::string::npos);
}

TEST_CASE("gallery: 25 wafers share one scale", "[charts][gallery]") {
  const WaferGallerySpec gallery = lot_gallery();
  ensure_gui_application();
  double low = 1e9, high = -1e9;
  for (const WaferMapSpec& map : gallery.maps) {
    for (const MapDie& die : map.dies) {
      low = std::min(low, die.value);
      high = std::max(high, die.value);
    }
  }
  CHECK(shared_scale(gallery).low == low);
  CHECK(shared_scale(gallery).high == high);
  // The same value has the same colour in every map, and different values do not.
  const MapDie die{.die = {1, 1}, .value = 0.8};
  for (std::size_t i = 0; i < 25; ++i) {
    CHECK(gallery_map(gallery, i).scale == gallery.common.scale);
    CHECK(die_colour(gallery_map(gallery, i), die) == die_colour(gallery_map(gallery, 0), die));
  }
  for (std::size_t i = 0; i < 25; ++i) {
    const QRectF cell = gallery_cell(gallery, kRect, i);
    const auto hit = gallery_hit_test(gallery, kRect, cell.center());
    CHECK(hit.map == static_cast<int>(i));
    CHECK(kRect.contains(cell));
    for (std::size_t j = 0; j < i; ++j) {
      CHECK_FALSE(cell.adjusted(1, 1, -1, -1).intersects(gallery_cell(gallery, kRect, j)));
    }
  }
}

TEST_CASE("pareto: bars are ordered, the rest is one bar, hits give the caller's index",
          "[charts][pareto]") {
  ensure_gui_application();
  ParetoSpec spec;
  spec.bars = {{"small", 1.0, {}, {}, false}, {"large", 9.0, {}, {}, false}};
  CHECK(hit_test(spec, kRect, QPointF(200, 250)) == 1);
  CHECK(hit_test(spec, kRect, QPointF(430, 250)) == 0);
  CHECK(hit_test(spec, kRect, QPointF(599, 250)) == -1);
  ParetoSpec many = bin_pareto();
  many.max_bars = 3;
  bool others = false;
  for (int x = 60; x < 540; ++x) {
    const int hit = hit_test(many, kRect, QPointF(x, 250));
    CHECK(hit <= 2);
    others = others || (x > 440 && hit == -1);
  }
  CHECK(others);
}

TEST_CASE("pareto: a bin's bar has the bin's colour", "[charts][pareto]") {
  ParetoSpec spec = bin_pareto();
  spec.cumulative = false;
  const QImage image = paint_image(painter_of(spec, light_theme()), kSize, 1.0);
  int found = 0;
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) {
      found += image.pixel(x, y) == bin_colour(2, false) ? 1 : 0;
    }
  }
  CHECK(found > 2000);
}

TEST_CASE("trend: a click near a point finds it", "[charts][trend]") {
  ensure_gui_application();
  TrendSpec spec = yield_trend();
  std::vector<bool> found(spec.points.size(), false);
  for (int x = 0; x < 600; x += 2) {
    for (int y = 0; y < 360; y += 2) {
      const int hit = hit_test(spec, kRect, QPointF(x, y));
      if (hit >= 0) found[static_cast<std::size_t>(hit)] = true;
    }
  }
  CHECK(std::count(found.begin(), found.end(), true) == 24);
}

TEST_CASE("scatter: points that are not numbers are left out, many are splatted",
          "[charts][scatter]") {
  ScatterSpec spec;
  spec.points = {{0, 0, 0, false}, {NAN, 1, 0, false}, {1, 1, 0, false}};
  CHECK(inked_pixels(spec) > 100);
  ScatterSpec many;
  for (int i = 0; i < 20'000; ++i) many.points.push_back({i * 1.0, i % 100 * 1.0, 0, false});
  CHECK(inked_pixels(many) > inked_pixels(spec));
}

TEST_CASE("histogram: every finite value is in one bin", "[charts][histogram]") {
  HistogramSpec spec;
  for (int i = 0; i < 1000; ++i) spec.values.push_back(std::sin(i * 0.1));
  spec.values.push_back(NAN);
  spec.values.push_back(INFINITY);
  const HistogramBins bins = histogram_bins(spec);
  std::int64_t sum = 0;
  for (const auto count : bins.counts) sum += count;
  CHECK(sum == 1000);
  CHECK(bins.not_finite == 2);
  spec.values = {3, 3, 3};
  CHECK(histogram_bins(spec).counts == std::vector<std::int64_t>{3});
  spec.bin_count = 4;
  spec.values = {0, 1, 2, 4};
  CHECK(histogram_bins(spec).counts == std::vector<std::int64_t>{1, 1, 1, 1});
}

TEST_CASE("box plot: quartiles of 1 to 9 and Tukey's fences", "[charts][box]") {
  const BoxStatistics box = box_statistics({9, 1, 8, 2, 7, 3, 6, 4, 5});
  CHECK(box.q1 == 3);
  CHECK(box.median == 5);
  CHECK(box.q3 == 7);
  CHECK(box.low_whisker == 1);
  CHECK(box.outliers.empty());
  // q1 = 2, q3 = 4: the upper fence is 7, and 100 lies beyond it.
  const BoxStatistics tail = box_statistics({1, 2, 3, 4, 100});
  CHECK(tail.outliers == std::vector<double>{100});
  CHECK(tail.high_whisker == 4);
  CHECK(box_statistics({NAN}).n == 0);
}

TEST_CASE("heat map: cells are found and missing ones are grey", "[charts][heat_map]") {
  ensure_gui_application();
  HeatMapSpec spec;
  spec.rows = {"a", "b"};
  spec.columns = {"x", "y", "z"};
  spec.values = {0, 1, 2, 3, NAN, 5};
  spec.scale = {.low = 0, .high = 5};
  std::vector<bool> found(6, false);
  for (int x = 0; x < 600; x += 5) {
    for (int y = 0; y < 360; y += 5) {
      const int hit = hit_test(spec, kRect, QPointF(x, y));
      if (hit >= 0) found[static_cast<std::size_t>(hit)] = true;
    }
  }
  CHECK(std::count(found.begin(), found.end(), true) == 6);
  spec.values.pop_back();
  CHECK(hit_test(spec, kRect, QPointF(200, 100)) == -1);
}

TEST_CASE("layout clip: a pixel knows its place and the marker over it", "[charts][clip]") {
  ensure_gui_application();
  const LayoutClipSpec spec = bridge_clip();
  int hits = 0;
  for (int x = 0; x < 600; ++x) {
    for (int y = 0; y < 360; y += 3) {
      const QPointF at(x, y);
      if (hit_test(spec, kRect, at) != 0) continue;
      ++hits;
      const ClipPoint p = layout_point(spec, kRect, at);
      CHECK(p.x_um > 0.8);
      CHECK(p.x_um < 1.2);
    }
  }
  CHECK(hits > 0);
  LayoutClipSpec fixed = spec;
  fixed.window = {10, 20, 4, 2};
  const ClipPoint a = layout_point(fixed, kRect, QPointF(100, 100));
  const ClipPoint b = layout_point(fixed, kRect, QPointF(200, 100));
  CHECK(b.x_um > a.x_um);
  CHECK(b.y_um == a.y_um);
}

TEST_CASE("forest and contributions: rows are found in order", "[charts][forest]") {
  ensure_gui_application();
  const ForestSpec spec = tool_forest();
  int last = -1;
  for (int y = 0; y < 360; ++y) {
    const int hit = hit_test(spec, kRect, QPointF(300, y));
    if (hit < 0) continue;
    CHECK(hit >= last);
    last = hit;
  }
  CHECK(last == 3);
  ContributionSpec shap;
  shap.rows = {{"a", 0.01, ""}, {"b", -0.5, ""}};
  int first = -1;
  for (int y = 0; y < 360 && first < 0; ++y) first = hit_test(shap, kRect, QPointF(300, y));
  CHECK(first == 1);  // Largest first.
}

#include "engine/tracing/layout_regression.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "catch_portable.h"
#include "engine/core/random.h"
#include "engine/tracing/layout_columns.h"
#include "small_chip.h"

using namespace yieldloop;
using namespace yieldloop::tracing;

namespace {

/// Three smooth columns over a unit die of 10 x 10 tiles; the second goes along with the first, the
/// third exists on half the die only. Cases fall with density exp(f).
template <class LogRate>
RegressionTable table_of(std::size_t cases, std::size_t controls, Random& random, LogRate f,
                         double most) {
  RegressionTable t{.columns = {"a", "b", "c", "flat"}, .cases = cases};
  const auto add = [&](bool is_case) {
    for (;;) {
      const double x = random.uniform(), y = random.uniform();
      const double a = 0.5 + 0.5 * std::sin(9.0 * x) * std::cos(7.0 * y);
      const double b = a + 0.15 * std::sin(31.0 * x + 17.0 * y);
      const double c = std::fmod(3.0 * y, 1.0) < 0.5 ? x : std::nan("");
      if (is_case && random.uniform() * std::exp(most) > std::exp(f(a, b, c))) continue;
      t.values.insert(t.values.end(), {a, b, c, 7.0});
      t.tile.push_back(static_cast<std::uint32_t>(std::floor(10 * x) * 10 + std::floor(10 * y)));
      return;
    }
  };
  for (std::size_t i = 0; i < cases; ++i) {
    add(true);
    t.wafer.push_back(static_cast<std::uint32_t>(random.below(30)));
    t.lot.push_back(t.wafer.back() / 5);
  }
  for (std::size_t i = 0; i < controls; ++i) add(false);
  return t;
}

}  // namespace

TEST_CASE("regression: a log-linear rate is found, with its ratio, and its echo is not",
          "[tracing][regression]") {
  int first = 0, alone = 0, covered = 0;
  constexpr int kSeeds = 20;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Random random(seed);
    const auto t = table_of(
        800, 8000, random, [](double a, double, double) { return 1.5 * a; }, 1.5);
    const auto r = layout_regression(t).value();
    REQUIRE(!r.accepted.empty());
    first += r.accepted[0].column == 0;
    alone += r.accepted.size() == 1;
    if (r.accepted[0].column != 0) continue;
    const ColumnEffect& e = r.effects[0];
    const double truth = std::exp(1.5 * (e.high - e.low));
    covered += e.rate_ratio_ci.low <= truth && truth <= e.rate_ratio_ci.high;
    CHECK(e.direction == Direction::kRises);
    CHECK(e.ridge_ratio > 1.3);
    CHECK(r.accepted[0].share_of_cases > 0.2);
  }
  CHECK(first >= 17);  // The echo correlates at 0.95 with it.
  CHECK(alone >= 17);
  CHECK(covered >= 0.85 * first);
}

TEST_CASE("regression: an effect that rises and falls is seen", "[tracing][regression]") {
  Random random(3);
  const auto t = table_of(
      1500, 10'000, random, [](double a, double, double) { return -8.0 * (a - 0.5) * (a - 0.5); },
      0.0);
  const auto r = layout_regression(t).value();
  REQUIRE(!r.accepted.empty());
  CHECK(r.accepted[0].column == 0);
  CHECK(r.effects[0].direction == Direction::kPeaks);
  CHECK(r.effects[0].extreme_ratio_ci.low > 1.5);
}

TEST_CASE("regression: where a column does not exist is an effect of its own",
          "[tracing][regression]") {
  Random random(4);
  const auto t = table_of(
      1000, 10'000, random, [](double, double, double c) { return std::isnan(c) ? 0.0 : 1.0; },
      1.0);
  const auto r = layout_regression(t).value();
  REQUIRE(!r.accepted.empty());
  CHECK(r.accepted[0].column == 2);
}

TEST_CASE("regression: uniform defects find nothing", "[tracing][regression][null]") {
  int found = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Random random(500 + seed);
    const auto t = table_of(
        300, 4000, random, [](double, double, double) { return 0.0; }, 0.0);
    found += !layout_regression(t).value().accepted.empty();
  }
  CHECK(found <= 10);
}

TEST_CASE("regression: wafers and places that hang together accuse nothing",
          "[tracing][regression][null]") {
  // A fifth of the defects lie in one spot of the die, and one wafer has a third of all.
  int found = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(900 + seed);
    auto t = table_of(
        400, 4000, random, [](double, double, double) { return 0.0; }, 0.0);
    const std::size_t spot = t.cases + random.below(4000);
    for (std::size_t i = 0; i < 80; ++i) {
      std::copy_n(t.values.begin() + static_cast<std::ptrdiff_t>(spot * 4), 4,
                  t.values.begin() + static_cast<std::ptrdiff_t>(i * 4));
      t.tile[i] = t.tile[spot];
    }
    for (std::size_t i = 100; i < 230; ++i) t.wafer[i] = 3;
    found += !layout_regression(t).value().accepted.empty();
  }
  CHECK(found <= 6);
}

TEST_CASE("regression: the order of rows and a column's unit change nothing",
          "[tracing][regression]") {
  Random random(8);
  const auto t = table_of(
      600, 5000, random, [](double a, double, double) { return a; }, 1.0);
  const auto plain = layout_regression(t).value();
  RegressionTable turned = t;
  const std::size_t k = t.columns.size();
  const auto swap_rows = [&](std::size_t i, std::size_t j) {
    for (std::size_t c = 0; c < k; ++c)
      std::swap(turned.values[i * k + c], turned.values[j * k + c]);
    std::swap(turned.tile[i], turned.tile[j]);
  };
  for (std::size_t i = 0; i < t.cases / 2; ++i) {
    swap_rows(i, t.cases - 1 - i);
    std::swap(turned.wafer[i], turned.wafer[t.cases - 1 - i]);
    std::swap(turned.lot[i], turned.lot[t.cases - 1 - i]);
  }
  for (std::size_t i = t.cases; i < t.cases + 1000; ++i) swap_rows(i, t.rows() - 1 - i + t.cases);
  // A monotone change of unit.
  for (std::size_t r = 0; r < turned.rows(); ++r) {
    double& a = turned.values[r * k];
    a = std::exp(3.0 * a);
  }
  const auto other = layout_regression(turned).value();
  REQUIRE(other.accepted.size() == plain.accepted.size());
  for (std::size_t i = 0; i < plain.accepted.size(); ++i) {
    CHECK(other.accepted[i].column == plain.accepted[i].column);
    CHECK_THAT(other.accepted[i].deviance, WithinRel(plain.accepted[i].deviance, 1e-6));
  }
}

TEST_CASE("regression: what it refuses and leaves out", "[tracing][regression][error]") {
  Random random(9);
  auto t = table_of(
      100, 1000, random, [](double, double, double) { return 0.0; }, 0.0);
  CHECK(!layout_regression(t).value().effects[3].not_asked.empty());
  CHECK(layout_regression(t, {.alpha = 0.0}).error().id == "LREG-0001");
  CHECK(layout_regression(t, {.min_cases = 101}).error().id == "LREG-0002");
  auto one = t;
  std::ranges::fill(one.wafer, 1u);
  const auto r = layout_regression(one).value();
  CHECK(!r.caveats.empty());
  std::ranges::fill(one.tile, 0u);
  CHECK(layout_regression(one).error().id == "LREG-0002");
  auto wrong = t;
  wrong.values.pop_back();
  CHECK(layout_regression(wrong).error().id == "LREG-0001");
}

TEST_CASE("layout columns: a raster's means are those of its tiles, shared out by area",
          "[tracing][regression]") {
  // 3 x 2 tiles of side 10 on a window of 25 x 20: the last column is 5 wide.
  const std::vector<double> tiles = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6};
  const TileRaster raster({0, 0, 25, 20}, 10, 3, 2, tiles);
  CHECK_THAT(raster.mean({0, 0, 10, 10}), WithinAbs(0.1, 1e-12));
  CHECK_THAT(raster.mean({20, 10, 25, 20}), WithinAbs(0.6, 1e-12));
  CHECK_THAT(raster.mean({5, 5, 15, 15}), WithinAbs(0.3, 1e-12));
  CHECK_THAT(raster.mean({-50, -50, 50, 50}),
             WithinAbs((0.1 + 0.2 + 0.15 + 0.4 + 0.5 + 0.3) / 5.0, 1e-12));
  CHECK(std::isnan(raster.mean({30, 0, 40, 10})));
}

TEST_CASE("layout columns: density, gradient and space at a step of density",
          "[tracing][regression]") {
  // Lines of 1 um at 2 um pitch on the right half of 400 x 400 um; nothing on the left.
  layout::LayoutBuilder builder(0.001);
  const auto top = builder.add_cell("TOP");
  for (int k = 0; k < 100; ++k) {
    const int x = 200'000 + 2'000 * k;
    builder.add_box(top, tracing::testing::kM1, {x, 0, x + 1'000, 400'000});
  }
  builder.add_box(top, tracing::testing::kM1, {0, 0, 1'000, 1'000});  // Spans the window.
  const auto layout = builder.build().value();
  const auto view = layout::view_of(layout).value();
  const auto columns = LayoutColumns::of(view, *layout.find_layer(tracing::testing::kM1),
                                         {0, 0, 400, 400}, {}, {.radii_um = {5, 20}});
  const auto& names = columns.names();
  const auto at = [&](const std::vector<double>& v, std::size_t row, const std::string& name) {
    const auto it = std::ranges::find(names, name);
    REQUIRE(it != names.end());
    return v[row * names.size() + static_cast<std::size_t>(it - names.begin())];
  };
  const std::vector<PointUm> points = {{100, 200}, {300.5, 200}, {200, 200}, {301.5, 200}};
  const auto v = columns.values(points);
  CHECK_THAT(at(v, 0, "density_20um"), WithinAbs(0.0, 1e-9));
  CHECK_THAT(at(v, 1, "density_20um"), WithinAbs(0.5, 0.02));
  CHECK_THAT(at(v, 1, "density_gradient_20um"), WithinAbs(0.0, 0.1));
  // From 0 to 0.5 over 20 um: 2.5 per 100 um.
  CHECK_THAT(at(v, 2, "density_gradient_20um"), WithinAbs(2.5, 0.05));
  CHECK_THAT(at(v, 1, "perimeter_20um"), WithinAbs(1.0, 0.05));
  CHECK_THAT(at(v, 1, "width"), WithinAbs(1.0, 1e-9));
  CHECK_THAT(at(v, 3, "space"), WithinAbs(1.0, 1e-9));
  CHECK(std::isnan(at(v, 0, "space")));
}

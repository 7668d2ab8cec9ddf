// Queries of a layout: shapes around defects, density, width and space, growth.
// Usage: yieldloop-bench-query LAYOUT.oas [POINTS]
// POINTS (1,000,000 when not given) lie uniformly on the chip; their radii run from 50 nm to 2 um
// with a density of 1/r^3. Prints CPU seconds of the process (both cores' work), rates and the
// peak memory so far. When `klayout` is on the PATH the peer's figures of the same jobs follow.

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <numeric>

#include "engine/core/file_system.h"
#include "engine/core/random.h"
#include "engine/layout/density_map.h"
#include "engine/layout/rule_check.h"
#include "engine/layout/shape_search.h"
#include "ingest/readers/gdsii/gdsii_layout.h"
#include "ingest/readers/oasis/oasis_layout.h"

namespace {

using namespace yieldloop;
using namespace yieldloop::layout;

double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

double peak_mb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

[[noreturn]] void fail(const Error& error) {
  std::fprintf(stderr, "%s (%s)\n", error.message.c_str(), error.id.c_str());
  std::exit(1);
}

template <class T>
T value_or_fail(Result<T> result) {
  if (!result) fail(result.error());
  return std::move(result).value();
}

Layout load(const char* path) {
  const auto file = value_or_fail(real_file_system().map(path));
  ingest::Rejects rejects;
  return ingest::oasis::looks_like_oasis(file->bytes())
             ? value_or_fail(ingest::oasis::read_oasis(file->bytes(), rejects))
             : value_or_fail(ingest::gdsii::read_gdsii(file->bytes(), rejects));
}

/// Conductors and cuts of sky130 where the layout has them, else its eleven fullest layers.
std::vector<LayerIndex> conductors(const Layout& layout) {
  std::vector<LayerIndex> layers;
  for (const int number : {67, 68, 69, 70, 71, 72})
    for (const int datatype : {20, 44})
      if (const auto layer = layout.find_layer({number, datatype})) layers.push_back(*layer);
  if (!layers.empty()) return layers;
  const std::vector<std::uint64_t> shapes = layout.shapes_expanded();
  layers.resize(shapes.size());
  std::iota(layers.begin(), layers.end(), 0U);
  std::stable_sort(layers.begin(), layers.end(),
                   [&](LayerIndex a, LayerIndex b) { return shapes[a] > shapes[b]; });
  if (layers.size() > 11) layers.resize(11);
  return layers;
}

struct Points {
  std::vector<Point> at;
  std::vector<Coord> radius;
};

Points draw_points(const FlatView& view, std::size_t count) {
  Random random(5);
  const Box chip = view.bbox();
  const double dbu_nm = view.layout().dbu_um() * 1000.0;
  Points points;
  for (std::size_t i = 0; i < count; ++i) {
    const auto along = [&](Coord low, Coord length) {
      return low + static_cast<Coord>(random.below(static_cast<std::uint64_t>(length)));
    };
    points.at.push_back({along(chip.x_min, chip.width()), along(chip.y_min, chip.height())});
    const double nm = std::min(2000.0, 50.0 / std::sqrt(1.0 - random.uniform()));
    points.radius.push_back(static_cast<Coord>(nm / dbu_nm));
  }
  return points;
}

void bench_points(const FlatView& view, std::size_t count) {
  NoProgress quiet;
  const Points points = draw_points(view, count);
  const double start = cpu_seconds();
  const ShapeSearch search(view, conductors(view.layout()));
  search.for_each_near(points.at.front(), points.radius.front(), [](const auto&, double) {});
  const double built = cpu_seconds();
  const auto counts = value_or_fail(count_shapes_near(search, points.at, points.radius, quiet));
  const double done = cpu_seconds();
  const auto hits = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  std::printf(
      "points: %zu on %zu layers, %llu shapes near; first query %.3f s, all %.3f s, "
      "%.0f points/s, index %.0f MB, peak %.0f MB\n",
      count, search.layers().size(), static_cast<unsigned long long>(hits), built - start,
      done - built, static_cast<double>(count) / (done - start),
      static_cast<double>(search.memory_bytes()) / 1e6, peak_mb());
}

void bench_density(const FlatView& view) {
  NoProgress quiet;
  std::vector<LayerIndex> metals;
  for (const int number : {68, 69, 70, 71, 72})
    if (const auto layer = view.layout().find_layer({number, 20})) metals.push_back(*layer);
  if (metals.empty()) metals = conductors(view.layout());
  const double start = cpu_seconds();
  DensityMapOptions options;
  options.tile = static_cast<Coord>(50.0 / view.layout().dbu_um());
  const DensityMap map = value_or_fail(density_map(view, metals, options, quiet));
  const double done = cpu_seconds();
  std::printf("density: %zu layers, %zu x %zu tiles, %.3f s, peak %.0f MB\n", metals.size(),
              map.columns, map.rows, done - start, peak_mb());
  for (std::size_t layer = 0; layer < metals.size(); ++layer) {
    double area = 0.0;
    for (std::size_t row = 0; row < map.rows; ++row)
      for (std::size_t column = 0; column < map.columns; ++column)
        area += map.area[map.at(layer, column, row)];
    std::printf("  %s covers %.6f um2\n", to_string(view.layout().layers()[metals[layer]]).c_str(),
                area * view.layout().dbu_um() * view.layout().dbu_um());
  }
}

void bench_rules(const FlatView& view) {
  NoProgress quiet;
  const auto met1 = view.layout().find_layer({68, 20});
  const LayerIndex layer = met1 ? *met1 : conductors(view.layout()).front();
  const auto rule = static_cast<Coord>(0.14 / view.layout().dbu_um());
  for (const auto& [width, space] : {std::pair{rule, rule}, std::pair{2 * rule, Coord{0}}}) {
    const double start = cpu_seconds();
    RuleCheckOptions options;
    options.width = width;
    options.space = space;
    const RuleCheck check = value_or_fail(check_rules(view, layer, options, quiet));
    std::printf("rules %s: %llu widths below %lld, %llu spaces below %lld, %.3f s, peak %.0f MB\n",
                to_string(view.layout().layers()[layer]).c_str(),
                static_cast<unsigned long long>(check.width.count), static_cast<long long>(width),
                static_cast<unsigned long long>(check.space.count), static_cast<long long>(space),
                cpu_seconds() - start, peak_mb());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "Usage: %s LAYOUT.oas [POINTS]\n", argv[0]);
    return 2;
  }
  const double start = cpu_seconds();
  const Layout layout = load(argv[1]);
  const auto view = value_or_fail(view_of(layout));
  std::printf("load: %.3f s, peak %.0f MB\n", cpu_seconds() - start, peak_mb());
  bench_density(view);
  bench_rules(view);
  bench_points(view, argc > 2 ? static_cast<std::size_t>(std::atoll(argv[2])) : 1000000);
  return 0;
}

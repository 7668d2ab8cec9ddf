// The pattern census of one layer: clips per CPU second, with and without hierarchical reuse, and
// its growth from the layout to an array of ten.
// Usage: yieldloop-bench-patterns LAYOUT LAYER/DATATYPE [RADIUS_UM [RUNS]]

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "engine/layout/clip_clusters.h"
#include "engine/layout/layout_builder.h"
#include "engine/layout/pattern_classes.h"
#include "ingest/pipeline/read_layout.h"

namespace {

using namespace yieldloop;

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

[[noreturn]] void stop(const Error& error) {
  std::fprintf(stderr, "%s (%s)\n", error.message.c_str(), error.id.c_str());
  std::exit(1);
}

/// The layer of a layout alone, its top cell placed five times two.
layout::Layout array_of_ten(const layout::Layout& from, layout::LayerIndex layer) {
  layout::LayoutBuilder builder(from.dbu_um());
  for (const layout::Cell& cell : from.cells()) builder.add_cell(cell.name);
  for (const layout::Cell& cell : from.cells()) {
    const auto index = builder.cell(cell.name);
    if (const auto* shapes = cell.find(layer)) {
      const auto key = from.layers()[layer];
      for (const auto& box : shapes->boxes) builder.add_box(index, key, box);
      for (const auto& p : shapes->polygons) builder.add_polygon(index, key, shapes->points_of(p));
      for (const auto& p : shapes->paths) {
        builder.add_path(index, key, shapes->points_of(p.line), p.style);
      }
      for (const auto& r : shapes->repeated) {
        if (r.kind == layout::RepeatedShape::Kind::kBox) {
          builder.add_box(index, key, r.box, r.repetition);
        } else if (r.kind == layout::RepeatedShape::Kind::kPolygon) {
          builder.add_polygon(index, key, shapes->points_of(shapes->repeated_polygons[r.item]),
                              r.repetition);
        } else {
          const auto& path = shapes->repeated_paths[r.item];
          builder.add_path(index, key, shapes->points_of(path.line), path.style, r.repetition);
        }
      }
    }
    for (const layout::Instance& instance : cell.instances) {
      if (instance.general < 0) builder.add_instance(index, instance);
    }
  }
  const auto top = from.top_cells().front();
  const auto box = from.cell(top).bbox;
  layout::Instance array;
  array.cell = builder.cell(from.cell(top).name);
  array.columns = 5, array.rows = 2;
  array.column_step = {static_cast<std::int32_t>(box.width()) + 10'000, 0};
  array.row_step = {0, static_cast<std::int32_t>(box.height()) + 10'000};
  builder.add_instance(builder.add_cell("ARRAY_OF_TEN"), array);
  auto built = builder.build();
  if (!built) stop(built.error());
  return std::move(*built);
}

/// The most frequent classes grouped by area match and by edge displacement.
void group(const layout::ClipCensus& census, double dbu_um) {
  std::vector<layout::ClipWords> clips;
  for (const auto& c : census.classes) {
    if (clips.size() < 20'000) clips.push_back(c.words);
  }
  for (const bool area : {true, false}) {
    layout::ClusterOptions options{
        .layers = 1, .radius = census.spec.radius, .area_match = {}, .edge_displacement = {}};
    if (area) options.area_match = 0.95;
    if (!area) options.edge_displacement = std::llround(0.02 / dbu_um);
    NoProgress progress;
    const double start = cpu_seconds();
    const auto groups = layout::cluster_clips(clips, options, progress);
    if (!groups) stop(groups.error());
    std::printf("%-14s %9.3f CPU s, %zu classes by %zu clips, %.3f %% of %.0f pairs compared\n",
                area ? "area 95 %" : "edge 20 nm", cpu_seconds() - start, clips.size(),
                groups->clusters.size(),
                100.0 * static_cast<double>(groups->compared) /
                    std::max(1.0, static_cast<double>(groups->pairs)),
                static_cast<double>(groups->pairs));
  }
}

double census(const char* name, const layout::FlatView& view, layout::LayerIndex layer,
              double radius_um, bool reuse, std::size_t runs) {
  layout::ClipCensusOptions options;
  options.spec.layers = {layer};
  options.spec.radius = std::llround(radius_um / view.layout().dbu_um());
  options.reuse = reuse;
  NoProgress progress;
  std::vector<double> seconds;
  layout::ClipCensus last;
  for (std::size_t i = 0; i < runs; ++i) {
    const double start = cpu_seconds();
    auto found = layout::census_clips(view, options, progress);
    seconds.push_back(cpu_seconds() - start);
    if (!found) stop(found.error());
    last = std::move(*found);
  }
  std::ranges::sort(seconds);
  const double median = seconds[seconds.size() / 2];
  const auto places = static_cast<double>(last.places);
  const auto shapes = static_cast<double>(view.count_shapes_expanded(layer));
  std::printf(
      "%-14s %9.3f CPU s, %10.0f shapes, %11.0f clips, %8.3f M clips/s, %6.1f ns a shape flat, "
      "%8zu classes, %5.1f %% looked at, peak %.0f MB\n",
      name, median, shapes, places, places / median * 1e-6, median / shapes * 1e9,
      last.classes.size(), 100.0 * static_cast<double>(last.looked_at) / std::max(places, 1.0),
      peak_mb());
  std::fflush(stdout);
  if (!reuse) group(last, view.layout().dbu_um());
  std::fflush(stdout);
  return median;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s LAYOUT LAYER/DATATYPE [RADIUS_UM [RUNS]]\n", argv[0]);
    return 2;
  }
  const double radius = argc > 3 ? std::atof(argv[3]) : 0.5;
  const auto runs = static_cast<std::size_t>(std::max(1, argc > 4 ? std::atoi(argv[4]) : 3));
  ingest::Rejects rejects;
  const auto read = ingest::read_layout(real_file_system(), argv[1], rejects);
  if (!read) stop(read.error());
  const auto key = layout::parse_layer_key(argv[2]);
  const auto layer = layout::require_layer(*read, key.value_or(layout::LayerKey{-1, -1}));
  if (!layer) stop(layer.error());
  const auto view = layout::view_of(*read);
  if (!view) stop(view.error());
  const double reused = census("reuse", *view, *layer, radius, true, runs);
  const double flat = census("flat", *view, *layer, radius, false, runs);
  const auto ten = array_of_ten(*read, *layer);
  const auto ten_view = layout::view_of(ten, "ARRAY_OF_TEN");
  if (!ten_view) stop(ten_view.error());
  const double tenfold = census("array of ten", *ten_view, 0, radius, true, 1);
  std::printf("reuse: %.2f of flat; array of ten: %.2f of the layout's time for 10 x the clips\n",
              reused / flat, tenfold / reused);
  return 0;
}

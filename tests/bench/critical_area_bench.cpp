// Critical area for shorts of one layer, all defect sizes at once, beside KLayout's
// sized-and-merged booleans at five sizes where that program is installed. Usage:
// yieldloop-bench-critical-area FILE [LAYER/DATATYPE] [--peer] Prints CPU seconds, memory, and A(x)
// at 0.2, 0.4, 0.8, 1.6 and 3.2 um. Nets are pieces, as the peer counts.

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include "engine/core/file_system.h"
#include "engine/layout/critical_area.h"
#include "ingest/pipeline/read_layout.h"

namespace {

using namespace yieldloop;

constexpr double kSizesUm[] = {0.2, 0.4, 0.8, 1.6, 3.2};

double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

double seconds_of(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
}

layout::Layout load(const std::string& path) {
  ingest::Rejects rejects;
  auto read = ingest::read_layout(real_file_system(), path, rejects);
  if (!read) {
    std::fprintf(stderr, "%s\n", read.error().message.c_str());
    std::exit(1);
  }
  return std::move(*read);
}

double measure(const layout::FlatView& view, layout::LayerIndex layer, double x_max_um) {
  NoProgress progress;
  layout::CriticalAreaOptions options;
  options.x_max_um = x_max_um;
  const double start = cpu_seconds();
  const auto result = layout::critical_area(view, layer, options, progress);
  const double seconds = cpu_seconds() - start;
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::exit(1);
  }
  const auto shapes = static_cast<double>(view.count_shapes_expanded(layer));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "all sizes to %.1f um: %.2f CPU s, %.2f us a shape (%.0f shapes), peak %.0f MB, %zu of %zu "
      "tiles repeated\n",
      x_max_um, seconds, seconds / shapes * 1e6, shapes,
      static_cast<double>(usage.ru_maxrss) / 1024.0, result->tiles_repeated, result->tiles_total);
  const double dbu = view.layout().dbu_um();
  for (const double x : kSizesUm)
    if (x <= x_max_um)
      std::printf("  A(%.1f um) = %.3f um2\n", x, result->curve.area(x / dbu) * dbu * dbu);
  return seconds;
}

/// The same areas by sizing merged polygons and keeping what two of them cover.
double peer(const std::string& path, const std::string& layer) {
  const std::string script = "/tmp/yieldloop_bench_peer.py";
  const std::size_t slash = layer.find('/');
  std::FILE* file = std::fopen(script.c_str(), "w");
  if (file == nullptr) return 0.0;
  std::fprintf(file,
               "import pya\nly = pya.Layout()\nly.read(%s)\n"
               "r = pya.Region(ly.top_cell().begin_shapes_rec(ly.layer(%s, %s))).merged()\n"
               "for d in (200, 400, 800, 1600, 3200):\n"
               "  s = r.sized(d // 2, 2)\n  s.merged_semantics = False\n"
               "  print('  peer A(%%.1f um) = %%.3f um2' %% (d / 1000.0, "
               "s.merged(False, 2).area() * ly.dbu * ly.dbu), flush=True)\n",
               ('\'' + path + '\'').c_str(), layer.substr(0, slash).c_str(),
               layer.substr(slash + 1).c_str());
  std::fclose(file);
  rusage before{}, after{};
  ::getrusage(RUSAGE_CHILDREN, &before);
  const int status = std::system(("klayout -b -z -r " + script).c_str());
  ::getrusage(RUSAGE_CHILDREN, &after);
  std::remove(script.c_str());
  if (status != 0) return 0.0;
  return seconds_of(after.ru_utime) + seconds_of(after.ru_stime) - seconds_of(before.ru_utime) -
         seconds_of(before.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const std::string path = argv[1];
  std::string key = "69/20";
  bool with_peer = false;
  for (int i = 2; i < argc; ++i) {
    if (std::strcmp(argv[i], "--peer") == 0) {
      with_peer = true;
    } else {
      key = argv[i];
    }
  }
  const layout::Layout chip = load(path);
  const auto view = layout::view_of(chip);
  const auto parsed = layout::parse_layer_key(key);
  const auto layer = parsed ? chip.find_layer(*parsed) : std::nullopt;
  if (!view || !layer) {
    std::fprintf(stderr, "nothing is drawn on %s\n", key.c_str());
    return 1;
  }
  measure(*view, *layer, 0.4);
  const double ours = measure(*view, *layer, 3.2);
  const double theirs = with_peer ? peer(path, key) : 0.0;
  if (theirs > 0.0)
    std::printf("peer, 5 sizes, load included: %.1f CPU s, %.1f times ours\n", theirs,
                theirs / ours);
  return 0;
}

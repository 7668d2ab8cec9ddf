// Reads layouts into a queryable form beside a bare decode of the same bytes.
// Usage: yieldloop-layout-bench [RUNS] FILE... Prints the median of the runs (5 when not given):
// CPU seconds to load, to answer the first box query, and of the bare decode, with the ratio.

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

#include "engine/layout/flat_view.h"
#include "ingest/pipeline/read_layout.h"

namespace {

using namespace yieldloop;

double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// What no reader of GDSII can do without: every record header and every coordinate turned round.
double bare_decode(const char* path) {
  const double start = cpu_seconds();
  const auto file = real_file_system().map(path);
  if (!file) return 0.0;
  const auto bytes = (*file)->bytes();
  std::vector<std::uint32_t> numbers;
  numbers.reserve(bytes.size() / 4);
  for (std::size_t at = 0; at + 4 <= bytes.size();) {
    const std::size_t length =
        std::to_integer<std::size_t>(bytes[at]) << 8 | std::to_integer<std::size_t>(bytes[at + 1]);
    if (length < 4 || length > bytes.size() - at) break;
    if (bytes[at + 2] == std::byte{0x10}) {
      for (std::size_t i = at + 4; i + 4 <= at + length; i += 4) {
        std::uint32_t value = 0;
        std::memcpy(&value, bytes.data() + i, sizeof value);
        numbers.push_back(__builtin_bswap32(value));
      }
    }
    at += length;
  }
  const double seconds = cpu_seconds() - start;
  return numbers.empty() ? 0.0 : seconds;
}

struct Run {
  double load = 0.0, query = 0.0;
  std::size_t found = 0;
};

/// Loads and asks for what lies in 5 x 5 um around the middle of the chip, on every layer.
Run run_once(const char* path) {
  Run run;
  const double start = cpu_seconds();
  ingest::Rejects rejects;
  const auto layout = ingest::read_layout(real_file_system(), path, rejects);
  run.load = cpu_seconds() - start;
  if (!layout) {
    std::fprintf(stderr, "%s (%s)\n", layout.error().message.c_str(), layout.error().id.c_str());
    std::exit(1);
  }
  const auto view = layout::view_of(*layout);
  if (!view || layout->layers().empty()) return run;
  const layout::Box chip = view->bbox();
  const auto side = static_cast<layout::Coord>(5.0 / layout->dbu_um());
  const layout::Point middle = chip.center();
  const layout::Box window{middle.x, middle.y, middle.x + side, middle.y + side};
  for (layout::LayerIndex layer = 0; layer < layout->layers().size(); ++layer)
    run.found += view->shapes_in(layer, window).size();
  run.query = cpu_seconds() - start - run.load;
  return run;
}

void measure(const char* path, int runs) {
  std::vector<double> loads, queries, bare;
  std::size_t found = 0;
  // Ours first: the peak of the process is then ours, not that of the bare decode's columns.
  for (int i = 0; i < runs; ++i) {
    const Run run = run_once(path);
    loads.push_back(run.load);
    queries.push_back(run.query);
    found = run.found;
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  for (int i = 0; i < runs; ++i) bare.push_back(bare_decode(path));
  std::printf("%s\n  load %.3f s, first query on all layers %.3f s (%zu shapes), peak %.0f MB\n",
              path, median(loads), median(queries), found,
              static_cast<double>(usage.ru_maxrss) / 1024.0);
  if (median(bare) > 0.0)
    std::printf("  bare decode %.3f s, ratio of load to it %.2f\n", median(bare),
                median(loads) / median(bare));
}

}  // namespace

int main(int argc, char** argv) {
  int first = 1;
  int runs = 5;
  if (argc > 2 && std::atoi(argv[1]) > 0) runs = std::atoi(argv[first++]);
  for (int i = first; i < argc; ++i) measure(argv[i], runs);
  return 0;
}

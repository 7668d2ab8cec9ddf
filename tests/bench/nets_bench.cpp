// Finds the nets of a whole chip and asks for the net of random points.
// Usage: yieldloop-bench-nets FILE: an OASIS file with the layers li1 67/20 to met5 72/20 and cuts
// 67/44 to 71/44. Prints CPU seconds, nets and memory. The peer, KLayout's LayoutToNetlist, is
//   klayout -b -z -rd path=FILE -r tests/bench/nets_peer.py

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "engine/core/file_system.h"
#include "engine/core/random.h"
#include "engine/layout/chip_nets.h"
#include "ingest/readers/oasis/oasis_layout.h"

namespace {

using namespace yieldloop;

double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

layout::NetStack stack_of(const layout::Layout& layout) {
  layout::NetStack stack;
  for (int layer = 67; layer <= 72; ++layer) {
    const auto metal = layout.find_layer({layer, 20});
    if (metal) stack.conductors.push_back(*metal);
  }
  for (int layer = 67; layer <= 71; ++layer) {
    const auto cut = layout.find_layer({layer, 44});
    const auto below = layout.find_layer({layer, 20}), above = layout.find_layer({layer + 1, 20});
    if (cut && below && above) stack.vias.push_back({*cut, *below, *above});
  }
  return stack;
}

void ask(const layout::FlatView& view, const layout::NetStack& stack,
         const layout::ChipNets& nets) {
  Random random(1);
  const layout::Box chip = view.bbox();
  constexpr int kPoints = 1'000'000;
  const double start = cpu_seconds();
  std::uint64_t on_metal = 0;
  for (int i = 0; i < kPoints; ++i) {
    const auto layer = stack.conductors[random.below(stack.conductors.size())];
    const layout::Point p{
        chip.x_min +
            static_cast<layout::Coord>(random.below(static_cast<std::uint64_t>(chip.width()))),
        chip.y_min +
            static_cast<layout::Coord>(random.below(static_cast<std::uint64_t>(chip.height())))};
    on_metal += nets.net_at(layer, p).has_value();
  }
  std::printf("  %.0f points/s, %.1f %% on metal\n", kPoints / (cpu_seconds() - start),
              100.0 * static_cast<double>(on_metal) / kPoints);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  double start = cpu_seconds();
  ingest::Rejects rejects;
  const auto file = real_file_system().map(argv[1]);
  if (!file) return 1;
  const auto layout = ingest::oasis::read_oasis((*file)->bytes(), rejects);
  if (!layout) return 1;
  const auto view = layout::view_of(*layout);
  if (!view) return 1;
  std::printf("load %.2f s\n", cpu_seconds() - start);
  const layout::NetStack stack = stack_of(*layout);
  start = cpu_seconds();
  NoProgress progress;
  const auto nets = layout::extract_nets(*view, stack, {}, progress);
  if (!nets) {
    std::fprintf(stderr, "%s\n", nets.error().message.c_str());
    return 1;
  }
  const double extracted = cpu_seconds() - start;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const layout::NetSummary& s = nets->summary();
  std::printf(
      "nets %.2f s: %llu nets, %llu lone cuts, %llu labels (%llu loose), %llu cells, "
      "%.0f MB, peak of the process %.0f MB\n",
      extracted, static_cast<unsigned long long>(s.nets),
      static_cast<unsigned long long>(s.lone_cuts), static_cast<unsigned long long>(s.labels),
      static_cast<unsigned long long>(s.loose_labels), static_cast<unsigned long long>(s.cells),
      static_cast<double>(nets->memory_bytes()) / 1048576.0,
      static_cast<double>(usage.ru_maxrss) / 1024.0);
  ask(*view, stack, *nets);
  return 0;
}

// Times the parts of the main job on a virtual fab: simulate, ingest, load, findings, predictors.
// Usage: yieldloop-bench [SCENARIO] [small|medium] [RUNS]. Prints the median of the runs.

#include <stdlib.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "engine/session/analysis.h"
#include "engine/session/training.h"
#include "engine/simulator/simulator.h"
#include "ingest/pipeline/builtin_readers.h"
#include "ingest/pipeline/ingest.h"

namespace {

using namespace yieldloop;
using Clock = std::chrono::steady_clock;

/// Median seconds of each part, in the order they ran first.
class Times {
 public:
  template <class Work>
  void measure(const char* part, Work&& work) {
    const auto start = Clock::now();
    work();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const auto it =
        std::ranges::find(parts_, part, &std::pair<std::string, std::vector<double>>::first);
    (it == parts_.end() ? parts_.emplace_back(part, std::vector<double>{}) : *it)
        .second.push_back(seconds);
  }
  void print() {
    double total = 0.0;
    for (auto& [part, seconds] : parts_) {
      std::ranges::sort(seconds);
      total += seconds[seconds.size() / 2];
      std::printf("%-28s %8.3f s\n", part.c_str(), seconds[seconds.size() / 2]);
    }
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    std::printf("%-28s %8.3f s\npeak memory %.0f MB\n", "total", total,
                static_cast<double>(usage.ru_maxrss) / 1024.0);
  }

 private:
  std::vector<std::pair<std::string, std::vector<double>>> parts_;
};

/// A part that fails ends the benchmark: figures of half a job would mislead.
template <class T>
T must(Result<T> result) {
  if (result) return std::move(result).value();
  std::fprintf(stderr, "%s (%s)\n", result.error().message.c_str(), result.error().id.c_str());
  std::exit(1);
}

void run_once(const simulator::Options& options, Times& times) {
  NoProgress progress;
  FileSystem& files = real_file_system();
  std::string name = (fs::temp_directory_path() / "yieldloop-bench-XXXXXX").string();
  const fs::path folder = ::mkdtemp(name.data());
  times.measure("simulate",
                [&] { must(simulator::simulate(options, files, folder / "fab", progress)); });
  {
    auto store = must(store::Store::open_or_create(files, folder / "store"));
    times.measure("ingest", [&] {
      must(ingest::ingest(store, ingest::builtin_readers(), {folder / "fab"}, {}, progress));
    });
    auto snapshot = must(store.snapshot());
    session::Analysis scope;
    times.measure("load from the store",
                  [&] { scope = must(session::open_scope(snapshot, {}, progress)); });
    session::Analysis analysis;
    times.measure("findings and suggestions",
                  [&] { analysis = must(session::analyse(snapshot, {}, {}, progress)); });
    times.measure("train die_fail", [&] {
      must(session::train_and_keep(store, analysis.fab.data, analysis.snapshot,
                                   models::Target::kDieFail, 1, progress));
    });
  }
  fs::remove_all(folder);
}

}  // namespace

int main(int argc, char** argv) {
  ::setenv("OMP_WAIT_POLICY", "passive", 0);
  const std::string scenario = argc > 1 ? argv[1] : "hotspot";
  const std::string size = argc > 2 ? argv[2] : "small";
  const int runs = argc > 3 ? std::max(1, std::atoi(argv[3])) : 3;
  Times times;
  for (int run = 1; run <= runs; ++run) {
    run_once({.scenario = scenario,
              .seed = static_cast<std::uint64_t>(run),
              .size = size == "medium" ? simulator::Size::kMedium : simulator::Size::kSmall},
             times);
  }
  std::printf("%s, %s, median of %d runs\n", scenario.c_str(), size.c_str(), runs);
  times.print();
  return 0;
}

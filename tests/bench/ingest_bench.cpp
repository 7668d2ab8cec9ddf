// How fast many small files get into a store, with and without reading processes.
//
//   yieldloop-ingest-bench SAMPLE.klarf [FILES] [FOLDER]
//
// Writes FILES (10,000) copies of a KLARF with lots and wafers of their own, ingests them into a
// fresh store in this process and with a pool of workers, three times each, and prints files/s and
// the CPU time of a file, reading processes included once they have ended.

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "ingest/pipeline/builtin_readers.h"
#include "ingest/pipeline/ingest.h"
#include "ingest/pipeline/worker_pool.h"

namespace {

using namespace yieldloop;

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

void write_files(const fs::path& folder, const std::string& sample, int files) {
  fs::create_directories(folder);
  for (int i = 0; i < files; ++i) {
    const std::string lot = "\"L" + std::to_string(i / 25) + "\"";
    const std::string wafer = "\"W" + std::to_string(i) + "\"";
    std::ofstream(folder / (std::to_string(i) + ".klarf"), std::ios::binary)
        << replaced(replaced(sample, "\"aLot\"", lot), "\"aWafer\"", wafer);
  }
}

double cpu_seconds() {
  double total = 0.0;
  for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    ::getrusage(who, &usage);
    for (const timeval& t : {usage.ru_utime, usage.ru_stime}) {
      total += static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    }
  }
  return total;
}

double seconds_of(const fs::path& in, const fs::path& store_folder, ingest::WorkerPool* workers) {
  fs::remove_all(store_folder);
  const auto before = std::chrono::steady_clock::now();
  auto store = store::Store::open_or_create(real_file_system(), store_folder);
  NoProgress progress;
  const auto report = store ? ingest::ingest(*store, ingest::builtin_readers(), {in},
                                             {.workers = workers}, progress)
                            : Result<ingest::IngestReport>(store.error());
  if (!report) {
    std::fprintf(stderr, "%s\n", report.error().message.c_str());
    std::exit(1);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
  std::printf("  %zu stored, %zu refused, %llu rows in %.2f s\n",
              report->count(ingest::Outcome::kStored), report->count(ingest::Outcome::kRefused),
              static_cast<unsigned long long>(report->rows), took.count());
  return took.count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: yieldloop-ingest-bench SAMPLE|FOLDER [FILES] [FOLDER]\n", stderr);
    return 2;
  }
  const int files = argc > 2 ? std::atoi(argv[2]) : 10'000;
  const fs::path scratch = argc > 3 ? fs::path(argv[3]) : fs::path("ingest-bench");
  fs::path in = argv[1];
  if (!fs::is_directory(in)) {
    std::ifstream file(in, std::ios::binary);
    const std::string sample{std::istreambuf_iterator<char>(file), {}};
    in = scratch / "in";
    write_files(in, sample, files);
  }
  auto pool = ingest::default_worker_pool();
  double cpu = cpu_seconds();
  for (const bool with_workers : {false, true}) {
    if (with_workers && !pool) continue;
    std::printf("%s\n", with_workers ? "with reading processes" : "in this process");
    double best = 1e9;
    for (int i = 0; i < 3; ++i) {
      best = std::min(best, seconds_of(in, scratch / "store", with_workers ? pool.get() : nullptr));
    }
    if (with_workers) pool.reset();
    const double spent = cpu_seconds() - cpu;
    cpu += spent;
    std::printf("best %.2f s, %.0f files/s of %d; %.3f ms CPU a file, %.0f files per CPU second\n",
                best, files / best, files, 1e3 * spent / (3 * files), 3 * files / spent);
  }
  fs::remove_all(scratch);
  return 0;
}

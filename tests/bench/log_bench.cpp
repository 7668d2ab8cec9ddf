// Reads one log file some times over and says how fast: log_bench FILE [TIMES [MAPPING]]

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "engine/core/file_system.h"
#include "ingest/readers/input.h"
#include "ingest/readers/logs/log_reader.h"

namespace {

class DroppingSink final : public yieldloop::store::RowSink {
 public:
  bool put(yieldloop::store::Table batch) override {
    rows += batch.rows();
    return true;
  }
  std::size_t rows = 0;
};

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace yieldloop;
  if (argc < 2) return 2;
  const int times = argc > 2 ? std::atoi(argv[2]) : 3;
  const auto mapping = argc > 3 ? ingest::load_mapping(real_file_system(), argv[3])
                                : Result<ingest::Mapping>(ingest::Mapping{});
  if (!mapping) return std::fprintf(stderr, "%s\n", mapping.error().message.c_str()), 1;
  const auto reader = ingest::log_table_readers().front();
  std::vector<double> seconds;
  std::size_t rows = 0, refused = 0;
  double megabytes = 0.0;
  for (int i = 0; i < times; ++i) {
    auto input = ingest::open_input(real_file_system(), argv[1]);
    if (!input) return std::fprintf(stderr, "%s\n", input.error().message.c_str()), 1;
    megabytes = static_cast<double>((*input)->sent_bytes()) / 1e6;
    DroppingSink sink;
    ingest::Rejects rejects;
    const double start = cpu_seconds();
    const auto summary = reader.read(**input, {.mapping = &*mapping}, sink, rejects);
    if (!summary) return std::fprintf(stderr, "%s\n", summary.error().message.c_str()), 1;
    seconds.push_back(cpu_seconds() - start);
    rows = sink.rows;
    refused = rejects.total();
  }
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  std::printf("%.1f MB, %zu rows, %zu rejects: %.3f CPU s, %.0f MB/s, %.1f Mrows/s\n", megabytes,
              rows, refused, median, megabytes / median, static_cast<double>(rows) / median / 1e6);
}

// Times reading KLARF beside the least that any reader has to do, in one run.
// Usage: yieldloop-bench-klarf [DEFECTS] [RUNS]. Makes its file in memory: one wafer, 15 columns,
// numbers as inspection tools print them (1,000,000 defects are 71 MB).
//
//   loop     std::from_chars on each of the 15 columns into vectors of doubles, nothing else
//   rows     the reader with a sink that lets the rows go: columns, checks, summary
//   digest   SHA-256 of the file, which every ingest needs
//   small    a file of ten defects, 10,000 times: microseconds a file

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <functional>

#include "engine/core/random.h"
#include "ingest/readers/input.h"
#include "ingest/readers/klarf/klarf_reader.h"

namespace {

using namespace yieldloop;

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

std::string klarf_text(std::size_t defects) {
  std::string text =
      "FileVersion 1 2;\nFileTimestamp 07-24-23 11:02:03;\nInspectionStationID \"A\" \"B\" \"C\";\n"
      "SampleType WAFER;\nResultTimestamp 07-24-23 10:55:00;\nLotID \"LOT1\";\nSampleSize 1 300;\n"
      "DeviceID \"DEV1\";\nSetupID \"RCP\" 01-01-23 00:00:00;\nStepID \"M1\";\n"
      "SampleOrientationMarkType NOTCH;\nOrientationMarkLocation DOWN;\nDiePitch 7.0e+003 "
      "7.0e+003;\n"
      "DieOrigin 0 0;\nWaferID \"W01\";\nSlot 1;\nSampleCenterLocation 3.5e+003 3.5e+003;\n"
      "InspectionTest 1;\nSampleTestPlan 2\n 0 0\n 0 1;\nAreaPerTest 6.9e+010;\n"
      "DefectRecordSpec 15 DEFECTID XREL YREL XINDEX YINDEX XSIZE YSIZE DEFECTAREA DSIZE "
      "CLASSNUMBER "
      "TEST CLUSTERNUMBER ROUGHBINNUMBER FINEBINNUMBER IMAGECOUNT ;\nDefectList\n";
  Random random(3);
  for (std::size_t i = 1; i <= defects; ++i) {
    const double size = 0.05 + 2.0 * random.uniform() * random.uniform();
    const auto index = [&] { return static_cast<int>(random.uniform() * 42.0) - 21; };
    fmt::format_to(std::back_inserter(text),
                   " {} {:.3f} {:.3f} {} {} {:.3f} {:.3f} {:.4f} {:.3f} {} 1 {} {} {} 0{}\n", i,
                   7000.0 * random.uniform(), 7000.0 * random.uniform(), index(), index(), size,
                   size * (0.5 + random.uniform()), size * size, size,
                   static_cast<int>(random.uniform() * 60.0),
                   random.uniform() < 0.2 ? static_cast<int>(random.uniform() * 500.0) : 0,
                   static_cast<int>(random.uniform() * 20.0),
                   static_cast<int>(random.uniform() * 50.0), i == defects ? ";" : "");
  }
  text += fmt::format("SummarySpec 2 TESTNO NDEFECT;\nSummaryList\n 1 {};\nEndOfFile;\n", defects);
  return text;
}

double bare_loop(const std::string& text) {
  std::vector<double> columns[15];
  for (auto& column : columns) column.reserve(text.size() / 60);
  const char* at = text.data() + text.find("DefectList\n") + 11;
  const char* const end = text.data() + text.size();
  while (at < end && *at == ' ') {
    for (auto& column : columns) {
      while (*at == ' ') ++at;
      double value = 0.0;
      at = std::from_chars(at, end, value).ptr;
      column.push_back(value);
    }
    const bool last = *at == ';';
    at = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at))) + 1;
    if (last) break;
  }
  double sum = 0.0;
  for (const double value : columns[1]) sum += value;
  return sum;
}

class CountingSink final : public store::RowSink {
 public:
  bool put(store::Table batch) override {
    rows += batch.rows();
    return true;
  }
  std::size_t rows = 0;
};

void read(ingest::Input& input, CountingSink& sink) {
  ingest::Rejects rejects;
  const auto summary = ingest::klarf::klarf_reader().read(input, {}, sink, rejects);
  if (!summary || !rejects.empty()) {
    std::fprintf(stderr, "the file was not read whole\n");
    std::exit(1);
  }
}

double median_of(int runs, const std::function<void()>& job) {
  std::vector<double> seconds;
  for (int i = 0; i < runs; ++i) {
    const double from = cpu_seconds();
    job();
    seconds.push_back(cpu_seconds() - from);
  }
  std::ranges::sort(seconds);
  return seconds[seconds.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t defects = argc > 1 ? std::stoul(argv[1]) : 1'000'000;
  const int runs = argc > 2 ? std::stoi(argv[2]) : 5;
  const std::string text = klarf_text(defects);
  std::printf("%zu defects, %.1f MB, medians of %d runs, CPU seconds\n", defects,
              static_cast<double>(text.size()) / 1e6, runs);
  double sum = 0.0;
  const double loop = median_of(runs, [&] { sum += bare_loop(text); });
  auto input = ingest::input_from_memory("bench.001", text);
  if (!input) return 1;
  CountingSink sink;
  const double rows = median_of(runs, [&] { read(**input, sink); });
  const double digest = median_of(runs, [&] { (void)Sha256::of(std::string_view(text)); });
  std::printf("loop   %.4f s  (sum %.1f)\n", loop, sum);
  std::printf("rows   %.4f s  %.2f x the loop, %.1f M defects/s\n", rows, rows / loop,
              static_cast<double>(defects) / rows / 1e6);
  std::printf("digest %.4f s\n", digest);
  const std::string small = klarf_text(10);
  constexpr int kFiles = 10'000;
  const double files = median_of(runs, [&] {
    for (int i = 0; i < kFiles; ++i) {
      auto file = ingest::input_from_memory("small.001", small);
      read(**file, sink);
    }
  });
  std::printf("small  %.1f us a file of ten defects\n", files / kFiles * 1e6);
  return 0;
}

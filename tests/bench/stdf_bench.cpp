// Times the ways to read one STDF file beside the least that any reader has to do, in one run.
// Usage: yieldloop-bench-stdf FILE [RUNS]. Prints medians and their ratios.
//
//   loop     a bare walk over the records that puts number, site, flags, result and part of every
//            PTR into columns: little-endian files only, no text, no check of anything
//   columns  ingest::stdf::read_columns: the same with tests told apart by text, limits, checks
//   rows     the reader with a sink that lets the rows go
//   stage    the reader into staged rows of a store: coded and on disk, not yet visible
//   store    from the file's name to rows that a query sees: digest, stage, commit, sync

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>

#include "engine/core/file_system.h"
#include "engine/store/store.h"
#include "ingest/readers/input.h"
#include "ingest/readers/stdf/stdf_columns.h"
#include "ingest/readers/stdf/stdf_reader.h"

namespace {

using namespace yieldloop;

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double peak_megabytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

template <class T>
T must(Result<T> result) {
  if (result) return std::move(result).value();
  std::fprintf(stderr, "%s (%s)\n", result.error().message.c_str(), result.error().id.c_str());
  std::exit(1);
}

struct Times {
  std::vector<double> wall, cpu;
  static double median(std::vector<double> v) {
    std::ranges::sort(v);
    return v.empty() ? 0.0 : v[v.size() / 2];
  }
};

/// Medians of each way by name.
class Board {
 public:
  template <class Work>
  void measure(const char* name, Work&& work) {
    const double cpu = cpu_seconds();
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    times_[name].cpu.push_back(cpu_seconds() - cpu);
    times_[name].wall.push_back(wall.count());
  }
  void print(double megabytes) const {
    const double loop = Times::median(times_.at("1 loop").cpu);
    const double columns = Times::median(times_.at("2 columns").wall);
    std::printf("%-10s %9s %9s %9s %12s %18s\n", "", "CPU s", "wall s", "MB/s", "CPU to loop",
                "speed to columns");
    for (const auto& [name, t] : times_) {
      const double cpu = Times::median(t.cpu);
      const double wall = Times::median(t.wall);
      std::printf("%-10s %9.3f %9.3f %9.0f %11.2fx %17.0f%%\n", name.c_str(), cpu, wall,
                  megabytes / wall, cpu / loop, 100.0 * columns / wall);
    }
  }

 private:
  std::map<std::string, Times> times_;
};

class NullSink final : public store::RowSink {
 public:
  bool put(store::Table batch) override {
    rows += batch.rows();
    return true;
  }
  std::size_t rows = 0;
};

class StagingSink final : public store::RowSink {
 public:
  explicit StagingSink(store::StagedRows& rows) : rows_(rows) {}
  bool put(store::Table batch) override {
    batch[store::kSourceColumn].fill_int(1, batch.rows());
    return rows_.add(std::move(batch)).has_value();
  }

 private:
  store::StagedRows& rows_;
};

/// The bare loop. Returns the number of PTR, so that nothing of it is left out.
std::size_t bare_loop(std::span<const std::byte> bytes) {
  std::vector<std::uint32_t> number, part;
  std::vector<float> result;
  std::vector<std::uint8_t> site, flags, limits;
  const std::size_t most = bytes.size() / 24;
  number.reserve(most), part.reserve(most), result.reserve(most);
  site.reserve(most), flags.reserve(most), limits.reserve(most);
  std::uint32_t part_of_site[256] = {};
  std::uint32_t parts = 0;
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* end = at + bytes.size();
  while (end - at >= 4) {
    std::uint16_t length = 0;
    std::memcpy(&length, at, 2);
    const unsigned type = at[2];
    const unsigned subtype = at[3];
    const unsigned char* body = at + 4;
    if (type == 15 && subtype == 10) {
      std::uint32_t n = 0;
      float r = 0.0F;
      std::memcpy(&n, body, 4);
      std::memcpy(&r, body + 8, 4);
      number.push_back(n);
      site.push_back(body[5]);
      flags.push_back(body[6]);
      limits.push_back(body[7]);
      result.push_back(r);
      part.push_back(part_of_site[body[5]]);
    } else if (type == 5 && subtype == 10) {
      part_of_site[body[1]] = parts++;
    }
    at += 4 + length;
  }
  return number.size();
}

void run_once(const fs::path& path, const fs::path& folder, Board& board) {
  auto& files = real_file_system();
  const auto mapped = must(files.map(path));
  std::size_t seen = 0;
  for (std::size_t i = 0; i < mapped->bytes().size(); i += 4096) {
    seen += std::to_integer<std::size_t>(mapped->bytes()[i]);
  }
  board.measure("1 loop", [&] { seen += bare_loop(mapped->bytes()); });
  board.measure("2 columns", [&] {
    ingest::Rejects rejects;
    seen += must(ingest::stdf::read_columns(mapped->bytes(), rejects)).rows();
  });
  const auto reader = ingest::stdf::stdf_reader();
  const auto input = must(ingest::open_input(files, path));
  board.measure("3 rows", [&] {
    NullSink sink;
    ingest::Rejects rejects;
    must(reader.read(*input, {}, sink, rejects));
    seen += sink.rows;
  });
  {
    auto store = must(store::Store::open_or_create(files, folder / "staged"));
    board.measure("4 stage", [&] {
      auto staged = store.stage();
      StagingSink sink(staged);
      ingest::Rejects rejects;
      must(reader.read(*input, {}, sink, rejects));
      seen += staged.rows();
    });
  }
  auto store = must(store::Store::open_or_create(files, folder / "stored"));
  board.measure("5 store", [&] {
    const auto file = must(ingest::open_input(files, path));
    auto transaction = must(store.begin());
    auto staged = store.stage();
    StagingSink sink(staged);
    ingest::Rejects rejects;
    must(reader.read(*file, {}, sink, rejects));
    must(transaction.add(std::move(staged)));
    must(transaction.commit("benchmark"));
    seen += transaction.rows();
  });
  if (seen == 0) std::printf("nothing was read\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FILE [RUNS]\n", argv[0]);
    return 2;
  }
  const fs::path path = argv[1];
  const int runs = argc > 2 ? std::max(1, std::atoi(argv[2])) : 3;
  Board board;
  for (int i = 0; i < runs; ++i) {
    const fs::path folder =
        fs::temp_directory_path() / ("yieldloop-bench-stdf-" + std::to_string(::getpid()));
    fs::create_directories(folder);
    run_once(path, folder, board);
    fs::remove_all(folder);
  }
  board.print(static_cast<double>(fs::file_size(path)) / 1e6);
  std::printf("peak memory %.0f MB (the mapped file of the first two ways included)\n",
              peak_megabytes());
  return 0;
}

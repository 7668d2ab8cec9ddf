#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "catch_portable.h"
#include "engine/core/random.h"
#include "fault_file_system.h"
#include "ingest/pipeline/ingest.h"
#include "temporary_folder.h"
#include "tiny_reader.h"

using namespace yieldloop;
using store::Store;

namespace {

constexpr int kFiles = 60;
constexpr int kFewFiles = 4;

void write_input(const fs::path& folder, int files) {
  fs::create_directories(folder);
  for (int f = 0; f < files; ++f) {
    std::ofstream out(folder / ("lot" + std::to_string(f) + ".tiny"), std::ios::binary);
    out << "TINY\n";
    for (int i = 0; i <= f % 9; ++i) out << 'L' << f << '.' << i << ",P" << f % 3 << ",25\n";
    if (f % 10 == 3) out << "REFUSE\n";
    if (f % 10 == 2) out << "LAYOUT\n";
  }
}

Result<ingest::IngestReport> run(FileSystem& files, const fs::path& store_folder,
                                 const fs::path& input) {
  YL_ASSIGN(auto store, Store::open_or_create(files, store_folder));
  NoProgress progress;
  return ingest::ingest(store, test::tiny_registry(), {input}, {.threads = 2, .commit_rows = 3},
                        progress);
}

/// All that a store holds, in an order of its own.
std::string content(const fs::path& folder) {
  const auto store = Store::open(real_file_system(), folder, Store::Mode::kRead);
  if (!store) return store.error().id;
  const auto snapshot = store->snapshot();
  if (!snapshot) return snapshot.error().message;
  std::string all;
  for (const char* table : {"lots", "layouts"}) {
    const auto rows = snapshot->query("SELECT * FROM " + std::string(table) + " ORDER BY ALL");
    if (!rows) return rows.error().message;
    for (std::size_t r = 0; r < rows->rows(); ++r) {
      for (std::size_t c = 0; c < rows->columns(); ++c) all += rows->column(c).to_text(r) + '|';
      all += '\n';
    }
  }
  const auto layouts = snapshot->read("layouts");
  for (std::size_t r = 0; r < layouts->rows(); ++r) {
    if (!snapshot->blob((*layouts)["layout"].as_text(r))) all += "blob missing\n";
  }
  const auto sources = snapshot->sources().value();
  for (const auto& source : sources) {
    all += source.name + ' ' + std::to_string(source.rows) + '\n';
  }
  const auto refused = store->quarantine().value();
  for (const auto& entry : refused) all += entry.name + ' ' + entry.message + '\n';
  return all;
}

/// Every source's rows are all there, no row is without its source, no file lies about.
std::string broken_promise(const fs::path& folder) {
  const auto store = Store::open(real_file_system(), folder, Store::Mode::kRead);
  if (!store) return store.error().id == "STOR-0001" ? "" : store.error().message;
  const auto snapshot = store->snapshot();
  if (!snapshot) return snapshot.error().message;
  const auto rows = snapshot->query(
      "SELECT source, count(*) AS n FROM (SELECT source FROM lots UNION ALL SELECT source FROM "
      "layouts)"
      " GROUP BY 1");
  if (!rows) return rows.error().message;
  std::map<std::int64_t, std::uint64_t> found;
  for (std::size_t r = 0; r < rows->rows(); ++r) {
    found[rows->column(0).as_int(r)] = static_cast<std::uint64_t>(rows->column(1).as_int(r));
  }
  const auto sources = snapshot->sources().value();
  for (const auto& source : sources) {
    if (found[source.digest.short_id()] != source.rows) return source.name + " is not whole";
    found.erase(source.digest.short_id());
  }
  std::erase_if(found, [](const auto& entry) { return entry.second == 0; });
  return found.empty() ? "" : "rows without a source";
}

const Error kDiskFull{Errc::kNoSpace, "FILE-0003", "The disk is full."};
const Error kBadDisk{Errc::kIo, "FILE-0002", "Input/output error."};

}  // namespace

TEST_CASE("crash: killed 50 times at random moments, a store equals one never killed",
          "[pipeline][crash]") {
  const test::TemporaryFolder folder;
  write_input(folder / "in", kFiles);
  REQUIRE(run(real_file_system(), folder / "whole", folder / "in"));
  const std::string whole = content(folder / "whole");
  REQUIRE(broken_promise(folder / "whole").empty());
  Random random(11);

  int kills = 0;
  int stores = 0;
  while (kills < 50) {
    const fs::path here = folder / ("store" + std::to_string(stores++));
    for (bool complete = false; !complete;) {
      const pid_t child = ::fork();
      REQUIRE(child >= 0);
      if (child == 0) ::_exit(run(real_file_system(), here, folder / "in") ? 0 : 1);
      // Once 50 have died the last one is left to end.
      if (kills < 50) {
        std::this_thread::sleep_for(std::chrono::microseconds(random.below(40'000)));
        ::kill(child, SIGKILL);
      }
      int status = 0;
      REQUIRE(::waitpid(child, &status, 0) == child);
      complete = WIFEXITED(status);
      if (complete) CHECK(WEXITSTATUS(status) == 0);
      if (!complete) {
        ++kills;
        CHECK(broken_promise(here).empty());
      }
    }
    CHECK(content(here) == whole);
  }
}

TEST_CASE("crash: whichever call fails, the store is as before or after", "[pipeline][fault]") {
  const test::TemporaryFolder folder;
  write_input(folder / "in", kFewFiles);
  REQUIRE(run(real_file_system(), folder / "whole", folder / "in"));
  const std::string whole = content(folder / "whole");

  std::size_t failures = 0;
  for (std::size_t n = 1;; ++n) {
    const Error& error = n % 2 == 0 ? kDiskFull : kBadDisk;
    CAPTURE(n);
    const fs::path here = folder / ("s" + std::to_string(n));
    test::FaultFileSystem files;
    files.fail_at(n, error);
    const auto report = run(files, here, folder / "in");
    if (!files.has_failed()) break;
    files.heal();
    if (!report) {
      ++failures;
      CHECK(report.error().code == error.code);
      CHECK(broken_promise(here).empty());
    }
    // The disk works again: the rest is done, nothing twice.
    const auto again = run(files, here, folder / "in");
    if (!again) FAIL(again.error().message);
    CHECK(content(here) == whole);
    fs::remove_all(here);
  }
  CHECK(failures > 15);
}

TEST_CASE("crash: a power cut after any call loses nothing acknowledged", "[pipeline][fault]") {
  const test::TemporaryFolder folder;
  write_input(folder / "in", kFewFiles);
  REQUIRE(run(real_file_system(), folder / "whole", folder / "in"));
  const std::string whole = content(folder / "whole");
  // The power may go when the n-th call would have been made; what the catalog has by then is
  // durable by SQLite's own promise.
  for (std::size_t n = 1;; n += 2) {
    CAPTURE(n);
    const fs::path here = folder / ("s" + std::to_string(n));
    test::FaultFileSystem files;
    files.fail_at(n, kBadDisk);
    (void)run(files, here, folder / "in");
    const bool reached = files.has_failed();
    files.heal();
    files.cut_power();
    CHECK(broken_promise(here).empty());
    if (!reached) {
      CHECK(content(here) == whole);
      break;
    }
    const auto again = run(files, here, folder / "in");
    if (!again) FAIL(again.error().message);
    files.cut_power();
    CHECK(content(here) == whole);
    fs::remove_all(here);
  }
}

TEST_CASE("crash: a forgotten sync would be noticed", "[pipeline][fault]") {
  const bool of_files = GENERATE(true, false);
  const test::TemporaryFolder folder;
  write_input(folder / "in", kFewFiles);
  test::FaultFileSystem files;
  // The store's own folder is made durable first, so that only the commits are at stake.
  { REQUIRE(Store::create(files, folder / "s")); }
  of_files ? files.ignore_file_sync() : files.ignore_folder_sync();
  REQUIRE(run(files, folder / "s", folder / "in"));
  CHECK(broken_promise(folder / "s").empty());

  files.cut_power();

  CHECK_THAT(broken_promise(folder / "s"), Contains("stored file"));
}

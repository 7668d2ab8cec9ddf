#include "ingest/pipeline/worker_pool.h"

#include <fstream>
#include <set>

#include "catch_portable.h"
#include "ingest/pipeline/ingest.h"
#include "packed_files.h"
#include "temporary_folder.h"
#include "tiny_reader.h"

using namespace yieldloop;
using ingest::IngestReport;
using ingest::Outcome;
using ingest::WorkerPool;
using ingest::WorkerSettings;
using store::Store;

namespace {

void write(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

WorkerSettings bad_workers() {
  WorkerSettings settings;
  settings.program = fs::path(YIELDLOOP_BIN_DIR) / "bad_worker";
  settings.processes = 2;
  settings.memory_bytes = 512 << 20;
  return settings;
}

IngestReport ingest_with(WorkerPool* pool, Store& store, const fs::path& folder,
                         unsigned threads = 2) {
  NoProgress progress;
  const auto report = ingest::ingest(store, test::tiny_registry(), {folder},
                                     {.threads = threads, .workers = pool}, progress);
  if (!report) FAIL(report.error().message);
  return *report;
}

std::string outcomes(const IngestReport& report) {
  std::string text;
  for (const auto& file : report.files) {
    const std::string& path = file.read.path;
    text += path.substr(path.find("in/") + 3) + " " + std::string(to_word(file.outcome)) +
            (file.read.id.empty() ? "" : " " + file.read.id) + "\n";
  }
  return text;
}

/// All rows in their order.
std::string content(const Store& store) {
  const auto table = store.snapshot()->read("lots");
  if (!table) return table.error().message;
  std::string text;
  for (std::size_t r = 0; r < table->rows(); ++r) {
    for (std::size_t c = 0; c < table->columns(); ++c) text += table->column(c).to_text(r) + "|";
    text += "\n";
  }
  return text;
}

std::string lots(int from, int to) {
  std::string text = "TINY\n";
  for (int i = from; i < to; ++i) text += "L" + std::to_string(i) + ",P,25\n";
  return text;
}

}  // namespace

TEST_CASE("workers: what a reader does wrong costs its own file only", "[pipeline][workers]") {
  struct Case {
    std::string deed, id, words;
  };
  const auto [deed, id, words] =
      GENERATE_COPY(values<Case>({{"crash", "PIPE-0008", "signal 11"},
                                  {"abort", "PIPE-0008", "signal 6"},
                                  {"overflow", "PIPE-0008", "signal 11"},
                                  {"exit", "PIPE-0008", "status 0"},
                                  {"loop", "PIPE-0009", "took too long"},
                                  {"sleep", "PIPE-0009", "took too long"},
                                  {"allocate", "PIPE-0002", "more memory"},
                                  {"connect", "PIPE-0010", "open a network connection"},
                                  {"write OUT", "PIPE-0010", "write or change a file"},
                                  {"remove OUT", "PIPE-0010", "write or change a file"},
                                  {"read /etc/passwd", "EVIL-0001", "not opened"},
                                  {"run", "PIPE-0010", "start another program"},
                                  {"fork", "PIPE-0010", "start another program"},
                                  {"kill", "PIPE-0010", "touch another process"},
                                  {"miscount", "PIPE-0011", "2 rows counted, 1 handed over"},
                                  {"garbage", "PIPE-0011", "an unknown message"},
                                  {"slot", "PIPE-0011", "a slot that is none"}}));
  CAPTURE(deed);
  const test::TemporaryFolder folder;
  const fs::path out = folder / "forbidden";
  const std::size_t at = deed.find("OUT");
  const std::string line = at == std::string::npos ? deed : deed.substr(0, at) + out.string();
  if (deed == "remove OUT") write(out, "precious");
  write(folder / "in/a.tiny", lots(0, 3));
  write(folder / "in/b.evil", "EVIL\n" + line + "\n");
  for (int i = 0; i < 5; ++i) {
    write(folder / ("in/c" + std::to_string(i) + ".tiny"), lots(10 * i + 10, 10 * i + 13));
  }
  WorkerSettings settings = bad_workers();
  settings.seconds = id == "PIPE-0009" ? 0.5 : 30.0;
  WorkerPool pool(settings);
  auto store = Store::create(real_file_system(), folder / "s").value();

  const IngestReport report = ingest_with(&pool, store, folder / "in");

  CHECK(report.count(Outcome::kStored) == 6);
  CHECK(report.count(Outcome::kRefused) == 1);
  CHECK(report.files[1].read.id == id);
  CHECK_THAT(report.files[1].read.message, Contains(words));
  CHECK(fs::exists(out) == (deed == "remove OUT"));
  const auto quarantine = store.quarantine().value();
  REQUIRE(quarantine.size() == 1);
  CHECK(quarantine[0].name == "b.evil");
  CHECK(quarantine[0].reader == (id == "PIPE-0002" || id == "EVIL-0001" ? "evil" : ""));
}

TEST_CASE("workers: threads of a reader are its own affair", "[pipeline][workers]") {
  const test::TemporaryFolder folder;
  write(folder / "in/b.evil", "EVIL\nthread\n");
  WorkerPool pool(bad_workers());
  auto store = Store::create(real_file_system(), folder / "s").value();
  CHECK(outcomes(ingest_with(&pool, store, folder / "in")) == "b.evil stored\n");
}

TEST_CASE("workers: the store is the same with processes, threads and without",
          "[pipeline][workers]") {
  const test::TemporaryFolder folder;
  for (int f = 0; f < 60; ++f) {
    write(folder / ("in/f" + std::to_string(f) + ".tiny"), lots(f * 1000, f * 1000 + f * f));
  }
  write(folder / "in/large.tiny", lots(1'000'000, 1'400'000));
  write(folder / "in/g.zip", test::zip({{"x.tiny", lots(5, 9)}, {"y.tiny", lots(90'000, 99'000)}}));
  std::set<std::string> results;
  for (const unsigned threads : {0U, 1U, 2U, 5U}) {
    WorkerPool pool(bad_workers());
    auto store =
        Store::create(real_file_system(), folder / ("s" + std::to_string(threads))).value();
    const auto report =
        ingest_with(threads == 0 ? nullptr : &pool, store, folder / "in", std::max(1U, threads));
    CHECK(report.count(Outcome::kStored) == 64);
    results.insert(content(store));
  }
  CHECK(results.size() == 1);
  CHECK(results.begin()->size() > 1'000'000);
}

TEST_CASE("archives: members are sources of their own", "[pipeline][archive]") {
  const bool with_pool = GENERATE(false, true);
  const test::TemporaryFolder folder;
  const std::string inner = test::gzip(test::tar({{"deep/t.tiny", lots(50, 52)}}));
  write(folder / "in/n.zip", test::zip({{"a/x.tiny", lots(0, 2)},
                                        {"../../b.tiny", "TINY\nL9,P,1\nbroken\n"},
                                        {"c.tiny.gz", test::gzip(lots(20, 21))},
                                        {"d.tiny", "TINY\nREFUSE\n"},
                                        {"inner.tgz", inner},
                                        {"readme.txt", "words"},
                                        {"same.tiny", lots(0, 2)}}));
  WorkerPool pool(bad_workers());
  auto store = Store::create(real_file_system(), folder / "s").value();

  const auto report = ingest_with(with_pool ? &pool : nullptr, store, folder / "in");

  CHECK(outcomes(report) ==
        "n.zip!a/x.tiny stored\n"
        "n.zip!../../b.tiny stored\n"
        "n.zip!c.tiny.gz stored\n"
        "n.zip!d.tiny refused TINY-0002\n"
        "n.zip!inner.tgz!deep/t.tiny stored\n"
        "n.zip!readme.txt skipped PIPE-0001\n"
        "n.zip!same.tiny already\n");
  CHECK(report.rows == 6);
  REQUIRE(store.quarantine()->size() == 1);
  CHECK(store.quarantine()->at(0).name == "n.zip!d.tiny");
  const auto sources = store.snapshot()->sources().value();
  CHECK(sources.front().name == "n.zip!../../b.tiny");
  CHECK(sources.front().digest == Sha256::of("TINY\nL9,P,1\nbroken\n"));
  // Nothing of it lies anywhere but in the store.
  CHECK_FALSE(fs::exists(folder.path().parent_path() / "b.tiny"));

  // What was refused is tried again, the rest is known; so is the same file outside.
  CHECK(outcomes(ingest_with(with_pool ? &pool : nullptr, store, folder / "in")) ==
        "n.zip!a/x.tiny already\n"
        "n.zip!../../b.tiny already\n"
        "n.zip!c.tiny.gz already\n"
        "n.zip!d.tiny refused TINY-0002\n"
        "n.zip!inner.tgz!deep/t.tiny already\n"
        "n.zip!readme.txt skipped PIPE-0001\n"
        "n.zip!same.tiny already\n");
  fs::remove(folder / "in/n.zip");
  write(folder / "in/x.tiny", lots(0, 2));
  write(folder / "in/w.zip", test::zip({{"x.tiny", lots(0, 2)}}));
  CHECK(outcomes(ingest_with(with_pool ? &pool : nullptr, store, folder / "in")) ==
        "w.zip!x.tiny already\nw.zip stored\nx.tiny already\n");
  CHECK(outcomes(ingest_with(with_pool ? &pool : nullptr, store, folder / "in")) ==
        "w.zip already\nx.tiny already\n");
}

TEST_CASE("archives: a layout inside one is kept", "[pipeline][archive]") {
  const bool with_pool = GENERATE(false, true);
  const test::TemporaryFolder folder;
  const std::string chip = "TINY\nLAYOUT\n";
  write(folder / "in/n.tar", test::tar({{"chip.gds", chip}}));
  WorkerPool pool(bad_workers());
  auto store = Store::create(real_file_system(), folder / "s").value();
  ingest_with(with_pool ? &pool : nullptr, store, folder / "in");
  const auto blob = store.snapshot()->blob(Sha256::of(chip).hex());
  REQUIRE(blob);
  CHECK((*blob)->bytes().size() == chip.size());
}

TEST_CASE("archives: a member that kills its reader costs that member", "[pipeline][archive]") {
  const test::TemporaryFolder folder;
  write(folder / "in/n.zip", test::zip({{"a.tiny", lots(0, 2)},
                                        {"b.evil", "EVIL\ncrash\n"},
                                        {"c.tiny", lots(3, 5)},
                                        {"d.evil", "EVIL\nconnect\n"},
                                        {"e.tiny", lots(6, 8)}}));
  write(folder / "in/z.tar.zst",
        test::zstd(test::tar({{"in.zip", test::zip({{"b", "EVIL\nabort\n"}, {"f", lots(9, 10)}})},
                              {"g", lots(11, 12)}})));
  WorkerPool pool(bad_workers());
  auto store = Store::create(real_file_system(), folder / "s").value();
  CHECK(outcomes(ingest_with(&pool, store, folder / "in")) ==
        "n.zip!a.tiny stored\n"
        "n.zip!b.evil refused PIPE-0008\n"
        "n.zip!c.tiny stored\n"
        "n.zip!d.evil refused PIPE-0010\n"
        "n.zip!e.tiny stored\n"
        "z.tar.zst!in.zip!b refused PIPE-0008\n"
        "z.tar.zst!in.zip!f stored\n"
        "z.tar.zst!g stored\n");
}

TEST_CASE("archives: too deep, too large and damaged ones say so", "[pipeline][archive][hostile]") {
  const bool with_pool = GENERATE(false, true);
  const test::TemporaryFolder folder;
  const std::string deep =
      test::zip({{"2.zip", test::zip({{"3.zip", test::zip({{"x", "1"}})},
                                      {"y.tiny", lots(1, 2)},
                                      {"z.tiny.gz", test::gzip(lots(1, 2))}})}});
  write(folder / "in/1.zip", deep);
  write(folder / "in/bomb.zip", test::zip({{"b", std::string(64 << 20, '\0')}}));
  const std::string tar = test::tar({{"a.tiny", lots(5, 900)}, {"b.tiny", lots(901, 2000)}});
  write(folder / "in/cut.tar", tar.substr(0, tar.size() - 9000));
  write(folder / "in/empty.zip", test::zip({}));
  WorkerPool pool(bad_workers());
  auto store = Store::create(real_file_system(), folder / "s").value();
  CHECK(outcomes(ingest_with(with_pool ? &pool : nullptr, store, folder / "in")) ==
        "1.zip!2.zip!3.zip refused READ-0006\n"
        "1.zip!2.zip!y.tiny stored\n"
        "1.zip!2.zip!z.tiny.gz refused READ-0006\n"
        "bomb.zip refused READ-0004\n"
        "cut.tar!a.tiny stored\n"
        "cut.tar!b.tiny refused READ-0009\n"
        "cut.tar refused READ-0005\n"
        "empty.zip refused READ-0010\n");
}

TEST_CASE("workers: a program that is none is told, and check uses them too",
          "[pipeline][workers][error]") {
  const test::TemporaryFolder folder;
  write(folder / "in/a.zip", test::zip({{"a.tiny", lots(0, 3)}, {"b.evil", "EVIL\ncrash\n"}}));
  NoProgress progress;
  const auto check = [&](const fs::path& program) {
    WorkerSettings settings = bad_workers();
    settings.program = program;
    WorkerPool pool(settings);
    std::string text;
    for (const auto& report : ingest::check_documents(real_file_system(), test::tiny_registry(),
                                                      folder / "in/a.zip", {}, progress, &pool)) {
      text += std::string(to_word(report.status)) + report.id + " ";
    }
    return text;
  };
  CHECK(check("/bin/false") == "refusedPIPE-0012 ");
  CHECK(check("/none") == "refusedPIPE-0012 ");
  CHECK(check(fs::path(YIELDLOOP_BIN_DIR) / "bad_worker") == "ok refusedPIPE-0008 ok ");
}

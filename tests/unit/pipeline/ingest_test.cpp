#include "ingest/pipeline/ingest.h"

#include <sys/stat.h>

#include <fstream>
#include <set>

#include "catch_portable.h"
#include "ingest/pipeline/check.h"
#include "temporary_folder.h"
#include "tiny_reader.h"

using namespace yieldloop;
using ingest::IngestReport;
using ingest::Outcome;
using store::Store;

namespace {

void write(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

std::string rows_of(const Store& store, const std::string& sql) {
  const auto table = store.snapshot()->query(sql);
  if (!table) return table.error().message;
  std::string text;
  for (std::size_t r = 0; r < table->rows(); ++r) {
    for (std::size_t c = 0; c < table->columns(); ++c) text += table->column(c).to_text(r) + " ";
    text += "\n";
  }
  return text;
}

IngestReport ingest_all(Store& store, const fs::path& folder, unsigned threads = 2) {
  NoProgress progress;
  const auto report =
      ingest::ingest(store, test::tiny_registry(), {folder}, {.threads = threads}, progress);
  if (!report) FAIL(report.error().message);
  return *report;
}

/// Cancels from the start.
class Impatient final : public Progress {
 public:
  void report(std::string_view, std::uint64_t, std::uint64_t) override {}
  bool cancelled() const override { return true; }
};

}  // namespace

TEST_CASE("ingest: every file of a folder gets a named outcome", "[pipeline][ingest]") {
  const test::TemporaryFolder folder;
  const fs::path in = folder / "in";
  write(in / "a.tiny", "TINY\nL1,P,25\nL2,P,24\n");
  write(in / "b/partly.tiny", "TINY\nL3,P,25\nbroken line\n");
  write(in / "b/refused.tiny", "TINY\nL4,P,1\nREFUSE\n");
  write(in / "b/thrown.tiny", "TINY\nL5,P,1\nTHROW\n");
  write(in / "copy.tiny", "TINY\nL1,P,25\nL2,P,24\n");
  write(in / "empty.tiny", "");
  write(in / "truth.json", "{}");
  fs::create_symlink(in / "a.tiny", in / "link.tiny");
  ::mkfifo((in / "pipe.tiny").c_str(), 0600);
  auto store = Store::create(real_file_system(), folder / "s").value();

  const IngestReport report = ingest_all(store, in);

  std::string outcomes;
  for (const auto& file : report.files) {
    outcomes += fs::path(file.read.path).filename().string() + " " +
                std::string(to_word(file.outcome)) + " " + file.read.id + "\n";
  }
  CHECK(outcomes ==
        "a.tiny stored \n"
        "partly.tiny stored \n"
        "refused.tiny refused TINY-0002\n"
        "thrown.tiny refused PIPE-0003\n"
        "copy.tiny already \n"
        "empty.tiny refused READ-0002\n"
        "link.tiny skipped PIPE-0006\n"
        "pipe.tiny skipped PIPE-0006\n"
        "truth.json skipped PIPE-0001\n");
  CHECK(report.rows == 3);
  CHECK(report.any_refused());
  CHECK(rows_of(store, "SELECT lot_id, quantity, source_row FROM lots ORDER BY 1") ==
        "L1 25 2 \nL2 24 3 \nL3 25 2 \n");

  const auto snapshot = store.snapshot().value();
  CHECK(snapshot.number() == 1);
  const auto sources = snapshot.sources().value();
  REQUIRE(sources.size() == 2);
  CHECK(sources[1].status == store::SourceStatus::kPartial);
  CHECK(sources[1].rejects_total == 1);
  const auto rejects = snapshot.rejects(sources[1].digest).value();
  REQUIRE(rejects.size() == 1);
  CHECK(rejects[0].id == "TINY-0001");
  CHECK(rejects[0].line == 3U);
  CHECK(rejects[0].byte_offset == 13);
  CHECK(snapshot.segments()[0].product == "P");
  const auto quarantine = store.quarantine().value();
  REQUIRE(quarantine.size() == 3);
  CHECK(quarantine[0].id == "READ-0002");
  CHECK(quarantine[1].message == "The file says no.");
}

TEST_CASE("ingest: the same files again change nothing", "[pipeline][ingest]") {
  const test::TemporaryFolder folder;
  write(folder / "in/a.tiny", "TINY\nL1,P,25\n");
  write(folder / "in/refused.tiny", "TINY\nREFUSE\n");
  auto store = Store::create(real_file_system(), folder / "s").value();
  CHECK(ingest_all(store, folder / "in").snapshot == 1);

  fs::rename(folder / "in/a.tiny", folder / "in/other_name.tiny");
  const IngestReport again = ingest_all(store, folder / "in");

  CHECK_FALSE(again.snapshot);
  CHECK(again.count(Outcome::kAlready) == 1);
  CHECK(again.rows == 0);
  CHECK(*store.latest_snapshot() == 1);
  CHECK(rows_of(store, "SELECT count(*) FROM lots") == "1 \n");
}

TEST_CASE("ingest: a file leaves the quarantine when it can be read", "[pipeline][ingest]") {
  const test::TemporaryFolder folder;
  write(folder / "in/a.tiny", "TINY\nREFUSE\n");
  auto store = Store::create(real_file_system(), folder / "s").value();
  ingest_all(store, folder / "in");
  REQUIRE(store.quarantine()->size() == 1);
  const Sha256Digest digest = store.quarantine()->front().digest;

  auto tx = store.begin().value();
  tx.add_source({.digest = digest, .name = "a.tiny", .reader = "tiny", .version = "2"});
  REQUIRE(tx.commit("a newer reader"));

  CHECK(store.quarantine()->empty());
  CHECK(ingest_all(store, folder / "in").count(Outcome::kAlready) == 1);
}

TEST_CASE("ingest: rows and their order depend neither on threads nor on groups",
          "[pipeline][ingest]") {
  const test::TemporaryFolder folder;
  for (int f = 0; f < 40; ++f) {
    std::string text = "TINY\n";
    for (int i = 0; i < (f % 7) * 60; ++i) {
      text += "L" + std::to_string(f) + "." + std::to_string(i) + ",P,25\n";
    }
    write(folder / "in" / ("f" + std::to_string(f) + ".tiny"), text);
  }
  std::set<std::string> results;
  for (const unsigned threads : {1U, 2U, 5U}) {
    auto store =
        Store::create(real_file_system(), folder / ("s" + std::to_string(threads))).value();
    NoProgress progress;
    const auto report =
        ingest::ingest(store, test::tiny_registry(), {folder / "in"},
                       {.threads = threads, .commit_rows = 200 * threads}, progress);
    REQUIRE(report);
    CHECK(*report->snapshot > 1);
    results.insert(rows_of(store, "SELECT lot_id, source, source_row FROM lots"));
  }
  CHECK(results.size() == 1);
  CHECK(results.begin()->size() > 1000);
}

TEST_CASE("ingest: layouts are kept as they came", "[pipeline][ingest]") {
  const test::TemporaryFolder folder;
  const std::string content = "TINY\nLAYOUT\n";
  write(folder / "in/chip.gds", content);
  auto store = Store::create(real_file_system(), folder / "s").value();
  ingest_all(store, folder / "in");

  const auto snapshot = store.snapshot().value();
  const auto layouts = snapshot.read("layouts", {"layout"}).value();
  REQUIRE(layouts.rows() == 1);
  const auto blob = snapshot.blob(layouts.column(0).as_text(0));
  REQUIRE(blob);
  CHECK((*blob)->bytes().size() == content.size());
}

TEST_CASE("ingest: a dry run says what would happen and does nothing", "[pipeline][ingest]") {
  const test::TemporaryFolder folder;
  write(folder / "in/a.tiny", "TINY\nL1,P,25\nL2,P,24\n");
  write(folder / "in/copy.tiny", "TINY\nL1,P,25\nL2,P,24\n");
  NoProgress progress;
  const auto readers = test::tiny_registry();

  const auto fresh =
      ingest::dry_run(real_file_system(), nullptr, readers, {folder / "in"}, {}, progress);
  REQUIRE(fresh);
  CHECK(fresh->rows == 2);
  CHECK(fresh->count(Outcome::kStored) == 1);
  CHECK(fresh->count(Outcome::kAlready) == 1);

  auto store = Store::create(real_file_system(), folder / "s").value();
  ingest_all(store, folder / "in");
  const auto known =
      ingest::dry_run(real_file_system(), &store, readers, {folder / "in"}, {}, progress);
  REQUIRE(known);
  CHECK(known->rows == 0);
  CHECK(*store.latest_snapshot() == 1);
}

TEST_CASE("ingest: the store's own files are not ingested", "[pipeline][ingest]") {
  const test::TemporaryFolder folder;
  write(folder / "a.tiny", "TINY\nL1,P,25\n");
  auto store = Store::create(real_file_system(), folder / "s").value();
  const IngestReport report = ingest_all(store, folder.path());
  CHECK(report.files.size() == 1);
}

TEST_CASE("ingest: what it refuses as a whole", "[pipeline][ingest][error]") {
  const test::TemporaryFolder folder;
  auto store = Store::create(real_file_system(), folder / "s").value();
  NoProgress progress;
  const auto readers = test::tiny_registry();
  fs::create_directory(folder / "nothing");

  CHECK(ingest::ingest(store, readers, {folder / "nothing"}, {}, progress).error().id ==
        "PIPE-0005");
  const auto missing = ingest::ingest(store, readers, {folder / "missing"}, {}, progress);
  REQUIRE(missing);
  CHECK(missing->files[0].read.id == "FILE-0001");
  CHECK(missing->any_refused());

  write(folder / "in/a.tiny", "TINY\nL1,P,25\n");
  write(folder / "in/b.txt", "who knows");
  const auto named = ingest::ingest(store, readers, {folder / "in/b.txt"}, {}, progress);
  REQUIRE(named);
  CHECK(named->files[0].outcome == Outcome::kRefused);

  Impatient impatient;
  CHECK(ingest::ingest(store, readers, {folder / "in"}, {}, impatient).error().code ==
        Errc::kCancelled);
  CHECK(rows_of(store, "SELECT count(*) FROM lots") == "0 \n");
}

TEST_CASE("ingest: many rows of one file go through staging files", "[pipeline][ingest]") {
  const test::TemporaryFolder folder;
  std::string text = "TINY\n";
  constexpr int kRows = 600'000;
  for (int i = 0; i < kRows; ++i) text += "L,P,1\n";
  write(folder / "in/big.tiny", text);
  write(folder / "in/zbig.tiny", text + "REFUSE\n");
  auto store = Store::create(real_file_system(), folder / "s").value();

  const IngestReport report = ingest_all(store, folder / "in");

  CHECK(report.rows == kRows);
  CHECK(rows_of(store, "SELECT count(*), sum(quantity)::BIGINT, max(source_row) FROM lots") ==
        "600000 600000 600001 \n");
  CHECK(store.snapshot()->segments().size() == 1);
  CHECK(store.snapshot()->segments()[0].product == "P");
  CHECK(fs::is_empty(folder / "s/staging"));
}

TEST_CASE("check: the document of a good, a partial and a refused file", "[pipeline][check]") {
  const test::TemporaryFolder folder;
  write(folder / "a.tiny", "TINY\nL1,P,25\nbroken\n");
  NoProgress progress;
  const auto readers = test::tiny_registry();
  const std::vector<ingest::CheckReport> reports{
      ingest::check_file(real_file_system(), readers, folder / "a.tiny", {}, progress),
      ingest::check_file(real_file_system(), readers, folder / "none", {}, progress)};

  CHECK(reports[0].status == ingest::FileStatus::kPartial);
  const std::string json = ingest::check_json(reports);
  CHECK_THAT(json, Contains("\"schema\": \"yieldloop.check/1\""));
  CHECK_THAT(json, Contains("\"kind\": \"tiny\"") && Contains("\"status\": \"partial\""));
  CHECK_THAT(json, Contains("\"byte_offset\": 13") && Contains("\"line\": 3"));
  CHECK_THAT(json, Contains("\"rows\": 1") && Contains("\"x_min\": 0.5"));
  CHECK_THAT(json, Contains("\"status\": \"refused\"") && Contains("No such file"));
  CHECK_THAT(json, Contains("\"kind\": null"));
}

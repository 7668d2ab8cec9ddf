// Files as they must not be: each gets one clear sentence and the right exit status, and costs
// nothing that was stored before.

#ifdef YIELDLOOP_HAS_PROGRAM  // A build without Qt has no program to run.

#include <sys/stat.h>
#include <zlib.h>

#include "program.h"

using namespace yieldloop;
using namespace yieldloop::test;

namespace {

void write(const fs::path& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  REQUIRE(file);
}

std::string gzip(std::string_view content) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&stream, content.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// Both ways to read one bad file: `check` says why it is refused, and `ingest` says the same, with
/// the id, and leaves the store as it was but for the quarantine.
void check_refused_file(const fs::path& path, const std::string& id) {
  CAPTURE(path, id);
  const auto checked = check_answer({"check", path.string()}, 1, "yieldloop.check/1");
  REQUIRE(checked.at("files").size() == 1);
  CHECK(checked.at("files")[0].at("status") == "refused");
  check_sentence(checked.at("files")[0].at("message"));

  const TemporaryFolder scratch;
  const fs::path store = SharedFab::get().copy(scratch);
  const StoreState before = state_of(store);
  const auto ingested =
      check_answer({"--store", store.string(), "ingest", path.string()}, 1, "yieldloop.ingest/1");
  REQUIRE(ingested.at("files").size() == 1);
  CHECK(ingested.at("refused") == 1);
  CHECK(ingested.at("stored") == 0);
  CHECK(ingested.at("files")[0].at("outcome") == "refused");
  CHECK(ingested.at("files")[0].at("id") == id);
  check_sentence(ingested.at("files")[0].at("message"));
  const StoreState after = state_of(store);
  CHECK(after.rows == before.rows);
  CHECK(after.whole);
}

}  // namespace

TEST_CASE("bad input: a missing file", "[e2e][bad]") {
  const TemporaryFolder scratch;
  check_refused_file(scratch / "missing.stdf", "FILE-0001");
  check_refused({"critical-area", (scratch / "missing.gds").string(), "--layer", "31/0"}, 3,
                "FILE-0001");
  check_refused(
      {"ingest", "--mapping", (scratch / "missing.toml").string(), scratch.path().string()}, 3,
      "FILE-0001");
  CHECK_FALSE(fs::exists("yieldloop-store"));
}

TEST_CASE("bad input: an empty file and an empty folder", "[e2e][bad]") {
  const TemporaryFolder scratch;
  write(scratch / "empty.klarf", "");
  check_refused_file(scratch / "empty.klarf", "READ-0002");
  fs::create_directory(scratch / "nothing");
  check_refused({"--store", (scratch / "s").string(), "ingest", (scratch / "nothing").string()}, 3,
                "PIPE-0005");
}

TEST_CASE("bad input: a file of another kind, whatever its name says", "[e2e][bad]") {
  const TemporaryFolder scratch;
  write(scratch / "letter.stdf", "Dear tool owner,\nthe lot is on hold.\n");
  check_refused_file(scratch / "letter.stdf", "PIPE-0001");
  write(scratch / "picture.klarf",
        std::string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16) + std::string(500, '\x07'));
  check_refused_file(scratch / "picture.klarf", "PIPE-0001");
  // The right content under a wrong name is read.
  fs::copy_file(SharedFab::get().file("demo28.gds"), scratch / "layout.csv");
  const auto known =
      check_answer({"check", (scratch / "layout.csv").string()}, 0, "yieldloop.check/1");
  CHECK(known.at("files")[0].at("kind") == "gdsii");
}

TEST_CASE("bad input: files cut short, then whole", "[e2e][bad]") {
  const SharedFab& fab = SharedFab::get();
  const TemporaryFolder scratch;
  const fs::path store = fab.copy(scratch);
  fs::create_directories(scratch / "cut");
  std::vector<std::string> check = {"check"};
  const std::vector<fs::path> wholes = {fab.file("demo28.gds"), fab.stdf(2), fab.klarf(2).front(),
                                        fab.file("metrology.csv.gz"), fab.file("product.toml")};
  for (const fs::path& whole : wholes) {
    const std::string content = content_of(whole);
    for (const double share : {0.001, 0.3, 0.77, 0.999}) {
      const auto length = std::max<std::size_t>(
          1, static_cast<std::size_t>(share * static_cast<double>(content.size())));
      const fs::path cut =
          scratch / ("cut/" + std::to_string(length) + "_" + whole.filename().string());
      write(cut, std::string_view(content).substr(0, length));
      check.push_back(cut.string());
    }
  }
  // Cut behind a complete record a file may be fine; it must never end the program.
  const auto checked = check_answer(check, 1, "yieldloop.check/1");
  REQUIRE(checked.at("files").size() == wholes.size() * 4);
  for (const auto& file : checked.at("files")) {
    CAPTURE(file.at("path"));
    if (file.at("status") == "refused") check_sentence(file.at("message"));
    for (const auto& reject : file.at("rejects")) check_sentence(reject.at("message"));
    // Whoever looks must be told: by a reject, a warning or a refusal.
    const std::string path = file.at("path");
    if (path.find(".stdf") != std::string::npos || path.find(".gds") != std::string::npos ||
        path.find(".klarf") != std::string::npos) {
      const bool told = file.at("status") != "ok" || !file.at("warnings").empty();
      CHECK(told);
    }
  }
  const StoreState before = state_of(store);
  check_answer({"--store", store.string(), "ingest", (scratch / "cut").string()}, 1,
               "yieldloop.ingest/1");
  CHECK(state_of(store).whole);
  CHECK(state_of(store).snapshot >= before.snapshot);
  // The whole file is another file: it is stored when it comes.
  const auto whole = check_answer({"--store", store.string(), "ingest", fab.stdf(2).string()}, 0,
                                  "yieldloop.ingest/1");
  CHECK(whole.at("stored") == 1);
}

TEST_CASE("bad input: what cannot be read as a file", "[e2e][bad]") {
  const TemporaryFolder scratch;
  REQUIRE(::mkfifo((scratch / "pipe.stdf").c_str(), 0600) == 0);
  check_refused_file(scratch / "pipe.stdf", "PIPE-0006");
  fs::create_symlink("/nowhere/at/all", scratch / "dangling.gds");
  check_refused_file(scratch / "dangling.gds", "PIPE-0006");
  check_refused_file("/dev/zero", "PIPE-0006");
  const auto folder = check_answer({"check", scratch.path().string()}, 1, "yieldloop.check/1");
  check_sentence(folder.at("files")[0].at("message"));
  check_refused({"critical-area", scratch.path().string(), "--layer", "31/0"}, 3, "FILE-0005");
  if (::geteuid() != 0) {  // Nothing is unreadable to root.
    write(scratch / "secret.csv", "lot_id,product\nA,P\n");
    fs::permissions(scratch / "secret.csv", fs::perms::none);
    check_refused_file(scratch / "secret.csv", "FILE-0004");
  }
}

TEST_CASE("bad input: hostile names stay data", "[e2e][bad]") {
  const TemporaryFolder scratch;
  fs::create_directories(scratch / "in");
  for (const std::string name :
       {"a\nb\x1b[31m.stdf", "c;$(touch owned).csv", "\xff\xfe.klarf", "d\"e'f.gds", "-o"}) {
    write(scratch / "in" / name, "nothing known " + name);
  }
  const Finished text = run_program(
      {"--quiet", "--store", (scratch / "s").string(), "ingest", (scratch / "in").string()});
  CHECK(text.err.empty());
  std::size_t lines = 0;
  for (std::size_t at = 0; at < text.out.size(); at = text.out.find('\n', at) + 1) {
    CHECK(is_plain(text.out.substr(at, text.out.find('\n', at) - at)));
    ++lines;
  }
  CHECK(lines == 6);  // One a file, and the sum.
  check_answer({"--store", (scratch / "s").string(), "ingest", (scratch / "in").string()},
               text.status, "yieldloop.ingest/1");

  const Finished one =
      run_program({"--quiet", "check", (scratch / "in" / "a\nb\x1b[31m.stdf").string()});
  CHECK(one.status == 1);
  CHECK(std::ranges::count(one.out, '\n') == 2);
  CHECK(one.out.find('\x1b') == std::string::npos);
  CHECK_FALSE(fs::exists("owned"));
}

TEST_CASE("bad input: hostile content stays data", "[e2e][bad]") {
  const TemporaryFolder scratch;
  const std::string store = (scratch / "inner" / "s").string();
  fs::create_directories(scratch / "inner");
  write(
      scratch / "product.toml",
      "[product]\nname = \"../../evil\"\ndie_width_um = 1.0\ndie_height_um = 1.0\n[layout]\nfile = "
      "\"../../../../etc/passwd\"\n");
  write(scratch / "lots.csv",
        "lot_id,product\n\xc2\x9b"
        "2Jlot,../../evil\n\"=1+cmd|' /C calc'!A1\",../../evil\n");
  const auto ingested =
      check_answer({"--store", store, "ingest", (scratch / "product.toml").string(),
                    (scratch / "lots.csv").string()},
                   0, "yieldloop.ingest/1");
  CHECK(ingested.at("stored") == 2);
  // Nothing was written beside the store.
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(scratch.path()))
    names.push_back(entry.path().filename());
  std::ranges::sort(names);
  CHECK(names == std::vector<std::string>{"inner", "lots.csv", "product.toml"});
  CHECK(std::distance(fs::directory_iterator(scratch / "inner"), fs::directory_iterator{}) == 1);
  CHECK(state_of(store).whole);

  const Finished shown =
      run_program({"--quiet", "--store", store, "query", "SELECT lot_id FROM lots"});
  CHECK(shown.status == 0);
  CHECK(shown.out.find("\xc2\x9b") == std::string::npos);
  check_answer({"--store", store, "export", "lots", "-o", (scratch / "lots_out.csv").string()}, 0,
               "yieldloop.export/1");
  CHECK_THAT(content_of(scratch / "lots_out.csv"), Contains("'=1+cmd"));
}

TEST_CASE("bad input: one line of ten million characters", "[e2e][bad]") {
  const TemporaryFolder scratch;
  const std::string long_text(10'000'000, 'x');
  write(scratch / "a.txt", long_text);
  write(scratch / "b.csv",
        "lot_id,wafer_id,step_seq,step,tool,started_at,ended_at\n" + long_text + "\n");
  write(scratch / "c.klarf", "FileVersion 1 2;\nFileTimestamp 03-14-26 02:10:00;\nLotID \"" +
                                 long_text + "\";\nEndOfFile;\n");
  write(scratch / "d.toml", "[product]\nname = \"" + long_text + "\"\n");
  write(scratch / "e.csv", "lot_id,product," + long_text + "\nA,P,1\n");
  const auto checked = check_answer(
      {"check", (scratch / "a.txt").string(), (scratch / "b.csv").string(),
       (scratch / "c.klarf").string(), (scratch / "d.toml").string(), (scratch / "e.csv").string()},
      1, "yieldloop.check/1");
  REQUIRE(checked.at("files").size() == 5);
  for (const auto& file : checked.at("files")) {
    CAPTURE(file.at("path"));
    if (file.at("status") == "refused") check_sentence(file.at("message"));
    for (const auto& reject : file.at("rejects")) check_sentence(reject.at("message"));
    for (const auto& warning : file.at("warnings")) CHECK(warning.get<std::string>().size() < 1000);
  }
}

TEST_CASE("bad input: a small file that unpacks without end", "[e2e][bad]") {
  const TemporaryFolder scratch;
  write(scratch / "zeros.gz", gzip(std::string(48 << 20, '\0')));
  CHECK(fs::file_size(scratch / "zeros.gz") < 400'000);
  check_refused_file(scratch / "zeros.gz", "PIPE-0001");  // Told by its first bytes, not unpacked.
  // As a log, and after the first member has begun well.
  write(scratch / "lots.csv.gz", gzip("lot_id,product\n") + gzip(std::string(64 << 20, 'A')));
  check_refused_file(scratch / "lots.csv.gz", "READ-0004");
  std::string damaged = content_of(SharedFab::get().file("metrology.csv.gz"));
  damaged[damaged.size() / 2] = static_cast<char>(~damaged[damaged.size() / 2]);
  write(scratch / "metrology.csv.gz", damaged);
  const auto checked =
      check_answer({"check", (scratch / "metrology.csv.gz").string()}, 1, "yieldloop.check/1");
  CHECK(checked.at("files")[0].at("status") != "ok");
}

TEST_CASE("bad input: deep nesting", "[e2e][bad]") {
  constexpr int kDeep = 60'000;
  const TemporaryFolder scratch;
  std::string records = "Record FileRecord \"1.8\" {\n";
  for (int i = 0; i < kDeep; ++i) records += "Record X \"1\" {\n";
  write(scratch / "deep.klarf", records);
  write(scratch / "deep.toml", "[product]\nname = \"P\"\nx = " + std::string(kDeep, '[') + "\n");
  std::string tables = "[product]\nname = \"P\"\n[a";
  for (int i = 0; i < kDeep; ++i) tables += ".a";
  write(scratch / "tables.toml", tables + "]\n");
  const auto checked =
      check_answer({"check", (scratch / "deep.klarf").string(), (scratch / "deep.toml").string(),
                    (scratch / "tables.toml").string()},
                   1, "yieldloop.check/1");
  REQUIRE(checked.at("files").size() == 3);
  for (const auto& file : checked.at("files")) {
    CHECK(file.at("status") != "ok");
    if (file.at("status") == "refused") check_sentence(file.at("message"));
  }
}

TEST_CASE("bad input: an answer that cannot be written", "[e2e][bad]") {
  const Finished full =
      run_program({"--store", SharedFab::get().store().string(), "query", "SELECT * FROM lots"},
                  {.out = "/dev/full"});
  CHECK(full.status == 4);
  CHECK_THAT(full.err, Contains("No space left") && Contains("(CLIC-0019)"));
}

TEST_CASE("bad input: a file system that is full loses nothing", "[e2e][bad]") {
  // A small file system of the test's own; the machine must let a user make one.
  const TemporaryFolder scratch;
  const std::vector<std::string> own = {"-rm", "--", "/bin/sh", "-c"};
  const auto in_own_world = [&](const std::string& script) {
    auto arguments = own;
    arguments.push_back(script);
    return Child("/usr/bin/unshare", arguments).wait();
  };
  const std::string small = (scratch / "small").string();
  fs::create_directory(small);
  const std::string mount = "mount -t tmpfs -o size=4m tmpfs " + small + " || exit 77\n";
  if (in_own_world(mount).status != 0) {
    WARN("no file system of one's own can be mounted here: not tested");
    return;
  }
  const SharedFab& fab = SharedFab::get();
  const std::string program = YIELDLOOP_BIN_DIR "/yieldloop --store " + small + "/store ";
  const Finished f = in_own_world(
      mount + "cp -r " + fab.store().string() + " " + small + "/store || exit 78\n" +
      // All that is left but 40 kB.
      "free=$(df -k --output=avail " + small + " | tail -1)\n" +
      "head -c $((free * 1024 - 40960)) /dev/zero > " + small + "/ballast\n" + program + "ingest " +
      fab.stdf(2).string() + "; echo full $?\n" + program + "store verify; echo verify $?\n" +
      "rm " + small + "/ballast\n" + program + "ingest " + fab.stdf(2).string() +
      "; echo again $?\n" + program + "store verify; echo verify $?\n");
  CAPTURE(f.out, f.err);
  CHECK_THAT(f.err, Contains("(FILE-0003)"));
  CHECK_THAT(f.out, Contains("full 4\n") && Contains("again 0\n"));
  CHECK(f.out.find("verify 0\n") != f.out.rfind("verify 0\n"));
}

#endif  // YIELDLOOP_HAS_PROGRAM

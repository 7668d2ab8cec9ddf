#include "plugins/host/plugin_host.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "catch_portable.h"
#include "engine/core/sha256.h"

using namespace yieldloop;
using plugins::load_plugins;
namespace fs = std::filesystem;

namespace {

const fs::path kBin = YIELDLOOP_BIN_DIR;
const fs::path kExample = kBin / "plugins" / "ylmap_reader.so";

/// A plugin folder of its own with the modes a careful administrator would give.
class Folder {
 public:
  Folder()
      : path_(fs::temp_directory_path() /
              fmt::format("yieldloop-plugins-{}-{}", getpid(), ++count_)) {
    fs::create_directories(path_);
    chmod(path_.c_str(), 0755);
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }
  fs::path add(const fs::path& library) {
    const fs::path to = path_ / library.filename();
    fs::copy_file(library, to);
    chmod(to.c_str(), 0644);
    return to;
  }
  fs::path add_bad(std::string_view fault) {
    return add(kBin / "bad_plugins" / fmt::format("bad_{}.so", fault));
  }

 private:
  static inline int count_ = 0;
  fs::path path_;
};

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const fs::path& path, std::string_view content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  chmod(path.c_str(), 0644);
}

/// A file in memory.
class TextInput final : public ingest::Input {
 public:
  explicit TextInput(std::string text) : text_(std::move(text)), digest_(Sha256::of(text_)) {}
  const std::string& name() const override { return name_; }
  const Sha256Digest& digest() const override { return digest_; }
  ingest::Bytes head() const override { return std::as_bytes(std::span(text_)); }
  Result<ingest::Bytes> bytes() override { return head(); }
  Result<std::unique_ptr<ingest::ByteSource>> stream() override {
    return Error{Errc::kUnsupported, "TEST-0001", "Not streamed."};
  }

 private:
  std::string name_ = "lot.ylmap";
  std::string text_;
  Sha256Digest digest_;
};

struct Rows final : store::RowSink {
  std::vector<store::Table> batches;
  bool go_on = true;
  bool put(store::Table batch) override {
    batches.push_back(std::move(batch));
    return go_on;
  }
};

constexpr std::string_view kMap =
    "YLMAP 1\n"
    "LOT L001\n"
    "WAFER W01\n"
    "INSERTION CP1\n"
    "ORIGIN -1 5\n"
    "MAP\n"
    ".1A\n"
    "1?2\n"
    "END\n";

std::string refusal(const plugins::PluginSet& set) {
  REQUIRE(set.loaded.empty());
  REQUIRE(set.refused.size() == 1);
  return set.refused.front().error.id;
}

}  // namespace

TEST_CASE("plugin host: loads the example and reads a map with it", "[plugins]") {
  Folder folder;
  folder.add(kExample);

  const auto set = load_plugins({.folder = folder.path()}).value();

  REQUIRE(set.loaded.size() == 1);
  CHECK(set.refused.empty());
  CHECK(set.loaded[0].id == "ylmap");
  CHECK(set.loaded[0].sha256 == Sha256::of(read_file(kExample)).hex());
  const auto& reader = set.readers.at(0);
  CHECK(reader.title == "YLMAP die map");

  TextInput input{std::string(kMap)};
  CHECK(reader.sniff("x", input.head()) == ingest::Confidence::kCertain);
  CHECK(reader.sniff("x.ylmap", {}) == ingest::Confidence::kNo);
  Rows rows;
  ingest::Rejects rejects;
  const auto summary = reader.read(input, {}, rows, rejects).value();

  CHECK(summary.rows == 4);
  CHECK(summary.counts.at("wafers") == 1.0);
  REQUIRE(rows.batches.size() == 1);
  const auto& table = rows.batches[0];
  REQUIRE(table.rows() == 4);
  CHECK(table["lot_id"].as_text(0) == "L001");
  CHECK(table["wafer_id"].as_text(0) == "W01");
  CHECK(table["insertion"].as_text(0) == "CP1");
  CHECK(table["die_x"].as_int(0) == 0);  // The second character of the upper row.
  CHECK(table["die_y"].as_int(0) == 6);
  CHECK(table["hard_bin"].as_int(1) == 10);
  CHECK(table["die_x"].as_int(3) == 1);
  CHECK(table["die_y"].as_int(3) == 5);
  CHECK(table["pass"].is_null(0));  // The product's pass bins decide.
  REQUIRE(rejects.total() == 1);
  CHECK(rejects.kept()[0].id == "YMAP-0002");
  CHECK(rejects.kept()[0].byte_offset == kMap.find('?'));
}

TEST_CASE("plugin host: the example's damaged input", "[plugins][damage]") {
  Folder folder;
  folder.add(kExample);
  const auto set = load_plugins({.folder = folder.path()}).value();
  const auto& reader = set.readers.at(0);
  const auto read = [&](std::string text, std::vector<std::string> ids) {
    TextInput input{std::move(text)};
    Rows rows;
    ingest::Rejects rejects;
    const auto summary = reader.read(input, {}, rows, rejects);
    REQUIRE(summary);
    std::vector<std::string> found;
    for (const auto& r : rejects.kept()) found.push_back(r.id);
    CHECK(found == ids);
    return summary->rows;
  };

  CHECK(read("YLMAP 1\nLOT L\nMAP\n11\nEND\n", {"YMAP-0003"}) == 0);
  CHECK(read("YLMAP 1\nWAFER W\nMAP\n11\n", {"YMAP-0004"}) == 0);
  CHECK(read("YLMAP 1\nWAFER W\nORIGIN x y\nMAP\n11\nEND\n", {"YMAP-0006"}) == 2);
  CHECK(read("YLMAP 1\nnonsense\nWAFER W\nMAP\n11\nEND\n", {"YMAP-0001"}) == 2);
  CHECK(read("YLMAP 1\nWAFER W\nORIGIN 32767 0\nMAP\n11\nEND\n", {"YMAP-0005"}) == 1);
  for (std::size_t cut = 8; cut < kMap.size(); ++cut) {  // No cut crashes; an open map is dropped.
    TextInput input{std::string(kMap.substr(0, cut))};
    Rows rows;
    ingest::Rejects rejects;
    REQUIRE(reader.read(input, {}, rows, rejects));
  }
  TextInput wrong{"something else"};
  Rows rows;
  ingest::Rejects rejects;
  CHECK(reader.read(wrong, {}, rows, rejects).error().id == "PLUG-0012");
}

TEST_CASE("plugin host: a sink that says stop ends the reading", "[plugins]") {
  Folder folder;
  folder.add(kExample);
  const auto set = load_plugins({.folder = folder.path()}).value();
  TextInput input{std::string(kMap)};
  Rows rows;
  rows.go_on = false;
  ingest::Rejects rejects;
  CHECK(set.readers.at(0).read(input, {}, rows, rejects).error().id == "PLUG-0014");
}

TEST_CASE("plugin host: a reader outlives the set it came from", "[plugins]") {
  ingest::ReaderDeclaration reader;
  {
    Folder folder;
    folder.add(kExample);
    reader = load_plugins({.folder = folder.path()}).value().readers.at(0);
  }
  TextInput input{std::string(kMap)};
  CHECK(reader.sniff("x", input.head()) == ingest::Confidence::kCertain);
}

TEST_CASE("plugin host: plugins that go wrong are refused and the program lives",
          "[plugins][damage]") {
  const auto [fault, id] = GENERATE(table<std::string, std::string>({
      {"aborts", "PLUG-0007"},
      {"exits", "PLUG-0007"},
      {"hangs", "PLUG-0007"},
      {"sniff_crashes", "PLUG-0007"},
      {"short_table", "PLUG-0010"},
      {"bad_id", "PLUG-0010"},
      {"no_sniff", "PLUG-0010"},
      {"no_entry", "PLUG-0008"},
      {"other_abi", "PLUG-0009"},
  }));
  CAPTURE(fault);
  Folder folder;
  folder.add_bad(fault);

  CHECK(refusal(
            load_plugins({.folder = folder.path(), .probe_timeout = std::chrono::milliseconds(400)})
                .value()) == id);
}

TEST_CASE("plugin host: one bad plugin does not keep a good one out", "[plugins]") {
  Folder folder;
  folder.add_bad("aborts");
  folder.add(kExample);
  const auto set = load_plugins({.folder = folder.path()}).value();
  CHECK(set.loaded.size() == 1);
  CHECK(set.refused.size() == 1);
}

TEST_CASE("plugin host: an id is given once", "[plugins]") {
  Folder folder;
  folder.add(kExample);
  fs::copy_file(kExample, folder.path() / "zz_again.so");
  chmod((folder.path() / "zz_again.so").c_str(), 0644);
  folder.add_bad("takes_id");

  const auto set = load_plugins({.folder = folder.path()}).value();

  REQUIRE(set.loaded.size() == 1);
  REQUIRE(set.refused.size() == 2);
  CHECK(set.refused[0].error.id == "PLUG-0011");
}

TEST_CASE("plugin host: truncated and foreign libraries are refused", "[plugins][damage]") {
  Folder folder;
  const auto path = folder.add(kExample);
  const auto whole = read_file(path);
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, std::size_t{64}, whole.size() / 4,
                                 whole.size() / 2, whole.size() - 1}) {
    CAPTURE(size);
    write_file(path, std::string_view(whole).substr(0, size));
    CHECK(refusal(load_plugins({.folder = folder.path()}).value()) == "PLUG-0005");
  }
  auto other = whole;
  other[18] = 0x28;  // e_machine: 32-bit ARM.
  write_file(path, other);
  CHECK(refusal(load_plugins({.folder = folder.path()}).value()) == "PLUG-0005");
  write_file(path,
             "#!/bin/sh\necho this is no library, whatever its name says, and it is long enough\n");
  CHECK(refusal(load_plugins({.folder = folder.path()}).value()) == "PLUG-0005");
}

TEST_CASE("plugin host: changed bytes never take the program down", "[plugins][damage]") {
  Folder folder;
  const auto path = folder.add(kExample);
  const auto whole = read_file(path);
  for (std::size_t i = 0; i < 40; ++i) {
    auto text = whole;
    text[(i * 7919 + 16) % 4096 % text.size()] ^= 0x55;
    // A new file each time: the loader keeps libraries by their inode.
    fs::remove(path);
    write_file(path, text);
    const auto set =
        load_plugins({.folder = folder.path(), .probe_timeout = std::chrono::milliseconds(500)});
    REQUIRE(set);
    CHECK(set->loaded.size() + set->refused.size() == 1);
  }
}

TEST_CASE("plugin host: the folder must be safe", "[plugins]") {
  Folder folder;
  folder.add(kExample);
  const auto id = [&] { return load_plugins({.folder = folder.path()}).error().id; };

  CHECK(load_plugins({.folder = folder.path() / "absent"}).error().id == "PLUG-0001");
  chmod(folder.path().c_str(), 0777);
  CHECK(id() == "PLUG-0002");
  chmod(folder.path().c_str(), 0775);
  CHECK(id() == "PLUG-0002");
  chmod(folder.path().c_str(), 0755);
  CHECK(load_plugins({.folder = folder.path()}).value().loaded.size() == 1);
  Folder elsewhere;
  const auto link = elsewhere.path() / "link";
  fs::create_directory_symlink(folder.path(), link);
  CHECK(load_plugins({.folder = link}).error().id == "PLUG-0002");
}

TEST_CASE("plugin host: the file must be safe", "[plugins]") {
  Folder folder;
  const auto path = folder.add(kExample);
  chmod(path.c_str(), 0666);
  CHECK(refusal(load_plugins({.folder = folder.path()}).value()) == "PLUG-0004");
  fs::remove(path);
  fs::create_symlink(kExample, path);
  CHECK(refusal(load_plugins({.folder = folder.path()}).value()) == "PLUG-0004");
}

TEST_CASE("plugin host: a manifest of hashes is obeyed", "[plugins]") {
  Folder folder;
  const auto path = folder.add(kExample);
  const auto manifest = folder.path() / "MANIFEST.sha256";
  const auto hash = Sha256::of(read_file(path)).hex();

  write_file(manifest, hash + "  ylmap_reader.so\n");
  CHECK(load_plugins({.folder = folder.path()}).value().loaded.size() == 1);
  write_file(manifest, std::string(64, '0') + "  ylmap_reader.so\n");
  CHECK(refusal(load_plugins({.folder = folder.path()}).value()) == "PLUG-0006");
  write_file(manifest, hash + "  other.so\n");
  CHECK(refusal(load_plugins({.folder = folder.path()}).value()) == "PLUG-0006");
  write_file(manifest, "nonsense\n");
  CHECK(load_plugins({.folder = folder.path()}).error().id == "PLUG-0003");
}

#include "ingest/readers/input.h"

#include <cstring>
#include <fstream>

#include "catch_portable.h"
#include "engine/core/random.h"
#include "packed_files.h"
#include "temporary_folder.h"

using namespace yieldloop;
using ingest::input_from_memory;
using test::bzip2;
using test::gzip;
using test::zstd;

namespace {

std::string to_text(ingest::Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The whole stream in pieces, or the id of the error.
std::string drain(ingest::Input& input, std::size_t piece) {
  auto source = input.stream();
  REQUIRE(source);
  std::string all;
  std::vector<std::byte> room(piece);
  for (;;) {
    const auto n = (*source)->read(room);
    if (!n) return n.error().id;
    all += to_text(std::span(room).first(*n));
    if (*n < piece) return all;
  }
}

/// The text of a packed file, or the id of the error.
std::string outcome(std::string sent) {
  auto input = input_from_memory("a.gz", std::move(sent));
  if (!input) return input.error().id;
  const auto bytes = (*input)->bytes();
  return bytes ? to_text(*bytes) : bytes.error().id;
}

std::string log_text(std::size_t lines) {
  Random random(5);
  std::string text;
  for (std::size_t i = 0; i < lines; ++i)
    text += "line," + std::to_string(random.below(1'000'000)) + "\n";
  return text;
}

}  // namespace

TEST_CASE("input: plain and packed files read alike, whole or in pieces", "[readers][input]") {
  const std::string text = log_text(GENERATE(as<std::size_t>{}, 1, 20'000));
  const bool packed = GENERATE(false, true);
  const std::string sent = packed ? gzip(text) : text;
  auto input = input_from_memory(packed ? "a.csv.gz" : "a.csv", sent);

  REQUIRE(input);
  CHECK((*input)->name() == "a.csv");
  CHECK((*input)->digest() == Sha256::of(sent));
  CHECK(to_text((*input)->head()) == text.substr(0, 65'536));
  CHECK(to_text((*input)->bytes().value()) == text);
  CHECK(drain(**input, 1000) == text);
  CHECK(drain(**input, 1 << 20) == text);
}

TEST_CASE("input: a file is mapped and keeps its own name", "[readers][input]") {
  const test::TemporaryFolder folder;
  std::ofstream(folder / "x.klarf", std::ios::binary) << "FileVersion 1 2;";
  auto input = ingest::open_input(real_file_system(), folder / "x.klarf");
  REQUIRE(input);
  CHECK((*input)->name() == "x.klarf");
  CHECK(to_text((*input)->bytes().value()) == "FileVersion 1 2;");
}

TEST_CASE("input: gzip of several members and zero padding", "[readers][input]") {
  const std::string sent = gzip("one ") + gzip("two ") + gzip("three") + std::string(512, '\0');
  auto input = input_from_memory("a.gz", sent);
  REQUIRE(input);
  CHECK(to_text((*input)->bytes().value()) == "one two three");
  CHECK(drain(**input, 5) == "one two three");
}

TEST_CASE("input: two levels of packing, not three", "[readers][input]") {
  auto input = input_from_memory("a.gz.bz2", bzip2(gzip("deep")));
  REQUIRE(input);
  CHECK((*input)->name() == "a");
  CHECK((*input)->packings() == 2);
  CHECK(to_text((*input)->bytes().value()) == "deep");
  CHECK(drain(**input, 3) == "deep");
  CHECK(input_from_memory("a", zstd(bzip2(gzip("deeper")))).error().id == "READ-0006");
}

TEST_CASE("input: bzip2 and zstd read like gzip, by their content", "[readers][input]") {
  const std::string text = log_text(30'000);
  const bool bz = GENERATE(false, true);
  const std::string half = text.substr(0, text.size() / 2);
  const std::string rest = text.substr(half.size());
  const auto pack = [&](std::string_view t) { return bz ? bzip2(t) : zstd(t); };
  const std::string sent =
      GENERATE(false, true) ? pack(text) : pack(half) + pack(rest) + std::string(100, '\0');
  auto input = input_from_memory(bz ? "a.csv.bz2" : "a.csv.zst", sent);
  REQUIRE(input);
  CHECK((*input)->name() == "a.csv");
  CHECK(to_text((*input)->bytes().value()) == text);
  CHECK(drain(**input, 777) == text);
  CHECK((*input)->digest() == Sha256::of(sent));
  CHECK(outcome(sent.substr(0, sent.size() / 2)) == "READ-0003");
  CHECK(outcome(sent + "words") == "READ-0003");
  CHECK(outcome(pack(std::string(300 << 20, 'x'))) == "READ-0004");
}

TEST_CASE("input: nothing to read", "[readers][input][error]") {
  CHECK(input_from_memory("a", "").error().id == "READ-0002");
  CHECK(input_from_memory("a.gz", gzip("")).error().id == "READ-0002");
  CHECK(ingest::open_input(real_file_system(), "/nowhere/at/all").error().id == "FILE-0001");
  CHECK(ingest::open_input(real_file_system(), "/tmp").error().code == Errc::kUnsupported);
}

TEST_CASE("input: damaged packing is told, at every length and bit", "[readers][input][damage]") {
  const std::string text = log_text(50);
  const std::string sent = gzip(text);
  for (std::size_t length = 3; length < sent.size(); ++length) {
    CHECK(outcome(sent.substr(0, length)) == "READ-0003");
  }
  std::size_t silent = 0;
  for (std::size_t bit = 10 * 8; bit < sent.size() * 8; ++bit) {
    std::string damaged = sent;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    // A bit that pads the last byte of the data may be anything; the text is the same.
    const std::string result = outcome(damaged);
    silent += result != "READ-0003" && result != text;
  }
  CHECK(silent == 0);
  CHECK(outcome(sent + "trailing words") == "READ-0003");
}

TEST_CASE("input: a bomb is refused before it fills the memory", "[readers][input][hostile]") {
  const std::string sent = gzip(std::string(64u << 20, '\0'));
  CHECK(sent.size() < 100'000);
  auto input = input_from_memory("bomb.gz", sent);
  REQUIRE(input);
  CHECK((*input)->bytes().error().id == "READ-0004");
  CHECK(drain(**input, 1 << 20) == "READ-0004");

  // A size that lies is not believed either way.
  std::string lying = gzip(log_text(1000));
  std::memset(lying.data() + lying.size() - 4, 0xFF, 4);
  CHECK(outcome(lying) == "READ-0003");

  auto small = input_from_memory("a.gz", gzip(log_text(1000)), {.bytes = 5000});
  CHECK(small.error().id == "READ-0004");
}

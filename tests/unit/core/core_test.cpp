#include <algorithm>
#include <concepts>
#include <numeric>

#include "catch_portable.h"
#include "engine/core/fab_data.h"
#include "engine/core/file_system.h"
#include "engine/core/quantity.h"
#include "engine/core/random.h"
#include "engine/core/sha256.h"
#include "engine/core/text.h"
#include "temporary_folder.h"

using namespace yieldloop;

template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};

// What must not compile, stated where it can be read.
static_assert(Addable<Nm, Nm> && !Addable<Nm, Um> && !Addable<Nm, std::int64_t>);
static_assert(!std::convertible_to<Nm, Um> && !std::convertible_to<std::int64_t, Nm>);
static_assert(!std::equality_comparable_with<WaferId, LotId>);
static_assert(!std::convertible_to<std::uint32_t, WaferId>);

TEST_CASE("quantity: nanometres become micrometres exactly", "[core][quantity]") {
  CHECK(to_um(Nm{1'500}) == Um{1.5});
  CHECK(to_um(Nm{300'000'000}) == Um{300'000.0});
}

TEST_CASE("sha256: the FIPS 180-4 example", "[core][sha256]") {
  CHECK(Sha256::of("abc").hex() ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 pieces;
  pieces.update(std::as_bytes(std::span("ab", 2)));
  pieces.update(std::as_bytes(std::span("c", 1)));
  CHECK(pieces.finish() == Sha256::of("abc"));
  CHECK(Sha256::of("abc").short_id() == 0x5d3c0b5fc780e7f5);
}

TEST_CASE("random: a seed fixes the stream and forks are apart", "[core][random]") {
  Random a(7), b(7);
  for (int i = 0; i < 100; ++i) CHECK(a.bits() == b.bits());
  CHECK(Random(7).fork(1).bits() != Random(7).fork(2).bits());
  CHECK(Random(7).fork(1).bits() == Random(7).fork(1).bits());
}

TEST_CASE("random: moments of the distributions", "[core][random]") {
  Random random(11);
  constexpr int kDraws = 200'000;
  double normal = 0, square = 0, gamma = 0, exponential = 0, poisson = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double z = random.normal();
    normal += z;
    square += z * z;
    gamma += random.gamma(0.7, 3.0);
    exponential += random.exponential(2.0);
    poisson += static_cast<double>(random.poisson(4.5));
  }
  // Five standard errors of each mean.
  CHECK_THAT(normal / kDraws, WithinAbs(0.0, 0.0112));
  CHECK_THAT(square / kDraws, WithinAbs(1.0, 0.0159));
  CHECK_THAT(gamma / kDraws, WithinAbs(2.1, 0.0281));
  CHECK_THAT(exponential / kDraws, WithinAbs(2.0, 0.0224));
  CHECK_THAT(poisson / kDraws, WithinAbs(4.5, 0.0238));
}

TEST_CASE("random: shuffling keeps every element", "[core][random]") {
  std::vector<int> cards(52);
  std::iota(cards.begin(), cards.end(), 0);
  auto shuffled = cards;
  Random(3).shuffle(shuffled);
  CHECK(shuffled != cards);
  std::ranges::sort(shuffled);
  CHECK(shuffled == cards);
}

TEST_CASE("text: numbers are whole or nothing", "[core][text]") {
  CHECK(parse_int("+42") == 42);
  CHECK_FALSE(parse_int("42 "));
  CHECK_FALSE(parse_int("4.2"));
  CHECK(parse_real("1.11e+010") == 1.11e10);
  for (const char* text : {"", "nan", "inf", "1e999", "1,5", "0x10"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_real(text));
  }
}

TEST_CASE("text: globs", "[core][text]") {
  CHECK(matches_glob("WIP_MOVES_07.txt", "WIP_MOVES_*.txt"));
  CHECK(matches_glob("abc", "a?c"));
  CHECK(matches_glob("aXbXc", "a*b*c"));
  CHECK_FALSE(matches_glob("abd", "a?c"));
  CHECK_FALSE(matches_glob("WIP.csv", "*.txt"));
}

TEST_CASE("text: what comes from data cannot become markup, lines or bad UTF-8", "[core][text]") {
  CHECK(escape_markup("<a href=\"x\">&'") == "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  CHECK(escape_controls("a\nb\x1b[31m\"") == "a\\nb\\x1b[31m\\\"");
  CHECK(one_line("a\nb\x1b[31m\"\xc2\x9b"
                 "c\xff\xc2\xb5\x7f") == "a\\nb\\x1b[31m\"\\x9bc\xef\xbf\xbd\xc2\xb5\\x7f");
  CHECK(one_line("ends in \xc2") == "ends in \xef\xbf\xbd");
  CHECK(to_valid_utf8("A\xff"
                      "B") ==
        "A\xef\xbf\xbd"
        "B");
  CHECK(to_valid_utf8("\xe5\x8d\x98") == "\xe5\x8d\x98");
  CHECK(to_valid_utf8("\xed\xa0\x80") == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_CASE("names: the empty text is id 0 and ids are stable", "[core][names]") {
  NameTable names;
  CHECK(names.intern("") == NameId{0});
  const NameId etch = names.intern("M1_ETCH");
  CHECK(names.intern("M1_ETCH") == etch);
  CHECK(names.find("M1_ETCH") == etch);
  CHECK(names.find("M2_ETCH") == NameId{0});
  CHECK(names[etch] == "M1_ETCH");
}

TEST_CASE("files: atomic writing replaces and leaves nothing behind", "[core][files]") {
  const test::TemporaryFolder scratch;
  FileSystem& files = real_file_system();
  REQUIRE(write_file_atomically(files, scratch / "a.txt", "first"));
  REQUIRE(write_file_atomically(files, scratch / "a.txt", "second"));
  CHECK(read_text_file(files, scratch / "a.txt").value() == "second");
  CHECK(files.list(scratch.path())->size() == 1);
}

TEST_CASE("files: what cannot be read says why", "[core][files][error]") {
  const test::TemporaryFolder scratch;
  FileSystem& files = real_file_system();
  CHECK(read_text_file(files, scratch / "none").error().id == "FILE-0001");
  CHECK(read_text_file(files, scratch.path()).error().id == "FILE-0005");
  CHECK(files.create(scratch / "no" / "such" / "folder").error().code == Errc::kNotFound);
  REQUIRE(write_file_atomically(files, scratch / "empty", ""));
  CHECK(read_text_file(files, scratch / "empty").value().empty());
}

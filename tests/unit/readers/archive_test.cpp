#include "ingest/readers/archive.h"

#include <algorithm>

#include "catch_portable.h"
#include "engine/core/random.h"
#include "packed_files.h"

using namespace yieldloop;
using Catch::Matchers::EndsWith;
using Catch::Matchers::Equals;
using ingest::Archive;
using ingest::UnpackLimits;
using test::Members;

namespace {

/// "name=content;" for each member, "name!ID;" for one that cannot be had, and the walk's error.
std::string walked(std::string name, std::string sent, const UnpackLimits& limits = {}) {
  auto input = ingest::input_from_memory(std::move(name), std::move(sent), limits);
  if (!input) return input.error().id;
  if (ingest::archive_of((*input)->head()) == Archive::kNone) return "no archive";
  std::string all;
  const auto status = ingest::walk_archive(
      **input, limits, [&](const ingest::Member& member, Result<std::string> content) -> Status {
        all += member.name + (member.regular ? "" : " (no file)");
        all += content ? "=" + *content : "!" + content.error().id;
        all += ';';
        return Ok{};
      });
  return status ? all : all + status.error().id;
}

const Members kMembers{{"lot/", ""},
                       {"lot/a.csv", "one"},
                       {"../../etc/passwd", "two"},
                       {"/abs/\xC3\xA9.klarf", "three"},
                       {"empty", ""}};
const std::string kContent = "lot/a.csv=one;../../etc/passwd=two;/abs/\xC3\xA9.klarf=three;empty=;";

}  // namespace

TEST_CASE("archive: members of zip and tar, packed or not, in their order", "[readers][archive]") {
  CHECK(walked("a.zip", test::zip(kMembers)) == kContent);
  const std::string tar = test::tar(kMembers);
  CHECK(walked("a.tar", tar) == kContent);
  CHECK(walked("a.tgz", test::gzip(tar)) == kContent);
  CHECK(walked("a.tar.bz2", test::bzip2(tar)) == kContent);
  CHECK(walked("whatever the name", test::zstd(tar)) == kContent);
  CHECK(walked("plain", "just text, and some more of it") == "no archive");
}

TEST_CASE("archive: a compressed tar is one wrapper", "[readers][archive]") {
  const auto wrappers = [](std::string sent) {
    const auto input = ingest::input_from_memory("a", std::move(sent)).value();
    return ingest::wrappers_of(*input, ingest::archive_of(input->head()));
  };
  const std::string tar = test::tar(kMembers);
  CHECK(wrappers("text") == 0);
  CHECK(wrappers(test::gzip("text")) == 1);
  CHECK(wrappers(tar) == 1);
  CHECK(wrappers(test::gzip(tar)) == 1);
  CHECK(wrappers(test::zstd(test::gzip(tar))) == 2);
  CHECK(wrappers(test::zip(kMembers)) == 1);
  CHECK(wrappers(test::gzip(test::zip(kMembers))) == 2);
}

TEST_CASE("archive: links are named, not followed", "[readers][archive][hostile]") {
  CHECK(walked("a.tar", test::tar({{"x -> /etc/passwd", ""}, {"y", "1"}})) == "x (no file)=;y=1;");
}

TEST_CASE("archive: bombs of size, ratio and number are refused", "[readers][archive][hostile]") {
  const Members zeros{{"small", "fine"}, {"big", std::string(64 << 20, '\0')}};
  CHECK(walked("a.zip", test::zip(zeros)) == "small=fine;READ-0004");
  CHECK(walked("a.tgz", test::gzip(test::tar(zeros))) == "small=fine;READ-0004");
  // Many members that are harmless one by one.
  Members many;
  for (int i = 0; i < 40; ++i) many.emplace_back(std::to_string(i), std::string(1 << 20, 'x'));
  CHECK_THAT(walked("a.zip", test::zip(many)), EndsWith("READ-0004"));
  CHECK(walked("a.zip", test::zip(kMembers), {.members = 2}) ==
        "lot/a.csv=one;../../etc/passwd=two;READ-0007");
  CHECK(walked("a.zip", test::zip(kMembers), {.bytes = 5}) == "lot/a.csv=one;READ-0004");
  CHECK(walked("a.zip", test::zip({})) == "READ-0010");
}

TEST_CASE("archive: damage anywhere gives an answer, and whole members stay whole",
          "[readers][archive][damage]") {
  Random random(3);
  std::string text;
  for (int i = 0; i < 400; ++i) text += std::to_string(random.below(1'000'000)) + ",";
  const Members members{{"a", text}, {"b", text}, {"c", text}};
  const bool zip = GENERATE(true, false);
  const std::string sent = zip ? test::zip(members) : test::gzip(test::tar(members));
  const std::string clean = walked("x", sent);
  for (std::size_t n = 0; n < 200; ++n) {
    const std::string cut = walked("x", sent.substr(0, sent.size() * n / 200));
    CHECK(cut != clean);
    CHECK_THAT(cut, Contains("READ-00") || Equals("no archive"));
  }
  std::size_t silent = 0;
  for (int n = 0; n < 2000; ++n) {
    std::string damaged = sent;
    const auto at = random.below(damaged.size());
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random.below(8)));
    const std::string result = walked("x", damaged);
    // Contents are covered by checksums; names and times in a zip are not.
    const bool told = result.find("READ-") != std::string::npos || result == "no archive" ||
                      result.find("(no file)") != std::string::npos;
    const bool contents_same =
        std::count(result.begin(), result.end(), ';') == 3 && result.size() == clean.size();
    if (!told && !contents_same) UNSCOPED_INFO(at << ": " << result.substr(0, 300));
    silent += !told && !contents_same;
  }
  CHECK(silent == 0);
}

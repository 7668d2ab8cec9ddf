// Real files cut and corrupted: an answer every time, and no count that is wrong without a word.
#include <map>

#include "catch_portable.h"
#include "engine/core/file_system.h"
#include "engine/core/random.h"
#include "ingest/readers/klarf/klarf_reader.h"
#include "reader_fixture.h"

using namespace yieldloop;

namespace {

const ingest::ReaderDeclaration kKlarf = ingest::klarf::klarf_reader();

std::string sample(const std::string& name) {
  return read_text_file(real_file_system(),
                        fs::path(YIELDLOOP_SOURCE_DIR) / "sample_data" / "klarf" / name)
      .value();
}

bool same_counts(const test::Reading& a, const test::Reading& b) {
  for (const char* key : {"lots", "wafers", "defects", "tests", "plan_die", "classes", "images"}) {
    if (a.count(key) != b.count(key)) return false;
  }
  return true;
}

/// Whether something is told that is not told of the clean file.
bool tells_more(const test::Reading& r, const test::Reading& clean) {
  std::map<std::string, int> ids;
  for (const auto& reject : r.rejects.kept()) ++ids[reject.id];
  for (const auto& reject : clean.rejects.kept()) --ids[reject.id];
  for (const auto& [id, more] : ids) {
    if (more > 0) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("klarf: a cut or corrupted file never has a wrong count without a reject",
          "[klarf][damage]") {
  const auto name = GENERATE(as<std::string>{}, "CPS3TwithoutReview.001", "simple12.klarf",
                             "simple18.klarf", "klarfWithImagelist.klarf");
  const std::string whole = sample(name);
  const auto clean = test::read_text(kKlarf, "a", whole);
  REQUIRE(clean.ok());
  const auto check = [&](const std::string& text, std::size_t at, const char* what) {
    const auto r = test::read_text(kKlarf, "a", text);
    CHECK_FALSE(r.sink.ragged);
    if (!r.ok()) return;
    CHECK(r.summary->rows == r.sink.rows());
    if (same_counts(r, clean)) return;
    if (tells_more(r, clean)) return;
    CAPTURE(name, what, at, whole.substr(at < 40 ? 0 : at - 40, 80),
            text.substr(at < 40 ? 0 : at - 40, 80));
    CHECK(tells_more(r, clean));
  };
  for (std::size_t i = 1; i < 200; ++i) {
    const std::size_t at = whole.size() * i / 200;
    check(whole.substr(0, at), at, "cut");
  }
  // The large file is slow to read 2,000 times.
  const int corruptions = whole.size() > 20'000 ? 500 : 2'000;
  Random random(11);
  for (int i = 0; i < corruptions; ++i) {
    std::string text = whole;
    const auto at = static_cast<std::size_t>(random.uniform() * static_cast<double>(whole.size()));
    text[at] = static_cast<char>(static_cast<int>(random.uniform() * 256.0));
    check(text, at, "corrupted");
  }
}

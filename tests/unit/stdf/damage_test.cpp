// A real wafer, damaged on purpose: an answer every time, and no count of records that is wrong
// without a word.
#include "catch_portable.h"
#include "ingest/readers/input.h"
#include "ingest/readers/stdf/stdf_reader.h"
#include "reader_fixture.h"
#include "stdf_bytes.h"

using namespace yieldloop;

namespace {

class NullSink final : public store::RowSink {
 public:
  bool put(store::Table) override { return true; }
};

struct Answer {
  Result<ingest::ReadSummary> summary = ingest::ReadSummary{};
  std::size_t rejects = 0;
};

Answer answer(std::string bytes) {
  test::MemoryInput input("a.stdf", std::move(bytes));
  NullSink sink;
  ingest::Rejects rejects;
  Answer a;
  a.summary = ingest::stdf::stdf_reader().read(input, {}, sink, rejects);
  a.rejects = rejects.total();
  return a;
}

/// Of records, parts and bins; what the numbers in them say is nobody's to check, nor whether a
/// bad part had a verdict.
bool same_counts(const ingest::ReadSummary& a, const ingest::ReadSummary& b) {
  for (const char* count : {"wafers", "parts_pass", "ptr", "mpr_values", "parts_without_prr"}) {
    if (a.counts.at(count) != b.counts.at(count)) return false;
  }
  return a.grouped_counts == b.grouped_counts;
}

/// Every summary a tester writes, over 40 parts of 4 sites.
std::string lot_with_summaries() {
  test::StdfBytes s;
  s.mir("LOT").sdr("C").wir("W1");
  for (int i = 0; i < 10; ++i) {
    for (unsigned site = 0; site < 4; ++site) s.pir(site);
    for (unsigned t = 0; t < 5; ++t) {
      for (unsigned site = 0; site < 4; ++site) {
        s.ptr_full(100 + t, static_cast<float>(i), "test " + std::to_string(t), -1, 20, site);
      }
    }
    for (unsigned site = 0; site < 4; ++site) {
      s.prr(site == 3 ? 8 : 0, site == 3 ? 5 : 1, i, static_cast<int>(site), site);
    }
  }
  s.wrr("W1", 1, 40, 30);
  for (unsigned t = 0; t < 5; ++t) {
    s.add(10, 30, s.body().u1(255).u1(0).c1('P').u4(100 + t).u4(40).u4(0).u4(0).cn("t"));
  }
  for (const unsigned sub : {40U, 50U}) {
    s.add(1, sub, s.body().u1(255).u1(0).u2(1).u4(30).c1('P').cn("GOOD"));
    s.add(1, sub, s.body().u1(255).u1(0).u2(5).u4(10).c1('F').cn("BAD"));
  }
  s.add(1, 30, s.body().u1(255).u1(0).u4(40).u4(0).u4(0).u4(30).u4(0));
  return s.mrr().bytes();
}

/// A number of its own for every call, the same every time.
class Draw {
 public:
  std::size_t operator()(std::size_t below) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>(state_ >> 33U) % below;
  }

 private:
  std::uint64_t state_ = 2024;
};

/// Changes a file by `damage` many times; counts the answers that are wrong without a word.
template <class Damage>
int silent(const std::string& whole, int times, Damage damage) {
  const Answer clean = answer(whole);
  REQUIRE(clean.summary);
  Draw draw;
  int wrong = 0;
  for (int i = 0; i < times; ++i) {
    const Answer a = answer(damage(whole, i, draw));
    if (!a.summary || a.rejects > clean.rejects) continue;
    wrong += same_counts(*a.summary, *clean.summary) ? 0 : 1;
  }
  return wrong;
}

std::string flip(std::string whole, int, Draw& draw) {
  const std::size_t at = draw(whole.size());
  whole[at] = static_cast<char>(draw(256));
  return whole;
}

/// A record's length times a hundred.
std::string stretch(std::string whole, int, Draw& draw) {
  std::vector<std::size_t> records;
  const bool big = whole[0] == 0;
  const auto byte = [&whole](std::size_t i) { return static_cast<unsigned char>(whole[i]); };
  const auto length = [&](std::size_t at) {
    return big ? byte(at) << 8U | byte(at + 1) : byte(at + 1) << 8U | byte(at);
  };
  for (std::size_t at = 0; at + 4 <= whole.size(); at += 4U + static_cast<unsigned>(length(at))) {
    records.push_back(at);
  }
  const std::size_t at = records[1 + draw(records.size() - 1)];
  const auto longer = std::min(65'535U, static_cast<unsigned>(length(at)) * 100U);
  whole[at] = static_cast<char>(big ? longer >> 8U : longer & 0xffU);
  whole[at + 1] = static_cast<char>(big ? longer & 0xffU : longer >> 8U);
  return whole;
}

std::string wafer() {
  const auto path = fs::path(YIELDLOOP_SOURCE_DIR) / "sample_data" / "stdf" / "lot2.stdf.gz";
  auto input = ingest::open_input(real_file_system(), path).value();
  const auto bytes = input->bytes().value();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("stdf damage: the summaries of a lot agree with its parts", "[stdf][damage]") {
  const Answer clean = answer(lot_with_summaries());
  CHECK(clean.rejects == 0);
  CHECK(clean.summary->warnings.empty());
}

TEST_CASE("stdf damage: single bytes", "[stdf][damage]") {
  CHECK(silent(lot_with_summaries(), 2000, flip) == 0);
}

TEST_CASE("stdf damage: lengths times a hundred", "[stdf][damage]") {
  CHECK(silent(lot_with_summaries(), 300, stretch) == 0);
}

TEST_CASE("stdf damage: cut anywhere", "[stdf][damage]") {
  const std::string whole = lot_with_summaries();
  int silently = 0;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const Answer a = answer(whole.substr(0, n));
    silently += a.summary && a.rejects == 0 ? 1 : 0;
  }
  CHECK(silently == 0);
}

TEST_CASE("stdf damage: the other byte order", "[stdf][damage]") {
  std::string whole = lot_with_summaries();
  std::swap(whole[0], whole[1]);
  const Answer a = answer(whole);
  CHECK((!a.summary || a.rejects > 0));
}

TEST_CASE("stdf damage: a real wafer", "[stdf][damage][samples]") {
  const std::string whole = wafer();
  CHECK(silent(whole, 200, [&](const std::string& all, int i, Draw&) {
          return all.substr(0, all.size() * static_cast<std::size_t>(i) / 200);
        }) == 0);
  CHECK(silent(whole, 150, flip) == 0);
  CHECK(silent(whole, 50, stretch) == 0);
}

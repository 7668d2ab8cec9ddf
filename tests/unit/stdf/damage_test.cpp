// A real wafer, damaged on purpose: an answer every time, and no count of records that is wrong
// without a word.
#include <array>
#include <cmath>

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

constexpr unsigned kTests = 8;

/// 40 parts of 4 sites, whose TSR tell the extremes and the sum of every test and whose PRR count
/// their results; `tsr` false: without the TSR.
std::string lot_with_values(bool tsr = true, unsigned parts_of_a_site = 10) {
  test::StdfBytes s;
  s.mir("LOT").sdr("C").wir("W1");
  const unsigned parts = 4 * parts_of_a_site;
  std::array<float, kTests> sum{};
  const auto value = [&](unsigned part, unsigned t) {
    return static_cast<float>(1 + part % 7) * static_cast<float>(t + 1);
  };
  for (unsigned i = 0; i < parts_of_a_site; ++i) {
    for (unsigned site = 0; site < 4; ++site) s.pir(site);
    for (unsigned t = 0; t < kTests; ++t) {
      for (unsigned site = 0; site < 4; ++site) {
        sum[t] += value(4 * i + site, t);
        s.ptr_full(100 + t, value(4 * i + site, t), "test " + std::to_string(t), -1, 99, site);
      }
    }
    for (unsigned site = 0; site < 4; ++site) {
      s.prr(0, 1, static_cast<int>(i), static_cast<int>(site), site, 1, kTests);
    }
  }
  s.wrr("W1", 1, parts, parts);
  for (unsigned t = 0; tsr && t < kTests; ++t) {
    const float unit = static_cast<float>(t + 1);
    s.add(10, 30,
          s.body()
              .u1(255)
              .u1(0)
              .c1('P')
              .u4(100 + t)
              .u4(parts)
              .u4(0)
              .u4(0)
              .cn("t")
              .cn("")
              .cn("")
              .u1(0xc8)
              .r4(0)
              .r4(unit)
              .r4(7 * unit)
              .r4(sum[t])
              .r4(0));
  }
  return s.mrr().bytes();
}

/// What the numbers of the results come to, but for what adding in single precision loses.
bool same_values(const ingest::ReadSummary& a, const ingest::ReadSummary& b) {
  const auto differ = [&](const char* count) { return a.counts.at(count) != b.counts.at(count); };
  if (differ("tests") || differ("ptr") || differ("ptr_valid")) return false;
  return std::abs(a.counts.at("ptr_sum") - b.counts.at("ptr_sum")) < 0.05;
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
int silent(const std::string& whole, int times, Damage damage,
           bool (*same)(const ingest::ReadSummary&, const ingest::ReadSummary&) = same_counts) {
  const Answer clean = answer(whole);
  REQUIRE(clean.summary);
  Draw draw;
  int wrong = 0;
  for (int i = 0; i < times; ++i) {
    const Answer a = answer(damage(whole, i, draw));
    if (!a.summary || a.rejects > clean.rejects) continue;
    wrong += same(*a.summary, *clean.summary) ? 0 : 1;
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

TEST_CASE("stdf damage: tests, values and their sum do not change without a word",
          "[stdf][damage]") {
  const Answer clean = answer(lot_with_values());
  CHECK(clean.rejects == 0);
  CHECK(clean.summary->warnings.empty());
  CHECK(silent(lot_with_values(), 3000, flip, same_values) == 0);
}

TEST_CASE("stdf damage: a test number is missed by its place where there is no TSR",
          "[stdf][damage]") {
  const std::string whole = lot_with_values(false);
  CHECK(answer(whole).rejects == 0);
  std::size_t seen = 0;
  std::size_t records = 0;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(whole[i]); };
  for (std::size_t at = 0; at < whole.size(); at += 4U + byte(at)) {
    if (byte(at + 2) != 15) continue;
    // Neither the first nor the last touchdown: before and behind it the order is known.
    if (++records <= 4 * kTests || records > 36 * kTests) continue;
    std::string damaged = whole;
    damaged[at + 5] = 9;  // TEST_NUM
    seen += answer(damaged).rejects > 0 ? 1U : 0U;
  }
  CHECK(seen == 32 * kTests);
}

TEST_CASE("stdf damage: a flag or a value that hardly any other result has", "[stdf][damage]") {
  const std::string whole = lot_with_values(false, 40);
  CHECK(answer(whole).rejects == 0);
  std::size_t at = 0;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(whole[i]); };
  for (int ptr = 0; ptr < 500; at += 4U + byte(at)) ptr += byte(at + 2) == 15 ? 1 : 0;
  while (byte(at + 2) != 15) at += 4U + byte(at);
  std::string invalid = whole;
  invalid[at + 4 + 6] = 0x02;
  CHECK(answer(invalid).rejects == 1);
  std::string infinite = whole;
  infinite[at + 4 + 10] = static_cast<char>(0x80);
  infinite[at + 4 + 11] = 0x7f;
  CHECK(answer(infinite).rejects == 1);
}

TEST_CASE("stdf damage: a PRR that counts other results than its neighbours' habit is",
          "[stdf][damage]") {
  std::string bytes = lot_with_values(false);
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  std::size_t at = 0;
  while (byte(at + 2) != 5 || byte(at + 3) != 20) at += 4U + byte(at);
  bytes[at + 4 + 3] = kTests + 1;  // NUM_TEST
  CHECK(answer(bytes).rejects == 1);
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

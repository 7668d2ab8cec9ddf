#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <set>

#include "catch_portable.h"
#include "fab_folder.h"

using namespace yieldloop;

namespace {

using Code = std::pair<int, int>;

/// Reads fields of one record in order; little-endian.
struct Fields {
  std::string body;
  std::size_t at = 0;

  template <class T>
  T take() {
    T value{};
    if (at + sizeof(T) > body.size()) throw std::runtime_error("record too short");
    std::memcpy(&value, body.data() + at, sizeof(T));
    at += sizeof(T);
    return value;
  }
  unsigned u1() { return take<std::uint8_t>(); }
  unsigned u2() { return take<std::uint16_t>(); }
  std::uint32_t u4() { return take<std::uint32_t>(); }
  int i2() { return take<std::int16_t>(); }
  float r4() { return take<float>(); }
  std::string cn() {
    const unsigned size = u1();
    if (at + size > body.size()) throw std::runtime_error("text too long");
    std::string text = body.substr(at, size);
    at += size;
    return text;
  }
  bool done() const { return at == body.size(); }
};

struct Tally {
  std::map<Code, std::size_t> records;
  std::map<unsigned, std::uint32_t> parts, good, retests;             // by site
  std::map<std::pair<unsigned, unsigned>, std::uint32_t> hard, soft;  // by site, bin
  std::map<std::pair<unsigned, std::uint32_t>, std::uint32_t> executed, failed;
  std::map<std::string, std::map<std::pair<int, int>, unsigned>> final_bin;  // by wafer, die
  std::set<unsigned> open_sites;
  std::string wafer;
  std::size_t broken = 0;  // expectations of single records that did not hold
  void expect(bool holds) {
    if (!holds) ++broken;
  }
};

void read_test(Fields f, bool parametric, Tally& t) {
  const std::uint32_t number = f.u4();
  f.u1();
  const unsigned site = f.u1();
  t.expect(t.open_sites.contains(site));
  const bool failed = (f.u1() & 0x80) != 0;
  ++t.executed[{site, number}];
  if (failed) ++t.failed[{site, number}];
  if (!parametric) {
    if (f.done()) return;
    f.u1();
    for (int i = 0; i < 6; ++i) f.u4();
    f.i2();
    for (int i = 0; i < 3; ++i) t.expect(f.u2() == 0);
    for (int i = 0; i < 3; ++i) f.cn();
    t.expect(!f.cn().empty());
    return t.expect(f.done());
  }
  const unsigned flags = f.u1();
  f.r4();
  t.expect(((flags & 0x18) != 0) == failed);
  if (f.done()) return;
  t.expect(!f.cn().empty());
  t.expect(f.cn().empty());
  t.expect(f.u1() == 0x0e);
  f.u1(), f.u1(), f.u1();
  const float low = f.r4();
  t.expect(low < f.r4());
  t.expect(!f.cn().empty());
  f.cn();
  t.expect(f.done());
}

void read_part(Fields f, Tally& t) {
  f.u1();
  const unsigned site = f.u1();
  t.expect(t.open_sites.erase(site) == 1);
  const unsigned flag = f.u1();
  const unsigned tests = f.u2();
  const unsigned hard = f.u2();
  const unsigned soft = f.u2();
  const int x = f.i2();
  const std::pair die{x, f.i2()};
  f.u4();
  t.expect(!f.cn().empty());
  t.expect(f.done());
  t.expect((tests >= 1 && tests <= 8));
  t.expect(((flag & 0x08) == 0) == (hard == 1));
  t.expect((hard == 1) == (soft == 1));
  auto& bins = t.final_bin[t.wafer];
  t.expect(bins.contains(die) == ((flag & 0x02) != 0));
  bins[die] = hard;
  ++t.parts[site];
  if (hard == 1) ++t.good[site];
  if ((flag & 0x02) != 0) ++t.retests[site];
  ++t.hard[{site, hard}];
  ++t.soft[{site, soft}];
}

/// Sums over sites when head is 255.
template <class Map, class Key>
std::uint32_t declared(const Map& map, unsigned head, unsigned site, Key key) {
  std::uint32_t sum = 0;
  for (const auto& [k, count] : map) {
    if (k.second == key && (head == 255 || k.first == site)) sum += count;
  }
  return sum;
}

std::uint32_t declared(const std::map<unsigned, std::uint32_t>& map, unsigned head, unsigned site) {
  std::uint32_t sum = 0;
  for (const auto& [k, count] : map) sum += head == 255 || k == site ? count : 0;
  return sum;
}

void read_summary(Code code, Fields f, Tally& t) {
  const unsigned head = f.u1();
  const unsigned site = f.u1();
  if (code == Code{1, 30}) {
    CHECK(f.u4() == declared(t.parts, head, site));
    CHECK(f.u4() == declared(t.retests, head, site));
    CHECK(f.u4() == 0);
    CHECK(f.u4() == declared(t.good, head, site));
    CHECK(f.u4() == declared(t.good, head, site));
  } else if (code == Code{10, 30}) {
    f.u1();
    const std::uint32_t number = f.u4();
    CHECK(f.u4() == declared(t.executed, head, site, number));
    CHECK(f.u4() == declared(t.failed, head, site, number));
    f.u4();
    f.cn();
  } else {
    const unsigned bin = f.u2();
    CHECK(f.u4() == declared(code.second == 40 ? t.hard : t.soft, head, site, bin));
    CHECK(f.u1() == (bin == 1 ? 'P' : 'F'));
    f.cn();
  }
  CHECK(f.done());
}

Tally read(const std::string& bytes) {
  Tally t;
  std::size_t at = 0;
  Code last{};
  while (at < bytes.size()) {
    if (at + 4 > bytes.size()) FAIL("a header runs past the end at " << at);
    Fields head{bytes.substr(at, 4)};
    const unsigned length = head.u2();
    const int type = static_cast<int>(head.u1());
    const Code code{type, static_cast<int>(head.u1())};
    if (at + 4 + length > bytes.size()) FAIL("a record runs past the end at " << at);
    Fields f{bytes.substr(at + 4, length)};
    at += 4 + length;
    ++t.records[code];
    last = code;
    if (code == Code{2, 10}) {
      f.u1(), f.u1(), f.u4();
      t.wafer = f.cn();
    } else if (code == Code{5, 10}) {
      f.u1();
      t.expect(t.open_sites.insert(f.u1()).second);
    } else if (code == Code{5, 20}) {
      read_part(f, t);
    } else if (code == Code{15, 10} || code == Code{15, 20}) {
      read_test(f, code.second == 10, t);
    } else if (code == Code{1, 30} || code == Code{1, 40} || code == Code{1, 50} ||
               code == Code{10, 30}) {
      read_summary(code, f, t);
    }
  }
  CHECK(last == Code{1, 20});
  return t;
}

}  // namespace

TEST_CASE("stdf: records are whole and every count agrees with the parts", "[simulator][stdf]") {
  const auto& folder = test::fab("probe_site");
  const auto names = folder.names("stdf");
  REQUIRE(names.size() == 12);
  std::size_t good = 0;
  std::size_t die = 0;
  std::uint32_t retests = 0;
  for (const auto& name : names) {
    CAPTURE(name);
    const std::string& bytes = folder.files.at(name);
    CHECK(bytes.substr(0, 6) == std::string("\x02\x00\x00\x0a\x02\x04", 6));
    Tally t = read(bytes);
    CHECK(t.records[{0, 10}] == 1);
    CHECK(t.records[{1, 10}] == 1);
    CHECK(t.records[{1, 70}] == 1);
    CHECK(t.records[{1, 80}] == 1);
    CHECK(t.records[{2, 30}] == 1);
    CHECK(t.records[{2, 10}] == 25);
    CHECK(t.records[{2, 20}] == 25);
    CHECK(t.records[{5, 10}] == t.records[{5, 20}]);
    CHECK(t.records[{1, 30}] == 5);
    CHECK(t.broken == 0);
    CHECK(t.open_sites.empty());
    CHECK(t.final_bin.size() == 25);
    CHECK(t.parts.size() == 4);
    for (const auto& [wafer, bins] : t.final_bin) {
      die += bins.size();
      good +=
          static_cast<std::size_t>(std::ranges::count(bins, 1U, [](auto& b) { return b.second; }));
    }
    for (const auto& [site, count] : t.retests) retests += count;
  }
  CHECK(die == folder.summary.die_tested);
  CHECK(good == folder.summary.die_good);
  CHECK(retests > 1'000);
}

TEST_CASE("stdf: the planted site of the planted card fails more at first touch",
          "[simulator][stdf]") {
  const auto& folder = test::fab("probe_site");
  const auto& subject = folder.truth["cause"]["subject"];
  const unsigned bad_site = subject["site"].get<unsigned>();
  const std::string card = subject["probe_card"];
  for (const auto& name : folder.names("stdf")) {
    const std::string& bytes = folder.files.at(name);
    Tally t = read(bytes);
    const bool planted = bytes.find(card) != std::string::npos;
    double other = 0;
    for (unsigned site = 0; site < 4; ++site) {
      if (site != bad_site) other += t.soft[{site, 30}] / 3.0;
    }
    const double ratio = t.soft[{bad_site, 30}] / std::max(1.0, other);
    CAPTURE(name, planted, other);
    if (planted) {
      CHECK(ratio > 5.0);
    } else {
      CHECK(ratio < 3.0);
    }
  }
}

#include "engine/simulator/stdf_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "engine/simulator/byte_writer.h"

namespace yieldloop::simulator {
namespace {

constexpr std::uint8_t kHead = 1;
constexpr std::uint8_t kSiteGroup = 1;
constexpr std::uint8_t kAllHeads = 255;
constexpr std::size_t kParametric = kParametricTests.size();
constexpr std::size_t kTests = kParametric + kFunctionalTests.size();

/// One record; the length is filled in when it is appended.
class Record {
 public:
  Record(std::uint8_t type, std::uint8_t subtype) : type_(type), subtype_(subtype) {}

  Record& u1(unsigned value) { return put(static_cast<std::uint8_t>(value)); }
  Record& u2(unsigned value) { return put(static_cast<std::uint16_t>(value)); }
  Record& u4(std::uint64_t value) { return put(static_cast<std::uint32_t>(value)); }
  Record& i1(int value) { return put(static_cast<std::uint8_t>(value)); }
  Record& i2(int value) { return put(static_cast<std::uint16_t>(value)); }
  Record& r4(float value) { return put(std::bit_cast<std::uint32_t>(value)); }
  Record& c1(char value) { return put(static_cast<std::uint8_t>(value)); }
  Record& cn(std::string_view text) {
    put(static_cast<std::uint8_t>(text.size()));
    body_ += text;
    return *this;
  }

  void append_to(std::string& out) const {
    append_little_endian(out, static_cast<std::uint16_t>(body_.size()));
    out.push_back(static_cast<char>(type_));
    out.push_back(static_cast<char>(subtype_));
    out += body_;
  }

 private:
  template <class Unsigned>
  Record& put(Unsigned value) {
    append_little_endian(body_, value);
    return *this;
  }
  std::uint8_t type_;
  std::uint8_t subtype_;
  std::string body_;
};

std::uint64_t seconds(UtcMicros time) {
  return static_cast<std::uint64_t>(time.count / kMicrosPerSecond);
}

const char* hard_bin_name(int bin) {
  static constexpr std::array<const char*, 6> kNames{"",     "PASS",       "SHORT",
                                                     "OPEN", "PARAMETRIC", "FUNCTIONAL"};
  return kNames[static_cast<std::size_t>(bin)];
}

std::string soft_bin_name(int bin) {
  switch (bin) {
    case 1: return "PASS";
    case 20: return "IDDQ_HIGH";
    case 30: return "CONTINUITY";
    case 31: return "CHAIN_OPEN";
    case 40: return "RO_SLOW";
    default: return kFunctionalTests[static_cast<std::size_t>(bin - 50)].name;
  }
}

/// Position of the test at which a die stops; kTests when it passes all.
std::size_t failing_test(const TestedPart& part) {
  switch (part.fail) {
    case FailKind::kNone: return kTests;
    case FailKind::kContact: return 0;
    case FailKind::kShort: return 1;
    case FailKind::kOpen: return 2;
    case FailKind::kParametric: return 3;
    case FailKind::kFunctional: return kParametric + static_cast<std::size_t>(part.block);
  }
  return kTests;
}

void write_bin(std::string& out, std::uint8_t subtype, int head, int site, int bin,
               std::uint32_t count, std::string_view name) {
  Record(1, subtype)
      .u1(static_cast<unsigned>(head))
      .u1(static_cast<unsigned>(site))
      .u2(static_cast<unsigned>(bin))
      .u4(count)
      .c1(bin == 1 ? 'P' : 'F')
      .cn(name)
      .append_to(out);
}

}  // namespace

void StdfWriter::PartCounts::count(const TestedPart& part) {
  ++parts;
  retested += part.retest ? 1 : 0;
  good += part.fail == FailKind::kNone ? 1 : 0;
}

void StdfWriter::SiteCounts::add(const SiteCounts& other) {
  parts.parts += other.parts.parts;
  parts.retested += other.parts.retested;
  parts.good += other.parts.good;
  for (const auto& [bin, count] : other.hard_bins) hard_bins[bin] += count;
  for (const auto& [bin, count] : other.soft_bins) soft_bins[bin] += count;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    tests[i].executed += other.tests[i].executed;
    tests[i].failed += other.tests[i].failed;
  }
}

StdfWriter::StdfWriter(const World& world, std::size_t lot)
    : world_(world), lot_(world.fab.lots[lot]) {
  static_assert(kTests == 8);
  write_head();
}

void StdfWriter::write_head() {
  const LotRun& sort = lot_.runs.back();
  Record(0, 10).u1(2).u1(4).append_to(bytes_);  // FAR: little-endian, version 4
  Record mir(1, 10);
  mir.u4(seconds(after_minutes(sort.started, -15.0))).u4(seconds(sort.started)).u1(1);
  mir.c1('P').c1(' ').c1(' ').u2(65535).c1(' ');
  mir.cn(lot_.id).cn(kProductName).cn(lot_.tester).cn("VT4").cn("DEMO28_WS1").cn("C");
  mir.cn("").cn(sort.person).cn("VTOS").cn("4.2").cn(kInsertion).cn("25").cn("").cn("").cn("");
  mir.cn("DEMO").cn("").cn("VFAB").cn("SORT").cn("").cn("").cn("").cn("").cn(kInsertion);
  mir.append_to(bytes_);
  Record(1, 70).u2(2).u2(3).u2(4).append_to(bytes_);  // RDR: bins 3 and 4 are tested again
  Record sdr(1, 80);
  sdr.u1(kHead).u1(kSiteGroup).u1(kSites);
  for (int site = 0; site < kSites; ++site) sdr.u1(static_cast<unsigned>(site));
  sdr.cn("PROBER").cn(lot_.prober).cn("CANTILEVER").cn(lot_.probe_card).append_to(bytes_);
  Record(2, 30)  // WCR
      .r4(static_cast<float>(kWaferDiameterMm))
      .r4(static_cast<float>(world_.product.die_height_um / 1000.0))
      .r4(static_cast<float>(world_.product.die_width_um / 1000.0))
      .u1(3)
      .c1('D')
      .i2(0)
      .i2(0)
      .c1('R')
      .c1('U')
      .append_to(bytes_);
}

void StdfWriter::add_wafer(std::size_t wafer_index, const WaferTest& test) {
  const SimWafer& wafer = world_.fab.wafers[wafer_index];
  const Visit& visit = wafer.visits.back();
  Record(2, 10).u1(kHead).u1(kSiteGroup).u4(seconds(visit.started)).cn(wafer.id).append_to(bytes_);
  PartCounts counts;
  for (const Touchdown& touchdown : test.touchdowns) {
    for (const TestedPart& part : touchdown) counts.count(part);
    write_touchdown(touchdown);
  }
  Record(2, 20)
      .u1(kHead)
      .u1(kSiteGroup)
      .u4(seconds(visit.ended))
      .u4(counts.parts)
      .u4(counts.retested)
      .u4(0)
      .u4(counts.good)
      .u4(counts.good)
      .cn(wafer.id)
      .append_to(bytes_);
  finished_ = std::max(finished_, visit.ended);
}

void StdfWriter::write_touchdown(const Touchdown& touchdown) {
  for (const TestedPart& part : touchdown) {
    Record(5, 10).u1(kHead).u1(static_cast<unsigned>(part.site)).append_to(bytes_);
  }
  for (std::size_t test = 0; test < kTests; ++test) {
    for (const TestedPart& part : touchdown) {
      if (test <= failing_test(part)) write_test(test, part);
    }
  }
  for (const TestedPart& part : touchdown) write_part(part);
}

void StdfWriter::write_test(std::size_t test, const TestedPart& part) {
  const bool failed = test == failing_test(part);
  TestCounts& counts = sites_[static_cast<std::size_t>(part.site)].tests[test];
  ++counts.executed;
  counts.failed += failed ? 1 : 0;
  const bool first = !std::exchange(described_[test], true);
  const unsigned flag = failed ? 0x80 : 0;
  const auto site = static_cast<unsigned>(part.site);
  if (test >= kParametric) {
    const FunctionalTest& spec = kFunctionalTests[test - kParametric];
    Record ftr(15, 20);
    ftr.u4(spec.number).u1(kHead).u1(site).u1(flag);
    if (first) {
      ftr.u1(0xff).u4(0).u4(0).u4(0).u4(0).u4(0).u4(0).i2(0);  // no cycle or address data
      ftr.u2(0).u2(0).u2(0);                                   // RTN_ICNT, PGM_ICNT, empty FAIL_PIN
      ftr.cn("").cn("").cn("").cn(spec.name);
    }
    return ftr.append_to(bytes_);
  }
  const ParametricTest& spec = kParametricTests[test];
  const float value = part.values[test];
  const unsigned direction = !failed ? 0 : value > spec.high ? 0x08 : 0x10;
  Record ptr(15, 10);
  ptr.u4(spec.number).u1(kHead).u1(site).u1(flag).u1(0xc0 | direction).r4(value);
  if (first) {
    ptr.cn(spec.name).cn("").u1(0x0e);  // no specification limits
    ptr.i1(0).i1(0).i1(0).r4(spec.low).r4(spec.high).cn(spec.units).cn("%9.4g");
  }
  ptr.append_to(bytes_);
}

void StdfWriter::write_part(const TestedPart& part) {
  SiteCounts& counts = sites_[static_cast<std::size_t>(part.site)];
  const int hard = hard_bin(part.fail);
  const int soft = soft_bin(part);
  counts.parts.count(part);
  ++counts.hard_bins[hard];
  ++counts.soft_bins[soft];
  const GridDie& die = world_.grid[part.die];
  const std::size_t executed = std::min(kTests, failing_test(part) + 1);
  const unsigned flag = (part.retest ? 0x02U : 0U) | (part.fail == FailKind::kNone ? 0U : 0x08U);
  Record(5, 20)
      .u1(kHead)
      .u1(static_cast<unsigned>(part.site))
      .u1(flag)
      .u2(static_cast<unsigned>(executed))
      .u2(static_cast<unsigned>(hard))
      .u2(static_cast<unsigned>(soft))
      .i2(die.x)
      .i2(die.y)
      .u4(60 + 45 * executed)
      .cn(fmt::format("{}", next_part_++))
      .append_to(bytes_);
}

void StdfWriter::write_counts(const SiteCounts& counts, int head, int site) {
  const auto h = static_cast<unsigned>(head);
  const auto s = static_cast<unsigned>(site);
  for (std::size_t test = 0; test < kTests; ++test) {
    const bool parametric = test < kParametric;
    const std::uint32_t number =
        parametric ? kParametricTests[test].number : kFunctionalTests[test - kParametric].number;
    const char* name =
        parametric ? kParametricTests[test].name : kFunctionalTests[test - kParametric].name;
    Record(10, 30)
        .u1(h)
        .u1(s)
        .c1(parametric ? 'P' : 'F')
        .u4(number)
        .u4(counts.tests[test].executed)
        .u4(counts.tests[test].failed)
        .u4(0)
        .cn(name)
        .append_to(bytes_);
  }
  for (const auto& [bin, count] : counts.hard_bins) {
    write_bin(bytes_, 40, head, site, bin, count, hard_bin_name(bin));
  }
  for (const auto& [bin, count] : counts.soft_bins) {
    write_bin(bytes_, 50, head, site, bin, count, soft_bin_name(bin));
  }
  Record(1, 30)
      .u1(h)
      .u1(s)
      .u4(counts.parts.parts)
      .u4(counts.parts.retested)
      .u4(0)
      .u4(counts.parts.good)
      .u4(counts.parts.good)
      .append_to(bytes_);
}

std::string StdfWriter::finish() {
  SiteCounts all;
  for (const SiteCounts& site : sites_) all.add(site);
  for (int site = 0; site < kSites; ++site) {
    write_counts(sites_[static_cast<std::size_t>(site)], kHead, site);
  }
  write_counts(all, kAllHeads, 0);
  Record(1, 20).u4(seconds(finished_)).c1(' ').append_to(bytes_);
  return std::move(bytes_);
}

}  // namespace yieldloop::simulator

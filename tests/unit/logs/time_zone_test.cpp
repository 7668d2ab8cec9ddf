#include "ingest/readers/logs/time_zone.h"

#include "catch_portable.h"

using namespace yieldloop;
using ingest::TimeZone;

namespace {

UtcMicros at(std::string_view text) { return parse_iso8601(text).value(); }

void put(std::string& out, std::int64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 255);
}

/// One version block: transitions at `times`, alternating between the offsets.
std::string block(std::vector<std::int64_t> times, std::vector<int> offsets, int time_size) {
  std::string out = "TZif2";
  out.append(15, '\0');
  put(out, 0, 4);
  put(out, 0, 4);
  put(out, 0, 4);
  put(out, static_cast<std::int64_t>(times.size()), 4);
  put(out, static_cast<std::int64_t>(offsets.size()), 4);
  put(out, 4, 4);
  for (const auto t : times) put(out, t, time_size);
  for (std::size_t i = 0; i < times.size(); ++i)
    put(out, static_cast<std::int64_t>((i + 1) % offsets.size()), 1);
  for (const int offset : offsets) {
    put(out, offset, 4);
    put(out, 0, 2);
  }
  return out + std::string("AAA\0", 4);
}

std::string tzif(std::vector<std::int64_t> times, std::vector<int> offsets, std::string rule) {
  return block({}, {0}, 4) + block(std::move(times), std::move(offsets), 8) + "\n" + rule + "\n";
}

}  // namespace

TEST_CASE("time zone: without a name it is UTC", "[logs][time_zone]") {
  CHECK(TimeZone().to_utc(at("2026-03-14T02:10:00")) == at("2026-03-14T02:10:00"));
  CHECK_FALSE(TimeZone().to_utc(UtcMicros{}).known());
}

TEST_CASE("time zone: a fixed offset comes from the rule alone", "[logs][time_zone]") {
  const auto tokyo = TimeZone::parse("Asia/Tokyo", tzif({}, {9 * 3600}, "JST-9"));
  REQUIRE(tokyo);
  CHECK(tokyo->to_utc(at("2026-03-14T02:10:00")) == at("2026-03-13T17:10:00"));
  CHECK(tokyo->to_utc(at("1960-01-01T00:00:00.5")) == at("1959-12-31T15:00:00.5"));
}

TEST_CASE("time zone: a rule moves the clocks on its days", "[logs][time_zone]") {
  // US Eastern 2026: forward on 8 March, back on 1 November, both at 02:00.
  const auto zone = TimeZone::parse("X", tzif({}, {-5 * 3600}, "EST5EDT,M3.2.0,M11.1.0"));
  REQUIRE(zone);
  CHECK(zone->to_utc(at("2026-03-08T01:59:59")) == at("2026-03-08T06:59:59"));
  CHECK(zone->to_utc(at("2026-03-08T03:00:00")) == at("2026-03-08T07:00:00"));
  CHECK(zone->to_utc(at("2026-03-08T02:30:00")) == at("2026-03-08T07:30:00"));  // In the gap.
  CHECK(zone->to_utc(at("2026-11-01T01:30:00")) == at("2026-11-01T05:30:00"));  // First of two.
  CHECK(zone->to_utc(at("2026-11-01T02:00:00")) == at("2026-11-01T07:00:00"));
}

TEST_CASE("time zone: southern summers cross the new year", "[logs][time_zone]") {
  const auto zone = TimeZone::parse("X", tzif({}, {10 * 3600}, "AEST-10AEDT,M10.1.0,M4.1.0/3"));
  REQUIRE(zone);
  CHECK(zone->to_utc(at("2026-01-01T00:00:00")) == at("2025-12-31T13:00:00"));
  CHECK(zone->to_utc(at("2026-07-01T00:00:00")) == at("2026-06-30T14:00:00"));
}

TEST_CASE("time zone: day-of-year rules count leap days as POSIX says", "[logs][time_zone]") {
  // J60 is always 1 March; a plain 60 is 1 March in leap years and 2 March otherwise.
  const auto julian = TimeZone::parse("X", tzif({}, {0}, "AAA0BBB,J60/0,J300/0"));
  const auto plain = TimeZone::parse("X", tzif({}, {0}, "<-03>3<-02>,60/0,300/0"));
  REQUIRE((julian && plain));
  CHECK(julian->to_utc(at("2028-02-29T23:59:59")) == at("2028-02-29T23:59:59"));
  CHECK(julian->to_utc(at("2028-03-01T12:00:00")) == at("2028-03-01T11:00:00"));
  CHECK(julian->to_utc(at("2027-03-01T12:00:00")) == at("2027-03-01T11:00:00"));
  CHECK(plain->to_utc(at("2028-03-01T12:00:00")) == at("2028-03-01T14:00:00"));
  CHECK(plain->to_utc(at("2027-03-01T12:00:00")) == at("2027-03-01T15:00:00"));
}

TEST_CASE("time zone: transitions of the table come before the rule", "[logs][time_zone]") {
  const std::int64_t when = at("2020-06-01T00:00:00").count / kMicrosPerSecond;
  const auto zone = TimeZone::parse("X", tzif({when}, {3600, 7200}, "AAA-2"));
  REQUIRE(zone);
  CHECK(zone->to_utc(at("2020-05-31T12:00:00")) == at("2020-05-31T11:00:00"));
  CHECK(zone->to_utc(at("2020-06-01T12:00:00")) == at("2020-06-01T10:00:00"));
}

TEST_CASE("time zone: what it refuses", "[logs][time_zone][error]") {
  auto& files = real_file_system();
  CHECK(TimeZone::load(files, "Mars/Olympus").error().id == "MAPP-0002");
  CHECK(TimeZone::load(files, "../../etc/passwd").error().id == "MAPP-0002");
  CHECK(TimeZone::load(files, "/etc/passwd").error().id == "MAPP-0002");
  CHECK(TimeZone::load(files, "").error().id == "MAPP-0002");
  const std::string whole = tzif({1, 2}, {0, 3600}, "AAA0");
  for (std::size_t n = 0; n + 6 < whole.size(); ++n) {
    const auto cut = TimeZone::parse("X", whole.substr(0, n));
    REQUIRE_FALSE(cut);
    CHECK(cut.error().id == "MAPP-0007");
  }
}

TEST_CASE("time zone: the machine's database", "[logs][time_zone]") {
  const auto tokyo = TimeZone::load(real_file_system(), "Asia/Tokyo");
  if (!tokyo) return;  // A machine without tzdata; the parser is tested above.
  CHECK(tokyo->to_utc(at("2026-03-14T02:10:00")) == at("2026-03-13T17:10:00"));
  const auto berlin = TimeZone::load(real_file_system(), "Europe/Berlin");
  REQUIRE(berlin);
  CHECK(berlin->to_utc(at("2026-07-01T12:00:00")) == at("2026-07-01T10:00:00"));
  CHECK(berlin->to_utc(at("2055-07-01T12:00:00")) == at("2055-07-01T10:00:00"));
  CHECK(berlin->to_utc(at("2055-01-01T12:00:00")) == at("2055-01-01T11:00:00"));
}

#include "engine/core/time.h"

#include "catch_portable.h"

using namespace yieldloop;

TEST_CASE("time: ISO 8601 in its usual forms is one instant", "[core][time]") {
  // 2026-03-14T02:10:00Z is 1773454200 s after the epoch (date -u -d ... +%s).
  const UtcMicros expected{1'773'454'200'000'000};
  CHECK(parse_iso8601("2026-03-14T02:10:00Z") == expected);
  CHECK(parse_iso8601("2026-03-14 02:10:00") == expected);
  CHECK(parse_iso8601("2026-03-14T02:10Z") == expected);
  CHECK(parse_iso8601("2026-03-14T11:10:00+09:00") == expected);
  CHECK(parse_iso8601("2026-03-13T21:10:00-0500") == expected);
  CHECK(parse_iso8601("2026-03-14T11:10:00", 540) == expected);
  CHECK(parse_iso8601("20260314T02:10:00Z") == expected);
  CHECK(parse_iso8601("2026-03-14T02:10:00.250Z")->count == expected.count + 250'000);
}

TEST_CASE("time: texts that are no instants are refused", "[core][time][error]") {
  for (const char* text : {"", "2026-02-30", "2026-13-01", "2026-03-14T25:00:00", "14/03/2026",
                           "2026-03-14T02:10:00Zx", "2026-03-14T02:10:00+99:00", "NaN"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_iso8601(text));
  }
}

TEST_CASE("time: what is written is read back", "[core][time]") {
  for (const std::int64_t count :
       {INT64_C(0), INT64_C(-1), INT64_C(1'773'454'200'000'000), INT64_C(951'782'400'123'456)}) {
    CHECK(parse_iso8601(to_iso8601({count})) == UtcMicros{count});
  }
  CHECK(to_iso8601({}) == "");
}

TEST_CASE("time: a site's own format", "[core][time]") {
  CHECK(parse_time("2026/03/14 02:10:00", "%Y/%m/%d %H:%M:%S") ==
        parse_iso8601("2026-03-14T02:10:00Z"));
  CHECK(parse_time("14-MAR-2026 02:10:00 PM", "%d-%b-%Y %I:%M:%S %p") ==
        parse_iso8601("2026-03-14T14:10:00Z"));
  CHECK(parse_time("03-14-26 12:00:00 AM", "%m-%d-%y %I:%M:%S %p") ==
        parse_iso8601("2026-03-14T00:00:00Z"));
  CHECK_FALSE(parse_time("2026/03/14", "%Y/%m/%d %H:%M:%S"));
}

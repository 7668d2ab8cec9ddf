#include "gui/charts/number_format.h"

#include <cmath>
#include <limits>

#include "catch_portable.h"

using namespace yieldloop::charts;

TEST_CASE("number format: counts are grouped", "[charts][format]") {
  CHECK(format_count(0) == "0");
  CHECK(format_count(999) == "999");
  CHECK(format_count(1'234'567) == "1,234,567");
  CHECK(format_count(-1'000) == "\u22121,000");
  CHECK(format_count(std::numeric_limits<std::int64_t>::min()) ==
        "\u22129,223,372,036,854,775,808");
}

TEST_CASE("number format: significant digits without trailing zeros", "[charts][format]") {
  CHECK(format_number(0) == "0");
  CHECK(format_number(-24.44) == "\u221224.4");
  CHECK(format_number(0.05) == "0.05");
  CHECK(format_number(12'345.6) == "12,346");
  CHECK(format_number(1.2e-7) == "1.2e\u22127");
  CHECK(format_number(3e9) == "3e9");
  CHECK(format_number(std::nan("")) == "n/a");
  CHECK(format_number(-INFINITY) == "\u2212\u221e");
}

TEST_CASE("number format: nearly all is not 100 %", "[charts][format]") {
  CHECK(format_percent(0.9132) == "91.3 %");
  CHECK(format_percent(1) == "100.0 %");
  CHECK(format_percent(0) == "0.0 %");
  CHECK(format_percent(0.99995) == "99.995 %");
  CHECK(format_percent(0.00004) == "0.004 %");
  CHECK(format_percent(std::nan("")) == "n/a");
}

TEST_CASE("number format: probabilities carry their name", "[charts][format]") {
  CHECK(format_probability("q", 0.0123) == "q = 0.012");
  CHECK(format_probability("q", 1e-19) == "q < 1e\u221212");
}

TEST_CASE("number format: ticks are round and cover the range", "[charts][format]") {
  const auto ticks = nice_ticks(0, 103, 5);
  REQUIRE(ticks.size() == 6);
  CHECK(ticks[1] == Tick{20, "20"});
  CHECK(ticks.back().value == 100);
  CHECK(nice_ticks(0.84, 0.94, 5, true).front().label == "84 %");
  CHECK(nice_ticks(-0.3, 0.3, 3)[0].label == "\u22120.2");
  CHECK(nice_ticks(5, 5, 4).size() == 1);
  CHECK(nice_ticks(std::nan(""), 1, 4).empty());
  CHECK(nice_ticks(-1e300, 1e300, 5).size() < 100);
}

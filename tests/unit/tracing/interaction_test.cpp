#include "engine/tracing/interaction.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "catch_portable.h"
#include "engine/core/random.h"

using namespace yieldloop;
using namespace yieldloop::tracing;

namespace {

struct Draw {
  std::vector<WaferPatternCount> wafers;
  std::vector<char> exposed;
  std::vector<double> dose;
};

/// 12 lots of 10 wafers with rates of their own. `split`: lots are split between the sides.
Draw draw(std::uint64_t seed, double ratio, double other_ratio, bool split, double slope = 0.0) {
  Random random(seed);
  Draw d;
  for (std::uint32_t lot = 0; lot < 12; ++lot) {
    const double lot_rate = random.gamma(20.0, 1.0 / 20.0);
    for (std::uint32_t w = 0; w < 10; ++w) {
      const bool hit = split ? w % 3 == 0 : lot % 3 == 0;
      const double dose = random.normal(30.0, 1.0);
      const double wafer_rate = lot_rate * random.gamma(20.0, 1.0 / 20.0);
      const double lift = std::exp(slope * (dose - 30.0));
      d.wafers.push_back(
          {lot * 10 + w, lot,
           static_cast<double>(random.poisson(4.0 * wafer_rate * lift * (hit ? ratio : 1.0))),
           static_cast<double>(random.poisson(30.0 * wafer_rate * (hit ? other_ratio : 1.0))),
           100.0});
      d.exposed.push_back(hit ? 1 : 0);
      d.dose.push_back(dose);
    }
  }
  return d;
}

}  // namespace

TEST_CASE("interaction: two wafers of one lot are compared within it", "[tracing][interaction]") {
  // One split lot: 30 of 40 defects on half of the exposure: R = 3, variance 1/(40 * .75 * .25).
  const std::vector<WaferPatternCount> wafers = {{0, 1, 30, 10, 50}, {1, 1, 10, 10, 50}};
  const auto c = interaction_contrast(wafers, std::vector<char>{1, 0}).value();
  CHECK(c.pattern.within_lots);
  CHECK_THAT(c.pattern.ratio, WithinAbs(3.0, 1e-9));
  CHECK_THAT(c.pattern.log_se, WithinAbs(std::sqrt(1.0 / 7.5), 1e-9));
  CHECK_THAT(c.other.ratio, WithinAbs(1.0, 1e-9));
  CHECK_THAT(c.excess, WithinAbs(20.0, 1e-9));
}

TEST_CASE("interaction: intervals cover the ratio, split lots or not", "[tracing][interaction]") {
  const bool split = GENERATE(true, false);
  int covered = 0, false_alarms = 0;
  constexpr int kSeeds = 300;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const auto d = draw(seed, 2.5, 1.0, split);
    const auto c = interaction_contrast(d.wafers, d.exposed).value();
    CHECK(c.pattern.within_lots == split);
    covered += c.pattern.ci.low <= 2.5 && 2.5 <= c.pattern.ci.high;
    const auto null = draw(5000 + seed, 1.0, 1.0, split);
    false_alarms += interaction_contrast(null.wafers, null.exposed)->pattern.p_value < 0.05;
  }
  CHECK(covered >= 0.92 * kSeeds);
  CHECK(covered <= 0.99 * kSeeds);
  CHECK(false_alarms <= 0.08 * kSeeds);
}

TEST_CASE("interaction: a tool that lifts all defects alike is not specific",
          "[tracing][interaction]") {
  int specific = 0, found = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto d = draw(seed, 2.5, 2.5, true);
    specific += interaction_contrast(d.wafers, d.exposed)->specific.p_value < 0.05;
    const auto e = draw(seed, 2.5, 1.0, true);
    found += interaction_contrast(e.wafers, e.exposed)->specific.p_value < 0.05;
  }
  CHECK(specific <= 10);
  CHECK(found >= 95);
}

TEST_CASE("interaction: the rate follows a dose", "[tracing][interaction]") {
  int covered = 0;
  constexpr int kSeeds = 150;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const auto d = draw(seed, 1.0, 1.0, true, 0.4);
    const auto s = interaction_slope(d.wafers, d.dose).value();
    const double truth = std::exp(0.4 * (s.high - s.low));
    covered += s.pattern.ci.low <= truth && truth <= s.pattern.ci.high;
    CHECK(s.excess > 0.0);
  }
  CHECK(covered >= 0.90 * kSeeds);
}

TEST_CASE("interaction: the order of wafers does not matter", "[tracing][interaction]") {
  auto d = draw(7, 2.0, 1.0, true);
  const auto forward = interaction_contrast(d.wafers, d.exposed).value();
  std::ranges::reverse(d.wafers);
  std::ranges::reverse(d.exposed);
  const auto backward = interaction_contrast(d.wafers, d.exposed).value();
  CHECK(backward.pattern.ratio == forward.pattern.ratio);
  CHECK_THAT(backward.pattern.log_se, WithinRel(forward.pattern.log_se, 1e-12));
}

TEST_CASE("interaction: what it refuses", "[tracing][interaction][error]") {
  const auto d = draw(1, 1.0, 1.0, true);
  CHECK(interaction_contrast(d.wafers, std::vector<char>(3, 1)).error().id == "INTR-0001");
  CHECK(interaction_contrast(d.wafers, std::vector<char>(d.wafers.size(), 1)).error().id ==
        "INTR-0002");
  CHECK(interaction_slope(d.wafers, std::vector<double>(d.wafers.size(), 2.0)).error().id ==
        "INTR-0002");
  auto none = d;
  for (auto& w : none.wafers) w.at_places = 0.0;
  CHECK(interaction_contrast(none.wafers, none.exposed).error().id == "INTR-0002");
}

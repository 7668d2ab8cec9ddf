#include "engine/tracing/pattern.h"

#include <oneapi/tbb/global_control.h>

#include <algorithm>

#include "catch_portable.h"
#include "engine/tracing/registration.h"
#include "small_chip.h"

using namespace yieldloop;
using namespace yieldloop::tracing;
using namespace yieldloop::tracing::testing;

namespace {

struct Bench {
  SmallChip chip;
  PatternCensus census;
  DensityStrata strata;
  Frame frame;
};

Bench bench(std::uint64_t seed) {
  SmallChip chip = small_chip(seed);
  const auto view = layout::view_of(chip.layout).value();
  const auto layer = *chip.layout.find_layer(kM1);
  const auto box = view.bbox();
  FabData data = small_fab(1);
  const Frame frame = Frame::make(data.product, to_um(box, 0.001)).value();
  NoProgress progress;
  auto census =
      census_patterns(view, layer, box, {.min_space_um = 0.2, .radii_um = {0.5, 1.0}}, progress)
          .value();
  auto strata = DensityStrata::of(view, layer, frame.window());
  return {std::move(chip), std::move(census), std::move(strata), frame};
}

PatternResult trace(const Bench& b, const FabData& data) {
  const auto exposure = step_exposure(data, b.frame, "INSP").value();
  return trace_patterns(data, exposure, "M1", b.census, b.strata).value();
}

}  // namespace

TEST_CASE("pattern: a planted bridge is found first, with its rate and its places",
          "[tracing][pattern]") {
  const Bench b = bench(1);
  FabData data = small_fab(50);
  Random random(17);
  add_uniform(data, 3000, random);
  add_at(data, b.chip.hot, 300, 0.3, random);
  const auto r = trace(b, data);
  REQUIRE(r.patterns.size() == 1);
  const TracedPattern& t = r.patterns[0];
  CHECK(t.space_um == 0.2);
  CHECK(t.kind == GapKind::kLineEnd);
  CHECK(t.occurrences == static_cast<std::int64_t>(b.chip.hot.size()));
  CHECK(t.attributable_ci.low <= 300.0);
  CHECK(t.attributable_ci.high >= 300.0);
  const double rate = 300.0 / (static_cast<double>(b.chip.hot.size()) * 50 * 20);
  CHECK(t.rate_per_opportunity_ci.low <= rate);
  CHECK(t.rate_per_opportunity_ci.high >= rate);
  CHECK_THAT(t.position_sigma_um, WithinAbs(0.3, 0.05));
  CHECK(t.main_defect_class == "Bridge");
  std::size_t right = 0;
  for (const PointUm hot : b.chip.hot) {
    for (const LayoutLocation& l : t.locations) {
      right += std::abs(l.x_um + l.w_um / 2 - hot.x) < 0.05 &&
               std::abs(l.y_um + l.h_um / 2 - hot.y) < 0.05;
    }
  }
  CHECK(right == b.chip.hot.size());
}

TEST_CASE("pattern: found through an unknown offset of two micrometres and half of error",
          "[tracing][pattern][registration]") {
  const Bench b = bench(11);
  FabData data = small_fab(50);
  Random random(12);
  add_uniform(data, 3000, random);
  add_at(data, b.chip.hot, 300, 0.5, random);
  for (Defect& d : data.defects) d.x_um -= 1.6, d.y_um += 1.2;
  auto exposure = step_exposure(data, b.frame, "INSP").value();
  std::vector<RectUm> places;
  for (const Anchor& a : b.census.anchors) places.push_back(to_um(a.gap, b.census.dbu_um));
  RegistrationInput input{places, {}, {}, exposure.window};
  for (const PatternClass& c : b.census.classes) input.classes.emplace_back(c.anchors);
  for (const LocatedDefect& d : exposure.defects) input.defects.push_back(d.at);
  const Registration r = register_defects(input);
  REQUIRE(r.verdict == RegistrationVerdict::kMoved);
  CHECK_THAT(r.best.alignment.shift.x, WithinAbs(1.6, 0.2));
  CHECK_THAT(r.best.alignment.shift.y, WithinAbs(-1.2, 0.2));
  CHECK(register_defects(input) == r);
  const Alignment alignment = r.alignment();
  for (LocatedDefect& d : exposure.defects) d.at = alignment(d.at);
  const auto traced = trace_patterns(data, exposure, "M1", b.census, b.strata).value();
  REQUIRE(traced.patterns.size() == 1);
  CHECK(traced.patterns[0].occurrences == static_cast<std::int64_t>(b.chip.hot.size()));
  CHECK(traced.patterns[0].attributable_ci.low <= 300.0);
  CHECK(traced.patterns[0].attributable_ci.high >= 300.0);
  CHECK_THAT(traced.patterns[0].position_sigma_um, WithinAbs(0.5, 0.08));
}

TEST_CASE("pattern: neither threads nor the order of the defects matter", "[tracing][pattern]") {
  const Bench b = bench(13);
  FabData data = small_fab(20);
  Random random(14);
  add_uniform(data, 1000, random);
  add_at(data, b.chip.hot, 150, 0.3, random);
  const auto before = trace(b, data);
  {
    const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
    CHECK(trace(b, data) == before);
  }
  std::ranges::reverse(data.defects);
  const auto after = trace(b, data);
  REQUIRE(before.patterns.size() == 1);
  REQUIRE(after.patterns.size() == 1);
  CHECK(before.patterns[0].pattern_id == after.patterns[0].pattern_id);
  CHECK(before.patterns[0].locations == after.patterns[0].locations);
  CHECK_THAT(before.patterns[0].attributable,
             WithinAbs(after.patterns[0].attributable, 1e-5 * after.patterns[0].attributable));
}

TEST_CASE("pattern: uniform defects give nothing", "[tracing][pattern]") {
  const Bench b = bench(2);
  int reported = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    FabData data = small_fab(20);
    Random random(100 + seed);
    add_uniform(data, 1500, random);
    reported += !trace(b, data).patterns.empty();
  }
  CHECK(reported <= 2);
}

TEST_CASE("pattern: defects that follow density blame no pattern", "[tracing][pattern]") {
  const Bench b = bench(3);
  int reported = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    FabData data = small_fab(20);
    Random random(200 + seed);
    for (int kept = 0; kept < 1500;) {
      const PointUm p{random.uniform(0.0, 396.0), random.uniform(0.0, 391.0)};
      if (random.uniform() * 0.3 > b.strata.density_at(p)) continue;
      add_defect(data, static_cast<std::uint32_t>(random.below(20)), random_die(random), p, "P");
      ++kept;
    }
    reported += !trace(b, data).patterns.empty();
  }
  CHECK(reported <= 1);
}

TEST_CASE("pattern: many defects at one place are no pattern", "[tracing][pattern]") {
  const Bench b = bench(4);
  FabData data = small_fab(50);
  Random random(5);
  add_uniform(data, 1000, random);
  add_at(data, {b.chip.hot.front()}, 200, 0.2, random);
  CHECK(trace(b, data).patterns.empty());
}

TEST_CASE("pattern: failing die are linked to the pattern that kills them", "[tracing][pattern]") {
  const Bench b = bench(6);
  FabData data = small_fab(50);
  Random random(8);
  add_uniform(data, 1000, random);
  add_at(data, b.chip.hot, 150, 0.3, random);
  std::vector<char> hit(50 * 20, 0);
  const auto slot = [](WaferId w, DieIndex d) {
    return w.raw() * 20u + static_cast<unsigned>(d.x) * 4u + static_cast<unsigned>(d.y);
  };
  for (const Defect& d : data.defects) {
    if (data.names[d.class_name] == "Bridge") hit[slot(d.wafer, d.die)] = 1;
  }
  double lost = 0.0;
  for (const Inspection& i : data.inspections) {
    for (const DieIndex die : i.inspected) {
      DieResult r;
      r.wafer = i.wafer;
      r.die = die;
      const bool killed = hit[slot(i.wafer, die)] && random.chance(0.8);
      lost += killed ? 1.0 : 0.0;
      r.pass = !killed && !random.chance(0.05);
      r.final_result = true;
      data.die_results.push_back(r);
    }
  }
  const auto r = trace(b, data);
  REQUIRE(r.patterns.size() == 1);
  const DieLink& link = r.patterns[0].die;
  REQUIRE(link.known);
  const double kill = 0.8 * 0.95;  // Added to the 5 % that fail anyway.
  CHECK(link.kill_ci.low <= kill);
  CHECK(link.kill_ci.high >= kill);
  CHECK_THAT(-link.die_per_wafer, WithinAbs(lost / 50.0, 0.25 * lost / 50.0));
}

TEST_CASE("pattern: the options are checked", "[tracing][pattern][error]") {
  const Bench b = bench(9);
  FabData data = small_fab(2);
  const auto exposure = step_exposure(data, b.frame, "INSP").value();
  PatternOptions options;
  options.sigmas_um = {};
  CHECK(trace_patterns(data, exposure, "M1", b.census, b.strata, options).error().id ==
        "BLUR-0001");
  CHECK(trace_patterns(data, exposure, "M1", b.census, b.strata).value().patterns.empty());
}

// Continuous causes, interactions of layout and process, and electrical causes as findings.

#include <algorithm>
#include <cmath>

#include "catch_portable.h"
#include "engine/findings/electrical_causes.h"
#include "engine/findings/interaction_causes.h"
#include "engine/findings/regression_causes.h"
#include "engine/tracing/layout_columns.h"
#include "tests/unit/tracing/small_chip.h"

using namespace yieldloop;
using namespace yieldloop::findings;
using namespace yieldloop::tracing::testing;
using tracing::PointUm;

namespace {

constexpr int kWafers = 60;

/// 12 lots of 5 wafers through one etch step on two tools of two chambers, chambers mixed within
/// lots; the layout is traced for step INSP on M1.
FabData routed_fab(Random& random) {
  FabData data = small_fab(kWafers);
  data.product.layers = {
      {.name = "M1", .kind = LayerKind::kMetal, .gds_layer = 31, .min_space_um = 0.2}};
  data.product.inspections = {{.step = "INSP", .layers = {"M1"}}};
  for (std::uint32_t w = 0; w < kWafers; ++w) {
    StepRun run;
    run.wafer = WaferId{w};
    run.step_seq = 10;
    run.step = data.names.intern("M1_ETCH");
    run.tool = data.names.intern(w / 5 % 2 == 0 ? "ETCH01" : "ETCH02");
    run.chamber = data.names.intern(random.chance(0.5) ? "A" : "B");
    run.started = {static_cast<std::int64_t>(w) * 3'600 * kMicrosPerSecond};
    run.ended = {run.started.count + 60 * kMicrosPerSecond};
    data.step_runs.push_back(run);
  }
  return data;
}

bool met(const FabData& data, std::uint32_t wafer) {
  const StepRun& run = data.step_runs[wafer];
  return data.names[run.tool] == "ETCH02" && data.names[run.chamber] == "B";
}

/// `mean` defects at hot places of each wafer, `lift` times on those through ETCH02/B; `other`
/// lifts the 20 uniform ones.
void add_interaction(FabData& data, const SmallChip& chip, double mean, double lift, double other,
                     Random& random) {
  for (std::uint32_t w = 0; w < kWafers; ++w) {
    const double at = mean * (met(data, w) ? lift : 1.0);
    for (auto n = random.poisson(at); n > 0; --n) {
      const PointUm p = chip.hot[random.below(chip.hot.size())];
      add_defect(data, w, random_die(random),
                 {p.x + random.normal(0.0, 0.2), p.y + random.normal(0.0, 0.2)}, "Bridge");
    }
    for (auto n = random.poisson(20.0 * (met(data, w) ? other : 1.0)); n > 0; --n) {
      const double x = random.uniform(0.0, 396.0);
      add_defect(data, w, random_die(random), {x, random.uniform(0.0, 391.0)}, "Particle");
    }
  }
}

/// Every die tested; a die with a bridge fails mostly.
void test_die(FabData& data, Random& random) {
  std::vector<char> hit(kWafers * 20, 0);
  const auto slot = [](WaferId w, DieIndex d) {
    return w.raw() * 20u + static_cast<unsigned>(d.x) * 4u + static_cast<unsigned>(d.y);
  };
  for (const Defect& d : data.defects) {
    if (data.names[d.class_name] == "Bridge") hit[slot(d.wafer, d.die)] = 1;
  }
  for (const Inspection& i : data.inspections) {
    for (const DieIndex die : i.inspected) {
      DieResult r;
      r.wafer = i.wafer;
      r.die = die;
      r.pass = !(hit[slot(i.wafer, die)] && random.chance(0.9)) && !random.chance(0.03);
      r.final_result = r.first_pass = true;
      data.die_results.push_back(r);
    }
  }
}

/// What tracing would say of the hot places.
LayoutTrace trace_of(const SmallChip& chip, const FabData& data, const layout::FlatView& view) {
  tracing::TracedPattern p;
  p.layer = "M1";
  p.step = "INSP";
  p.pattern_id = "p-hot";
  p.kind = tracing::GapKind::kLineEnd;
  p.occurrences = static_cast<std::int64_t>(chip.hot.size());
  p.reach_um = 0.6;
  for (const PointUm hot : chip.hot) {
    p.places.push_back({hot.x - 0.1, hot.y - 0.1, hot.x + 0.1, hot.y + 0.1});
    p.locations.push_back({"M1", hot.x - 0.1, hot.y - 0.1, 0.2, 0.2});
  }
  for (const Defect& d : data.defects)
    p.attributable += data.names[d.class_name] == "Bridge" ? 1.0 : 0.0;
  const auto frame = tracing::Frame::make(data.product, tracing::to_um(view.bbox(), 0.001)).value();
  const auto exposure = tracing::step_exposure(data, frame, "INSP").value();
  std::vector<std::size_t> bridges;
  for (std::size_t i = 0; i < exposure.defects.size(); ++i) {
    if (data.names[exposure.defects[i].class_name] == "Bridge") bridges.push_back(i);
  }
  p.die = tracing::link_to_die(data, exposure, bridges, 1.0);
  LayoutTrace trace;
  trace.patterns.push_back(std::move(p));
  return trace;
}

FamilyResult interactions(const FabData& data, const layout::FlatView& view,
                          const LayoutTrace& trace) {
  NoProgress progress;
  return interaction_causes(data, view, traced_sides(trace, nullptr, 0.05), {}, progress).value();
}

std::string field(const Finding& f, const char* key) {
  const auto it = f.subject.find(key);
  return it == f.subject.end() ? std::string() : it->second;
}

}  // namespace

TEST_CASE("interaction: both sides are named, and what each alone would bring",
          "[findings][interaction]") {
  const SmallChip chip = small_chip(1);
  const auto view = layout::view_of(chip.layout).value();
  Random random(11);
  FabData data = routed_fab(random);
  add_interaction(data, chip, 2.0, 6.0, 1.0, random);
  test_die(data, random);
  const auto family = interactions(data, view, trace_of(chip, data, view));
  REQUIRE(family.candidates.size() == 1);
  const Finding& f = family.candidates[0].finding;
  CHECK(f.kind == "design_process_interaction");
  CHECK(field(f, "pattern_id") == "p-hot");
  CHECK(field(f, "layer") == "M1");
  CHECK(field(f, "tool") == "ETCH02");
  CHECK(field(f, "chamber") == "B");
  CHECK(field(f, "step") == "M1_ETCH");
  CHECK(f.rate_ratio_ci.low <= 6.0);
  CHECK(f.rate_ratio_ci.high >= 6.0);
  const auto& detail = f.evidence[0].detail;
  CHECK(detail.at("design_gain") > detail.at("process_gain"));
  CHECK(detail.at("process_gain") > 0.0);
  // A quarter of the wafers at 6 times the rate: 5/9 of the bridges are excess.
  CHECK_THAT(detail.at("process_gain") / detail.at("design_gain"), WithinAbs(5.0 / 9.0, 0.15));
  CHECK(detail.at("process_gain_low") <= detail.at("process_gain"));
  CHECK(detail.at("process_gain_high") >= detail.at("process_gain"));
}

TEST_CASE("interaction: equal rates, or a chamber bad for all defects, are none",
          "[findings][interaction][null]") {
  const SmallChip chip = small_chip(2);
  const auto view = layout::view_of(chip.layout).value();
  const double lift = GENERATE(1.0, 4.0);
  int found = 0;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    Random random(100 + seed);
    FabData data = routed_fab(random);
    add_interaction(data, chip, 3.0, lift, lift, random);
    found += !interactions(data, view, trace_of(chip, data, view)).candidates.empty();
  }
  CHECK(found <= 2);
}

TEST_CASE("interaction: it takes the place of its parts and keeps their evidence",
          "[findings][interaction]") {
  const auto candidate = [](const char* kind, std::map<std::string, std::string> subject,
                            double loss) {
    Candidate c;
    c.finding.kind = kind;
    c.finding.subject = std::move(subject);
    c.finding.loss_die_total = loss;
    c.finding.evidence.push_back({.analysis = kind});
    return c;
  };
  std::vector<Candidate> all;
  all.push_back(candidate("chamber", {{"step", "M1_ETCH"}, {"tool", "E2"}, {"chamber", "B"}}, 90));
  all.push_back(candidate("layout_pattern",
                          {{"step", "INSP"}, {"layer", "M1"}, {"pattern_id", "p"}, {"cell", "HOT"}},
                          100));
  all.push_back(candidate("tool", {{"step", "M1_ETCH"}, {"tool", "E1"}}, 10));
  all.push_back(candidate(
      "design_process_interaction",
      {{"layer", "M1"}, {"pattern_id", "p"}, {"step", "M1_ETCH"}, {"tool", "E2"}, {"chamber", "B"}},
      80));
  all.push_back(candidate("tool", {{"step", "M1_LITHO"}, {"tool", "E2"}}, 5));
  absorb_parts(all);
  REQUIRE(all.size() == 3);
  CHECK(field(all[0].finding, "tool") == "E1");
  CHECK(all[1].finding.kind == "design_process_interaction");
  CHECK(all[1].finding.evidence.size() == 3);
  CHECK(all[1].finding.loss_die_total == 100);
  CHECK(field(all[1].finding, "cell") == "HOT");
  CHECK(field(all[2].finding, "step") == "M1_LITHO");
}

TEST_CASE("continuous causes: a rate that follows density is named, a uniform one is not",
          "[findings][regression]") {
  const SmallChip chip = small_chip(3);
  const auto view = layout::view_of(chip.layout).value();
  const bool planted = GENERATE(true, false);
  Random random(21);
  FabData data = routed_fab(random);
  const auto columns =
      tracing::LayoutColumns::of(view, *chip.layout.find_layer(kM1), {0, 0, 396, 391}, {});
  const auto at = static_cast<std::size_t>(std::ranges::find(columns.names(), "density_25um") -
                                           columns.names().begin());
  REQUIRE(at < columns.names().size());
  std::vector<PointUm> points;
  for (int i = 0; i < 6000; ++i) {
    const double x = random.uniform(0.0, 396.0);
    points.push_back({x, random.uniform(0.0, 391.0)});
  }
  const auto values = columns.values(points);
  const std::size_t width = columns.names().size();
  double densest = 0.0;
  for (std::size_t i = 0; i < points.size(); ++i)
    densest = std::max(densest, values[i * width + at]);
  int kept = 0;
  for (std::size_t i = 0; i < points.size() && kept < 800; ++i) {
    const double density = values[i * width + at];
    if (planted && random.uniform() > std::exp(25.0 * (density - densest))) continue;
    add_defect(data, static_cast<std::uint32_t>(random.below(kWafers)), random_die(random),
               points[i], "P");
    ++kept;
  }
  REQUIRE(kept > 200);
  NoProgress progress;
  const auto trace = trace_regression(data, view, nullptr, {}, progress).value();
  REQUIRE(trace.layers.size() == 1);
  const auto family = regression_causes(trace, {});
  if (!planted) {
    CHECK(family.candidates.empty());
    return;
  }
  REQUIRE(!family.candidates.empty());
  const Finding& f = family.candidates[0].finding;
  CHECK(f.kind == "layout_feature");
  // All wires are alike, so that border goes along with density: the one not named is its rival.
  const std::string feature = field(f, "feature");
  CAPTURE(feature, f.statement, trace.layers[0].boosted.why_not);
  const bool either = feature == "density" || feature == "perimeter";
  CHECK(either);
  CHECK(field(f, "direction") == "rises");
  CHECK(f.rate_ratio_ci.low > 1.0);
  CHECK(trace.layers[0].boosted_asked);
  CHECK(trace.layers[0].boosted.generalises == trace.layers[0].boosted.why_not.empty());
  CHECK(!trace.layers[0].causes[0].hot_defects.empty());
  // The same from rows in another order.
  std::ranges::reverse(data.defects);
  const auto again = trace_regression(data, view, nullptr, {}, progress).value();
  CHECK(field(regression_causes(again, {}).candidates.at(0).finding, "feature") == feature);
}

TEST_CASE("boosted trees: they credit the column that matters, and abstain without one",
          "[findings][regression]") {
  const bool planted = GENERATE(true, false);
  Random random(31);
  tracing::RegressionTable t{.columns = {"a", "b"}, .cases = 900};
  const auto add = [&](bool is_case) {
    for (;;) {
      const double x = random.uniform(), y = random.uniform();
      const double a = 0.5 + 0.5 * std::sin(21.0 * x) * std::cos(17.0 * y);
      if (is_case && planted && random.uniform() > std::exp(2.5 * (a - 1.0))) continue;
      t.values.insert(t.values.end(), {a, random.uniform()});
      t.tile.push_back(static_cast<std::uint32_t>(std::floor(12 * x) * 12 + std::floor(12 * y)));
      return;
    }
  };
  for (std::size_t i = 0; i < t.cases; ++i) {
    add(true);
    t.wafer.push_back(static_cast<std::uint32_t>(random.below(40)));
    t.lot.push_back(t.wafer.back() / 5);
  }
  for (int i = 0; i < 3600; ++i) add(false);
  NoProgress progress;
  const auto view = boosted_view(t, {.copies = 19}, progress).value();
  CHECK(view.generalises == planted);
  CHECK(view.why_not.empty() == planted);
  if (planted) CHECK(view.columns.at(0).column == "a");
  CHECK(boosted_view(t, {.copies = 19}, progress).value() == view);
  std::ranges::fill(t.lot, 1u);
  CHECK(!boosted_view(t, {}, progress)->generalises);
}

TEST_CASE("continuous causes: few defects are a caveat", "[findings][regression][error]") {
  const SmallChip chip = small_chip(4);
  const auto view = layout::view_of(chip.layout).value();
  Random random(5);
  FabData data = routed_fab(random);
  add_defect(data, 0, {0, 0}, {10.0, 10.0}, "P");
  NoProgress progress;
  const auto trace = trace_regression(data, view, nullptr, {}, progress).value();
  CHECK(trace.layers.empty());
  CHECK(trace.caveats.size() == 1);
}

TEST_CASE("electrical causes: a cause is a finding, causes that look alike are undecided",
          "[findings][electrical]") {
  tracing::ElectricalTrace trace;
  trace.blocks = {{"A", 100, 20, 10, 19}, {"B", 100, 5, 10, 6}, {"C", 100, 5, 10, 5}};
  trace.tests = {{.cause = {"area", {}}},
                 {.cause = {"via", {{"layer", "VIA1"}, {"feature", "single_via"}}}},
                 {.cause = {"net_or_cell", {{"cell", "X"}}}}};
  trace.tests[1].share = 0.6;
  trace.tests[1].share_ci = {0.4, 0.8};
  trace.fails = 30;
  trace.verdicts = {{.best = 1, .rivals = {}, .die_per_wafer = -2.0}};
  const auto decided = electrical_causes(trace, 0.05);
  REQUIRE(decided.candidates.size() == 1);
  CHECK(decided.candidates[0].finding.kind == "via");
  CHECK(field(decided.candidates[0].finding, "layer") == "VIA1");
  trace.verdicts[0].rivals = {2};
  const auto open = electrical_causes(trace, 0.05);
  CHECK(open.candidates.empty());
  REQUIRE(open.undecided.size() == 1);
  CHECK(open.undecided[0].candidates.size() == 2);
  NoProgress progress;
  const SmallChip chip = small_chip(5);
  CHECK(findings::trace_electrical(small_fab(1), layout::view_of(chip.layout).value(), BlockTests{},
                                   0.05, progress)
            .error()
            .id == "FIND-0007");
}

#include "engine/tracing/case_control.h"

#include "catch_portable.h"
#include "engine/tracing/via_trace.h"
#include "engine/tracing/zones.h"
#include "small_chip.h"

using namespace yieldloop;
using namespace yieldloop::tracing;
using namespace yieldloop::tracing::testing;

namespace {

struct Scene {
  SmallChip chip = small_chip(21);
  layout::FlatView view = layout::view_of(chip.layout).value();
  layout::LayerIndex layer = *chip.layout.find_layer(kM1);
  Frame frame = Frame::make(small_fab(1).product, to_um(view.bbox(), 0.001)).value();
  DensityStrata strata = DensityStrata::of(view, layer, frame.window());
  NoProgress progress;
  PatternCensus census =
      census_patterns(view, layer, view.bbox(), {.min_space_um = 0.2}, progress).value();
  std::vector<LayoutFeature> features =
      layer_features(view, layer, &census, nullptr, strata, {.blur_um = 0.6});

  std::vector<FeatureRate> rates(const FabData& data) {
    const auto exposure = step_exposure(data, frame, "INSP").value();
    auto r = case_control(data, exposure, "M1", strata, features).value();
    correct_features(r);
    return r;
  }
};

/// A joined cut of 0.2 um somewhere on the chip; where it is single its centre too.
void add_cut(std::uint32_t partners, Random& random, layout::ViaCensus& vias,
             std::vector<PointUm>& singles) {
  const auto x = static_cast<std::int64_t>(random.below(390'000));
  const auto y = static_cast<std::int64_t>(random.below(388'000));
  vias.cuts.push_back({{x, y, x + 200, y + 200}, true, true, partners});
  if (partners == 0)
    singles.push_back({1e-3 * static_cast<double>(x) + 0.1, 1e-3 * static_cast<double>(y) + 0.1});
}

}  // namespace

TEST_CASE("zones: the area of grown boxes counts overlaps once", "[tracing][zones]") {
  const std::vector<RectUm> boxes{{1.0, 1.0, 2.0, 2.0}, {2.5, 1.0, 3.0, 2.0}};
  const RectUm window{0.0, 0.0, 10.0, 10.0};
  CHECK_THAT(zone_area_um2(boxes, 0.5, window), WithinAbs(3.0 * 2.0, 1e-9));
  const ZoneIndex index(boxes, 0.5);
  CHECK(index.is_near({0.6, 0.6}, 0.5));
  CHECK_FALSE(index.is_near({0.4, 0.6}, 0.5));
  CHECK_FALSE(index.is_near({0.6, 0.6}, 0.3));
}

TEST_CASE("strata: their areas add up to the window", "[tracing][strata]") {
  Scene s;
  double sum = 0.0;
  for (const double a : s.strata.areas_um2()) sum += a;
  CHECK_THAT(sum, WithinRel(s.frame.window().area(), 1e-12));
  CHECK(s.strata.count() > 1);
  CHECK(s.strata.count() <= 5);
}

TEST_CASE("case control: uniform defects expose no feature", "[tracing][case_control]") {
  Scene s;
  int reported = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    FabData data = small_fab(20);
    Random random(300 + seed);
    add_uniform(data, 1500, random);
    reported += s.rates(data).front().q_value <= 0.05;
  }
  CHECK(reported <= 4);
}

TEST_CASE("case control: defects at line ends name the line ends or their space",
          "[tracing][case_control]") {
  Scene s;
  FabData data = small_fab(50);
  Random random(4);
  add_uniform(data, 2000, random);
  add_at(data, s.chip.hot, 300, 0.3, random);
  const auto rates = s.rates(data);
  const FeatureRate& first = rates.front();
  CHECK(first.q_value < 1e-6);
  CHECK((first.feature == "line_end" || first.feature == "narrow_space_1.2x"));
  CHECK(first.rate_ratio_ci.low > 1.5);
  bool by_class = false;
  for (const FeatureRate& r : rates) by_class = by_class || r.defect_class == "Bridge";
  CHECK(by_class);
  FabData none = small_fab(2);
  const auto exposure = step_exposure(none, s.frame, "INSP").value();
  CHECK(case_control(none, exposure, "M1", s.strata, s.features).error().id == "CASE-0001");
}

TEST_CASE("vias: single cuts that fail are told from doubled ones", "[tracing][via]") {
  Scene s;
  layout::ViaCensus vias;
  std::vector<PointUm> singles;
  Random random(12);
  for (int i = 0; i < 1500; ++i) add_cut(i % 3 == 0 ? 0 : 1, random, vias, singles);
  FabData data = small_fab(40);
  add_uniform(data, 2000, random);
  auto exposure = step_exposure(data, s.frame, "INSP").value();
  const auto even = trace_vias(data, exposure, "VIA1", vias, 0.001, s.strata).value();
  CHECK(even.p_value > 0.01);
  add_at(data, singles, 150, 0.3, random);
  exposure = step_exposure(data, s.frame, "INSP").value();
  const auto uneven = trace_vias(data, exposure, "VIA1", vias, 0.001, s.strata).value();
  CHECK(uneven.p_value < 1e-6);
  CHECK(uneven.single.cuts == 500);
  CHECK(uneven.single.attributable_ci.low <= 150.0);
  CHECK(uneven.single.attributable_ci.high >= 150.0);
  CHECK(uneven.locations.size() == 500);
  CHECK(uneven.places.size() == 500);
  CHECK(trace_vias(data, exposure, "VIA1", {}, 0.001, s.strata).error().id == "VIAT-0001");
}

TEST_CASE("vias: a wide position error does not lower the rate", "[tracing][via]") {
  Scene s;
  layout::ViaCensus vias;
  std::vector<PointUm> singles;
  Random random(15);
  for (int i = 0; i < 400; ++i) add_cut(0, random, vias, singles);
  FabData data = small_fab(40);
  add_uniform(data, 1000, random);
  add_at(data, singles, 1500, 0.7, random);
  const auto exposure = step_exposure(data, s.frame, "INSP").value();
  const auto trace = trace_vias(data, exposure, "VIA1", vias, 0.001, s.strata).value();
  CHECK_THAT(trace.position_sigma_um, WithinAbs(0.7, 0.07));
  CHECK_THAT(trace.reach_um, WithinAbs(1.75, 0.18));
  CHECK_THAT(trace.single.attributable, WithinRel(1500.0, 0.07));
}

TEST_CASE("case control: no control lies where what is explained was taken out",
          "[tracing][case_control]") {
  Scene s;
  FabData data = small_fab(50);
  Random random(16);
  add_uniform(data, 1000, random);
  const auto exposure = step_exposure(data, s.frame, "INSP").value();
  std::size_t asked = 0;
  const CaseControlOptions options{.set_aside = [&](const std::vector<PointUm>& points) {
    asked = points.size();
    return std::vector<char>(points.size(), 1);
  }};
  const auto rates = case_control(data, exposure, "M1", s.strata, s.features, options).value();
  CHECK(asked > 0);
  CHECK(rates.front().controls == 0);
}

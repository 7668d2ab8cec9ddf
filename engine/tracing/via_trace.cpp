#include "engine/tracing/via_trace.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/stats/intervals.h"
#include "engine/tracing/registration_fit.h"
#include "engine/tracing/zones.h"

namespace yieldloop::tracing {
namespace {

constexpr std::size_t kMostLocations = 10'000;

struct Scene {
  const FabData& data;
  const StepExposure& exposure;
  const DensityStrata& strata;
  double blur_um = 1.0;
  Background background;
  double capture = 1.0;
};

/// Position error of the defects at the cuts; 0 when too few lie there to tell.
double position_sigma(const StepExposure& exposure, const std::vector<RectUm>& cuts,
                      double blur_um) {
  constexpr double kLeastGain = 15.0, kLeastDefects = 20.0, kReach = 4.0;
  std::vector<PointUm> defects;
  for (const LocatedDefect& d : exposure.defects) defects.push_back(d.at);
  const RectUm& w = exposure.window;
  AlignmentFit fit(cuts, defects, {0.5 * (w.x_min + w.x_max), 0.5 * (w.y_min + w.y_max)}, w, {},
                   kReach * blur_um);
  fit.fit(0.5 * blur_um, AlignmentFit::Free::kNothing);
  const bool tells = fit.gain() >= kLeastGain && fit.defects() >= kLeastDefects;
  return tells ? std::min(fit.sigma(), blur_um) : 0.0;
}

/// Share of the defects of a cut within the reach of it.
double capture_of(double reach, double sigma, const std::vector<RectUm>& cuts) {
  if (!(sigma > 0.0)) return 1.0;
  double side = 0.0;
  for (const RectUm& c : cuts) side += std::sqrt(c.area());
  const double z = (reach + 0.5 * side / static_cast<double>(cuts.size())) / sigma;
  return 1.0 - std::exp(-0.5 * z * z);
}

double dispersion_of(const Scene& scene, const std::vector<std::size_t>& members) {
  std::map<WaferId, double> counts, exposures;
  for (const std::uint32_t i : scene.exposure.inspections) {
    exposures[scene.data.inspections[i].wafer] +=
        static_cast<double>(scene.data.inspections[i].inspected.size());
  }
  for (const std::size_t d : members) ++counts[scene.exposure.defects[d].wafer];
  std::vector<double> n, e;
  for (const auto& [wafer, die] : exposures) {
    e.push_back(die);
    n.push_back(counts.contains(wafer) ? counts.at(wafer) : 0.0);
  }
  return wafer_dispersion(n, e);
}

ViaZone zone_of(const Scene& scene, const std::vector<RectUm>& cuts,
                std::vector<std::size_t>& members) {
  ViaZone zone;
  zone.cuts = static_cast<std::int64_t>(cuts.size());
  if (cuts.empty()) return zone;
  const ZoneIndex index(cuts, scene.blur_um);
  ZoneCounts counts;
  counts.by_stratum.assign(scene.strata.count(), 0);
  counts.area_by_stratum.assign(scene.strata.count(), 0.0);
  std::map<std::uint32_t, std::int64_t> places;
  for (std::size_t d = 0; d < scene.exposure.defects.size(); ++d) {
    double nearest = 2.0 * scene.blur_um;
    std::uint32_t place = 0;
    const PointUm at = scene.exposure.defects[d].at;
    index.for_near(at, scene.blur_um, [&](std::uint32_t i, double distance) {
      if (distance < nearest) nearest = distance, place = i;
    });
    if (nearest > scene.blur_um) continue;
    members.push_back(d);
    ++counts.by_stratum[scene.strata.at(at)];
    counts.top_place = std::max(counts.top_place, ++places[place]);
  }
  const double area = zone_area_um2(cuts, scene.blur_um, scene.exposure.window);
  for (const RectUm& cut : cuts) {
    const PointUm at{0.5 * (cut.x_min + cut.x_max), 0.5 * (cut.y_min + cut.y_max)};
    counts.area_by_stratum[scene.strata.at(at)] += area / static_cast<double>(cuts.size());
  }
  counts.defects = static_cast<std::int64_t>(members.size());
  const ZoneTest test = test_zone(counts, scene.background);
  const auto n = static_cast<double>(members.size());
  const Interval ci = count_interval(n, dispersion_of(scene, members));
  const double chances = static_cast<double>(zone.cuts) *
                         static_cast<double>(scene.exposure.die_inspections) *
                         scene.exposure.seen_share;
  zone.defects = counts.defects;
  zone.expected = test.expected;
  zone.rate_ratio = n / std::max(test.expected, 1e-12);
  const auto beyond = [&](double count) {
    return std::max(0.0, count - test.expected) / scene.capture;
  };
  zone.attributable = beyond(n);
  zone.attributable_ci = {beyond(ci.low), beyond(ci.high)};
  zone.rate_per_cut = zone.attributable / chances;
  zone.rate_per_cut_ci = {zone.attributable_ci.low / chances, zone.attributable_ci.high / chances};
  zone.p_value = test.p_value;
  return zone;
}

}  // namespace

Result<ViaTrace> trace_vias(const FabData& data, const StepExposure& exposure,
                            const std::string& layer, const layout::ViaCensus& vias, double dbu_um,
                            const DensityStrata& strata, double blur_um) {
  std::vector<RectUm> single, doubled;
  for (const layout::ViaCut& cut : vias.cuts) {
    if (cut.single()) single.push_back(to_um(cut.box, dbu_um));
    if (cut.below && cut.above && cut.partners > 0) doubled.push_back(to_um(cut.box, dbu_um));
  }
  if (single.empty() || exposure.defects.empty() || blur_um <= 0.0) {
    return Error{Errc::kNoData, "VIAT-0001",
                 "Layer " + layer + " has no single via, or step " + exposure.step +
                     " no defect, so vias cannot be compared."};
  }
  const double sigma = position_sigma(exposure, single, blur_um);
  constexpr double kReachSigmas = 2.5;
  Scene scene{data, exposure, strata, std::max(blur_um, kReachSigmas * sigma), {}};
  scene.capture = capture_of(scene.blur_um, sigma, single);
  scene.background.area_um2 = strata.areas_um2();
  scene.background.defects.assign(strata.count(), 0);
  for (const LocatedDefect& d : exposure.defects) ++scene.background.defects[strata.at(d.at)];
  ViaTrace trace;
  trace.step = exposure.step;
  trace.layer = layer;
  trace.reach_um = scene.blur_um;
  trace.position_sigma_um = sigma;
  std::vector<std::size_t> at_single, at_doubled;
  trace.single = zone_of(scene, single, at_single);
  trace.doubled = zone_of(scene, doubled, at_doubled);
  trace.p_value = trace.single.p_value;
  if (trace.doubled.expected > 0.0 && trace.single.expected > 0.0) {
    YL_ASSIGN(const auto ratio,
              stats::poisson_rate_ratio(trace.single.defects, trace.single.expected,
                                        trace.doubled.defects, trace.doubled.expected));
    trace.single_to_double = ratio.ratio;
    trace.single_to_double_ci = ratio.interval;
    trace.p_value = ratio.p_greater;
  }
  const auto n = std::max<double>(1.0, static_cast<double>(trace.single.defects));
  trace.die = link_to_die(data, exposure, at_single, std::min(1.0, trace.single.attributable / n));
  for (const RectUm& cut : single) {
    if (trace.locations.size() >= kMostLocations) break;
    trace.locations.push_back(
        {layer, cut.x_min, cut.y_min, cut.x_max - cut.x_min, cut.y_max - cut.y_min});
  }
  trace.places = std::move(single);
  return trace;
}

}  // namespace yieldloop::tracing

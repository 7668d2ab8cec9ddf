#include "engine/tracing/pattern.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/stats/distributions.h"
#include "engine/tracing/blur_search.h"
#include "engine/tracing/zone_rate.h"
#include "engine/tracing/zones.h"

namespace yieldloop::tracing {
namespace {

/// The zone of a pattern reaches this many position errors from its gaps.
constexpr double kZoneReach = 2.5;

std::vector<RectUm> gaps_of(const PatternCensus& census) {
  std::vector<RectUm> rects;
  rects.reserve(census.anchors.size());
  for (const Anchor& a : census.anchors) rects.push_back(to_um(a.gap, census.dbu_um));
  return rects;
}

/// phi t^2 of counts over units: how far a profile may drop (blur_fit.h).
struct Scatter {
  double dispersion = 1.0;
  double drop = 0.0;

  double degrees = 0.0;
};

Scatter scatter_of(std::span<const double> counts, std::span<const double> exposures) {
  Scatter s;
  s.degrees = std::max(1.0, static_cast<double>(counts.size()) - 1.0);
  s.dispersion = wafer_dispersion(counts, exposures);
  const double t = stats::student_t_quantile(0.975, s.degrees);
  s.drop = s.dispersion * t * t;
  return s;
}

/// Turns what the search found into patterns with rates, places and what they cost.
class Describer {
 public:
  Describer(const FabData& data, const StepExposure& exposure, const std::string& layer,
            const PatternCensus& census, const PatternOptions& options, const BlurInput& input,
            const BlurFound& found)
      : data_(data),
        exposure_(exposure),
        layer_(layer),
        census_(census),
        options_(options),
        input_(input),
        found_(found) {}

  TracedPattern describe(std::size_t which) const {
    const FoundClass& f = found_.classes[which];
    const PatternClass& c = census_.classes[f.pattern];
    TracedPattern t;
    t.layer = layer_;
    t.step = exposure_.step;
    t.pattern_id = c.id;
    t.kind = c.kind;
    t.space_um = c.space_um;
    t.radius_um = c.radius_um;
    for (const std::uint32_t m : f.members) t.members.push_back(census_.classes[m].id);
    t.occurrences = static_cast<std::int64_t>(f.places.size());
    t.statistic = f.test.statistic;
    t.local_factor = f.test.local_factor;
    t.p_value = f.test.p_value;
    t.q_value = f.q_value;
    add_sigma(which, t);
    add_rates(which, t);
    add_zone(f, t);
    add_places(f, t);
    return t;
  }

 private:
  /// The error of the tool that saw most of the pattern's defects.
  void add_sigma(std::size_t which, TracedPattern& t) const {
    std::vector<double> seen(found_.sigma.size(), 0.0);
    const auto chances = found_.fit->chances(which);
    const auto& near = found_.fit->components()[which].near;
    for (std::size_t i = 0; i < chances.size(); ++i) {
      seen[input_.tool[near.defect[i]]] += chances[i];
    }
    const auto most = static_cast<std::size_t>(std::ranges::max_element(seen) - seen.begin());
    t.position_sigma_um = found_.sigma[most];
    t.position_sigma_se_um = found_.sigma_error[most];
    t.reach_um = kZoneReach * t.position_sigma_um;
  }

  void add_rates(std::size_t which, TracedPattern& t) const {
    const BlurComponent& component = found_.fit->components()[which];
    const auto chances = found_.fit->chances(which);
    std::map<WaferId, std::pair<double, double>> by_wafer;  // Exposure, count.
    for (const std::uint32_t i : exposure_.inspections) {
      by_wafer[data_.inspections[i].wafer].first +=
          static_cast<double>(data_.inspections[i].inspected.size());
    }
    for (std::size_t i = 0; i < chances.size(); ++i) {
      by_wafer[exposure_.defects[component.near.defect[i]].wafer].second += chances[i];
    }
    std::map<NameId, std::pair<double, double>> by_lot;
    std::vector<double> n, e, lot_n, lot_e;
    for (const auto& [wafer, v] : by_wafer) {
      n.push_back(v.second), e.push_back(v.first);
      auto& lot = by_lot[data_.wafers[wafer.raw()].lot];
      lot.first += v.first, lot.second += v.second;
    }
    for (const auto& [lot, v] : by_lot) lot_n.push_back(v.second), lot_e.push_back(v.first);
    Scatter scatter = scatter_of(n, e);
    const Scatter lots = scatter_of(lot_n, lot_e);
    const bool lots_differ = lot_n.size() > 1 && n.size() > lot_n.size() &&
                             stats::f_upper_p(lots.dispersion / scatter.dispersion, lots.degrees,
                                              static_cast<double>(n.size() - lot_n.size())) < 0.05;
    if (lots_differ && lots.drop > scatter.drop) scatter = lots;
    t.dispersion = scatter.dispersion;
    const Interval ci = found_.fit->interval(which, scatter.drop);
    t.attributable = component.rate * component.places;
    t.attributable_ci = {ci.low * component.places, ci.high * component.places};
    const double die = static_cast<double>(exposure_.die_inspections) * exposure_.seen_share;
    t.rate_per_opportunity = component.rate / die;
    t.rate_per_opportunity_ci = {ci.low / die, ci.high / die};
  }

  void add_zone(const FoundClass& f, TracedPattern& t) const {
    std::vector<RectUm> rects;
    double background = 0.0;
    for (const std::uint32_t a : f.places) {
      const RectUm& r = input_.places[a];
      rects.push_back(r);
      const PointUm middle{0.5 * (r.x_min + r.x_max), 0.5 * (r.y_min + r.y_max)};
      background += found_.background->rate_of_tile(input_.strata->tile_at(middle));
    }
    background /= static_cast<double>(rects.size());
    const ZoneIndex index(rects, t.reach_um);
    std::vector<std::size_t> members;
    std::map<NameId, std::int64_t> classes;
    for (std::size_t d = 0; d < exposure_.defects.size(); ++d) {
      if (!index.is_near(exposure_.defects[d].at, t.reach_um)) continue;
      members.push_back(d);
      ++classes[exposure_.defects[d].class_name];
    }
    t.defects = static_cast<std::int64_t>(members.size());
    t.expected = background * zone_area_um2(rects, t.reach_um, exposure_.window);
    const double expected = std::max(t.expected, 1e-12);
    t.rate_ratio = 1.0 + t.attributable / expected;
    t.rate_ratio_ci = {1.0 + t.attributable_ci.low / expected,
                       1.0 + t.attributable_ci.high / expected};
    std::int64_t most = 0;
    for (const auto& [name, n] : classes) {
      if (n <= most) continue;
      most = n;
      t.main_defect_class = data_.names[name];
      t.main_defect_class_share = static_cast<double>(n) / static_cast<double>(members.size());
    }
    const double share = t.attributable / std::max(1.0, static_cast<double>(t.defects));
    t.die = link_to_die(data_, exposure_, members, std::min(1.0, share));
  }

  void add_places(const FoundClass& f, TracedPattern& t) const {
    double length = 0.0;
    for (const std::uint32_t a : f.places) {
      const RectUm& r = input_.places[a];
      length += std::max(r.x_max - r.x_min, r.y_max - r.y_min);
      t.places.push_back(r);
      if (t.locations.size() >= options_.most_locations) continue;
      t.locations.push_back({layer_, r.x_min, r.y_min, r.x_max - r.x_min, r.y_max - r.y_min});
    }
    t.facing_length_um = length / static_cast<double>(f.places.size());
  }

  const FabData& data_;
  const StepExposure& exposure_;
  const std::string& layer_;
  const PatternCensus& census_;
  const PatternOptions& options_;
  const BlurInput& input_;
  const BlurFound& found_;
};

BlurInput input_of(const FabData& data, const StepExposure& exposure, const PatternCensus& census,
                   const DensityStrata& strata, std::span<const RectUm> places) {
  BlurInput input;
  input.places = places;
  input.strata = &strata;
  for (const PatternClass& c : census.classes) {
    input.classes.emplace_back(c.anchors);
    input.radius.push_back(c.radius_um);
  }
  if (!exposure.coverage.share.empty()) {
    for (const RectUm& r : places) {
      input.place_seen.push_back(
          exposure.coverage.at({0.5 * (r.x_min + r.x_max), 0.5 * (r.y_min + r.y_max)}));
    }
    for (std::size_t t = 0; t < strata.tile_count(); ++t) {
      const RectUm r = strata.tile(t);
      input.tile_seen.push_back(
          exposure.coverage.at({0.5 * (r.x_min + r.x_max), 0.5 * (r.y_min + r.y_max)}));
    }
  }
  std::map<NameId, std::uint32_t> tools;
  for (const LocatedDefect& d : exposure.defects) {
    const NameId tool = data.inspections[data.defects[d.defect].inspection].tool;
    const auto next = static_cast<std::uint32_t>(tools.size());
    input.defects.push_back(d.at);
    input.tool.push_back(tools.try_emplace(tool, next).first->second);
  }
  return input;
}

}  // namespace

Result<PatternResult> trace_patterns(const FabData& data, const StepExposure& exposure,
                                     const std::string& layer, const PatternCensus& census,
                                     const DensityStrata& strata, const PatternOptions& options) {
  const bool good = !options.sigmas_um.empty() &&
                    std::ranges::all_of(options.sigmas_um, [](double s) { return s > 0.0; });
  if (!good) {
    return Error{Errc::kInvalidOptions, "BLUR-0001",
                 "The position errors to be tried must be positive; give them in micrometres."};
  }
  const auto places = gaps_of(census);
  const BlurInput input = input_of(data, exposure, census, strata, places);
  const BlurFound found =
      search_blurred(input, {.q_limit = options.q_limit,
                             .sigmas_um = options.sigmas_um,
                             .min_defects = static_cast<double>(options.min_defects),
                             .width_defects = options.width_defects,
                             .most_classes = options.most_patterns});
  PatternResult result;
  result.tests = found.tests;
  result.classes = static_cast<std::int64_t>(census.classes.size());
  result.anchors = static_cast<std::int64_t>(census.anchors.size());
  result.defects = static_cast<std::int64_t>(exposure.defects.size());
  result.unexplained = static_cast<double>(result.defects);
  const Describer describer(data, exposure, layer, census, options, input, found);
  for (std::size_t c = 0; c < found.classes.size(); ++c) {
    result.patterns.push_back(describer.describe(c));
    result.unexplained -= result.patterns.back().attributable;
  }
  if (!result.patterns.empty()) result.sigma_um = result.patterns.front().position_sigma_um;
  return result;
}

}  // namespace yieldloop::tracing

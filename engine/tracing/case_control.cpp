#include "engine/tracing/case_control.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "engine/stats/contingency.h"
#include "engine/stats/multiplicity.h"
#include "engine/stats/overdispersion.h"

namespace yieldloop::tracing {
namespace {

constexpr double kFewExposed = 10.0;  // Below this the normal law of the CMH test is too coarse.

std::vector<char> exposed_points(const LayoutFeature& feature, std::span<const PointUm> points) {
  std::vector<char> exposed(points.size());
  tbb::parallel_for(std::size_t{0}, points.size(),
                    [&](std::size_t i) { exposed[i] = feature.holds(points[i]) ? 1 : 0; });
  return exposed;
}

/// One defect class's positions among the cases; name 0 with all cases stands for "all".
struct Population {
  std::string name;
  std::vector<std::size_t> members;
};

std::vector<Population> populations(const FabData& data, const StepExposure& exposure,
                                    std::int64_t min_defects) {
  Population all;
  std::map<std::string, Population> by_class;
  for (std::size_t d = 0; d < exposure.defects.size(); ++d) {
    all.members.push_back(d);
    const std::string& name = data.names[exposure.defects[d].class_name];
    by_class[name].members.push_back(d);
  }
  std::vector<Population> list{std::move(all)};
  for (auto& [name, population] : by_class) {
    const auto n = static_cast<std::int64_t>(population.members.size());
    if (name.empty() || n < min_defects || by_class.size() < 2) continue;
    population.name = name;
    list.push_back(std::move(population));
  }
  return list;
}

/// Variance of the exposed counts per die over their mean; 1 when defects come alone.
double die_dispersion(const StepExposure& exposure, std::span<const std::size_t> exposed) {
  std::map<std::pair<WaferId, DieIndex>, double> counts;
  for (const std::size_t d : exposed)
    ++counts[{exposure.defects[d].wafer, exposure.defects[d].die}];
  if (exposed.empty()) return 1.0;
  // Sum n^2 / sum n: what a die's company multiplies the variance by, less what chance puts
  // together on the inspected die.
  double squares = 0.0;
  for (const auto& [die, n] : counts) squares += n * n;
  const auto n = static_cast<double>(exposed.size());
  const double by_chance = n / std::max<double>(1.0, static_cast<double>(exposure.die_inspections));
  return std::max(1.0, squares / n - by_chance);
}

/// How much more the exposed share scatters over the wafers than a coin.
double share_dispersion(const StepExposure& exposure, const Population& group,
                        const std::vector<char>& exposed) {
  std::map<WaferId, std::pair<double, double>> counts;
  for (const std::size_t d : group.members) {
    auto& [k, n] = counts[exposure.defects[d].wafer];
    k += exposed[d] ? 1.0 : 0.0;
    n += 1.0;
  }
  std::vector<double> k, n;
  for (const auto& [wafer, count] : counts) {
    k.push_back(count.first);
    n.push_back(count.second);
  }
  const auto scatter = stats::estimate_overdispersion(k, n);
  return scatter ? std::max(1.0, scatter->phi) : 1.0;
}

struct Tables {
  std::vector<stats::Table2x2> strata;
  stats::Table2x2 pooled;
};

Tables tabulate(const Population& population, const std::vector<char>& case_exposed,
                const std::vector<std::size_t>& case_stratum,
                const std::vector<char>& control_exposed,
                const std::vector<std::size_t>& control_stratum, std::size_t strata) {
  Tables t;
  t.strata.resize(strata);
  for (const std::size_t d : population.members) {
    auto& s = t.strata[case_stratum[d]];
    (case_exposed[d] ? s.a : s.c) += 1.0;
  }
  for (std::size_t i = 0; i < control_exposed.size(); ++i) {
    auto& s = t.strata[control_stratum[i]];
    (control_exposed[i] ? s.b : s.d) += 1.0;
  }
  for (const auto& s : t.strata) {
    t.pooled.a += s.a, t.pooled.b += s.b, t.pooled.c += s.c, t.pooled.d += s.d;
  }
  return t;
}

/// Mantel-Haenszel ratio of rates: sum a d / n over sum b c / n, the controls standing for area.
double pooled_ratio(const Tables& t) {
  double top = 0.0, bottom = 0.0;
  for (const auto& s : t.strata) {
    if (s.total() <= 0.0) continue;
    top += s.a * s.d / s.total();
    bottom += s.b * s.c / s.total();
  }
  return bottom > 0.0 ? top / bottom : (top > 0.0 ? INFINITY : 1.0);
}

void add_test(const Tables& t, FeatureRate& rate) {
  std::vector<stats::Table2x2> scaled = t.strata;
  for (auto& s : scaled) s.a /= rate.dispersion, s.c /= rate.dispersion;
  const auto cmh = stats::cochran_mantel_haenszel(scaled);
  rate.rate_ratio = pooled_ratio(t);
  rate.rate_ratio_ci = cmh.odds_ratio_ci;
  rate.p_value = cmh.p_value;
  const auto& p = t.pooled;
  const double expected = p.b + p.d > 0.0 ? (p.a + p.c) * p.b / (p.b + p.d) : 0.0;
  if (std::min({p.a, p.b, expected}) / rate.dispersion < kFewExposed) {
    const auto whole = [&](double n) { return std::llround(n); };
    const auto fisher = stats::fisher_exact(whole(p.a / rate.dispersion), whole(p.b),
                                            whole(p.c / rate.dispersion), whole(p.d));
    rate.p_value = std::max(rate.p_value, fisher.p_two_sided);
  }
  if (rate.rate_ratio > 0.0 && std::isfinite(rate.rate_ratio)) {
    rate.attributable = p.a * (1.0 - 1.0 / rate.rate_ratio);
  }
}

}  // namespace

Result<std::vector<FeatureRate>> case_control(const FabData& data, const StepExposure& exposure,
                                              const std::string& layer, const DensityStrata& strata,
                                              std::span<const LayoutFeature> features,
                                              const CaseControlOptions& options) {
  if (exposure.defects.empty()) {
    return Error{Errc::kNoData, "CASE-0001",
                 "Step " + exposure.step +
                     " has no defect on the layout, so there is nothing to "
                     "trace; widen the scope or check the frame."};
  }
  std::vector<PointUm> cases;
  std::vector<std::size_t> case_stratum, control_stratum;
  for (const LocatedDefect& d : exposure.defects) {
    cases.push_back(d.at);
    case_stratum.push_back(strata.at(d.at));
  }
  const std::size_t count = options.controls > 0
                                ? options.controls
                                : std::clamp<std::size_t>(20 * cases.size(), 20'000, 200'000);
  auto controls = control_points(exposure.window, count, options.seed);
  if (options.set_aside) {
    const auto aside = options.set_aside(controls);
    std::size_t at = 0;
    std::erase_if(controls, [&](PointUm) { return aside[at++] != 0; });
  }
  for (const PointUm p : controls) control_stratum.push_back(strata.at(p));
  const std::vector<std::size_t> one_case(cases.size(), 0), one_control(controls.size(), 0);
  const auto groups = populations(data, exposure, options.min_class_defects);
  std::vector<FeatureRate> rates;
  for (const LayoutFeature& feature : features) {
    const auto case_exposed = exposed_points(feature, cases);
    const auto control_exposed = exposed_points(feature, controls);
    for (const Population& group : groups) {
      FeatureRate rate;
      rate.step = exposure.step;
      rate.layer = layer;
      rate.feature = feature.name;
      rate.defect_class = group.name;
      rate.places = feature.places;
      for (const std::size_t d : group.members) {
        if (case_exposed[d]) rate.exposed_defects.push_back(d);
      }
      const Tables t =
          feature.stratified
              ? tabulate(group, case_exposed, case_stratum, control_exposed, control_stratum,
                         strata.count())
              : tabulate(group, case_exposed, one_case, control_exposed, one_control, 1);
      rate.cases = static_cast<std::int64_t>(group.members.size());
      rate.cases_exposed = static_cast<std::int64_t>(rate.exposed_defects.size());
      rate.controls = static_cast<std::int64_t>(controls.size());
      rate.controls_exposed = std::llround(t.pooled.b);
      rate.dispersion = std::max(die_dispersion(exposure, rate.exposed_defects),
                                 share_dispersion(exposure, group, case_exposed));
      add_test(t, rate);
      rates.push_back(std::move(rate));
    }
  }
  return rates;
}

void correct_features(std::vector<FeatureRate>& rates) {
  std::vector<double> p;
  for (const FeatureRate& r : rates) p.push_back(r.p_value);
  const auto q = stats::benjamini_hochberg(p);
  for (std::size_t i = 0; i < rates.size(); ++i) rates[i].q_value = q[i];
  std::ranges::stable_sort(rates, [](const FeatureRate& a, const FeatureRate& b) {
    return std::tie(a.p_value, a.step, a.layer, a.feature, a.defect_class) <
           std::tie(b.p_value, b.step, b.layer, b.feature, b.defect_class);
  });
}

}  // namespace yieldloop::tracing

#include "engine/cli/trace_causes_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/cli/console.h"
#include "engine/findings/findings_json.h"
#include "engine/findings/step_defects.h"

namespace yieldloop::cli {
namespace {

using Json = nlohmann::ordered_json;

Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }
Json interval(const Interval& i) { return Json::array({number(i.low), number(i.high)}); }

Json ratio_json(double value, const Interval& ci) {
  return {{"value", number(value)}, {"ci95", interval(ci)}};
}

Json effect_json(const tracing::ColumnEffect& e) {
  Json json = {{"column", e.column}};
  if (!e.not_asked.empty()) {
    json["not_asked"] = e.not_asked;
    return json;
  }
  json["direction"] = tracing::direction_name(e.direction);
  json["p10"] = number(e.low);
  json["p90"] = number(e.high);
  json["rate_ratio"] = ratio_json(e.rate_ratio, e.rate_ratio_ci);
  json["extreme_ratio"] = ratio_json(e.extreme_ratio, e.extreme_ratio_ci);
  json["penalised_ratio"] = number(e.ridge_ratio);
  json["p_alone"] = e.p_alone;
  json["q_alone"] = e.q_alone;
  json["p_beside_accepted"] = e.p_beside;
  Json curve = Json::array();
  for (const auto& p : e.curve) {
    curve.push_back({{"share_below", p.share},
                     {"value", number(p.value)},
                     {"rate", number(p.rate)},
                     {"ci95", interval(p.rate_ci)}});
  }
  json["curve"] = std::move(curve);
  return json;
}

Json boosted_json(const findings::BoostedView& view) {
  Json columns = Json::array();
  for (const auto& c : view.columns) {
    columns.push_back({{"column", c.column}, {"shap_share", c.share}, {"low_to_high", c.low_high}});
  }
  return {{"generalises", view.generalises},
          {"gain", number(view.gain)},
          {"p_value", view.p_value},
          {"why_not", view.why_not.empty() ? Json(nullptr) : Json(view.why_not)},
          {"columns", std::move(columns)}};
}

Json regression_json(const findings::RegressionTrace& trace) {
  Json layers = Json::array();
  for (const auto& layer : trace.layers) {
    const auto& r = layer.regression;
    Json accepted = Json::array(), effects = Json::array();
    for (const auto& a : r.accepted) {
      Json rivals = Json::array();
      for (const std::size_t rival : a.rivals) rivals.push_back(r.effects[rival].column);
      accepted.push_back({{"column", r.effects[a.column].column},
                          {"p_value", a.p_value},
                          {"q_value", a.q_value},
                          {"share_of_defects", a.share_of_cases},
                          {"rivals", std::move(rivals)}});
    }
    for (const auto& e : r.effects) effects.push_back(effect_json(e));
    layers.push_back(
        {{"step", layer.step},
         {"layer", layer.layer},
         {"defects", r.cases},
         {"controls", r.controls},
         {"wafers", r.wafers},
         {"accepted", std::move(accepted)},
         {"columns", std::move(effects)},
         {"boosted_trees", layer.boosted_asked ? boosted_json(layer.boosted) : Json(nullptr)}});
  }
  return layers;
}

Json electrical_json(const tracing::ElectricalTrace& trace) {
  Json blocks = Json::array(), tests = Json::array();
  for (const auto& b : trace.blocks) {
    blocks.push_back({{"cell", b.cell},
                      {"executed", b.executed},
                      {"failed", b.failed},
                      {"expected_by_area", b.expected_by_area},
                      {"expected", b.expected}});
  }
  for (const auto& t : trace.tests) {
    tests.push_back(
        {{"cause", tracing::describe(t.cause)},
         {"subject", t.cause.subject},
         {"exposure_per_die", t.exposure},
         {"distinct_from_area", t.distinct},
         {"share", ratio_json(t.share, t.share_ci)},
         {"rate_per_opportunity", ratio_json(t.rate_per_opportunity, t.rate_per_opportunity_ci)},
         {"deviance_drop", t.deviance_drop},
         {"p_value", t.p_value},
         {"q_value", t.q_value}});
  }
  return {{"fails", trace.fails},
          {"wafers", trace.wafers},
          {"dispersion", trace.dispersion},
          {"blocks", std::move(blocks)},
          {"causes", std::move(tests)}};
}

Json kill_json(const defects::KillOverlay& overlay) {
  Json types = Json::array(), layers = Json::array();
  for (std::size_t j = 0; j < overlay.table.types.size(); ++j) {
    const auto& f = overlay.table.facets[j];
    const auto& k = overlay.result.ratios[j];
    types.push_back({{"step", f.step},
                     {"class", f.class_name},
                     {"size", f.size.empty() ? Json(nullptr) : Json(f.size)},
                     {"pattern_id", f.pattern.empty() ? Json(nullptr) : Json(f.pattern)},
                     {"die", k.die},
                     {"kill_ratio", ratio_json(k.kill, k.kill_ci)},
                     {"simple_ratio", number(k.simple)},
                     {"p_value", k.p_value},
                     {"q_value", k.q_value},
                     {"die_lost_expected", k.die_lost},
                     {"die_lost", k.die_shared}});
  }
  for (const auto& layer : overlay.layers) {
    layers.push_back({{"step", layer.step.empty() ? Json(nullptr) : Json(layer.step)},
                      {"die_lost_expected", layer.die_lost},
                      {"die_lost", layer.die_shared}});
  }
  return {{"die", overlay.die},
          {"die_lost", overlay.die_lost},
          {"types", std::move(types)},
          {"by_step", std::move(layers)}};
}

/// Which traced pattern each defect lies at; the first that holds it.
std::vector<std::string> patterns_of(const session::Analysis& analysis,
                                     const layout::FlatView& view,
                                     const findings::LayoutTrace& trace) {
  const FabData& data = analysis.fab.data;
  std::vector<std::string> pattern(data.defects.size());
  for (const auto& p : trace.patterns) {
    const auto exposure = findings::located_defects(data, view, p.step, {}, trace.registrations);
    if (!exposure) continue;
    const auto near = findings::near_places(p.places, p.reach_um, findings::points_of(*exposure));
    for (std::size_t d = 0; d < near.size(); ++d) {
      std::string& at = pattern[exposure->defects[d].defect];
      if (near[d] && at.empty()) at = p.pattern_id;
    }
  }
  return pattern;
}

/// Tertiles of the defects' sizes, two figures each; none when sizes do not differ.
std::vector<double> size_edges(const FabData& data) {
  std::vector<double> sizes;
  for (const Defect& d : data.defects) {
    if (d.size_um > 0.0) sizes.push_back(d.size_um);
  }
  std::ranges::sort(sizes);
  std::vector<double> edges;
  for (const double share : {1.0 / 3.0, 2.0 / 3.0}) {
    if (sizes.empty()) break;
    const double v = sizes[static_cast<std::size_t>(share * static_cast<double>(sizes.size() - 1))];
    const double unit = std::pow(10.0, std::floor(std::log10(v)) - 1.0);
    const double edge = std::round(v / unit) * unit;
    if (edge > sizes.front() && (edges.empty() || edge > edges.back())) edges.push_back(edge);
  }
  return edges;
}

Status or_caveat(const Error& error, TraceCauses& causes) {
  if (error.code == Errc::kCancelled) return error;
  causes.caveats.push_back(error.message);
  return Ok{};
}

void join(findings::FamilyResult family, TraceCauses& causes) {
  for (auto& c : family.candidates) causes.candidates.push_back(std::move(c));
  for (auto& u : family.undecided) causes.undecided.push_back(std::move(u));
  for (auto& c : family.caveats) causes.caveats.push_back(std::move(c));
}

std::string regression_text(const findings::RegressionTrace& trace) {
  std::string out;
  for (const auto& layer : trace.layers) {
    const auto& r = layer.regression;
    out += fmt::format("\nContinuous causes, {} on {}: {} defects, {} control points, {} wafers\n",
                       layer.step, layer.layer, r.cases, r.controls, r.wafers);
    std::vector<std::vector<std::string>> rows;
    for (const auto& e : r.effects) {
      if (!e.not_asked.empty()) continue;
      rows.push_back({e.column, fmt::format("{:.3g} to {:.3g}", e.low, e.high),
                      fmt::format("{:.2f}", e.rate_ratio),
                      fmt::format("{:.2f} to {:.2f}", e.rate_ratio_ci.low, e.rate_ratio_ci.high),
                      tracing::direction_name(e.direction), fmt::format("{:.2g}", e.q_alone),
                      fmt::format("{:.2g}", e.p_beside)});
    }
    out += text_table({"column", "10th to 90th percentile", "rate ratio", "95 % interval", "rate",
                       "q alone", "p beside"},
                      rows);
    if (layer.boosted_asked) {
      out += layer.boosted.generalises
                 ? fmt::format("Boosted trees generalise (p {:.2g}); most credit: {}.\n",
                               layer.boosted.p_value, layer.boosted.columns.front().column)
                 : "Boosted trees abstain: " + layer.boosted.why_not + "\n";
    }
  }
  return out;
}

std::string electrical_text(const tracing::ElectricalTrace& trace) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& b : trace.blocks) {
    rows.push_back({b.cell, fmt::format("{}", b.executed), fmt::format("{}", b.failed),
                    fmt::format("{:.1f}", b.expected_by_area), fmt::format("{:.1f}", b.expected)});
  }
  return fmt::format("\nElectrical fails by block ({} fails on {} wafers)\n", trace.fails,
                     trace.wafers) +
         text_table({"block", "tested", "failed", "by area", "explained"}, rows);
}

std::string kill_text(const defects::KillOverlay& overlay) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& k : overlay.result.ratios) {
    rows.push_back({k.type, fmt::format("{}", k.die), fmt::format("{:.2f}", k.kill),
                    fmt::format("{:.2f} to {:.2f}", k.kill_ci.low, k.kill_ci.high),
                    fmt::format("{:.1f}", k.die_shared)});
  }
  return fmt::format("\nKill ratios ({} die inspected and tested, {} lost)\n", overlay.die,
                     overlay.die_lost) +
         text_table({"defects", "die", "kill", "95 % interval", "die lost"}, rows);
}

}  // namespace

Result<TraceCauses> trace_causes(const session::Analysis& analysis, const layout::FlatView& view,
                                 const findings::LayoutTrace& trace,
                                 const findings::LayoutCauseOptions& options,
                                 const CauseSections& sections, Progress& progress) {
  TraceCauses causes;
  const FabData& data = analysis.fab.data;
  if (sections.all() || sections.regression || sections.interactions) {
    const findings::RegressionCauseOptions wanted{.alpha = options.alpha,
                                                  .seed = options.seed,
                                                  .boosted_always = sections.regression,
                                                  .step = options.step,
                                                  .layer = options.layer};
    auto regression = findings::trace_regression(data, view, &trace, wanted, progress);
    if (regression) {
      causes.has_regression = true;
      causes.regression = std::move(*regression);
      join(findings::regression_causes(causes.regression, wanted), causes);
    } else {
      YL_TRY(or_caveat(regression.error(), causes));
    }
  }
  if (sections.all() || sections.interactions) {
    auto found = findings::interaction_causes(
        data, view,
        findings::traced_sides(trace, causes.has_regression ? &causes.regression : nullptr,
                               options.alpha),
        {.alpha = options.alpha}, progress);
    if (found) {
      join(std::move(*found), causes);
    } else {
      YL_TRY(or_caveat(found.error(), causes));
    }
  }
  if (sections.all() || sections.electrical) {
    auto electrical =
        findings::trace_electrical(data, view, analysis.block_tests, options.alpha, progress);
    if (electrical) {
      causes.has_electrical = true;
      causes.electrical = std::move(*electrical);
      join(findings::electrical_causes(causes.electrical, options.alpha), causes);
    } else {
      YL_TRY(or_caveat(electrical.error(), causes));
    }
    auto kill = defects::kill_overlay(data, {.step = options.step,
                                             .min_die = 30,
                                             .by_step = true,
                                             .size_edges_um = size_edges(data),
                                             .pattern = patterns_of(analysis, view, trace),
                                             .most_types = 12});
    if (kill) {
      causes.has_kill = true;
      causes.kill = std::move(*kill);
    } else {
      YL_TRY(or_caveat(kill.error(), causes));
    }
  }
  return causes;
}

std::string causes_json(const TraceCauses& causes) {
  Json undecided = Json::array();
  for (const Undecided& u : causes.undecided) {
    undecided.push_back({{"candidates", u.candidates},
                         {"why", u.why},
                         {"deciding_experiment", u.deciding_experiment}});
  }
  Json json = {
      {"regression", causes.has_regression ? regression_json(causes.regression) : Json(nullptr)},
      {"electrical", causes.has_electrical ? electrical_json(causes.electrical) : Json(nullptr)},
      {"kill_ratios", causes.has_kill ? kill_json(causes.kill) : Json(nullptr)},
      {"undecided", std::move(undecided)}};
  return json.dump();
}

std::string causes_text(const TraceCauses& causes) {
  std::string out;
  if (causes.has_regression) out += regression_text(causes.regression);
  if (causes.has_electrical) out += electrical_text(causes.electrical);
  if (causes.has_kill) out += kill_text(causes.kill);
  for (const Undecided& u : causes.undecided) out += fmt::format("\nUndecided: {}\n", u.why);
  for (const std::string& caveat : causes.caveats) out += " - " + caveat + "\n";
  return out;
}

}  // namespace yieldloop::cli

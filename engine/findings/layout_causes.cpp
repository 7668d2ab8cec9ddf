#include "engine/findings/layout_causes.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace yieldloop::findings {
namespace {

using tracing::DieLink;
using tracing::FeatureRate;
using tracing::GapKind;
using tracing::TracedPattern;
using tracing::ViaTrace;

std::string_view gap_feature(GapKind kind) {
  switch (kind) {
    case GapKind::kSide: return "narrow_space";
    case GapKind::kLineEnd: return "line_end_gap";
    case GapKind::kCorner: break;
  }
  return "corner_gap";
}

/// The cell that draws at nearly all of the places; empty when there is no such cell.
std::string cell_of(const layout::FlatView& view, const Product& product,
                    const std::vector<LayoutLocation>& locations) {
  constexpr std::size_t kAsked = 200;
  const double dbu = view.layout().dbu_um();
  std::map<layout::CellIndex, std::size_t> votes;
  const std::size_t asked = std::min(kAsked, locations.size());
  for (std::size_t i = 0; i < asked; ++i) {
    const LayoutLocation& l = locations[i * locations.size() / asked];
    const auto layer = std::ranges::find(product.layers, l.layer, &ProductLayer::name);
    if (layer == product.layers.end()) return {};
    const auto index = view.layout().find_layer({layer->gds_layer, layer->gds_datatype});
    if (!index) return {};
    const auto box =
        tracing::to_dbu({l.x_um, l.y_um, l.x_um + l.w_um, l.y_um + l.h_um}, dbu).enlarged(1);
    std::map<layout::CellIndex, int> drawn_here;
    view.for_each_shape(*index, box,
                        [&](const layout::FlatShape& shape) { ++drawn_here[shape.cell]; });
    for (const auto& [cell, n] : drawn_here) ++votes[cell];
  }
  for (const auto& [cell, n] : votes) {
    if (cell != view.top() && static_cast<double>(n) >= 0.9 * static_cast<double>(asked)) {
      return view.layout().cell(cell).name;
    }
  }
  return {};
}

void add_die_effect(const DieLink& die, Finding& f) {
  if (!die.known) return;
  f.die_per_wafer = die.die_per_wafer;
  f.die_per_wafer_ci = die.die_per_wafer_ci;
  f.loss_die_total = die.loss_die_total;
  f.evidence.push_back({.analysis = "defect_to_bin",
                        .test = "fails of die with the defects against die without, within wafers",
                        .n = {die.die_with, die.die_without},
                        .p_value = die.p_value,
                        .detail = {{"kill_ratio", die.kill},
                                   {"kill_low", die.kill_ci.low},
                                   {"kill_high", die.kill_ci.high}}});
}

/// "9.3", "412", "more than 1000": digits that mean something.
std::string times_text(double ratio) {
  if (ratio > 1000.0) return "more than 1000";
  return ratio >= 100.0 ? fmt::format("{:.0f}", ratio) : fmt::format("{:.1f}", ratio);
}

std::string cost_text(const DieLink& die) {
  if (!die.known) return "what they cost at test is not known yet";
  return "they cost " + loss_text(die.die_per_wafer, die.die_per_wafer_ci);
}

Candidate candidate_of(const TracedPattern& p, const FabData& data, const layout::FlatView& view) {
  Candidate c;
  c.family = fmt::format("pattern classes of {} at {}", p.layer, p.step);
  c.wafers = p.die.wafers;
  Finding& f = c.finding;
  f.kind = "layout_pattern";
  f.subject = {{"step", p.step},
               {"layer", p.layer},
               {"pattern_id", p.pattern_id},
               {"feature", std::string(gap_feature(p.kind))}};
  const std::string cell = cell_of(view, data.product, p.locations);
  if (!cell.empty()) f.subject["cell"] = cell;
  std::string kind(gap_feature(p.kind));
  std::ranges::replace(kind, '_', ' ');
  f.statement = fmt::format(
      "Pattern {} on {} ({} of {:.3g} um{}, {} places a die) draws {} times the defects of its "
      "surroundings; {}",
      p.pattern_id, p.layer, kind, p.space_um, cell.empty() ? "" : " in cell " + cell,
      p.occurrences, times_text(p.rate_ratio), cost_text(p.die));
  f.q_value = p.q_value;
  f.confidence = std::clamp(1.0 - p.q_value, 0.0, 1.0);
  f.locations = p.locations;
  f.locations_total = p.occurrences;
  f.rate_per_opportunity = p.rate_per_opportunity;
  f.rate_per_opportunity_ci = p.rate_per_opportunity_ci;
  f.rate_ratio = p.rate_ratio;
  f.rate_ratio_ci = p.rate_ratio_ci;
  f.attributable_defects = p.attributable;
  f.evidence.push_back({.analysis = "pattern_trace",
                        .test = "likelihood ratio of the blurred pattern against background",
                        .n = {p.defects, p.occurrences},
                        .p_value = p.p_value,
                        .detail = {{"expected", p.expected},
                                   {"reach_um", p.reach_um},
                                   {"position_sigma_um", p.position_sigma_um},
                                   {"likelihood_ratio", p.statistic},
                                   {"space_um", p.space_um},
                                   {"dispersion", p.dispersion}}});
  add_die_effect(p.die, f);
  return c;
}

Candidate candidate_of(const ViaTrace& v, double q) {
  Candidate c;
  c.family = "via layers";
  c.wafers = v.die.wafers;
  Finding& f = c.finding;
  f.kind = "via";
  f.subject = {{"step", v.step}, {"layer", v.layer}, {"feature", "single_via"}};
  f.statement = fmt::format(
      "Single {} vias fail {} times as often as doubled ones ({} single cuts a die); {}", v.layer,
      times_text(v.single_to_double), v.single.cuts, cost_text(v.die));
  f.q_value = q;
  f.confidence = std::clamp(1.0 - q, 0.0, 1.0);
  f.locations = v.locations;
  f.locations_total = v.single.cuts;
  f.rate_per_opportunity = v.single.rate_per_cut;
  f.rate_per_opportunity_ci = v.single.rate_per_cut_ci;
  f.rate_ratio = v.single.rate_ratio;
  const double scale = v.single.expected > 0.0 ? 1.0 / v.single.expected : 0.0;
  f.rate_ratio_ci = {1.0 + v.single.attributable_ci.low * scale,
                     1.0 + v.single.attributable_ci.high * scale};
  f.attributable_defects = v.single.attributable;
  f.evidence.push_back({.analysis = "via_trace",
                        .test = "defects at single against doubled cuts, exact conditional",
                        .n = {v.single.defects, v.doubled.defects},
                        .p_value = v.p_value,
                        .detail = {{"single_to_double", v.single_to_double},
                                   {"single_cuts", static_cast<double>(v.single.cuts)},
                                   {"doubled_cuts", static_cast<double>(v.doubled.cuts)},
                                   {"rate_per_single_cut", v.single.rate_per_cut},
                                   {"rate_per_doubled_cut", v.doubled.rate_per_cut}}});
  add_die_effect(v.die, f);
  return c;
}

Candidate candidate_of(const FeatureRate& r) {
  Candidate c;
  c.family = "layout features";
  Finding& f = c.finding;
  f.kind = "layout_feature";
  f.subject = {{"step", r.step}, {"layer", r.layer}, {"feature", r.feature}};
  if (!r.defect_class.empty()) f.subject["parameter"] = r.defect_class;
  std::string words = r.feature;
  std::ranges::replace(words, '_', ' ');
  f.statement = fmt::format("Defects of {}{} fall {} times as often at {} of {} as elsewhere",
                            r.step, r.defect_class.empty() ? "" : " (class " + r.defect_class + ")",
                            times_text(r.rate_ratio), words, r.layer);
  f.q_value = r.q_value;
  f.confidence = std::clamp(1.0 - r.q_value, 0.0, 1.0);
  f.rate_ratio = r.rate_ratio;
  f.rate_ratio_ci = r.rate_ratio_ci;
  f.attributable_defects = r.attributable;
  f.evidence.push_back({.analysis = "case_control",
                        .test = "Cochran-Mantel-Haenszel over strata of density",
                        .n = {r.cases_exposed, r.cases},
                        .p_value = r.p_value,
                        .detail = {{"controls", static_cast<double>(r.controls)},
                                   {"controls_exposed", static_cast<double>(r.controls_exposed)},
                                   {"dispersion", r.dispersion}}});
  return c;
}

}  // namespace

namespace {

/// Where the tools' frames were put before a step's defects were traced.
void add_registrations(const LayoutTrace& trace, const std::string& step, Finding& f) {
  for (const StepRegistration& r : trace.registrations) {
    if (r.step != step || r.registration.verdict != tracing::RegistrationVerdict::kMoved) continue;
    const tracing::Alignment& at = r.registration.best.alignment;
    f.evidence.push_back(
        {.analysis = "registration",
         .test = "likelihood of the defects of " + r.tool + " against the layout's places",
         .n = {r.registration.defects},
         .p_value = r.registration.p_value,
         .detail = {{"shift_x_um", at.shift.x},
                    {"shift_y_um", at.shift.y},
                    {"rotation_urad", 1e6 * at.rotation},
                    {"scale_ppm", 1e6 * at.scale},
                    {"over_header", r.registration.over_header},
                    {"over_second", r.registration.over_second}}});
  }
}

}  // namespace

FamilyResult layout_causes(const FabData& data, const layout::FlatView& view,
                           const LayoutTrace& trace, const LayoutCauseOptions& options) {
  FamilyResult family;
  family.caveats = trace.caveats;
  family.expected_false = options.alpha * (1.0 + (trace.vias.empty() ? 0.0 : 1.0) +
                                           (trace.features.empty() ? 0.0 : 1.0));
  bool single_vias_found = false;
  for (const TracedPattern& p : trace.patterns) {
    family.candidates.push_back(candidate_of(p, data, view));
    add_registrations(trace, p.step, family.candidates.back().finding);
  }
  for (std::size_t i = 0; i < trace.vias.size(); ++i) {
    const ViaTrace& v = trace.vias[i];
    if (trace.via_q[i] > options.alpha || v.single_to_double <= 1.0) continue;
    family.candidates.push_back(candidate_of(v, trace.via_q[i]));
    add_registrations(trace, v.step, family.candidates.back().finding);
    single_vias_found = true;
  }
  // The strongest feature of a step and layer speaks for the others, which overlap it.
  std::set<std::pair<std::string, std::string>> said;
  for (const FeatureRate& r : trace.features) {
    if (r.q_value > options.alpha || r.rate_ratio_ci.low < 1.0 ||
        r.rate_ratio < options.min_rate_ratio)
      continue;
    if (single_vias_found && r.feature.find("via") != std::string::npos) continue;
    if (!said.emplace(r.step, r.layer).second) continue;
    family.candidates.push_back(candidate_of(r));
  }
  return family;
}

}  // namespace yieldloop::findings

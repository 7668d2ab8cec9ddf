#include "engine/findings/test_causes.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "engine/core/die_outcomes.h"
#include "engine/process/defect_repeater.h"
#include "engine/process/retest_recovery.h"
#include "engine/process/reticle_repeater.h"
#include "engine/process/test_site.h"
#include "engine/stats/distributions.h"

namespace yieldloop::findings {
namespace {

using process::ReticleName;
using process::ReticleRepeater;
using process::SiteResult;

int floor_mod(int value, int modulus) { return ((value % modulus) + modulus) % modulus; }

std::string percent(double share) { return fmt::format("{:.1f} %", 100.0 * share); }

/// What the site costs after retest: final fails of the die it touched first beyond the rate of
/// the wafer's other die, mean over its wafers with Student's t.
struct FinalCost {
  double die_per_wafer = 0.0;
  Interval ci;
};

FinalCost final_cost(const SiteResult& site, const FabData& data) {
  const std::set<WaferId> wafers(site.on_wafers.begin(), site.on_wafers.end());
  std::set<std::pair<WaferId, DieIndex>> touched;
  for (const DieResult& die : data.die_results) {
    if (die.first_pass && die.site == site.site && wafers.contains(die.wafer))
      touched.emplace(die.wafer, die.die);
  }
  struct Count {
    double die[2] = {0, 0}, fails[2] = {0, 0};
  };
  std::map<WaferId, Count> counts;
  for (const DieOutcome& die : die_outcomes(data)) {
    if (!wafers.contains(die.wafer)) continue;
    const std::size_t at = touched.contains({die.wafer, die.die}) ? 1 : 0;
    counts[die.wafer].die[at] += 1;
    counts[die.wafer].fails[at] += die.pass ? 0 : 1;
  }
  std::vector<double> lost;
  for (const auto& [wafer, c] : counts) {
    if (c.die[0] > 0 && c.die[1] > 0) lost.push_back(c.fails[1] - c.die[1] * c.fails[0] / c.die[0]);
  }
  if (lost.size() < 3) return {site.die_per_wafer, site.die_per_wafer_ci};
  const auto n = static_cast<double>(lost.size());
  const double mean = std::accumulate(lost.begin(), lost.end(), 0.0) / n;
  double squares = 0.0;
  for (const double x : lost) squares += (x - mean) * (x - mean);
  const double half = stats::student_t_quantile(0.975, n - 1) * std::sqrt(squares / (n - 1) / n);
  return {-mean, {-mean - half, -mean + half}};
}

/// A small difference of a site may come from where on the wafer it lands. It must be large, and
/// where enough of its fails were tested elsewhere, more of them must have passed there than is
/// usual.
bool is_supported(const SiteResult& site) {
  constexpr double kLeastRatio = 1.2;
  constexpr std::int64_t kEnoughRetests = 20;
  if (site.fail_rate < kLeastRatio * site.background_rate) return false;
  return site.retested_elsewhere < kEnoughRetests || site.retest_p_value < 0.01;
}

/// A defect that a reticle prints kills at least this share of the die it falls on; less than that
/// is what is left of something else, or chance.
constexpr double kLeastRepeat = 0.03;

Candidate candidate_of(const SiteResult& site, const FabData& data, const std::string& family) {
  Candidate c;
  c.family = family;
  c.wafers = site.on_wafers;
  Finding& f = c.finding;
  f.kind = "test_artefact";
  f.subject["site"] = std::to_string(site.site);
  if (site.insertion != NameId{}) f.subject["insertion"] = data.names[site.insertion];
  if (site.probe_card != NameId{}) f.subject["probe_card"] = data.names[site.probe_card];
  const FinalCost cost = final_cost(site, data);
  const std::string card =
      site.probe_card == NameId{} ? "" : " of probe card " + data.names[site.probe_card];
  f.statement = fmt::format(
      "Site {}{} fails {} of the die it touches first, where its neighbours fail {}: a "
      "test artefact that costs {} after retest",
      site.site, card, percent(site.fail_rate), percent(site.background_rate),
      loss_text(cost.die_per_wafer, cost.ci));
  f.die_per_wafer = cost.die_per_wafer;
  f.die_per_wafer_ci = cost.ci;
  f.loss_die_total =
      std::max(0.0, -cost.die_per_wafer * static_cast<double>(site.on_wafers.size()));
  f.q_value = site.q_value;
  f.confidence = site.confidence;
  f.evidence.push_back(
      {.analysis = "test_site",
       .test = "fails within wafer and ring, and against neighbours of other sites",
       .n = {site.die, site.wafers},
       .p_value = site.p_value,
       .detail = {{"fail_rate", site.fail_rate},
                  {"background_rate", site.background_rate},
                  {"die_per_wafer_first_pass", site.die_per_wafer},
                  {"z", site.z}}});
  if (site.retested_elsewhere > 0) {
    f.evidence.push_back({.analysis = "retest",
                          .test = "fails of the site that pass on another, Fisher",
                          .n = {site.recovered_elsewhere, site.retested_elsewhere},
                          .p_value = site.retest_p_value,
                          .detail = {}});
  }
  return c;
}

std::map<std::string, std::string> card_subject(NameId insertion, NameId card, NameId tester,
                                                const FabData& data) {
  std::map<std::string, std::string> subject;
  if (insertion != NameId{}) subject["insertion"] = data.names[insertion];
  if (card != NameId{}) subject["probe_card"] = data.names[card];
  if (tester != NameId{}) subject["tester"] = data.names[tester];
  return subject;
}

std::string wear_text(const process::Misreader& m) {
  if (m.wear_p_value > 0.05) return {};
  return fmt::format(", from {} on its first lot to {} on its last", percent(m.first_share),
                     percent(m.last_share));
}

Candidate candidate_of(const process::Misreader& m, const FabData& data,
                       const std::string& family) {
  Candidate c;
  c.family = family;
  c.wafers = m.on_wafers;
  Finding& f = c.finding;
  f.kind = "test_artefact";
  f.subject = card_subject(m.insertion, m.probe_card, m.tester, data);
  const std::string what = m.probe_card != NameId{} ? "Probe card " + data.names[m.probe_card]
                                                    : "Tester " + data.names[m.tester];
  f.statement = fmt::format(
      "{} fails {} of the die it touches first that pass when tested again, where others fail "
      "{}{}: a test artefact that costs {} after retest",
      what, percent(m.recovered_share), percent(m.background_share), wear_text(m),
      loss_text(m.die_per_wafer, m.die_per_wafer_ci));
  f.die_per_wafer = m.die_per_wafer;
  f.die_per_wafer_ci = m.die_per_wafer_ci;
  f.loss_die_total = std::max(0.0, -m.die_per_wafer * static_cast<double>(m.on_wafers.size()));
  f.q_value = m.q_value;
  f.confidence = std::clamp(1.0 - m.q_value, 0.0, 1.0);
  f.evidence.push_back({.analysis = "retest",
                        .test = "share of good die misread at first touch, lots exchanged",
                        .n = {m.recovered, m.die, m.lots, m.other_lots},
                        .p_value = m.p_value,
                        .detail = {{"recovered_share", m.recovered_share},
                                   {"background_share", m.background_share}}});
  f.evidence.push_back({.analysis = "wear",
                        .test = "growth with the order of touching, over lots and within them",
                        .n = {m.lots},
                        .p_value = m.wear_p_value,
                        .detail = {{"first_lot", m.first_share}, {"last_lot", m.last_share}}});
  for (const auto& [card, tester] : m.same_lots)
    f.confounded_with.push_back(card_subject(m.insertion, card, tester, data));
  return c;
}

std::map<std::string, std::string> reticle_subject(const ReticleName& name, const FabData& data) {
  return {{"step", data.names[name.step]}, {"reticle", data.names[name.reticle]}};
}

std::string layer_of_step(const FabData& data, NameId step) {
  for (const StepRun& run : data.step_runs) {
    if (run.step == step && run.layer != NameId{}) return data.names[run.layer];
  }
  return {};
}

/// The repeater as defects, where an inspection saw it: most hits first.
std::vector<process::DefectRepeater> seen_as_defects(
    const ReticleRepeater& r, const std::vector<process::DefectRepeater>& all) {
  const std::set<WaferId> wafers(r.wafers.begin(), r.wafers.end());
  std::vector<process::DefectRepeater> seen;
  for (const auto& d : all) {
    if (d.field_x != r.field_x || d.field_y != r.field_y) continue;
    const auto inside =
        std::ranges::count_if(d.wafers, [&](WaferId w) { return wafers.contains(w); });
    if (static_cast<double>(inside) >= 0.8 * static_cast<double>(d.wafers.size()))
      seen.push_back(d);
  }
  std::ranges::stable_sort(seen, std::greater{}, &process::DefectRepeater::hits);
  return seen;
}

/// Reticles that printed the same wafers are told apart by the inspection that sees the defect: it
/// looks at the layer of one of them. Returns the number of candidates left.
std::size_t settle_by_inspection(const FabData& data,
                                 const std::vector<process::DefectRepeater>& seen,
                                 ReticleRepeater& r) {
  if (r.candidates.empty()) return 0;
  for (const auto& d : seen) {
    std::set<std::string> layers;
    for (const InspectionLayers& i : data.product.inspections) {
      if (i.step == data.names[d.step]) layers.insert(i.layers.begin(), i.layers.end());
    }
    std::vector<ReticleName> fitting;
    for (const ReticleName& c : r.candidates) {
      if (layers.contains(layer_of_step(data, c.step))) fitting.push_back(c);
    }
    if (fitting.empty()) continue;
    r.reticle = fitting.front();
    r.candidates = std::move(fitting);
    break;
  }
  return r.candidates.size();
}

Candidate candidate_of(const ReticleRepeater& r, const std::vector<process::DefectRepeater>& seen,
                       const FabData& data, const std::string& family) {
  const bool named = r.reticle.reticle != NameId{};
  Candidate c;
  c.family = family;
  c.wafers = r.wafers;
  Finding& f = c.finding;
  f.kind = named ? "reticle" : "repeater";
  if (named) f.subject = reticle_subject(r.reticle, data);
  f.subject["field_x"] = std::to_string(r.field_x);
  f.subject["field_y"] = std::to_string(r.field_y);
  const std::string whose =
      named ? fmt::format("Reticle {} at {} prints a repeating defect",
                          data.names[r.reticle.reticle], data.names[r.reticle.step])
            : std::string("A repeating defect prints");
  f.statement = fmt::format(
      "{} at field position ({}, {}): die there fail {} of the time instead of {} and cost {}",
      whose, r.field_x, r.field_y, percent(r.fail_rate), percent(r.background_rate),
      loss_text(r.die_per_wafer, r.die_per_wafer_ci));
  f.die_per_wafer = r.die_per_wafer;
  f.die_per_wafer_ci = r.die_per_wafer_ci;
  f.loss_die_total = std::max(0.0, -r.die_per_wafer * static_cast<double>(r.wafers.size()));
  f.q_value = r.q_value;
  f.confidence = std::clamp(1.0 - r.q_value, 0.0, 1.0);
  f.evidence.push_back(
      {.analysis = "reticle_repeater",
       .test = "fails at the field position within wafer and ring, and over fields",
       .n = {r.die, r.fields_hit, r.fields},
       .p_value = r.p_value,
       .detail = {{"fail_rate", r.fail_rate},
                  {"background_rate", r.background_rate},
                  {"contrast_z", r.contrast_z},
                  {"leading_hard_bin", static_cast<double>(r.leading_bin)}}});
  const std::string layer = named ? layer_of_step(data, r.reticle.step) : std::string();
  if (!layer.empty()) f.subject["layer"] = layer;
  for (const auto& d : seen) {
    f.evidence.push_back(
        {.analysis = "defect_repeater",
         .test = fmt::format(
             "defects of {} at one place of the field, against background and other die",
             data.names[d.step]),
         .n = {d.hits, d.exposures},
         .p_value = d.p_value,
         .detail = {{"x_in_die_um", d.x_um}, {"y_in_die_um", d.y_um}, {"expected", d.expected}}});
  }
  for (const ReticleName& other : r.candidates) {
    if (other != r.reticle) f.confounded_with.push_back(reticle_subject(other, data));
  }
  return c;
}

Undecided undecided_reticles(const ReticleRepeater& r, const FabData& data) {
  Undecided u{
      .why = "These reticles printed the same wafers, so the repeater may be on any of them.",
      .deciding_experiment =
          "Inspect the field position on the reticles, or print two lots with only one of them "
          "changed."};
  for (const ReticleName& candidate : r.candidates)
    u.candidates.push_back(reticle_subject(candidate, data));
  return u;
}

void append(FamilyResult part, FamilyResult& family) {
  for (Candidate& c : part.candidates) family.candidates.push_back(std::move(c));
  for (Undecided& u : part.undecided) family.undecided.push_back(std::move(u));
  family.expected_false += part.expected_false;
}

/// By p; where both are beyond what doubles hold, by how much more often the die fail.
bool is_surer(const process::ReticleRepeaterResult& repeaters,
              const process::TestSiteResult& sites) {
  if (repeaters.repeaters.empty()) return false;
  const ReticleRepeater& r = repeaters.repeaters.front();
  const SiteResult& s = sites.sites.front();
  if (r.p_value != s.p_value) return r.p_value < s.p_value;
  return r.fail_rate - r.background_rate > s.fail_rate - s.background_rate;
}

}  // namespace

Result<FamilyResult> site_causes(const PlaceCauseOptions& options, FabData& rest) {
  FamilyResult family;
  const auto result = process::test_sites(rest, {.alpha = options.alpha});
  if (!result) {
    if (result.error().code != Errc::kNoData) return result.error();
    return family;
  }
  family.expected_false = options.alpha;
  for (const SiteResult& site : result->sites) {
    if (!site.artefact || site.die_per_wafer_ci.high >= 0.0 || !is_supported(site)) continue;
    family.candidates.push_back(candidate_of(site, rest, result->family_text));
    const std::set<WaferId> wafers(site.on_wafers.begin(), site.on_wafers.end());
    std::set<std::pair<WaferId, DieIndex>> touched;
    for (const DieResult& die : rest.die_results) {
      const bool same = die.site == site.site && die.probe_card == site.probe_card &&
                        die.insertion == site.insertion && wafers.contains(die.wafer);
      if (same) touched.emplace(die.wafer, die.die);
    }
    std::erase_if(rest.die_results, [&](const DieResult& die) {
      return touched.contains({die.wafer, die.die});
    });
  }
  return family;
}

Result<FamilyResult> card_causes(const FabData& data, const PlaceCauseOptions& options) {
  FamilyResult family;
  const auto result = process::retest_recovery(data, {.alpha = options.alpha});
  if (!result) {
    if (result.error().code != Errc::kNoData) return result.error();
    return family;
  }
  family.expected_false = options.alpha;
  for (const process::Misreader& m : result->misreaders)
    family.candidates.push_back(candidate_of(m, data, result->family_text));
  return family;
}

Result<FamilyResult> reticle_causes(const PlaceCauseOptions& options, FabData& rest) {
  FamilyResult family;
  const auto result = process::reticle_repeaters(rest, {.alpha = options.alpha});
  if (!result) {
    if (result.error().code != Errc::kNoData) return result.error();
    return family;
  }
  family.expected_false = options.alpha;
  const auto defects = result->repeaters.empty()
                           ? Result<process::DefectRepeaterResult>(process::DefectRepeaterResult{})
                           : process::defect_repeaters(rest, {.alpha = options.alpha});
  for (ReticleRepeater r : result->repeaters) {
    if (r.die_per_wafer_ci.high >= 0.0 || r.fail_rate - r.background_rate < kLeastRepeat) continue;
    const auto seen =
        defects ? seen_as_defects(r, defects->repeaters) : std::vector<process::DefectRepeater>{};
    const std::size_t left = settle_by_inspection(rest, seen, r);
    family.candidates.push_back(candidate_of(r, seen, rest, result->family_text));
    if (left > 1) family.undecided.push_back(undecided_reticles(r, rest));
    const std::set<WaferId> wafers(r.wafers.begin(), r.wafers.end());
    const Product& p = rest.product;
    std::erase_if(rest.die_results, [&](const DieResult& die) {
      return floor_mod(die.die.x - p.reticle_origin.x, p.reticle_columns) == r.field_x &&
             floor_mod(die.die.y - p.reticle_origin.y, p.reticle_rows) == r.field_y &&
             wafers.contains(die.wafer);
    });
  }
  return family;
}

Result<FamilyResult> place_causes(const PlaceCauseOptions& options, FabData& rest) {
  const auto sites = process::test_sites(rest, {.alpha = options.alpha});
  const auto repeaters = process::reticle_repeaters(rest, {.alpha = options.alpha});
  FamilyResult family;
  const auto ask_sites = [&]() -> Status {
    YL_ASSIGN(auto part, site_causes(options, rest));
    append(std::move(part), family);
    return Ok{};
  };
  const auto ask_repeaters = [&]() -> Status {
    YL_ASSIGN(auto part, reticle_causes(options, rest));
    append(std::move(part), family);
    return Ok{};
  };
  if (sites && repeaters && is_surer(*repeaters, *sites)) {
    YL_TRY(ask_repeaters());
    YL_TRY(ask_sites());
  } else {
    YL_TRY(ask_sites());
    YL_TRY(ask_repeaters());
  }
  return family;
}

}  // namespace yieldloop::findings

#include "engine/findings/test_causes.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/process/reticle_repeater.h"
#include "engine/process/test_site.h"

namespace yieldloop::findings {
namespace {

using process::ReticleName;
using process::ReticleRepeater;
using process::SiteResult;

int floor_mod(int value, int modulus) { return ((value % modulus) + modulus) % modulus; }

std::string percent(double share) { return fmt::format("{:.1f} %", 100.0 * share); }

Candidate candidate_of(const SiteResult& site, const FabData& data, const std::string& family) {
  Candidate c;
  c.family = family;
  c.wafers = site.on_wafers;
  Finding& f = c.finding;
  f.kind = "test_artefact";
  f.subject["site"] = std::to_string(site.site);
  if (site.insertion != NameId{}) f.subject["insertion"] = data.names[site.insertion];
  if (site.probe_card != NameId{}) f.subject["probe_card"] = data.names[site.probe_card];
  const std::string card = site.probe_card == NameId{} ? "" : " of probe card " + data.names[site.probe_card];
  f.statement = fmt::format("Site {}{} fails {} of the die it touches first, where its neighbours fail {}: a "
                            "test artefact that costs {}",
                            site.site, card, percent(site.fail_rate), percent(site.background_rate),
                            loss_text(site.die_per_wafer, site.die_per_wafer_ci));
  f.die_per_wafer = site.die_per_wafer;
  f.die_per_wafer_ci = site.die_per_wafer_ci;
  f.loss_die_total = std::max(0.0, -site.die_per_wafer * static_cast<double>(site.on_wafers.size()));
  f.q_value = site.q_value;
  f.confidence = site.confidence;
  f.evidence.push_back({.analysis = "test_site",
                        .test = "fails within wafer and ring, and against neighbours of other sites",
                        .n = {site.die, site.wafers},
                        .p_value = site.p_value,
                        .detail = {{"fail_rate", site.fail_rate},
                                   {"background_rate", site.background_rate},
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

std::map<std::string, std::string> reticle_subject(const ReticleName& name, const FabData& data) {
  return {{"step", data.names[name.step]}, {"reticle", data.names[name.reticle]}};
}

Candidate candidate_of(const ReticleRepeater& r, const FabData& data, const std::string& family) {
  const bool named = r.reticle.reticle != NameId{};
  Candidate c;
  c.family = family;
  c.wafers = r.wafers;
  Finding& f = c.finding;
  f.kind = named ? "reticle" : "repeater";
  if (named) f.subject = reticle_subject(r.reticle, data);
  f.subject["field_x"] = std::to_string(r.field_x);
  f.subject["field_y"] = std::to_string(r.field_y);
  const std::string whose = named ? fmt::format("Reticle {} at {} prints a repeating defect",
                                                data.names[r.reticle.reticle], data.names[r.reticle.step])
                                  : std::string("A repeating defect prints");
  f.statement = fmt::format("{} at field position ({}, {}): die there fail {} of the time instead of {} and cost {}",
                            whose, r.field_x, r.field_y, percent(r.fail_rate), percent(r.background_rate),
                            loss_text(r.die_per_wafer, r.die_per_wafer_ci));
  f.die_per_wafer = r.die_per_wafer;
  f.die_per_wafer_ci = r.die_per_wafer_ci;
  f.loss_die_total = std::max(0.0, -r.die_per_wafer * static_cast<double>(r.wafers.size()));
  f.q_value = r.q_value;
  f.confidence = std::clamp(1.0 - r.q_value, 0.0, 1.0);
  f.evidence.push_back({.analysis = "reticle_repeater",
                        .test = "fails at the field position within wafer and ring, and over fields",
                        .n = {r.die, r.fields_hit, r.fields},
                        .p_value = r.p_value,
                        .detail = {{"fail_rate", r.fail_rate},
                                   {"background_rate", r.background_rate},
                                   {"contrast_z", r.contrast_z},
                                   {"leading_hard_bin", static_cast<double>(r.leading_bin)}}});
  for (const ReticleName& other : r.candidates) f.confounded_with.push_back(reticle_subject(other, data));
  return c;
}

Undecided undecided_reticles(const ReticleRepeater& r, const FabData& data) {
  Undecided u{.why = "These reticles printed the same wafers, so the repeater may be on any of them.",
              .deciding_experiment =
                  "Inspect the field position on the reticles, or print two lots with only one of them changed."};
  u.candidates.push_back(reticle_subject(r.reticle, data));
  for (const ReticleName& other : r.candidates) u.candidates.push_back(reticle_subject(other, data));
  return u;
}

}  // namespace

Result<FamilyResult> site_causes(const FabData& data, const PlaceCauseOptions& options, FabData& rest) {
  FamilyResult family;
  const auto result = process::test_sites(data, {.alpha = options.alpha});
  if (!result) {
    if (result.error().code != Errc::kNoData) return result.error();
    return family;
  }
  family.expected_false = options.alpha;
  for (const SiteResult& site : result->sites) {
    if (!site.artefact || site.die_per_wafer_ci.high >= 0.0) continue;
    family.candidates.push_back(candidate_of(site, data, result->family_text));
    const std::set<WaferId> wafers(site.on_wafers.begin(), site.on_wafers.end());
    std::set<std::pair<WaferId, DieIndex>> touched;
    for (const DieResult& die : rest.die_results) {
      const bool same = die.site == site.site && die.probe_card == site.probe_card &&
                        die.insertion == site.insertion && wafers.contains(die.wafer);
      if (same) touched.emplace(die.wafer, die.die);
    }
    std::erase_if(rest.die_results,
                  [&](const DieResult& die) { return touched.contains({die.wafer, die.die}); });
  }
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
  for (const ReticleRepeater& r : result->repeaters) {
    if (r.die_per_wafer_ci.high >= 0.0) continue;
    family.candidates.push_back(candidate_of(r, rest, result->family_text));
    if (!r.candidates.empty() && r.reticle.reticle != NameId{}) {
      family.undecided.push_back(undecided_reticles(r, rest));
    }
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

}  // namespace yieldloop::findings

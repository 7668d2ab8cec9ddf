#include "engine/findings/find_causes.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/findings/assembly_causes.h"
#include "engine/findings/candidate.h"
#include "engine/findings/electrical_causes.h"
#include "engine/findings/interaction_causes.h"
#include "engine/findings/layout_causes.h"
#include "engine/findings/process_causes.h"
#include "engine/findings/regression_causes.h"
#include "engine/findings/test_causes.h"
#include "engine/process/response.h"
#include "engine/process/sensor_correlation.h"
#include "engine/stats/contingency.h"
#include "engine/yield/signature.h"
#include "engine/yield/yield_summary.h"

namespace yieldloop::findings {
namespace {

/// The error budget is mostly spent on what the wafers went through, where few lots speak. Places
/// and layout have so many die and defects to speak for them that a true cause is far beyond any
/// limit; what is near it there is chance, or something the null does not know of.
constexpr double kPlaceShare = 0.1;
/// Cards are compared by lots exchanged: with 4 lots of 12 no p is below 1 in 495. Assembly tools
/// are compared by whole assembly lots.
constexpr double kCardShare = 0.4;

std::string field(const Finding& f, const std::string& key) {
  const auto it = f.subject.find(key);
  return it == f.subject.end() ? std::string() : it->second;
}

bool about_equipment(const Candidate& c) {
  return c.finding.kind == "tool" || c.finding.kind == "chamber" || c.finding.kind == "recipe";
}

/// Sensors of the finding's step that move with the yield: leads for whoever mends the tool.
void add_sensor_evidence(const FabData& data, double alpha, std::vector<Candidate>& candidates) {
  constexpr std::size_t kMostSensors = 3;
  if (std::ranges::none_of(candidates, about_equipment)) return;
  const auto response = process::yield_response(data);
  if (!response) return;
  const auto sensors = process::sensor_correlations(data, *response);
  if (!sensors) return;
  for (Candidate& c : candidates) {
    if (!about_equipment(c)) continue;
    std::size_t added = 0;
    for (const auto& s : sensors->columns) {
      if (s.q_value > alpha || added == kMostSensors) break;
      if (data.names[s.step] != field(c.finding, "step")) continue;
      const std::string what =
          s.metrology ? data.names[s.sensor] : data.names[s.sensor] + " " + data.names[s.statistic];
      c.finding.evidence.push_back(
          {.analysis = s.metrology ? "metrology" : "fdc",
           .test = what + " against yield, ranks within and between lots",
           .n = {s.wafers, s.lots},
           .p_value = s.p_value,
           .detail = {{"rho", s.rho}, {"q_value", s.q_value}, {"effect_per_sd", s.effect_per_sd}}});
      ++added;
    }
  }
}

/// The signature that the finding's wafers show more often than the others.
void add_signature(Candidate& c, const yield::SignatureResult& signatures) {
  const std::set<WaferId> hit(c.wafers.begin(), c.wafers.end());
  double best_p = 1e-4;
  std::optional<Evidence> best;
  for (std::size_t s = 0; s < yield::kSignatureTests; ++s) {
    const auto label = static_cast<yield::Signature>(s);
    std::int64_t with[2] = {0, 0}, all[2] = {0, 0};
    for (const yield::WaferSignature& w : signatures.wafers) {
      const std::size_t in = hit.contains(w.wafer) ? 1 : 0;
      ++all[in];
      with[in] += w.label == label ? 1 : 0;
    }
    if (all[0] == 0 || all[1] == 0) return;
    const double share_hit = static_cast<double>(with[1]) / static_cast<double>(all[1]);
    const double share_other = static_cast<double>(with[0]) / static_cast<double>(all[0]);
    if (share_hit <= share_other) continue;
    const auto fisher = stats::fisher_exact(with[1], all[1] - with[1], with[0], all[0] - with[0]);
    if (fisher.p_two_sided >= best_p) continue;
    best_p = fisher.p_two_sided;
    best = Evidence{.analysis = "signature",
                    .test = fmt::format("{} on the finding's wafers against the others, Fisher",
                                        yield::signature_name(label)),
                    .n = {with[1], all[1], with[0], all[0]},
                    .p_value = fisher.p_two_sided,
                    .detail = {{"share_here", share_hit}, {"share_elsewhere", share_other}}};
    c.finding.subject["signature"] = std::string(yield::signature_name(label));
  }
  if (best) c.finding.evidence.push_back(std::move(*best));
}

void add_signature_evidence(const FabData& data, std::uint64_t seed,
                            std::vector<Candidate>& candidates) {
  const auto needs = [&](const Candidate& c) {
    return about_equipment(c) || c.finding.kind == "slot_or_position" ||
           c.finding.kind == "queue_time" || c.finding.kind == "time_change";
  };
  if (std::ranges::none_of(candidates, needs)) return;
  const auto signatures = yield::find_signatures(data, {.seed = seed});
  if (!signatures) return;
  for (Candidate& c : candidates) {
    if (needs(c)) add_signature(c, *signatures);
  }
}

void join(FamilyResult part, FindingsDocument& document, std::vector<Candidate>& candidates) {
  for (Candidate& c : part.candidates) candidates.push_back(std::move(c));
  for (Undecided& u : part.undecided) document.undecided.push_back(std::move(u));
  for (std::string& caveat : part.caveats) document.caveats.push_back(std::move(caveat));
  document.alarm_budget.expected_false_findings += part.expected_false;
  if (part.measured_false) document.alarm_budget.measured_on_shuffled = part.measured_false;
}

/// Layout causes whose defects are many enough to be certain and cost next to nothing: nobody pays
/// for masks for them. They are named as a caveat.
void leave_out_trifles(std::vector<Candidate>& candidates, FindingsDocument& document) {
  constexpr double kLeastLossShare = 1e-4;  // of the tested die
  const double least = kLeastLossShare * static_cast<double>(document.baseline.die);
  std::erase_if(candidates, [&](const Candidate& c) {
    const Finding& f = c.finding;
    const bool loss_is_known = std::ranges::any_of(
        f.evidence, [](const Evidence& e) { return e.analysis == "defect_to_bin"; });
    if (!loss_is_known || f.loss_die_total >= least) return false;
    document.caveats.push_back(
        fmt::format("Left out because it costs less than {:.2f} % of the tested die: {}.",
                    100.0 * kLeastLossShare, f.statement));
    return true;
  });
}

/// A place finding of a reticle or card and a process finding of the same one are one finding.
void merge_same_subject(std::vector<Candidate>& candidates) {
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    for (std::size_t k = candidates.size() - 1; k > i; --k) {
      const Finding& a = candidates[i].finding;
      const Finding& b = candidates[k].finding;
      const bool reticle = !field(a, "reticle").empty() &&
                           field(a, "reticle") == field(b, "reticle") &&
                           field(b, "field_x").empty();
      const bool card = a.kind == "test_artefact" && b.kind == "test_artefact" &&
                        field(b, "site").empty() &&
                        field(a, "probe_card") == field(b, "probe_card") &&
                        field(a, "tester") == field(b, "tester");
      if (!reticle && !card) continue;
      for (const Evidence& e : b.evidence) candidates[i].finding.evidence.push_back(e);
      candidates.erase(candidates.begin() + static_cast<std::ptrdiff_t>(k));
    }
  }
}

void rank(std::vector<Candidate>& candidates, const FabData& data, FindingsDocument& document) {
  std::ranges::stable_sort(candidates, [](const Candidate& a, const Candidate& b) {
    const auto key = [](const Finding& f) {
      return std::tuple(-f.loss_die_total * f.confidence, f.q_value, f.statement);
    };
    return key(a.finding) < key(b.finding);
  });
  for (Candidate& c : candidates) {
    Finding& f = c.finding;
    f.rank = static_cast<int>(document.findings.size()) + 1;
    f.id = finding_id(f.kind, f.subject);
    f.wafers = wafer_labels(data, c.wafers);
    document.findings.push_back(std::move(f));
  }
}

void describe_scope(const FabData& data, FindingsDocument& document) {
  std::set<NameId> lots;
  for (const Wafer& w : data.wafers) lots.insert(w.lot);
  document.product = data.product.name;
  document.wafers = static_cast<std::int64_t>(data.wafers.size());
  document.lots = static_cast<std::int64_t>(lots.size());
  const auto summary = yield::yield_summary(data);
  if (!summary) {
    document.caveats.push_back(summary.error().message);
    return;
  }
  document.baseline = {summary->final.yield(), summary->final_ci, summary->final.tested};
  if (summary->unplaced > 0) {
    document.caveats.push_back(
        fmt::format("{} test results have no die coordinate and are in no map and no rate.",
                    summary->unplaced));
  }
  if (document.lots < 4) {
    document.caveats.push_back(
        fmt::format("Only {} lot{} in scope: whole-lot causes (tools that ran whole lots) "
                    "cannot be told from the lots themselves.",
                    document.lots, document.lots == 1 ? " is" : "s are"));
  }
}

/// An analysis without data is a caveat; cancelling is not.
template <class Value>
Status caveat_unless_cancelled(const Result<Value>& result, FindingsDocument& document) {
  if (result.error().code == Errc::kCancelled) return result.error();
  document.caveats.push_back(result.error().message);
  return Ok{};
}

/// Patterns, vias and features, then continuous causes, then what depends on the wafers' history.
Status add_layout(const FabData& data, const layout::FlatView& view, const FindOptions& options,
                  Progress& progress, FindingsDocument& document,
                  std::vector<Candidate>& candidates) {
  const double alpha = kPlaceShare * options.q;
  const LayoutCauseOptions layout_options{.alpha = alpha, .seed = options.seed};
  const auto trace = trace_layout(data, view, layout_options, progress);
  if (!trace) return caveat_unless_cancelled(trace, document);
  join(layout_causes(data, view, *trace, layout_options), document, candidates);
  const RegressionCauseOptions regression_options{.alpha = alpha, .seed = options.seed};
  const auto regression = trace_regression(data, view, &*trace, regression_options, progress);
  if (!regression) return caveat_unless_cancelled(regression, document);
  join(regression_causes(*regression, regression_options), document, candidates);
  auto interactions = interaction_causes(data, view, traced_sides(*trace, &*regression, alpha),
                                         {.alpha = alpha}, progress);
  if (!interactions) return caveat_unless_cancelled(interactions, document);
  join(std::move(*interactions), document, candidates);
  return Ok{};
}

Status add_electrical(const FabData& data, const layout::FlatView& view, const FindOptions& options,
                      Progress& progress, FindingsDocument& document,
                      std::vector<Candidate>& candidates) {
  // Most products name no blocks; that is no news.
  if (options.block_tests == nullptr || options.block_tests->counts.empty()) return Ok{};
  const double alpha = kPlaceShare * options.q;
  const auto trace = trace_electrical(data, view, *options.block_tests, alpha, progress);
  if (!trace) return caveat_unless_cancelled(trace, document);
  join(electrical_causes(*trace, alpha), document, candidates);
  return Ok{};
}

}  // namespace

Result<FindingsDocument> find_causes(const FabData& data, const layout::FlatView* view,
                                     const std::vector<std::string>& caveats,
                                     const FindOptions& options, Progress& progress) {
  if (!(options.q > 0.0) || options.q > 0.5) {
    return Error{Errc::kInvalidOptions, "FIND-0006",
                 "The false discovery rate must lie in (0, 0.5]."};
  }
  FindingsDocument document;
  document.caveats = caveats;
  describe_scope(data, document);
  std::vector<Candidate> candidates;
  FabData rest = data;
  progress.report("Comparing test sites and field positions", 0, 0);
  YL_ASSIGN(auto places, place_causes({kPlaceShare * options.q}, rest));
  join(std::move(places), document, candidates);
  YL_ASSIGN(auto cards, card_causes(rest, {kCardShare * options.q}));
  join(std::move(cards), document, candidates);
  YL_ASSIGN(auto assembly, assembly_causes(data, kCardShare * options.q));
  join(std::move(assembly), document, candidates);
  progress.report("Comparing tools, chambers, recipes, waits", 0, 0);
  YL_ASSIGN(
      auto process,
      process_causes(rest, {.alpha = options.q, .shuffles = options.shuffles, .seed = options.seed},
                     progress));
  join(std::move(process), document, candidates);
  if (view != nullptr) {
    YL_TRY(add_layout(data, *view, options, progress, document, candidates));
    YL_TRY(add_electrical(data, *view, options, progress, document, candidates));
    absorb_tile_features(candidates);
    absorb_parts(candidates);
    leave_out_trifles(candidates, document);
  }
  merge_same_subject(candidates);
  progress.report("Looking for sensors and signatures behind the causes", 0, 0);
  add_sensor_evidence(rest, options.q, candidates);
  add_signature_evidence(rest, options.seed, candidates);
  rank(candidates, data, document);
  return document;
}

}  // namespace yieldloop::findings

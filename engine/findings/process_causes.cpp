#include "engine/findings/process_causes.h"

#include <algorithm>
#include <cmath>

#include "engine/yield/yield_summary.h"

namespace yieldloop::findings {
namespace {

using process::AttributeKind;
using process::AttributeName;
using process::AttributeResult;
using process::Cause;
using process::CommonalityResult;

std::string when_text(const AttributeResult& a) {
  if (a.from.known() && a.to.known()) {
    return fmt::format(" from {} to {}", day_text(a.from), day_text(a.to));
  }
  if (a.from.known()) return " since " + day_text(a.from);
  if (a.to.known()) return " until " + day_text(a.to);
  return {};
}

std::map<std::string, std::string> subject_of(const AttributeResult& a, const NameTable& names) {
  auto subject = process::subject_of(a.name, names);
  if (a.from.known()) subject["from"] = to_iso8601(a.from);
  if (a.to.known()) subject["to"] = to_iso8601(a.to);
  return subject;
}

/// "lose 6.1 die per wafer (...)" or "show 12.0 more defects:M1_INSP (...)".
std::string effect_text(const AttributeResult& a, const CommonalityResult& result) {
  if (!result.in_die) {
    return fmt::format("show {:.1f} more {} per wafer (95 % interval {:.1f} to {:.1f})", a.effect,
                       result.response, a.effect_ci.low, a.effect_ci.high);
  }
  const std::string in = result.response == "yield" ? "" : fmt::format(" to {}", result.response);
  return "lose " + loss_text(a.effect, a.effect_ci) + in;
}

std::string statement_of(const Cause& cause, const FabData& data, const CommonalityResult& result) {
  const AttributeResult& a = cause.attribute;
  const std::string what = process::describe(a.name, data.names);
  const std::string effect = effect_text(a, result);
  if (a.limit_minutes) {
    return fmt::format("Wafers that waited more than {:.0f} min before {} {}", *a.limit_minutes,
                       data.names[a.name.step], effect);
  }
  if (a.name.kind == AttributeKind::kTimeChange) {
    return fmt::format("All wafers{} {}, whatever they went through", when_text(a), effect);
  }
  return fmt::format("Wafers through {}{} {}", what, when_text(a), effect);
}

Evidence evidence_of(const Cause& cause, const CommonalityResult& result) {
  const AttributeResult& a = cause.attribute;
  Evidence e{.analysis = "commonality",
             .test = fmt::format("{} of {}", a.test, result.response),
             .n = {a.wafers_exposed, a.wafers_unexposed},
             .p_value = a.p_value};
  e.detail = {{"effect", a.effect},
              {"effect_low", a.effect_ci.low},
              {"effect_high", a.effect_ci.high},
              {"q_value", a.q_value},
              {"lots_exposed", static_cast<double>(a.lots_exposed)},
              {"lots_with_unexposed", static_cast<double>(a.lots_with_unexposed)},
              {"within_lot_share", a.within_lot_share},
              {"family", static_cast<double>(result.family)}};
  if (a.limit_minutes) e.detail["limit_minutes"] = *a.limit_minutes;
  return e;
}

/// The nearest maintenance of the tool within a week before a known onset.
std::optional<Evidence> maintenance_before(const AttributeResult& a, const FabData& data) {
  if (!a.from.known() || a.name.tool == NameId{}) return std::nullopt;
  const MaintenanceEvent* nearest = nullptr;
  for (const MaintenanceEvent& event : data.maintenance) {
    const bool same_chamber = event.chamber == NameId{} || a.name.chamber == NameId{} ||
                              event.chamber == a.name.chamber;
    if (event.tool != a.name.tool || !same_chamber || !event.at.known()) continue;
    if (event.at > a.from || a.from.count - event.at.count > 7 * kMicrosPerDay) continue;
    if (nearest == nullptr || event.at > nearest->at) nearest = &event;
  }
  if (nearest == nullptr) return std::nullopt;
  const double hours = static_cast<double>(a.from.count - nearest->at.count) / (3600.0 * kMicrosPerSecond);
  return Evidence{.analysis = "maintenance",
                  .test = fmt::format("{} of {} at {}", data.names[nearest->event],
                                      data.names[nearest->tool], to_iso8601(nearest->at)),
                  .n = {1},
                  .p_value = 1.0,
                  .detail = {{"hours_before_onset", hours}}};
}

Candidate candidate_of(const Cause& cause, const CommonalityResult& result, const FabData& data) {
  const AttributeResult& a = cause.attribute;
  Candidate c;
  c.family = result.family_text;
  c.wafers = cause.wafers;
  Finding& f = c.finding;
  f.kind = process::finding_kind(a.name.kind);
  f.subject = subject_of(a, data.names);
  if (a.limit_minutes) f.subject["statistic"] = fmt::format("queue_minutes > {:.0f}", *a.limit_minutes);
  f.statement = statement_of(cause, data, result);
  f.die_per_wafer = result.in_die ? a.effect : 0.0;
  f.die_per_wafer_ci = result.in_die ? a.effect_ci : Interval{};
  f.loss_die_total = result.in_die ? std::max(0.0, -cause.total) : 0.0;
  f.q_value = a.q_value;
  f.confidence = std::clamp(1.0 - a.q_value, 0.0, 1.0);
  f.evidence.push_back(evidence_of(cause, result));
  if (auto event = maintenance_before(a, data)) f.evidence.push_back(std::move(*event));
  for (const AttributeName& other : a.same_wafers) {
    f.confounded_with.push_back(process::subject_of(other, data.names));
  }
  return c;
}

/// Candidates that the routing never separates are undecided, not a finding against one of them.
void add_cause(const Cause& cause, const CommonalityResult& result, const FabData& data,
               FamilyResult& family) {
  if (!cause.attribute.harmful) return;
  if (cause.candidates.size() > 1) {
    Undecided u{.why = cause.why, .deciding_experiment = cause.deciding_experiment};
    for (const AttributeName& name : cause.candidates) {
      u.candidates.push_back(process::subject_of(name, data.names));
    }
    family.undecided.push_back(std::move(u));
  }
  family.candidates.push_back(candidate_of(cause, result, data));
}

/// The candidate about the same attribute, or one that hits nearly the same wafers.
Candidate* same_cause(FamilyResult& family, const Cause& cause, const FabData& data) {
  const auto subject = process::subject_of(cause.attribute.name, data.names);
  for (Candidate& c : family.candidates) {
    const bool same_subject = std::ranges::all_of(subject, [&](const auto& field) {
      const auto it = c.finding.subject.find(field.first);
      return it != c.finding.subject.end() && it->second == field.second;
    });
    std::vector<WaferId> common;
    std::ranges::set_intersection(c.wafers, cause.wafers, std::back_inserter(common));
    const auto both = static_cast<double>(common.size());
    const auto either = static_cast<double>(c.wafers.size() + cause.wafers.size()) - both;
    if (same_subject || both > 0.8 * either) return &c;
  }
  return nullptr;
}

Result<std::optional<CommonalityResult>> ask(const FabData& data, const Result<process::Response>& response,
                                             const process::CommonalityOptions& options,
                                             FamilyResult& family) {
  if (!response) return std::optional<CommonalityResult>{};
  auto result = process::commonality(data, *response, options);
  if (result) return std::optional(std::move(*result));
  if (result.error().code != Errc::kNoData) return result.error();
  if (response->name == "yield") family.caveats.push_back(result.error().message);
  return std::optional<CommonalityResult>{};
}

/// Failing bins worth asking, then inspection steps, as responses.
std::vector<process::Response> side_responses(const FabData& data, const ProcessCauseOptions& options) {
  std::vector<process::Response> responses;
  if (const auto summary = yield::yield_summary(data)) {
    for (const yield::BinShare& bin : summary->hard_bins) {
      if (bin.pass || bin.share < options.min_bin_share || responses.size() >= options.max_bins) continue;
      if (auto r = process::bin_response(data, bin.bin)) responses.push_back(std::move(*r));
    }
  }
  std::vector<NameId> steps;
  for (const Inspection& i : data.inspections) steps.push_back(i.step);
  std::ranges::sort(steps, {}, [&](NameId step) { return data.names[step]; });
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
  for (const NameId step : steps) {
    if (auto r = process::defect_response(data, step)) responses.push_back(std::move(*r));
  }
  return responses;
}

}  // namespace

Result<FamilyResult> process_causes(const FabData& data, const ProcessCauseOptions& options,
                                    Progress& progress) {
  FamilyResult family;
  family.expected_false = 1.5 * options.alpha;
  process::CommonalityOptions commonality{
      .alpha = options.alpha, .shuffles = options.shuffles, .seed = options.seed};
  YL_ASSIGN(const auto of_yield, ask(data, process::yield_response(data), commonality, family));
  if (of_yield) {
    for (const Cause& cause : of_yield->causes) add_cause(cause, *of_yield, data, family);
  }
  const auto responses = side_responses(data, options);
  commonality.alpha = options.alpha * 0.5 / static_cast<double>(std::max<std::size_t>(1, responses.size()));
  commonality.shuffles = 0;
  for (std::size_t i = 0; i < responses.size(); ++i) {
    progress.report("Comparing bins and defect counts", i, responses.size());
    if (progress.cancelled()) return Error{Errc::kCancelled, "FIND-0003", "The analysis was cancelled."};
    YL_ASSIGN(const auto result, ask(data, responses[i], commonality, family));
    if (!result) continue;
    for (const Cause& cause : result->causes) {
      if (!cause.attribute.harmful) continue;
      if (Candidate* known = same_cause(family, cause, data)) {
        known->finding.evidence.push_back(evidence_of(cause, *result));
      } else {
        add_cause(cause, *result, data, family);
      }
    }
  }
  return family;
}

}  // namespace yieldloop::findings

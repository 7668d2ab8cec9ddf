#include "engine/findings/process_causes.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "engine/process/lot_contrast.h"
#include "engine/process/wait_damage.h"
#include "engine/stats/distributions.h"
#include "engine/yield/yield_summary.h"

namespace yieldloop::findings {
namespace {

using process::AttributeKind;
using process::AttributeName;
using process::AttributeResult;
using process::Cause;
using process::CommonalityResult;

/// Of alpha, for the question whether damage grows with a wait.
constexpr double kGrowingWaitShare = 0.2;

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
  if (result.response.starts_with("bin:")) {
    return fmt::format("lose {} to hard bin {}", loss_text(a.effect, a.effect_ci),
                       result.response.substr(4));
  }
  if (!result.in_die) {
    return fmt::format("show {:.1f} more {} per wafer (95 % interval {:.1f} to {:.1f})", a.effect,
                       result.response, a.effect_ci.low, a.effect_ci.high);
  }
  return "lose " + loss_text(a.effect, a.effect_ci);
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
    const bool same_chamber =
        event.chamber == NameId{} || a.name.chamber == NameId{} || event.chamber == a.name.chamber;
    if (event.tool != a.name.tool || !same_chamber || !event.at.known()) continue;
    if (event.at > a.from || a.from.count - event.at.count > 7 * kMicrosPerDay) continue;
    if (nearest == nullptr || event.at > nearest->at) nearest = &event;
  }
  if (nearest == nullptr) return std::nullopt;
  const double hours =
      static_cast<double>(a.from.count - nearest->at.count) / (3600.0 * kMicrosPerSecond);
  return Evidence{.analysis = "maintenance",
                  .test = fmt::format("{} of {} at {}", data.names[nearest->event],
                                      data.names[nearest->tool], to_iso8601(nearest->at)),
                  .n = {1},
                  .p_value = 1.0,
                  .detail = {{"hours_before_onset", hours}}};
}

/// A bin's share counts the die that fail with it: what it gains, yield loses.
double sign_of(const CommonalityResult& result) {
  if (result.in_die) return 1.0;
  return result.response.starts_with("bin:") ? -1.0 : 0.0;
}

Candidate candidate_of(const Cause& cause, const CommonalityResult& result, const FabData& data) {
  const AttributeResult& a = cause.attribute;
  Candidate c;
  c.family = result.family_text;
  c.wafers = cause.wafers;
  const double sign = sign_of(result);
  Finding& f = c.finding;
  f.kind = process::finding_kind(a.name.kind);
  f.subject = subject_of(a, data.names);
  if (a.limit_minutes)
    f.subject["statistic"] = fmt::format("queue_minutes > {:.0f}", *a.limit_minutes);
  f.statement = statement_of(cause, data, result);
  const double low = sign * a.effect_ci.low, high = sign * a.effect_ci.high;
  f.die_per_wafer = sign * a.effect;
  f.die_per_wafer_ci = {std::min(low, high), std::max(low, high)};
  f.loss_die_total = std::max(0.0, -sign * cause.total);
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
               double least, FamilyResult& family) {
  const double size =
      sign_of(result) == 0.0 ? std::abs(cause.attribute.effect) : std::abs(cause.total);
  if (!cause.attribute.harmful || size < least) return;
  if (cause.candidates.size() > 1) {
    Undecided u{.why = cause.why, .deciding_experiment = cause.deciding_experiment};
    for (const AttributeName& name : cause.candidates) {
      u.candidates.push_back(process::subject_of(name, data.names));
    }
    family.undecided.push_back(std::move(u));
  }
  family.candidates.push_back(candidate_of(cause, result, data));
}

/// Keeps the causes that hold on their own. Commonality takes out a cause by its mean effect; where
/// the damage grows (a wait, a drift) something of it is left, and what goes along with the cause
/// seems guilty too. A further cause must therefore show among the wafers that met none of the
/// causes kept before it; its effect is the one it has there.
class OwnEvidence {
 public:
  OwnEvidence(const FabData& data, const process::Response& response)
      : data_(data),
        response_(response),
        table_(process::tabulate_exposures(data)),
        met_(data.wafers.size(), 0) {}

  /// Sets effect and interval; false when the cause is an echo.
  bool holds(Cause& cause) {
    constexpr double kLeastZ = 3.0;
    std::vector<char> universe(met_.size(), 0);
    for (std::size_t w = 0; w < met_.size(); ++w) universe[w] = met_[w] == 0 ? 1 : 0;
    if (cause.attribute.name.kind == AttributeKind::kQueueTime) name_the_wait(universe, cause);
    const process::ContrastFrame frame(response_, response_.value, universe, table_.lot_of,
                                       table_.lots);
    process::ContrastSums sums(frame);
    for (const WaferId wafer : cause.wafers) {
      if (frame.contains(wafer.raw())) sums.add(wafer.raw());
    }
    const process::Contrast own = sums.contrast(true);
    const double z = response_.lower_is_worse ? -own.z : own.z;
    if (!own.usable() || (any_ && z < kLeastZ)) return false;
    if (any_ && cause.attribute.name.kind != AttributeKind::kQueueTime) set_effect(own, cause);
    any_ = true;
    for (const WaferId wafer : cause.wafers) met_[wafer.raw()] = 1;
    return true;
  }

 private:
  /// Waits go together: the one whose growing damage fits best is the one to name.
  void name_the_wait(const std::vector<char>& universe, Cause& cause) const {
    const auto damage = process::most_damaging_wait(data_, response_, universe);
    if (!damage) return;
    AttributeResult& a = cause.attribute;
    if (a.name.step != damage->step) {
      a.same_wafers.clear();
      cause.candidates.clear();
    }
    a.name.step = damage->step;
    a.limit_minutes = damage->limit_minutes;
    a.effect = damage->effect;
    a.effect_ci = damage->effect_ci;
    cause.wafers = damage->wafers;
    a.wafers_exposed = static_cast<std::int64_t>(damage->wafers.size());
    a.wafers_unexposed = std::ranges::count(universe, 1) - a.wafers_exposed;
    cause.total = a.effect * static_cast<double>(cause.wafers.size());
  }

  void set_effect(const process::Contrast& own, Cause& cause) const {
    const double half = stats::student_t_quantile(0.975, std::max(1.0, own.degrees)) *
                        std::sqrt(own.variance) * response_.scale;
    AttributeResult& a = cause.attribute;
    a.effect = own.effect * response_.scale;
    a.effect_ci = {a.effect - half, a.effect + half};
    cause.total = a.effect * static_cast<double>(cause.wafers.size());
  }

  const FabData& data_;
  const process::Response& response_;
  process::ExposureTable table_;
  std::vector<char> met_;
  bool any_ = false;
};

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

/// Differences between whole lots that so few lots cannot settle.
void add_unsettled(const CommonalityResult& result, const FabData& data, FamilyResult& family) {
  if (result.unsettled.empty()) return;
  Undecided u{
      .why = fmt::format(
          "Whole lots differ by these, but {} lots are too few to tell the cause from the lots.",
          result.lots),
      .deciding_experiment = result.unsettled_experiment + "."};
  for (const AttributeResult& a : result.unsettled)
    u.candidates.push_back(subject_of(a, data.names));
  family.undecided.push_back(std::move(u));
}

Result<std::optional<CommonalityResult>> ask(const FabData& data, const process::Response& response,
                                             const process::CommonalityOptions& options,
                                             FamilyResult& family) {
  auto result = process::commonality(data, response, options);
  if (result) return std::optional(std::move(*result));
  if (result.error().code != Errc::kNoData) return result.error();
  if (response.name == "yield") family.caveats.push_back(result.error().message);
  return std::optional<CommonalityResult>{};
}

/// What a bin or defect count says of causes that yield named already.
void add_side_evidence(const CommonalityResult& result, const FabData& data, FamilyResult& family) {
  for (const Cause& cause : result.causes) {
    Candidate* known = cause.attribute.harmful ? same_cause(family, cause, data) : nullptr;
    if (known != nullptr) known->finding.evidence.push_back(evidence_of(cause, result));
  }
}

/// Causes among the wafers that yield left unexplained: an echo of a known cause has none there.
void add_side_causes(const CommonalityResult& result, const FabData& data, double least,
                     FamilyResult& family) {
  for (const Cause& cause : result.causes) {
    if (cause.attribute.harmful && same_cause(family, cause, data) == nullptr) {
      add_cause(cause, result, data, least, family);
    }
  }
}

double mean_of(const process::Response& response) {
  double sum = 0.0, n = 0.0;
  for (const double value : response.value) {
    if (std::isnan(value)) continue;
    sum += value;
    n += 1.0;
  }
  return n > 0.0 ? sum / n : 0.0;
}

std::vector<char> wafers_of(const std::vector<Candidate>& candidates, std::size_t wafers) {
  std::vector<char> hit(wafers, 0);
  for (const Candidate& c : candidates) {
    for (const WaferId w : c.wafers) hit[w.raw()] = 1;
  }
  return hit;
}

/// Failing bins worth asking, then inspection steps, as responses.
std::vector<process::Response> side_responses(const FabData& data,
                                              const ProcessCauseOptions& options) {
  std::vector<process::Response> responses;
  if (const auto summary = yield::yield_summary(data)) {
    for (const yield::BinShare& bin : summary->hard_bins) {
      if (bin.pass || bin.share < options.min_bin_share || responses.size() >= options.max_bins)
        continue;
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

/// A wait whose damage grows, where no cause of yield is a wait yet: whole lots wait together, and
/// commonality's "longer than" has little to say of few lots that lose very different amounts.
void add_growing_wait(const FabData& data, const process::Response& response,
                      const ProcessCauseOptions& options, double least, FamilyResult& family) {
  const auto is_wait = [](const Candidate& c) { return c.finding.kind == "queue_time"; };
  if (std::ranges::any_of(family.candidates, is_wait)) return;
  std::vector<char> universe = wafers_of(family.candidates, data.wafers.size());
  for (char& w : universe) w = w == 0 ? 1 : 0;
  const auto wait = process::growing_wait(data, response, universe, options.seed);
  if (!wait) return;
  const double alpha = kGrowingWaitShare * options.alpha;
  family.expected_false += alpha;
  if (wait->p_value > alpha) return;
  const process::WaitDamage& damage = wait->damage;
  CommonalityResult asked{.response = response.name,
                          .in_die = true,
                          .lots = wait->lots,
                          .family = wait->steps,
                          .family_text = fmt::format("growing waits of {} steps", wait->steps)};
  Cause cause;
  cause.wafers = damage.wafers;
  cause.total = damage.effect * static_cast<double>(damage.wafers.size());
  AttributeResult& a = cause.attribute;
  a.name = {.kind = AttributeKind::kQueueTime, .step = damage.step};
  a.limit_minutes = damage.limit_minutes;
  a.effect = damage.effect;
  a.effect_ci = damage.effect_ci;
  a.harmful = true;
  a.p_value = a.q_value = wait->p_value;
  a.test = fmt::format("lots against minutes beyond a limit, largest of {} steps, {} exchanges",
                       wait->steps, wait->draws);
  std::set<NameId> lots;
  for (const WaferId wafer : damage.wafers) lots.insert(data.wafers[wafer.raw()].lot);
  a.lots_exposed = static_cast<std::int64_t>(lots.size());
  a.wafers_exposed = static_cast<std::int64_t>(damage.wafers.size());
  a.wafers_unexposed = std::ranges::count(universe, 1) - a.wafers_exposed;
  add_cause(cause, asked, data, least, family);
}

}  // namespace

Result<FamilyResult> process_causes(const FabData& data, const ProcessCauseOptions& options,
                                    Progress& progress) {
  FamilyResult family;
  family.expected_false = 1.5 * options.alpha;
  process::CommonalityOptions commonality{
      .alpha = options.alpha, .shuffles = options.shuffles, .seed = options.seed};
  const auto response = process::yield_response(data);
  const double tested =
      response ? std::accumulate(response->items.begin(), response->items.end(), 0.0) : 0.0;
  const double least_loss = options.min_loss_share * tested;
  std::optional<CommonalityResult> of_yield;
  if (response) {
    YL_ASSIGN(of_yield, ask(data, *response, commonality, family));
  }
  if (of_yield) {
    OwnEvidence own(data, *response);
    for (Cause& cause : of_yield->causes) {
      if (own.holds(cause)) add_cause(cause, *of_yield, data, least_loss, family);
    }
    add_growing_wait(data, *response, options, least_loss, family);
    add_unsettled(*of_yield, data, family);
    family.measured_false = of_yield->shuffled_alarm_rate;
  }
  const auto responses = side_responses(data, options);
  commonality.alpha =
      options.alpha * 0.5 / static_cast<double>(std::max<std::size_t>(1, responses.size()));
  commonality.shuffles = 0;
  const std::vector<char> explained = wafers_of(family.candidates, data.wafers.size());
  for (std::size_t i = 0; i < responses.size(); ++i) {
    progress.report("Comparing bins and defect counts", i, responses.size());
    if (progress.cancelled())
      return Error{Errc::kCancelled, "FIND-0003", "The analysis was cancelled."};
    YL_ASSIGN(const auto whole, ask(data, responses[i], commonality, family));
    if (whole) add_side_evidence(*whole, data, family);
    process::Response rest = responses[i];
    for (std::size_t w = 0; w < explained.size(); ++w) {
      if (explained[w] != 0) rest.value[w] = std::nan("");
    }
    YL_ASSIGN(const auto result, ask(data, rest, commonality, family));
    const double least = responses[i].name.starts_with("defects:")
                             ? options.min_defect_rise * mean_of(responses[i])
                             : least_loss;
    if (result) add_side_causes(*result, data, least, family);
  }
  return family;
}

}  // namespace yieldloop::findings

#include "engine/findings/interaction_causes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "engine/findings/step_defects.h"
#include "engine/process/commonality.h"
#include "engine/process/sensor_correlation.h"

namespace yieldloop::findings {
namespace {

using process::AttributeResult;
using tracing::InteractionContrast;
using tracing::WaferPatternCount;

/// One traced piece's counts on the inspected wafers, in the order of the wafers.
std::vector<WaferPatternCount> count_wafers(const FabData& data,
                                            const tracing::StepExposure& exposure,
                                            const LayoutSide& side) {
  std::vector<WaferPatternCount> all(data.wafers.size());
  std::map<NameId, std::uint32_t> lots;
  for (std::size_t w = 0; w < all.size(); ++w) {
    all[w].wafer = static_cast<std::uint32_t>(w);
    all[w].lot = lots.emplace(data.wafers[w].lot, lots.size()).first->second;
  }
  for (const std::uint32_t i : exposure.inspections) {
    const Inspection& inspection = data.inspections[i];
    all[inspection.wafer.raw()].exposure += static_cast<double>(inspection.inspected.size());
  }
  const auto near = side.places.empty()
                        ? std::vector<char>()
                        : near_places(side.places, side.reach_um, points_of(exposure));
  for (std::size_t d = 0; d < exposure.defects.size(); ++d) {
    const bool at = near.empty()
                        ? std::ranges::binary_search(side.defects, exposure.defects[d].defect)
                        : near[d] != 0;
    WaferPatternCount& w = all[exposure.defects[d].wafer.raw()];
    (at ? w.at_places : w.elsewhere) += 1.0;
  }
  std::erase_if(all, [](const WaferPatternCount& w) { return !(w.exposure > 0.0); });
  return all;
}

/// Anscombe's root, brought to the mean exposure, so that its scatter is that of one wafer.
Result<process::Response> response_of(const FabData& data, const LayoutSide& side,
                                      const std::vector<WaferPatternCount>& wafers) {
  std::vector<double> value(data.wafers.size(), std::numeric_limits<double>::quiet_NaN());
  double mean = 0.0;
  for (const WaferPatternCount& w : wafers) mean += w.exposure;
  mean /= std::max(1.0, static_cast<double>(wafers.size()));
  for (const WaferPatternCount& w : wafers) {
    value[w.wafer] = 2.0 * std::sqrt((w.at_places + 0.375) * mean / w.exposure);
  }
  return process::value_response(data, "defects at " + side.words, "root of defects",
                                 std::move(value), false);
}

/// Mean value of each wafer of a sensor or metrology column. Shape: [wafers of FabData].
std::vector<double> wafer_means(const FabData& data, const process::SensorCorrelation& column) {
  std::vector<double> sum(data.wafers.size(), 0.0), n(data.wafers.size(), 0.0);
  const auto add = [&](WaferId wafer, double value) {
    sum[wafer.raw()] += value;
    n[wafer.raw()] += 1.0;
  };
  if (column.metrology) {
    for (const MetrologyValue& m : data.metrology) {
      if (m.step == column.step && m.parameter == column.sensor) add(m.wafer, m.value);
    }
  } else {
    for (const FdcValue& v : data.fdc) {
      if (v.step == column.step && v.sensor == column.sensor && v.statistic == column.statistic)
        add(v.wafer, v.value);
    }
  }
  for (std::size_t w = 0; w < sum.size(); ++w) {
    sum[w] = n[w] > 0.0 ? sum[w] / n[w] : std::numeric_limits<double>::quiet_NaN();
  }
  return sum;
}

std::string when_words(const AttributeResult& a) {
  if (a.from.known() && a.to.known())
    return fmt::format(" from {} to {}", day_text(a.from), day_text(a.to));
  if (a.from.known()) return " since " + day_text(a.from);
  return a.to.known() ? " until " + day_text(a.to) : std::string();
}

/// What the process side is and what it does to the layout side.
struct ProcessSide {
  std::map<std::string, std::string> subject;
  std::string words;  ///< "through ETCH02/B at M1_ETCH since 3 March 2026".
  double q_value = 1.0;
  std::vector<WaferId> wafers;
  std::vector<std::map<std::string, std::string>> confounded_with;
  Evidence source;  ///< Of the analysis that accused it.
  tracing::CountRatio pattern, other, specific;
  double excess = 0.0;
  std::vector<std::int64_t> n;
};

struct Gain {
  double value = 0.0;
  Interval ci{0.0, 0.0};
};

Gain design_gain(const LayoutSide& side, double wafers) {
  Gain g;
  if (!side.die.known || !(side.die.die_per_wafer < 0.0)) return g;
  g.value = side.die.loss_die_total / wafers;
  const double scale = g.value / -side.die.die_per_wafer;
  g.ci = {-side.die.die_per_wafer_ci.high * scale, -side.die.die_per_wafer_ci.low * scale};
  return g;
}

/// The part of the design gain that the process side alone would bring; the relative errors of loss
/// and ratio are independent.
Gain process_gain(const LayoutSide& side, const ProcessSide& process, const Gain& design) {
  Gain g;
  if (side.attributable <= 0.0 || design.value <= 0.0) return g;
  const double share = std::clamp(process.excess / side.attributable, 0.0, 1.0);
  g.value = share * design.value;
  // d(1 - 1/R)/d(log R) = 1/R.
  const double r = process.pattern.ratio;
  const double from_ratio = r > 1.0 ? process.pattern.log_se * 1.96 / (r - 1.0) : 1.0;
  const auto half = [&](double bound) {
    return g.value * std::hypot((bound - design.value) / design.value, from_ratio);
  };
  g.ci = {std::max(std::min(0.0, design.ci.low), g.value - half(design.ci.low)),
          std::min(std::max(design.ci.high, g.value), g.value + half(design.ci.high))};
  return g;
}

std::string gain_words(const Gain& g) {
  return fmt::format("{:.2f} good die per wafer (95 % interval {:.2f} to {:.2f})", g.value,
                     g.ci.low, g.ci.high);
}

Candidate candidate_of(const FabData& data, const LayoutSide& side, ProcessSide process) {
  const auto wafers = std::max(1.0, static_cast<double>(data.wafers.size()));
  const Gain design = design_gain(side, wafers), mended = process_gain(side, process, design);
  Candidate c;
  c.family = "interactions of " + side.words;
  Finding& f = c.finding;
  f.kind = "design_process_interaction";
  f.subject = side.subject;
  f.subject.erase("step");  // The inspection's; the process side names its own.
  for (const auto& [key, value] : process.subject) f.subject[key] = value;
  std::string piece = side.words;
  if (!piece.empty() && piece[0] >= 'a' && piece[0] <= 'z') {
    piece[0] = static_cast<char>(piece[0] - 'a' + 'A');
  }
  f.statement = fmt::format(
      "{}{}: {:.1f} times the defects on wafers {} (95 % interval {:.1f} to {:.1f}; other defects "
      "{:.1f} times)",
      piece,
      side.locations_total > 0 ? fmt::format(" ({} places a die)", side.locations_total) : "",
      process.pattern.ratio, process.words, process.pattern.ci.low, process.pattern.ci.high,
      process.other.ratio);
  f.statement +=
      design.value > 0.0
          ? fmt::format("; redrawing it alone would bring {}, mending the process alone {}",
                        gain_words(design), gain_words(mended))
          : "; what it costs at test is not known yet";
  const double exposed = std::max(1.0, static_cast<double>(process.wafers.size()));
  f.die_per_wafer = -mended.value * wafers / exposed;
  f.die_per_wafer_ci = {-mended.ci.high * wafers / exposed, -mended.ci.low * wafers / exposed};
  f.loss_die_total = design.value * wafers;
  f.q_value = process.q_value;
  f.confidence = std::clamp(1.0 - process.q_value, 0.0, 1.0);
  f.locations = side.locations;
  f.locations_total = side.locations_total;
  f.rate_ratio = process.pattern.ratio;
  f.rate_ratio_ci = process.pattern.ci;
  f.attributable_defects = process.excess;
  f.confounded_with = std::move(process.confounded_with);
  f.evidence.push_back({.analysis = "interaction",
                        .test = process.pattern.within_lots
                                    ? "rates at the places between wafers of the same lots, "
                                      "quasi-Poisson"
                                    : "rates at the places between wafers, quasi-Poisson by lots",
                        .n = process.n,
                        .p_value = process.pattern.p_value,
                        .detail = {{"rate_ratio", process.pattern.ratio},
                                   {"other_defects_ratio", process.other.ratio},
                                   {"specific_ratio", process.specific.ratio},
                                   {"specific_p_value", process.specific.p_value},
                                   {"dispersion", process.pattern.dispersion},
                                   {"excess_defects", process.excess},
                                   {"design_gain", design.value},
                                   {"design_gain_low", design.ci.low},
                                   {"design_gain_high", design.ci.high},
                                   {"process_gain", mended.value},
                                   {"process_gain_low", mended.ci.low},
                                   {"process_gain_high", mended.ci.high}}});
  f.evidence.push_back(std::move(process.source));
  c.wafers = std::move(process.wafers);
  return c;
}

/// One traced piece asked about all that the wafers met.
class SideSearch {
 public:
  SideSearch(const FabData& data, const LayoutSide& side, std::vector<WaferPatternCount> wafers,
             const InteractionOptions& options, double alpha, FamilyResult& family)
      : data_(data),
        side_(side),
        wafers_(std::move(wafers)),
        options_(options),
        alpha_(alpha),
        met_(data.wafers.size(), 0),
        family_(family) {}

  Status run() {
    YL_ASSIGN(const auto response, response_of(data_, side_, wafers_));
    YL_TRY(ask_attributes(response));
    return ask_sensors(response);
  }

 private:
  Status ask_attributes(const process::Response& response) {
    auto asked = process::commonality(data_, response,
                                      {.alpha = alpha_, .max_causes = 3, .test_equipment = false});
    if (!asked) return asked.error().code == Errc::kNoData ? Status(Ok{}) : Status(asked.error());
    for (const process::Cause& cause : asked->causes) {
      if (!cause.attribute.harmful) continue;
      auto process = hold_up(cause, *asked);
      if (!process) continue;
      if (cause.candidates.size() > 1) {
        Undecided u{.why = fmt::format("{}: {}", side_.words, cause.why),
                    .deciding_experiment = cause.deciding_experiment};
        for (const auto& name : cause.candidates)
          u.candidates.push_back(process::subject_of(name, data_.names));
        family_.undecided.push_back(std::move(u));
      }
      for (const WaferId w : cause.wafers) met_[w.raw()] = 1;
      steps_.insert(data_.names[cause.attribute.name.step]);
      family_.candidates.push_back(candidate_of(data_, side_, std::move(*process)));
    }
    return Ok{};
  }

  /// The cause as a ratio of rates among the wafers that met none of the causes before it.
  std::optional<ProcessSide> hold_up(const process::Cause& cause,
                                     const process::CommonalityResult& asked) const {
    std::vector<char> hit(data_.wafers.size(), 0);
    for (const WaferId w : cause.wafers) hit[w.raw()] = 1;
    std::vector<WaferPatternCount> free;
    std::vector<char> exposed;
    for (const WaferPatternCount& w : wafers_) {
      if (met_[w.wafer] != 0) continue;
      free.push_back(w);
      exposed.push_back(hit[w.wafer]);
    }
    const auto c = tracing::interaction_contrast(free, exposed);
    if (!c || c->wafers_exposed < options_.least_wafers) return std::nullopt;
    if (!holds(c->pattern, c->specific)) return std::nullopt;
    const AttributeResult& a = cause.attribute;
    ProcessSide p;
    p.subject = process::subject_of(a.name, data_.names);
    if (a.from.known()) p.subject["from"] = to_iso8601(a.from);
    if (a.to.known()) p.subject["to"] = to_iso8601(a.to);
    p.words = a.name.kind == process::AttributeKind::kTimeChange
                  ? "made" + when_words(a)
                  : "through " + process::describe(a.name, data_.names) + when_words(a);
    if (a.limit_minutes) {
      p.words = fmt::format("that waited more than {:.0f} min before {}", *a.limit_minutes,
                            data_.names[a.name.step]);
      p.subject["limit_minutes"] = fmt::format("{:.0f}", *a.limit_minutes);
    }
    p.q_value = std::min(1.0, a.q_value * options_.alpha / alpha_);
    p.wafers = cause.wafers;
    for (const auto& other : a.same_wafers)
      p.confounded_with.push_back(process::subject_of(other, data_.names));
    p.source = {.analysis = "commonality",
                .test = fmt::format("{} of {}", a.test, asked.response),
                .n = {a.wafers_exposed, a.wafers_unexposed},
                .p_value = a.p_value,
                .detail = {{"q_value", a.q_value},
                           {"lots_exposed", static_cast<double>(a.lots_exposed)},
                           {"within_lot_share", a.within_lot_share},
                           {"family", static_cast<double>(asked.family)}}};
    p.pattern = c->pattern;
    p.other = c->other;
    p.specific = c->specific;
    p.excess = c->excess;
    p.n = {c->wafers_exposed, c->wafers_unexposed, c->lots};
    return p;
  }

  bool holds(const tracing::CountRatio& pattern, const tracing::CountRatio& specific) const {
    constexpr double kSpecificP = 0.05;
    return pattern.ratio >= options_.min_rate_ratio && pattern.ci.low > 1.0 &&
           specific.ratio > 1.0 && specific.p_value < kSpecificP;
  }

  /// A dose, CD or sensor that the rate follows; beside a tool of the same step it is evidence.
  Status ask_sensors(const process::Response& response) {
    const auto sensors = process::sensor_correlations(data_, response);
    if (!sensors) return Ok{};
    for (const process::SensorCorrelation& column : sensors->columns) {
      if (column.q_value > alpha_) break;
      const auto means = wafer_means(data_, column);
      std::vector<double> values;
      for (const WaferPatternCount& w : wafers_) values.push_back(means[w.wafer]);
      auto slope = tracing::interaction_slope(wafers_, values);
      if (!slope) continue;
      ProcessSide p = sensor_side(column, *slope, means);
      if (!holds(p.pattern, p.specific)) continue;
      if (family_.candidates.empty() || steps_.empty()) {
        steps_.insert(data_.names[column.step]);
        family_.candidates.push_back(candidate_of(data_, side_, std::move(p)));
      } else if (steps_.contains(data_.names[column.step])) {
        family_.candidates.back().finding.evidence.push_back(std::move(p.source));
      }
      break;  // The strongest speaks for those that go along with it.
    }
    return Ok{};
  }

  ProcessSide sensor_side(const process::SensorCorrelation& column,
                          const tracing::InteractionSlope& slope,
                          const std::vector<double>& means) const {
    const bool rises = slope.pattern.ratio >= 1.0;
    const auto turned = [&](tracing::CountRatio r) {
      if (rises || !(r.ratio > 0.0)) return r;
      r.ratio = 1.0 / r.ratio;
      r.ci = {1.0 / r.ci.high, r.ci.low > 0.0 ? 1.0 / r.ci.low : INFINITY};
      return r;
    };
    ProcessSide p;
    const std::string& sensor = data_.names[column.sensor];
    p.subject = {{"step", data_.names[column.step]},
                 {column.metrology ? "parameter" : "sensor", sensor}};
    if (!column.metrology) p.subject["statistic"] = data_.names[column.statistic];
    p.words = fmt::format("at {} {} of {:.4g} than at {:.4g} ({})",
                          column.metrology ? sensor : sensor + " " + data_.names[column.statistic],
                          rises ? "high" : "low", rises ? slope.high : slope.low,
                          rises ? slope.low : slope.high, data_.names[column.step]);
    p.q_value = std::min(1.0, column.q_value * options_.alpha / alpha_);
    const double middle = 0.5 * (slope.low + slope.high);
    for (std::uint32_t w = 0; w < means.size(); ++w) {
      if (!std::isnan(means[w]) && (means[w] > middle) == rises) p.wafers.push_back(WaferId{w});
    }
    p.source = {
        .analysis = column.metrology ? "metrology" : "fdc",
        .test = sensor + " against defects at " + side_.words + ", ranks within and between lots",
        .n = {column.wafers, column.lots},
        .p_value = column.p_value,
        .detail = {{"rho", column.rho}, {"q_value", column.q_value}}};
    p.pattern = turned(slope.pattern);
    p.other = turned(slope.other);
    p.specific = p.pattern;
    p.specific.ratio = p.pattern.ratio / p.other.ratio;
    p.specific.log_se = std::hypot(p.pattern.log_se, p.other.log_se);
    const double z = std::log(p.specific.ratio) / std::max(1e-12, p.specific.log_se);
    p.specific.p_value = std::erfc(std::abs(z) / std::sqrt(2.0));
    p.excess = slope.excess;
    p.n = {slope.wafers, slope.lots};
    return p;
  }

  const FabData& data_;
  const LayoutSide& side_;
  std::vector<WaferPatternCount> wafers_;
  const InteractionOptions& options_;
  double alpha_;
  std::vector<char> met_;
  std::set<std::string> steps_;
  FamilyResult& family_;
};

std::string gap_words(tracing::GapKind kind) {
  switch (kind) {
    case tracing::GapKind::kSide: return "narrow_space";
    case tracing::GapKind::kLineEnd: return "line_end_gap";
    case tracing::GapKind::kCorner: break;
  }
  return "corner_gap";
}

LayoutSide side_of(const tracing::TracedPattern& p) {
  return {
      .kind = "layout_pattern",
      .step = p.step,
      .subject = {{"layer", p.layer}, {"pattern_id", p.pattern_id}, {"feature", gap_words(p.kind)}},
      .words = fmt::format("pattern {} on {}", p.pattern_id, p.layer),
      .places = p.places,
      .locations = p.locations,
      .locations_total = p.occurrences,
      .reach_um = p.reach_um,
      .attributable = p.attributable,
      .die = p.die};
}

LayoutSide side_of(const tracing::ViaTrace& v) {
  return {.kind = "via",
          .step = v.step,
          .subject = {{"layer", v.layer}, {"feature", "single_via"}},
          .words = fmt::format("single {} vias", v.layer),
          .places = v.places,
          .locations = v.locations,
          .locations_total = v.single.cuts,
          .reach_um = v.reach_um,
          .attributable = v.single.attributable,
          .die = v.die};
}

}  // namespace

std::vector<LayoutSide> traced_sides(const LayoutTrace& trace, const RegressionTrace* regression,
                                     double alpha) {
  std::vector<LayoutSide> sides;
  for (const auto& p : trace.patterns) sides.push_back(side_of(p));
  for (std::size_t i = 0; i < trace.vias.size(); ++i) {
    if (trace.via_q[i] <= alpha && trace.vias[i].single_to_double > 1.0)
      sides.push_back(side_of(trace.vias[i]));
  }
  for (LayoutSide& side : sides) side.registrations = trace.registrations;
  if (regression == nullptr) return sides;
  for (const RegressionLayer& layer : regression->layers) {
    for (const RegressionCause& cause : layer.causes) {
      sides.push_back({.kind = "layout_feature",
                       .step = layer.step,
                       .subject = cause.subject,
                       .words = cause.words,
                       .defects = cause.hot_defects,
                       .attributable = cause.attributable,
                       .die = cause.die});
    }
  }
  return sides;
}

Result<FamilyResult> interaction_causes(const FabData& data, const layout::FlatView& view,
                                        std::vector<LayoutSide> sides,
                                        const InteractionOptions& options, Progress& progress) {
  FamilyResult family;
  if (sides.size() > options.most_sides) sides.resize(options.most_sides);
  if (sides.empty() || data.step_runs.empty()) return family;
  family.expected_false = options.alpha;
  const double alpha = options.alpha / static_cast<double>(sides.size());
  const auto clustered = clustered_defects_of(data);
  std::map<std::string, tracing::StepExposure> exposures;
  for (const LayoutSide& side : sides) {
    if (progress.cancelled())
      return Error{Errc::kCancelled, "FIND-0003", "The analysis was cancelled."};
    progress.report(fmt::format("Comparing {} between wafers", side.words), 0, 0);
    if (!exposures.contains(side.step)) {
      YL_ASSIGN(auto located,
                located_defects(data, view, side.step, clustered, side.registrations));
      exposures.emplace(side.step, std::move(located));
    }
    FamilyResult own;
    SideSearch search(data, side, count_wafers(data, exposures.at(side.step), side), options, alpha,
                      own);
    YL_TRY(search.run());
    for (Candidate& c : own.candidates) family.candidates.push_back(std::move(c));
    for (Undecided& u : own.undecided) family.undecided.push_back(std::move(u));
  }
  return family;
}

}  // namespace yieldloop::findings

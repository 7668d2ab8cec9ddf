#include "engine/findings/electrical_causes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace yieldloop::findings {
namespace {

using tracing::ElectricalTest;
using tracing::ElectricalTrace;
using tracing::ElectricalVerdict;

std::map<std::string, std::string> subject_of(const ElectricalTest& t) {
  auto subject = t.cause.subject;
  if (subject.empty()) subject["feature"] = t.cause.kind;
  return subject;
}

/// "BLKA 120 (60 by area), BLKC 15 (48 by area)" of the blocks that differ most.
std::string blocks_text(const ElectricalTrace& trace) {
  constexpr std::size_t kShown = 3;
  std::vector<const tracing::BlockFails*> blocks;
  for (const auto& b : trace.blocks) blocks.push_back(&b);
  std::ranges::stable_sort(blocks, [](const auto* a, const auto* b) {
    const auto miss = [](const auto* x) {
      return std::abs(static_cast<double>(x->failed) - x->expected_by_area);
    };
    return miss(a) > miss(b);
  });
  std::vector<std::string> words;
  for (const auto* b : blocks) {
    if (words.size() == kShown) break;
    words.push_back(
        fmt::format("{} {} fails ({:.0f} by area)", b->cell, b->failed, b->expected_by_area));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

Candidate candidate_of(const ElectricalVerdict& v, const ElectricalTrace& trace) {
  const ElectricalTest& t = trace.tests[v.best];
  Candidate c;
  c.family = "electrical fails by block";
  c.wafers = trace.failing_wafers;
  Finding& f = c.finding;
  f.kind = t.cause.kind;
  f.subject = subject_of(t);
  f.statement = fmt::format(
      "Electrical fails of the blocks go by their {}: {:.0f} % of {} fails (95 % interval {:.0f} "
      "to "
      "{:.0f} %) come from there, about {}; {}",
      tracing::describe(t.cause), 100.0 * t.share, trace.fails, 100.0 * t.share_ci.low,
      100.0 * t.share_ci.high, loss_text(v.die_per_wafer, v.die_per_wafer_ci), blocks_text(trace));
  f.die_per_wafer = v.die_per_wafer;
  f.die_per_wafer_ci = v.die_per_wafer_ci;
  f.loss_die_total = v.loss_die_total;
  f.q_value = t.q_value;
  f.confidence = std::clamp(1.0 - t.q_value, 0.0, 1.0);
  f.locations_total = std::llround(t.exposure);
  f.rate_per_opportunity = t.rate_per_opportunity;
  f.rate_per_opportunity_ci = t.rate_per_opportunity_ci;
  f.rate_ratio = t.rate_ratio;
  f.rate_ratio_ci = {1.0 / std::max(1e-9, 1.0 - t.share_ci.low),
                     1.0 / std::max(1e-9, 1.0 - t.share_ci.high)};
  f.attributable_defects = t.share * static_cast<double>(trace.fails);
  for (const std::size_t i : v.finer) f.confounded_with.push_back(subject_of(trace.tests[i]));
  f.evidence.push_back(
      {.analysis = "electrical_trace",
       .test = "block fails on exposure beside area, likelihood ratio with the scatter of blocks "
               "and wafers",
       .n = {trace.fails, static_cast<std::int64_t>(trace.blocks.size()), trace.wafers},
       .p_value = t.p_value,
       .detail = {{"share", t.share},
                  {"share_low", t.share_ci.low},
                  {"share_high", t.share_ci.high},
                  {"deviance_drop", t.deviance_drop},
                  {"dispersion", trace.dispersion}}});
  return c;
}

Undecided undecided_of(const ElectricalVerdict& v, const ElectricalTrace& trace) {
  Undecided u;
  std::vector<std::size_t> all = v.rivals;
  all.insert(all.begin(), v.best);
  std::vector<std::string> words;
  for (const std::size_t i : all) {
    u.candidates.push_back(subject_of(trace.tests[i]));
    words.push_back(tracing::describe(trace.tests[i].cause));
  }
  u.why = fmt::format(
      "Electrical fails do not go by area (q {:.2g}), but {} explain the {} blocks that are tested "
      "by name equally well.",
      trace.tests[v.best].q_value, fmt::join(words, " and "), trace.blocks.size());
  u.deciding_experiment =
      "Test more blocks by name, above all some that hold much of one of these and little of the "
      "others, or inspect the layers they lie on.";
  return u;
}

}  // namespace

Result<ElectricalTrace> trace_electrical(const FabData& data, const layout::FlatView& view,
                                         const BlockTests& tests, double alpha,
                                         Progress& progress) {
  progress.report("Tracing electrical fails of blocks", 0, 0);
  if (tests.tests.empty()) {
    return Error{
        Errc::kNoData, "FIND-0007",
        tests.why_empty.empty() ? "No test leads to a block of the layout." : tests.why_empty};
  }
  std::set<std::string> cells;
  for (const BlockTest& t : tests.tests) cells.insert(t.cell);
  YL_ASSIGN(
      const auto exposures,
      tracing::block_exposures(view, data.product, {cells.begin(), cells.end()}, {}, progress));
  return tracing::trace_electrical(tests, exposures, {.alpha = alpha});
}

FamilyResult electrical_causes(const ElectricalTrace& trace, double alpha) {
  FamilyResult family;
  family.expected_false = alpha;
  family.caveats = trace.caveats;
  for (const ElectricalVerdict& v : trace.verdicts) {
    if (v.rivals.empty()) {
      family.candidates.push_back(candidate_of(v, trace));
    } else {
      family.undecided.push_back(undecided_of(v, trace));
    }
  }
  return family;
}

}  // namespace yieldloop::findings

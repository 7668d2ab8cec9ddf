// Findings and suggestions as a person would say them.

#include "engine/cli/open_scope.h"
#include "engine/core/text.h"

namespace yieldloop::cli {
namespace {

std::string chance_text(double q) {
  return q < 1e-4 ? fmt::format("q {:.0e}", q) : fmt::format("q {:.3g}", q);
}

std::string evidence_text(const Finding& f) {
  std::string out;
  for (const Evidence& e : f.evidence) {
    std::vector<std::string> n;
    for (const auto count : e.n) n.push_back(fmt::format("{}", count));
    out += fmt::format("     {}: {} (n {}{})\n", e.analysis, e.test, join(n, " and "),
                       e.p_value < 1.0 ? fmt::format(", p {:.1e}", e.p_value) : "");
  }
  return out;
}

}  // namespace

std::string findings_text(const FindingsDocument& d, std::size_t most) {
  std::string out =
      fmt::format("{}: {} wafers of {} lots, yield {:.2f} % (95 % interval {:.2f} to {:.2f})\n",
                  d.product, d.wafers, d.lots, 100 * d.baseline.yield,
                  100 * d.baseline.yield_ci.low, 100 * d.baseline.yield_ci.high);
  if (d.findings.empty()) out += "No cause of loss was found beyond chance.\n";
  for (const Finding& f : d.findings) {
    if (static_cast<std::size_t>(f.rank) > most) {
      out += fmt::format("... {} more findings\n", d.findings.size() - most);
      break;
    }
    out += fmt::format("\n {}. {}\n     {}; {:.0f} die lost in the scope, {}; {}\n", f.rank,
                       f.statement, f.kind, f.loss_die_total, chance_text(f.q_value), f.id);
    out += evidence_text(f);
  }
  for (const Undecided& u : d.undecided) {
    std::vector<std::string> names;
    for (const auto& candidate : u.candidates) {
      std::vector<std::string> fields;
      for (const auto& [key, value] : candidate) fields.push_back(fmt::format("{} {}", key, value));
      names.push_back(join(fields, ", "));
    }
    out += fmt::format("\n Undecided between {}: {} {}\n", join(names, " | "), u.why,
                       u.deciding_experiment);
  }
  if (!d.caveats.empty()) out += "\nTo keep in mind:\n";
  for (const std::string& caveat : d.caveats) out += " - " + caveat + "\n";
  out += fmt::format(
      "\nWhere nothing is wrong, {:.2f} false findings would be expected of this many tests{}.\n",
      d.alarm_budget.expected_false_findings,
      d.alarm_budget.measured_on_shuffled
          ? fmt::format("; shuffled copies of these data gave {:.3f}",
                        *d.alarm_budget.measured_on_shuffled)
          : "");
  return out;
}

std::string suggestions_text(const feedback::SuggestionsDocument& d, std::size_t most) {
  std::string out;
  for (const Suggestion& s : d.suggestions) {
    if (static_cast<std::size_t>(s.rank) > most) {
      out += fmt::format("... {} more suggestions\n", d.suggestions.size() - most);
      break;
    }
    out += fmt::format(
        " {}. [{}] {}\n     {:+.1f} good die per wafer over the scope (95 % interval {:.1f} to "
        "{:.1f}){}\n",
        s.rank, s.side, s.statement, s.good_die_per_wafer, s.good_die_per_wafer_ci.low,
        s.good_die_per_wafer_ci.high,
        s.money_per_week ? fmt::format(", {:.0f} a week", *s.money_per_week) : "");
    out += fmt::format("     wrong if: {}\n", s.disproved_by);
    if (!s.markers.empty()) out += "     markers: " + s.markers + "\n";
    if (!s.edits_words.empty()) out += "     edits: " + s.edits_words + "\n";
    if (!s.edits.empty()) out += "     drawn in: " + s.edits + "\n";
  }
  for (const std::string& note : d.notes) out += " " + note + "\n";
  if (!d.portfolio.chosen.empty()) {
    out += fmt::format(" Together: {} ({:+.1f} good die per wafer)\n",
                       join(d.portfolio.chosen, ", "), d.portfolio.good_die_per_wafer);
  }
  return out;
}

}  // namespace yieldloop::cli

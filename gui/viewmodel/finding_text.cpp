#include "gui/viewmodel/finding_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/number_text.h"
#include "engine/core/text.h"

namespace yieldloop::viewmodel {
namespace {

std::string row(const std::string& name, const std::string& value) {
  return "<tr><td style='color:#57606a; padding-right:10px'>" + escape_markup(name) + "</td><td>" +
         escape_markup(value) + "</td></tr>";
}

std::string fields_text(const std::map<std::string, std::string>& fields) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : fields) {
    if (!value.empty()) parts.push_back(plain_kind(key) + " " + value);
  }
  return join(parts, ", ");
}

std::string with_interval(double value, const Interval& ci) {
  return format_number(value) + " " + format_interval(ci.low, ci.high);
}

std::string effect_rows(const Finding& f) {
  std::string html;
  if (f.rate_ratio) {
    html += row("Rate ratio to background", with_interval(*f.rate_ratio, f.rate_ratio_ci));
  }
  if (f.rate_per_opportunity) {
    html += row("Fails per opportunity",
                with_interval(*f.rate_per_opportunity, f.rate_per_opportunity_ci));
  }
  if (f.attributable_defects > 0) {
    html += row("Defects it accounts for", format_number(f.attributable_defects));
  }
  html += row("Good die per wafer", with_interval(f.die_per_wafer, f.die_per_wafer_ci));
  html += row("Die lost in the scope", format_number(f.loss_die_total));
  html += row("Chance, corrected", format_probability("q", f.q_value));
  html += row("Confidence", format_percent(f.confidence, 0));
  html += row("Wafers that met it", format_count(static_cast<std::int64_t>(f.wafers.size())));
  if (!f.locations.empty()) {
    const auto shown = static_cast<std::int64_t>(f.locations.size());
    const std::int64_t total = std::max(shown, f.locations_total);
    html += row("Places in the layout",
                format_count(total) +
                    (total > shown ? ", of which " + format_count(shown) + " are listed" : ""));
  }
  return html;
}

std::string evidence_rows(const Finding& f) {
  std::string html;
  for (const Evidence& e : f.evidence) {
    std::vector<std::string> n;
    for (const std::int64_t count : e.n) n.push_back(format_count(count));
    std::string text = e.test.empty() ? plain_kind(e.analysis) : e.test;
    if (!n.empty()) text += "; n = " + join(n, " and ");
    if (e.p_value < 1.0) text += "; " + format_probability("p", e.p_value);
    std::vector<std::string> details;
    for (const auto& [key, value] : e.detail) {
      details.push_back(plain_kind(key) + " " + format_number(value));
    }
    if (!details.empty()) text += ". " + join(details, ", ");
    html += row(plain_kind(e.analysis), text);
  }
  return html;
}

std::string confounders(const Finding& f) {
  if (f.confounded_with.empty()) return "";
  std::vector<std::string> names;
  for (const auto& other : f.confounded_with) names.push_back(fields_text(other));
  return "<p><b>Cannot be told apart from:</b> " + escape_markup(join(names, "; ")) + "</p>";
}

std::string suggestion_html(const Suggestion& s) {
  std::string html = "<h4>Suggestion: " + escape_markup(plain_kind(s.action)) + " (" +
                     escape_markup(s.side) + ")</h4><p>" + escape_markup(s.statement) +
                     "</p><table cellspacing='2'>";
  const std::string gain = with_interval(s.good_die_per_wafer, s.good_die_per_wafer_ci);
  html += row("Expected gain", fmt::format("+{} good die per wafer", gain));
  if (s.money_per_week) html += row("Worth per week", format_number(*s.money_per_week));
  if (!s.cost_kind.empty() && s.cost_kind != "none") {
    std::string cost = plain_kind(s.cost_kind);
    if (!s.cost_layers.empty()) cost += ": " + join(s.cost_layers, ", ");
    if (s.cost_money) cost += ", " + format_number(*s.cost_money);
    html += row("Cost", cost);
  }
  for (const auto& [effect, change] : s.side_effects) {
    html += row("Change of " + plain_kind(effect), format_number(change));
  }
  html += row("Confidence", format_percent(s.confidence, 0));
  if (!s.disproved_by.empty()) html += row("Disproved by", s.disproved_by);
  return html + "</table>";
}

std::string list_html(const std::string& title, const std::vector<std::string>& lines) {
  if (lines.empty()) return "";
  std::string html = "<h4>" + escape_markup(title) +
                     "</h4><ul style='margin-left:14px; "
                     "-qt-list-indent:0'>";
  for (const std::string& line : lines) html += "<li>" + escape_markup(line) + "</li>";
  return html + "</ul>";
}

}  // namespace

std::string plain_kind(const std::string& kind) {
  std::string text = kind;
  std::ranges::replace(text, '_', ' ');
  return text;
}

std::string evidence_html(const OpenedFab& fab, const Finding& f) {
  std::string html = "<p><b>" + std::to_string(f.rank) + ". " + escape_markup(f.statement) +
                     "</b><br><span style='color:#57606a'>" + escape_markup(plain_kind(f.kind)) +
                     ": " + escape_markup(fields_text(f.subject)) + "</span></p>";
  html += "<table cellspacing='2'>" + effect_rows(f) + "</table>" + confounders(f);
  const auto suggestions = fab.suggestions_for(f.id);
  for (const Suggestion* s : suggestions) html += suggestion_html(*s);
  if (suggestions.empty()) html += "<p>No suggestion answers this finding.</p>";
  if (!f.evidence.empty()) {
    html += "<h4>Evidence</h4><table cellspacing='2'>" + evidence_rows(f) + "</table>";
  }
  return html;
}

std::string overview_html(const OpenedFab& fab) {
  const FindingsDocument& d = fab.analysis.findings;
  std::string html = "<h4>Yield</h4><table cellspacing='2'>";
  if (fab.yields) {
    const auto& y = *fab.yields;
    html += row("Final, die-weighted", format_percent(y.final.yield()) + " (95 % interval " +
                                           format_percent(y.final_ci.low) + " to " +
                                           format_percent(y.final_ci.high) + ")");
    html += row("First pass, die-weighted", format_percent(y.first_pass.yield()));
    html += row("Mean wafer yield, final", format_percent(y.mean_wafer_yield));
    html += row("Tested die", format_count(y.final.tested));
  }
  html += row("False findings expected", format_number(d.alarm_budget.expected_false_findings));
  html += "</table>";
  html += d.findings.empty() ? "<p>No cause of loss was found beyond chance.</p>"
                             : "<p>Choose a finding (N) to see what is behind it.</p>";
  std::vector<std::string> undecided;
  for (const Undecided& u : d.undecided) {
    std::vector<std::string> names;
    for (const auto& candidate : u.candidates) names.push_back(fields_text(candidate));
    undecided.push_back(join(names, " or ") + ": " + u.why + " " + u.deciding_experiment);
  }
  html += list_html("Not decided by these data", undecided);
  std::vector<std::string> caveats = d.caveats;
  for (const std::string& caveat : fab.analysis.fab.caveats) {
    if (std::ranges::find(caveats, caveat) == caveats.end()) caveats.push_back(caveat);
  }
  return html + list_html("To keep in mind", caveats);
}

}  // namespace yieldloop::viewmodel

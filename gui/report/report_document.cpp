#include "gui/report/report_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/core/number_text.h"
#include "engine/core/text.h"

namespace yieldloop::gui_report {
namespace {

using report::ReportContent;
using Blocks = std::vector<Block>;

std::string points(double difference) {
  const std::string sign = difference > 0 ? "+" : "";
  return sign + format_number(difference * 100.0, 2) + " pt";
}

std::string or_dash(const std::string& text) { return text.empty() ? "\u2013" : text; }

std::string status_label(report::ReportStatus status) {
  switch (status) {
    case report::ReportStatus::kNoNewData: return "No new data";
    case report::ReportStatus::kNormal: return "Normal";
    case report::ReportStatus::kAttention: return "Attention";
    case report::ReportStatus::kAlarm: return "Alarm";
  }
  return "";
}

std::string gain_text(double die, const Interval& ci) {
  return fmt::format("{}{} {}", die > 0 ? "+" : "", format_number(die),
                     format_interval(ci.low, ci.high));
}

void add_summary(const ReportContent& content, Blocks& blocks) {
  blocks.push_back(Heading{1, content.title});
  blocks.push_back(Callout{content.headline.status, status_label(content.headline.status),
                           content.headline.sentence});
  if (!content.headline.changes.empty()) blocks.push_back(BulletList{content.headline.changes});
  blocks.push_back(Paragraph{content.headline.completeness, true});
}

void add_wafer_table(const report::LotRow& lot, Blocks& blocks) {
  ReportTable table{
      .caption = "Wafers of lot " + lot.lot,
      .columns = {{"Wafer"}, {"Dies", true}, {"First pass", true}, {"Final", true}, {"Flags"}},
      .folded = true};
  for (const report::WaferRow& wafer : lot.wafer_rows) {
    table.rows.push_back({wafer.label, format_count(wafer.tested), format_percent(wafer.first_pass),
                          format_percent(wafer.final_yield), or_dash(join(wafer.flags, "; "))});
  }
  blocks.push_back(std::move(table));
}

void add_lots_section(const ReportContent& content, Blocks& blocks) {
  blocks.push_back(Heading{2, "1. Lots and wafers"});
  if (content.lots.empty()) {
    blocks.push_back(Paragraph{"No lot was tested."});
    add_trend_chart(content, blocks);
    return;
  }
  ReportTable table{.columns = {{"Lot"},
                                {"Wafers", true},
                                {"Dies", true},
                                {"First pass", true},
                                {"Final, die-weighted", true},
                                {"95 % interval", true},
                                {"Mean of wafers", true},
                                {"Against baseline", true},
                                {"Flags"}}};
  for (const report::LotRow& lot : content.lots) {
    table.rows.push_back(
        {lot.lot, format_count(lot.wafers), format_count(lot.tested),
         format_percent(lot.first_pass), format_percent(lot.final_yield),
         format_percent(lot.final_ci.low) + " \u2013 " + format_percent(lot.final_ci.high),
         format_percent(lot.mean_wafer_yield),
         lot.against_baseline ? points(*lot.against_baseline) : "\u2013",
         or_dash(join(lot.flags, "; "))});
  }
  blocks.push_back(std::move(table));
  add_trend_chart(content, blocks);
  add_map_charts(content, blocks);
  for (const report::LotRow& lot : content.lots) add_wafer_table(lot, blocks);
}

void add_excursions_section(const ReportContent& content, Blocks& blocks) {
  blocks.push_back(Heading{2, "2. Excursions"});
  if (content.excursions.empty()) {
    blocks.push_back(Paragraph{content.centre ? "Nothing left its limits."
                                              : "No limits could be drawn, so nothing was checked "
                                                "against them; see the caveats."});
    return;
  }
  ReportTable table{.columns = {{"What"},
                                {"Rule"},
                                {"First lot"},
                                {"Value", true},
                                {"Usual", true},
                                {"Limit", true},
                                {"Wafers exposed", true},
                                {"Dies lost", true}}};
  for (const report::Excursion& e : content.excursions) {
    table.rows.push_back({e.subject, e.rule, e.first_lot, format_percent(e.value),
                          format_percent(e.centre), format_percent(e.limit), format_count(e.wafers),
                          format_count(std::llround(e.die_lost))});
  }
  blocks.push_back(std::move(table));
  // Excursions of one lot show the same wafers; these are drawn once.
  constexpr std::size_t kMostPictures = 6;
  std::set<std::vector<std::string>> drawn;
  for (const report::Excursion& e : content.excursions) {
    if (drawn.size() < kMostPictures && drawn.insert(e.maps).second) {
      add_excursion_chart(content, e, blocks);
    }
  }
}

std::string evidence_text(const Finding& finding) {
  std::vector<std::string> parts;
  for (const Evidence& e : finding.evidence) {
    std::string n;
    for (const std::int64_t count : e.n) n += (n.empty() ? "" : " and ") + format_count(count);
    std::string part = e.test.empty() ? e.analysis : e.test;
    if (!n.empty()) part += ", n = " + n;
    parts.push_back(part + ", " + format_probability("p", e.p_value));
  }
  return join(parts, "; ");
}

void add_drivers_section(const ReportContent& content, Blocks& blocks) {
  blocks.push_back(Heading{2, "3. Largest loss drivers"});
  if (content.drivers.empty()) {
    blocks.push_back(Paragraph{"No cause of loss was found."});
    return;
  }
  ReportTable table{.columns = {{"", true},
                                {"Cause"},
                                {"Dies lost", true},
                                {"Good die per wafer", true},
                                {"Adjusted q", true},
                                {"Wafers", true},
                                {"Evidence"},
                                {"Owner"}}};
  int rank = 0;
  for (const report::LossDriver& d : content.drivers) {
    const Finding& f = d.finding;
    table.rows.push_back(
        {std::to_string(++rank), (d.is_new ? "" : "(known) ") + f.statement,
         format_count(std::llround(f.loss_die_total)) + " (" + format_percent(d.share_of_loss) +
             ")",
         gain_text(f.die_per_wafer, f.die_per_wafer_ci), format_probability("q", f.q_value),
         format_count(static_cast<std::int64_t>(f.wafers.size())), evidence_text(f), d.owner});
  }
  blocks.push_back(std::move(table));
  if (content.drivers_total > content.drivers.size()) {
    blocks.push_back(Paragraph{
        format_count(static_cast<std::int64_t>(content.drivers_total - content.drivers.size())) +
            " smaller findings are in the findings document.",
        true});
  }
  constexpr std::size_t kMapsOf = 3;
  for (std::size_t i = 0; i < std::min(kMapsOf, content.drivers.size()); ++i) {
    if (content.drivers[i].affected.empty()) continue;
    blocks.push_back(Heading{3, content.drivers[i].finding.statement});
    add_driver_chart(content, content.drivers[i], blocks);
  }
}

void add_bins_section(const ReportContent& content, Blocks& blocks) {
  blocks.push_back(Heading{2, "4. Failing bins"});
  if (content.bins.empty()) {
    blocks.push_back(Paragraph{"No die failed."});
    return;
  }
  add_bin_chart(content, blocks);
  ReportTable table{.columns = {{"Hard bin"},
                                {"Dies", true},
                                {"Of tested dies", true},
                                {"Cumulative of failed", true},
                                {"Expected from baseline", true}}};
  for (const report::BinRow& row : content.bins) {
    table.rows.push_back({std::to_string(row.bin) + (row.name.empty() ? "" : " " + row.name),
                          format_count(row.die), format_percent(row.share),
                          format_percent(row.cumulative),
                          row.expected ? format_count(std::llround(*row.expected)) : "\u2013"});
  }
  blocks.push_back(std::move(table));
}

std::string confounders(const Finding& finding) {
  std::vector<std::string> parts;
  for (const auto& subject : finding.confounded_with) {
    Finding other;
    other.subject = subject;
    parts.push_back(subject_text(other));
  }
  return or_dash(join(parts, "; "));
}

std::size_t lots_of(const Finding& finding) {
  std::vector<std::string> lots;
  for (const std::string& wafer : finding.wafers) lots.push_back(wafer.substr(0, wafer.find('/')));
  std::ranges::sort(lots);
  return static_cast<std::size_t>(std::unique(lots.begin(), lots.end()) - lots.begin());
}

void add_suspects_section(const ReportContent& content, Blocks& blocks) {
  blocks.push_back(Heading{2, "5. Suspect tools and materials"});
  if (content.suspects.empty()) {
    blocks.push_back(Paragraph{"No tool, chamber, recipe, reticle or position stands out."});
  } else {
    add_suspect_chart(content, blocks);
    ReportTable table{.columns = {{"Suspect"},
                                  {"Good die per wafer", true},
                                  {"Adjusted q", true},
                                  {"Wafers", true},
                                  {"Lots", true},
                                  {"Confounded with"}}};
    for (const Finding& f : content.suspects) {
      table.rows.push_back({subject_text(f), gain_text(f.die_per_wafer, f.die_per_wafer_ci),
                            format_probability("q", f.q_value),
                            format_count(static_cast<std::int64_t>(f.wafers.size())),
                            format_count(static_cast<std::int64_t>(lots_of(f))), confounders(f)});
    }
    blocks.push_back(std::move(table));
  }
  for (const Undecided& undecided : content.undecided) {
    std::vector<std::string> names;
    for (const auto& candidate : undecided.candidates) {
      Finding other;
      other.subject = candidate;
      names.push_back(subject_text(other));
    }
    blocks.push_back(Paragraph{"Undecided between " + join(names, " and ") + ": " + undecided.why +
                               ". To decide: " + undecided.deciding_experiment});
  }
}

void add_defects_section(const ReportContent& content, Blocks& blocks) {
  blocks.push_back(Heading{2, "6. Defects and layout hotspots"});
  if (content.density.empty()) {
    blocks.push_back(Paragraph{"No inspection with a known area is stored."});
  } else {
    add_density_chart(content, blocks);
    ReportTable table{.columns = {{"Step"},
                                  {"Layers"},
                                  {"Inspections", true},
                                  {"Defects", true},
                                  {"Area, cm\u00b2", true},
                                  {"Per cm\u00b2", true},
                                  {"95 % interval", true}}};
    for (const report::DensityRow& row : content.density) {
      table.rows.push_back({row.step, or_dash(row.layers), format_count(row.inspections),
                            format_count(row.defects), format_number(row.area_cm2, 4),
                            format_number(row.density_per_cm2),
                            format_interval(row.density_ci.low, row.density_ci.high)});
    }
    blocks.push_back(std::move(table));
  }
  if (content.hotspots.empty()) {
    blocks.push_back(Paragraph{"No layout pattern or feature fails more often than its share."});
  }
  for (const report::Hotspot& hotspot : content.hotspots) {
    const Finding& f = hotspot.finding;
    blocks.push_back(Heading{3, (hotspot.is_new ? "" : "(known) ") + f.statement});
    std::string text = format_probability("q", f.q_value);
    if (f.rate_ratio) {
      text += "; rate ratio " + format_number(*f.rate_ratio) + " " +
              format_interval(f.rate_ratio_ci.low, f.rate_ratio_ci.high);
    }
    text += "; " + format_number(f.attributable_defects) + " defects attributable";
    if (f.locations_total > 0) {
      text += "; " + format_count(f.locations_total) +
              (f.locations_total == 1 ? " location" : " locations");
    }
    blocks.push_back(Paragraph{text + "."});
    add_clip_chart(hotspot, blocks);
  }
  for (const std::string& closed : content.closed) {
    blocks.push_back(Paragraph{"No longer found: " + closed});
  }
}

void add_suggestions_section(const ReportContent& content, Blocks& blocks) {
  blocks.push_back(Heading{2, "7. Suggestions"});
  if (content.suggestions.empty()) {
    blocks.push_back(Paragraph{"Nothing is suggested."});
    return;
  }
  ReportTable table{.columns = {{"", true},
                                {"Suggestion"},
                                {"Side"},
                                {"Gain, good die per wafer", true},
                                {"Confidence", true},
                                {"Cost"},
                                {"Rests on"},
                                {"Disproved by"}}};
  for (const report::SuggestionRow& row : content.suggestions) {
    const Suggestion& s = row.suggestion;
    std::string cost = s.cost_kind;
    std::ranges::replace(cost, '_', ' ');
    if (!s.cost_layers.empty()) cost += fmt::format(" {}", join(s.cost_layers, ", "));
    if (s.cost_money) cost += fmt::format(", {}", format_number(*s.cost_money, 6));
    table.rows.push_back({std::to_string(s.rank), s.statement.empty() ? s.action : s.statement,
                          s.side, gain_text(s.good_die_per_wafer, s.good_die_per_wafer_ci),
                          format_percent(s.confidence, 0), or_dash(cost),
                          or_dash(join(row.because, "; ")), or_dash(s.disproved_by)});
  }
  blocks.push_back(std::move(table));
}

void add_provenance_section(const ReportContent& content, Blocks& blocks) {
  blocks.push_back(Heading{2, "8. Caveats"});
  if (content.caveats.empty()) {
    blocks.push_back(Paragraph{"None."});
  } else {
    blocks.push_back(BulletList{content.caveats});
  }
  blocks.push_back(Heading{2, "9. Provenance"});
  const report::Provenance& p = content.provenance;
  ReportTable table{.columns = {{"What"}, {"Value"}}};
  table.rows = {{"Program", "yieldloop " + p.version}, {"Store", or_dash(p.store)},
                {"Snapshot", or_dash(p.snapshot)},     {"Command", or_dash(p.command)},
                {"Made for", or_dash(p.created)},      {"SHA-256 of options", p.config_hash}};
  for (const auto& [key, value] : p.options) table.rows.push_back({"Option " + key, value});
  for (const std::uint64_t seed : p.seeds) table.rows.push_back({"Seed", std::to_string(seed)});
  blocks.push_back(std::move(table));
}

}  // namespace

std::vector<Block> report_document(const ReportContent& content) {
  Blocks blocks;
  add_summary(content, blocks);
  add_lots_section(content, blocks);
  add_excursions_section(content, blocks);
  add_drivers_section(content, blocks);
  add_bins_section(content, blocks);
  add_suspects_section(content, blocks);
  add_defects_section(content, blocks);
  add_suggestions_section(content, blocks);
  add_provenance_section(content, blocks);
  return blocks;
}

}  // namespace yieldloop::gui_report

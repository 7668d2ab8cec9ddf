#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/core/number_text.h"
#include "engine/core/sha256.h"
#include "engine/core/text.h"
#include "engine/report/report_parts.h"

namespace yieldloop::report {
namespace {

std::string counted(std::int64_t count, const std::string& one, const std::string& many) {
  return format_count(count) + " " + (count == 1 ? one : many);
}

std::int64_t wafers_tonight(const ReportContent& content) {
  std::int64_t wafers = 0;
  for (const LotRow& lot : content.lots) wafers += lot.wafers;
  return wafers;
}

std::string when(const ReportContent& content) {
  return content.night.empty() ? "over the whole scope" : "in the night of " + content.night;
}

bool below_baseline(const Headline& headline) {
  return headline.baseline && headline.final_yield.ci.high < headline.baseline->ci.low;
}

ReportStatus status_of(const ReportContent& content) {
  if (content.lots.empty()) return ReportStatus::kNoNewData;
  if (!content.excursions.empty() || below_baseline(content.headline)) return ReportStatus::kAlarm;
  return content.drivers_total > 0 ? ReportStatus::kAttention : ReportStatus::kNormal;
}

std::string against_baseline(const Headline& headline) {
  if (!headline.baseline) return "";
  const YieldFigure& base = *headline.baseline;
  const double points = (headline.final_yield.yield - base.yield) * 100.0;
  const std::string distance = format_number(std::abs(points), 2) + " points " +
                               (points < 0 ? "below" : "above") + " the baseline of ";
  const bool overlap =
      headline.final_yield.ci.high >= base.ci.low && headline.final_yield.ci.low <= base.ci.high;
  std::string text = ", " + distance + format_percent(base.yield) + " (" +
                     counted(base.lots, "earlier lot", "earlier lots") + ")";
  if (overlap) text += ", which is within their intervals";
  if (headline.die_lost >= 0.5) {
    text += "; " + format_count(std::llround(headline.die_lost)) + " dies were lost against it";
  }
  return text;
}

std::string sentence_of(const ReportContent& content) {
  const Headline& h = content.headline;
  if (content.lots.empty()) {
    return "No new test results of " + content.product + " " + when(content) + ".";
  }
  std::string text =
      "Final yield of " + content.product + " " + when(content) + " is " +
      format_percent(h.final_yield.yield) + " (95 % interval " +
      format_percent(h.final_yield.ci.low) + " to " + format_percent(h.final_yield.ci.high) + "; " +
      counted(static_cast<std::int64_t>(content.lots.size()), "lot", "lots") + ", " +
      counted(wafers_tonight(content), "wafer", "wafers") + ")" + against_baseline(h) + ". ";
  if (content.excursions.empty() && content.drivers_total == 0) {
    return text + "Nothing left its limits and no cause of loss was found.";
  }
  text += content.excursions.empty() ? "Nothing left its limits"
                                     : counted(static_cast<std::int64_t>(content.excursions.size()),
                                               "excursion", "excursions");
  text += "; " + counted(static_cast<std::int64_t>(content.drivers_total), "finding", "findings");
  if (!content.drivers.empty()) {
    text += ", the largest: " + content.drivers.front().finding.statement;
  }
  if (text.back() != '.') text += ".";
  return text;
}

std::vector<std::string> changes_of(const ReportBasis& basis, const ReportContent& content) {
  std::vector<std::string> changes;
  for (const Excursion& excursion : content.excursions) {
    changes.push_back("Out of limits: " + excursion.subject + ".");
  }
  if (basis.options.previous) {
    for (const LossDriver& driver : content.drivers) {
      if (driver.is_new) changes.push_back("New: " + driver.finding.statement);
    }
    for (const std::string& statement : content.closed) {
      changes.push_back("No longer found: " + statement);
    }
  }
  constexpr std::size_t kMost = 12;
  if (changes.size() > kMost) {
    const auto more = static_cast<std::int64_t>(changes.size() - kMost);
    changes.resize(kMost);
    changes.push_back("And " + format_count(more) + " more.");
  }
  return changes;
}

std::string completeness_of(const ReportBasis& basis, const ReportContent& content) {
  std::int64_t tested = 0, inspected = 0;
  std::vector<bool> seen(basis.data.wafers.size(), false);
  for (const Inspection& inspection : basis.data.inspections) seen[inspection.wafer.raw()] = true;
  for (std::size_t w = 0; w < seen.size(); ++w) {
    tested += basis.final_tally[w].tested > 0 ? 1 : 0;
    inspected += seen[w] ? 1 : 0;
  }
  const auto all = static_cast<std::int64_t>(basis.data.wafers.size());
  std::string text = "Test results for " + format_count(tested) + " of " + format_count(all) +
                     " wafers known, inspections for " + format_count(inspected) + ", " +
                     format_count(static_cast<std::int64_t>(basis.data.step_runs.size())) +
                     " process steps";
  const auto skipped = static_cast<std::int64_t>(basis.options.skipped_files.size());
  text += skipped == 0 ? "; no file was skipped."
                       : "; " + counted(skipped, "file was", "files were") + " skipped.";
  (void)content;
  return text;
}

std::string hash_of_options(const ReportBasis& basis, const ReportContent& content) {
  std::string text = content.product + "\n" + content.night + "\n" +
                     std::to_string(basis.options.top_drivers) + "\n" +
                     std::to_string(basis.options.max_maps) + "\n" +
                     std::to_string(basis.options.max_suggestions) + "\n";
  for (const auto& [key, value] : content.provenance.options) {
    fmt::format_to(std::back_inserter(text), "{}={}\n", key, value);
  }
  for (const std::uint64_t seed : content.provenance.seeds) text += std::to_string(seed) + "\n";
  return Sha256::of(text).hex();
}

void add_pass_bin_caveat(const ReportBasis& basis, ReportContent& content) {
  if (!basis.data.product.pass_hard_bins.empty() || basis.final_dies.empty()) return;
  content.caveats.push_back(
      "The product file names no pass bins; pass and fail are those of the test program.");
}

}  // namespace

void add_caveats(const ReportBasis& basis, ReportContent& content) {
  content.caveats = basis.findings.caveats;
  for (const std::string& file : basis.options.skipped_files) {
    content.caveats.push_back("Skipped: " + file);
  }
  std::int64_t superseded = 0, unplaced = 0, untimed = 0;
  for (const DieResult& row : basis.data.die_results) {
    if (!has_place(row.die)) {
      ++unplaced;
    } else if (!row.final_result) {
      ++superseded;
    }
    untimed += row.tested_at.known() ? 0 : 1;
  }
  if (superseded > 0) {
    content.caveats.push_back("Retests: " + format_count(superseded) +
                              " results were superseded by a later test of the same die; the last "
                              "one counts as final, the first as first pass.");
  }
  if (unplaced > 0) {
    content.caveats.push_back(format_count(unplaced) +
                              " results without a place on the wafer are in no figure and on no "
                              "map.");
  }
  if (untimed > 0 && !content.night.empty()) {
    content.caveats.push_back(format_count(untimed) +
                              " results carry no time; lots without any time count as earlier "
                              "lots.");
  }
  add_pass_bin_caveat(basis, content);
  if (!content.stack.empty() && !content.geometry.centre_x_um) {
    content.caveats.push_back(
        "No inspection gave the place of the die grid on the wafer; maps are centred on the dies "
        "tested.");
  }
  if (!content.night.empty() && !content.headline.baseline && !content.lots.empty()) {
    content.caveats.push_back("No baseline: fewer than two earlier lots are stored.");
  }
  if (!content.centre && !content.lots.empty()) {
    content.caveats.push_back("No control limits: fewer than five reference lots are stored.");
  }
  if (content.maps.size() < content.maps_total) {
    content.caveats.push_back("Maps are shown for " +
                              format_count(static_cast<std::int64_t>(content.maps.size())) +
                              " of " + format_count(static_cast<std::int64_t>(content.maps_total)) +
                              " wafers: those with the lowest yield and those of excursions.");
  }
  const AlarmBudget& budget = basis.findings.alarm_budget;
  if (!basis.findings.findings.empty()) {
    std::string text = "Findings are corrected for multiplicity; " +
                       format_number(budget.expected_false_findings, 2) +
                       " false ones are expected among them";
    if (budget.measured_on_shuffled) {
      text += " (" + format_number(*budget.measured_on_shuffled, 2) + " measured on shuffled data)";
    }
    content.caveats.push_back(text + ".");
  }
}

void add_headline(const ReportBasis& basis, ReportContent& content) {
  content.headline.status = status_of(content);
  content.headline.sentence = sentence_of(content);
  content.headline.changes = changes_of(basis, content);
  content.headline.completeness = completeness_of(basis, content);
}

void add_provenance(const ReportBasis& basis, ReportContent& content) {
  content.provenance = basis.options.provenance;
  content.provenance.config_hash = hash_of_options(basis, content);
}

}  // namespace yieldloop::report

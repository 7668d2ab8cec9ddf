#include <algorithm>

#include "engine/core/text.h"
#include "engine/defects/density.h"
#include "engine/report/report_parts.h"

namespace yieldloop::report {
namespace {

const std::set<std::string>& equipment_kinds() {
  static const std::set<std::string> kinds{
      "tool",          "chamber",   "recipe",      "reticle",     "slot_or_position",
      "queue_time",    "metrology", "maintenance", "time_change", "sensor_drift",
      "test_artefact", "assembly",  "supplier_lot"};
  return kinds;
}

bool is_layout_kind(const std::string& kind) {
  static const std::set<std::string> kinds{
      "layout_pattern", "layout_feature", "via", "net_or_cell", "design_process_interaction",
      "repeater"};
  return kinds.contains(kind);
}

std::string owner_of(const Finding& finding) {
  if (finding.kind == "reticle" || finding.kind == "repeater") return "lithography";
  if (finding.kind == "test_artefact") return "test";
  if (finding.kind == "assembly") return "assembly";
  if (finding.kind == "supplier_lot") return "purchasing";
  if (is_layout_kind(finding.kind)) return "design";
  const auto step = finding.subject.find("step");
  return step == finding.subject.end() || step->second.empty() ? "process integration"
                                                               : step->second;
}

bool was_known(const ReportOptions& options, const Finding& finding) {
  if (!options.previous) return false;
  return std::ranges::any_of(options.previous->findings,
                             [&](const Finding& old) { return old.id == finding.id; });
}

std::vector<bool> wafers_of(const ReportBasis& basis, const Finding& finding) {
  const std::set<std::string> labels(finding.wafers.begin(), finding.wafers.end());
  std::vector<bool> taken(basis.data.wafers.size(), false);
  for (std::size_t w = 0; w < taken.size(); ++w) {
    taken[w] = labels.contains(basis.data.wafer_label(WaferId{static_cast<std::uint32_t>(w)}));
  }
  return taken;
}

std::string layers_of(const Product& product, const std::string& step) {
  for (const InspectionLayers& inspection : product.inspections) {
    if (inspection.step == step) return join(inspection.layers, ", ");
  }
  return "";
}

}  // namespace

void add_drivers(const ReportBasis& basis, ReportContent& content) {
  content.drivers_total = basis.findings.findings.size();
  std::int64_t failed = 0;
  for (const DieOutcome& die : basis.final_dies) failed += die.pass ? 0 : 1;
  std::vector<const Finding*> order;
  for (const Finding& finding : basis.findings.findings) order.push_back(&finding);
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [](const Finding* f) { return f->loss_die_total; });
  for (std::size_t i = 0; i < std::min(order.size(), basis.options.top_drivers); ++i) {
    LossDriver driver{.finding = *order[i],
                      .owner = owner_of(*order[i]),
                      .is_new = !was_known(basis.options, *order[i])};
    if (failed > 0) driver.share_of_loss = order[i]->loss_die_total / static_cast<double>(failed);
    std::vector<bool> taken = wafers_of(basis, *order[i]);
    driver.affected = stack_of(basis.final_dies, taken);
    if (!driver.affected.empty()) {
      taken.flip();
      driver.others = stack_of(basis.final_dies, taken);
    }
    content.drivers.push_back(std::move(driver));
  }
}

void add_suspects(const ReportBasis& basis, ReportContent& content) {
  for (const Finding& finding : basis.findings.findings) {
    if (equipment_kinds().contains(finding.kind)) content.suspects.push_back(finding);
  }
  content.undecided = basis.findings.undecided;
}

void add_defects(const ReportBasis& basis, ReportContent& content) {
  if (const auto density = defects::defect_density(basis.data)) {
    for (const defects::StepDensity& step : density->steps) {
      const std::string& name = basis.data.names[step.step];
      content.density.push_back({.step = name,
                                 .layers = layers_of(basis.data.product, name),
                                 .inspections = step.inspections,
                                 .defects = step.defects,
                                 .area_cm2 = step.area_cm2,
                                 .density_per_cm2 = step.density_per_cm2,
                                 .density_ci = step.density_ci});
    }
  }
  for (const Finding& finding : basis.findings.findings) {
    if (!is_layout_kind(finding.kind)) continue;
    Hotspot hotspot{.finding = finding, .is_new = !was_known(basis.options, finding)};
    for (const ReportClip& clip : basis.options.clips) {
      if (clip.finding != finding.id) continue;
      hotspot.clip = clip;
      break;
    }
    // The report shows where to look; the findings document holds all locations.
    constexpr std::size_t kLocationsShown = 20;
    if (hotspot.finding.locations.size() > kLocationsShown) {
      hotspot.finding.locations.resize(kLocationsShown);
    }
    content.hotspots.push_back(std::move(hotspot));
  }
  if (!basis.options.previous) return;
  for (const Finding& old : basis.options.previous->findings) {
    const bool still = std::ranges::any_of(basis.findings.findings,
                                           [&](const Finding& f) { return f.id == old.id; });
    if (!still) content.closed.push_back(old.statement);
  }
}

void add_suggestions(const ReportBasis& basis, const std::vector<Suggestion>& suggestions,
                     ReportContent& content) {
  for (const Suggestion& suggestion : suggestions) {
    if (content.suggestions.size() == basis.options.max_suggestions) break;
    SuggestionRow row{.suggestion = suggestion};
    for (const std::string& id : suggestion.because) {
      const auto it = std::ranges::find(basis.findings.findings, id, &Finding::id);
      row.because.push_back(it == basis.findings.findings.end() ? id : it->statement);
    }
    content.suggestions.push_back(std::move(row));
  }
}

}  // namespace yieldloop::report

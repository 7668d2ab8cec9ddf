#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"
#include "engine/cli/console.h"
#include "engine/cli/open_scope.h"
#include "engine/cli/trace_causes_output.h"
#include "engine/cli/trace_query.h"
#include "engine/core/text.h"
#include "engine/findings/findings_json.h"
#include "engine/findings/layout_causes.h"

namespace yieldloop::cli {
namespace {

using Json = nlohmann::ordered_json;

Json interval(const Interval& i) { return Json::array({i.low, i.high}); }

Json feature_json(const tracing::FeatureRate& r) {
  return {{"step", r.step},
          {"layer", r.layer},
          {"feature", r.feature},
          {"defect_class", r.defect_class.empty() ? Json(nullptr) : Json(r.defect_class)},
          {"places", r.places},
          {"cases", {r.cases_exposed, r.cases}},
          {"controls", {r.controls_exposed, r.controls}},
          {"rate_ratio", {{"value", r.rate_ratio}, {"ci95", interval(r.rate_ratio_ci)}}},
          {"attributable_defects", r.attributable},
          {"p_value", r.p_value},
          {"q_value", r.q_value}};
}

Json registration_json(const findings::StepRegistration& r) {
  constexpr std::array kVerdicts{"undetermined", "confirmed", "moved", "ambiguous"};
  const auto& best = r.registration.best;
  return {{"step", r.step},
          {"tool", r.tool.empty() ? Json(nullptr) : Json(r.tool)},
          {"verdict", kVerdicts[static_cast<std::size_t>(r.registration.verdict)]},
          {"shift_um", {best.alignment.shift.x, best.alignment.shift.y}},
          {"shift_se_um", {r.registration.shift_error.x, r.registration.shift_error.y}},
          {"rotation_urad", 1e6 * best.alignment.rotation},
          {"scale_ppm", 1e6 * best.alignment.scale},
          {"log_evidence_over_header", r.registration.over_header},
          {"log_evidence_over_second", r.registration.over_second},
          {"p_value", r.registration.p_value}};
}

Json trace_json(const FabData& data, const findings::LayoutTrace& trace,
                const std::vector<findings::Candidate>& candidates) {
  Json found = Json::array(), features = Json::array();
  for (const auto& c : candidates) found.push_back(Json::parse(findings::to_json(c.finding)));
  for (const auto& r : trace.features) features.push_back(feature_json(r));
  Json registrations = Json::array();
  for (const auto& r : trace.registrations) registrations.push_back(registration_json(r));
  return {{"schema", "yieldloop.trace/1"},
          {"scope", {{"product", data.product.name}, {"wafers", data.wafers.size()}}},
          {"defects",
           {{"traced", trace.defects}, {"clustered", trace.clustered}, {"outside", trace.outside}}},
          {"findings", std::move(found)},
          {"features", std::move(features)},
          {"registrations", std::move(registrations)},
          {"caveats", trace.caveats}};
}

std::string trace_text(const findings::LayoutTrace& trace,
                       const std::vector<findings::Candidate>& candidates) {
  constexpr std::size_t kShownFeatures = 15;
  std::string out = fmt::format(
      "{} defects traced; {} left out as clusters, {} off the layout or the inspected die\n",
      trace.defects, trace.clustered, trace.outside);
  if (candidates.empty()) out += "No pattern, via or feature draws defects beyond chance.\n";
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Finding& f = candidates[i].finding;
    out += fmt::format("\n {}. {}\n     q {:.2e}", i + 1, f.statement, f.q_value);
    if (f.rate_per_opportunity) {
      out += fmt::format(", {:.2e} defects per place (95 % interval {:.2e} to {:.2e})",
                         *f.rate_per_opportunity, f.rate_per_opportunity_ci.low,
                         f.rate_per_opportunity_ci.high);
    }
    out += "\n";
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& r : trace.features) {
    if (rows.size() == kShownFeatures) break;
    rows.push_back({r.step, r.layer, r.feature, r.defect_class.empty() ? "all" : r.defect_class,
                    fmt::format("{:.2f}", r.rate_ratio),
                    fmt::format("{:.2f} to {:.2f}", r.rate_ratio_ci.low, r.rate_ratio_ci.high),
                    fmt::format("{}", r.cases_exposed), fmt::format("{:.2g}", r.q_value)});
  }
  if (!rows.empty()) {
    out += "\nFeatures, what the patterns explain set aside:\n" +
           text_table(
               {"step", "layer", "feature", "class", "rate ratio", "95 % interval", "defects", "q"},
               rows);
  }
  for (const std::string& caveat : trace.caveats) out += " - " + caveat + "\n";
  return out;
}

}  // namespace

ExitStatus run_trace(const Context& context, const TraceArguments& arguments) {
  ConsoleProgress progress(context.quiet);
  const auto run = [&]() -> Result<std::string> {
    YL_ASSIGN(auto opened, open_for(context, arguments.analysis.scope, store::Store::Mode::kRead));
    YL_ASSIGN(const auto analysis, session::open_scope(opened.snapshot, opened.scope, progress));
    const auto view = analysis.view();
    if (!view) {
      return Error{
          Errc::kNoData, "CLIC-0004",
          fmt::format(
              "There is no layout of {} to trace to: ingest the file that product.toml names ({}).",
              analysis.fab.data.product.name,
              analysis.fab.data.product.layout_file.empty()
                  ? "it names none"
                  : analysis.fab.data.product.layout_file)};
    }
    if (asks_for_design(arguments)) return design_answer(context, arguments, analysis, progress);
    const findings::LayoutCauseOptions options{.alpha = arguments.analysis.q,
                                               .seed = arguments.analysis.seed,
                                               .step = arguments.step,
                                               .layer = arguments.layer};
    auto traced = findings::trace_layout(analysis.fab.data, *view, options, progress);
    // Electrical fails are traced without any inspection.
    const bool blocks_only =
        !traced && traced.error().code == Errc::kNoData && !analysis.block_tests.counts.empty();
    if (!traced && !blocks_only) return traced.error();
    findings::LayoutTrace trace;
    if (blocks_only) {
      trace.caveats.push_back(traced.error().message);
    } else {
      trace = std::move(*traced);
    }
    auto family = findings::layout_causes(analysis.fab.data, *view, trace, options);
    YL_ASSIGN(auto causes,
              trace_causes(analysis, *view, trace, options,
                           {arguments.regression, arguments.interactions, arguments.electrical},
                           progress));
    for (auto& c : causes.candidates) family.candidates.push_back(std::move(c));
    findings::absorb_tile_features(family.candidates);
    findings::absorb_parts(family.candidates);
    for (std::size_t i = 0; i < family.candidates.size(); ++i) {
      Finding& f = family.candidates[i].finding;
      f.rank = static_cast<int>(i) + 1;
      f.id = findings::finding_id(f.kind, f.subject);
      if (analysis.design) session::name_places(*analysis.design, analysis.fab.data.product, f);
    }
    if (!context.json) return trace_text(trace, family.candidates) + causes_text(causes);
    Json json = trace_json(analysis.fab.data, trace, family.candidates);
    json.update(Json::parse(causes_json(causes)));
    for (const std::string& caveat : causes.caveats) json["caveats"].push_back(caveat);
    return json.dump(1);
  };
  const auto text = run();
  return text ? print(*text) : fail(text.error());
}

}  // namespace yieldloop::cli

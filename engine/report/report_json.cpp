#include "engine/report/report_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/core/text.h"
#include "engine/core/time.h"

namespace yieldloop::report {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
Json number(const std::optional<double>& value) { return value ? number(*value) : Json(nullptr); }
Json interval(const Interval& i) { return Json::array({number(i.low), number(i.high)}); }
Json text(const std::string& value) { return to_valid_utf8(value); }

Json texts(const std::vector<std::string>& values) {
  Json list = Json::array();
  for (const std::string& value : values) list.push_back(text(value));
  return list;
}

Json object(const std::map<std::string, std::string>& map) {
  Json json = Json::object();
  for (const auto& [key, value] : map) json[text(key).get<std::string>()] = text(value);
  return json;
}

Json figure(const YieldFigure& f) {
  return {{"tested", f.tested},
          {"good", f.good},
          {"yield", number(f.yield)},
          {"ci95", interval(f.ci)},
          {"lots", f.lots}};
}

Json headline(const Headline& h) {
  return {{"status", status_name(h.status)},
          {"sentence", text(h.sentence)},
          {"changes", texts(h.changes)},
          {"final_yield", figure(h.final_yield)},
          {"first_pass_yield", figure(h.first_pass)},
          {"baseline", h.baseline ? figure(*h.baseline) : Json(nullptr)},
          {"die_lost", number(h.die_lost)},
          {"completeness", text(h.completeness)}};
}

Json lot(const LotRow& row) {
  Json wafers = Json::array();
  for (const WaferRow& w : row.wafer_rows) {
    wafers.push_back({{"wafer", text(w.label)},
                      {"tested", w.tested},
                      {"first_pass_yield", number(w.first_pass)},
                      {"final_yield", number(w.final_yield)},
                      {"flags", texts(w.flags)}});
  }
  const std::string time = to_iso8601(row.last_tested);
  return {{"lot", text(row.lot)},
          {"wafers", row.wafers},
          {"tested", row.tested},
          {"first_pass_yield", number(row.first_pass)},
          {"final_yield", number(row.final_yield)},
          {"final_yield_ci95", interval(row.final_ci)},
          {"mean_wafer_yield", number(row.mean_wafer_yield)},
          {"against_baseline", number(row.against_baseline)},
          {"last_tested", time.empty() ? Json(nullptr) : Json(time)},
          {"of_the_night", row.of_the_night},
          {"excursion", row.excursion},
          {"flags", texts(row.flags)},
          {"wafer_rows", std::move(wafers)}};
}

Json excursion(const Excursion& e) {
  return {{"rule", e.rule},
          {"subject", text(e.subject)},
          {"first_lot", text(e.first_lot)},
          {"value", number(e.value)},
          {"centre", number(e.centre)},
          {"limit", number(e.limit)},
          {"wafers", e.wafers},
          {"die_lost", number(e.die_lost)},
          {"maps", texts(e.maps)}};
}

Json evidence(const Finding& f) {
  Json list = Json::array();
  for (const Evidence& e : f.evidence) {
    Json detail = Json::object();
    for (const auto& [key, value] : e.detail) detail[key] = number(value);
    list.push_back({{"analysis", text(e.analysis)},
                    {"test", text(e.test)},
                    {"n", e.n},
                    {"p_value", number(e.p_value)},
                    {"detail", std::move(detail)}});
  }
  return list;
}

Json finding(const Finding& f) {
  Json confounded = Json::array();
  for (const auto& subject : f.confounded_with) confounded.push_back(object(subject));
  return {{"id", text(f.id)},
          {"rank", f.rank},
          {"kind", text(f.kind)},
          {"subject", object(f.subject)},
          {"statement", text(f.statement)},
          {"die_per_wafer", number(f.die_per_wafer)},
          {"die_per_wafer_ci95", interval(f.die_per_wafer_ci)},
          {"loss_die_total", number(f.loss_die_total)},
          {"q_value", number(f.q_value)},
          {"confidence", number(f.confidence)},
          {"wafers", f.wafers.size()},
          {"confounded_with", std::move(confounded)},
          {"evidence", evidence(f)}};
}

Json driver(const LossDriver& d) {
  return {{"finding", finding(d.finding)},
          {"owner", text(d.owner)},
          {"share_of_loss", number(d.share_of_loss)},
          {"new", d.is_new}};
}

Json bin(const BinRow& row) {
  return {{"bin", row.bin},
          {"name", text(row.name)},
          {"die", row.die},
          {"share", number(row.share)},
          {"cumulative", number(row.cumulative)},
          {"expected", number(row.expected)}};
}

Json density(const DensityRow& row) {
  return {{"step", text(row.step)},
          {"layers", text(row.layers)},
          {"inspections", row.inspections},
          {"defects", row.defects},
          {"area_cm2", number(row.area_cm2)},
          {"density_per_cm2", number(row.density_per_cm2)},
          {"density_ci95", interval(row.density_ci)}};
}

Json hotspot(const Hotspot& h) {
  Json places = Json::array();
  for (const LayoutLocation& l : h.finding.locations) {
    places.push_back({{"layer", text(l.layer)},
                      {"x", number(l.x_um)},
                      {"y", number(l.y_um)},
                      {"w", number(l.w_um)},
                      {"h", number(l.h_um)}});
  }
  return {{"finding", text(h.finding.id)},
          {"statement", text(h.finding.statement)},
          {"new", h.is_new},
          {"rate_ratio", number(h.finding.rate_ratio)},
          {"rate_ratio_ci95", interval(h.finding.rate_ratio_ci)},
          {"attributable_defects", number(h.finding.attributable_defects)},
          {"locations", std::move(places)},
          {"locations_total", h.finding.locations_total}};
}

Json suggestion(const SuggestionRow& row) {
  const Suggestion& s = row.suggestion;
  return {{"id", text(s.id)},
          {"rank", s.rank},
          {"side", text(s.side)},
          {"action", text(s.action)},
          {"subject", object(s.subject)},
          {"statement", text(s.statement)},
          {"because", texts(s.because)},
          {"good_die_per_wafer", number(s.good_die_per_wafer)},
          {"good_die_per_wafer_ci95", interval(s.good_die_per_wafer_ci)},
          {"money_per_week", number(s.money_per_week)},
          {"cost_kind", text(s.cost_kind)},
          {"cost_money", number(s.cost_money)},
          {"confidence", number(s.confidence)},
          {"disproved_by", text(s.disproved_by)}};
}

Json undecided(const Undecided& u) {
  Json candidates = Json::array();
  for (const auto& candidate : u.candidates) candidates.push_back(object(candidate));
  return {{"candidates", std::move(candidates)},
          {"why", text(u.why)},
          {"deciding_experiment", text(u.deciding_experiment)}};
}

Json provenance(const Provenance& p) {
  Json options = Json::object();
  for (const auto& [key, value] : p.options) options[text(key).get<std::string>()] = text(value);
  return {{"version", text(p.version)},    {"store", text(p.store)},
          {"snapshot", text(p.snapshot)},  {"command", text(p.command)},
          {"created", text(p.created)},    {"config_sha256", text(p.config_hash)},
          {"options", std::move(options)}, {"seeds", p.seeds}};
}

template <class Rows, class Write>
Json list_of(const Rows& rows, Write write) {
  Json list = Json::array();
  for (const auto& row : rows) list.push_back(write(row));
  return list;
}

}  // namespace

std::string status_name(ReportStatus status) {
  switch (status) {
    case ReportStatus::kNoNewData: return "no_new_data";
    case ReportStatus::kNormal: return "normal";
    case ReportStatus::kAttention: return "attention";
    case ReportStatus::kAlarm: return "alarm";
  }
  return "";
}

std::string report_json(const ReportContent& content) {
  Json json;
  json["schema"] = "yieldloop.report/1";
  json["title"] = text(content.title);
  json["product"] = text(content.product);
  json["night"] = content.night.empty() ? Json(nullptr) : text(content.night);
  json["headline"] = headline(content.headline);
  json["lots"] = list_of(content.lots, lot);
  json["excursions"] = list_of(content.excursions, excursion);
  json["loss_drivers"] = list_of(content.drivers, driver);
  json["loss_drivers_total"] = content.drivers_total;
  json["bins"] = list_of(content.bins, bin);
  json["suspects"] = list_of(content.suspects, finding);
  json["undecided"] = list_of(content.undecided, undecided);
  json["defect_density"] = list_of(content.density, density);
  json["hotspots"] = list_of(content.hotspots, hotspot);
  json["closed"] = texts(content.closed);
  json["suggestions"] = list_of(content.suggestions, suggestion);
  json["caveats"] = texts(content.caveats);
  json["trend"] = {{"centre", number(content.centre)},
                   {"lower_limit", number(content.lower_limit)},
                   {"upper_limit", number(content.upper_limit)},
                   {"lots", list_of(content.trend, lot)}};
  json["maps"] = {{"shown", content.maps.size()}, {"total", content.maps_total}};
  json["provenance"] = provenance(content.provenance);
  return json.dump(2) + "\n";
}

}  // namespace yieldloop::report

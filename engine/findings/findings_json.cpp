#include "engine/findings/findings_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/core/text.h"

namespace yieldloop::findings {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSchema = "yieldloop.findings/1";

/// JSON has no infinity: an open end of an interval is null.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
double number_of(const Json& json, double otherwise) {
  return json.is_number() ? json.get<double>() : otherwise;
}

Json interval(const Interval& i) { return Json::array({number(i.low), number(i.high)}); }
Interval interval_of(const Json& json) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (!json.is_array() || json.size() != 2) return {};
  return {number_of(json[0], -kInfinity), number_of(json[1], kInfinity)};
}

Json texts(const std::map<std::string, std::string>& map) {
  Json json = Json::object();
  for (const auto& [key, value] : map) json[key] = to_valid_utf8(value);
  return json;
}
std::map<std::string, std::string> texts_of(const Json& json) {
  std::map<std::string, std::string> map;
  for (const auto& [key, value] : json.items()) map[key] = value.get<std::string>();
  return map;
}

Json evidence_json(const Evidence& e) {
  Json detail = Json::object();
  for (const auto& [key, value] : e.detail) detail[key] = number(value);
  return {{"analysis", e.analysis},
          {"test", e.test},
          {"n", e.n},
          {"p_value", number(e.p_value)},
          {"detail", std::move(detail)}};
}

Evidence evidence_of(const Json& json) {
  Evidence e{.analysis = json.at("analysis"), .test = json.at("test"), .n = json.at("n")};
  e.p_value = number_of(json.at("p_value"), 1.0);
  for (const auto& [key, value] : json.at("detail").items()) {
    e.detail[key] = number_of(value, std::nan(""));
  }
  return e;
}

Json location_json(const LayoutLocation& l) {
  return {{"layer", to_valid_utf8(l.layer)},
          {"x", l.x_um},
          {"y", l.y_um},
          {"w", l.w_um},
          {"h", l.h_um}};
}

LayoutLocation location_of(const Json& json) {
  return {json.at("layer"), json.at("x"), json.at("y"), json.at("w"), json.at("h")};
}

void add_layout_part(Json& json, const Finding& f) {
  Json locations = Json::array();
  for (const auto& l : f.locations) locations.push_back(location_json(l));
  json["locations"] = std::move(locations);
  if (f.locations_total > 0) json["locations_total"] = f.locations_total;
  if (f.rate_per_opportunity) {
    json["rate_per_opportunity"] = {{"value", number(*f.rate_per_opportunity)},
                                    {"ci95", interval(f.rate_per_opportunity_ci)}};
  }
  if (f.rate_ratio) {
    json["rate_ratio"] = {{"value", number(*f.rate_ratio)}, {"ci95", interval(f.rate_ratio_ci)}};
    json["attributable_defects"] = number(f.attributable_defects);
  }
}

Json finding_json(const Finding& f) {
  Json evidence = Json::array(), confounded = Json::array(), wafers = Json::array();
  for (const auto& e : f.evidence) evidence.push_back(evidence_json(e));
  for (const auto& c : f.confounded_with) confounded.push_back(texts(c));
  for (const auto& w : f.wafers) wafers.push_back(to_valid_utf8(w));
  Json json = {
      {"rank", f.rank},
      {"id", f.id},
      {"kind", f.kind},
      {"subject", texts(f.subject)},
      {"statement", to_valid_utf8(f.statement)},
      {"effect",
       {{"die_per_wafer", number(f.die_per_wafer)}, {"ci95", interval(f.die_per_wafer_ci)}}},
      {"loss_die_total", number(f.loss_die_total)},
      {"q_value", number(f.q_value)},
      {"confidence", number(f.confidence)},
      {"evidence", std::move(evidence)},
      {"confounded_with", std::move(confounded)},
      {"wafers", std::move(wafers)}};
  add_layout_part(json, f);
  return json;
}

Finding finding_of(const Json& json) {
  Finding f;
  f.rank = json.at("rank");
  f.id = json.at("id");
  f.kind = json.at("kind");
  f.subject = texts_of(json.at("subject"));
  f.statement = json.at("statement");
  f.die_per_wafer = number_of(json.at("effect").at("die_per_wafer"), 0.0);
  f.die_per_wafer_ci = interval_of(json.at("effect").at("ci95"));
  f.loss_die_total = number_of(json.at("loss_die_total"), 0.0);
  f.q_value = number_of(json.at("q_value"), 1.0);
  f.confidence = number_of(json.at("confidence"), 0.0);
  for (const auto& e : json.at("evidence")) f.evidence.push_back(evidence_of(e));
  for (const auto& c : json.at("confounded_with")) f.confounded_with.push_back(texts_of(c));
  for (const auto& w : json.at("wafers")) f.wafers.push_back(w);
  for (const auto& l : json.at("locations")) f.locations.push_back(location_of(l));
  f.locations_total = json.value("locations_total", std::int64_t{0});
  if (json.contains("rate_per_opportunity")) {
    f.rate_per_opportunity = number_of(json["rate_per_opportunity"].at("value"), 0.0);
    f.rate_per_opportunity_ci = interval_of(json["rate_per_opportunity"].at("ci95"));
  }
  if (json.contains("rate_ratio")) {
    f.rate_ratio = number_of(json["rate_ratio"].at("value"), 1.0);
    f.rate_ratio_ci = interval_of(json["rate_ratio"].at("ci95"));
    f.attributable_defects = number_of(json.at("attributable_defects"), 0.0);
  }
  return f;
}

Json undecided_json(const Undecided& u) {
  Json candidates = Json::array();
  for (const auto& c : u.candidates) candidates.push_back(texts(c));
  return {{"candidates", std::move(candidates)},
          {"why", to_valid_utf8(u.why)},
          {"deciding_experiment", to_valid_utf8(u.deciding_experiment)}};
}

Json budget_json(const AlarmBudget& budget) {
  return {{"expected_false_findings", number(budget.expected_false_findings)},
          {"measured_on_shuffled",
           budget.measured_on_shuffled ? number(*budget.measured_on_shuffled) : Json(nullptr)}};
}

FindingsDocument document_of(const Json& json) {
  FindingsDocument d;
  const Json& scope = json.at("scope");
  d.product = scope.at("product");
  d.wafers = scope.at("wafers");
  d.lots = scope.at("lots");
  d.baseline.yield = number_of(json.at("baseline").at("yield"), 0.0);
  d.baseline.yield_ci = interval_of(json.at("baseline").at("ci95"));
  d.baseline.die = json.at("baseline").value("die", std::int64_t{0});
  for (const auto& f : json.at("findings")) d.findings.push_back(finding_of(f));
  for (const auto& u : json.at("undecided")) {
    Undecided undecided{.why = u.at("why"), .deciding_experiment = u.at("deciding_experiment")};
    for (const auto& c : u.at("candidates")) undecided.candidates.push_back(texts_of(c));
    d.undecided.push_back(std::move(undecided));
  }
  const Json& budget = json.at("alarm_budget");
  d.alarm_budget.expected_false_findings = number_of(budget.at("expected_false_findings"), 0.0);
  if (budget.at("measured_on_shuffled").is_number()) {
    d.alarm_budget.measured_on_shuffled = budget.at("measured_on_shuffled").get<double>();
  }
  if (json.contains("caveats")) d.caveats = json["caveats"].get<std::vector<std::string>>();
  return d;
}

}  // namespace

std::string to_json(const Finding& finding) { return finding_json(finding).dump(); }

std::string to_json(const FindingsDocument& d) {
  Json findings = Json::array(), undecided = Json::array(), caveats = Json::array();
  for (const auto& f : d.findings) findings.push_back(finding_json(f));
  for (const auto& u : d.undecided) undecided.push_back(undecided_json(u));
  for (const auto& c : d.caveats) caveats.push_back(to_valid_utf8(c));
  const Json json = {
      {"schema", kSchema},
      {"scope", {{"product", to_valid_utf8(d.product)}, {"wafers", d.wafers}, {"lots", d.lots}}},
      {"baseline",
       {{"yield", number(d.baseline.yield)},
        {"ci95", interval(d.baseline.yield_ci)},
        {"die", d.baseline.die}}},
      {"findings", std::move(findings)},
      {"undecided", std::move(undecided)},
      {"alarm_budget", budget_json(d.alarm_budget)},
      {"caveats", std::move(caveats)}};
  return json.dump(1);
}

Result<FindingsDocument> document_from_json(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    if (json.at("schema") == kSchema) return document_of(json);
  } catch (const Json::exception&) {
  }
  return Error{Errc::kFormat, "FIND-0001",
               "The text is not a findings document of schema yieldloop.findings/1."};
}

Result<Finding> finding_from_json(std::string_view text) {
  try {
    return finding_of(Json::parse(text));
  } catch (const Json::exception&) {
    return Error{Errc::kFormat, "FIND-0002", "The text is not a finding as yieldloop writes it."};
  }
}

}  // namespace yieldloop::findings

#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/core/text.h"
#include "engine/feedback/suggestion_document.h"

namespace yieldloop::feedback {
namespace {

using Json = nlohmann::ordered_json;

/// JSON has no infinities; what is not a number is null.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json number(const std::optional<double>& value) { return value ? number(*value) : Json(nullptr); }

Json interval(const Interval& ci) { return Json::array({number(ci.low), number(ci.high)}); }

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(to_valid_utf8(text));
}

Json side_effects(const Suggestion& s) {
  Json effects = Json::object();
  for (const char* key : {"shorts", "opens", "vias", "net_lambda"}) {
    const auto it = s.side_effects.find(key);
    effects[key] = it == s.side_effects.end() ? Json(nullptr) : number(it->second);
  }
  for (const auto& [key, value] : s.side_effects) {
    if (!effects.contains(key)) effects[key] = number(value);
  }
  return effects;
}

Json locations(const Suggestion& s) {
  Json list = Json::array();
  for (const LayoutLocation& l : s.locations) {
    list.push_back({{"layer", l.layer},
                    {"x", number(l.x_um)},
                    {"y", number(l.y_um)},
                    {"w", number(l.w_um)},
                    {"h", number(l.h_um)}});
  }
  return list;
}

Json suggestion(const Suggestion& s) {
  Json subject = Json::object();
  for (const auto& [key, value] : s.subject) subject[key] = to_valid_utf8(value);
  Json gain = {{"good_die_per_wafer", number(s.good_die_per_wafer)},
               {"ci95", interval(s.good_die_per_wafer_ci)},
               {"money_per_week", number(s.money_per_week)}};
  Json cost = {{"kind", s.cost_kind},
               {"layers", s.cost_layers},
               {"money", number(s.cost_money)},
               {"area_um2", number(s.cost_area_um2)}};
  return {{"rank", s.rank},
          {"id", s.id},
          {"side", s.side},
          {"action", s.action},
          {"subject", std::move(subject)},
          {"because", s.because},
          {"statement", to_valid_utf8(s.statement)},
          {"expected_gain", std::move(gain)},
          {"cost", std::move(cost)},
          {"confidence", number(s.confidence)},
          {"edits", text_or_null(s.edits)},
          {"edits_words", text_or_null(s.edits_words)},
          {"markers", text_or_null(s.markers)},
          {"side_effects", side_effects(s)},
          {"disproved_by", to_valid_utf8(s.disproved_by)},
          {"alternatives", s.alternatives},
          {"locations", locations(s)}};
}

Json portfolio(const Portfolio& p) {
  Json budget = Json::object();
  if (p.budget.money) budget["money"] = number(p.budget.money);
  if (p.budget.mask_layers) budget["mask_layers"] = *p.budget.mask_layers;
  Json frontier = Json::array();
  for (const PortfolioPoint& point : p.frontier) {
    frontier.push_back({{"cost", number(point.cost)},
                        {"masks", point.masks},
                        {"good_die_per_wafer", number(point.good_die_per_wafer)},
                        {"chosen", point.chosen}});
  }
  return {{"budget", std::move(budget)},
          {"chosen", p.chosen},
          {"expected_gain",
           {{"good_die_per_wafer", number(p.good_die_per_wafer)},
            {"ci95", interval(p.good_die_per_wafer_ci)},
            {"money_per_week", number(p.money_per_week)}}},
          {"cost", {{"money", number(p.cost_money)}, {"masks", p.masks}}},
          {"exact", p.exact},
          {"frontier", std::move(frontier)}};
}

}  // namespace

std::string suggestions_json(const SuggestionsDocument& document) {
  Json list = Json::array();
  for (const Suggestion& s : document.suggestions) list.push_back(suggestion(s));
  Json notes = Json::array();
  for (const std::string& note : document.notes) notes.push_back(to_valid_utf8(note));
  const Json whole = {{"schema", "yieldloop.suggestions/1"},
                      {"scope", {{"product", document.product}, {"wafers", document.wafers}}},
                      {"suggestions", std::move(list)},
                      {"portfolio", portfolio(document.portfolio)},
                      {"notes", std::move(notes)}};
  return whole.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace yieldloop::feedback

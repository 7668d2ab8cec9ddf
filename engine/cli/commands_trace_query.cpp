#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/cli/console.h"
#include "engine/cli/trace_query.h"
#include "engine/core/text.h"
#include "engine/session/design_query.h"

namespace yieldloop::cli {
namespace {

using Json = nlohmann::ordered_json;

Result<session::DesignQuery> to_query(const TraceArguments& a) {
  session::DesignQuery query;
  query.cell = a.cell;
  query.net = a.net;
  query.pattern = a.pattern;
  query.region = a.region;
  query.layer = a.layer;
  query.step = a.step;
  query.defect_class = a.defect_class;
  query.reach_um = a.reach_um;
  if (a.box.empty()) return query;
  const auto parts = split(a.box, ',');
  std::vector<double> values;
  for (const auto part : parts)
    if (const auto value = parse_real(trim(part))) values.push_back(*value);
  if (parts.size() != 4 || values.size() != 4 || values[0] >= values[2] || values[1] >= values[3]) {
    return Error{
        Errc::kInvalidOptions, "CLIC-0047",
        fmt::format("\"{}\" is no box: write X0,Y0,X1,Y1 in um, the lower left first.", a.box)};
  }
  query.box = tracing::RectUm{values[0], values[1], values[2], values[3]};
  return query;
}

Json die_json(const tracing::DieLink& d) {
  if (!d.known) return nullptr;
  return {{"die_with", {d.fails_with, d.die_with}},
          {"die_without", {d.fails_without, d.die_without}},
          {"kill", {{"value", d.kill}, {"ci95", {d.kill_ci.low, d.kill_ci.high}}}},
          {"p_value", d.p_value}};
}

Json rate_json(const session::SiliconRate& r, std::size_t rank) {
  Json places = Json::array();
  for (const session::HitPlace& p : r.places)
    places.push_back({{"box_um", {p.place.x_min, p.place.y_min, p.place.x_max, p.place.y_max}},
                      {"defects", p.defects}});
  Json json = {{"rank", rank},
               {"kind", r.kind},
               {"name", to_valid_utf8(r.name)},
               {"step", r.step},
               {"instances", r.instances},
               {"die_inspections", r.die_inspections},
               {"area_um2", r.area_um2},
               {"defects", r.defects},
               {"defects_elsewhere", r.others},
               {"expected", r.expected},
               {"per_cm2", r.per_cm2},
               {"per_cm2_elsewhere", r.per_cm2_outside},
               {"per_instance", r.per_instance},
               {"rate_ratio", nullptr},
               {"p_value", r.p_value},
               {"q_value", r.q_value},
               {"die", die_json(r.die)},
               {"places", std::move(places)}};
  if (r.expected > 0.0) {
    Json high = std::isfinite(r.rate_ratio_ci.high) ? Json(r.rate_ratio_ci.high) : Json(nullptr);
    json["rate_ratio"] = {{"value", r.rate_ratio}, {"ci95", {r.rate_ratio_ci.low, high}}};
  }
  return json;
}

std::string answer_json(const session::Analysis& analysis, const session::DesignAnswer& answer,
                        const std::string& ranked, std::size_t most) {
  Json rates = Json::array();
  for (std::size_t i = 0; i < std::min(most, answer.rates.size()); ++i)
    rates.push_back(rate_json(answer.rates[i], i + 1));
  const Json json = {{"schema", "yieldloop.design_query/1"},
                     {"product", analysis.fab.data.product.name},
                     {"ranked", ranked.empty() ? Json(nullptr) : Json(ranked)},
                     {"asked", answer.asked},
                     {"listed", rates.size()},
                     {"total", answer.rates.size()},
                     {"rates", std::move(rates)},
                     {"caveats", answer.caveats}};
  return json.dump(1);
}

std::string die_words(const tracing::DieLink& d) {
  if (!d.known) return "-";
  const auto share = [](std::int64_t k, std::int64_t n) {
    return n > 0 ? fmt::format("{:.0f} %", 100.0 * static_cast<double>(k) / static_cast<double>(n))
                 : std::string("-");
  };
  return share(d.fails_with, d.die_with) + " / " + share(d.fails_without, d.die_without);
}

std::string answer_text(const session::DesignAnswer& answer, std::size_t most) {
  std::vector<std::vector<std::string>> rows;
  for (const session::SiliconRate& r : answer.rates) {
    if (rows.size() == most) break;
    const bool compared = r.expected > 0.0;
    rows.push_back({one_line(r.name), r.step, fmt::format("{}", r.instances),
                    fmt::format("{}", r.defects), fmt::format("{:.1f}", r.expected),
                    fmt::format("{:.3g}", r.per_cm2), fmt::format("{:.2e}", r.per_instance),
                    compared ? fmt::format("{:.2f}", r.rate_ratio) : "-",
                    compared
                        ? fmt::format("{:.2f} to {:.2f}", r.rate_ratio_ci.low, r.rate_ratio_ci.high)
                        : "-",
                    fmt::format("{:.2g}", r.q_value), die_words(r.die)});
  }
  std::string out =
      rows.empty()
          ? std::string("No defect meets any of them.\n")
          : text_table({"name", "step", "places", "defects", "expected", "per cm2", "per place",
                        "rate ratio", "95 % interval", "q", "fails with / without"},
                       rows);
  if (answer.rates.size() == 1)
    for (const session::HitPlace& p : answer.rates.front().places)
      out += fmt::format("  {} at {:.3f},{:.3f} to {:.3f},{:.3f} um\n", p.defects, p.place.x_min,
                         p.place.y_min, p.place.x_max, p.place.y_max);
  for (const std::string& caveat : answer.caveats) out += " - " + one_line(caveat) + "\n";
  return out;
}

}  // namespace

bool asks_for_design(const TraceArguments& a) {
  return !a.cell.empty() || !a.net.empty() || !a.pattern.empty() || !a.region.empty() ||
         !a.box.empty() || !a.rank.empty();
}

Result<std::string> design_answer(const Context& context, const TraceArguments& a,
                                  const session::Analysis& analysis, Progress& progress) {
  YL_ASSIGN(const auto query, to_query(a));
  session::DesignAnswer answer;
  if (a.rank.empty()) {
    YL_ASSIGN(answer, session::what_happened(analysis, query, progress));
  } else {
    const auto by = a.rank == "cells"    ? session::RankBy::kCells
                    : a.rank == "nets"   ? session::RankBy::kNets
                    : a.rank == "layers" ? session::RankBy::kLayers
                                         : session::RankBy::kPatterns;
    YL_ASSIGN(answer, session::which_suffer(analysis, by, query, progress));
  }
  return context.json ? answer_json(analysis, answer, a.rank, a.most) : answer_text(answer, a.most);
}

}  // namespace yieldloop::cli

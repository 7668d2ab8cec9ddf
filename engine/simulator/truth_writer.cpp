#include "engine/simulator/truth_writer.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engine/simulator/inspection_model.h"
#include "engine/simulator/test_model.h"

namespace yieldloop::simulator {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const TruthFields& fields) {
  Json json = Json::object();
  for (const auto& [name, value] : fields) {
    std::visit([&slot = json[name]](const auto& v) { slot = v; }, value);
  }
  return json;
}

Json to_json(UtcMicros time) { return time.known() ? Json(to_iso8601(time)) : Json(nullptr); }

Json to_json(const std::vector<Location>& locations) {
  Json json = Json::array();
  for (const Location& l : locations) {
    json.push_back({{"layer", l.layer}, {"x", l.x}, {"y", l.y}, {"w", l.w}, {"h", l.h}});
  }
  return json;
}

Json describe(const Cause& cause) {
  Json json;
  json["kind"] = cause.kind;
  json["subject"] = to_json(cause.subject);
  if (cause.from.known()) json["subject"]["from"] = to_json(cause.from);
  if (cause.to.known()) json["subject"]["to"] = to_json(cause.to);
  json["from"] = to_json(cause.from);
  json["to"] = to_json(cause.to);
  json["parameters"] = to_json(cause.parameters);
  return json;
}

Json wafers_hit(const World& world, const CauseCost& cost) {
  Json json = Json::array();
  for (std::size_t i = 0; i < cost.lost_by_wafer.size(); ++i) {
    if (cost.lost_by_wafer[i] == 0) continue;
    const SimWafer& wafer = world.fab.wafers[i];
    json.push_back({{"wafer", fmt::format("{}/{}", world.lot_of(wafer).id, wafer.id)},
                    {"die", cost.lost_by_wafer[i]}});
  }
  return json;
}

Json describe(const World& world, const Cause& cause, const CauseCost& cost) {
  Json json = describe(cause);
  json["expected_actions"] = cause.expected_actions;
  const auto lost = static_cast<double>(cost.die_lost);
  json["die_lost"] = cost.die_lost;
  json["exposed_wafers"] = cost.exposed_wafers;
  json["die_per_exposed_wafer"] =
      cost.exposed_wafers == 0 ? 0.0 : -lost / static_cast<double>(cost.exposed_wafers);
  json["die_per_wafer_of_all"] = -lost / static_cast<double>(world.fab.wafers.size());
  json["locations_total"] = cause.locations_total;
  json["lost_by_wafer"] = wafers_hit(world, cost);
  return json;
}

Json baseline(const World& world, const Tally& tally) {
  const auto share = [&](std::size_t part) {
    return static_cast<double>(part) / static_cast<double>(tally.die_tested);
  };
  return {{"wafers", world.fab.wafers.size()},
          {"die_per_wafer", world.grid.size()},
          {"die_tested", tally.die_tested},
          {"die_good", tally.die_good},
          {"die_good_without_causes", tally.good_without_causes},
          {"yield", share(tally.die_good)},
          {"yield_without_causes", share(tally.good_without_causes)},
          {"defects_per_die_and_layer", kDefectsPerDie},
          {"smallest_defect_um", kSmallestDefectUm},
          {"size_exponent", 3},
          {"kill_scale_um", kKillScaleUm},
          {"cluster_shape", kClusterShape},
          {"unseen_kill_rate", kUnseenKillRate},
          {"position_sigma_um", kPositionSigmaUm},
          {"nuisance_per_wafer", kNuisancePerWafer},
          {"retest_share", kRetestShare},
          {"single_vias_per_die", single_via_places(world.layout).size()},
          {"doubled_vias_per_die", double_via_places(world.layout).size()}};
}

}  // namespace

std::string to_truth_json(const World& world, const Effects& effects, const Tally& tally) {
  Json json;
  json["schema"] = "yieldloop.truth/1";
  json["product"] = kProductName;
  json["scenario"] = world.options.scenario;
  json["seed"] = world.options.seed;
  json["size"] = world.options.size == Size::kSmall ? "small" : "medium";
  json["cause"] = nullptr;
  json["expected_actions"] = Json::array();
  json["causes"] = Json::array();
  json["die_lost"] = 0;
  Json locations = Json::array();
  std::size_t lost = 0;
  for (std::size_t i = 0; i < effects.size(); ++i) {
    const Cause& cause = effects[i]->cause();
    if (cause.kind.empty()) continue;
    if (json["causes"].empty()) {
      json["cause"] = describe(cause);
      json["expected_actions"] = cause.expected_actions;
      locations = to_json(cause.locations);
    }
    json["causes"].push_back(describe(world, cause, tally.costs[i]));
    lost += tally.costs[i].die_lost;
  }
  json["die_lost"] = lost;
  json["baseline"] = baseline(world, tally);
  json["locations"] = std::move(locations);
  return json.dump(1) + "\n";
}

}  // namespace yieldloop::simulator

#include "engine/simulator/truth_writer.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

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
  if (cause.locations_total > 0) json["locations"] = to_json(cause.locations);
  if (cause.decoys_total > 0) {
    json["decoys"] = to_json(cause.decoys);
    json["decoys_total"] = cause.decoys_total;
  }
  if (!cause.undecided.empty()) {
    Json candidates = Json::array();
    for (const TruthFields& subject : cause.undecided) candidates.push_back(to_json(subject));
    json["undecided"] = std::move(candidates);
  }
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
          {"defects_per_die_and_layer", world.background.defects_per_die},
          {"smallest_defect_um", kSmallestDefectUm},
          {"size_exponent", 3},
          {"kill_scale_um", kKillScaleUm},
          {"cluster_shape", world.background.cluster_shape},
          {"unseen_kill_rate", world.background.unseen_kill_rate},
          {"position_sigma_um", world.inspection.position_sigma_um},
          {"nuisance_per_wafer", world.inspection.nuisance_per_wafer},
          {"retest_share", kRetestShare},
          {"single_vias_per_die", single_via_places(world.layout).size()},
          {"doubled_vias_per_die", double_via_places(world.layout).size()}};
}

const char* sample_name(SampleKind kind) {
  switch (kind) {
    case SampleKind::kAllDie: return "all_die";
    case SampleKind::kNoEdgeDie: return "no_edge_die";
    case SampleKind::kEverySecondDie: return "every_second_die";
    case SampleKind::kTwoTests: return "two_tests";
  }
  return "";
}

/// How the fab inspects: the plan, and the position errors of its tools.
Json inspection(const World& world) {
  const InspectionPlan& plan = world.inspection;
  Json tests = Json::array();
  for (const InspectionTest& test : plan.tests) {
    tests.push_back({{"die", test.die.size()}, {"sensitivity", test.sensitivity}});
  }
  Json tools = Json::array();
  for (std::size_t i = 0; i < world.fab.tools.size(); ++i) {
    if (world.fab.tools[i].kind != ToolKind::kInspect) continue;
    const ToolError& error = plan.tool_errors[i];
    tools.push_back({{"tool", world.fab.tools[i].name},
                     {"dx_um", error.dx_um},
                     {"dy_um", error.dy_um},
                     {"rotation_urad", error.rotation_urad},
                     {"scale_ppm", error.scale_ppm}});
  }
  return {{"sample", sample_name(plan.kind)},
          {"position_sigma_um", plan.position_sigma_um},
          {"tests", std::move(tests)},
          {"tools", std::move(tools)}};
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
  json["inspection"] = inspection(world);
  json["locations"] = std::move(locations);
  return json.dump(1) + "\n";
}

}  // namespace yieldloop::simulator

#include "engine/simulator/scenario_wafers.h"

#include <algorithm>

namespace yieldloop::simulator {
namespace {

constexpr double kMostLoss = 0.6;

}  // namespace

void WaferEffect::apply(const World& world, std::size_t wafer, WaferFate& fate, int cause,
                        Random& random) const {
  if (!exposed(world, wafer)) return;
  double sum = 0.0;
  for (const GridDie& die : world.grid) sum += shape(die);
  const double level = loss_ * severity(world, wafer) * random.uniform(0.8, 1.2) *
                       static_cast<double>(world.grid.size()) / sum;
  const InspectedLayer layer = layer_after(step_);
  for (std::size_t die = 0; die < fate.die.size(); ++die) {
    if (!random.chance(std::min(kMostLoss, level * shape(world.grid[die])))) continue;
    fate.kill(die, fail_, layer, static_cast<int>(random.below(kTestedBlocks)), cause);
    if (!random.chance(seen_share_)) continue;
    const double x = random.uniform(0.0, world.product.die_width_um);
    const double y = random.uniform(0.0, world.product.die_height_um);
    plant_defect(fate, layer, die, x, y, random.uniform(0.3, 1.5), kind_);
  }
}

bool WaferEffect::on_tool(const World& world, std::size_t wafer) const {
  const Visit& v = visit(world, wafer);
  return v.tool == tool_ && (chamber_ < 0 || v.chamber == chamber_);
}

std::string WaferEffect::chamber_name(const World& world) const {
  if (chamber_ < 0) return {};
  return std::string(1, world.fab.tools[tool_].chambers[static_cast<std::size_t>(chamber_)]);
}

TruthFields WaferEffect::tool_subject(const World& world) const {
  TruthFields subject{{"step", step_name()}, {"tool", world.fab.tools[tool_].name}};
  if (chamber_ >= 0) subject.emplace_back("chamber", chamber_name(world));
  return subject;
}

std::map<std::size_t, std::vector<UtcMicros>> used_tools(const World& world, std::size_t step,
                                                         std::size_t least) {
  std::map<std::size_t, std::vector<UtcMicros>> used;
  for (const SimLot& lot : world.fab.lots) {
    const LotRun& run = lot.runs[step];
    used[run.tool].push_back(run.started);
    if (run.second_tool) used[*run.second_tool].push_back(run.started);
  }
  std::erase_if(used, [&](const auto& tool) { return tool.second.size() < least; });
  for (auto& [tool, starts] : used) std::ranges::sort(starts);
  return used;
}

std::optional<StepTool> draw_step_tool(const World& world, const std::vector<const char*>& steps,
                                       std::size_t least, Random& random) {
  std::vector<StepTool> choices;
  for (const char* name : steps) {
    const std::size_t step = step_index(name);
    for (auto& [tool, starts] : used_tools(world, step, least)) {
      choices.push_back({step, tool, std::move(starts)});
    }
  }
  if (choices.empty()) return std::nullopt;
  return choices[random.below(choices.size())];
}

InspectedLayer layer_after(std::size_t step) {
  return step < step_index("M1_CMP_INSP") ? InspectedLayer::kM1 : InspectedLayer::kM2;
}

}  // namespace yieldloop::simulator

#include "engine/simulator/world.h"

#include <cmath>

namespace yieldloop::simulator {

Random stream(const Options& options, Stream which) {
  return Random(options.seed).fork(static_cast<std::uint64_t>(which));
}

World make_world(const Options& options) {
  World world;
  world.options = options;
  world.grid = die_grid();
  world.layout = draw_layout(stream(options, Stream::kLayout));
  const std::size_t lots = options.size == Size::kSmall ? 12 : 40;
  world.fab = run_fab(lots, stream(options, Stream::kFab));

  Random levels = stream(options, Stream::kLevels);
  for (std::size_t i = 0; i < lots; ++i) {
    world.lot_levels.push_back({std::exp(levels.normal(0.0, 0.12)), levels.normal(0.0, 1.5)});
  }
  world.tool_factors.resize(route().size());
  for (auto& tools : world.tool_factors) {
    tools.resize(world.fab.tools.size());
    for (auto& chambers : tools) {
      for (double& factor : chambers) factor = levels.normal(0.0, 0.01);
    }
  }
  return world;
}

}  // namespace yieldloop::simulator

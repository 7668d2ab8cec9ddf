#include "engine/simulator/world.h"

#include <cmath>

namespace yieldloop::simulator {

Random stream(const Options& options, Stream which) {
  return Random(options.seed).fork(static_cast<std::uint64_t>(which));
}

double World::focus_nm(std::size_t wafer, std::size_t step) const {
  const Random base = stream(options, Stream::kSensors);
  const std::size_t lot = fab.wafers[wafer].mother_lot;
  return base.fork(3).fork(lot * route().size() + step).normal(0.0, 12.0) +
         base.fork(4).fork(wafer * route().size() + step).normal(0.0, 7.0);
}

World make_world(const Options& options, const FabRules& rules) {
  World world;
  world.options = options;
  world.layout = draw_layout(stream(options, Stream::kLayout));
  world.product = product_of(world.layout);
  world.grid = die_grid(world.product);
  const std::size_t lots = options.size == Size::kSmall ? 12 : 40;
  world.fab = run_fab(lots, rules, stream(options, Stream::kFab));

  Random physics = stream(options, Stream::kPhysics);
  const double area_cm2 = world.product.die_width_um * world.product.die_height_um * 1e-8;
  world.background = {.defects_per_die = area_cm2 * physics.uniform(0.07, 0.14),
                      .unseen_kill_rate = physics.uniform(0.018, 0.038),
                      .cluster_shape = physics.uniform(1.2, 3.0)};
  world.inspection = draw_inspection_plan(world.grid, world.fab.tools.size(), physics.fork(1));

  Random levels = stream(options, Stream::kLevels);
  for (std::size_t i = 0; i < lots; ++i) {
    world.lot_levels.push_back({std::exp(levels.normal(0.0, 0.12)), levels.normal(0.0, 1.5)});
  }
  // Parts of a lot keep its level.
  for (std::size_t i = lots; i < world.fab.lots.size(); ++i) {
    world.lot_levels.push_back(world.lot_levels[world.fab.lots[i].mother]);
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

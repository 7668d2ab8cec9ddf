#include "engine/simulator/wafer_model.h"

#include <algorithm>
#include <cmath>

#include "engine/simulator/world.h"

namespace yieldloop::simulator {
namespace {

struct ClassSpec {
  DefectClass kind;
  double share;
  double kill_factor;
};

constexpr std::array<ClassSpec, 5> kClasses{{{DefectClass::kParticle, 0.50, 0.55},
                                             {DefectClass::kBridge, 0.16, 0.90},
                                             {DefectClass::kOpen, 0.10, 0.90},
                                             {DefectClass::kResidue, 0.16, 0.30},
                                             {DefectClass::kVoid, 0.08, 0.60}}};

const ClassSpec& draw_class(Random& random) {
  double u = random.uniform();
  for (const ClassSpec& spec : kClasses) {
    u -= spec.share;
    if (u < 0) return spec;
  }
  return kClasses.front();
}

FailKind draw_fail(DefectClass kind, Random& random) {
  const double u = random.uniform();
  switch (kind) {
    case DefectClass::kBridge: return FailKind::kShort;
    case DefectClass::kOpen:
    case DefectClass::kVoid: return FailKind::kOpen;
    case DefectClass::kParticle: return u < 0.4 ? FailKind::kShort : FailKind::kFunctional;
    default: return u < 0.3 ? FailKind::kOpen : FailKind::kFunctional;
  }
}

void set_fail(DieFate& die, FailKind fail, InspectedLayer layer, int block) {
  if (die.fail != FailKind::kNone) return;
  die.fail = fail;
  die.layer = layer;
  die.block = block;
}

/// The product of the tools' small factors at the steps that put down defects on a layer.
double tool_factor(const World& world, const SimWafer& wafer, InspectedLayer layer) {
  const char* module = layer == InspectedLayer::kM1 ? "M1" : "M2";
  double sum = 0.0;
  for (std::size_t step = 0; step < route().size(); ++step) {
    if (route()[step].module != module) continue;
    const Visit& visit = wafer.visits[step];
    sum += world.tool_factors[step][visit.tool][static_cast<std::size_t>(visit.chamber + 1)];
  }
  return std::exp(sum);
}

void draw_defects(const World& world, std::size_t wafer_index, InspectedLayer layer,
                  WaferFate& fate, Random& random) {
  const SimWafer& wafer = world.fab.wafers[wafer_index];
  const double wafer_mean = world.background.defects_per_die *
                            world.lot_levels[wafer.lot].defect_factor *
                            tool_factor(world, wafer, layer) * random.gamma(6.0, 1.0 / 6.0);
  const double shape = world.background.cluster_shape;
  auto& defects = fate.background_defects[static_cast<std::size_t>(layer)];
  for (std::size_t die = 0; die < world.grid.size(); ++die) {
    const auto count = random.poisson(wafer_mean * random.gamma(shape, 1.0 / shape));
    for (std::uint64_t i = 0; i < count; ++i) {
      const double x = random.uniform(0.0, world.product.die_width_um);
      const double y = random.uniform(0.0, world.product.die_height_um);
      const double size = draw_defect_size(random);
      const ClassSpec& spec = draw_class(random);
      defects.push_back({die, x, y, size, spec.kind});
      const double kill = spec.kill_factor * -std::expm1(-std::pow(size / kKillScaleUm, 2));
      const bool kills = random.chance(kill);
      const FailKind fail = draw_fail(spec.kind, random);
      const int block = block_at(world, x, y, random);
      if (kills) set_fail(fate.die[die], fail, layer, block);
    }
  }
}

/// Loss that leaves no defect an inspection could see, and the ring at the wafer's edge.
void draw_unseen_loss(const World& world, std::size_t wafer_index, WaferFate& fate,
                      Random& random) {
  const double lot_factor = world.lot_levels[world.fab.wafers[wafer_index].lot].defect_factor;
  const double ring = 0.25 * random.gamma(3.0, 1.0 / 3.0);
  for (std::size_t i = 0; i < fate.die.size(); ++i) {
    const double outside = std::max(0.0, world.grid[i].radius - 0.78);
    const double rate = world.background.unseen_kill_rate * lot_factor + ring * outside;
    const bool kills = random.chance(1.0 - std::exp(-rate));
    const double u = random.uniform();
    const auto block = static_cast<int>(random.below(kTestedBlocks));
    const FailKind fail = u < 0.2   ? FailKind::kShort
                          : u < 0.4 ? FailKind::kOpen
                                    : FailKind::kFunctional;
    const auto layer = random.chance(0.5) ? InspectedLayer::kM1 : InspectedLayer::kM2;
    if (kills) set_fail(fate.die[i], fail, layer, block);
  }
}

void draw_parametrics(const World& world, std::size_t wafer_index, WaferFate& fate,
                      Random& random) {
  const SimWafer& wafer = world.fab.wafers[wafer_index];
  const double centre = 500.0 + world.lot_levels[wafer.lot].ro_shift_mhz + random.normal(0.0, 1.2);
  const double bow = -5.0 + random.normal(0.0, 1.5);
  const double tilt_x = random.normal(0.0, 0.8);
  const double tilt_y = random.normal(0.0, 0.8);
  for (std::size_t i = 0; i < fate.die.size(); ++i) {
    const GridDie& place = world.grid[i];
    DieFate& die = fate.die[i];
    die.ro_mhz = centre + bow * place.radius * place.radius + tilt_x * place.x / 11.0 +
                 tilt_y * place.y / 13.0 + random.normal(0.0, 7.0);
    if (die.ro_mhz < kRoLimitMhz) set_fail(die, FailKind::kParametric, InspectedLayer::kM1, 0);
  }
}

}  // namespace

void WaferFate::kill(std::size_t index, FailKind fail, InspectedLayer layer, int block, int cause) {
  if (die[index].fail != FailKind::kNone) return;
  set_fail(die[index], fail, layer, block);
  die[index].cause = cause;
}

double draw_defect_size(Random& random) {
  // P(X > x) = (x0 / x)^2 for the density 2 x0^2 / x^3.
  const double size = kSmallestDefectUm / std::sqrt(1.0 - random.uniform());
  return std::min(size, kLargestDefectUm);
}

int tested_block_at(const World& world, double x_um, double y_um) {
  const auto x = static_cast<std::int32_t>((x_um - kLayoutOriginUm) * 1000.0);
  const auto y = static_cast<std::int32_t>((y_um - kLayoutOriginUm) * 1000.0);
  for (const Block& block : world.layout.blocks) {
    const auto [low, high] = block.box;
    if (x < low.x || x > high.x || y < low.y || y > high.y) continue;
    return block.name == "ARRD" ? 3 : block.name.back() - 'A';
  }
  return -1;
}

int block_at(const World& world, double x_um, double y_um, Random& random) {
  const auto other = static_cast<int>(random.below(kTestedBlocks));
  const int block = tested_block_at(world, x_um, y_um);
  return block < 0 ? other : block;
}

WaferFate draw_background(const World& world, std::size_t wafer, Random random) {
  WaferFate fate;
  fate.die.resize(world.grid.size());
  draw_parametrics(world, wafer, fate, random);
  for (const auto layer : {InspectedLayer::kM1, InspectedLayer::kM2}) {
    draw_defects(world, wafer, layer, fate, random);
  }
  draw_unseen_loss(world, wafer, fate, random);
  return fate;
}

void plant_defect(WaferFate& fate, InspectedLayer layer, std::size_t die, double x_um, double y_um,
                  double size_um, DefectClass kind) {
  fate.planted_defects[static_cast<std::size_t>(layer)].push_back({die, x_um, y_um, size_um, kind});
}

}  // namespace yieldloop::simulator

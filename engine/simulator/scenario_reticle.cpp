// One reticle prints a defect at a fixed place of its exposure field: that die of the field
// fails on the wafers that were exposed with it.

#include <array>
#include <map>

#include "engine/simulator/scenario_list.h"

namespace yieldloop::simulator {
namespace {

constexpr std::array<const char*, 3> kSteps{"M1_LITHO", "VIA1_LITHO", "M2_LITHO"};

class ReticleDefect final : public Effect {
 public:
  bool plan(World& world, Random& random) override {
    struct Candidate {
      std::size_t step;
      std::string reticle;
    };
    std::vector<Candidate> candidates;
    for (const char* name : kSteps) {
      const std::size_t step = step_index(name);
      std::map<std::string, std::size_t> lots;
      for (const SimLot& lot : world.fab.lots) ++lots[lot.runs[step].reticle];
      for (const auto& [reticle, count] : lots) {
        if (count >= 3 && count + 3 <= world.fab.lots.size()) candidates.push_back({step, reticle});
      }
    }
    if (candidates.empty()) return false;
    const Candidate& chosen = candidates[random.below(candidates.size())];
    step_ = chosen.step;
    reticle_ = chosen.reticle;
    const auto columns = static_cast<std::uint64_t>(world.product.reticle_columns);
    const auto rows = static_cast<std::uint64_t>(world.product.reticle_rows);
    field_x_ = static_cast<int>(random.below(columns));
    field_y_ = static_cast<int>(random.below(rows));
    chance_ = random.uniform(0.60, 0.90);
    draw_place(world, random);
    write_cause();
    return true;
  }

  bool exposed(const World& world, std::size_t wafer) const override {
    return world.lot_of(world.fab.wafers[wafer]).runs[step_].reticle == reticle_;
  }

  void apply(const World& world, std::size_t wafer, WaferFate& fate, int cause,
             Random& random) const override {
    if (!exposed(world, wafer)) return;
    const bool m1 = route()[step_].layer == "M1";
    const auto layer = m1 ? InspectedLayer::kM1 : InspectedLayer::kM2;
    const bool via = route()[step_].layer == "VIA1";
    for (std::size_t die = 0; die < fate.die.size(); ++die) {
      const GridDie& place = world.grid[die];
      if (place.field_x != field_x_ || place.field_y != field_y_) continue;
      const double x = x_um_ + random.uniform(-0.1, 0.1);
      const double y = y_um_ + random.uniform(-0.1, 0.1);
      const double size = random.uniform(0.5, 0.9);
      // It prints in every exposure; whether that kills depends on focus and dose.
      plant_defect(fate, layer, die, x, y, size, via ? DefectClass::kOpen : DefectClass::kBridge);
      const int block = block_at(world, x, y, random);
      const bool kills = random.chance(chance_);
      if (kills) fate.kill(die, via ? FailKind::kOpen : FailKind::kShort, layer, block, cause);
    }
  }

 private:
  /// Somewhere in a logic block, away from its edge.
  void draw_place(const World& world, Random& random) {
    const auto& blocks = world.layout.blocks;
    const auto [low, high] = blocks[random.below(blocks.size())].box;
    const auto inside = [&](std::int32_t a, std::int32_t b) {
      return kLayoutOriginUm + (a + (b - a) * random.uniform(0.1, 0.9)) / 1000.0;
    };
    x_um_ = inside(low.x, high.x);
    y_um_ = inside(low.y, high.y);
  }

  void write_cause() {
    const std::string layer(route()[step_].layer);
    cause_.kind = "reticle";
    cause_.subject = {{"step", std::string(route()[step_].name)},
                      {"reticle", reticle_},
                      {"layer", layer},
                      {"field_x", std::int64_t{field_x_}},
                      {"field_y", std::int64_t{field_y_}}};
    cause_.parameters = {{"kill_chance", chance_}, {"x_in_die_um", x_um_}, {"y_in_die_um", y_um_}};
    cause_.expected_actions = {"replace_reticle"};
    cause_.locations = {
        {layer, x_um_ - kLayoutOriginUm - 0.3, y_um_ - kLayoutOriginUm - 0.3, 0.6, 0.6}};
    cause_.locations_total = 1;
  }

  std::size_t step_ = 0;
  std::string reticle_;
  int field_x_ = 0;
  int field_y_ = 0;
  double chance_ = 0.0;
  double x_um_ = 0.0;
  double y_um_ = 0.0;
};

}  // namespace

std::unique_ptr<Effect> make_reticle_defect() { return std::make_unique<ReticleDefect>(); }

}  // namespace yieldloop::simulator

// Wafers that wait longer than a limit between two steps corrode: the chance to lose a die
// grows with every hour above the limit.

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "engine/simulator/scenario_list.h"

namespace yieldloop::simulator {
namespace {

/// The second of two neighbouring steps.
constexpr std::array<const char*, 6> kSteps{"CONT_CLEAN", "CONT_FILL",  "M1_CLEAN",
                                            "M1_SEED",    "VIA1_CLEAN", "M2_SEED"};
constexpr double kMostLoss = 0.40;
constexpr double kSeenShare = 0.35;

class LongQueue final : public Effect {
 public:
  bool plan(World& world, Random& random) override {
    std::vector<std::size_t> steps;
    for (const char* name : kSteps) steps.push_back(step_index(name));
    random.shuffle(steps);
    for (const std::size_t step : steps) {
      step_ = step;
      if (draw_limit(world, random)) {
        write_cause();
        return true;
      }
    }
    return false;
  }

  bool exposed(const World& world, std::size_t wafer) const override {
    return hours_above(world, wafer) > 0.0;
  }

  void apply(const World& world, std::size_t wafer, WaferFate& fate, int cause,
             Random& random) const override {
    const double hours = hours_above(world, wafer);
    if (hours <= 0.0) return;
    const double loss = std::min(kMostLoss, loss_per_hour_ * hours);
    const bool before_m1 = step_ < step_index("M1_CMP_INSP");
    const auto layer = before_m1 ? InspectedLayer::kM1 : InspectedLayer::kM2;
    for (std::size_t die = 0; die < fate.die.size(); ++die) {
      if (!random.chance(loss)) continue;
      fate.kill(die, FailKind::kOpen, layer, 0, cause);
      if (!random.chance(kSeenShare)) continue;
      plant_defect(fate, layer, die, random.uniform(0.0, world.product.die_width_um),
                   random.uniform(0.0, world.product.die_height_um), random.uniform(0.25, 0.8),
                   DefectClass::kVoid);
    }
  }

 private:
  double hours_above(const World& world, std::size_t wafer) const {
    return (world.fab.wafers[wafer].visits[step_].queue_minutes - limit_minutes_) / 60.0;
  }

  /// The limit lies where about a third of the wafers wait longer; several lots must.
  bool draw_limit(const World& world, Random& random) {
    std::vector<double> waits;
    for (const SimWafer& wafer : world.fab.wafers) {
      waits.push_back(wafer.visits[step_].queue_minutes);
    }
    std::ranges::sort(waits);
    const double part = random.uniform(0.55, 0.70);
    const double at_part =
        waits[static_cast<std::size_t>(part * static_cast<double>(waits.size()))];
    limit_minutes_ = std::round(at_part / 5.0) * 5.0;
    std::set<std::size_t> lots;
    double hours = 0.0;
    std::size_t above = 0;
    for (std::size_t i = 0; i < world.fab.wafers.size(); ++i) {
      if (!exposed(world, i)) continue;
      lots.insert(world.fab.wafers[i].lot);
      hours += hours_above(world, i);
      ++above;
    }
    if (lots.size() < 3 || lots.size() + 3 > world.fab.lots.size()) return false;
    // Scaled so that the waiting wafers lose 8 to 14 % of their die on average.
    mean_loss_ = random.uniform(0.08, 0.14);
    loss_per_hour_ = mean_loss_ * static_cast<double>(above) / hours;
    return true;
  }

  void write_cause() {
    cause_.kind = "queue_time";
    cause_.subject = {{"step", std::string(route()[step_].name)}};
    cause_.parameters = {{"from_step", std::string(route()[step_ - 1].name)},
                         {"limit_minutes", limit_minutes_},
                         {"loss_per_hour_above", loss_per_hour_},
                         {"mean_loss_fraction", mean_loss_},
                         {"most_loss", kMostLoss},
                         {"seen_share", kSeenShare}};
    cause_.expected_actions = {"limit_queue_time"};
  }

  std::size_t step_ = 0;
  double limit_minutes_ = 0.0;
  double loss_per_hour_ = 0.0;
  double mean_loss_ = 0.0;
};

}  // namespace

std::unique_ptr<Effect> make_long_queue() { return std::make_unique<LongQueue>(); }

}  // namespace yieldloop::simulator

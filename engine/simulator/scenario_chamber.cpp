// From a date on one chamber of an etch tool over-etches towards the wafer's edge. A sensor of
// that chamber moves at the same time, and a maintenance event lies just before.

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/simulator/scenario_list.h"

namespace yieldloop::simulator {
namespace {

constexpr std::array<const char*, 5> kSteps{"POLY_ETCH", "CONT_ETCH", "M1_ETCH", "VIA1_ETCH",
                                            "M2_ETCH"};
constexpr std::array<const char*, 4> kSensors{"PRESSURE", "RF_REFLECTED", "ESC_TEMP",
                                              "ENDPOINT_TIME"};
constexpr double kCentre = 0.45;  // part of the radius inside which nothing is lost
constexpr double kSeenShare = 0.35;

class BadChamber final : public Effect {
 public:
  bool plan(World& world, Random& random) override {
    std::vector<Candidate> candidates;
    for (const char* name : kSteps) {
      const std::size_t step = step_index(name);
      const auto [first, count] = world.fab.tools_of(step);
      for (std::size_t tool = first; tool < first + count; ++tool) {
        Candidate c{step, tool, starts(world, step, tool)};
        if (c.lot_starts.size() >= 4) candidates.push_back(std::move(c));
      }
    }
    if (candidates.empty()) return false;
    const Candidate& chosen = candidates[random.below(candidates.size())];
    step_ = chosen.step;
    tool_ = chosen.tool;
    chamber_ = static_cast<int>(random.below(world.fab.tools[tool_].chambers.size()));
    loss_ = random.uniform(0.06, 0.10);
    draw_onset(chosen, random);
    normalise(world);
    plant_traces(world, random);
    write_cause(world);
    return true;
  }

  bool exposed(const World& world, std::size_t wafer) const override {
    const Visit& visit = world.fab.wafers[wafer].visits[step_];
    return visit.tool == tool_ && visit.chamber == chamber_ && visit.started >= onset_;
  }

  void apply(const World& world, std::size_t wafer, WaferFate& fate, int cause,
             Random& random) const override {
    if (!exposed(world, wafer)) return;
    const bool before_m1 = step_ < step_index("M1_CMP_INSP");
    const auto layer = before_m1 ? InspectedLayer::kM1 : InspectedLayer::kM2;
    const double level = scale_ * random.uniform(0.8, 1.2);
    for (std::size_t die = 0; die < fate.die.size(); ++die) {
      if (!random.chance(level * shape(world.grid[die].radius))) continue;
      const FailKind fail = random.chance(0.6) ? FailKind::kOpen : FailKind::kFunctional;
      fate.kill(die, fail, layer, static_cast<int>(random.below(kTestedBlocks)), cause);
      if (!random.chance(kSeenShare)) continue;
      plant_defect(fate, layer, die, random.uniform(0.0, world.product.die_width_um),
                   random.uniform(0.0, world.product.die_height_um), random.uniform(0.3, 1.5),
                   DefectClass::kResidue);
    }
  }

 private:
  struct Candidate {
    std::size_t step;
    std::size_t tool;
    std::vector<UtcMicros> lot_starts;
  };

  static std::vector<UtcMicros> starts(const World& world, std::size_t step, std::size_t tool) {
    std::vector<UtcMicros> times;
    for (const SimLot& lot : world.fab.lots) {
      if (lot.runs[step].tool == tool) times.push_back(lot.runs[step].started);
    }
    std::ranges::sort(times);
    return times;
  }

  static double shape(double radius) {
    return radius <= kCentre ? 0.0 : std::pow((radius - kCentre) / (1.0 - kCentre), 2);
  }

  /// After the first quarter or so of the tool's lots; at least three lots follow.
  void draw_onset(const Candidate& chosen, Random& random) {
    const std::size_t lots = chosen.lot_starts.size();
    const std::size_t most = std::max<std::size_t>(1, std::min(lots - 3, lots * 2 / 5));
    const std::size_t before = 1 + random.below(most);
    onset_ = after_minutes(chosen.lot_starts[before], -random.uniform(12.0, 40.0));
    onset_.count -= onset_.count % (60 * kMicrosPerSecond);
  }

  void normalise(const World& world) {
    double sum = 0.0;
    for (const GridDie& die : world.grid) sum += shape(die.radius);
    scale_ = loss_ * static_cast<double>(world.grid.size()) / sum;
  }

  void plant_traces(World& world, Random& random) {
    const bool part = random.chance(0.5);
    world.fab.maintenance.push_back({.tool = tool_,
                                     .chamber = chamber_,
                                     .event = part ? "part_replaced" : "pm",
                                     .at = after_minutes(onset_, -random.uniform(15.0, 55.0)),
                                     .part = part ? "FOCUS_RING" : "",
                                     .note = ""});
    sensor_ = kSensors[random.below(kSensors.size())];
    sigmas_ = random.uniform(3.5, 6.0) * (random.chance(0.5) ? 1.0 : -1.0);
    world.sensor_shifts.push_back(
        {step_, tool_, chamber_, sensor_, onset_, UtcMicros{INT64_MAX}, sigmas_});
  }

  void write_cause(const World& world) {
    const Tool& tool = world.fab.tools[tool_];
    cause_.kind = "chamber";
    cause_.subject = {
        {"step", std::string(route()[step_].name)},
        {"tool", tool.name},
        {"chamber", std::string(1, tool.chambers[static_cast<std::size_t>(chamber_)])}};
    cause_.from = onset_;
    cause_.parameters = {{"loss_fraction", loss_},
                         {"no_loss_inside_radius", kCentre},
                         {"seen_share", kSeenShare},
                         {"sensor", std::string(sensor_)},
                         {"sensor_shift_sigmas", sigmas_}};
    cause_.expected_actions = {"maintain_tool", "hold_tool"};
  }

  std::size_t step_ = 0;
  std::size_t tool_ = 0;
  int chamber_ = 0;
  UtcMicros onset_;
  double loss_ = 0.0;
  double scale_ = 0.0;
  const char* sensor_ = "";
  double sigmas_ = 0.0;
};

}  // namespace

std::unique_ptr<Effect> make_bad_chamber() { return std::make_unique<BadChamber>(); }

}  // namespace yieldloop::simulator

// A tight figure that bridges much more often on wafers that one side of the process treated
// badly: one exposure tool, one etch chamber, or an exposure out of focus.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "engine/simulator/scenario_list.h"
#include "engine/simulator/scenario_places.h"

namespace yieldloop::simulator {
namespace {

class InteractingFigure final : public PlaceEffect {
 public:
  bool plan(World& world, Random& random) override {
    if (!take_figure(world, false, random)) return false;
    const bool m1 = layer_ == InspectedLayer::kM1;
    const std::size_t litho = step_index(m1 ? "M1_LITHO" : "M2_LITHO");
    const double u = random.uniform();
    if (u < 0.3 && take_tool(world, litho, random)) {
      side_ = Side::kTool;
    } else if (u < 0.65) {
      take_chamber(world, step_index(m1 ? "M1_ETCH" : "M2_ETCH"), random);
    } else {
      take_focus(world, litho, random);
    }
    // The loss is that of the wafers that met it; the others lose a small part of it.
    others_ = random.chance(0.5) ? 0.0 : random.uniform(0.02, 0.10);
    set_rate(random.uniform(0.08, 0.20));
    write_cause(world);
    return true;
  }

  bool exposed(const World& world, std::size_t wafer) const override {
    const Visit& visit = world.fab.wafers[wafer].visits[step_];
    switch (side_) {
      case Side::kTool: return visit.tool == tool_;
      case Side::kChamber: return visit.tool == tool_ && visit.chamber == chamber_;
      case Side::kFocus: return world.focus_nm(wafer, step_) * sign_ > limit_nm_;
    }
    return false;
  }

 protected:
  double factor(const World& world, std::size_t wafer) const override {
    return exposed(world, wafer) ? 1.0 : others_;
  }

 private:
  enum class Side : std::uint8_t { kTool, kChamber, kFocus };

  /// A tool that three lots or more met and three or more did not.
  bool take_tool(const World& world, std::size_t step, Random& random) {
    std::map<std::size_t, std::size_t> lots;
    for (const SimLot& lot : world.fab.lots) ++lots[lot.runs[step].tool];
    std::vector<std::size_t> fit;
    for (const auto& [tool, count] : lots) {
      if (count >= 3 && count + 3 <= world.fab.lots.size()) fit.push_back(tool);
    }
    if (fit.empty()) return false;
    step_ = step;
    tool_ = fit[random.below(fit.size())];
    return true;
  }

  void take_chamber(const World& world, std::size_t step, Random& random) {
    side_ = Side::kChamber;
    step_ = step;
    std::map<std::size_t, std::size_t> lots;
    for (const SimLot& lot : world.fab.lots) ++lots[lot.runs[step].tool];
    std::vector<std::size_t> fit;
    for (const auto& [tool, count] : lots) {
      if (count >= 3) fit.push_back(tool);
    }
    tool_ = fit[random.below(fit.size())];
    chamber_ = static_cast<int>(random.below(world.fab.tools[tool_].chambers.size()));
  }

  /// The fifth to third of the wafers that lies furthest off on one side.
  void take_focus(const World& world, std::size_t step, Random& random) {
    side_ = Side::kFocus;
    step_ = step;
    sign_ = random.chance(0.5) ? 1.0 : -1.0;
    std::vector<double> focus;
    for (std::size_t i = 0; i < world.fab.wafers.size(); ++i) {
      focus.push_back(world.focus_nm(i, step) * sign_);
    }
    std::ranges::sort(focus);
    const double part = random.uniform(0.67, 0.80);
    limit_nm_ =
        std::round(focus[static_cast<std::size_t>(part * static_cast<double>(focus.size()))]);
  }

  void write_cause(const World& world) {
    cause_.kind = "design_process_interaction";
    cause_.subject.emplace_back("step", std::string(route()[step_].name));
    if (side_ == Side::kFocus) {
      cause_.subject.emplace_back("sensor", std::string("FOCUS_OFFSET"));
      cause_.parameters.emplace_back(sign_ > 0 ? "focus_above_nm" : "focus_below_nm",
                                     sign_ * limit_nm_);
    } else {
      const Tool& tool = world.fab.tools[tool_];
      cause_.subject.emplace_back("tool", tool.name);
      if (side_ == Side::kChamber) {
        const auto chamber = static_cast<std::size_t>(chamber_);
        cause_.subject.emplace_back("chamber", std::string(1, tool.chambers[chamber]));
      }
    }
    cause_.parameters.emplace_back("rate_factor_elsewhere", others_);
    for (auto& [name, value] : cause_.parameters) {
      if (name == "rate_per_occurrence") value = rate_;
      if (name == "loss_fraction") {
        value = -std::expm1(-rate_ * static_cast<double>(places_.size()) * kill_share_);
      }
    }
    std::erase_if(cause_.parameters, [](const auto& parameter) {
      return parameter.first == "reported_rate_per_occurrence";
    });
    cause_.expected_actions.insert(cause_.expected_actions.end(),
                                   {"adjust_recipe", "maintain_tool", "hold_tool"});
  }

  Side side_ = Side::kTool;
  std::size_t step_ = 0;
  std::size_t tool_ = 0;
  int chamber_ = -1;
  double sign_ = 1.0;
  double limit_nm_ = 0.0;
  double others_ = 0.0;
};

}  // namespace

std::unique_ptr<Effect> make_interacting_figure() { return std::make_unique<InteractingFigure>(); }

}  // namespace yieldloop::simulator

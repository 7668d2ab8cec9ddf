/// \file
/// Base of the causes that hit wafers in the process: who met them loses part of its die.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "engine/simulator/effect.h"

namespace yieldloop::simulator {

/// A die of an exposed wafer is lost with probability
///
///   loss * severity(wafer) * shape(die) / mean of shape,   at most kMostLoss.
///
/// Of the lost die a part shows a defect at the next inspection.
class WaferEffect : public Effect {
 public:
  void apply(const World& world, std::size_t wafer, WaferFate& fate, int cause,
             Random& random) const override;

 protected:
  /// 1 on average over what is exposed, or a scenario's own course.
  virtual double severity(const World&, std::size_t) const { return 1.0; }
  virtual double shape(const GridDie&) const { return 1.0; }

  const Visit& visit(const World& world, std::size_t wafer) const {
    return world.fab.wafers[wafer].visits[step_];
  }
  /// The wafer's visit was on tool_, in chamber_ unless that is -1.
  bool on_tool(const World& world, std::size_t wafer) const;

  std::string step_name() const { return std::string(route()[step_].name); }
  std::string chamber_name(const World& world) const;
  /// {"step", "tool"} and, unless chamber_ is -1, {"chamber"}.
  TruthFields tool_subject(const World& world) const;

  std::size_t step_ = 0;
  std::size_t tool_ = 0;
  int chamber_ = -1;
  double loss_ = 0.08;
  double seen_share_ = 0.35;
  FailKind fail_ = FailKind::kFunctional;
  DefectClass kind_ = DefectClass::kResidue;
};

/// Tools of a step that at least `least` lots met, with the starts of their runs in time order.
std::map<std::size_t, std::vector<UtcMicros>> used_tools(const World& world, std::size_t step,
                                                         std::size_t least);

/// Chooses a step of `steps` and one of its tools that `least` lots met; nothing when there is
/// none.
struct StepTool {
  std::size_t step = 0;
  std::size_t tool = 0;
  std::vector<UtcMicros> starts;
};
std::optional<StepTool> draw_step_tool(const World& world, const std::vector<const char*>& steps,
                                       std::size_t least, Random& random);

/// The layer whose inspection follows a step.
InspectedLayer layer_after(std::size_t step);

}  // namespace yieldloop::simulator

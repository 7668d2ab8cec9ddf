// The causes that lie in the layout and hit every wafer: a tight figure that bridges, with or
// without innocent look-alikes, and single vias that open, seen by inspection or only at test.

#include "engine/simulator/scenario_list.h"
#include "engine/simulator/scenario_places.h"

namespace yieldloop::simulator {
namespace {

class BridgingFigure final : public PlaceEffect {
 public:
  explicit BridgingFigure(bool with_twin) : with_twin_(with_twin) {}

  bool plan(World& world, Random& random) override {
    return take_figure(world, with_twin_, random);
  }

 private:
  bool with_twin_;
};

class OpenVias final : public PlaceEffect {
 public:
  explicit OpenVias(bool electrical) {
    if (!electrical) return;
    seen_share_ = 0.04;
    fails_block_ = true;
  }

  bool plan(World& world, Random& random) override {
    for (const Point via : single_via_places(world.layout)) {
      constexpr std::int32_t kHalf = kViaSize / 2;
      places_.push_back({{via.x - kHalf, via.y - kHalf}, {via.x + kHalf, via.y + kHalf}});
    }
    if (places_.empty()) return false;
    layer_ = InspectedLayer::kM2;
    kind_ = DefectClass::kVoid;
    fail_ = FailKind::kOpen;
    const double loss = draw_loss(0.04, 0.10, random);
    set_rate(loss);
    cause_.kind = "via";
    cause_.subject = {{"layer", std::string("VIA1")}, {"feature", std::string("single_via")}};
    cause_.expected_actions = {"double_via"};
    write_places(world, "VIA1", loss);
    return true;
  }
};

/// No cause of its own: inspection tools report places that are off by an unknown shift, turn and
/// scale, each tool by its own.
class MisregisteredTools final : public Effect {
 public:
  bool plan(World& world, Random& random) override {
    world.inspection.position_sigma_um = random.uniform(0.45, 0.55);
    for (std::size_t i = 0; i < world.fab.tools.size(); ++i) {
      if (world.fab.tools[i].kind != ToolKind::kInspect) continue;
      const double sign_x = random.chance(0.5) ? 1.0 : -1.0;
      const double sign_y = random.chance(0.5) ? 1.0 : -1.0;
      world.inspection.tool_errors[i] = {.dx_um = sign_x * random.uniform(0.5, 4.0),
                                         .dy_um = sign_y * random.uniform(0.5, 4.0),
                                         .rotation_urad = random.uniform(-6.0, 6.0),
                                         .scale_ppm = random.uniform(-4.0, 4.0)};
    }
    return true;
  }
  bool exposed(const World&, std::size_t) const override { return true; }
};

}  // namespace

std::unique_ptr<Effect> make_bridging_figure() { return std::make_unique<BridgingFigure>(false); }
std::unique_ptr<Effect> make_twinned_figure() { return std::make_unique<BridgingFigure>(true); }
std::unique_ptr<Effect> make_open_vias() { return std::make_unique<OpenVias>(false); }
std::unique_ptr<Effect> make_unseen_open_vias() { return std::make_unique<OpenVias>(true); }
std::unique_ptr<Effect> make_misregistered_tools() {
  return std::make_unique<MisregisteredTools>();
}

}  // namespace yieldloop::simulator

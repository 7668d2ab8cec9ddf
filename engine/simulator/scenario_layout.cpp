// The two causes that lie in the layout: a tight M1 figure that bridges, and single vias that
// open. Both hit every wafer, at a rate for each occurrence.

#include <algorithm>
#include <cmath>

#include "engine/simulator/scenario_list.h"

namespace yieldloop::simulator {
namespace {

constexpr std::size_t kListedLocations = 10'000;
constexpr double kRateShape = 8.0;  // wafer to wafer variation of the rate: gamma, mean 1

const char* figure_name(Figure figure) {
  switch (figure) {
    case Figure::kTipToTip: return "line_end_to_line_end";
    case Figure::kParallel: return "parallel_lines";
    case Figure::kTipToSide: return "line_end_to_side";
    default: return "corner_to_corner";
  }
}

double um(std::int64_t nm) { return static_cast<double>(nm) / 1000.0; }

/// Something that fails at some of its places: events are Poisson with mean rate x places.
class PlaceEffect : public Effect {
 public:
  bool exposed(const World&, std::size_t) const override { return true; }

  void apply(const World& world, std::size_t /*wafer*/, WaferFate& fate, int cause,
             Random& random) const override {
    const double mean =
        rate_ * static_cast<double>(places_.size()) * random.gamma(kRateShape, 1.0 / kRateShape);
    for (std::size_t die = 0; die < fate.die.size(); ++die) {
      const auto events = random.poisson(mean);
      for (std::uint64_t i = 0; i < events; ++i) hit(world, fate, die, cause, random);
    }
  }

 protected:
  /// The rate that makes a die fail with this probability by the planted cause alone.
  void set_rate(double loss) {
    rate_ = -std::log1p(-loss) / (static_cast<double>(places_.size()) * kill_share_);
  }

  void write_places(const char* layer, double loss) {
    cause_.locations_total = places_.size();
    for (const Box& box : places_) {
      if (cause_.locations.size() == kListedLocations) break;
      cause_.locations.push_back({layer, um(box.low.x), um(box.low.y), um(box.high.x - box.low.x),
                                  um(box.high.y - box.low.y)});
    }
    cause_.parameters.emplace_back("occurrences_per_die",
                                   static_cast<std::int64_t>(places_.size()));
    cause_.parameters.emplace_back("rate_per_occurrence", rate_);
    cause_.parameters.emplace_back("kill_share", kill_share_);
    cause_.parameters.emplace_back("loss_fraction", loss);
  }

  std::vector<Box> places_;
  double rate_ = 0.0;
  double kill_share_ = 0.9;
  InspectedLayer layer_{};
  DefectClass kind_{};
  FailKind fail_{};

 private:
  void hit(const World& world, WaferFate& fate, std::size_t die, int cause, Random& random) const {
    const Box& box = places_[random.below(places_.size())];
    const double x = um(box.low.x) + um(box.high.x - box.low.x) * random.uniform();
    const double y = um(box.low.y) + um(box.high.y - box.low.y) * random.uniform();
    const double size = random.uniform(0.2, 0.7);
    const double die_x = x + kLayoutOriginUm;
    const double die_y = y + kLayoutOriginUm;
    plant_defect(fate, layer_, die, die_x, die_y, size, kind_);
    const int block = block_at(world, die_x, die_y, random);
    if (random.chance(kill_share_)) fate.kill(die, fail_, layer_, block, cause);
  }
};

class BridgingFigure final : public PlaceEffect {
 public:
  bool plan(World& world, Random& random) override {
    std::vector<std::size_t> candidates;
    for (std::size_t i = 0; i < world.layout.cells.size(); ++i) {
      const LayoutCell& cell = world.layout.cells[i];
      const bool fit = cell.figure == Figure::kTipToTip || cell.figure == Figure::kParallel ||
                       cell.figure == Figure::kTipToSide;
      if (fit && cell.figure_space <= 220) candidates.push_back(i);
    }
    if (candidates.empty()) return false;
    const std::size_t chosen = candidates[random.below(candidates.size())];
    const LayoutCell& cell = world.layout.cells[chosen];
    places_ = occurrences(world.layout, chosen, cell.figure_gap);
    layer_ = InspectedLayer::kM1;
    kind_ = DefectClass::kBridge;
    fail_ = FailKind::kShort;
    const double loss = random.uniform(0.05, 0.10);
    set_rate(loss);
    cause_.kind = "layout_pattern";
    cause_.subject = {{"layer", std::string("M1")}, {"cell", cell.name}};
    cause_.parameters = {{"figure", std::string(figure_name(cell.figure))},
                         {"space_um", um(cell.figure_space)}};
    cause_.expected_actions = {"widen_space", "replace_pattern", "spread_wires"};
    write_places("M1", loss);
    return true;
  }
};

class OpenVias final : public PlaceEffect {
 public:
  bool plan(World& world, Random& random) override {
    for (const Point via : single_via_places(world.layout)) {
      constexpr std::int32_t kHalf = kViaSize / 2;
      places_.push_back({{via.x - kHalf, via.y - kHalf}, {via.x + kHalf, via.y + kHalf}});
    }
    if (places_.empty()) return false;
    layer_ = InspectedLayer::kM2;
    kind_ = DefectClass::kVoid;
    fail_ = FailKind::kOpen;
    const double loss = random.uniform(0.05, 0.10);
    set_rate(loss);
    cause_.kind = "via";
    cause_.subject = {{"layer", std::string("VIA1")}, {"feature", std::string("single_via")}};
    cause_.expected_actions = {"double_via"};
    write_places("VIA1", loss);
    return true;
  }
};

}  // namespace

std::unique_ptr<Effect> make_bridging_figure() { return std::make_unique<BridgingFigure>(); }
std::unique_ptr<Effect> make_open_vias() { return std::make_unique<OpenVias>(); }

}  // namespace yieldloop::simulator

#include "engine/simulator/scenario_places.h"

#include <algorithm>
#include <cmath>

namespace yieldloop::simulator {
namespace {

constexpr double kRateShape = 8.0;  // wafer to wafer variation of the rate: gamma, mean 1
constexpr std::int32_t kTightSpace = 240;
constexpr double kSmallestSize = 0.2;  // um, of the defects at the places
constexpr double kLargestSize = 0.7;

const char* figure_name(Figure figure) {
  switch (figure) {
    case Figure::kTipToTip: return "line_end_to_line_end";
    case Figure::kParallel: return "parallel_lines";
    case Figure::kTipToSide: return "line_end_to_side";
    default: return "corner_to_corner";
  }
}

double um(std::int64_t nm) { return static_cast<double>(nm) / 1000.0; }

/// Mean of the capture rate over the sizes of such defects and the die that are looked at.
double mean_capture(const World& world) {
  constexpr int kSteps = 100;
  double sum = 0.0;
  for (int i = 0; i < kSteps; ++i) {
    sum += capture_rate(kSmallestSize + (kLargestSize - kSmallestSize) * (i + 0.5) / kSteps);
  }
  double weighted = 0.0;
  double die = 0.0;
  for (const InspectionTest& test : world.inspection.tests) {
    weighted += test.sensitivity * static_cast<double>(test.die.size());
    die += static_cast<double>(test.die.size());
  }
  return sum / kSteps * weighted / die;
}

}  // namespace

std::vector<Location> listed(const char* layer, const std::vector<Box>& boxes) {
  std::vector<Location> locations;
  for (const Box& box : boxes) {
    if (locations.size() == kListedLocations) break;
    locations.push_back({layer, um(box.low.x), um(box.low.y), um(box.high.x - box.low.x),
                         um(box.high.y - box.low.y)});
  }
  return locations;
}

double draw_loss(double low, double high, Random& random) {
  return std::exp(random.uniform(std::log(low), std::log(high)));
}

void PlaceEffect::apply(const World& world, std::size_t wafer, WaferFate& fate, int cause,
                        Random& random) const {
  const double mean = rate_ * static_cast<double>(places_.size()) * factor(world, wafer) *
                      random.gamma(kRateShape, 1.0 / kRateShape);
  for (std::size_t die = 0; die < fate.die.size(); ++die) {
    const auto events = random.poisson(mean);
    for (std::uint64_t i = 0; i < events; ++i) hit(world, fate, die, cause, random);
  }
}

bool PlaceEffect::take_figure(World& world, bool need_twin, Random& random) {
  std::vector<std::size_t> candidates;
  for (std::size_t i = 0; i < world.layout.cells.size(); ++i) {
    const LayoutCell& cell = world.layout.cells[i];
    const bool fit = cell.figure != Figure::kNone && cell.figure != Figure::kCorner &&
                     cell.figure_space <= kTightSpace && (!need_twin || cell.twin_space > 0);
    const auto& claimed = world.claimed_cells;
    if (fit && std::ranges::find(claimed, i) == claimed.end()) candidates.push_back(i);
  }
  if (candidates.empty()) return false;
  const std::size_t chosen = candidates[random.below(candidates.size())];
  world.claimed_cells.push_back(chosen);
  const LayoutCell& cell = world.layout.cells[chosen];
  places_ = occurrences(world.layout, chosen, cell.figure_gap);
  const bool m1 = cell.figure_layer == Layer::kM1;
  layer_ = m1 ? InspectedLayer::kM1 : InspectedLayer::kM2;
  kind_ = DefectClass::kBridge;
  fail_ = FailKind::kShort;
  kill_share_ = random.uniform(0.6, 0.95);
  const double loss = draw_loss(0.025, 0.10, random);
  set_rate(loss);
  const char* layer = m1 ? "M1" : "M2";
  cause_.kind = "layout_pattern";
  cause_.subject = {{"layer", std::string(layer)}, {"cell", cell.name}};
  cause_.parameters = {{"figure", std::string(figure_name(cell.figure))},
                       {"space_um", um(cell.figure_space)}};
  cause_.expected_actions = {"widen_space", "replace_pattern", "spread_wires"};
  write_places(world, layer, loss);
  if (cell.twin_space > 0) {
    const std::vector<Box> twins = occurrences(world.layout, chosen, cell.twin_gap);
    cause_.decoys = listed(layer, twins);
    cause_.decoys_total = twins.size();
    cause_.parameters.emplace_back("decoy_space_um", um(cell.twin_space));
  }
  return true;
}

void PlaceEffect::set_rate(double loss) {
  rate_ = -std::log1p(-loss) / (static_cast<double>(places_.size()) * kill_share_);
}

void PlaceEffect::write_places(const World& world, const char* layer, double loss) {
  cause_.locations_total = places_.size();
  cause_.locations = listed(layer, places_);
  const auto places = static_cast<std::int64_t>(places_.size());
  cause_.parameters.emplace_back("occurrences_per_die", places);
  cause_.parameters.emplace_back("rate_per_occurrence", rate_);
  cause_.parameters.emplace_back("reported_rate_per_occurrence",
                                 rate_ * seen_share_ * mean_capture(world));
  cause_.parameters.emplace_back("kill_share", kill_share_);
  cause_.parameters.emplace_back("seen_share", seen_share_);
  cause_.parameters.emplace_back("loss_fraction", loss);
}

void PlaceEffect::hit(const World& world, WaferFate& fate, std::size_t die, int cause,
                      Random& random) const {
  const Box& box = places_[random.below(places_.size())];
  const double x = um(box.low.x) + um(box.high.x - box.low.x) * random.uniform() + kLayoutOriginUm;
  const double y = um(box.low.y) + um(box.high.y - box.low.y) * random.uniform() + kLayoutOriginUm;
  const double size = random.uniform(kSmallestSize, kLargestSize);
  const bool seen = random.chance(seen_share_);
  if (seen) plant_defect(fate, layer_, die, x, y, size, kind_);
  const int tested = tested_block_at(world, x, y);
  const int block = block_at(world, x, y, random);
  const FailKind fail = fails_block_ && tested >= 0 ? FailKind::kFunctional : fail_;
  if (random.chance(kill_share_)) fate.kill(die, fail, layer_, block, cause);
}

}  // namespace yieldloop::simulator

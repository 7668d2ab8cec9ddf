// Polishing leaves residue where the metal density, or its change from place to place, is large:
//
//   rate(place) = scale * exp(strength * z(place)),   z: standardised over the die
//
// of the mean density of a layer within a square of a drawn half side, or of the length of its
// gradient. The density is that of the drawn shapes in square tiles.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/simulator/scenario_list.h"
#include "engine/simulator/scenario_places.h"

namespace yieldloop::simulator {
namespace {

constexpr std::int32_t kTile = 20'000;  // nm

/// Values on a raster of tiles over the layout, by row.
struct Raster {
  std::size_t columns = 0;
  std::size_t rows = 0;
  std::vector<double> value;
  double& at(std::size_t column, std::size_t row) { return value[row * columns + column]; }
  double at(std::size_t column, std::size_t row) const { return value[row * columns + column]; }
};

Raster blank(Point extent) {
  Raster raster;
  raster.columns = static_cast<std::size_t>((extent.x + kTile - 1) / kTile);
  raster.rows = static_cast<std::size_t>((extent.y + kTile - 1) / kTile);
  raster.value.resize(raster.columns * raster.rows);
  return raster;
}

/// Adds the covered part of each tile.
void cover(Raster& raster, const Box& box) {
  constexpr double kTileArea = static_cast<double>(kTile) * kTile;
  for (std::int32_t ty = box.low.y / kTile; ty * kTile < box.high.y; ++ty) {
    for (std::int32_t tx = box.low.x / kTile; tx * kTile < box.high.x; ++tx) {
      const auto column = static_cast<std::size_t>(tx);
      const auto row = static_cast<std::size_t>(ty);
      if (tx < 0 || ty < 0 || column >= raster.columns || row >= raster.rows) continue;
      const double w = std::min(box.high.x, (tx + 1) * kTile) - std::max(box.low.x, tx * kTile);
      const double h = std::min(box.high.y, (ty + 1) * kTile) - std::max(box.low.y, ty * kTile);
      raster.at(column, row) += w * h / kTileArea;
    }
  }
}

Box box_of(const Wire& wire) {
  const std::int32_t half = wire.width / 2;
  const bool flat = wire.from.y == wire.to.y;
  const std::int32_t x = flat ? 0 : half;
  const std::int32_t y = flat ? half : 0;
  return {{std::min(wire.from.x, wire.to.x) - x, std::min(wire.from.y, wire.to.y) - y},
          {std::max(wire.from.x, wire.to.x) + x, std::max(wire.from.y, wire.to.y) + y}};
}

Raster density_of(const Layout& layout, Layer layer) {
  Raster raster = blank(layout.extent);
  visit_instances(layout, [&](std::size_t index, const Placement& placement) {
    const LayoutCell& cell = layout.cells[index];
    for (const Rect& rect : cell.rects) {
      if (rect.layer == layer) cover(raster, placement.apply(rect.box));
    }
    for (const Wire& wire : cell.wires) {
      if (wire.layer == layer) cover(raster, placement.apply(box_of(wire)));
    }
  });
  for (double& v : raster.value) v = std::min(v, 1.0);
  return raster;
}

/// Mean over the tiles within `reach` in x and y.
Raster smoothed(const Raster& raster, int reach) {
  Raster out = raster;
  for (std::size_t row = 0; row < raster.rows; ++row) {
    for (std::size_t column = 0; column < raster.columns; ++column) {
      const auto r = static_cast<std::size_t>(reach);
      const std::size_t x0 = column < r ? 0 : column - r;
      const std::size_t y0 = row < r ? 0 : row - r;
      const std::size_t x1 = std::min(raster.columns - 1, column + r);
      const std::size_t y1 = std::min(raster.rows - 1, row + r);
      double sum = 0.0;
      for (std::size_t y = y0; y <= y1; ++y) {
        for (std::size_t x = x0; x <= x1; ++x) sum += raster.at(x, y);
      }
      out.at(column, row) = sum / static_cast<double>((x1 - x0 + 1) * (y1 - y0 + 1));
    }
  }
  return out;
}

Raster gradient(const Raster& raster) {
  Raster out = raster;
  for (std::size_t row = 0; row < raster.rows; ++row) {
    for (std::size_t column = 0; column < raster.columns; ++column) {
      const double left = raster.at(column == 0 ? 0 : column - 1, row);
      const double right = raster.at(std::min(column + 1, raster.columns - 1), row);
      const double lower = raster.at(column, row == 0 ? 0 : row - 1);
      const double upper = raster.at(column, std::min(row + 1, raster.rows - 1));
      out.at(column, row) = std::hypot(right - left, upper - lower);
    }
  }
  return out;
}

void standardise(std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double square = 0.0;
  for (const double v : values) square += (v - mean) * (v - mean);
  const double sd = std::sqrt(square / n);
  for (double& v : values) v = std::clamp((v - mean) / sd, -3.0, 3.0);
}

class DensityResidue final : public Effect {
 public:
  bool plan(World& world, Random& random) override {
    layer_ = random.chance(0.5) ? InspectedLayer::kM1 : InspectedLayer::kM2;
    gradient_ = random.chance(0.5);
    reach_ = static_cast<int>(1 + random.below(4));
    strength_ = random.uniform(0.9, 1.5);
    kill_share_ = random.uniform(0.3, 0.6);
    loss_ = draw_loss(0.03, 0.08, random);
    const bool m1 = layer_ == InspectedLayer::kM1;
    field_ = smoothed(density_of(world.layout, m1 ? Layer::kM1 : Layer::kM2), reach_);
    if (gradient_) field_ = gradient(field_);
    standardise(field_.value);
    double sum = 0.0;
    for (const double z : field_.value) cumulative_.push_back(sum += std::exp(strength_ * z));
    write_cause(m1 ? "M1" : "M2");
    return true;
  }

  bool exposed(const World&, std::size_t) const override { return true; }

  void apply(const World& world, std::size_t /*wafer*/, WaferFate& fate, int cause,
             Random& random) const override {
    const double mean = -std::log1p(-loss_) / kill_share_ * random.gamma(8.0, 1.0 / 8.0);
    for (std::size_t die = 0; die < fate.die.size(); ++die) {
      const auto events = random.poisson(mean);
      for (std::uint64_t i = 0; i < events; ++i) hit(world, fate, die, cause, random);
    }
  }

 private:
  void hit(const World& world, WaferFate& fate, std::size_t die, int cause, Random& random) const {
    const auto found = std::ranges::upper_bound(cumulative_, random.uniform() * cumulative_.back());
    const auto tile =
        std::min(static_cast<std::size_t>(found - cumulative_.begin()), cumulative_.size() - 1);
    const auto coordinate = [&](std::size_t index) {
      return kLayoutOriginUm + (static_cast<double>(index) + random.uniform()) * kTile / 1000.0;
    };
    const double x = std::min(coordinate(tile % field_.columns), world.product.die_width_um);
    const double y = std::min(coordinate(tile / field_.columns), world.product.die_height_um);
    plant_defect(fate, layer_, die, x, y, random.uniform(0.25, 1.2), DefectClass::kResidue);
    const int block = block_at(world, x, y, random);
    const FailKind fail = random.chance(0.5) ? FailKind::kShort : FailKind::kFunctional;
    if (random.chance(kill_share_)) fate.kill(die, fail, layer_, block, cause);
  }

  /// The locations are the tiles of the highest tenth.
  void write_cause(const char* layer) {
    std::vector<double> sorted = field_.value;
    std::ranges::sort(sorted);
    const double limit = sorted[sorted.size() * 9 / 10];
    std::vector<Box> tiles;
    for (std::size_t i = 0; i < field_.value.size(); ++i) {
      if (field_.value[i] < limit) continue;
      const auto x = static_cast<std::int32_t>(i % field_.columns) * kTile;
      const auto y = static_cast<std::int32_t>(i / field_.columns) * kTile;
      tiles.push_back({{x, y}, {x + kTile, y + kTile}});
    }
    cause_.kind = "layout_feature";
    cause_.subject = {{"layer", std::string(layer)},
                      {"feature", std::string(gradient_ ? "density_gradient" : "density")}};
    cause_.parameters = {{"half_side_um", (reach_ + 0.5) * kTile / 1000.0},
                         {"strength_per_sigma", strength_},
                         {"kill_share", kill_share_},
                         {"loss_fraction", loss_}};
    cause_.expected_actions = {"add_fill", "spread_wires", "retarget_step"};
    cause_.locations = listed(layer, tiles);
    cause_.locations_total = tiles.size();
  }

  InspectedLayer layer_{};
  bool gradient_ = false;
  int reach_ = 1;
  double strength_ = 1.0;
  double kill_share_ = 0.5;
  double loss_ = 0.0;
  Raster field_;
  std::vector<double> cumulative_;
};

}  // namespace

std::unique_ptr<Effect> make_density_residue() { return std::make_unique<DensityResidue>(); }

}  // namespace yieldloop::simulator

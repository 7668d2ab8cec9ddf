#include "engine/tracing/strata.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/tracing/tile_measures.h"

namespace yieldloop::tracing {
namespace {

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0.0;
  std::ranges::sort(values);
  const double at = share * static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(
      std::clamp(at, 0.0, static_cast<double>(values.size() - 1)))];
}

}  // namespace

DensityStrata DensityStrata::of(const layout::FlatView& view, layout::LayerIndex layer,
                                const RectUm& window, const StrataOptions& options) {
  DensityStrata s;
  s.window_ = window;
  TileMeasures m = measure_tiles(view, layer, window, options.tile_um, options.most_tiles, true);
  s.side_ = m.side;
  s.columns_ = m.columns;
  s.rows_ = m.rows;
  s.density_ = std::move(m.density);
  s.perimeter_ = std::move(m.perimeter);
  s.cut(std::max(1, options.strata));
  return s;
}

void DensityStrata::cut(int strata) {
  std::vector<std::size_t> order(density_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return density_[a] != density_[b] ? density_[a] < density_[b] : a < b;
  });
  stratum_.assign(density_.size(), 0);
  const double whole = window_.area();
  double passed = 0.0, before = -1.0;
  for (const std::size_t i : order) {
    const auto wanted = static_cast<std::size_t>(passed / whole * strata);
    const bool may_start =
        areas_.empty() || (density_[i] > before + 1e-9 && wanted >= areas_.size());
    if (may_start) areas_.push_back(0.0);
    stratum_[i] = areas_.size() - 1;
    areas_.back() += tile(i).area();
    passed += tile(i).area();
    before = density_[i];
  }
}

RectUm DensityStrata::tile(std::size_t index) const {
  const std::size_t column = index % columns_, row = index / columns_;
  const double x = window_.x_min + side_ * static_cast<double>(column);
  const double y = window_.y_min + side_ * static_cast<double>(row);
  return {x, y, std::min(x + side_, window_.x_max), std::min(y + side_, window_.y_max)};
}

std::size_t DensityStrata::tile_at(PointUm p) const {
  const auto along = [&](double v, double low, std::size_t n) {
    const double t = std::floor((v - low) / side_);
    return static_cast<std::size_t>(std::clamp(t, 0.0, static_cast<double>(n - 1)));
  };
  return along(p.y, window_.y_min, rows_) * columns_ + along(p.x, window_.x_min, columns_);
}

double DensityStrata::density_quantile(double share) const { return quantile(density_, share); }
double DensityStrata::perimeter_quantile(double share) const { return quantile(perimeter_, share); }

}  // namespace yieldloop::tracing

#include "engine/tracing/layout_columns.h"

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>

#include "engine/tracing/tile_measures.h"

namespace yieldloop::tracing {
namespace {

double or_nan(double value, double unit) { return value < 0.0 ? std::nan("") : value * unit; }

/// Differences of summed areas carry rounding that goes along with the density around. Columns are
/// ranked, so that equal values must be equal.
double without_rounding(double value) { return std::round(value * 1e9) * 1e-9; }

}  // namespace

TileRaster::TileRaster(const RectUm& window, double side, std::size_t columns, std::size_t rows,
                       const std::vector<double>& per_area)
    : window_(window), side_(side), columns_(columns), rows_(rows) {
  sums_.assign((rows + 1) * (columns + 1), 0.0);
  for (std::size_t r = 0; r < rows; ++r) {
    const double h = std::min(side, window.y_max - window.y_min - side * static_cast<double>(r));
    for (std::size_t c = 0; c < columns; ++c) {
      const double w = std::min(side, window.x_max - window.x_min - side * static_cast<double>(c));
      const std::size_t at = (r + 1) * (columns + 1) + c + 1;
      sums_[at] = sums_[at - 1] + sums_[at - columns - 1] - sums_[at - columns - 2] +
                  per_area[r * columns + c] * std::max(0.0, w) * std::max(0.0, h);
    }
  }
}

double TileRaster::below(double x, double y) const {
  // Bilinear between the tiles' corners; the last column and row may be narrower.
  const auto along = [&](double v, double whole, std::size_t n, std::size_t& cell) {
    const double at = std::clamp(v, 0.0, whole);
    cell = std::min(n - 1, static_cast<std::size_t>(at / side_));
    const double start = side_ * static_cast<double>(cell);
    const double length = std::min(side_, whole - start);
    return length > 0.0 ? std::min(1.0, (at - start) / length) : 1.0;
  };
  std::size_t c = 0, r = 0;
  const double fx = along(x - window_.x_min, window_.x_max - window_.x_min, columns_, c);
  const double fy = along(y - window_.y_min, window_.y_max - window_.y_min, rows_, r);
  const std::size_t at = r * (columns_ + 1) + c, up = at + columns_ + 1;
  return (1 - fy) * ((1 - fx) * sums_[at] + fx * sums_[at + 1]) +
         fy * ((1 - fx) * sums_[up] + fx * sums_[up + 1]);
}

double TileRaster::mean(const RectUm& rect) const {
  const double x0 = std::max(rect.x_min, window_.x_min), x1 = std::min(rect.x_max, window_.x_max);
  const double y0 = std::max(rect.y_min, window_.y_min), y1 = std::min(rect.y_max, window_.y_max);
  if (!(x1 > x0) || !(y1 > y0)) return std::nan("");
  const double sum = below(x1, y1) - below(x0, y1) - below(x1, y0) + below(x0, y0);
  return std::max(0.0, sum) / ((x1 - x0) * (y1 - y0));
}

LayoutColumns LayoutColumns::of(const layout::FlatView& view, layout::LayerIndex layer,
                                const RectUm& window, const std::vector<Via>& vias,
                                const LayoutColumnOptions& options) {
  LayoutColumns columns(view, layer, window, options);
  const double shorter = std::min(window.x_max - window.x_min, window.y_max - window.y_min);
  for (const double r : options.radii_um) {
    if (r > 0.0 && (columns.radii_.empty() || r <= 0.25 * shorter)) columns.radii_.push_back(r);
  }
  std::ranges::sort(columns.radii_);
  const double finest = columns.radii_.empty() ? 1.0 : columns.radii_.front();
  const auto measure = [&](layout::LayerIndex of, bool border) {
    return measure_tiles(view, of, window, std::max(finest, 1e-3), options.most_tiles, border);
  };
  const TileMeasures m = measure(layer, true);
  columns.side_ = m.side;
  const auto raster = [&](const TileMeasures& tiles, const std::vector<double>& per_area) {
    return TileRaster(window, tiles.side, tiles.columns, tiles.rows, per_area);
  };
  columns.density_.push_back(raster(m, m.density));
  columns.perimeter_.push_back(raster(m, m.perimeter));
  const auto named = [&](const std::string& name, double r) {
    columns.names_.push_back(fmt::format("{}_{:g}um", name, r));
  };
  for (const double r : columns.radii_) named("density", r);
  for (std::size_t i = 1; i < columns.radii_.size(); ++i)
    named("density_gradient", columns.radii_[i]);
  const double wide = columns.radii_[std::min<std::size_t>(1, columns.radii_.size() - 1)];
  named("perimeter", wide);
  for (const char* name : {"width", "space", "edge_distance"}) columns.names_.emplace_back(name);
  for (const auto& [name, index] : vias) {
    const TileMeasures via = measure(index, false);
    columns.vias_.push_back(raster(via, via.density));
    named("via_density_" + name, wide);
  }
  return columns;
}

double LayoutColumns::density(PointUm p, double radius) const {
  const RectUm rect{p.x - radius, p.y - radius, p.x + radius, p.y + radius};
  if (radius >= 1.5 * side_) return density_[0].mean(rect);
  const double dbu = view_.layout().dbu_um();
  const geometry::Box box =
      to_dbu({std::max(rect.x_min, window_.x_min), std::max(rect.y_min, window_.y_min),
              std::min(rect.x_max, window_.x_max), std::min(rect.y_max, window_.y_max)},
             dbu);
  return box.width() > 0 && box.height() > 0 ? view_.density(layer_, box) : std::nan("");
}

double LayoutColumns::gradient(PointUm p, double radius) const {
  const auto along = [&](bool x_axis) {
    const auto half = [&](double sign) {
      const double a = sign < 0.0 ? -radius : 0.0, b = sign < 0.0 ? 0.0 : radius;
      return density_[0].mean(x_axis ? RectUm{p.x + a, p.y - radius, p.x + b, p.y + radius}
                                     : RectUm{p.x - radius, p.y + a, p.x + radius, p.y + b});
    };
    // At the window's rim a half is cut short; its centre then lies nearer.
    const double at = x_axis ? p.x : p.y;
    const double low = x_axis ? window_.x_min : window_.y_min;
    const double high = x_axis ? window_.x_max : window_.y_max;
    const double reach = std::min(radius, high - at) + std::min(radius, at - low);
    const double difference = half(1.0) - half(-1.0);
    const bool thin = std::min(high - at, at - low) < 0.25 * radius;
    return thin || std::isnan(difference) ? 0.0 : difference / (0.5 * reach);
  };
  return 100.0 * std::hypot(along(true), along(false));
}

void LayoutColumns::row(PointUm p, std::span<double> out) const {
  std::size_t at = 0;
  for (const double r : radii_) out[at++] = without_rounding(density(p, r));
  for (std::size_t i = 1; i < radii_.size(); ++i)
    out[at++] = without_rounding(gradient(p, radii_[i]));
  const double wide = radii_[std::min<std::size_t>(1, radii_.size() - 1)];
  const RectUm square{p.x - wide, p.y - wide, p.x + wide, p.y + wide};
  out[at++] = without_rounding(perimeter_[0].mean(square));
  const double dbu = view_.layout().dbu_um();
  const auto reach = static_cast<geometry::Coord>(std::llround(options_.reach_um / dbu));
  const layout::LocalFeatures local =
      view_.local_features(layer_,
                           {static_cast<geometry::Coord>(std::llround(p.x / dbu)),
                            static_cast<geometry::Coord>(std::llround(p.y / dbu))},
                           reach);
  out[at++] = or_nan(static_cast<double>(local.width), dbu);
  out[at++] = or_nan(static_cast<double>(local.space), dbu);
  out[at++] = or_nan(local.edge_distance, dbu);
  for (const TileRaster& via : vias_) out[at++] = via.mean(square);
}

std::vector<double> LayoutColumns::values(std::span<const PointUm> points) const {
  std::vector<double> all(points.size() * names_.size());
  tbb::parallel_for(std::size_t{0}, points.size(), [&](std::size_t i) {
    row(points[i], std::span(all).subspan(i * names_.size(), names_.size()));
  });
  return all;
}

}  // namespace yieldloop::tracing

#include "engine/layout/critical_area.h"

#include <tbb/enumerable_thread_specific.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/core/random.h"
#include "engine/layout/fault_tile.h"
#include "engine/layout/tile_memory.h"
#include "engine/layout/tiles.h"

namespace yieldloop::layout {
namespace {

/// No spot defect is larger, in um or in database units: a mistake in the unit of length.
constexpr double kLargestUm = 1000.0;
constexpr double kLargestUnits = 4e6;

Status check(const CriticalAreaOptions& options, double dbu_um) {
  const bool sizes =
      options.x0_um > 0.0 && options.x_max_um > options.x0_um && std::isfinite(options.x_max_um);
  if (!sizes || !(options.tile_um > 0.0))
    return Error{Errc::kInvalidOptions, "LAYO-0008",
                 "Critical area needs x0 and tile above 0 and x_max above x0."};
  if (options.x_max_um > kLargestUm || options.x_max_um / dbu_um > kLargestUnits)
    return Error{Errc::kInvalidOptions, "LAYO-0008",
                 "Critical area needs x_max in micrometres, at most 1000 and at most 4,000,000 "
                 "database units."};
  return Ok{};
}

/// Positions of the tiles to do, ascending.
std::vector<std::size_t> draw(std::size_t total, std::size_t wanted, std::uint64_t seed) {
  std::vector<std::size_t> all(total);
  std::iota(all.begin(), all.end(), std::size_t{0});
  if (wanted == 0 || wanted >= total) return all;
  Random random(seed);
  for (std::size_t i = 0; i < wanted; ++i) std::swap(all[i], all[i + random.below(total - i)]);
  all.resize(wanted);
  std::sort(all.begin(), all.end());
  return all;
}

/// Totals from the tiles that were done, expanded to all of them.
void summarise(CriticalArea& result, double exact_um2) {
  constexpr double kNormal95 = 1.959963984540054;
  const auto n = static_cast<double>(result.tiles_done);
  const auto all = static_cast<double>(result.tiles_total);
  if (result.tiles_done == result.tiles_total) {
    result.um2 = result.ci95_low_um2 = result.ci95_high_um2 = exact_um2;
    return;
  }
  const double mean = exact_um2 / n;
  double squares = 0.0;
  for (const TileCriticalArea& tile : result.tiles)
    squares += (tile.um2 - mean) * (tile.um2 - mean);
  const double variance = n > 1.0 ? squares / (n - 1.0) : mean * mean;
  result.um2 = all * mean;
  result.standard_error_um2 = all * std::sqrt((1.0 - n / all) * variance / n);
  result.ci95_low_um2 = std::max(0.0, result.um2 - kNormal95 * result.standard_error_um2);
  result.ci95_high_um2 = result.um2 + kNormal95 * result.standard_error_um2;
}

FaultModel model_of(const CriticalAreaOptions& options, double dbu_um) {
  return {.kind = options.kind,
          .end_effects = options.end_effects,
          .x_max = static_cast<Coord>(std::ceil(options.x_max_um / dbu_um - 1e-9)),
          .staircase = std::max<Coord>(static_cast<Coord>(options.x0_um / dbu_um / 4.0), 1),
          .nets = options.nets};
}

/// Integrals of (x - t) f and (x - t)^2 f from t to x_max, for whole t.
class CurveWeights {
 public:
  CurveWeights(const SizeDensity& density, std::int32_t limit) {
    whole_ = density.tail(0.0).zeroth;
    for (std::int32_t t = 0; t < limit; ++t) {
      const auto m = density.tail(static_cast<double>(t));
      first_.push_back(m.first);
      second_.push_back(m.second);
    }
  }
  /// A_c of a curve with knots below the limit, in square database units.
  double apply(const FaultCurve& curve) const {
    double sum = static_cast<double>(curve.base()) * whole_;
    for (const FaultKnot& k : curve.knots()) {
      const auto t = static_cast<std::size_t>(k.x);
      sum += static_cast<double>(k.slope) * first_[t] + static_cast<double>(k.bend) * second_[t];
    }
    return sum / 4.0;
  }

 private:
  double whole_ = 0.0;
  std::vector<double> first_, second_;
};

/// Works on tiles from any thread and adds up their curves.
class CriticalAreaWork {
 public:
  CriticalAreaWork(const FlatView& view, LayerIndex layer, const FaultModel& model,
                   const SizeDensity& density, bool remember)
      : view_(view),
        layer_(layer),
        model_(model),
        limit_(static_cast<std::int32_t>(model.x_max)),
        weights_(density, limit_),
        remember_(remember),
        threads_([this] { return PerThread(limit_); }) {}

  double tile(const Box& tile) {
    PerThread& mine = threads_.local();
    TileShapes shapes = TileShapes::of(view_, layer_, tile, model_);
    mine.oblique += shapes.oblique ? 1 : 0;
    const FaultCurve curve = curve_of(shapes, tile, mine);
    mine.total.add_base(curve.base());
    for (const FaultKnot& k : curve.knots())
      mine.total.add(static_cast<std::int32_t>(k.x), k.slope, k.bend);
    return weights_.apply(curve);
  }
  void finish(CriticalArea& result) {
    for (PerThread& t : threads_) {
      result.curve.add(t.total.take());
      result.tiles_oblique += t.oblique;
      result.tiles_repeated += t.repeated;
    }
  }

 private:
  struct PerThread {
    explicit PerThread(std::int32_t limit) : work(limit), total(limit) {}
    FaultTile work;
    FaultCurveBuilder total;
    std::size_t oblique = 0, repeated = 0;
  };

  FaultCurve curve_of(TileShapes& shapes, const Box& tile, PerThread& mine) {
    if (!remember_ || shapes.boxes.empty()) return mine.work.curve(shapes, tile, model_);
    shapes.sort();
    const auto content = TileMemory::content_of(shapes, tile);
    if (auto known = memory_.find(content)) {
      ++mine.repeated;
      return *std::move(known);
    }
    FaultCurve curve = mine.work.curve(shapes, tile, model_);
    memory_.put(content, curve);
    return curve;
  }

  const FlatView& view_;
  LayerIndex layer_;
  const FaultModel& model_;
  std::int32_t limit_;
  CurveWeights weights_;
  bool remember_;
  TileMemory memory_;
  tbb::enumerable_thread_specific<PerThread> threads_;
};

}  // namespace

Result<CriticalArea> critical_area(const FlatView& view, LayerIndex layer,
                                   const CriticalAreaOptions& options, Progress& progress) {
  const double dbu = view.layout().dbu_um();
  YL_TRY(check(options, dbu));
  const Box drawn = view.bbox(layer);
  if (drawn.empty())
    return Error{Errc::kNoData, "LAYO-0009",
                 "Nothing is drawn on layer " + to_string(view.layout().layers()[layer]) +
                     " below cell " + view.layout().cell(view.top()).name + "."};
  const FaultModel model = model_of(options, dbu);
  const SizeDensity density{options.law, options.x0_um / dbu, options.x_max_um / dbu};
  const Box window = options.window.value_or(drawn.enlarged((model.x_max + 1) / 2));
  const Coord side = std::max<Coord>(static_cast<Coord>(options.tile_um / dbu), 1);
  const auto repeated = repeated_side(view, layer, side);
  const TileGrid grid = TileGrid::of(window, repeated.value_or(side));
  CriticalArea result{.kind = options.kind,
                      .law = options.law,
                      .x0_um = options.x0_um,
                      .x_max_um = options.x_max_um,
                      .tiles_total = grid.size(),
                      .net_aware = static_cast<bool>(options.nets),
                      .window_um2 = window.area() * dbu * dbu,
                      .tiles = {},
                      .curve = {}};
  const std::vector<std::size_t> chosen = draw(grid.size(), options.max_tiles, options.seed);
  result.tiles_done = chosen.size();
  CriticalAreaWork work(view, layer, model, density, repeated.has_value());
  YL_ASSIGN(result.tiles, for_all_tiles<TileCriticalArea>(
                              chosen.size(), "critical area", progress, [&](std::size_t k) {
                                const Box tile = grid.tile(chosen[k]);
                                return TileCriticalArea{tile, work.tile(tile) * dbu * dbu};
                              }));
  work.finish(result);
  summarise(result, result.curve.integral(density) * dbu * dbu);
  return result;
}

double fault_area(const FlatView& view, LayerIndex layer, FaultKind kind, double x_um,
                  const Box& window, bool end_effects) {
  const double dbu = view.layout().dbu_um();
  const CriticalAreaOptions options{.kind = kind,
                                    .x0_um = x_um,
                                    .x_max_um = x_um,
                                    .window = {},
                                    .end_effects = end_effects,
                                    .nets = {}};
  FaultModel model = model_of(options, dbu);
  // Walls that meet at exactly x do not count yet.
  ++model.x_max;
  const TileShapes shapes = TileShapes::of(view, layer, window, model);
  FaultTile tile(static_cast<std::int32_t>(model.x_max));
  return tile.curve(shapes, window, model).area(x_um / dbu) * dbu * dbu;
}

}  // namespace yieldloop::layout

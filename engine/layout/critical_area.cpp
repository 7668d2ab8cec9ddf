#include "engine/layout/critical_area.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/core/random.h"
#include "engine/layout/fault_area.h"
#include "engine/layout/tiles.h"

namespace yieldloop::layout {
namespace {

/// The weight of a size and its integrals with 1, x and x^2. Lengths in database units.
struct SizeDensity {
  SizeLaw law = SizeLaw::kInverseCube;
  double x0 = 0.0;

  double lowest() const { return law == SizeLaw::kInverseCube ? x0 : 0.0; }

  /// Integral of (c0 + c1 x + c2 x^2) f(x) over [a, b], which must not straddle x0.
  double integral(double a, double b, double c0, double c1, double c2) const {
    if (law == SizeLaw::kPeaked && b <= x0)
      return (c0 * (b * b - a * a) / 2.0 + c1 * (b * b * b - a * a * a) / 3.0 +
              c2 * (b * b * b * b - a * a * a * a) / 4.0) /
             (x0 * x0);
    const double k = (law == SizeLaw::kInverseCube ? 2.0 : 1.0) * x0 * x0;
    return k * (c0 * (1.0 / (a * a) - 1.0 / (b * b)) / 2.0 + c1 * (1.0 / a - 1.0 / b) +
                c2 * std::log(b / a));
  }
  double weight(double a, double b) const { return integral(a, b, 1.0, 0.0, 0.0); }
};

struct Sample {
  double x;
  double area;
};

/// The parabola through three samples, as coefficients of 1, x, x^2.
struct Parabola {
  double c0, c1, c2;
  Parabola(Sample a, Sample m, Sample b) {
    const double first = (m.area - a.area) / (m.x - a.x);
    const double second = (b.area - m.area) / (b.x - m.x);
    c2 = (second - first) / (b.x - a.x);
    c1 = first - c2 * (a.x + m.x);
    c0 = a.area - first * a.x + c2 * a.x * m.x;
  }
  double at(double x) const { return c0 + x * (c1 + x * c2); }
};

/// Adaptive integration of A(x) f(x). Between break points of a Manhattan layout A is a parabola,
/// for which the integral with f is known in closed form; a stretch is halved until it is one or
/// until what is left to gain does not matter.
class SizeIntegral {
 public:
  SizeIntegral(const FaultArea& area, const SizeDensity& density, double tolerance)
      : area_(area), density_(density), tolerance_(tolerance) {}

  double compute(double x_max) {
    if (area_.breaks().empty()) return 0.0;
    std::vector<double> places;
    const double start = std::max(density_.lowest(), area_.breaks().front());
    if (start >= x_max) return 0.0;
    places.push_back(start);
    for (const double b : area_.breaks()) places.push_back(b);
    places.push_back(density_.x0);
    places.push_back(x_max);
    std::erase_if(places, [&](double p) { return p < start || p > x_max; });
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    span_ = x_max - start;
    scale_ = rough(places);
    double sum = 0.0;
    for (std::size_t i = 0; i + 1 < places.size(); ++i) {
      const double m = middle(places[i], places[i + 1]);
      sum += part(sample(places[i]), sample(m), sample(places[i + 1]), 0);
    }
    return sum;
  }

 private:
  static constexpr int kDepth = 40;

  Sample sample(double x) const { return {x, area_.at(x)}; }
  static double middle(double a, double b) { return (a + b) / 2.0; }

  /// A first idea of the integral, for the tolerance.
  double rough(const std::vector<double>& places) const {
    double sum = 0.0;
    for (std::size_t i = 0; i + 1 < places.size(); ++i)
      sum += density_.weight(places[i], places[i + 1]) * area_.at(middle(places[i], places[i + 1]));
    return sum;
  }

  double part(Sample a, Sample m, Sample b, int depth) const {
    const Parabola p(a, m, b);
    const Sample left = sample(middle(a.x, m.x));
    const Sample right = sample(middle(m.x, b.x));
    const double off =
        std::max(std::abs(p.at(left.x) - left.area), std::abs(p.at(right.x) - right.area));
    const double whole = density_.integral(a.x, b.x, p.c0, p.c1, p.c2);
    if (off <= 1e-11 * (std::abs(a.area) + std::abs(b.area))) return whole;
    const double error = off * density_.weight(a.x, b.x);
    if (depth >= kDepth || error <= tolerance_ * scale_ * (b.x - a.x) / span_) {
      const Parabola low(a, left, m);
      const Parabola high(m, right, b);
      return density_.integral(a.x, m.x, low.c0, low.c1, low.c2) +
             density_.integral(m.x, b.x, high.c0, high.c1, high.c2);
    }
    return part(a, left, m, depth + 1) + part(m, right, b, depth + 1);
  }

  const FaultArea& area_;
  SizeDensity density_;
  double tolerance_;
  double scale_ = 0.0;
  double span_ = 1.0;
};

Status check(const CriticalAreaOptions& options) {
  const bool sizes =
      options.x0_um > 0.0 && options.x_max_um > options.x0_um && std::isfinite(options.x_max_um);
  if (!sizes || !(options.relative_tolerance > 0.0) || !(options.tile_um > 0.0))
    return Error{Errc::kInvalidOptions, "LAYO-0008",
                 "Critical area needs x0, tile and tolerance above 0 and x_max above x0."};
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
void summarise(CriticalArea& result) {
  constexpr double kNormal95 = 1.959963984540054;
  const auto n = static_cast<double>(result.tiles_done);
  const auto all = static_cast<double>(result.tiles_total);
  double sum = 0.0;
  for (const TileCriticalArea& tile : result.tiles) sum += tile.um2;
  if (result.tiles_done == result.tiles_total) {
    result.um2 = result.ci95_low_um2 = result.ci95_high_um2 = sum;
    return;
  }
  const double mean = sum / n;
  double squares = 0.0;
  for (const TileCriticalArea& tile : result.tiles)
    squares += (tile.um2 - mean) * (tile.um2 - mean);
  const double variance = n > 1.0 ? squares / (n - 1.0) : mean * mean;
  result.um2 = all * mean;
  result.standard_error_um2 = all * std::sqrt((1.0 - n / all) * variance / n);
  result.ci95_low_um2 = std::max(0.0, result.um2 - kNormal95 * result.standard_error_um2);
  result.ci95_high_um2 = result.um2 + kNormal95 * result.standard_error_um2;
}

FaultArea::Model model_of(FaultKind kind, bool end_effects, double x_max, double x0) {
  return {kind, end_effects, x_max, std::max<Coord>(static_cast<Coord>(x0 / 4.0), 1)};
}

}  // namespace

Result<CriticalArea> critical_area(const FlatView& view, LayerIndex layer,
                                   const CriticalAreaOptions& options, Progress& progress) {
  YL_TRY(check(options));
  const double dbu = view.layout().dbu_um();
  const double x_max = options.x_max_um / dbu;
  const double x0 = options.x0_um / dbu;
  const Box drawn = view.bbox(layer);
  if (drawn.empty())
    return Error{Errc::kNoData, "LAYO-0009",
                 "Nothing is drawn on layer " + to_string(view.layout().layers()[layer]) +
                     " below cell " + view.layout().cell(view.top()).name + "."};
  const Box window =
      options.window.value_or(drawn.enlarged(static_cast<Coord>(std::ceil(x_max / 2.0))));
  const TileGrid grid =
      TileGrid::of(window, std::max<Coord>(static_cast<Coord>(options.tile_um / dbu), 1));
  CriticalArea result;
  result.kind = options.kind;
  result.law = options.law;
  result.x0_um = options.x0_um;
  result.x_max_um = options.x_max_um;
  result.window_um2 = window.area() * dbu * dbu;
  result.tiles_total = grid.size();
  const std::vector<std::size_t> chosen = draw(grid.size(), options.max_tiles, options.seed);
  result.tiles_done = chosen.size();
  const auto model = model_of(options.kind, options.end_effects, x_max, x0);
  YL_ASSIGN(
      result.tiles,
      for_all_tiles<TileCriticalArea>(chosen.size(), "critical area", progress, [&](std::size_t k) {
        const Box tile = grid.tile(chosen[k]);
        const FaultArea area(view, layer, tile, model);
        SizeIntegral integral(area, {options.law, x0}, options.relative_tolerance);
        return TileCriticalArea{tile, integral.compute(x_max) * dbu * dbu};
      }));
  summarise(result);
  return result;
}

double fault_area(const FlatView& view, LayerIndex layer, FaultKind kind, double x_um,
                  const Box& window, bool end_effects) {
  const double dbu = view.layout().dbu_um();
  const double x = x_um / dbu;
  // Chords of exactly x do not count, so that just above x must be looked at.
  const FaultArea area(view, layer, window, model_of(kind, end_effects, x * (1.0 + 1e-9) + 1.0, x));
  return area.at(x) * dbu * dbu;
}

}  // namespace yieldloop::layout

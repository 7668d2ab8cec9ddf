#include "engine/yield/zones.h"

#include <algorithm>

#include "engine/stats/intervals.h"

namespace yieldloop::yield {
namespace {

/// Twice the offset from the middle of the map, exact in integers.
struct Middle {
  int x = 0, y = 0;
  explicit Middle(std::span<const DieOutcome> outcomes) {
    const auto [x0, x1] = std::ranges::minmax(outcomes, {}, [](const auto& o) { return o.die.x; });
    const auto [y0, y1] = std::ranges::minmax(outcomes, {}, [](const auto& o) { return o.die.y; });
    x = x0.die.x + x1.die.x;
    y = y0.die.y + y1.die.y;
  }
};

std::size_t quadrant_of(int dx, int dy) {
  if (dx > 0 && dy >= 0) return 0;
  if (dx <= 0 && dy > 0) return 1;
  if (dx < 0 && dy <= 0) return 2;
  return 3;
}

void finish(std::vector<ZoneYield>& zones) {
  for (ZoneYield& zone : zones) {
    const auto n = static_cast<double>(zone.tested), k = static_cast<double>(zone.good);
    zone.yield = n > 0 ? k / n : 0.0;
    zone.yield_ci = stats::wilson_interval(k, n);
  }
}

}  // namespace

Result<ZoneYields> zone_yields(const Product& product, std::span<const DieOutcome> outcomes,
                               const ZoneOptions& options) {
  if (options.rings < 1 || options.rings > 64) {
    return Error{Errc::kInvalidOptions, "YIEL-0006", "The number of rings must be 1 to 64."};
  }
  if (outcomes.empty()) {
    return Error{Errc::kNoData, "YIEL-0007",
                 "No tested die was given, so no zone has a yield; load test results first."};
  }
  const Middle middle(outcomes);
  const double width = product.die_width_um > 0 ? product.die_width_um : 1.0;
  const double height = product.die_height_um > 0 ? product.die_height_um : 1.0;
  const auto square = [&](DieIndex die) {
    const double dx = (2 * die.x - middle.x) * width, dy = (2 * die.y - middle.y) * height;
    return dx * dx + dy * dy;
  };
  double largest = 0;
  for (const DieOutcome& o : outcomes) largest = std::max(largest, square(o.die));
  ZoneYields result;
  result.rings.resize(static_cast<std::size_t>(options.rings));
  result.quadrants.resize(4);
  for (const DieOutcome& o : outcomes) {
    const double share = largest > 0 ? square(o.die) / largest : 0.0;
    const int ring = std::min(options.rings - 1, static_cast<int>(share * options.rings));
    for (ZoneYield* zone :
         {&result.rings[static_cast<std::size_t>(ring)],
          &result.quadrants[quadrant_of(2 * o.die.x - middle.x, 2 * o.die.y - middle.y)]}) {
      ++zone->tested;
      zone->good += o.pass ? 1 : 0;
    }
  }
  finish(result.rings);
  finish(result.quadrants);
  return result;
}

}  // namespace yieldloop::yield

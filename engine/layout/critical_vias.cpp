#include "engine/layout/critical_vias.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace yieldloop::layout {
namespace {

Status check(const CriticalViaOptions& o, double dbu_um) {
  const bool sizes =
      o.x0_um > 0.0 && o.x_max_um > o.x0_um && o.x_max_um <= 1000.0 && o.x_max_um / dbu_um <= 4e6;
  if (sizes && o.fail_rate >= 0.0 && o.fail_rate <= 1.0) return Ok{};
  return Error{Errc::kInvalidOptions, "LAYO-0030",
               "Critical vias need a fail rate of a cut from 0 to 1, x0 above 0, and x_max above "
               "x0 and at most 1000 um."};
}

}  // namespace

CriticalVias connections_of(std::vector<Box> cuts, const LayerPieces& below,
                            const LayerPieces& above) {
  CriticalVias result;
  cuts = merged_cuts(std::move(cuts));
  result.cuts = cuts.size();
  for (const Box& cut : cuts) {
    const auto low = below.at(cut.center());
    const auto high = above.at(cut.center());
    if (low && high) {
      result.connections.push_back({*low, *high, 1, cut});
    } else {
      ++result.unconnected;
    }
  }
  auto& all = result.connections;
  std::stable_sort(all.begin(), all.end(), [](const ViaConnection& a, const ViaConnection& b) {
    return std::tie(a.below, a.above) < std::tie(b.below, b.above);
  });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (kept > 0 && all[kept - 1].below == all[i].below && all[kept - 1].above == all[i].above) {
      ++all[kept - 1].cuts;
      all[kept - 1].box.include(all[i].box);
    } else {
      all[kept++] = all[i];
    }
  }
  all.resize(kept);
  return result;
}

FaultCurve connection_curve(const ViaConnection& connection, Coord x_max) {
  const Coord larger = std::max(connection.box.width(), connection.box.height());
  const Coord smaller = std::min(connection.box.width(), connection.box.height());
  if (larger >= x_max) return {};
  return {0, {{larger, 4 * (larger - smaller), 4}}};
}

Result<CriticalVias> critical_vias(const FlatView& view, const ViaLayer& layers,
                                   const CriticalViaOptions& options, Progress& progress) {
  const double dbu = view.layout().dbu_um();
  YL_TRY(check(options, dbu));
  const auto stopped = [&] { return progress.cancelled(); };
  const Error cancelled{Errc::kCancelled, "LAYO-0007", "Work on the layout was cancelled."};
  const auto below = LayerPieces::of(view, layers.below);
  if (stopped()) return cancelled;
  const auto above = LayerPieces::of(view, layers.above);
  if (stopped()) return cancelled;
  bool oblique = false;
  CriticalVias result =
      connections_of(boxes_in(view, layers.cut, view.bbox(layers.cut), 1, oblique), below, above);
  result.law = options.law;
  result.x0_um = options.x0_um;
  result.x_max_um = options.x_max_um;
  const auto x_max = static_cast<Coord>(std::ceil(options.x_max_um / dbu - 1e-9));
  std::map<Coord, FaultKnot> knots;
  for (const ViaConnection& c : result.connections) {
    ++result.by_cuts[c.cuts];
    const FaultCurve curve = connection_curve(c, x_max);
    for (const FaultKnot& k : curve.knots()) {
      FaultKnot& sum = knots[k.x];
      sum = {k.x, sum.slope + k.slope, sum.bend + k.bend};
    }
  }
  std::vector<FaultKnot> list;
  for (const auto& [x, knot] : knots) list.push_back(knot);
  result.curve = FaultCurve(0, std::move(list));
  for (const auto& [cuts, count] : result.by_cuts)
    result.expected_fails +=
        static_cast<double>(count) * std::pow(options.fail_rate, static_cast<double>(cuts));
  result.um2 =
      result.curve.integral({options.law, options.x0_um / dbu, options.x_max_um / dbu}) * dbu * dbu;
  return result;
}

}  // namespace yieldloop::layout

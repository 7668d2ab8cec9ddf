#include <algorithm>
#include <array>
#include <limits>

#include "engine/feedback/edit_window.h"
#include "engine/feedback/layout_edits.h"

namespace yieldloop::feedback {
namespace {

using geometry::Point;

constexpr const char* kOblique = "the drawing is not axis-parallel";
constexpr const char* kBare = "metal is missing below or above the cut";
constexpr const char* kNoRoom = "no second cut fits without breaking a rule";

/// One of the two metals around a place.
struct Metal {
  layout::LayerIndex layer = 0;
  LayerRules rules;
  std::vector<Piece> pieces;
  Piece before;
  Piece own;         ///< The piece that holds the cut.
  Coord around = 0;  ///< What encloses the cut now.
};

/// The metal a second cut asks for, and whether it may be drawn.
struct Pad {
  Box box;
  double added_area = 0.0;
  bool allowed = false;
};

/// The pad without the metal that is there.
Piece added_parts(const Metal& metal, const Box& pad) {
  Piece parts{pad};
  for (const Box& own : metal.own) parts = outside(parts, own);
  return parts;
}

Pad pad_around(const Metal& metal, const Box& both, const Box& window) {
  Pad pad{.box = both.enlarged(metal.around)};
  pad.added_area = pad.box.area() - covered_area(metal.own, pad.box);
  if (pad.added_area <= 0.0) {
    pad.allowed = true;
    return pad;
  }
  // Corners of other pieces are kept away as far as edges; what the census of spaces sees is
  // edges that face each other.
  for (const Box& added : added_parts(metal, pad.box)) {
    const Box needs = added.enlarged(metal.rules.space);
    for (const Piece& other : metal.pieces) {
      if (other != metal.own && !inside(other, needs).empty()) return pad;
    }
  }
  Piece after = metal.before;
  after.push_back(pad.box);
  pad.allowed = keeps_rules(metal.before, after, window, metal.rules);
  return pad;
}

std::optional<Metal> metal_at(const layout::FlatView& view, layout::LayerIndex layer,
                              const LayerRules& rules, const Box& window) {
  auto pieces = pieces_in(view, layer, window);
  if (!pieces) return std::nullopt;
  Metal metal{
      .layer = layer, .rules = rules, .pieces = std::move(*pieces), .before = {}, .own = {}};
  metal.before = joined(metal.pieces);
  return metal;
}

/// False when the cut is not all on one piece of the metal.
bool find_own(Metal& metal, const Box& cut) {
  const auto owner =
      std::ranges::find_if(metal.pieces, [&](const Piece& p) { return covers(p, cut); });
  if (owner == metal.pieces.end()) return false;
  metal.own = *owner;
  metal.around = enclosure_of(cut, metal.own, 2 * metal.rules.width);
  return true;
}

/// The edits of the cheapest of the four neighbours; empty when none is allowed.
std::vector<LayerEdit> best_neighbour(const Box& cut, layout::LayerIndex cut_layer,
                                      const Metal& below, const Metal& above, const Piece& cuts,
                                      const Box& window, Coord cut_space) {
  std::vector<LayerEdit> best;
  double cheapest = std::numeric_limits<double>::infinity();
  const Coord dx = cut.width() + cut_space, dy = cut.height() + cut_space;
  for (const Point step : {Point{dx, 0}, Point{-dx, 0}, Point{0, dy}, Point{0, -dy}}) {
    const Box second = cut.moved(step);
    const Box needs = second.enlarged(cut_space);
    const bool crowded = std::ranges::any_of(
        cuts, [&](const Box& other) { return other != cut && other.overlaps(needs); });
    if (crowded) continue;
    Box both = cut;
    both.include(second);
    const Pad low = pad_around(below, both, window);
    const Pad high = pad_around(above, both, window);
    if (!low.allowed || !high.allowed) continue;
    const double cost = low.added_area + high.added_area;
    if (cost >= cheapest) continue;
    cheapest = cost;
    best = {{.layer = cut_layer, .removed = {}, .added = {second}}};
    if (low.added_area > 0.0) best.push_back({below.layer, {}, {low.box}});
    if (high.added_area > 0.0) best.push_back({above.layer, {}, {high.box}});
  }
  return best;
}

void double_one(const layout::FlatView& view, const layout::ViaLayer& layers, const Box& cut,
                const DoubleViaOptions& options, EditPlan& plan) {
  const Coord reach = 3 * (std::max(cut.width(), cut.height()) + options.cut_space +
                           std::max({options.below.width, options.below.space, options.above.width,
                                     options.above.space}));
  const Box window = cut.enlarged(reach);
  auto below = metal_at(view, layers.below, options.below, window);
  auto above = metal_at(view, layers.above, options.above, window);
  if (!below || !above) {
    ++plan.refused[kOblique];
    return;
  }
  if (!find_own(*below, cut) || !find_own(*above, cut)) {
    ++plan.refused[kBare];
    return;
  }
  Piece cuts;
  view.for_each_shape(layers.cut, window,
                      [&](const layout::FlatShape& s) { cuts.push_back(s.box); });
  auto edits = best_neighbour(cut, layers.cut, *below, *above, cuts, window, options.cut_space);
  if (edits.empty()) {
    ++plan.refused[kNoRoom];
    return;
  }
  ++plan.edited;
  for (LayerEdit& edit : edits) plan.edits.push_back(std::move(edit));
}

}  // namespace

Result<EditPlan> double_vias(const layout::FlatView& view, const layout::ViaLayer& layers,
                             std::span<const Box> cuts, const DoubleViaOptions& options,
                             Progress& progress) {
  YL_TRY(check_rules({options.below.width, options.below.space, options.above.width,
                      options.above.space, options.cut_space}));
  EditPlan plan{.edits = {}, .places = cuts.size(), .edited = 0, .partly = 0, .refused = {}};
  for (const Box& cut : cuts) {
    YL_TRY(check_cancelled(progress));
    double_one(view, layers, cut, options, plan);
  }
  return plan;
}

}  // namespace yieldloop::feedback

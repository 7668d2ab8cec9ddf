#include "engine/layout/what_if.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/layout/census.h"
#include "engine/layout/collect.h"
#include "engine/layout/edited_place.h"
#include "engine/layout/layout_builder.h"

namespace yieldloop::layout {
namespace {

Status check(const WhatIfOptions& o, double dbu_um, std::span<const BoxEdit> edits) {
  const bool sizes =
      o.x0_um > 0.0 && o.x_max_um > o.x0_um && o.x_max_um <= 1000.0 && o.x_max_um / dbu_um <= 4e6;
  std::set<LayerIndex> seen;
  bool good = sizes && o.via_fail_rate >= 0.0 && o.via_fail_rate <= 1.0;
  for (const BoxEdit& e : edits) good = good && seen.insert(e.layer).second && !e.bbox().empty();
  if (good) return Ok{};
  return Error{Errc::kInvalidOptions, "LAYO-0031",
               "A what-if needs x0 above 0, x_max above x0 and at most 1000 um, a via fail rate "
               "from 0 to 1, and one edit with at least one box for each layer."};
}

FaultModel model_of(const WhatIfOptions& o, double dbu_um, FaultKind kind) {
  return {.kind = kind,
          .end_effects = o.end_effects,
          .x_max = static_cast<Coord>(std::ceil(o.x_max_um / dbu_um - 1e-9)),
          .staircase = std::max<Coord>(static_cast<Coord>(o.x0_um / dbu_um / 4.0), 1),
          .nets = {}};
}

struct Violations {
  std::int64_t space = 0;
  std::int64_t width = 0;
};

Violations violations(const std::vector<Box>& boxes, const LayerRule& rule, double dbu_um) {
  Violations found;
  if (boxes.empty()) return found;
  LayoutBuilder builder(dbu_um);
  const CellIndex cell = builder.add_cell("place");
  for (const Box& b : boxes) builder.add_box(cell, {1, 0}, b);
  const auto drawn = builder.build();
  if (!drawn) return found;
  const FlatView view(*drawn, cell);
  NoProgress progress;
  if (rule.space > 0)
    if (const auto census = census_spaces(view, 0, {.below = rule.space, .window = {}}, progress))
      found.space = static_cast<std::int64_t>(census->count);
  if (rule.width > 0)
    if (const auto census = census_widths(view, 0, {.below = rule.width, .window = {}}, progress))
      found.width = static_cast<std::int64_t>(census->count);
  return found;
}

FaultCurve difference(FaultCurve after, const FaultCurve& before) {
  after.add(before, -1);
  return after;
}

/// A(x) of a whole layer as boxes, tile by tile.
FaultCurve whole_curve(std::vector<Box> boxes, const LayerPieces& pieces, FaultModel model) {
  model.nets = pieces.finder();
  Box hull;
  for (const Box& b : boxes) hull.include(b);
  const std::vector<std::uint32_t> order = geometry::packed_order(boxes);
  std::vector<Box> sorted;
  for (const std::uint32_t i : order) sorted.push_back(boxes[i]);
  const geometry::PackedIndex index(sorted);
  FaultTile work(static_cast<std::int32_t>(model.x_max));
  FaultCurve sum;
  const Box window = hull.enlarged((model.x_max + 1) / 2);
  for_each_piece(window, std::max<Coord>(16 * model.x_max, 50000), [&](const Box& tile) {
    const Box seen = tile.enlarged(model.margin());
    std::vector<Box> near;
    index.for_each_range(seen, sorted.size(), [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i)
        if (sorted[i].touches(seen)) near.push_back(sorted[i]);
    });
    sum.add(work.curve(TileShapes::of(near, 0, tile, model), tile, model));
  });
  return sum;
}

}  // namespace

WhatIf::WhatIf(const FlatView& view, WhatIfOptions options)
    : view_(view), options_(std::move(options)) {
  x_max_ = model_of(options_, view_.layout().dbu_um(), FaultKind::kShort).x_max;
}
WhatIf::~WhatIf() = default;

const LayerPieces& WhatIf::pieces(LayerIndex layer) {
  auto& known = pieces_[layer];
  if (!known) known = std::make_unique<LayerPieces>(LayerPieces::of(view_, layer));
  return *known;
}

Result<LayerEffect> WhatIf::on_layer(const BoxEdit& edit, Progress& progress) {
  const double dbu = view_.layout().dbu_um();
  const FaultModel shorts = model_of(options_, dbu, FaultKind::kShort);
  const FaultModel opens = model_of(options_, dbu, FaultKind::kOpen);
  const Box near = edit.bbox().enlarged(x_max_ / 2 + 1);
  // Whether a stretch counts is decided at both of its ends, up to x_max apart.
  const Box far = near.enlarged(x_max_);
  const EditedPlace place(view_, edit, pieces(edit.layer), far, opens.margin(), opens.staircase);
  LayerEffect effect{.layer = edit.layer, .shorts = {}, .opens = {}, .oblique = place.oblique()};
  if (place.changes_pieces()) {
    YL_ASSIGN(effect, on_whole_layer(edit, progress));
  } else {
    FaultTile work(static_cast<std::int32_t>(x_max_));
    const auto change = [&](const Box& window, const FaultModel& model) {
      FaultCurve after = work.curve(place.after_around(window), window, model);
      after.add(work.curve(place.before_around(window), window, model), -1);
      return after;
    };
    effect.shorts = change(near, shorts);
    effect.opens = change(far, opens);
  }
  const SizeDensity density{options_.law, options_.x0_um / dbu, options_.x_max_um / dbu};
  effect.shorts_um2 = effect.shorts.integral(density) * dbu * dbu;
  effect.opens_um2 = effect.opens.integral(density) * dbu * dbu;
  if (const auto rule = options_.rules.find(edit.layer); rule != options_.rules.end()) {
    const Violations before = violations(place.before(), rule->second, dbu);
    const Violations after = violations(place.after(), rule->second, dbu);
    effect.space_violations = after.space - before.space;
    effect.width_violations = after.width - before.width;
  }
  return effect;
}

Result<LayerEffect> WhatIf::on_whole_layer(const BoxEdit& edit, Progress& progress) {
  const double dbu = view_.layout().dbu_um();
  LayerEffect effect{.layer = edit.layer, .shorts = {}, .opens = {}, .whole_layer = true};
  const Coord staircase = model_of(options_, dbu, FaultKind::kOpen).staircase;
  const std::vector<Box> before =
      boxes_in(view_, edit.layer, view_.bbox(edit.layer), staircase, effect.oblique);
  std::vector<Box> after = before;
  apply_edit(edit, after);
  const LayerPieces pieces_before(before);
  const LayerPieces pieces_after(after);
  for (const FaultKind kind : {FaultKind::kShort, FaultKind::kOpen}) {
    if (progress.cancelled())
      return Error{Errc::kCancelled, "LAYO-0007", "Work on the layout was cancelled."};
    const FaultModel model = model_of(options_, dbu, kind);
    (kind == FaultKind::kShort ? effect.shorts : effect.opens) = difference(
        whole_curve(after, pieces_after, model), whole_curve(before, pieces_before, model));
  }
  return effect;
}

Result<EditEffect> WhatIf::effect(std::span<const BoxEdit> edits, Progress& progress) {
  YL_TRY(check(options_, view_.layout().dbu_um(), edits));
  EditEffect result;
  for (const BoxEdit& edit : edits) {
    if (progress.cancelled())
      return Error{Errc::kCancelled, "LAYO-0007", "Work on the layout was cancelled."};
    const bool cut = std::ranges::any_of(
        options_.vias, [&](const ViaLayer& via) { return via.cut == edit.layer; });
    if (cut) continue;
    YL_ASSIGN(LayerEffect effect, on_layer(edit, progress));
    result.layers.push_back(std::move(effect));
  }
  std::ranges::sort(result.layers, {}, &LayerEffect::layer);
  for (const ViaLayer& via : options_.vias) {
    const bool reached = std::ranges::any_of(edits, [&](const BoxEdit& e) {
      return e.layer == via.cut || e.layer == via.below || e.layer == via.above;
    });
    if (reached) result.vias.push_back(on_vias(via, edits));
  }
  return result;
}

}  // namespace yieldloop::layout

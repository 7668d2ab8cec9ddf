#include "engine/feedback/edit_effects.h"

#include <algorithm>
#include <cmath>

namespace yieldloop::feedback {
namespace {

constexpr const char* kDoesNotPay =
    "the edit would cost more in opens, shorts and vias than it gains";

bool is_rate(double value) { return std::isfinite(value) && value >= 0.0; }

Status check(const EditEffectOptions& o) {
  bool good = is_rate(o.removed_per_place) && is_rate(o.via_fail_rate) && o.via_fail_rate <= 1.0;
  for (const auto& [layer, defects] : o.defects)
    good = good && is_rate(defects.density_per_cm2) && defects.x0_um > 0.0 &&
           defects.x0_um < o.x_max_um;
  if (good) return Ok{};
  return Error{Errc::kInvalidOptions, "EDIT-0003",
               "Side effects of an edit need rates and densities that are not negative, a via fail "
               "rate of at most 1, and sizes with x0 above 0 and below x_max."};
}

/// One what-if for each size of defect that the layers ask for.
class Judge {
 public:
  Judge(const layout::FlatView& view, const EditEffectOptions& options)
      : view_(view), options_(options) {}

  Result<EditEffects> place(std::span<const LayerEdit> edits, Progress& progress) {
    std::vector<layout::BoxEdit> boxes;
    for (const LayerEdit& e : edits) boxes.push_back({e.layer, e.removed, e.added});
    EditEffects effects{.removed = -options_.removed_per_place, .places = 1};
    bool vias_done = false;
    for (const layout::BoxEdit& edit : boxes) {
      const bool cut = std::ranges::any_of(
          options_.vias, [&](const layout::ViaLayer& via) { return via.cut == edit.layer; });
      if (cut) continue;
      YL_ASSIGN(const auto found, what_if(edit.layer).effect(std::span(&edit, 1), progress));
      for (const layout::LayerEffect& layer : found.layers) add(layer, effects);
    }
    for (const layout::BoxEdit& edit : boxes) {
      if (vias_done || options_.vias.empty()) break;
      YL_ASSIGN(const auto found, what_if(edit.layer).effect(boxes, progress));
      for (const layout::ViaEffect& via : found.vias) effects.vias += via.expected_fails;
      vias_done = true;
    }
    return effects;
  }

 private:
  layout::WhatIf& what_if(layout::LayerIndex layer) {
    const auto it = options_.defects.find(layer);
    const double x0 = it != options_.defects.end() ? it->second.x0_um : LayerDefects{}.x0_um;
    auto& known = by_size_[x0];
    if (!known)
      known = std::make_unique<layout::WhatIf>(
          view_, layout::WhatIfOptions{.x0_um = x0,
                                       .x_max_um = options_.x_max_um,
                                       .via_fail_rate = options_.via_fail_rate,
                                       .rules = {},
                                       .vias = options_.vias});
    return *known;
  }

  void add(const layout::LayerEffect& layer, EditEffects& effects) const {
    effects.shorts_um2 += layer.shorts_um2;
    effects.opens_um2 += layer.opens_um2;
    const auto it = options_.defects.find(layer.layer);
    if (it == options_.defects.end()) return;
    constexpr double kCm2 = 1e-8;  // of a um^2
    const double density = it->second.density_per_cm2 * kCm2;
    effects.shorts = effects.shorts.value_or(0.0) + density * layer.shorts_um2;
    effects.opens = effects.opens.value_or(0.0) + density * layer.opens_um2;
  }

  layout::FlatView view_;
  const EditEffectOptions& options_;
  std::map<double, std::unique_ptr<layout::WhatIf>> by_size_;
};

void add_up(const EditEffects& one, EditEffects& all) {
  const auto add = [](std::optional<double>& sum, const std::optional<double>& value) {
    if (value) sum = sum.value_or(0.0) + *value;
  };
  add(all.shorts, one.shorts);
  add(all.opens, one.opens);
  all.vias += one.vias;
  all.removed += one.removed;
  all.shorts_um2 += one.shorts_um2;
  all.opens_um2 += one.opens_um2;
  all.places += one.places;
}

}  // namespace

Result<EditEffects> judge_edits(const layout::FlatView& view, const EditEffectOptions& options,
                                EditPlan& plan, Progress& progress) {
  YL_TRY(check(options));
  const auto begins = [&](const LayerEdit& edit) {
    return options.vias.empty() || edit.layer == options.vias.front().cut;
  };
  Judge judge(view, options);
  EditEffects all;
  std::vector<LayerEdit> kept;
  for (std::size_t first = 0; first < plan.edits.size();) {
    std::size_t last = first + 1;
    while (last < plan.edits.size() && !begins(plan.edits[last])) ++last;
    const std::span<const LayerEdit> place(plan.edits.data() + first, last - first);
    YL_ASSIGN(const EditEffects effects, judge.place(place, progress));
    if (effects.net() <= 0.0) {
      add_up(effects, all);
      kept.insert(kept.end(), place.begin(), place.end());
    } else {
      ++all.withdrawn;
    }
    first = last;
  }
  plan.edits = std::move(kept);
  if (all.withdrawn > 0) {
    // Places edited in part come last in what is counted, so they are taken from first.
    const std::size_t partly = std::min(plan.partly, all.withdrawn);
    plan.partly -= partly;
    plan.edited -= std::min(plan.edited, all.withdrawn - partly);
    plan.refused[kDoesNotPay] += all.withdrawn;
  }
  return all;
}

}  // namespace yieldloop::feedback

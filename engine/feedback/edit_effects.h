/// \file
/// What drawn edits do to everything they were not meant for: shorts, opens and vias together.
///
/// Mending one kind of fault may make another worse, so an edit is judged by its net change of the
/// expected faults per die,
///
///   net = removed share + D (change of A_short + change of A_open) + change of via fails
///
/// with the critical areas from what_if.h and D the density of random defects of the layer. An
/// edit whose net rises is taken out of the plan. Without a density the two areas are
/// left out of the net and said to be unknown; they are never taken for 0.
/// Source: studies of redundant wires, where counting opens alone made chips worse by up to 7 %
/// and counting shorts as well always made them better: docs/analyses/suggestions.md.
#pragma once

#include <map>
#include <optional>

#include "engine/feedback/layout_edits.h"
#include "engine/layout/what_if.h"

namespace yieldloop::feedback {

/// Random defects of a layer.
struct LayerDefects {
  double density_per_cm2 = 0.0;  ///< Of defects of the inverse-cube law from x0 on.
  double x0_um = 0.05;
};

struct EditEffectOptions {
  /// Expected faults per die that one edited place would no longer cause; not negative.
  double removed_per_place = 0.0;
  std::map<layout::LayerIndex, LayerDefects> defects;
  /// Via layers that the edits may reach; for double_vias, the one that is doubled.
  std::vector<layout::ViaLayer> vias;
  double via_fail_rate = 0.0;  ///< Chance that one cut fails.
  double x_max_um = 2.0;
};

/// Changes of expected faults per die; nothing where a density is missing.
struct EditEffects {
  std::optional<double> shorts, opens;
  double vias = 0.0;
  double removed = 0.0;     ///< By the cause itself; at most 0.
  double shorts_um2 = 0.0;  ///< Change of critical area, all layers, at that layer's x0.
  double opens_um2 = 0.0;
  std::size_t places = 0;     ///< Left in the plan.
  std::size_t withdrawn = 0;  ///< Taken out: their net would rise.
  double net() const { return removed + shorts.value_or(0.0) + opens.value_or(0.0) + vias; }
  friend bool operator==(const EditEffects&, const EditEffects&) = default;
};

/// Judges the plan place by place and takes out what does not pay. A place of double_vias begins
/// with its edit of the cut layer, one of widen_spaces is a single edit.
/// Errors: kInvalidOptions EDIT-0003 (a rate or density that is negative or no number, or a via
/// fail rate above 1), kCancelled LAYO-0007.
Result<EditEffects> judge_edits(const layout::FlatView& view, const EditEffectOptions& options,
                                EditPlan& plan, Progress& progress);

}  // namespace yieldloop::feedback

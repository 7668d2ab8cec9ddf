/// \file
/// What a design suggestion would change in the drawing, place by place, checked before it is said.
///
/// Widening a space takes a strip off one of the two edges that face each other (a line end is
/// pulled back before a side is thinned), until the space reaches the goal or the rules stop it.
/// Doubling a via puts a second cut beside the single one, at the cut layer's own spacing, and
/// the metal around both. An edit is kept only when a check of the place, after against before,
/// finds no new space or width below the rules, no piece torn or joined, and no cut with less
/// metal around it than it had. A place that allows no such edit is counted with the reason.
///
/// Only axis-parallel drawings are edited. Edits are in the flat coordinates of the view.
/// Units: database units.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/layout/connectivity.h"
#include "engine/layout/flat_view.h"

namespace yieldloop::feedback {

/// Smallest width and space that a layer may have.
struct LayerRules {
  geometry::Coord width = 0;
  geometry::Coord space = 0;
};

/// One layer of an edited place: boolean operands, `drawn - removed + added`.
struct LayerEdit {
  layout::LayerIndex layer = 0;
  std::vector<geometry::Box> removed;
  std::vector<geometry::Box> added;
  friend bool operator==(const LayerEdit&, const LayerEdit&) = default;
};

/// What became of a list of places.
struct EditPlan {
  std::vector<LayerEdit> edits;                ///< In the order of the places.
  std::size_t places = 0;                      ///< Asked for.
  std::size_t edited = 0;                      ///< To the goal.
  std::size_t partly = 0;                      ///< Better, but short of the goal.
  std::map<std::string, std::size_t> refused;  ///< Reason -> places.
  friend bool operator==(const EditPlan&, const EditPlan&) = default;
};

struct WidenOptions {
  geometry::Coord goal = 0;  ///< The space to reach.
  LayerRules rules;
  std::vector<layout::LayerIndex> cuts;  ///< Via and contact layers that touch the layer.
};

/// `gaps`: the empty boxes between the facing edges.
/// Errors: kInvalidOptions EDIT-0001 when the goal or a rule is not above 0, kCancelled EDIT-0002.
Result<EditPlan> widen_spaces(const layout::FlatView& view, layout::LayerIndex layer,
                              std::span<const geometry::Box> gaps, const WidenOptions& options,
                              Progress& progress);

struct DoubleViaOptions {
  LayerRules below;
  LayerRules above;
  geometry::Coord cut_space = 0;  ///< Between cuts of the via layer.
};

/// `cuts`: the single cuts, as drawn.
/// Errors: as widen_spaces.
Result<EditPlan> double_vias(const layout::FlatView& view, const layout::ViaLayer& layers,
                             std::span<const geometry::Box> cuts, const DoubleViaOptions& options,
                             Progress& progress);

}  // namespace yieldloop::feedback

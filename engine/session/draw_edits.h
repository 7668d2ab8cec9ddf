/// \file
/// The edits of one suggestion as rectangles for a layout tool.
///
/// A layer L/D keeps its number: what is to be taken away lies on L/201, what is to be added on
/// L/202, so that `L/D - L/201 + L/202` is the edited layer.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/core/finding.h"
#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/feedback/gds_markers.h"
#include "engine/session/analysis.h"

namespace yieldloop::session {

inline constexpr int kRemovedDatatype = 201;
inline constexpr int kAddedDatatype = 202;

struct DrawnEdits {
  std::vector<feedback::MarkerRectangle> rectangles;
  double dbu_um = 0.001;
  std::string words;  ///< Empty for an action that is not drawn.
  /// As Suggestion::side_effects, of the places that are drawn; empty when nothing is.
  std::map<std::string, double> side_effects;
};

/// Draws widen_space and double_via at the suggestion's places; other actions give nothing. Places
/// where the net of shorts, opens and vias would rise are left out (edit_effects.h). Densities of
/// random defects are those the layer's inspections measured: defects over inspected area, x0 from
/// their median size (median = x0 sqrt 2 under the inverse cube). All defects count as if they
/// could kill, so that a price in opens is never made too small.
/// Errors: kCancelled EDIT-0002 or LAYO-0007.
Result<DrawnEdits> draw_edits(const Analysis& analysis, const Suggestion& suggestion,
                              Progress& progress);

}  // namespace yieldloop::session

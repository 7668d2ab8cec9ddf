/// \file
/// Defects that sit at one place of the exposure field, again and again: a mask defect.
///
/// Defects of one inspection step are folded to (field position, x, y in the die). A place is
/// hit by an exposure (wafer x field) when a defect lies within the tolerance. k hits of n
/// exposures are compared with the background (binomial with the step's mean defect density)
/// and with the same place in the die at the other field positions (Fisher): a place bad in
/// every die is the layout's doing, not the mask's. The evidence is the weaker. q:
/// Benjamini-Hochberg over all places of the field, field area / (pi tolerance^2).
///
/// Source: docs/analyses/defect_repeater.md.
#pragma once

#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::process {

struct DefectRepeaterOptions {
  double alpha = 0.05;         ///< In (0, 0.5].
  double tolerance_um = 10.0;  ///< > 0.
  std::size_t min_hits = 3;    ///< >= 2.
  std::size_t max_reported = 100;
};

struct DefectRepeater {
  NameId step{};
  int field_x = 0, field_y = 0;
  double x_um = 0.0, y_um = 0.0;  ///< Mean place from the die's lower left.
  std::int64_t hits = 0, exposures = 0;
  std::int64_t other_hits = 0, other_exposures = 0;  ///< Same place in the other die.
  double expected = 0.0;                             ///< Hits by background density.
  double p_value = 1.0, q_value = 1.0;
  std::vector<WaferId> wafers;  ///< Sorted.
  friend bool operator==(const DefectRepeater&, const DefectRepeater&) = default;
};

struct DefectRepeaterResult {
  std::vector<DefectRepeater> repeaters;  ///< q <= alpha, smallest p first.
  double family = 0.0;
  std::string family_text;
  friend bool operator==(const DefectRepeaterResult&, const DefectRepeaterResult&) = default;
};

/// Errors: kInvalidOptions (DREP-0001); kNoData (DREP-0002) when there is no defect, (DREP-0003)
/// when the product's die size or field is unknown or a field has one die.
Result<DefectRepeaterResult> defect_repeaters(const FabData& data,
                                              const DefectRepeaterOptions& options = {});

}  // namespace yieldloop::process

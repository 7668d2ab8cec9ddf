/// \file
/// Joins the die of inspection and test, whose indices may run from different origins and ways.
///
/// Inspection tools and probers number die on their own: an offset and mirrored axes between them
/// are common. For each inspection tool, with I the die it looked at and T the die tested,
///
///   coverage(map) = |map(I) in T| / |I|
///   z(map)        = (F - E F) / sqrt(var F),  F = die with a defect that fail
///
/// where, wafer by wafer, F is hypergeometric when defects and fails have nothing to do with each
/// other. Numbers taken as they are stand unless they miss tested die (coverage below 0.9) or
/// another map of full coverage explains the fails far better (z at least 6 and 4 above theirs).
/// A plain shift moves the inspections to the test's numbers, a mirrored one turns the test's
/// numbers to the inspections', whose axes are the wafer's (x right, y up, notch down). What
/// several maps explain equally well is left as it is and said.
#pragma once

#include <string>
#include <vector>

#include "engine/core/fab_data.h"

namespace yieldloop::session {

/// Mirrors about die 0, then moves.
struct DieMap {
  bool mirror_x = false;
  bool mirror_y = false;
  int dx = 0;
  int dy = 0;
  DieIndex operator()(DieIndex die) const;
  /// What undoes it.
  DieMap inverse() const;
  bool identity() const { return !mirror_x && !mirror_y && dx == 0 && dy == 0; }
  friend bool operator==(const DieMap&, const DieMap&) = default;
};

/// Changes die indices in `data` where the evidence asks for it; returns one sentence for each
/// change and for each inspection tool that could not be joined.
/// REQUIRES: data.die_results sorted by wafer.
std::vector<std::string> join_die(FabData& data);

}  // namespace yieldloop::session

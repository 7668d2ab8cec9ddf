/// \file
/// Fails that repeat at one place of every exposure field: a defect on a reticle.
///
/// Die are folded to their field position, fx = (x - x0) mod columns, fy likewise. A position
/// is compared with the other positions on the same wafer and ring (label_excess.h), for all
/// wafers and for the wafers of each reticle; the excess must also hold over the fields
/// (Student's t over the fields' sums), so that one bad die place is no repeater. The reticle
/// named is the one whose wafers have the excess and whose other wafers do not.
/// q: Benjamini-Hochberg over all positions x wafer sets.
///
/// Source: docs/analyses/reticle_repeater.md; N. Mantel and W. Haenszel (1959).
#pragma once

#include <string>
#include <vector>

#include "engine/core/die_outcomes.h"
#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::process {

struct ReticleRepeaterOptions {
  double alpha = 0.05;  ///< In (0, 0.5].
  int rings = 6;        ///< In [1, 16].
};

struct ReticleName {
  NameId step{}, reticle{};
  friend auto operator<=>(const ReticleName&, const ReticleName&) = default;
};

struct ReticleRepeater {
  int field_x = 0, field_y = 0;
  /// The reticle at fault; empty when every wafer is hit alike, so that any layer's may be.
  ReticleName reticle{};
  std::vector<ReticleName> candidates;            ///< Others that printed the same wafers.
  double fail_rate = 0.0, background_rate = 0.0;  ///< Background: what ring and wafer predict.
  double die_per_wafer = 0.0;                     ///< Change of good die; negative: loss.
  Interval die_per_wafer_ci{0.0, 0.0};
  double p_value = 1.0, q_value = 1.0, z = 0.0;
  double contrast_z = 0.0;  ///< Of the reticle's wafers against the others; 0: pooled.
  std::int64_t die = 0, fields_hit = 0, fields = 0;
  int leading_bin = 0;          ///< Hard bin with the largest excess at the position.
  std::vector<WaferId> wafers;  ///< Sorted.
  friend bool operator==(const ReticleRepeater&, const ReticleRepeater&) = default;
};

struct ReticleRepeaterResult {
  std::vector<ReticleRepeater> repeaters;  ///< q <= alpha, one for each position, smallest p first.
  std::size_t family = 0;
  std::string family_text;
  friend bool operator==(const ReticleRepeaterResult&, const ReticleRepeaterResult&) = default;
};

/// Errors: kInvalidOptions (RETI-0001); kNoData (RETI-0002) when no die was tested, (RETI-0003)
/// when the product has one die in a field: nothing repeats that every die would not show.
Result<ReticleRepeaterResult> reticle_repeaters(const FabData& data,
                                                const ReticleRepeaterOptions& options = {});

}  // namespace yieldloop::process
